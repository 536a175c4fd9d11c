"""The command ``study report``."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from study_operator.api import parse_study
from study_operator.backends.local import Identity, StudyFolder
from study_operator.backends.port import StudyKey, StudyRef
from study_operator.cli.main import main

from tests.report.studies import MANIFEST, manifest, trials_of

UID = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("studies") / "wide"
    study = StudyFolder(path)
    lock = study.lock()
    study.write_study(MANIFEST, Identity.first(UID, datetime(2026, 1, 1, tzinfo=UTC)))
    for trial in trials_of(parse_study(manifest())):
        study.write_trial(StudyRef(StudyKey("default", "wide"), UID), trial)
    study.write_status({"state": "Finished", "observedGeneration": 1})
    lock.release()
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_tells_and_writes_what_was_asked_for(folder: Path, tmp_path: Path) -> None:
    html, text, table = (tmp_path / name for name in ("r.html", "RESULTS.md", "trials.csv"))
    result = run(folder, "--html", html, "--markdown", text, "--csv", table)
    assert result.exit_code == 0 and "Conclusion" in result.stdout
    assert html.read_text().startswith("<!doctype html>")
    assert "| Study | Configuration | Notes | Trials | Best validation_error | Reproduction |" in text.read_text()
    assert len(list(csv.DictReader(io.StringIO(table.read_text())))) == 38


def test_a_dash_is_the_standard_output_alone(folder: Path) -> None:
    assert run(folder, "--markdown", "-").stdout.startswith("## wide\n")


def test_a_question_asked_afterwards_leaves_the_study_as_it_is(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    result = run(folder, "--objective", "train_error", "--selection", "Final", "--csv", tmp_path / "t.csv")
    assert "Best train_error" in result.stdout
    assert contents(folder) == before
    first = next(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert first["objective"] == first["train_error.final"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["--objective", "test_error"], 1, "those that were kept"),
        (["--objective", "gradient_norm"], 1, "give --direction"),
        (["--html", "no/such/folder/r.html"], 1, "cannot be written"),
        (["--direction", "Sideways"], 2, "Maximize"),
    ],
)
def test_what_cannot_be_answered_is_said(folder: Path, arguments: list[str], exit_code: int, said: str) -> None:
    result = run(folder, *arguments)
    assert result.exit_code == exit_code and said in result.stderr


def test_a_study_that_is_not_there_is_said() -> None:
    assert run("no-such-study").exit_code == 1
