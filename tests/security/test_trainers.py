"""A trainer that speaks for another one, on a real Prometheus that scrapes as the chart's PodMonitor does."""

from __future__ import annotations

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.prometheus import PrometheusServer
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import METRIC, study

SERVE = """
import os, sys, time
from prometheus_client import CollectorRegistry, Gauge, start_http_server
value, seconds, labels = float(sys.argv[1]), float(sys.argv[2]), dict(pair.split("=") for pair in sys.argv[3:])
registry = CollectorRegistry()
gauge = Gauge("validation_error", "", list(labels), registry=registry)
(gauge.labels(**labels) if labels else gauge).set(value)
start_http_server(int(os.environ["STUDY_METRICS_PORT"]), os.environ["STUDY_METRICS_ADDRESS"], registry)
time.sleep(seconds)
"""


def serve(value: float, seconds: float, **labels: str) -> list[str]:
    """A trainer that shows one value for some seconds, under labels of its choice."""
    return ["python", "-c", SERVE, str(value), str(seconds), *(f"{name}={text}" for name, text in labels.items())]


def test_a_series_with_the_labels_of_another_trials_pod_is_not_that_trials(
    place: Place, operator: OperatorProcess, prometheus: PrometheusServer
) -> None:
    place.apply(study("honest", serve(0.5, 15), trials=1))
    victim = place.running_pod("honest-0")
    place.apply(study("liar", serve(0.0, 8, namespace=place.namespace, pod=victim), trials=1))
    forged = f'{METRIC}{{exported_pod="{victim}"}}'
    eventually(lambda: prometheus.query(forged), bool)
    place.finishes("honest")
    status = place.trial_status("honest", 0)
    assert (status["source"], status["objective"]["value"]) == ("Prometheus", "0.5")
    place.finishes("liar")
