"""What the operator needs goes away for a while, and nothing is lost."""

import time
from pathlib import Path

from tests.cluster.prometheus import PrometheusServer
from tests.cluster.waiting import eventually
from tests.end_to_end.conftest import OperatorStarter
from tests.end_to_end.place import Place
from tests.end_to_end.studies import (
    METRIC,
    RECORD,
    begun_trials,
    expected_ranking,
    expected_trials,
    once_each,
    ranking,
    sh,
    study,
    trainer,
)
from tests.end_to_end.trainer import curve

POINTS = 40


def test_an_outage_of_prometheus_loses_no_trial_and_no_point(
    place: Place, start_operator: OperatorStarter, prometheus: PrometheusServer, begun: Path
) -> None:
    """Half of the trainers have all their points scraped and end during the outage, the others report throughout."""
    start_operator()
    pace = {"name": "pace", "role": "Scientific", "choices": ["early", "late"]}
    manifest = study(
        "patient", trainer("paced", POINTS, 6), begun=begun, hyperparameters=[pace], trials=12, parallelism=4
    )
    place.apply(manifest)
    eventually(lambda: prometheus.query(f'count_over_time({METRIC}{{namespace="{place.namespace}"}}[1h])'), bool)
    eventually(lambda: scraped(prometheus, "patient-0"), lambda points: points == POINTS)
    prometheus.stop()
    try:
        place.becomes("patient", "MetricsAvailable", "False", "SourceUnavailable")
        awaiting = eventually(lambda: place.status("patient"), lambda status: status["trials"]["awaitingMetrics"])
        assert awaiting["trials"]["failed"] == 0
        time.sleep(10)
        assert place.condition("patient", "MetricsAvailable")["status"] == "False"
    finally:
        prometheus.start()
    status = place.finishes("patient")
    assert status["trials"]["succeeded"] == 12
    assert place.condition("patient", "MetricsAvailable")["status"] == "True"
    assert begun_trials(begun) == once_each("patient", 12)
    for index, (trial, expected) in enumerate(
        zip(place.trials("patient").values(), expected_trials(manifest), strict=True)
    ):
        told = trial["status"]
        values = curve(float(expected["parameters"]["learning_rate"]), expected["seed"], POINTS)
        assert (index, told["source"], told.get("incomplete")) == (index, "Prometheus", None)
        assert told["curves"][METRIC] == {"steps": list(range(1, POINTS + 1)), "values": values}
        assert told["objective"]["value"] == repr(min(values))


def test_crashes_of_the_api_server_lose_and_duplicate_nothing(
    place: Place, start_operator: OperatorStarter, begun: Path
) -> None:
    """A short one, and one that outlasts the lease, at which the operator ends and is started again."""
    trials = 15
    manifest = study("calm", sh(f"sleep 1; {RECORD}"), begun=begun, trials=trials, parallelism=3)
    operator = start_operator()
    place.apply(manifest)
    for outage, finished in ((2, 3), (12, 6)):
        eventually(lambda: len(begun_trials(begun)), lambda count, enough=finished: count >= enough)
        place.plane.stop_api_server()
        time.sleep(outage)
        place.plane.start_api_server()
        operator.revive()
    operator.wait_until(lambda: operator.stage == "acting")
    status = place.finishes("calm")
    assert begun_trials(begun) == once_each("calm", trials)
    assert status["trials"]["succeeded"] == trials
    assert ranking(status) == expected_ranking(manifest)


def scraped(prometheus: PrometheusServer, trial: str) -> int:
    series = prometheus.query(f'count_over_time({METRIC}{{pod=~"{trial}-.*"}}[1h])')
    return int(series[0]["value"][1]) if series else 0
