"""A report on the terminal: from the answer down to the trials that it rests on.

What it looks like depends on how wide the terminal is, since a number that is broken over two lines is misread: where
there is little room, trials go by their numbers, and hyperparameters share a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from study_operator.conclusions import Verdict
from study_operator.findings import Severity
from study_operator.report.by_rule import SHOWN, RuleFindings, by_rule, limits
from study_operator.report.report import (
    ArmSummary,
    Report,
    notes,
    parameters_text,
    value_text,
)
from study_operator.results.sentences import clean
from study_operator.results.trial import Trial
from study_operator.rounds import change_text

RANKED = 10
"""Trials of the ranking that are shown."""

_VERDICTS = {Verdict.ADOPT: "bold green", Verdict.INCONCLUSIVE: "bold yellow", Verdict.REJECT: "bold red"}
_SEVERITIES = {Severity.DENIAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_LONGEST = 4096


WIDE = 100
"""Columns of a terminal that has room for the names of trials in every row."""
LONGEST_WORD = 16
"""Characters of a word that a table breaks only where it has no other choice."""


def terminal_view(report: Report) -> RenderableType:
    """The whole report."""
    return _View(report)


@dataclass(frozen=True, slots=True)
class _View:
    """A report on a terminal of some width."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        report, width = self.report, options.max_width
        yield from _headline(report)
        yield from _section("Conclusion", _conclusion(report))
        yield from _section("Arms", [_arms(report, width)])
        if report.confirmed:
            yield from _section("On fresh seeds", [_reruns(report, width)])
        yield from _section("Findings", list(_findings(report)) or [Text("None.")])
        if report.ranking:
            yield from _section("Ranking", [_ranking(report, width)])
        yield from _section("Next", _next(report))
        if report.best is not None:
            yield from _section("Again", list(_again(report, report.best)))


def _section(title: str, parts: list[RenderableType]) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    yield from (Padding(part, (0, 0, 0, 2)) for part in parts)


def _headline(report: Report) -> Iterator[RenderableType]:
    heading = Text.assemble((report.name, "bold"), f"  {report.provenance.state}  ")
    yield heading.append(f"{report.ended} of {report.study.spec.budget.trials} trials ended")
    yield _text(report.study.spec.goal, "italic")
    if report.provenance.asked:
        yield _text(f"Here it is {report.provenance.asked}", "yellow")
    best = report.best
    if best is None or best.status.objective is None:
        yield Text("No trial has a result.")
        return
    reached = best.status.objective
    at = "" if reached.step is None else f" at step {reached.step}"
    line = Text(f"Best {report.objective.metric} ").append(value_text(reached.value), "bold green")
    told = clean(f"by {best.spec.name}: {parameters_text(best.spec.parameters)}", _LONGEST)
    yield line.append(f"{at} {told}")


def _conclusion(report: Report) -> list[RenderableType]:
    conclusion = report.analysis.conclusion
    if conclusion is None:
        return [Text("None yet: it is drawn when all trials have ended, those on fresh seeds included.")]
    lines: list[RenderableType] = [
        Text(conclusion.verdict.value, _VERDICTS[conclusion.verdict]),
        _text(conclusion.statement),
    ]
    if conclusion.caveats:
        lines.append(Text("It holds within these limits:", "dim"))
    for limit in limits(conclusion.caveats, report.analysis.findings):
        first, *alike = [f"F{number}" for number in limit.numbers] or [""]
        where = f"{first}; the like in {', '.join(alike)}" if alike else first
        lines.append(_bullet(f"{limit.text} ({where})" if where else limit.text))
    return lines


def _arms(report: Report, width: int) -> Table:
    m = report.analysis.comparison.m
    headings = ("Arm", "Succeeded", "Infeasible", "Failed", "Best", "Trial", f"Best of {m}", "95% interval")
    return _table(headings, [_arm_cells(report, summary, width) for summary in report.arms])


def _arm_cells(report: Report, summary: ArmSummary, width: int) -> list[str]:
    direction, estimate, best = report.objective.direction, summary.estimate, summary.best
    interval = None if estimate is None or estimate.interval is None else estimate.interval.turned(direction)
    return [
        summary.arm.label,
        f"{summary.succeeded}/{summary.trials}",
        str(summary.infeasible),
        str(summary.failed),
        "" if best is None else value_text(best.value),
        "" if best is None else _trial(report, best.index, width),
        "" if estimate is None else value_text(direction.minimised(estimate.expected)),
        "" if interval is None else f"{value_text(interval.low)} to {value_text(interval.high)}",
    ]


def _trial(report: Report, index: int, width: int) -> str:
    """A trial's name, or what it has beside the study's where there is little room."""
    return report.by_index[index].spec.name if width >= WIDE else str(index)


