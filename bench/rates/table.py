"""The rates as tables for people: docs/rules.md has one line for each rule, a rule's page all of its settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from study_operator.findings import RULES
from study_operator.findings.finding import Rule

from bench.rates.rate import Hypothesis, Rate

ONE_SCREEN = 24
"""Lines of rates that a page shows at once; more are summed up, and unfolded by whoever asks for them."""
_BLOCK = re.compile(r"(<!-- rates -->\n).*?(<!-- /rates -->)", re.DOTALL)
_HEAD = """# The rules

What a study is checked for and what is read from its results, after the tuning playbook. A rule's page says what it
does, why, and how often it is wrong; a rule without a page is advice that no program checks yet. The rates are
simulated: a false alarm is a finding where there was nothing to find, and the power is how often a rule sees what is
there. The columns have the highest false-alarm rate and the range of the power over all settings of the rule's page;
they are empty where a rule only counts, compares with the manifest, or estimates. A rule may give false alarms in 5%;
Adopt and Reject may be wrong in 10% each.

`python -m bench.rates` measures them anew and writes this table, the tables of the pages, and their pictures.

| # | rule | id | false alarms, at most | power | simulations |
|---|---|---|---|---|---|
"""


def overview(rates: Sequence[Rate], folder: Path) -> str:
    """docs/rules.md; rules are linked to their pages in ``folder`` where these exist."""
    return _HEAD + "".join(
        _line(rule, [rate for rate in rates if rate.rule == rule.id], folder) for rule in RULES.values()
    )


def fill_pages(rates: Sequence[Rate], folder: Path) -> None:
    """Write each rule's rates into the marked block of its page."""
    for page in sorted({RULES[rate.rule].page for rate in rates}):
        path = folder / f"{page}.md"
        if path.exists():
            path.write_text(filled(path.read_text(), page, rates))


def filled(text: str, page: str, rates: Sequence[Rate]) -> str:
    """The page's text with the rates of its rules in it. Raises ValueError where it has no place for them."""
    block = _BLOCK.search(text)
    if block is None:
        raise ValueError(f"{page}.md needs a block from <!-- rates --> to <!-- /rates -->")
    return (
        text[: block.end(1)]
        + _within_a_screen([rate for rate in rates if RULES[rate.rule].page == page])
        + text[block.start(2) :]
    )


def _within_a_screen(rates: Sequence[Rate]) -> str:
    tables = _tables(rates)
    if len(tables.splitlines()) <= ONE_SCREEN:
        return tables
    rules = sorted({rate.rule for rate in rates})
    extremes = "".join(
        f"| {_what(rate, len(rules) > 1)} | {', '.join(filter(None, (rate.setting, rate.column)))} "
        f"| {_percent(rate.share)} | {_interval(rate)} | {_of(rate)} |\n"
        for rule in rules
        for rate in _extremes([rate for rate in rates if rate.rule == rule])
    )
    return (
        f"{_LIST_HEAD}{extremes}\n<details>\n<summary>The worst and the best are above; all settings</summary>\n\n"
        f"{tables}\n</details>\n"
    )


def _extremes(rates: Sequence[Rate]) -> list[Rate]:
    """The most false alarms, the least and the most power."""
    null, power = (
        sorted((rate for rate in rates if rate.hypothesis == kind), key=lambda rate: rate.share)
        for kind in (Hypothesis.NULL, Hypothesis.ALTERNATIVE)
    )
    return [*null[-1:], *power[:1], *power[-1:]]


def _line(rule: Rule, rates: Sequence[Rate], folder: Path) -> str:
    title = f"[{rule.title}](rules/{rule.page}.md)" if (folder / f"{rule.page}.md").exists() else rule.title
    false_alarms = [rate.share for rate in rates if rate.hypothesis == Hypothesis.NULL]
    power = [rate.share for rate in rates if rate.hypothesis == Hypothesis.ALTERNATIVE]
    simulations = sum(rate.simulations for rate in rates)
    cells = (
        _percent(max(false_alarms)) if false_alarms else "",
        f"{min(power):.2f} to {max(power):.2f}" if power else "",
        f"{simulations:,}" if simulations else "",
    )
    return f"| {rule.number} | {title} | `{rule.id}` | {' | '.join(cells)} |\n"


_LIST_HEAD = "| what is true | setting | rate | 95% interval | of |\n|---|---|---|---|---|\n"
_WHAT = {
    Hypothesis.NULL: "nothing to find",
    Hypothesis.EDGE: "in between",
    Hypothesis.ALTERNATIVE: "something to find",
}


def _tables(rates: Sequence[Rate]) -> str:
    """The tables of a page: one for the rates without columns, one for each set of columns."""
    several = len({rate.rule for rate in rates}) > 1
    listed = sorted(rates, key=lambda rate: (rate.rule, list(_WHAT).index(Hypothesis(rate.hypothesis))))
    tables = [_list(listed, several), _grid(listed, several)]
    return "\n".join(table for table in tables if table)


def _list(rates: Sequence[Rate], several: bool) -> str:
    rows = [
        f"| {_what(rate, several)} | {rate.setting} | {_percent(rate.share)} | {_interval(rate)} | {_of(rate)} |\n"
        for rate in rates
        if not rate.column
    ]
    return "".join([_LIST_HEAD, *rows]) if rows else ""


def _grid(rates: Sequence[Rate], several: bool) -> str:
    columns = sorted({rate.column for rate in rates if rate.column}, key=_number)
    if not columns:
        return ""
    rows: dict[tuple[str, str], dict[str, Rate]] = {}
    for rate in rates:
        if rate.column:
            rows.setdefault((_what(rate, several), rate.setting), {})[rate.column] = rate
    lines = [
        f"| {what} | {setting} | "
        f"{' | '.join(_percent(cells[column].share) if column in cells else '' for column in columns)} | "
        f"{_of(*cells.values())} |\n"
        for (what, setting), cells in rows.items()
    ]
    head = f"| what is true | setting | {' | '.join(columns)} | of, each |\n|---|---|{'---|' * len(columns)}---|\n"
    return "".join([head, *lines])


def _number(column: str) -> int:
    """The number in a column's name."""
    return int("".join(filter(str.isdigit, column)))


def _what(rate: Rate, several: bool) -> str:
    kind = _WHAT[Hypothesis(rate.hypothesis)]
    return f"`{rate.rule}`: {kind}" if several else kind


def _interval(rate: Rate) -> str:
    low, high = rate.interval
    return f"{_percent(low)} to {_percent(high)}"


def _of(*rates: Rate) -> str:
    counts = [f"{simulations:,}" for simulations in sorted({rate.simulations for rate in rates})]
    return f"{' to '.join(dict.fromkeys([counts[0], counts[-1]]))} {_plural(rates[0].per)}"


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def _percent(share: float) -> str:
    return f"{share:.1%}"
