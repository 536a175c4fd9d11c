import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.metrics.query import ResultInvalid, curves_of, range_query, read_result
from study_operator.results.trial import Curve


def series(name, values, **labels):
    return {"metric": {"__name__": name, "namespace": "lab", "pod": "s-0", **labels}, "values": values}


def result(*entries):
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": list(entries)}}).encode()


def curves(*entries, metrics=("error",)):
    return curves_of([read_result(result(*entries))], metrics)


def test_asks_for_the_raw_samples_of_the_metrics_and_the_steps():
    assert range_query("lab", "s-0-x", ("error", "loss"), 5000) == (
        '{__name__=~"error|loss|study_step",namespace="lab",pod="s-0-x"}[5000ms]'
    )


def test_a_name_that_cannot_be_a_metrics_is_not_asked_for():
    assert range_query("lab", "s-0", ('a"} or up{x="', ".*"), 1).startswith('{__name__=~"study_step",')


def test_quotes_what_it_selects_by():
    assert 'pod="a\\"b\\\\c\\n"' in range_query("lab", 'a"b\\c\n', (), 1)


def test_reads_every_digit_and_millisecond():
    values = [[1700000000.029, "0.30000000000000004"], [1700000000.03, "5e-324"], [1700000001, "NaN"]]
    values += [[1700000002.001, "+Inf"], [1700000003.999, "-Inf"]]
    steps = [[time, str(step)] for step, (time, _) in enumerate(values)]
    answer = curves(series("error", values), series("study_step", steps))
    assert answer.has_steps
    assert repr(answer.curves["error"]) == repr(
        Curve((0, 1, 2, 3, 4), (0.1 + 0.2, 5e-324, math.nan, math.inf, -math.inf))
    )


@given(st.integers(0, 4 * 10**12))
def test_the_time_is_exact_to_the_millisecond(milliseconds):
    read = read_result(result(series("error", [[milliseconds / 1000, "1"]])))
    assert [samples.times.tolist() for samples in read.values()] == [[milliseconds]]


def test_adjoining_windows_make_one_curve():
    early, late = series("error", [[1, "0.5"], [2, "0.4"]]), series("error", [[2, "0.4"], [3, "0.3"]])
    answer = curves_of([read_result(result(early)), read_result(result(late))], ("error",))
    assert answer.curves["error"].values == (0.5, 0.4, 0.3)


def test_a_trainer_that_is_scraped_twice_reports_once():
    points = [[1, "0.5"], [2, "NaN"]]
    answer = curves(series("error", points, job="a"), series("error", points, job="b"))
    assert len(answer.curves["error"]) == 2


def test_series_that_disagree_are_not_mixed():
    entries = series("error", [[1, "0.5"]], split="a"), series("error", [[1, "0.7"]], split="b")
    answer = curves(*entries, series("loss", [[1, "2"]]), metrics=("error", "loss"))
    assert answer.curves.keys() == {"loss"}
    assert "several series of error" in answer.problem


def test_histograms_and_series_that_were_not_asked_for_are_passed_over():
    histogram = {"metric": {"__name__": "error"}, "histograms": []}
    assert curves(histogram, series("other", [[1, "1"]])).curves == {}


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"status": "error", "error": "x"}',
        b'{"status": "success", "data": {"resultType": "vector", "result": []}}',
        result(1),
        result({"values": []}),
        result({"metric": {}, "values": []}),
        result(series("error", [[1]])),
        result(series("error", [["x", "1"]])),
        result(series("error", [[1, "x"]])),
        result(series("error", [[1e300, "1"]])),
        result(series("error", {"a": 1})),
        b"[" * 100_000,
    ],
)
def test_refuses_what_prometheus_would_not_say(body):
    with pytest.raises(ResultInvalid):
        read_result(body)
