"""What is done about trainings that overfit, diverge, are clipped or too long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from study_operator.findings import Subject
from study_operator.rounds import Put, Swap
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Value

from tests.findings.evidence_samples import LEARNING_RATE
from tests.rounds.samples import ARMS, RATE, TWO_ARMS, found, moves, of_arm, proposed, round_of


def test_a_fixed_warmup_becomes_a_ladder_under_a_tenth_of_the_steps() -> None:
    warmup = Hyperparameter("warmup_steps", Role.FIXED, Value(0))
    proposal = proposed(round_of(LEARNING_RATE, warmup), found("learning-rate-edge", "learning_rate"))
    assert moves(proposal) == [("spec.hyperparameters[1]", "Fixed 0", "Nuisance of 0, 10, 100")]


def test_a_warmup_that_is_longer_than_a_tenth_stays_a_choice_as_the_baseline_has_it() -> None:
    warmup = Hyperparameter("warmup_steps", Role.FIXED, Value(250))
    edge = found("learning-rate-edge", "learning_rate")
    ladder, baseline = proposed(round_of(LEARNING_RATE, warmup), edge, baseline={"learning_rate": 0.1}).changes
    assert ladder.after == "Nuisance of 10, 100, 250"
    assert baseline.edits == (Put("spec.confirmation.baseline", {"learning_rate": 0.1, "warmup_steps": 250}),)


def test_a_fixed_regulariser_is_tuned_where_trials_overfit() -> None:
    decay = Hyperparameter("weight_decay", Role.FIXED, Value(0.0))
    proposal = proposed(round_of(LEARNING_RATE, decay), found("overfitting"))
    assert moves(proposal) == [("spec.hyperparameters[1]", "Fixed 0", "Nuisance 1e-06 to 0.01 Log")]
    assert proposal.changes[0].edits[1] == Swap(
        "spec.hyperparameters[1].value", "range", {"min": 1e-06, "max": 0.01, "scale": "Log"}
    )


@pytest.mark.parametrize(
    ("name", "value", "strengths"),
    [
        ("weight_decay", 0.0001, "1e-06 to 0.01 Log"),
        ("weight_decay", 0.1, "1e-06 to 1 Log"),
        ("dropout", 0.6, "0 to 0.8"),
        ("dropout", "off", "0 to 0.5"),
    ],
)
def test_what_overfits_at_a_strong_fixed_regulariser_has_stronger_ones_in_the_range(
    name: str, value: float | str, strengths: str
) -> None:
    fixed = Hyperparameter(name, Role.FIXED, Value(value))
    [change] = proposed(round_of(LEARNING_RATE, fixed), found("overfitting")).changes
    assert change.after == f"Nuisance {strengths}"


@pytest.mark.parametrize(("best", "expected"), [(0.9, "0.6"), (0.1, "")])
def test_a_tuned_regulariser_gets_stronger_where_it_is_strong_already(best: float, expected: str) -> None:
    dropout = Hyperparameter("dropout", Role.NUISANCE, Range(0.0, 0.4))
    proposal = proposed(round_of(dropout, LEARNING_RATE, best=best), found("overfitting"))
    assert [change.after for change in proposal.changes] == ([expected] if expected else [])
    assert proposal.notes == (() if expected else ("It was seen. Act.",))


def test_what_overfits_at_a_weak_regulariser_has_stronger_ones_in_the_range() -> None:
    dropout = Hyperparameter("dropout", Role.NUISANCE, Range(0.0, 0.4))
    evidence = round_of(dropout, LEARNING_RATE, best=0.9)
    weakest = min(evidence.trials, key=lambda trial: float(trial.spec.parameters["dropout"]))
    seen = replace(found("overfitting"), subject=Subject(arm="all", trial=weakest.spec.name))
    proposal = proposed(evidence, seen)
    assert proposal.changes == ()
    [note] = proposal.notes
    assert note.endswith("It was seen. Act.")


@pytest.mark.parametrize(
    ("dropout", "told"),
    [
        (Hyperparameter("dropout", Role.NUISANCE, Choices((0.0, 0.1))), "dropout (of 0, 0.1)"),
        (Hyperparameter("dropout", Role.SCIENTIFIC, Range(0.0, 0.4)), "dropout (0 to 0.4)"),
    ],
)
def test_a_regulariser_that_cannot_be_made_stronger_is_named(dropout: Hyperparameter, told: str) -> None:
    proposal = proposed(round_of(LEARNING_RATE, dropout), found("overfitting"))
    assert proposal.changes == ()
    assert proposal.notes == (f"It was seen. A stronger regulariser is wanted than the manifest's {told}.",)


def test_a_regulariser_that_is_not_there_is_to_be_added() -> None:
    [note] = proposed(round_of(LEARNING_RATE), found("overfitting")).notes
    assert note.startswith("It was seen. The manifest names no regulariser: add one")


def test_what_is_saturated_early_in_every_arm_is_shortened() -> None:
    evidence = round_of(*TWO_ARMS)
    early = [found("early-saturation", arm=f"optimizer={arm}", settled=share) for arm, share in ARMS]
    assert moves(proposed(evidence, early[0])) == []
    assert moves(proposed(evidence, *early)) == [("spec.training.steps", "1000", "450")]


def test_what_was_clipped_is_clipped_higher_and_learns_as_slowly_as_it_did() -> None:
    clipping = Hyperparameter("gradient_clipping", Role.FIXED, Value(1.0))
    evidence = round_of(LEARNING_RATE, clipping)
    mild, strong = (found("gradient-clipping", threshold=1.0, median=median, p90=25.2) for median in (2.0, 500.0))
    assert moves(proposed(evidence, mild)) == [("spec.hyperparameters[1].value", "1", "25")]
    assert moves(proposed(evidence, strong)) == [
        (f"{RATE}.min", "0.0001", "6e-06"),
        ("spec.hyperparameters[1].value", "1", "25"),
    ]


@pytest.mark.parametrize("names", [("learning_rate", "learning_rate"), ("base_lr", "peak_lr")])
def test_clipping_says_nothing_of_the_learning_rate_of_another_optimizer(names: tuple[str, str]) -> None:
    optimizer = Hyperparameter("optimizer", Role.NUISANCE, Choices(("adam", "sgd")))
    of_adam = of_arm("adam", names[0], Role.NUISANCE, Range(1e-4, 1e-2, ScaleName.LOG))
    of_sgd = of_arm("sgd", names[1], Role.NUISANCE, Range(1e-2, 1.0, ScaleName.LOG))
    evidence = round_of(optimizer, of_adam, of_sgd, best=0.2)
    clipped = found("gradient-clipping", threshold=1.0, median=500.0, p90=25.2)
    [change] = proposed(evidence, clipped).changes
    assert change.path == "spec.hyperparameters[1].range.min"


def test_clipping_is_undone_at_the_learning_rate_of_the_trial_that_was_clipped() -> None:
    evidence = round_of(LEARNING_RATE)
    highest = max(evidence.trials, key=lambda trial: float(trial.spec.parameters["learning_rate"]))
    seen = found("gradient-clipping", threshold=1.0, median=3000.0, p90=25.2)
    assert len(proposed(evidence, seen).changes) == 1
    assert proposed(evidence, replace(seen, subject=Subject(arm="all", trial=highest.spec.name))).changes == ()
