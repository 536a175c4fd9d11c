"""A report on the terminal: from the answer down to the trials that it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from study_operator.conclusions import Verdict
from study_operator.findings import RULES, Finding, Severity
from study_operator.report.report import Report, parameters_text, turned, untold_subject, value_text
from study_operator.results.sentences import clean

RANKED = 10
"""Trials of the ranking that are shown."""

_VERDICTS = {Verdict.ADOPT: "bold green", Verdict.INCONCLUSIVE: "bold yellow", Verdict.REJECT: "bold red"}
_SEVERITIES = {Severity.DENIAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_LONGEST = 4096


def terminal_view(report: Report) -> RenderableType:
    """The whole report."""
    return Group(*_parts(report))


def _parts(report: Report) -> Iterator[RenderableType]:
    yield from _headline(report)
    yield from _section("Conclusion", _conclusion(report))
    yield from _section("Arms", [_arms(report)])
    if report.confirmed:
        yield from _section("On fresh seeds", [_reruns(report)])
    yield from _section("Findings", list(_findings(report)) or [Text("None.")])
    if report.ranking:
        yield from _section("Ranking", [_ranking(report)])
    yield from _section("Next", _next(report))


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
    return [*lines, *(_bullet(caveat) for caveat in conclusion.caveats)]


def _arms(report: Report) -> Table:
    m = report.analysis.comparison.m
    table = _table("Arm", "Succeeded", "Infeasible", "Failed", "Best", "Trial", f"Best of {m}", "95% interval")
    direction = report.objective.direction
    for summary in report.arms:
        estimate, best = summary.estimate, summary.best
        interval = None if estimate is None or estimate.interval is None else turned(estimate.interval, direction)
        table.add_row(
            _text(summary.arm.label),
            f"{summary.succeeded}/{summary.trials}",
            str(summary.infeasible),
            str(summary.failed),
            "" if best is None else value_text(best.value),
            "" if best is None else report.by_index[best.index].spec.name,
            "" if estimate is None else value_text(direction.minimised(estimate.expected)),
            "" if interval is None else f"{value_text(interval.low)} to {value_text(interval.high)}",
        )
    return table


def _reruns(report: Report) -> Table:
    table = _table(
        "Configuration", "Arm", "Reruns", f"Mean {report.objective.metric}", "Standard deviation", "Unstable"
    )
    for reruns in report.confirmed:
        table.add_row(
            reruns.name,
            _text(report.space.arms[reruns.arm].label),
            str(len(reruns.values)),
            value_text(report.objective.direction.minimised(reruns.mean)) if reruns.values else "",
            value_text(reruns.variance**0.5) if reruns.comparable else "",
            str(reruns.unstable),
        )
    return table


def _findings(report: Report) -> Iterator[RenderableType]:
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(ratio=1)
    for finding in report.analysis.findings:
        grid.add_row(Text(finding.severity.value, _SEVERITIES[finding.severity]), _finding(finding))
    if report.analysis.findings:
        yield grid


def _finding(finding: Finding) -> Text:
    rule = RULES[finding.rule]
    text = _text(": ".join(filter(None, (untold_subject(finding), finding.message))))
    text.append(f" {clean(finding.advice, _LONGEST)}" if finding.advice else "")
    return text.append(f"  [{finding.rule}; rule {rule.number}]", "dim")


def _ranking(report: Report) -> Table:
    table = _table("Rank", "Trial", report.objective.metric, "Step", *map(clean, report.varied))
    for rank, ranked in enumerate(report.ranking[:RANKED], 1):
        trial = report.by_index[ranked.index]
        values = (clean(value_text(trial.spec.parameters.get(name))) for name in report.varied)
        step = "" if ranked.step is None else str(ranked.step)
        table.add_row(str(rank), trial.spec.name, value_text(ranked.value), step, *map(Text, values))
    return table


def _next(report: Report) -> list[RenderableType]:
    proposal = report.analysis.proposal
    if proposal is None:
        return [Text("It follows when all trials have ended.")]
    lines: list[RenderableType] = [_text(proposal.summary)]
    lines += [_bullet(f"{change.path}: {change.reason} [{change.rule}]") for change in proposal.changes]
    lines += [_bullet(note) for note in proposal.notes if note not in proposal.summary]
    if proposal.changes:
        lines.append(Text(f"`study next {report.name}` writes the manifest.", "dim"))
    return lines


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    return table


def _bullet(text: str) -> RenderableType:
    return _text(f"- {text}")


def _text(words: str, style: str = "") -> Text:
    """Words that may come from a manifest or a trainer: they steer no terminal, and are no markup."""
    return Text(clean(words, _LONGEST), style)
