"""Clocks that differ by minutes and more, the operator's and the trainers': no result depends on them.

A lease whose holder's clock was off is in test_clusters.py.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cluster.operator_process import PROGRAM
from tests.cluster.prometheus import PrometheusServer
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import (
    RECORD,
    TRAINER,
    begun_trials,
    expected_ranking,
    once_each,
    ranking,
    sh,
    study,
)
from tests.faults.conftest import Starter, assert_asks_less_than, elsewhere

BOUND = 200
"""Requests a minute that are no spin: the slowest of the operator's loops makes one every few seconds."""

POINTS = 20


def by_another_clock(seconds: int) -> list[str]:
    """The trainer that reports POINTS, on a machine whose clock is so much ahead."""
    arguments = [TRAINER, "sdk", str(POINTS), "0.1"]
    move = f"true_time = time.time_ns; time.time_ns = lambda: true_time() + {seconds} * 10**9"
    run = f"sys.argv = {arguments}; runpy.run_path({TRAINER!r}, run_name='__main__')"
    return ["python", "-c", f"import runpy, sys, time; {move}; {run}"]


def assert_whole(place: Place, name: str, trials: int) -> None:
    """Every trial ran once, took its own seconds, and has every point of its curve."""
    status = place.finishes(name)
    assert status["trials"]["succeeded"] == trials
    assert place.condition(name, "Finished")["reason"] == "Completed"
    for trial in place.trials(name).values():
        told = trial["status"]
        assert (told["source"], told.get("incomplete"), told["attempts"]) == ("Prometheus", None, 1)
        assert len(told["curves"]["validation_error"]["steps"]) == POINTS
        took = datetime.fromisoformat(told["completionTime"]) - datetime.fromisoformat(told["startTime"])
        assert timedelta(seconds=1) <= took < timedelta(minutes=1)


@pytest.mark.parametrize("ahead", [-1800, 7200], ids=["half an hour behind", "two hours ahead"])
def test_an_operator_whose_clock_is_off_waits_as_long_and_finds_the_same(
    place: Place, start: Starter, tmp_path: Path, ahead: int
) -> None:
    """By the time on its nodes, all that it waits for would be over long ago, or begin later. Then it is replaced by a
    process whose clock is right.
    """
    begun = tmp_path / "begun.txt"
    with PrometheusServer(tmp_path, []) as prometheus:
        process = start(f"--prometheus-url={prometheus.url}", program=elsewhere(f"--ahead={ahead}"))
        manifest = study("skewed", sh(f"sleep 1; {RECORD}"), begun=begun, trials=8, budget={"maxDuration": "1h"})
        place.apply(manifest)
        eventually(lambda: place.status("skewed").get("trials", {}).get("succeeded"), bool)
        told = datetime.fromisoformat(place.status("skewed")["startTime"]).timestamp() - time.time()
        assert abs(told - ahead) < 120, "its clock is off indeed"
        prometheus.stop()
        place.becomes("skewed", "MetricsAvailable", "False", "SourceUnavailable")
        assert_asks_less_than(BOUND, place.plane, f"a clock {ahead:+} s off, and no Prometheus")
        waiting = place.status("skewed")["trials"]
        assert waiting["awaitingMetrics"] == 8 - waiting["succeeded"], "it is patient by its own clock"
        process.stop()
        prometheus.start()
        start(f"--prometheus-url={prometheus.url}", program=(PROGRAM,))
        status = place.finishes("skewed")
    assert place.condition("skewed", "Finished")["reason"] == "Completed"
    assert (status["trials"]["succeeded"], ranking(status)) == (8, expected_ranking(manifest))
    assert begun_trials(begun) == once_each("skewed", 8)


@pytest.mark.parametrize("ahead", [-300, 300], ids=["five minutes behind", "five minutes ahead"])
def test_trainers_whose_clock_is_off_keep_all_their_points(
    place: Place, start: Starter, prometheus: PrometheusServer, ahead: int
) -> None:
    """Prometheus takes samples of up to ten minutes ahead and an hour behind."""
    start(f"--prometheus-url={prometheus.url}")
    place.apply(study("early", by_another_clock(ahead), trials=2))
    assert_whole(place, "early", 2)
