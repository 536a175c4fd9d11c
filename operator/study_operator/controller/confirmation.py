"""Which configurations are run again on fresh seeds, and as which trials.

Once the search is over, ``top`` configurations and the baseline are run again ``reruns`` times each. The top are the
best trial of each arm, as far as they go, and then the next best trials whatever their arm: the question is about the
arms, and one whose best is not run again cannot be compared. So the number of trials is known before the study starts.

Each configuration has a slot, and the n-th rerun is repetition n // slots of slot n % slots, so that a study that is
cut short has as many reruns of one as of the other. What a slot holds is not kept anywhere but in its trials: the first
that is persisted settles it. A changed objective or a larger budget therefore changes the slots that no trial has
settled yet, and no others: reruns that were seen are not exchanged for better ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from study_operator.conclusions import Confirmation
from study_operator.controller.ledger import Ledger
from study_operator.controller.state import StudyState
from study_operator.results.trial import FIRST_CONFIRMATION, Purpose, Trial, TrialSpec
from study_operator.samplers import trial_seed
from study_operator.space import Configuration, configuration


def search_over(state: StudyState) -> bool:
    """Whether every trial of the search has a durable result."""
    ledger = state.ledger
    return (
        ledger.search.concluded == len(ledger.search)
        and next(ledger.missing(state.planned), None) is None
        and all(index >= FIRST_CONFIRMATION for index in state.unwritten)
    )


def missing_reruns(state: StudyState) -> list[int]:
    """The indices of the reruns that are to be persisted, in order; none before the search is over."""
    confirmation = state.confirmation
    if confirmation is None or not search_over(state):
        return []
    return [index for index in _indices(state.ledger, confirmation) if state.ledger.get(index) is None]


def planned_reruns(state: StudyState) -> int:
    """How many reruns there will be: what the manifest asks for, or fewer where too few trials succeeded."""
    confirmation = state.confirmation
    if confirmation is None:
        return 0
    return len(list(_indices(state.ledger, confirmation))) if search_over(state) else confirmation.trials


def rerun_spec(state: StudyState, index: int) -> TrialSpec | None:
    """What is asked of a rerun; None where there is no longer a trial to run again."""
    confirmation = state.confirmation
    assert confirmation is not None and state.space is not None, "only an opened study that confirms has reruns"
    slot = (index - FIRST_CONFIRMATION) % confirmation.slots
    seed = trial_seed(state.seed, index)
    if slot == confirmation.top and confirmation.baseline is not None:
        given = configuration(state.space, confirmation.baseline, "spec.confirmation.baseline")
        return _baseline_spec(state.key.name, index, given, seed)
    trial = _chosen(state.ledger, confirmation).get(slot)
    if trial is None:
        return None
    return TrialSpec(
        study=state.key.name,
        index=index,
        arm=trial.spec.arm,
        purpose=Purpose.CONFIRMATION,
        point=trial.spec.point,
        parameters=trial.spec.parameters,
        seed=seed,
        rerun_of=trial.spec.index,
    )


def _baseline_spec(study: str, index: int, baseline: Configuration, seed: int) -> TrialSpec:
    return TrialSpec(study, index, baseline.arm, Purpose.BASELINE, baseline.point, baseline.parameters, seed)


def _indices(ledger: Ledger, confirmation: Confirmation) -> Iterator[int]:
    """The indices of all reruns of the filled slots. A search in which nothing succeeded has none to confirm."""
    slots = sorted(_chosen(ledger, confirmation))
    if slots and confirmation.baseline is not None:
        slots.append(confirmation.top)
    for repetition in range(confirmation.reruns):
        for slot in slots:
            yield FIRST_CONFIRMATION + repetition * confirmation.slots + slot


def _chosen(ledger: Ledger, confirmation: Confirmation) -> dict[int, Trial]:
    """The trial of the search that each slot runs again: those that its reruns name, and the best others."""
    chosen: dict[int, Trial] = {}
    for number in range(confirmation.trials):
        rerun = ledger.get(FIRST_CONFIRMATION + number)
        original = ledger.get(rerun.spec.rerun_of) if rerun is not None and rerun.spec.rerun_of is not None else None
        if original is not None:
            chosen[number % confirmation.slots] = original
    candidates = _candidates(ledger, confirmation.top, {trial.spec.index: trial.spec.arm for trial in chosen.values()})
    free = (slot for slot in range(confirmation.top) if slot not in chosen)
    return chosen | dict(zip(free, candidates, strict=False))


def _candidates(ledger: Ledger, top: int, taken: dict[int, int]) -> list[Trial]:
    """The best trials that are not ``taken`` (arms by index): first the best of each arm that has none among them."""
    ranked = [place for place in ledger.ranking.top(top + len(taken)) if place.index not in taken]
    bests = [place for place in ledger.ranking.bests() if place.arm not in taken.values()]
    order = dict.fromkeys(place.index for place in [*bests, *ranked])
    return [trial for index in order if (trial := ledger.get(index)) is not None]
