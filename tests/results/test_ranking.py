import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.results.objective import Direction
from study_operator.results.ranking import Ranked, Ranking

trials = st.builds(
    Ranked,
    index=st.integers(0, 12),
    arm=st.integers(0, 2),
    value=st.floats() | st.sampled_from([0.0, -0.0, 1.0]),
    step=st.none() | st.integers(0, 100),
)
changes = st.lists(trials | st.integers(0, 12), max_size=40)


def ranked(changes, direction):
    ranking = Ranking(direction)
    for change in changes:
        if isinstance(change, Ranked):
            ranking.add(change)
        else:
            ranking.discard(change)
    return ranking


def sorted_from_scratch(changes, direction):
    known = {}
    for change in changes:
        if isinstance(change, Ranked):
            known[change.index] = change
        else:
            known.pop(change, None)
    sign = 1 if direction is Direction.MINIMIZE else -1
    finite = [trial for trial in known.values() if math.isfinite(trial.value)]
    return tuple(sorted(finite, key=lambda trial: (sign * trial.value, trial.index)))


@pytest.mark.parametrize("direction", Direction)
class TestInEitherDirection:
    @given(changes=changes)
    def test_is_what_sorting_from_scratch_gives(self, direction, changes):
        ranking, expected = ranked(changes, direction), sorted_from_scratch(changes, direction)
        assert repr(ranking.top(100)) == repr(expected)
        assert ranking.top(3) == expected[:3]
        assert len(ranking) == len(expected)
        for arm in range(3):
            assert ranking.best_of(arm) == next((trial for trial in expected if trial.arm == arm), None)

    @given(changes=st.lists(trials, unique_by=lambda trial: trial.index), seed=st.integers(0, 10))
    def test_does_not_depend_on_the_order_in_which_trials_finish(self, direction, changes, seed):
        shuffled = random.Random(seed).sample(changes, len(changes))
        assert repr(ranked(changes, direction).top(100)) == repr(ranked(shuffled, direction).top(100))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_never_wins_and_gives_up_the_trials_place(value):
    ranking = ranked([Ranked(0, 0, 0.5, None), Ranked(1, 0, 0.7, None), Ranked(0, 0, value, None)], Direction.MINIMIZE)
    assert [trial.index for trial in ranking.top(10)] == [1]
