"""Each lint under its alternative, where it must speak, and under its null, where it must not."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass, field
from typing import Any

import numpy
import pytest
from study_operator.findings import RULES, Finding, Severity
from study_operator.findings.lints import Design, Words, lint, waive
from study_operator.findings.lints.roles import MANY_DIMENSIONS
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.space import Choices, Hyperparameter, Range, Role, Scalar, ScaleName, Space, Value

from tests.findings.evidence_samples import sobol

OBJECTIVE = Objective("validation_error", Direction.MINIMIZE, Selection.BEST)


def scientific(name: str, *values: Scalar, **when: tuple[Scalar, ...]) -> Hyperparameter:
    return Hyperparameter(name, Role.SCIENTIFIC, Choices(values), when)


def tuned(name: str, low: float = 0.001, high: float = 0.9, **when: tuple[Scalar, ...]) -> Hyperparameter:
    return Hyperparameter(name, Role.NUISANCE, Range(low, high, ScaleName.LOG), when)


def chosen(name: str, *values: Scalar, **when: tuple[Scalar, ...]) -> Hyperparameter:
    return Hyperparameter(name, Role.NUISANCE, Choices(values), when)


def fixed(name: str, value: Scalar, **when: tuple[Scalar, ...]) -> Hyperparameter:
    return Hyperparameter(name, Role.FIXED, Value(value), when)


def plan(*hyperparameters: Hyperparameter, **rest: Any) -> Design:
    return Design(**{"space": Space.build(hyperparameters), "objective": OBJECTIVE, "trials": 32, **rest})


def told(design: Design) -> list[tuple[str, str]]:
    """Rule and field of all that is more than information."""
    return [(each.rule, each.subject.field) for each in lint(design) if each.severity is not Severity.INFO]


RATE = tuned("learning_rate")
OPTIMIZERS = (
    scientific("optimizer", "nesterov", "adam"),
    tuned("learning_rate", optimizer=("nesterov",)),
    tuned("learning_rate", optimizer=("adam",)),
)
SWITCH = scientific("use_dropout", False, True)
STRENGTH = tuned("dropout", 0.05, 0.5, use_dropout=(True,))
BATCHES = scientific("batch_size", 64, 256)
PER_BATCH = (tuned("learning_rate"), tuned("momentum", 0.5), tuned("weight_decay"))
GRID = (chosen("learning_rate", 0.1, 0.01, 0.001), chosen("momentum", 0.0, 0.9, 0.99), tuned("weight_decay"))


def words(text: str) -> dict[str, object]:
    return {"words": (Words("spec.trialTemplate.args[0]", text),)}


@dataclass(frozen=True)
class Case:
    """A plan that a rule objects to at ``path``, and one that differs in what it objects to."""

    rule: str
    wrong: tuple[Hyperparameter, ...]
    right: tuple[Hyperparameter, ...]
    path: str
    wrong_rest: dict[str, object] = field(default_factory=dict)
    right_rest: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule}-{self.path}"


def hyperparameter(index: int, name: str = "role") -> str:
    return f"spec.hyperparameters[{index}].{name}".removesuffix(".")


def other(rule: str, path: str, wrong: dict[str, object], right: dict[str, object]) -> Case:
    """A case in which the hyperparameters are not at fault."""
    return Case(rule, (RATE,), (RATE,), path, wrong, right)


CASES = [
    Case("learning-rate-scientific", (scientific("lr", 0.1, 1.0), tuned("l2")), (RATE,), hyperparameter(0)),
    Case("optimizer-nuisance", (chosen("optimizer", "adam", "adamw"), RATE), OPTIMIZERS, hyperparameter(0)),
    Case(
        "fixed-optimizer-hyperparameter", (RATE, fixed("momentum", 0.9)), (RATE, tuned("momentum")), hyperparameter(1)
    ),
    Case("fixed-optimizer-hyperparameter", (RATE, fixed("beta1", 0.9)), (RATE, fixed("beta2", 0.9)), hyperparameter(1)),
    Case(
        "hyperparameter-roles",
        (*(scientific(name, "on", "off") for name in "abc"), RATE),
        (*(scientific(name, "on", "off") for name in "ab"), RATE),
        "spec.hyperparameters",
    ),
    Case(
        "many-dimensions",
        tuple(tuned(f"x{n}") for n in range(11)),
        tuple(tuned(f"x{n}") for n in range(10)),
        "spec.hyperparameters",
        right_rest={"trials": 128},
    ),
    Case(
        "many-dimensions",
        tuple(tuned(f"x{n}") for n in range(7)),
        tuple(tuned(f"x{n}") for n in range(6)),
        "spec.hyperparameters",
    ),
    Case(
        "many-dimensions",
        tuple(tuned(f"x{n}") for n in range(8)),
        tuple(tuned(f"x{n}") for n in range(8)),
        "spec.hyperparameters",
        {"trials": 63},
        {"trials": 64},
    ),
    Case("regulariser-off-arm", (scientific("dropout", 0.0, 0.1), RATE), (RATE, tuned("dropout")), hyperparameter(0)),
    Case("regulariser-off-arm", (SWITCH, tuned("dropout"), RATE), (SWITCH, STRENGTH, RATE), hyperparameter(1, "when")),
    Case(
        "regulariser-off-arm",
        (SWITCH, fixed("dropout", 0.1, use_dropout=(True,)), RATE),
        (SWITCH, STRENGTH, RATE),
        hyperparameter(1),
    ),
    Case(
        "regulariser-off-arm",
        (SWITCH, STRENGTH, tuned("learning_rate", use_dropout=(True,)), tuned("width")),
        (SWITCH, STRENGTH, RATE, tuned("width")),
        hyperparameter(1, ""),
    ),
    Case(
        "regulariser-off-arm",
        (SWITCH, STRENGTH, scientific("where", "input", "hidden", use_dropout=(True,)), RATE),
        (SWITCH, STRENGTH, scientific("where", "input", "hidden"), RATE),
        "spec.hyperparameters",
    ),
    Case(
        "conditional-hyperparameters",
        (*OPTIMIZERS, tuned("momentum")),
        (*OPTIMIZERS, tuned("momentum", optimizer=("nesterov",))),
        hyperparameter(3, "when"),
    ),
    Case(
        "conditional-hyperparameters",
        (*OPTIMIZERS, tuned("beta1")),
        (*OPTIMIZERS, tuned("beta1", optimizer=("adam",))),
        hyperparameter(3, "when"),
    ),
    Case(
        "conditional-hyperparameters",
        (scientific("optimizer", "nesterov", "adam"), RATE),
        (scientific("optimizer", "adamw", "adam"), RATE),
        hyperparameter(1, "when"),
    ),
    Case("tuned-steps", (RATE, tuned("epochs", 1, 90)), (RATE, fixed("epochs", 90)), hyperparameter(1)),
    Case("tuned-steps", (RATE, scientific("steps", 100, 200)), (RATE, fixed("steps", 100)), hyperparameter(1)),
    Case(
        "tuned-steps",
        (RATE, fixed("max_steps", 100)),
        (RATE, fixed("max_steps", 600)),
        hyperparameter(1, "value"),
        {"steps": 600},
        {"steps": 600},
    ),
    Case("tuned-batch-size", (RATE, chosen("batch_size", 32, 64)), (BATCHES, *PER_BATCH), hyperparameter(1)),
    Case("tuned-batch-size", (BATCHES, RATE), (BATCHES, *PER_BATCH), hyperparameter(0, "")),
    Case(
        "tuned-batch-size",
        (Hyperparameter("batch_size", Role.SCIENTIFIC, Range(1, 9, integer=True)), *PER_BATCH),
        (BATCHES, *PER_BATCH),
        hyperparameter(0, "range"),
    ),
    *(
        Case(
            "adam-budget", (RATE, tuned(name)), (RATE, tuned(name)), hyperparameter(1), {"trials": n - 1}, {"trials": n}
        )
        for name, n in (("beta1", 10), ("epsilon", 25), ("beta2", 50))
    ),
    Case(
        "constant-learning-rate",
        (RATE, fixed("schedule", "constant")),
        (RATE, fixed("schedule", "cosine")),
        hyperparameter(1, "value"),
    ),
    other(
        "constant-learning-rate",
        "spec.trialTemplate.args[0]",
        words("--lr-schedule constant"),
        words("--lr-schedule=linear --constant-memory"),
    ),
    Case("grid-search", GRID, GRID[:2], hyperparameter(0, "choices")),
    Case("grid-search", GRID, (RATE, *GRID[1:]), hyperparameter(1, "choices")),
    other(
        "bayesian-exploration", "spec.phase", {"exploitation": True}, {"exploitation": True, "follows_a_round": True}
    ),
    other(
        "test-metric-objective",
        "spec.objective.metric",
        {"objective": Objective("test_error", Direction.MINIMIZE, Selection.BEST)},
        {"objective": Objective("latest_error", Direction.MINIMIZE, Selection.BEST)},
    ),
    Case("early-stopping", (RATE, tuned("patience", 1, 9)), (RATE, tuned("impatience")), hyperparameter(1, "name")),
    other(
        "early-stopping",
        "spec.trialTemplate.args[0]",
        words("--early-stopping"),
        words("--no-early-stopping"),
    ),
    other(
        "early-stopping",
        "spec.trialTemplate.args[0]",
        words("--early_stopping=0.5"),
        words("--early_stopping=False"),
    ),
    other(
        "early-stopping",
        "spec.trialTemplate.args[0]",
        words("--early-stopping-metric accuracy"),
        words("EARLY_STOPPING_ROUNDS=0"),
    ),
    other(
        "constant-learning-rate",
        "spec.trialTemplate.args[0]",
        words("--lr_scheduler_type constant_with_warmup"),
        words("--lr_scheduler_type cosine"),
    ),
    other(
        "early-stopping",
        "spec.trialTemplate.args[0]",
        words("USE_EARLY_STOPPING=true"),
        words("--disable-early-stopping"),
    ),
    other(
        "early-stopping",
        "spec.trialTemplate.args[0]",
        words("--patience=3"),
        words("--lr-patience=3"),
    ),
    other(
        "evaluation-by-time",
        "spec.trialTemplate.args[0]",
        words("--eval-seconds=60"),
        words("--eval-timeout-seconds=600"),
    ),
    other(
        "evaluation-by-time",
        "spec.trialTemplate.args[0]",
        words("--eval-every-secs=60"),
        words("--eval-every-steps=60 --timeout-seconds=3600"),
    ),
    Case(
        "long-warmup",
        (RATE, tuned("warmup_steps", 1, 61)),
        (RATE, tuned("warmup_steps", 1, 60)),
        hyperparameter(1, ""),
        {"steps": 600},
        {"steps": 600},
    ),
    other(
        "long-warmup",
        "spec.trialTemplate.args[0]",
        {"steps": 600, **words("--warmup-steps=61")},
        {"steps": 600, **words("--warmup-steps=$(HP_WARMUP_STEPS)")},
    ),
    other("batch-norm-hosts", "spec.trialTemplate.spec.parallelism", {"pods": 2, "indexed": True}, {"indexed": True}),
    other("batch-norm-hosts", "spec.trialTemplate.spec.completionMode", {"pods": 2}, {"pods": 2, "indexed": True}),
    Case(
        "batch-norm-hosts",
        (RATE, fixed("batch_norm", True)),
        (RATE, fixed("layer_norm", True)),
        hyperparameter(1, ""),
        {"pods": 2},
        {"pods": 2},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_speaks_where_it_must_and_only_there(case: Case) -> None:
    assert (case.rule, case.path) in told(plan(*case.wrong, **case.wrong_rest))
    assert (case.rule, case.path) not in told(plan(*case.right, **case.right_rest))


def test_a_plan_as_the_playbook_would_have_it_raises_no_warning() -> None:
    design = plan(
        *OPTIMIZERS,
        tuned("momentum", optimizer=("nesterov",)),
        tuned("beta1", optimizer=("adam",)),
        fixed("hidden_units", 64),
        steps=600,
        words=(
            Words("a", "--schedule=cosine"),
            Words("b", "--eval-interval-steps=10"),
            Words("c", "--warmup-steps=20"),
        ),
    )
    assert told(design) == []


def test_every_rule_that_speaks_is_in_the_table_and_says_what_to_write_instead() -> None:
    for case in CASES:
        for finding in lint(plan(*case.wrong, **case.wrong_rest)):
            assert finding.rule in RULES
            assert finding.message.endswith(".")
            assert finding.advice.endswith(".")


def test_only_tuned_steps_and_batch_sizes_are_denied() -> None:
    denied = {f.rule for case in CASES for f in lint(plan(*case.wrong, **case.wrong_rest)) if f.severity == "Denial"}
    assert denied == {"tuned-steps", "tuned-batch-size"}


def test_a_comparison_of_batch_sizes_is_allowed() -> None:
    assert [finding.severity for finding in lint(plan(BATCHES, RATE))] == [Severity.WARNING]


def test_every_fixed_value_is_told_as_a_caveat() -> None:
    [finding] = lint(plan(RATE, fixed("hidden_units", 64), fixed("augment", False)))
    assert finding.severity is Severity.INFO
    assert "hidden_units=64 and augment=false" in finding.message


def test_a_search_that_nothing_confirms_is_told_that_it_will_not_decide() -> None:
    [finding] = lint(plan(RATE, confirms=False))
    assert (finding.rule, finding.severity, finding.subject.field) == ("decision", Severity.INFO, "spec.confirmation")
    assert lint(plan(RATE)) == ()


def test_what_an_earlier_round_found_not_to_matter_may_be_fixed() -> None:
    assert told(plan(RATE, fixed("momentum", 0.9), follows_a_round=True)) == []


def test_trials_are_counted_by_the_arm() -> None:
    two_arms = (scientific("width", "s", "l"), RATE, tuned("beta1"))
    assert told(plan(*two_arms, trials=19)) == [("adam-budget", hyperparameter(2))]
    assert told(plan(*two_arms, trials=20)) == []


@pytest.mark.parametrize(("dimensions", "points", "shared"), [(8, 32, True), (10, 64, True), (6, 32, False)])
def test_few_points_in_many_dimensions_do_not_tell_all_of_them_apart(
    dimensions: int, points: int, shared: bool
) -> None:
    """The largest share of the variance that the parabolas of two coordinates have in common, over scrambles."""

    def most(seed: int) -> float:
        coordinates = 2 * sobol(dimensions, points, seed) - 1
        parabolas = numpy.polynomial.legendre.legvander(coordinates.T, 2)[:, :, 1:]
        bases = [numpy.linalg.qr(each - each.mean(axis=0))[0] for each in parabolas]
        pairs = itertools.combinations(bases, 2)
        return max(float(numpy.linalg.norm(one.T @ other, 2)) ** 2 for one, other in pairs)

    assert (statistics.median(map(most, range(20))) > 0.3) is shared


def test_dimensions_are_those_of_an_arm() -> None:
    apart = [tuned(f"{arm}{n}", optimizer=(arm,)) for arm in ("nesterov", "adam") for n in range(5)]
    design = plan(*OPTIMIZERS, *apart)
    assert len(design.space.dimensions) > MANY_DIMENSIONS
    assert told(design) == []


def test_a_grid_is_one_of_an_arm() -> None:
    apart = [chosen(f"{arm}_size", 1, 2, 3, optimizer=(arm,)) for arm in ("nesterov", "adam")]
    assert told(plan(*OPTIMIZERS, *apart)) == []
    one = [chosen(name, 1, 2, 3, optimizer=("adam",)) for name in ("depth", "width")]
    [first, second] = [
        finding for finding in lint(plan(*OPTIMIZERS, *apart[:1], *one)) if finding.rule == "grid-search"
    ]
    assert (first.subject.hyperparameter, second.subject.hyperparameter) == ("depth", "width")
    assert "a grid in 3 dimensions" in first.message


def test_a_name_with_several_ranges_is_one_dimension() -> None:
    shape = chosen("shape", "deep", "wide")
    sizes = [tuned(f"x{n}", shape=(value,)) for n in range(4) for value in ("deep", "wide")]
    assert told(plan(shape, *sizes)) == []


def test_a_parent_that_exists_under_one_optimizer_only_conditions_what_depends_on_it() -> None:
    switch = scientific("nesterov_style", True, False, optimizer=("nesterov",))
    assert told(plan(*OPTIMIZERS, switch, tuned("momentum", nesterov_style=(True,)))) == []


def test_a_waiver_turns_its_rule_into_information_with_the_reason() -> None:
    def waived(rule: str) -> list[Finding]:
        return [*waive(lint(plan(RATE, tuned("steps", 1, 9))), {rule: "Its cost is the question."})]

    [finding] = waived("tuned-steps")
    assert finding.severity is Severity.INFO
    assert finding.message.endswith("Waived: Its cost is the question.")
    assert [finding.severity for finding in waived("tuned-batch-size")] == [Severity.DENIAL]
