"""The record: what a trial found, as the few kilobytes that survive its container.

A container's termination message holds 4096 bytes, so each metric is a running summary whose size does not grow with
the number of points. The digest lets a reader who collected the curve elsewhere prove that it is the very curve that
was reported.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from study_trainer.checkpoints import Checkpoint
from study_trainer.endings import Ending

MAXIMUM_BYTES = 4096
"""What the kubelet keeps of a termination message."""


class Summary:
    """One metric's points, reduced as they come."""

    def __init__(self) -> None:
        self.count = 0
        self.final: tuple[int, float] | None = None
        self.minimum: tuple[int, float] | None = None
        self.maximum: tuple[int, float] | None = None
        self._digest = hashlib.sha256()

    def add(self, step: int, value: float) -> None:
        """The next point; of equal extremes the first counts."""
        self.count += 1
        self.final = (step, value)
        self._digest.update(f"{step} {value!r}\n".encode("ascii"))
        if math.isfinite(value):
            if self.minimum is None or value < self.minimum[1]:
                self.minimum = (step, value)
            if self.maximum is None or value > self.maximum[1]:
                self.maximum = (step, value)

    @property
    def sha256(self) -> str:
        """Hex digest over the points in report order, each as the line ``{step} {value!r}``."""
        return self._digest.hexdigest()


def render_record(
    ending: Ending, step: int | None, summaries: Mapping[str, Summary], checkpoints: Sequence[Checkpoint]
) -> bytes:
    """The record as JSON of at most 4096 bytes. ``checkpoints`` come best first.

    What does not fit is left out, the most dispensable first: checkpoints from the worst on, the message, the
    digests, the extremes.
    """
    for record in _ever_shorter(ending, step, summaries, checkpoints):
        text = json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii")
        if len(text) <= MAXIMUM_BYTES:
            return text
    raise AssertionError("sixteen metrics' final values fit")


def _ever_shorter(
    ending: Ending, step: int | None, summaries: Mapping[str, Summary], checkpoints: Sequence[Checkpoint]
) -> Iterator[dict[str, Any]]:
    record: dict[str, Any] = {
        "schema": 1,
        "state": ending.state,
        "reason": ending.reason,
        "message": ending.message,
        **({} if step is None else {"step": step}),
        "metrics": {metric: _metric(summary) for metric, summary in summaries.items()},
    }
    for kept in range(len(checkpoints), 0, -1):
        yield {**record, "checkpoints": [_checkpoint(checkpoint) for checkpoint in checkpoints[:kept]]}
    yield record
    del record["message"]
    yield record
    for detail in ("sha256", "maximum", "minimum"):
        for metric in record["metrics"].values():
            metric.pop(detail, None)
        yield record


def _metric(summary: Summary) -> dict[str, Any]:
    points = {"final": summary.final, "minimum": summary.minimum, "maximum": summary.maximum}
    return {
        "count": summary.count,
        **{name: [point[0], _number(point[1])] for name, point in points.items() if point is not None},
        "sha256": summary.sha256,
    }


def _checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"step": checkpoint.step, "value": checkpoint.value, "path": str(checkpoint.path)}


def _number(value: float) -> float | str:
    """JSON has no word for what is not finite."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
