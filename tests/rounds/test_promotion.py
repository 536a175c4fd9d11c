"""From a short round to a long one."""

from __future__ import annotations

from typing import Any

import pytest
from study_operator.findings import Evidence, Finding, Severity, Subject
from study_operator.rounds import Plan, Proposal, promote
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space, Value

from tests.findings.evidence_samples import sobol, study

RATE = Hyperparameter("learning_rate", Role.NUISANCE, Range(0.001, 10.0, ScaleName.LOG))
WIDTH = Hyperparameter("hidden_units", Role.NUISANCE, Range(16, 256, ScaleName.LOG, integer=True))
DECAY = Hyperparameter("weight_decay", Role.NUISANCE, Range(1e-6, 1e-2, ScaleName.LOG))


def fixed(name: str, value: Any) -> Hyperparameter:
    return Hyperparameter(name, Role.FIXED, Value(value))


def short_round(*definitions: Hyperparameter) -> Evidence:
    space = Space.build(definitions)
    points = sobol(len(space.dimensions), 16)
    return study(space, points, {arm.index: abs(points[:, 0] - 0.5) + arm.index for arm in space.arms})


def promoted(*definitions: Hyperparameter, factor: float = 10.0, **plan: Any) -> Proposal:
    return promote(short_round(*definitions), Plan(**{"trials": 16, **plan}), factor)


def after(proposal: Proposal) -> dict[str, str]:
    return {change.path: change.after for change in proposal.changes}


def test_a_few_long_trainings_near_the_best() -> None:
    proposal = promoted(RATE, WIDTH, DECAY, fixed("warmup_steps", 50))
    changed = after(proposal)
    assert changed["spec.training.steps"] == "10000"
    assert changed["spec.budget.trials"] == "8"
    assert changed["spec.hyperparameters[1]"].startswith("Fixed ")
    assert "spec.hyperparameters[3]" not in changed
    low, high = map(float, changed["spec.hyperparameters[0].range"].split(" to "))
    best = float(proposal.launch.parameters["learning_rate"]) if proposal.launch else 0.0
    assert low < best < high
    assert high / low == pytest.approx(10.0, rel=0.02)
    assert any("unlikely" in note for note in proposal.notes)


@pytest.mark.parametrize(("factor", "steps"), [(2.007, "2007"), (1.0001, "1001")])
def test_the_length_is_that_of_the_factor_as_it_is_written(factor: float, steps: str) -> None:
    assert after(promoted(RATE, factor=factor))["spec.training.steps"] == steps


def test_only_the_best_arm_is_trained_long() -> None:
    arms = Hyperparameter("optimizer", Role.SCIENTIFIC, Choices(("adam", "nesterov")))
    momentum = Hyperparameter("momentum", Role.NUISANCE, Range(0.8, 0.99), {"optimizer": ("nesterov",)})
    changed = after(promoted(momentum, arms, RATE))
    assert changed["spec.hyperparameters[1]"] == "Fixed adam"
    assert "spec.hyperparameters[0]" not in changed


def test_what_has_the_best_trials_name_in_another_arm_is_not_taken_for_it() -> None:
    optimizer = Hyperparameter("optimizer", Role.SCIENTIFIC, Choices(("adam", "sgd")))
    of_sgd = Hyperparameter("weight_decay", Role.NUISANCE, Range(1e-6, 1e-2, ScaleName.LOG), {"optimizer": ("sgd",)})
    of_adam = Hyperparameter("weight_decay", Role.NUISANCE, Choices(("coupled", "off")), {"optimizer": ("adam",)})
    changed = after(promoted(of_sgd, of_adam, optimizer, RATE))
    assert "spec.hyperparameters[0]" not in changed
    assert changed["spec.hyperparameters[1]"] in ("Fixed coupled", "Fixed off")
    assert changed["spec.hyperparameters[2]"] == "Fixed adam"


@pytest.mark.parametrize(
    ("name", "before", "expected"),
    [
        ("decay_steps", 400, None),
        ("constant_steps", 600, "9600"),
        ("decay_fraction", 0.4, "0.04"),
        ("constant_fraction", 0.6, "0.96"),
    ],
)
def test_a_linear_decay_keeps_its_length(name: str, before: float, expected: str | None) -> None:
    proposal = promoted(RATE, fixed("schedule", "linear"), fixed(name, before))
    assert after(proposal).get("spec.hyperparameters[2].value") == expected
    assert [note for note in proposal.notes if note.startswith("Linear decay: keep the decay's 1000 steps at most")]


@pytest.mark.parametrize("plan", [{"words": "--lr-schedule=cosine"}, {}])
def test_a_cosine_is_stretched_at_the_same_base_learning_rate(plan: dict[str, Any]) -> None:
    schedule = [] if plan else [fixed("schedule", "cosine")]
    proposal = promoted(RATE, *schedule, **plan)
    low, high = map(float, after(proposal)["spec.hyperparameters[0].range"].split(" to "))
    assert high / low == pytest.approx(10**0.4, rel=0.02)
    notes = proposal.notes
    assert "Cosine decay: keep the base learning rate, and stretch the schedule to 10000 steps." in notes
    assert not any(note.startswith("Linear") for note in notes)


def test_a_schedule_that_is_not_told_is_asked_for() -> None:
    assert [note.split(":")[0] for note in promoted(RATE).notes[:2]] == ["Linear decay", "Cosine decay"]


def test_what_the_short_round_warned_of_is_not_promoted_without_a_word() -> None:
    seen = [
        Finding(rule, severity, Subject(), f"{rule} was seen.", "Act.", numbers)
        for rule, severity, numbers in (
            ("overfitting", Severity.WARNING, {}),
            ("still-improving", Severity.WARNING, {}),
            ("late-variance", Severity.WARNING, {"waived": "yes"}),
            ("axis-plots", Severity.INFO, {}),
        )
    ]
    notes = promote(short_round(RATE), Plan(16), 10.0, seen).notes
    assert [note for note in notes if "was seen" in note] == [
        "Seen in the short round, and promoted with it: overfitting was seen. Act."
    ]


def test_limits_of_time_are_named() -> None:
    limited = promoted(RATE, limits=("spec.budget.maxDuration 6h",)).notes
    assert any("about 10 times as long now" in note and "spec.budget.maxDuration 6h" in note for note in limited)
    assert not any("as long now" in note for note in promoted(RATE).notes)


@pytest.mark.parametrize("factor", [1.0, 0.5, float("nan"), float("inf")])
def test_a_promotion_is_longer(factor: float) -> None:
    with pytest.raises(ValueError, match="larger than 1"):
        promoted(RATE, factor=factor)
