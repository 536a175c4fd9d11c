"""Back-off: later each time, jittered, never before what was asked for."""

import random

from hypothesis import given
from hypothesis import strategies as st
from study_operator.controller.backoff import FIRST_DELAY, LONGEST_DELAY, Backoff


def failed_often(times: int, seed: int) -> list[float]:
    """The delays after each of so many failures, each attempt made as soon as it may be."""
    backoff, now, delays = Backoff(random.Random(seed)), 0.0, []
    for _ in range(times):
        backoff.failed("a", now)
        delays.append(backoff.delays(now)[0])
        now += delays[-1]
    return delays


@given(seed=st.integers(0, 1000))
def test_waits_longer_each_time_up_to_the_longest(seed):
    delays = failed_often(12, seed)
    assert 0.75 * FIRST_DELAY <= delays[0] <= 1.25 * FIRST_DELAY
    assert delays[:6] == sorted(delays[:6])
    assert all(0.75 * LONGEST_DELAY <= delay <= 1.25 * LONGEST_DELAY for delay in delays[8:])


def test_is_jittered():
    assert failed_often(3, seed=1) != failed_often(3, seed=2)


def test_never_tries_before_what_the_server_asked_for():
    backoff = Backoff(random.Random(0))
    backoff.failed("a", 0.0, retry_after=30.0)
    assert not backoff.ready("a", 29.0)
    assert backoff.ready("a", 30.0)


def test_the_longest_delay_may_be_shorter_for_what_has_little_time():
    backoff, now = Backoff(random.Random(0)), 0.0
    for _ in range(8):
        backoff.failed("a", now, longest=5.0)
        now += backoff.delays(now)[0]
    backoff.failed("a", now, longest=5.0)
    assert 0.75 * 5.0 <= backoff.delays(now)[0] <= 1.25 * 5.0


def test_begins_anew_after_a_success():
    backoff = Backoff(random.Random(0))
    backoff.failed("a", 0.0)
    backoff.succeeded("a")
    assert backoff.ready("a", 0.0)
    assert backoff.delays(0.0) == []


def test_attempts_made_beside_each_other_count_once():
    backoff = Backoff(random.Random(0))
    for _ in range(20):
        backoff.failed("a", 0.0)
    assert backoff.delays(0.0)[0] <= 1.25 * FIRST_DELAY


def test_actions_do_not_hold_up_each_other():
    backoff = Backoff(random.Random(0))
    backoff.failed("a", 0.0)
    assert backoff.ready("b", 0.0)
