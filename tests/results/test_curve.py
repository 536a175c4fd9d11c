import hashlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.results.curve import fingerprint, summarize, thin
from study_operator.results.trial import Curve, Sample

points = st.lists(st.tuples(st.integers(0, 2**53), st.floats()), min_size=1, max_size=200)


def curve_of(points):
    return Curve(tuple(step for step, _ in points), tuple(value for _, value in points))


def test_a_summary_tells_the_first_step_of_each_extreme_and_the_last_point():
    summary = summarize(Curve((10, 20, 30, 40), (0.5, 0.1, 0.1, 0.3)))
    assert (summary.count, summary.final) == (4, Sample(40, 0.3))
    assert (summary.minimum, summary.maximum) == (Sample(20, 0.1), Sample(10, 0.5))


def test_what_is_not_finite_is_no_extreme_but_may_be_the_last_point():
    summary = summarize(Curve((1, 2, 3), (math.inf, 2.0, math.nan)))
    assert summary.minimum == summary.maximum == Sample(2, 2.0)
    assert math.isnan(summary.final.value)


def test_a_curve_without_a_finite_point_has_no_extremes():
    summary = summarize(Curve((1, 2), (math.nan, -math.inf)))
    assert summary.minimum is summary.maximum is None


@given(points)
def test_a_summary_agrees_with_a_plain_search(points):
    finite = [Sample(*point) for point in points if math.isfinite(point[1])]
    summary = summarize(curve_of(points))
    assert summary.minimum == min(finite, key=lambda sample: sample.value, default=None)
    assert summary.maximum == max(finite, key=lambda sample: sample.value, default=None)


def test_a_curve_without_points_has_no_summary():
    with pytest.raises(ValueError, match="without points"):
        summarize(Curve((), ()))


def test_the_fingerprint_is_the_one_of_the_trainers_contract():
    lines = b"10 0.30000000000000004\n20 nan\n30 -inf\n40 5e-324\n"
    curve = Curve((10, 20, 30, 40), (0.1 + 0.2, math.nan, -math.inf, 5e-324))
    assert fingerprint(curve) == hashlib.sha256(lines).hexdigest()


@given(points, st.integers(4, 48))
def test_a_thinned_curve_keeps_its_ends_and_extremes_and_invents_nothing(points, limit):
    curve = curve_of(points)
    finite = [point for point in points if math.isfinite(point[1])]
    thinned = thin(curve, limit)
    kept = list(zip(thinned.steps, thinned.values, strict=True))
    remaining = iter(finite)
    assert all(point in remaining for point in kept), "kept points are the curve's, in their order"
    assert len(kept) <= limit
    if finite:
        values = [value for _, value in finite]
        assert (kept[0], kept[-1]) == (finite[0], finite[-1])
        assert {min(values), max(values)} <= set(thinned.values)


@given(points.filter(lambda points: len(points) <= 48))
def test_a_short_curve_is_kept_whole(points):
    finite = [point for point in points if math.isfinite(point[1])]
    assert thin(curve_of(points)) == curve_of(finite)
