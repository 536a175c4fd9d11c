"""Simulated training curves, in units of the evaluation noise, and studies made of them.

A curve is a shape plus noise. The noise is a lag-1 autoregression of unit variance, because evaluations of one training
are seldom independent, with normal or heavy-tailed (Student's t, 3 degrees of freedom) innovations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy import signal
from study_operator.findings import Evidence, Finding
from study_operator.findings.training_curves import BestCurve
from study_operator.results.curve import summarize, thin
from study_operator.results.diagnostics import diagnose
from study_operator.results.objective import Direction, Objective, Selection, objective_of
from study_operator.results.trial import Curve, Purpose, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.space import Choices, Hyperparameter, Range, Role, Space

from bench.rates.rate import Hypothesis, Rate

Floats = NDArray[numpy.float64]
Shape = Callable[[Floats], Floats]

STEPS = 10_000
METRIC = "validation_error"
OBJECTIVE = Objective(METRIC, Direction.MINIMIZE, Selection.BEST)

START = 30.0
"""How far above its plateau a training begins, in noises."""


def flat(t: Floats) -> Floats:
    """Nothing but noise."""
    return numpy.zeros_like(t)


def decay(rate: float, start: float = START) -> Shape:
    """Exponential: at ``t`` of the training, ``start`` times e^(-rate t)."""
    return lambda t: start * numpy.exp(-rate * t)


def steps(t: Floats) -> Floats:
    """A learning rate that drops twice, at 30% and at 60%."""
    return numpy.where(t < 0.3, START, numpy.where(t < 0.6, START / 3, 0.0))


def fall(start: float, end: float, by: float) -> Shape:
    """Linear from ``by`` at ``start`` to 0 at ``end``, constant before and after."""
    return lambda t: by * (1 - numpy.clip((t - start) / (end - start), 0, 1))


def overfit(rise: float, start: float = 0.4, curvature: float = 0.0) -> Shape:
    """Decay, and from ``start`` on a rise by ``rise``: linear, or saturating where ``curvature`` > 0."""

    def shape(t: Floats) -> Floats:
        along = numpy.clip((t - start) / (1 - start), 0, 1)
        bent = (1 - numpy.exp(-curvature * along)) / (1 - numpy.exp(-curvature)) if curvature else along
        return START * numpy.exp(-12 * t) + rise * bent

    return shape


@dataclass(frozen=True, slots=True)
class Noise:
    """Unit variance; ``autocorrelation`` from one evaluation to the next; normal, or Student's t with 3 degrees."""

    autocorrelation: float = 0.0
    heavy: bool = False

    def __str__(self) -> str:
        return f"AR {self.autocorrelation:g}{', heavy tails' if self.heavy else ''}"

    def sample(self, count: int, rng: numpy.random.Generator) -> Floats:
        """``count`` evaluations of the stationary series."""
        size = count + 200
        innovations = rng.standard_t(3, size) / numpy.sqrt(3) if self.heavy else rng.standard_normal(size)
        scale = numpy.sqrt(1 - self.autocorrelation**2)
        series: Floats = signal.lfilter([scale], [1, -self.autocorrelation], innovations)
        return series[200:]


def curve(shape: Shape, evaluations: int, noise: Noise, rng: numpy.random.Generator) -> Curve:
    """``evaluations`` at even steps, the last at the end of the training."""
    t = numpy.arange(1, evaluations + 1) / evaluations
    values = shape(t) + noise.sample(evaluations, rng)
    return Curve(tuple((t * STEPS).round().astype(int).tolist()), tuple(values.tolist()))


def study_of(
    arms: Sequence[Sequence[Mapping[str, Curve]]],
    *,
    objective: Objective = OBJECTIVE,
    trial_variance: float | None = None,
    nuisances: Sequence[Hyperparameter] = (Hyperparameter("x", Role.NUISANCE, Range(0.0, 1.0)),),
) -> Evidence:
    """A study with the given trials, each by its metrics' curves, in each arm."""
    method = Hyperparameter("method", Role.SCIENTIFIC, Choices(tuple(f"a{index}" for index in range(len(arms)))))
    space = Space.build([method, *nuisances] if len(arms) > 1 else nuisances)
    trials = [
        _trial(space, place * len(arms) + arm, arm, metrics, objective)
        for arm, listed in enumerate(arms)
        for place, metrics in enumerate(listed)
    ]
    return Evidence("study", space, objective, STEPS, ("train_loss",), (objective.metric,), trials, trial_variance)


EVALUATIONS = (16, 20, 40, 100)
NOISES = (Noise(), Noise(0.5), Noise(heavy=True))
NULL_NOISES = (Noise(), Noise(0.5), Noise(0.8), Noise(0.95), Noise(heavy=True))
SETTLED: Mapping[str, Shape] = {"flat": flat, "decay, settled at 35%": decay(12), "two drops": steps}
"""Curves that neither rise nor fall at their end."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A rule under simulation: ``trials`` curves an arm, ``runs`` studies a setting."""

    rule: str
    find: Callable[[Evidence], Iterator[Finding]]
    trials: int
    runs: int
    rng: numpy.random.Generator

    def rates(
        self,
        hypothesis: Hypothesis,
        shapes: Mapping[str, Shape],
        noises: Sequence[Noise],
        *,
        arms: int = 1,
        evaluations: Sequence[int] = EVALUATIONS,
        metrics: Sequence[str] = (METRIC,),
    ) -> Iterator[Rate]:
        """For every shape, noise and number of evaluations, with independent noise in each of the ``metrics``."""
        for name, shape in shapes.items():
            for noise in noises:
                for count in evaluations:
                    listed = ([self._arm(shape, count, noise, metrics) for _ in range(arms)] for _ in range(self.runs))
                    yield self.rate(hypothesis, f"{name}, {noise}", map(study_of, listed), f"n={count}", arms)

    def rate(
        self, hypothesis: Hypothesis, setting: str, studies: Iterable[Evidence], column: str, arms: int = 1
    ) -> Rate:
        """In how many of the ``studies`` the rule speaks."""
        hits = sum(any(finding.rule == self.rule for finding in self.find(evidence)) for evidence in studies)
        per = "arm" if arms == 1 else "study"
        return Rate(self.rule, hypothesis, setting, hits, self.runs, per, column=column)

    def _arm(self, shape: Shape, count: int, noise: Noise, metrics: Sequence[str]) -> list[dict[str, Curve]]:
        return [{metric: curve(shape, count, noise, self.rng) for metric in metrics} for _ in range(self.trials)]


def best_curve(reported: Curve, metric: str = METRIC) -> BestCurve:
    """A single curve as the rules look at it."""
    evidence = study_of([[{metric: reported}]])
    status = evidence.trials[0].status
    return BestCurve(evidence.trials[0], status.diagnostics[metric], status.metrics[metric], sign=1)


def _trial(space: Space, index: int, arm: int, curves: Mapping[str, Curve], objective: Objective) -> Trial:
    metrics = {name: summarize(reported) for name, reported in curves.items()}
    diagnosed = {name: diagnose(reported, whole=True) for name, reported in curves.items()}
    point = (0.5,) * len(space.dimensions)
    return Trial(
        TrialSpec("study", index, arm, Purpose.SEARCH, point, space.parameters(arm, point), seed=index),
        TrialStatus(
            state=TrialState.SUCCEEDED,
            objective=objective_of(metrics, objective),
            metrics=metrics,
            curves={name: thin(reported) for name, reported in curves.items()},
            diagnostics={name: found for name, found in diagnosed.items() if found is not None},
        ),
    )
