"""Studies of two arms with one learning rate, as evidence for a conclusion."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from study_operator.findings import Evidence
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.trial import FIRST_CONFIRMATION, Purpose, Sample, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space, Value

SPACE = Space.build(
    [
        Hyperparameter("optimizer", Role.SCIENTIFIC, Choices(("sgd", "adam"))),
        Hyperparameter("learning_rate", Role.NUISANCE, Range(0.001, 1.0, ScaleName.LOG)),
        Hyperparameter("hidden_units", Role.FIXED, Value(64)),
    ]
)


def trial(index: int, value: float | None, state: TrialState = TrialState.SUCCEEDED) -> Trial:
    """A trial of the search; trial i is of arm i % 2."""
    arm, point = index % 2, ((index // 2 * 0.37) % 1,)
    spec = TrialSpec("digits", index, arm, Purpose.SEARCH, point, SPACE.parameters(arm, point), index)
    return Trial(spec, TrialStatus(state, objective=None if value is None else Sample(600, value)))


def reruns(of: Trial, slot: int, values: Iterable[float | None], slots: int = 3) -> list[Trial]:
    """Runs of a trial on fresh seeds; None stands for one that diverged."""
    return [
        Trial(
            replace(
                of.spec,
                index=FIRST_CONFIRMATION + repetition * slots + slot,
                purpose=Purpose.CONFIRMATION,
                rerun_of=of.spec.index,
            ),
            TrialStatus(
                TrialState.INFEASIBLE if value is None else TrialState.SUCCEEDED,
                objective=None if value is None else Sample(600, value),
            ),
        )
        for repetition, value in enumerate(values)
    ]


def baseline(of: Trial, slot: int, values: Iterable[float | None], slots: int = 3) -> list[Trial]:
    """Runs of the baseline."""
    return [
        replace(rerun, spec=replace(rerun.spec, purpose=Purpose.BASELINE, rerun_of=None))
        for rerun in reruns(of, slot, values, slots)
    ]


def evidence(trials: Sequence[Trial], direction: Direction = Direction.MINIMIZE, steps: int | None = 600) -> Evidence:
    """What the rules see of these trials."""
    objective = Objective("validation_error", direction, Selection.BEST)
    return Evidence("digits", SPACE, objective, steps, (), ("validation_error",), tuple(trials))
