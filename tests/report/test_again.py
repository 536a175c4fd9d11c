"""The best trial is had again: its checkpoint, and the command that computes it, on the terminal and on the page."""

import io
from dataclasses import replace

from rich.console import Console
from study_operator.report.page import page
from study_operator.report.report import Report
from study_operator.report.terminal import terminal_view
from study_operator.results.trial import Checkpoint

from tests.report.studies import wide_report


def shown(report: Report) -> str:
    output = io.StringIO()
    Console(file=output, width=120).print(terminal_view(report))
    return " ".join(output.getvalue().split())


def test_the_checkpoint_of_the_best_and_its_command_are_told() -> None:
    report = wide_report()
    assert report.best is not None
    kept = replace(report.best, status=replace(report.best.status, checkpoint=Checkpoint(420, 0.1, "best/420")))
    with_checkpoint = replace(report, trials=tuple(kept if each is report.best else each for each in report.trials))
    for text in (shown(with_checkpoint), page(with_checkpoint)):
        assert "The checkpoint of step 420: " in text and "best/420" in text
        assert f"env STUDY_TRIAL={kept.spec.name} python -m train" in text
    assert "The checkpoint" not in shown(report)
