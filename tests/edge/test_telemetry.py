"""The operator's metrics, logs and settings."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import generate_latest
from study_operator.backends.port import StudyKey
from study_operator.edge.logs import LogFormat, formatter
from study_operator.edge.settings import header
from study_operator.edge.telemetry import STUCK_AFTER, OperatorTelemetry
from study_operator.operator import main

STUDY = StudyKey("team", "bert")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(telemetry: OperatorTelemetry) -> str:
    return generate_latest(telemetry.registry).decode()


def test_a_studys_series_end_with_it() -> None:
    telemetry = OperatorTelemetry(Clock())
    telemetry.study_status(STUDY, {"trials": {"succeeded": 3}, "best": {"objective": "0.25"}})
    assert 'study_operator_study_trials{namespace="team",state="Succeeded",study="bert"} 3.0' in shown(telemetry)
    assert 'study_operator_study_best_objective{namespace="team",study="bert"} 0.25' in shown(telemetry)
    telemetry.study_forgotten(STUDY)
    assert "bert" not in shown(telemetry)


def test_the_reruns_of_a_confirmation_are_shown_beside_the_trials_of_the_search() -> None:
    telemetry = OperatorTelemetry(Clock())
    telemetry.study_status(STUDY, {"trials": {"running": 0, "confirmation": {"planned": 5, "running": 2}}})
    assert 'study_operator_study_reruns{namespace="team",state="Running",study="bert"} 2.0' in shown(telemetry)
    assert 'study_operator_study_trials{namespace="team",state="Running",study="bert"} 0.0' in shown(telemetry)
    telemetry.study_forgotten(STUDY)
    assert "bert" not in shown(telemetry)


def test_a_best_that_is_no_more_is_not_shown() -> None:
    telemetry = OperatorTelemetry(Clock())
    telemetry.study_status(STUDY, {"best": {"objective": "0.25"}})
    telemetry.study_status(STUDY, {})
    assert 'best_objective{namespace="team"' not in shown(telemetry)


def test_a_condition_is_shown_where_it_is_known() -> None:
    telemetry = OperatorTelemetry(Clock())
    conditions = [{"type": "Stalled", "status": "True"}, {"type": "MetricsAvailable", "status": "Unknown"}]
    telemetry.study_status(STUDY, {"conditions": conditions})
    assert 'study_condition{condition="Stalled",namespace="team",study="bert"} 1.0' in shown(telemetry)
    assert 'condition="MetricsAvailable"' not in shown(telemetry)
    telemetry.study_forgotten(STUDY)
    assert "bert" not in shown(telemetry)


def test_failures_of_the_metrics_source_are_counted_from_naught() -> None:
    telemetry = OperatorTelemetry(Clock())
    assert "study_operator_metrics_failures_total 0.0" in shown(telemetry)
    telemetry.metrics_failed()
    assert "study_operator_metrics_failures_total 1.0" in shown(telemetry)


def test_passes_that_do_not_progress_are_stuck() -> None:
    clock = Clock()
    telemetry = OperatorTelemetry(clock)
    telemetry.queue_depth(1)
    clock.now = STUCK_AFTER + 1
    assert telemetry.stuck()
    telemetry.reconciled(0.01, "ok")
    assert not telemetry.stuck()
    telemetry.queue_depth(0)
    clock.now *= 3
    assert not telemetry.stuck()


def test_a_line_of_the_log_is_an_object() -> None:
    record = logging.LogRecord("a.b", logging.INFO, __file__, 1, "trial %d", (3,), None)
    record.study = "team/bert"
    line = json.loads(formatter(LogFormat.JSON).format(record))
    assert {"level": "INFO", "logger": "a.b", "message": "trial 3", "study": "team/bert"}.items() <= line.items()


def test_a_header_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("token\n")
    assert header("X-Scope-OrgID=team=1") == ("X-Scope-OrgID", "team=1")
    assert header(f"Authorization=@{tmp_path}/secret") == ("Authorization", "token")
    with pytest.raises(ValueError, match=r"cannot be read from .*none: No such file"):
        header(f"Authorization=@{tmp_path}/none")


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """The command line sets up the process's logging, and here that is pytest's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prometheus-url=ftp://x"], "the URL of Prometheus must be http"),
        (["--prometheus-header=nonsense"], "a header is NAME=VALUE"),
        (["--kubeconfig=/no/such/file"], "does not exist"),
    ],
)
def test_wrong_options_are_told(options: list[str], said: str) -> None:
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 2 and said in done.output


@pytest.mark.usefixtures("logging_as_before")
def test_a_kubeconfig_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{}")
    done = CliRunner().invoke(main, [f"--kubeconfig={tmp_path}/config", "--http-port=0", "--http-address=127.0.0.1"])
    assert done.exit_code == 1
