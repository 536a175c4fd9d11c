"""The trainer's termination record, read from what a trainer may have written.

The text is the trainer's own and is trusted in nothing: its size is bounded before it is parsed, and each field is
checked where it is read. What is merely left out is no error, because a record may be written by hand: a metric may be
a bare number, and all but `metrics` may be absent.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import NoReturn

from study_operator.metrics.join import LARGEST_STEP
from study_operator.results.sentences import clean
from study_operator.results.taxonomy import Record, RecordedMetric
from study_operator.results.trial import Checkpoint, MetricSummary, Sample, TrialState

SCHEMA = 1
LONGEST_TEXT = 16_384
"""Characters; the SDK writes at most 4096 bytes, and a pod's termination messages together have at most 12 kB."""
LONGEST_PATH = 1024

_METRIC_NAME = re.compile(r"(?!study_)[a-zA-Z_][a-zA-Z0-9_]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_FINAL_STATES = {state.value: state for state in TrialState if state.final}


class RecordInvalid(ValueError):
    """The text is not a record; the message is a sentence that says where and why."""


def parse_record(text: str) -> Record:
    """The record in a termination message. Raises RecordInvalid, and nothing else, whatever the text."""
    document = _object(_json(text), "the record")
    if (schema := _integer(document.get("schema", SCHEMA), "schema")) != SCHEMA:
        _refuse("schema", schema, f"{SCHEMA}, the version that this operator reads")
    return Record(
        state=_state(document.get("state")),
        reason=clean(_string(document.get("reason", ""), "reason"), longest=64),
        message=clean(_string(document.get("message", ""), "message")),
        step=None if document.get("step") is None else _step(document["step"], "step"),
        metrics={
            _metric_name(name): _metric(metric, f"metrics.{name}")
            for name, metric in _object(document.get("metrics", {}), "metrics").items()
        },
        checkpoints=_checkpoints(document.get("checkpoints", [])),
    )


def _json(text: str) -> object:
    if len(text) > LONGEST_TEXT:
        raise RecordInvalid(f"The termination record has {len(text)} characters; at most {LONGEST_TEXT} are read.")
    if not text.lstrip().startswith("{"):
        last_line = next((line for line in reversed(text.splitlines()) if line.strip()), "")
        raise RecordInvalid(f"The termination message is not a record but ends with {_shown(last_line)}.")
    try:
        document: object = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except RecordInvalid:
        raise
    except RecursionError:
        raise RecordInvalid("The termination record is nested too deeply.") from None
    except json.JSONDecodeError as error:
        cut_off = error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg
        cut = " It seems to have been cut off." if cut_off else ""
        raise RecordInvalid(
            f"The termination record is not JSON: {error.msg} at character {error.pos + 1} of {len(text)}.{cut}"
        ) from None
    except ValueError:  # Python's limit of 4300 digits
        raise RecordInvalid("The termination record has a number with too many digits.") from None
    return document


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise RecordInvalid(f"The termination record has {_shown(twice)} twice in one object.")
    return members


def _no_constant(word: str) -> NoReturn:
    raise RecordInvalid(f'The termination record has a bare {word}, which JSON lacks: write it as the string "{word}".')


def _state(value: object) -> TrialState | None:
    if value is None:
        return None
    state = _FINAL_STATES.get(_string(value, "state"))
    return state or _refuse("state", value, "Succeeded, Infeasible or Failed")


def _metric_name(name: str) -> str:
    if not _METRIC_NAME.fullmatch(name):
        expected = "metric names of up to 63 letters, digits and underscores, no digit first, not study_..."
        _refuse("metrics", name, expected)
    return name


def _metric(value: object, path: str) -> RecordedMetric:
    """A bare number is the final point of a curve of which nothing else is known."""
    if not isinstance(value, Mapping):
        return RecordedMetric(_known_points(1, [Sample(None, _number(value, path))]), final_only=True)
    if value.get("final") is None:
        raise RecordInvalid(f"The termination record's {path} has no `final`: give it as [step, value].")
    told = [name for name in ("final", "minimum", "maximum") if value.get(name) is not None]
    points = [_point(value[name], f"{path}.{name}") for name in told]
    sha256 = value.get("sha256")
    if sha256 is not None and not _SHA256.fullmatch(_string(sha256, f"{path}.sha256")):
        _refuse(f"{path}.sha256", sha256, "64 hexadecimal digits in lower case")
    count = _integer(value.get("count", 1), f"{path}.count")
    if not 1 <= count <= LARGEST_STEP:
        _refuse(f"{path}.count", count, "a number of points, from 1 on")
    return RecordedMetric(_known_points(count, points), sha256)


def _known_points(count: int, points: list[Sample]) -> MetricSummary:
    """The summary of a curve by the points that are told of it, the final one first.

    A record that had to be shortened lacks the extremes; then the best point known is the best of these.
    """
    finite = [point for point in points if math.isfinite(point.value)]
    # The final point is the latest, so an equal extreme reached it first.
    finite = finite[1:] + finite[:1] if finite and finite[0] is points[0] else finite
    return MetricSummary(
        count=count,
        final=points[0],
        minimum=min(finite, key=lambda point: point.value, default=None),
        maximum=max(finite, key=lambda point: point.value, default=None),
    )


def _point(value: object, path: str) -> Sample:
    if not isinstance(value, list):
        return Sample(None, _number(value, path))
    if len(value) != 2:
        _refuse(path, value, "[step, value]")
    step, number = value
    return Sample(None if step is None else _step(step, path), _number(number, path))


def _checkpoints(value: object) -> tuple[Checkpoint, ...]:
    """A checkpoint whose value is not finite is a candidate for nothing, and is left out."""
    if not isinstance(value, list):
        _refuse("checkpoints", value, "a list")
    checkpoints = []
    for position, entry in enumerate(value):
        path = f"checkpoints[{position}]"
        fields = _object(entry, path)
        checkpoint = Checkpoint(
            _step(fields.get("step"), f"{path}.step"),
            _number(fields.get("value"), f"{path}.value"),
            _string(fields.get("path"), f"{path}.path"),
        )
        if checkpoint.path != clean(checkpoint.path, LONGEST_PATH):
            _refuse(f"{path}.path", checkpoint.path, f"a path of at most {LONGEST_PATH} printable characters")
        if math.isfinite(checkpoint.value):
            checkpoints.append(checkpoint)
    return tuple(checkpoints)


def _object(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        _refuse(path, value, "an object")
    return value


def _string(value: object, path: str) -> str:
    if not isinstance(value, str):
        _refuse(path, value, "a string")
    return value


def _number(value: object, path: str) -> float:
    """A JSON number, or one of the three strings for what is not finite. A boolean is no number."""
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(path, value, 'a number, or one of the strings "NaN", "Infinity" and "-Infinity"')
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        _refuse(path, value, "a number that a 64-bit float holds")
    return number


def _integer(value: object, path: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(path, value, "an integer")
    return value


def _step(value: object, path: str) -> int:
    step = _integer(value, path)
    if abs(step) > LARGEST_STEP:
        _refuse(path, step, "a step of at most 2**53")
    return step


def _refuse(path: str, value: object, expected: str) -> NoReturn:
    where = "" if path == "the record" else f"'s {clean(path, 128)}"
    raise RecordInvalid(f"The termination record{where} is {_shown(value)}; expected {expected}.")


def _shown(value: object) -> str:
    try:
        return clean(json.dumps(value, ensure_ascii=False), longest=80)
    except (ValueError, RecursionError):
        return "a number with too many digits"
