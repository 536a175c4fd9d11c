"""The operator's own metrics.

Series of a study end with the study, and no series is per trial: their number is bounded by the studies and states that
exist.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from study_operator.backends.port import StudyKey

STUCK_AFTER = 300.0
"""Seconds for which studies may wait while no pass is made, before the process counts as stuck."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SHOWN_CONDITIONS = ("Ready", "Stalled", "Suspended", "Finished", "MetricsAvailable")
_TRUTH = {"True": 1.0, "False": 0.0}


class OperatorTelemetry:
    """Implements :class:`study_operator.controller.telemetry.Telemetry`. ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._clock = clock
        self._depth = 0
        self._last_pass = clock()
        self._passes = Histogram(
            "study_operator_reconcile_seconds",
            "How long a pass over a study took.",
            ["outcome"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        for outcome in ("ok", "error"):  # a counter that begins with its first error shows no increase
            self._passes.labels(outcome)
        self._queue = Gauge("study_operator_queue_depth", "Studies that wait for a pass.", registry=self.registry)
        self._requests = Counter(
            "study_operator_api_requests", "Requests to the API server.", ["verb", "code"], registry=self.registry
        )
        self._failures = Counter(
            "study_operator_metrics_failures",
            "Times that the metrics source could not be asked.",
            registry=self.registry,
        )
        self._leading = Gauge(
            "study_operator_leading", "1 while this replica holds the lease and acts.", registry=self.registry
        )
        self._studies = Gauge("study_operator_studies", "Studies that are known.", registry=self.registry)
        self._trials = _Counts(
            "study_operator_study_trials",
            "Trials of a study's search by state, and as Planned all that its budget has.",
            self.registry,
        )
        self._reruns = _Counts(
            "study_operator_study_reruns",
            "Reruns of a study's confirmation by state, and as Planned all of them.",
            self.registry,
        )
        self._conditions = Gauge(
            "study_operator_study_condition",
            "1 where the study's condition is True, 0 where it is False; none where it is not known.",
            ["namespace", "study", "condition"],
            registry=self.registry,
        )
        self._best = Gauge(
            "study_operator_study_best_objective",
            "The objective of the study's best trial, in the metric's own unit.",
            ["namespace", "study"],
            registry=self.registry,
        )

    def reconciled(self, seconds: float, outcome: str) -> None:
        """One pass over a study took so long."""
        self._last_pass = self._clock()
        self._passes.labels(outcome).observe(seconds)

    def queue_depth(self, depth: int) -> None:
        """So many studies wait for their pass."""
        self._depth = depth
        self._queue.set(depth)

    def study_status(self, study: StudyKey, status: Mapping[str, Any]) -> None:
        """A study's status was written: its gauges follow."""
        counts: Mapping[str, Any] = status.get("trials") or {}
        trials = {state: count for state, count in counts.items() if state != "confirmation"}
        self._trials.show(study, trials)
        self._reruns.show(study, counts.get("confirmation") or {})
        self._studies.set(len(self._trials))
        self._show_conditions(study, status)
        best = _number((status.get("best") or {}).get("objective"))
        if best is None:
            self._forget_best(study)
        else:
            self._best.labels(study.namespace, study.name).set(best)

    def study_forgotten(self, study: StudyKey) -> None:
        """A study is gone: its series end."""
        self._trials.forget(study)
        self._reruns.forget(study)
        self._show_conditions(study, {})
        self._forget_best(study)
        self._studies.set(len(self._trials))

    def metrics_failed(self) -> None:
        """The metrics source could not be asked."""
        self._failures.inc()

    def requested(self, verb: str, code: str) -> None:
        """A request to the API server was answered with ``code``, or failed with ``error``."""
        self._requests.labels(verb, code).inc()

    def leading(self) -> None:
        """This replica acts from now on."""
        self._last_pass = self._clock()
        self._leading.set(1)

    def stuck(self) -> bool:
        """Whether studies have been waiting for a pass for too long."""
        return self._depth > 0 and self._clock() - self._last_pass > STUCK_AFTER

    def _show_conditions(self, study: StudyKey, status: Mapping[str, Any]) -> None:
        known = {condition["type"]: condition["status"] for condition in status.get("conditions") or ()}
        for name in SHOWN_CONDITIONS:
            if known.get(name) in _TRUTH:
                self._conditions.labels(study.namespace, study.name, name).set(_TRUTH[known[name]])
            else:
                self._conditions.remove(study.namespace, study.name, name)

    def _forget_best(self, study: StudyKey) -> None:
        self._best.remove(study.namespace, study.name)


class _Counts:
    """A gauge with one series a study and state; its length is the number of studies."""

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(name, text, ["namespace", "study", "state"], registry=registry)
        self._shown: dict[StudyKey, set[str]] = {}

    def __len__(self) -> int:
        return len(self._shown)

    def show(self, study: StudyKey, counts: Mapping[str, int]) -> None:
        for state in self._shown.get(study, set()) - set(counts):
            self._gauge.remove(study.namespace, study.name, _capitalized(state))
        for state, count in counts.items():
            self._gauge.labels(study.namespace, study.name, _capitalized(state)).set(count)
        self._shown[study] = set(counts)

    def forget(self, study: StudyKey) -> None:
        self.show(study, {})
        del self._shown[study]


def _capitalized(state: str) -> str:
    """``awaitingMetrics`` of a study's status as ``AwaitingMetrics``, the state's name."""
    return state[:1].upper() + state[1:]


def _number(text: object) -> float | None:
    try:
        number = float(str(text))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
