import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from study_operator.metrics.exposition import ExpositionInvalid, parse_exposition
from study_trainer.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from study_trainer.exposition import render_exposition
from study_trainer.history import Exposition, Point

TEXT = "text/plain; version=0.0.4; charset=utf-8"
LONGEST = 2**20

histories = st.lists(
    st.builds(Point, st.integers(0, 4 * 10**12), st.integers(0, 2**53), st.floats()),
    unique_by=lambda point: point.time,
    min_size=1,
).map(sorted)


@given(histories)
def test_reads_the_sdks_history_to_the_last_digit_and_millisecond(history):
    body = render_exposition(Exposition({"error": tuple(history)}, history[-1].time))
    points = parse_exposition(body, OPENMETRICS, LONGEST)
    assert repr(points["error"]) == repr([(point.time, point.value) for point in history])
    assert points["study_step"] == [(point.time, float(point.step)) for point in history]


def test_reads_a_plain_gauge_of_a_trainer_without_the_sdk():
    registry = CollectorRegistry()
    Gauge("loss", "A loss.", registry=registry).set(0.1 + 0.2)
    Counter("batches", "Not a metric of the trial.", registry=registry).inc()
    Histogram("seconds", "Nor this.", registry=registry).observe(1.0)
    points = parse_exposition(generate_latest(registry), TEXT, LONGEST)
    assert points["loss"] == [(None, 0.1 + 0.2)]
    assert not {"batches_total", "seconds_count", "seconds_bucket"} & points.keys()


def test_reads_untyped_series_and_milliseconds_of_the_older_format():
    body = b"loss 0.5 1700000000029\nerror NaN\nbest -Inf\n"
    points = parse_exposition(body, TEXT, LONGEST)
    assert points["loss"] == [(1700000000029, 0.5)]
    assert math.isnan(points["error"][0][1]) and points["best"] == [(None, -math.inf)]


def test_a_name_with_several_sets_of_labels_is_left_out():
    body = b'error{split="a"} 0.5\nerror{split="b"} 0.7\nloss{run="x"} 1\n'
    assert parse_exposition(body, TEXT, LONGEST) == {"loss": [(None, 1.0)]}


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"<html>not found</html>\n", TEXT, "cannot be read"),
        (b"loss abc\n", TEXT, "cannot be read: \"could not convert string to float: 'abc'\""),
        (b"loss 1\n", OPENMETRICS, "cannot be read: 'Missing # EOF at end'"),
        (b"loss 1 1.5\nloss 2 1e3\n# EOF\n", OPENMETRICS, "cannot be read"),
        (b"loss 1 1e300\n", TEXT, "cannot be read: 'a timestamp of"),
        (b"loss 1 NaN\n", TEXT, "cannot be read"),
        (b"loss 1 -Inf\n", TEXT, "cannot be read"),
        (b"a" * (LONGEST + 1), TEXT, "answered with 1048577 bytes; at most 1048576 are read"),
        (b'a{b="' + b"x" * 10_000, TEXT, "a line of more than 8192 characters"),
    ],
)
def test_tells_what_is_wrong(body, content_type, message):
    with pytest.raises(ExpositionInvalid) as refusal:
        parse_exposition(body, content_type, LONGEST)
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 512


almost_expositions = st.text(st.sampled_from('a_b{}="\\, #1.5eE+-NaInf\n\t')).map(str.encode)


@given(st.binary() | almost_expositions, st.sampled_from([TEXT, OPENMETRICS]))
def test_raises_nothing_else_for_any_answer(body, content_type):
    try:
        points = parse_exposition(body, content_type, LONGEST)
    except ExpositionInvalid:
        return
    assert all(type(value) is float for series in points.values() for _, value in series)
