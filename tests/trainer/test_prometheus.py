"""The history as a real Prometheus keeps it."""

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


def test_prometheus_keeps_every_point_of_a_short_trial_to_the_last_bit(start_trainer, tmp_path):
    trainer = start_trainer(REPORTS_IN_BURSTS, STUDY_METRICS_LINGER="60")
    with PrometheusServer(tmp_path, [fixed_targets(f"127.0.0.1:{trainer.port}")]) as prometheus:
        assert trainer.wait() == 0
        series = {
            each["metric"]["__name__"]: each["values"]
            for each in prometheus.query('{__name__=~"study_step|validation_error|gradient_norm"}[5m]')
        }
    steps = {time: int(step) for time, step in series["study_step"]}
    assert list(steps.values()) == list(range(600))
    for metric in ("validation_error", "gradient_norm"):
        summary = Summary()
        for time, value in series[metric]:
            summary.add(steps[time], float(value))
        assert summary.sha256 == trainer.record["metrics"][metric]["sha256"]
