"""The model of Bayesian search: Optuna's tree-structured Parzen estimator. The one module that needs Optuna.

The model works on unit coordinates, as the space lays them out, and on the position of a choice: Optuna's own scales
and conditions are not used, so a point has one meaning. Pending trials count as bad ones (the constant liar), which
keeps parallel trials apart. Infeasible trials are told as violating a constraint, without an objective invented for
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from study_operator.samplers.sampler import Observation

Distribution = FloatDistribution | CategoricalDistribution

_LAST_COORDINATE = math.nextafter(1.0, 0.0)


def choose(axes: Mapping[int, int | None], observations: Sequence[Observation], seed: int) -> dict[int, float]:
    """The most promising coordinates, by their place in the point; the same for the same arguments.

    ``axes`` has the places to choose for, with the number of choices there or None where coordinates are continuous.
    ``observations`` are in the order of their indices, of one arm, and their points have all the ``axes``.
    """
    distributions = {f"u{place}": _distribution(choices) for place, choices in axes.items()}
    with _quiet():
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(n_startup_trials=0, seed=seed))
        study.add_trials([_told(observation, axes, distributions) for observation in observations])
        chosen = study.ask(dict(distributions)).params
    return {place: _coordinate(chosen[f"u{place}"], choices) for place, choices in axes.items()}


def _told(
    observation: Observation, axes: Mapping[int, int | None], distributions: Mapping[str, Distribution]
) -> FrozenTrial:
    params = {f"u{place}": _external(observation.point[place], choices) for place, choices in axes.items()}
    if observation.infeasible:
        return create_trial(
            state=TrialState.PRUNED,
            params=params,
            distributions=dict(distributions),
            constraints={"feasible": 1.0},
        )
    return create_trial(
        state=TrialState.RUNNING if observation.value is None else TrialState.COMPLETE,
        value=observation.value,
        params=params,
        distributions=dict(distributions),
    )


def _distribution(choices: int | None) -> Distribution:
    return FloatDistribution(0.0, 1.0) if choices is None else CategoricalDistribution(range(choices))


def _external(coordinate: float, choices: int | None) -> float:
    return coordinate if choices is None else min(int(coordinate * choices), choices - 1)


def _coordinate(chosen: float, choices: int | None) -> float:
    return min(chosen, _LAST_COORDINATE) if choices is None else (chosen + 0.5) / choices


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna announces each study at level INFO, and a study is made for each suggestion."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)
