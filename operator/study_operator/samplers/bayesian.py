"""Bayesian search for the exploitation phase, one model for each arm.

Arms keep their turns, so that the comparison stays fair; within an arm the model goes where results are good. It is
rebuilt from the trials at every suggestion: a restart loses nothing, and a suggestion depends on the request alone.
While an arm has too few results for a model, and for the dimensions that do not apply to it, the points are those that
exploration would have had.
"""

from __future__ import annotations

import math
from dataclasses import replace

from study_operator.samplers.sampler import Observation, Suggestion, SuggestionRequest
from study_operator.samplers.seeds import model_seed
from study_operator.samplers.sobol import SobolSampler
from study_operator.space import Choices, Space

STARTUP_RESULTS = 10
"""Results that an arm needs before its model is asked (Optuna's default). Infeasible trials are none: a model of them
alone would take some of them for good."""


class SamplerUnavailable(RuntimeError):
    """What a sampler needs is not installed; the message says how to get it."""


class BayesianSampler:
    """Suggests a point for the arm whose turn it is, from the trials of that arm."""

    adaptive = True

    def __init__(self, space: Space, seed: int) -> None:
        try:
            from study_operator.samplers.tpe import choose
        except ImportError as error:
            raise SamplerUnavailable(
                f"Bayesian search needs Optuna ({error}): install study-operator[exploitation], "
                "or explore with `phase: Exploration`"
            ) from error
        self._choose = choose
        self._seed = seed
        self._exploration = SobolSampler(space, seed)
        self._axes = [_axes(space, arm.index) for arm in space.arms]

    def suggest(self, request: SuggestionRequest) -> Suggestion:
        """The model's choice, or the next quasi-random point while the arm has too few results."""
        explored = self._exploration.suggest(request)
        known = [
            _settled(observation)
            for observation in sorted(request.observations, key=lambda observation: observation.index)
            if observation.arm == explored.arm and observation.index != request.index
        ]
        results = sum(observation.value is not None for observation in known)
        infeasible = sum(observation.infeasible for observation in known)
        if results < STARTUP_RESULTS:
            return replace(
                explored,
                reason=f"{explored.reason}: its arm has {results} results, and a model needs {STARTUP_RESULTS}",
            )
        chosen = self._choose(self._axes[explored.arm], known, model_seed(self._seed, request.index))
        pending = len(known) - results - infeasible
        return replace(
            explored,
            point=tuple(chosen.get(place, coordinate) for place, coordinate in enumerate(explored.point)),
            reason=f"TPE on the arm's trials: {results} with a result, {infeasible} infeasible, {pending} pending",
        )


def _settled(observation: Observation) -> Observation:
    """The same, with what is infeasible free of an objective, and what has no finite objective infeasible."""
    infeasible = observation.infeasible or (observation.value is not None and not math.isfinite(observation.value))
    return replace(observation, value=None if infeasible else observation.value, infeasible=infeasible)


def _axes(space: Space, arm: int) -> dict[int, int | None]:
    """The places of the dimensions that ``arm`` has; the number of choices where all its definitions have as many."""
    counts: dict[int, set[int | None]] = {}
    for definition in space.hyperparameters(arm):
        if definition.sampled:
            count = len(definition.domain.values) if isinstance(definition.domain, Choices) else None
            counts.setdefault(space.dimensions.index(definition.name), set()).add(count)
    return {place: next(iter(found)) if len(found) == 1 else None for place, found in sorted(counts.items())}
