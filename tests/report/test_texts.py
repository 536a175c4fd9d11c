"""The report as text: on a terminal, and as Markdown."""

import io
from dataclasses import replace

from rich.console import Console
from study_operator.api import parse_study
from study_operator.findings import Finding, Severity, Subject
from study_operator.report.markdown import markdown, prose
from study_operator.report.report import Report, value_text
from study_operator.report.terminal import terminal_view

from tests.report.studies import manifest, report, trials_of, wide_report

REPORT = wide_report()


def shown(report: Report, width: int = 120) -> str:
    output = io.StringIO()
    Console(file=output, width=width).print(terminal_view(report), highlight=False)
    return output.getvalue()


def test_it_tells_the_answer_and_all_that_it_rests_on() -> None:
    text = shown(REPORT)
    for title in ("Conclusion", "Arms", "On fresh seeds", "Findings", "Ranking", "Next"):
        assert f"\n{title}\n" in text
    assert REPORT.analysis.conclusion is not None
    assert REPORT.analysis.conclusion.verdict in text
    assert all(f"[{finding.rule}; rule" in " ".join(text.split()) for finding in REPORT.analysis.findings)


def test_a_terminal_of_80_columns_shows_every_number_whole() -> None:
    text = shown(REPORT, width=80)
    assert max(map(len, text.splitlines())) <= 80
    for ranked in REPORT.ranking[:3]:
        assert value_text(ranked.value) in text


def test_what_many_findings_of_a_rule_say_is_said_once() -> None:
    many = wide_report(500, schedules=3)
    text = shown(many)
    assert text.count("hardly matters") <= 3 and "The same of" in text
    assert text.count("\n") < 170


def test_it_is_plain_where_it_is_no_terminal() -> None:
    assert "\x1b" not in shown(REPORT)


def test_nothing_steers_the_terminal() -> None:
    written = manifest()
    written["spec"]["goal"] = "\x1b[2J\x9b31mIs it [red]better[/red]?\x07"
    study = parse_study(written)
    assert "\x1b" not in (text := shown(report(study, trials_of(study)))) and "\x07" not in text
    assert "Is it [red]better[/red]?" in text


def test_a_study_that_still_runs_has_no_conclusion() -> None:
    study = parse_study(manifest())
    text = shown(report(study, trials_of(study)[:10], complete=False))
    assert "10 of 32 trials ended" in text and "None yet" in text


def test_a_study_without_a_result_says_so() -> None:
    study = parse_study(manifest())
    text = shown(report(study, [], complete=False))
    assert "No trial has a result." in text


def test_markdown_has_the_tracking_row_and_the_answer() -> None:
    text = markdown(REPORT, {"study": "wide", "notes": "a | b\n# c", "trials": 32, "best": 0.12345678})
    assert "| study | notes | trials | best |" in text
    assert "| wide | a \\| b \\# c | 32 | 0.1235 |" in text
    assert REPORT.analysis.conclusion is not None
    assert f"**{REPORT.analysis.conclusion.verdict}.**" in text


def test_markdown_says_of_which_arm_a_finding_is() -> None:
    at_the_end = Finding(
        "search-space-boundary",
        Severity.WARNING,
        Subject(arm="optimizer=adam", hyperparameter="learning_rate"),
        "The best trial is at the upper end of learning_rate (0.01).",
        "Expand it.",
    )
    told = replace(REPORT, analysis=replace(REPORT.analysis, findings=(at_the_end,)))
    assert "\n- optimizer=adam: The best trial is at the upper end" in markdown(told, {"study": "wide"})


def test_markdown_of_hostile_text_has_no_markup() -> None:
    assert prose("<img src=x> [a](b) *c* `d` &lt;") == "\\<img src=x\\> \\[a\\](b) \\*c\\* \\`d\\` &amp;lt;"
    assert prose("learning_rate _x_") == "learning_rate \\_x\\_"


def test_a_command_cannot_end_its_block() -> None:
    provenance = replace(REPORT.provenance, command=lambda trial: "echo ```")
    assert "````sh\necho ```\n````" in markdown(replace(REPORT, provenance=provenance), {"study": "wide"})
