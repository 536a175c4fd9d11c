"""A report as a page: one file that any browser shows, without a network.

The words are in the page itself, so that they are there without scripts, for printing and for screen readers; scripts
add the charts and the table of trials. Everything that comes from a manifest or a trainer is hostile: the template
escapes all of it, what scripts read is JSON in which nothing can end its element, and they write text, never markup. If
something slips through all the same, the Content-Security-Policy lets no script run but those of this package, by their
hashes, and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from study_operator.findings import Severity
from study_operator.report.by_rule import by_rule, limits
from study_operator.report.charts import chart_data
from study_operator.report.explanations import EXPLANATIONS
from study_operator.report.places import DRAWN, Places
from study_operator.report.report import (
    Report,
    notes,
    parameters_text,
    value_text,
)
from study_operator.results.trial import Trial
from study_operator.rounds import change_text

SCRIPTS = ("scales.js", "colors.js", "pictures.js", "curves.js", "parallel.js", "trials.js", "page.js")
"""In the order in which they need each other; together they are one script."""
LICENSES = ("NOTICE-echarts", "LICENSE-echarts", "LICENSE-d3", "LICENSE-zrender", "LICENSE-tslib")
RANKED = 20
"""Trials of the ranking that are in the page without scripts."""


def page(report: Report) -> str:
    """The page's HTML."""
    library, script, style = _vendored("echarts.js"), _script(), _asset("page.css")
    places = Places(report)
    charts, conclusion = chart_data(report, places), report.analysis.conclusion
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            places=places,
            drawn=DRAWN,
            ranked=RANKED,
            explanations=EXPLANATIONS,
            rules=by_rule(report.analysis.findings),
            alarms=sum(finding.severity is not Severity.INFO for finding in report.analysis.findings),
            limits=limits(conclusion.caveats, report.analysis.findings) if conclusion is not None else (),
            change_text=change_text,
            notes=notes(report),
            reproduced=list(_reproduced(report)),
            charts=charts,
            data=Markup(embedded(charts)),
            library=Markup(library),
            script=Markup(script),
            style=Markup(style),
            policy=_policy(scripts=[library, script], styles=[style]),
            licenses=[_vendored(name) for name in LICENSES],
        )
    )


def embedded(data: object) -> str:
    """JSON that can stand in a script element: in ASCII, and without a character that means something in HTML."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def prose(text: str) -> Markup:
    """A sentence of ours, in which there may be anybody's words; what it has in backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Nothing is loaded, and only what is in this package runs."""
    allowed = {"script-src": scripts, "style-src": styles}
    hashes = {name: " ".join(map(_hash, contents)) for name, contents in allowed.items()}
    rules = ["default-src 'none'", *(f"{name} {value}" for name, value in hashes.items()), "img-src data:"]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _reproduced(report: Report) -> list[tuple[str, Trial, str]]:
    """The best trial of each arm that is drawn, the best of all first, with the command that computes it again."""
    bests = [summary for summary in report.arms[:DRAWN] if summary.best is not None]
    sign = report.objective.direction.minimised
    bests.sort(key=lambda summary: (sign(summary.best.value), summary.best.index) if summary.best else (0.0, 0))
    trials = [(summary.arm.label, report.by_index[summary.best.index]) for summary in bests if summary.best]
    commands = [(label, trial, report.provenance.command(trial.spec)) for label, trial in trials]
    return [(label, trial, command) for label, trial, command in commands if command]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"value": value_text, "parameters": parameters_text, "prose": prose}
    return environment


def _script() -> str:
    return "(() => {\n'use strict';\n" + "\n".join(map(_asset, SCRIPTS)) + "\n})();"


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _vendored(name: str) -> str:
    return files(__package__).joinpath("vendor", name).read_text(encoding="utf-8")
