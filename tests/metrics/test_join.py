import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.metrics.join import Samples, join
from study_operator.results.trial import Curve

reports = st.lists(
    st.tuples(st.integers(0, 10**13), st.integers(0, 2**53), st.floats(allow_nan=False)),
    unique_by=lambda report: report[0],
)


@given(reports, st.randoms())
def test_every_report_becomes_one_point_in_the_order_of_time(reports, random):
    steps = [(time, float(step)) for time, step, _ in reports]
    values = [(time, value) for time, _, value in reports]
    random.shuffle(steps)
    random.shuffle(values)
    in_order = sorted(reports)
    expected = Curve(tuple(step for _, step, _ in in_order), tuple(value for _, _, value in in_order))
    assert join(steps, values) == expected


@given(st.lists(st.tuples(st.integers(0, 50), st.floats())), st.lists(st.tuples(st.integers(0, 50), st.floats())))
def test_any_two_series_join_without_losing_a_time(steps, values):
    curve = join(steps, values)
    assert len(curve.steps) == len(curve.values) == len({time for time, _ in values})
    assert all(type(step) is int for step in curve.steps) and all(type(value) is float for value in curve.values)


def test_without_steps_the_points_are_numbered():
    assert join([], [(2000, 0.5), (1000, 0.7)]) == Curve((1, 2), (0.7, 0.5))


def test_no_values_make_no_curve():
    assert len(join([(1000, 1.0)], [])) == 0


def test_a_sample_that_came_twice_counts_once_and_the_first_counts():
    assert join([(1000, 1.0), (1000, 9.0)], [(1000, 0.7), (1000, 0.5)]) == Curve((1,), (0.7,))


def test_a_value_without_a_step_takes_the_nearest_earlier_one_or_else_the_first():
    values = [(time, time / 1000) for time in (1000, 2000, 3000, 4000)]
    assert join([(2000, 20.0), (4000, 40.0)], values).steps == (20, 20, 20, 40)


@pytest.mark.parametrize("step", [math.nan, math.inf, -math.inf, 2.0**54])
def test_a_step_that_is_no_step_counts_as_missing(step):
    assert join([(1000, 10.0), (2000, step)], [(1000, 0.1), (2000, 0.2)]).steps == (10, 10)


def test_fractional_steps_are_rounded():
    assert join([(1000, 0.9), (2000, 2.2)], [(1000, 0.1), (2000, 0.2)]).steps == (1, 2)


def test_a_clock_that_jumps_back_reorders_and_loses_nothing():
    assert join([(5000, 1.0), (3000, 2.0)], [(5000, 0.1), (3000, 0.2)]) == Curve((2, 1), (0.2, 0.1))


def test_a_million_points():
    times = np.arange(1_000_000)
    series = Samples(times, times.astype(float))
    assert join(series, series).steps[-1] == 999_999
