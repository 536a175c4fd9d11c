"""A report for an experiment repository's RESULTS.md: the playbook's columns, the answer, and what limits it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from study_operator.findings import Severity
from study_operator.report.report import Report, parameters_text, value_text
from study_operator.results.sentences import clean

_LONGEST = 4096
_TOLD = (Severity.DENIAL, Severity.WARNING)
"""Findings that a record keeps; what is merely worth knowing is on the page."""


def markdown(report: Report, tracked: Mapping[str, object]) -> str:
    """A section for the study; ``tracked`` are the columns of its row in the tracking table, by their headings."""
    return "".join(f"{line}\n" for line in _lines(report, tracked))


def _lines(report: Report, tracked: Mapping[str, object]) -> Iterator[str]:
    yield f"## {report.name}\n"
    yield f"{prose(report.study.spec.goal)}\n"
    if report.provenance.asked:
        yield f"Here it is {prose(report.provenance.asked)}\n"
    yield from _row(list(tracked))
    yield "|" + " --- |" * len(tracked)
    yield from _row(["" if value is None else value for value in tracked.values()])
    yield ""
    yield from _conclusion(report)
    yield from _arms(report)
    told = [finding for finding in report.analysis.findings if finding.severity in _TOLD]
    if told:
        yield "### Findings\n"
        yield from (f"- {prose(f'{each.sentence} {each.advice}')} ({each.rule})" for each in told)
        yield ""
    if report.analysis.proposal is not None:
        yield f"**Next:** {prose(report.analysis.proposal.summary)}\n"
    command = report.provenance.command(report.best.spec) if report.best else ""
    if command:
        yield from ("The best trial again:\n", _fenced(command), "")


def _conclusion(report: Report) -> Iterator[str]:
    conclusion = report.analysis.conclusion
    if conclusion is None:
        yield f"**Not concluded:** {report.ended} of {report.study.spec.budget.trials} trials have ended.\n"
        return
    yield f"**{conclusion.verdict}.** {prose(conclusion.statement)}\n"
    yield from (f"- {prose(caveat)}" for caveat in conclusion.caveats)
    yield ""


def _arms(report: Report) -> Iterator[str]:
    direction, m = report.objective.direction, report.analysis.comparison.m
    yield from _row(["arm", "succeeded", "infeasible", "best", "best parameters", f"best of {m}", "95% interval"])
    yield "|" + " --- |" * 7
    for summary in report.arms:
        estimate, best = summary.estimate, summary.best
        interval = None if estimate is None or estimate.interval is None else estimate.interval.turned(direction)
        yield from _row(
            [
                summary.arm.label,
                f"{summary.succeeded}/{summary.trials}",
                summary.infeasible,
                "" if best is None else value_text(best.value),
                "" if best is None else parameters_text(report.by_index[best.index].spec.parameters),
                "" if estimate is None else value_text(direction.minimised(estimate.expected)),
                "" if interval is None else f"{value_text(interval.low)} to {value_text(interval.high)}",
            ]
        )
    yield ""


def _row(cells: list[object] | list[str]) -> Iterator[str]:
    yield "| " + " | ".join(prose(value_text(cell) if isinstance(cell, float) else str(cell)) for cell in cells) + " |"


def prose(text: str) -> str:
    """Text as it is read: no markup of Markdown or HTML, in one line."""
    return re.sub(r"([\\`*\[\]<>|~#]|(?<!\w)_|_(?!\w))", r"\\\1", clean(text, _LONGEST)).replace("&", "&amp;")


def _fenced(command: str) -> str:
    """A block of code that its content cannot end."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", command)), default=0))
    return f"{fence}sh\n{command}\n{fence}"
