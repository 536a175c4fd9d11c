"""The study's sampler: what it may know, and the trials that it proposes."""

from __future__ import annotations

import asyncio

from study_operator.api import Phase
from study_operator.controller.state import StudyState
from study_operator.results.trial import Purpose, TrialSpec, TrialState
from study_operator.samplers import BayesianSampler, Observation, Sampler, SobolSampler, SuggestionRequest
from study_operator.space import Space


async def prepared_sampler(phase: Phase, space: Space, seed: int) -> Sampler:
    """The phase's sampler, its first points drawn off the event loop. Raises SamplerUnavailable."""
    return await asyncio.to_thread(_prepare, phase, space, seed)


async def proposed_trial(state: StudyState, index: int) -> TrialSpec:
    """Trial ``index`` of the search, of an opened study."""
    assert state.sampler is not None and state.space is not None, "only an opened study gets trials"
    if state.sampler.adaptive:
        suggestion = await asyncio.to_thread(state.sampler.suggest, SuggestionRequest(index, observations(state)))
    else:
        suggestion = state.sampler.suggest(SuggestionRequest(index))
    return TrialSpec(
        study=state.key.name,
        index=index,
        arm=suggestion.arm,
        purpose=Purpose.SEARCH,
        point=suggestion.point,
        parameters=state.space.parameters(suggestion.arm, suggestion.point),
        seed=suggestion.seed,
    )


def observations(state: StudyState) -> list[Observation]:
    """What a sampler that learns may know: every trial of the search but those that failed, smaller is better."""
    direction = state.study.objective.direction
    return [
        Observation(
            index=trial.spec.index,
            arm=trial.spec.arm,
            point=trial.spec.point,
            value=None if trial.status.objective is None else direction.minimised(trial.status.objective.value),
            infeasible=trial.status.state is TrialState.INFEASIBLE,
        )
        for trial in state.ledger
        if trial.spec.purpose is Purpose.SEARCH and trial.status.state is not TrialState.FAILED
    ]


def _prepare(phase: Phase, space: Space, seed: int) -> Sampler:
    sampler: Sampler = BayesianSampler(space, seed) if phase is Phase.EXPLOITATION else SobolSampler(space, seed)
    sampler.suggest(SuggestionRequest(0))
    return sampler
