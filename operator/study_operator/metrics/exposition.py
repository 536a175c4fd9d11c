"""A trainer's metrics endpoint, read without Prometheus.

What counts is what Prometheus would keep as the trial's metrics: gauges and untyped series without a label of their own
meaning, since a study selects a metric by its name alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import parser as text_format
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics_format
from prometheus_client.samples import Timestamp

from study_operator.results.sentences import clean

LONGEST_LINE = 8192
"""Characters; the parsers take time quadratic in a line's length."""

_KINDS = {"gauge", "unknown", "untyped"}

Points = dict[str, list[tuple[int | None, float]]]


class ExpositionInvalid(ValueError):
    """The answer is not an exposition of metrics; the message is a sentence that says why."""


def parse_exposition(body: bytes, content_type: str, longest: int) -> Points:
    """Each gauge's points in the order of the text: (unix milliseconds, or None where the trainer gave no time; value).

    ``content_type`` tells OpenMetrics from the older text format; ``longest`` bounds the body in bytes. A name with
    several sets of labels is left out: which of them a study means cannot be told. Raises ExpositionInvalid, and
    nothing else.
    """
    if len(body) > longest:
        raise ExpositionInvalid(f"The metrics endpoint answered with {len(body)} bytes; at most {longest} are read.")
    lines = body.decode("utf-8", errors="replace").splitlines(keepends=True)
    if any(len(line) > LONGEST_LINE for line in lines):
        raise ExpositionInvalid(f"The metrics endpoint answered with a line of more than {LONGEST_LINE} characters.")
    try:
        return _points(_families(lines, content_type))
    except Exception as error:  # the parsers raise whatever hostile input makes them stumble over
        raise ExpositionInvalid(f"The metrics endpoint's answer cannot be read: {clean(str(error), 200)!r}.") from error


def _families(lines: list[str], content_type: str) -> Iterable[Metric]:
    """The parsers iterate over the lines of a file, which a list does as well."""
    if content_type.startswith("application/openmetrics-text"):
        families: Iterable[Metric] = openmetrics_format.text_fd_to_metric_families(lines)  # type: ignore[no-untyped-call]
        return families
    return text_format.text_fd_to_metric_families(lines)  # type: ignore[arg-type]


def _points(families: Iterable[Metric]) -> Points:
    points: Points = {}
    labels: dict[str, dict[str, str]] = {}
    ambiguous: set[str] = set()
    for family in families:
        if family.type not in _KINDS:
            continue
        for sample in family.samples:
            if labels.setdefault(sample.name, sample.labels) != sample.labels:
                ambiguous.add(sample.name)
            points.setdefault(sample.name, []).append((_milliseconds(sample.timestamp), float(sample.value)))
    return {name: series for name, series in points.items() if name not in ambiguous}


def _milliseconds(timestamp: float | Timestamp | None) -> int | None:
    """Truncated as Prometheus does; a binary float that stands for whole milliseconds may lie just below them."""
    if timestamp is None:
        return None
    if isinstance(timestamp, Timestamp):
        milliseconds = timestamp.sec * 1000 + timestamp.nsec // 1_000_000
    else:
        milliseconds = int(timestamp * 1000 + 1e-3)
    if abs(milliseconds) >= 2**53:
        raise ValueError(f"a timestamp of {milliseconds} ms")
    return milliseconds
