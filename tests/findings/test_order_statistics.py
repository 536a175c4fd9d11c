"""The best of m: the formulas against enumeration of every subset."""

import itertools
import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.findings.order_statistics import chance_of_none, expected_best, expected_best_of_resamples

samples = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=8)


def enumerated(values: list[float], m: int) -> float:
    subsets = list(itertools.combinations(values, m))
    return math.fsum(min(subset) for subset in subsets) / len(subsets)


@given(values=samples, data=st.data())
def test_the_expected_best_is_the_mean_over_all_subsets(values: list[float], data: st.DataObject) -> None:
    m = data.draw(st.integers(1, len(values)))
    assert expected_best(numpy.array(values), m) == pytest.approx(enumerated(values, m), abs=1e-9)


@given(values=samples)
def test_it_never_gets_worse_with_more_trials_and_ends_at_the_best(values: list[float]) -> None:
    curve = [expected_best(numpy.array(values), m) for m in range(1, len(values) + 1)]
    assert all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(curve))
    assert curve[-1] == min(values)


@given(bad=st.integers(0, 5), good=st.integers(0, 5), m=st.integers(1, 5))
def test_the_chance_of_nothing_feasible_is_that_of_a_subset_of_bad_ones(bad: int, good: int, m: int) -> None:
    if m <= bad + good:
        subsets = list(itertools.combinations([True] * bad + [False] * good, m))
        assert chance_of_none(bad, bad + good, m) == pytest.approx(sum(map(all, subsets)) / len(subsets))


@given(values=samples, data=st.data())
def test_a_resample_is_judged_as_the_values_it_repeats(values: list[float], data: st.DataObject) -> None:
    ordered = numpy.sort(numpy.array(values))
    counts = numpy.array(data.draw(st.lists(st.integers(0, 3), min_size=len(values), max_size=len(values))))
    m = data.draw(st.integers(1, 4))
    (found,) = expected_best_of_resamples(ordered, counts[None, :], counts.sum(keepdims=True), m)
    repeated = numpy.repeat(ordered, counts)
    if len(repeated) < m:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected_best(repeated, m), abs=1e-9)


def test_the_expected_best_of_many_does_not_overflow() -> None:
    assert expected_best(numpy.arange(10_000.0), 5_000) == pytest.approx(1.0, abs=0.01)


def test_what_cannot_win_makes_no_infinite_expectation() -> None:
    assert expected_best(numpy.array([0.5, math.inf]), 2) == 0.5
    assert expected_best(numpy.array([0.5, math.inf]), 1) == math.inf
