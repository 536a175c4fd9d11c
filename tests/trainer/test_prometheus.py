"""The history as a real Prometheus keeps it."""

import socket
import time

from study_trainer.record import Summary

from tests.cluster.prometheus import PrometheusServer, fixed_targets

REPORTS_IN_BURSTS = """
import random, time
from study_trainer import Trial
with Trial.from_environment() as trial:
    draw = random.Random(trial.seed)
    for step in range(600):
        trial.report(step, validation_error=draw.random(), gradient_norm=draw.expovariate(1e-9))
        if step % 200 == 150:
            time.sleep(1.5)
"""


REPORTS_UNTIL_STOPPED = """
import pathlib, random, time
from study_trainer import Trial
with Trial.from_environment() as trial:
    draw = random.Random(trial.seed)
    for step in range(1_000_000):
        trial.report(step, validation_error=draw.random(), gradient_norm=draw.expovariate(1e-9))
        time.sleep(0.02)
        if pathlib.Path("stop").exists():
            break
"""


def digests(prometheus):
    """What the record should say of each metric's points, from those that Prometheus has."""
    series = {
        each["metric"]["__name__"]: each["values"]
        for each in prometheus.query('{__name__=~"study_step|validation_error|gradient_norm"}[5m]')
    }
    steps = {timestamp: int(step) for timestamp, step in series.pop("study_step")}
    summaries = {metric: Summary() for metric in series}
    for metric, values in series.items():
        for timestamp, value in values:
            summaries[metric].add(steps[timestamp], float(value))
    return {metric: (summary.count, summary.sha256) for metric, summary in summaries.items()}


def recorded(trainer):
    return {metric: (summary["count"], summary["sha256"]) for metric, summary in trainer.record["metrics"].items()}


def test_prometheus_keeps_every_point_of_a_short_trial_to_the_last_bit(start_trainer, tmp_path):
    trainer = start_trainer(REPORTS_IN_BURSTS, STUDY_METRICS_LINGER="60")
    with PrometheusServer(tmp_path, [fixed_targets(f"127.0.0.1:{trainer.port}")]) as prometheus:
        assert trainer.wait() == 0
        assert digests(prometheus) == recorded(trainer)
    assert recorded(trainer)["validation_error"][0] == 600


def test_two_servers_with_intervals_of_their_own_each_keep_every_point(start_trainer, tmp_path):
    trainer = start_trainer(REPORTS_UNTIL_STOPPED, STUDY_METRICS_ADDRESS="", STUDY_METRICS_LINGER="60")
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    # The trainer tells them by the addresses that they come from.
    first = PrometheusServer(folders[0], [fixed_targets(f"127.0.0.1:{trainer.port}")])
    second = PrometheusServer(folders[1], [fixed_targets(f"{another_address()}:{trainer.port}")], scrape_interval="3s")
    with first:
        wait_for_scrapes(first, 4)
        with second:
            wait_for_scrapes(second, 2)
            (tmp_path / "stop").touch()
            assert trainer.wait() == 0
            assert digests(first) == digests(second) == recorded(trainer)


def another_address():
    """One of this machine's besides 127.0.0.1: a connection to it comes from it too."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return "[::1]"
    except OSError:  # a container without IPv6
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]


def wait_for_scrapes(prometheus, number):
    deadline = time.monotonic() + 60
    while not prometheus.query(f"sum_over_time(up[5m]) >= {number}"):
        assert time.monotonic() < deadline, f"not scraped {number} times"
        time.sleep(0.1)