def _reruns(report: Report, width: int) -> Table:
    shown = [
        (
            reruns.name if width >= WIDE else reruns.name.removeprefix(f"{report.name}-"),
            report.space.arms[reruns.arm].label,
            str(len(reruns.values)),
            value_text(report.objective.direction.minimised(reruns.mean)) if reruns.values else "",
            value_text(reruns.variance**0.5) if reruns.comparable else "",
            str(reruns.unstable),
        )
        for reruns in report.confirmed
    ]
    headings = ("Configuration", "Arm", "Reruns", f"Mean {report.objective.metric}", "SD", "Unstable")
    return _table(headings, shown)


def _findings(report: Report) -> Iterator[RenderableType]:
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(ratio=1)
    for found in by_rule(report.analysis.findings):
        grid.add_row(Text(found.severity.value, _SEVERITIES[found.severity]), _of_a_rule(found))
    if report.analysis.findings:
        yield grid


def _of_a_rule(found: RuleFindings) -> Text:
    text = Text()
    for number, finding in found.shown:
        told = finding.sentence
        advice = "" if found.advice else finding.advice
        text.append(f"F{number} ", "dim").append(clean(f"{told} {advice}".strip(), _LONGEST)).append("\n")
    if found.more:
        subjects = "; ".join(str(finding.subject) for _, finding in found.more)
        where = subjects if len(found.more) <= SHOWN else "the page that --html writes has them"
        text.append(clean(f"The same of {len(found.more)} more: {where}.", _LONGEST)).append("\n")
    text.append(clean(found.advice, _LONGEST)).append(" " if found.advice else "")
    return text.append(f"[{found.rule.id}; rule {found.rule.number}]", "dim")


def _ranking(report: Report, width: int) -> Table:
    apart = width >= WIDE and sum(len(name) + 2 for name in report.varied) <= width - WIDE // 2
    shown = []
    for rank, ranked in enumerate(report.ranking[:RANKED], 1):
        parameters = report.by_index[ranked.index].spec.parameters
        varied = {name: parameters[name] for name in report.varied if name in parameters}
        values = [value_text(varied.get(name)) for name in report.varied] if apart else [parameters_text(varied)]
        step = "" if ranked.step is None else str(ranked.step)
        shown.append([str(rank), _trial(report, ranked.index, width), value_text(ranked.value), step, *values])
    names = report.varied if apart else ("Hyperparameters",)
    return _table(("Rank", "Trial", report.objective.metric, "Step", *names), shown)


def _again(report: Report, best: Trial) -> Iterator[RenderableType]:
    """Where the study is written down, and how its best is had again."""
    yield _text(f"The manifest: {report.provenance.config}")
    if (checkpoint := best.status.checkpoint) is not None:
        yield _text(f"The checkpoint of step {checkpoint.step}: {checkpoint.path}")
    if command := report.provenance.command(best.spec):
        yield _text(f"{best.spec.name} is computed again by: {command}")


def _next(report: Report) -> list[RenderableType]:
    """What follows; a reason that a finding has given already is not given again."""
    proposal = report.analysis.proposal
    if proposal is None:
        return [Text("It follows when all trials have ended.")]
    told = [finding.message for finding in report.analysis.findings]
    still_open, others = notes(report)
    lines: list[RenderableType] = [_text(proposal.summary)]
    for change in proposal.changes:
        reason = "" if change.reason in told else f": {change.reason}"
        lines.append(_bullet(f"{change_text(change, report.space)}{reason} [{change.rule}]"))
    lines += [_bullet(note) for note in others]
    if still_open:
        lines.append(_bullet(f"No change mends {', '.join(f'F{number}' for number in still_open)}: see there."))
    if proposal.changes and report.provenance.asked:
        lines.append(Text("This is for the question asked here; `study next` follows the study's own.", "dim"))
    elif proposal.changes:
        lines.append(Text(f"`study next {report.name}` writes the manifest.", "dim"))
    return lines


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Rows of words that may be anybody's. The first column gives way where there is little room; the others are wide
    enough for their longest words, within reason.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, heading in enumerate(headings):
        words = " ".join([heading, *(row[place] for row in rows)]).split()
        table.add_column(
            _text(heading), overflow="fold", min_width=min(max(map(len, words)), LONGEST_WORD if place else 1)
        )
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def _bullet(text: str) -> RenderableType:
    return _text(f"- {text}")


def _text(words: str, style: str = "") -> Text:
    """Words that may come from a manifest or a trainer: they steer no terminal, and are no markup."""
    return Text(clean(words, _LONGEST), style)
