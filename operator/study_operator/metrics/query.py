"""The one query a trial takes, and the reading of its result.

A range vector in an instant query returns the raw samples; a range query would interpolate them, and stops at 11,000
points. All metrics of a trial and its steps come in one answer, so that they are of one moment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from study_operator.metrics.join import Samples, join
from study_operator.results.curve import CurveAnswer

STEP_METRIC = "study_step"
"""The gauge with the step of each report."""

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")

Labels = frozenset[tuple[str, str]]
Series = Mapping[tuple[str, Labels], Samples]
"""Samples by metric name and the other labels."""


class ResultInvalid(ValueError):
    """The answer is not the result of a range vector query."""


def range_query(namespace: str, run: str, metrics: Iterable[str], milliseconds: int) -> str:
    """PromQL for the raw samples of a run's metrics and steps during the last ``milliseconds``.

    A name that cannot be a metric's is left out, as no series can have it.
    """
    names = [name for name in dict.fromkeys((*metrics, STEP_METRIC)) if _METRIC_NAME.fullmatch(name)]
    selectors = f'__name__=~"{"|".join(names)}",namespace={_quoted(namespace)},pod={_quoted(run)}'
    return f"{{{selectors}}}[{milliseconds}ms]"


def read_result(body: bytes) -> Series:
    """The series in an answer of Prometheus' query API. Raises ResultInvalid."""
    try:
        document = json.loads(body)
        if document["status"] != "success" or document["data"]["resultType"] != "matrix":
            raise ResultInvalid("it is not a successful range vector")
        return dict(_series(entry) for entry in document["data"]["result"] if "values" in entry)
    except ResultInvalid:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ResultInvalid(f"it cannot be read ({type(error).__name__})") from error


def curves_of(parts: Sequence[Series], metrics: Iterable[str]) -> CurveAnswer:
    """The metrics' curves from the series of adjoining time windows.

    Several series of one name are one, seen through several scrape jobs, unless they disagree at some time: then the
    trainer gives the name labels of its own, and which of them is meant cannot be told.
    """
    by_name: dict[str, dict[Labels, list[Samples]]] = {}
    for part in parts:
        for (name, labels), samples in part.items():
            by_name.setdefault(name, {}).setdefault(labels, []).append(samples)
    steps = _concatenated(by_name.pop(STEP_METRIC, {}))
    curves = {}
    ambiguous = []
    for name in dict.fromkeys(metrics):
        samples = _concatenated(by_name.get(name, {}))
        if _disagree(samples):
            ambiguous.append(name)
        elif len(samples):
            curves[name] = join(steps, samples)
    problem = (
        f"Prometheus has several series of {' and '.join(ambiguous)}, told apart by labels that the trainer attached: "
        "report one series a metric"
    )
    return CurveAnswer(curves, has_steps=len(steps) > 0, problem=problem if ambiguous else "")


def _series(entry: Mapping[str, object]) -> tuple[tuple[str, Labels], Samples]:
    labels = dict(_mapping(entry["metric"]))
    values = entry["values"]
    if not isinstance(values, list):
        raise ResultInvalid("a series has no list of values")
    # Times are seconds with three decimals, which the nearest float times 1000 rounds back to exactly.
    times = np.rint(np.array([time for time, _ in values], dtype=np.float64) * 1000.0)
    numbers = np.array([float(value) for _, value in values], dtype=np.float64)
    if len(times) and not (np.abs(times) < 2**53).all():
        raise ResultInvalid("a series has a time that is no time")
    name = labels.pop("__name__")
    return (name, frozenset(labels.items())), Samples(times.astype(np.int64), numbers)


def _mapping(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ResultInvalid("a series has no labels")
    return value


def _concatenated(series: Mapping[Labels, list[Samples]]) -> Samples:
    """In an order that does not depend on that of the answer."""
    ordered = [samples for labels in sorted(series, key=sorted) for samples in series[labels]]
    if not ordered:
        return Samples.of(())
    return Samples(
        np.concatenate([samples.times for samples in ordered]), np.concatenate([samples.values for samples in ordered])
    )


def _disagree(samples: Samples) -> bool:
    order = np.argsort(samples.times, kind="stable")
    times, values = samples.times[order], samples.values[order]
    differ = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return bool(((times[1:] == times[:-1]) & differ).any())


def _quoted(value: str) -> str:
    """A PromQL string; JSON's escapes are a part of PromQL's, as long as it does not write surrogate pairs."""
    return json.dumps(value, ensure_ascii=False)
