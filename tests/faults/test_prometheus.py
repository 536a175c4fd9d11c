"""A Prometheus that is somewhere else, or does not let the operator in: told, asked seldom, and all comes in once it
can be asked."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.prometheus import PASSWORD, USER, PrometheusServer, Web
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, sh, study, trainer
from tests.faults.conftest import Starter, assert_asks_less_than

BOUND = 200
"""Requests a minute that are no spin: the slowest of the operator's loops makes one every few seconds."""

POINTS = 30


def waits(place: Place, name: str, process: OperatorProcess, fault: str) -> str:
    """What the study's condition says while its trials wait for their curves, without a result or a failure."""
    told = place.becomes(name, "MetricsAvailable", "False", "SourceUnavailable")
    trials = eventually(lambda: place.status(name)["trials"], lambda trials: trials["awaitingMetrics"] == 4)
    assert trials.get("failed", 0) == 0 and place.condition(name, "Stalled")["status"] == "False"
    asked = sum(process.metrics("study_operator_metrics_failures_total").values())
    assert_asks_less_than(BOUND, place.plane, fault)
    asked = (sum(process.metrics("study_operator_metrics_failures_total").values()) - asked) * 6
    print(f"{fault}: {asked:.0f} queries of Prometheus a minute")
    assert asked < BOUND
    message: str = told["message"]
    return message


def has_its_curves(place: Place, name: str) -> None:
    assert place.finishes(name)["trials"]["succeeded"] == 4
    assert place.condition(name, "MetricsAvailable")["status"] == "True"
    for trial in place.trials(name).values():
        told = trial["status"]
        assert (told["source"], told.get("incomplete"), told["attempts"]) == ("Prometheus", None, 1)
        assert len(told["curves"]["validation_error"]["steps"]) == POINTS


def test_a_prometheus_that_comes_late_to_its_address_is_waited_for(
    place: Place, start: Starter, tmp_path: Path
) -> None:
    late = PrometheusServer(tmp_path, [])
    process = start(f"--prometheus-url={late.url}")
    place.apply(study("blind", sh(RECORD)))
    assert late.url in waits(place, "blind", process, "no Prometheus at its address")
    with late:
        assert place.finishes("blind")["trials"]["succeeded"] == 4
    assert place.condition("blind", "MetricsAvailable")["status"] == "True"


def test_an_address_of_something_else_is_told_and_the_right_one_brings_all_curves(
    place: Place, start: Starter, prometheus: PrometheusServer
) -> None:
    """The right one comes with a new process, as by helm upgrade."""
    wrong = start(f"--prometheus-url={place.plane.access.url}")
    place.apply(study("astray", trainer("sdk", POINTS, 0.1)))
    assert place.plane.access.url in waits(place, "astray", wrong, "something else at Prometheus' address")
    wrong.stop()
    start(f"--prometheus-url={prometheus.url}")
    has_its_curves(place, "astray")


def test_a_password_that_has_expired_is_told_and_a_new_one_in_its_file_is_enough(
    place: Place, start: Starter, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("of last month")
    with PrometheusServer(tmp_path, [], web=Web(password=True)) as guarded:
        process = start(
            f"--prometheus-url={guarded.url}", f"--prometheus-username={USER}", f"--prometheus-password-file={secret}"
        )
        place.apply(study("locked", sh(RECORD)))
        told = waits(place, "locked", process, "a password of Prometheus that has expired")
        assert "401" in told and str(secret) in told and "of last month" not in told
        secret.write_text(PASSWORD)
        assert place.finishes("locked")["trials"]["succeeded"] == 4
        assert place.condition("locked", "MetricsAvailable")["status"] == "True"


def test_a_wrong_path_says_that_it_is_the_path(place: Place, start: Starter, prometheus: PrometheusServer) -> None:
    start(f"--prometheus-url={prometheus.url}/elsewhere")
    place.apply(study("pathless", sh(RECORD)))
    told = place.becomes("pathless", "MetricsAvailable", "False", "SourceUnavailable")
    assert "404" in told["message"] and "path prefix" in told["message"]
