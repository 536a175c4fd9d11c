"""What is started and persisted next."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from study_operator.controller.plan import Situation, runs_to_start, trials_to_persist

IDLE = Situation(parallelism=4, unplaced_cap=2, lookahead=4, missing=100, waiting=0, active=0, unplaced=0)


def test_starts_as_many_as_there_are_free_slots():
    assert runs_to_start(replace(IDLE, active=1)) == 3


def test_a_smaller_parallelism_lets_the_running_trials_finish():
    assert runs_to_start(replace(IDLE, parallelism=2, active=5)) == 0


def test_does_not_pile_up_runs_that_find_no_node():
    assert runs_to_start(replace(IDLE, active=2, unplaced=2)) == 0
    assert runs_to_start(replace(IDLE, active=1, unplaced=1)) == 1


def test_persists_for_the_free_slots_and_ahead():
    assert trials_to_persist(IDLE) == 8
    assert trials_to_persist(replace(IDLE, active=4, waiting=3)) == 1


def test_persists_no_more_than_the_budget_lacks():
    assert trials_to_persist(replace(IDLE, missing=3)) == 3


def test_a_sampler_that_learns_is_asked_only_for_what_can_start():
    assert trials_to_persist(replace(IDLE, lookahead=0, active=3)) == 1
    assert trials_to_persist(replace(IDLE, lookahead=0, active=4)) == 0


counts = st.integers(0, 50)


@given(st.builds(Situation, st.integers(1, 50), st.integers(1, 5), counts, counts, counts, counts, counts))
def test_never_exceeds_the_parallelism_or_the_budget(situation):
    assert 0 <= runs_to_start(situation) <= max(0, situation.parallelism - situation.active)
    assert 0 <= trials_to_persist(situation) <= situation.missing
