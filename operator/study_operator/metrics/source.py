"""The port between the controller and what collected the trainers' metrics.

A source is asked once for a finished run, and again while points are missing. It never invents a point: what it returns
are the samples themselves, so that the trainer's fingerprint can prove them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from study_operator.results.curve import CurveAnswer
from study_operator.results.trial import Source

__all__ = ["CurveAnswer", "CurveRequest", "MetricsSource", "NoMetrics", "SourceUnavailable"]


@dataclass(frozen=True, slots=True)
class CurveRequest:
    """Which curves: those of ``metrics`` that ``run`` (a pod's name, or a local run's id) reported from ``started`` to
    ``finished``, unix seconds.
    """

    namespace: str
    run: str
    metrics: tuple[str, ...]
    started: float
    finished: float


class SourceUnavailable(Exception):
    """The source cannot be asked now; the same request may succeed after ``retry_after`` seconds (None: not told)."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MetricsSource(Protocol):
    """Where curves are read from."""

    @property
    def source(self) -> Source:
        """What a trial's status calls this source."""
        ...

    async def curves(self, request: CurveRequest) -> CurveAnswer:
        """The curves of a run; a metric without a point is left out. Raises SourceUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NoMetrics:
    """The source where no Prometheus is configured: trials have their termination records alone."""

    source = Source.TERMINATION_RECORD

    async def curves(self, request: CurveRequest) -> CurveAnswer:
        """No curve, and none will come."""
        return CurveAnswer({}, has_steps=False, final=True)

    async def close(self) -> None:
        """Nothing to let go."""
