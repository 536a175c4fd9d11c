"""The ledger: whatever happens to the trials, its counts and its ranking are those of a recount."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from study_operator.controller.ledger import Ledger
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.trial import (
    Curve,
    MetricSummary,
    Purpose,
    Sample,
    Trial,
    TrialSpec,
    TrialState,
    TrialStatus,
)

OBJECTIVE = Objective("error", Direction.MINIMIZE, Selection.BEST)
states = st.sampled_from(TrialState)
changes = st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.tuples(states, st.floats(0, 1)))), max_size=40)


def trial(index: int, state: TrialState, value: float = 0.5) -> Trial:
    spec = TrialSpec("s", index, index % 2, Purpose.SEARCH, (0.5,), {"learning_rate": 0.1}, 1)
    sample = Sample(1, value)
    summary = {"error": MetricSummary(1, sample, sample, sample)}
    objective = sample if state is TrialState.SUCCEEDED else None
    status = TrialStatus(
        state,
        "Completed" if state.final else "",
        metrics=summary,
        objective=objective,
        curves={"error": Curve((1,), (value,))},
    )
    return Trial(spec, status)


@given(changes)
def test_counts_as_a_recount_would(history):
    ledger, kept = Ledger(OBJECTIVE), {}
    for index, change in history:
        if change is None:
            ledger.remove(index)
            kept.pop(index, None)
        else:
            kept[index] = trial(index, *change)
            ledger.put(kept[index])
    recount = Counter((known.spec.arm, known.status.state) for known in kept.values())
    assert all(ledger.search.count(state, arm) == recount[arm, state] for arm in (0, 1) for state in TrialState)
    assert ledger.waiting == {index for index, known in kept.items() if known.status.state is TrialState.PENDING}
    assert list(ledger.missing(12)) == [index for index in range(12) if index not in kept]
    assert ledger.search.concluded == sum(known.status.state.final for known in kept.values())
    succeeded = [known for known in kept.values() if known.status.state is TrialState.SUCCEEDED]
    ranked = sorted(succeeded, key=lambda known: (known.status.objective.value, known.spec.index))
    assert [place.index for place in ledger.ranking.top(20)] == [known.spec.index for known in ranked]


def test_keeps_no_curves():
    ledger = Ledger(OBJECTIVE)
    ledger.put(trial(0, TrialState.SUCCEEDED))
    assert ledger.get(0).status == replace(trial(0, TrialState.SUCCEEDED).status, curves={})


def test_another_direction_turns_the_ranking_round():
    ledger = Ledger(OBJECTIVE)
    for index, value in enumerate((0.3, 0.1, 0.2)):
        ledger.put(trial(index, TrialState.SUCCEEDED, value))
    ledger.rerank(replace(OBJECTIVE, direction=Direction.MAXIMIZE))
    assert [place.index for place in ledger.ranking.top(3)] == [0, 2, 1]


def test_tells_whose_result_another_objective_changed():
    ledger = Ledger(OBJECTIVE)
    ledger.put(trial(0, TrialState.SUCCEEDED))
    ledger.put(trial(1, TrialState.PENDING))
    assert ledger.rerank(replace(OBJECTIVE, metric="loss")) == [0]
    assert ledger.count(TrialState.FAILED) == 1
