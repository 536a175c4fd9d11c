"""What follows from a round, finding by finding; and what does not is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy
import pytest
from study_operator.findings import Evidence, findings
from study_operator.results.ranking import Ranked, Ranking
from study_operator.rounds import Change, Plan, Put, change_text, propose
from study_operator.space import Choices, Hyperparameter, Range, Role, Space, Value

from tests.findings.evidence_samples import LEARNING_RATE, sobol, study, unit_space
from tests.rounds.samples import ARMS, RATE, TWO_ARMS, exploring, found, moves, proposed, remark, round_of


def test_nothing_to_change_is_an_answer() -> None:
    proposal = proposed(round_of(LEARNING_RATE))
    assert proposal.changes == ()
    assert proposal.launch is not None
    assert proposal.summary.startswith(f"Nothing to change: launch {proposal.launch.trial} with validation_error")


def test_a_round_without_a_result_has_nothing_to_go_on_from() -> None:
    proposal = proposed(study(unit_space(1), sobol(1, 8), [float("nan")] * 8), found("infeasible-trials"))
    assert (proposal.changes, proposal.launch) == ((), None)
    assert proposal.notes == ("It was seen. Act.",)


def test_a_range_is_widened_where_the_best_is_at_its_end() -> None:
    proposal = proposed(round_of(LEARNING_RATE), found("search-space-boundary", "learning_rate", side="max", to=10.0))
    assert moves(proposal) == [(f"{RATE}.max", "1", "10")]
    assert proposal.changes[0].edits == (Put(f"{RATE}.max", 10),)
    assert (proposal.changes[0].rule, proposal.changes[0].reason) == ("search-space-boundary", "It was seen.")


def test_a_range_is_trimmed_to_what_trains() -> None:
    proposal = proposed(round_of(LEARNING_RATE), found("infeasible-trials", "learning_rate", side="max", to=0.1))
    assert moves(proposal) == [(f"{RATE}.max", "1", "0.1")]


def test_a_choice_that_never_trains_is_left_out() -> None:
    norm = Hyperparameter("norm", Role.NUISANCE, Choices(("batch", "layer", "none")))
    proposal = proposed(round_of(LEARNING_RATE, norm), found("infeasible-trials", "norm", choice="none"))
    assert moves(proposal) == [("spec.hyperparameters[1].choices", "batch, layer, none", "batch, layer")]


def test_a_range_that_arms_share_is_trimmed_only_where_all_of_them_agree() -> None:
    evidence = round_of(*TWO_ARMS)
    agreed = [found("infeasible-trials", "dropout", f"optimizer={arm}", side="max", to=to) for arm, to in ARMS]
    assert moves(proposed(evidence, agreed[0])) == []
    [change] = proposed(evidence, *agreed).changes
    assert (change.path, change.after) == ("spec.hyperparameters[4].range.max", "0.3")
    assert change.subject == "optimizer=nesterov"


def test_a_conditional_range_is_that_of_the_arm() -> None:
    seen = found("search-space-boundary", "learning_rate", "optimizer=adam", side="min", to=1e-5)
    assert moves(proposed(round_of(*TWO_ARMS), seen)) == [("spec.hyperparameters[2].range.min", "0.0001", "1e-05")]


def test_a_learning_rate_at_the_edge_is_not_expanded_but_probed() -> None:
    proposal = proposed(round_of(LEARNING_RATE), found("learning-rate-edge", "learning_rate"))
    assert proposal.changes == ()
    assert proposal.summary.startswith("Nothing of the manifest is to change. Before you launch")
    assert proposal.notes == ("learning_rate: It was seen. Act.",)


def test_a_note_names_the_arm_it_is_of() -> None:
    seen = [found("infeasible-trials", arm=f"optimizer={arm}") for arm, _ in ARMS]
    assert proposed(round_of(*TWO_ARMS), *seen).notes == (
        "optimizer=adam: It was seen. Act.",
        "optimizer=nesterov: It was seen. Act.",
    )


def test_what_warns_and_changes_nothing_is_to_be_read_before_a_launch() -> None:
    proposal = proposed(round_of(LEARNING_RATE), found("still-improving"), found("late-variance"))
    assert proposal.changes == ()
    assert proposal.summary.startswith("Nothing of the manifest is to change. Before you launch")
    assert len(proposal.notes) == 2


def test_more_trials_are_for_every_arm() -> None:
    evidence = round_of(*TWO_ARMS)
    seen = [found("enough-points", arm="optimizer=adam", to=64), found("enough-points", arm="optimizer=nesterov")]
    proposal = proposed(evidence, *seen, seed=7)
    assert moves(proposal) == [("spec.budget.trials", "64", "128"), ("spec.sampler.seed", "7", "8")]


def test_a_nuisance_that_no_arm_is_sensitive_to_is_fixed_at_the_best_arms_value() -> None:
    evidence = round_of(*TWO_ARMS)
    for_all = [found("insensitive-nuisance", "dropout", f"optimizer={arm}") for arm, _ in ARMS]
    assert moves(exploring(evidence, for_all[0])) == []
    [change] = exploring(evidence, *for_all).changes
    best = evidence.arms[0].trials[evidence.arms[0].best or 0].spec.parameters["dropout"]
    assert (change.before, change.after) == ("Nuisance 0 to 0.4", f"Fixed {float(best):.3g}")


@pytest.mark.parametrize(("low", "high"), [(0.9991, 0.9999), (1000.0, 1010.0), (0.8, 0.999)])
def test_a_fixed_value_is_where_the_best_trial_is_in_its_range_however_narrow(low: float, high: float) -> None:
    beta2 = Hyperparameter("beta2", Role.NUISANCE, Range(low, high))
    for best in (0.01, 0.5, 0.99):
        evidence = round_of(beta2, LEARNING_RATE, best=best)
        [change] = exploring(evidence, found("insensitive-nuisance", "beta2")).changes
        launched = evidence.arms[0].trials[evidence.arms[0].best or 0].spec.parameters["beta2"]
        value = float(change.after.removeprefix("Fixed "))
        assert low <= value <= high
        assert value == pytest.approx(float(launched), abs=0.01 * (high - low))


def test_of_equal_trials_the_best_is_the_first_as_in_the_ranking() -> None:
    space = Space.build([TWO_ARMS[0], LEARNING_RATE, TWO_ARMS[4]])
    places = numpy.arange(16)
    evidence = study(space, sobol(2, 16), {0: 1.0 - (places == 9), 1: 1.0 - (places == 4)})
    ranking = Ranking(evidence.objective.direction)
    for trial in evidence.trials:
        assert trial.status.objective is not None
        ranking.add(Ranked(trial.spec.index, trial.spec.arm, trial.status.objective.value, None))
    best = next(trial for trial in evidence.trials if trial.spec.index == ranking.top(1)[0].index)
    assert best.spec.arm == 1
    assert evidence.best is best
    insensitive = [found("insensitive-nuisance", "dropout", f"optimizer={arm}") for arm, _ in ARMS]
    proposal = exploring(evidence, *insensitive)
    assert proposal.launch is not None
    assert proposal.launch.trial == best.spec.name
    [change] = proposal.changes
    assert change.after == f"Fixed {float(best.spec.parameters['dropout']):.3g}"


def test_a_learning_rate_stays_tuned_and_an_arm_keeps_something_to_tune() -> None:
    assert proposed(round_of(LEARNING_RATE), found("insensitive-nuisance", "learning_rate")).changes == ()
    width = Hyperparameter("width", Role.NUISANCE, Range(1.0, 9.0))
    assert proposed(round_of(width), found("insensitive-nuisance", "width")).changes == ()


@pytest.mark.parametrize("finding", ["insensitive-nuisance", "early-saturation"])
def test_while_a_range_moves_nothing_is_fixed_and_no_training_shortened(finding: str) -> None:
    evidence = round_of(LEARNING_RATE, Hyperparameter("dropout", Role.NUISANCE, Range(0.0, 0.4)))
    moving = found("search-space-boundary", "learning_rate", side="min", to=1e-5)
    other = found(finding, "dropout", settled=0.2)
    assert len(exploring(evidence, other).changes) == 1
    assert moves(exploring(evidence, other, moving)) == [(f"{RATE}.min", "0.0001", "1e-05")]


def test_points_that_follow_the_results_do_not_tell_what_matters() -> None:
    evidence = round_of(LEARNING_RATE, Hyperparameter("dropout", Role.NUISANCE, Range(0.0, 0.4)))
    assert proposed(evidence, found("insensitive-nuisance", "dropout"), exploitation=True).changes == ()


def test_what_was_waived_has_no_consequence() -> None:
    seen = found("search-space-boundary", "learning_rate", side="max", to=10.0, waived="yes")
    assert proposed(round_of(LEARNING_RATE), seen).summary.startswith("Nothing to change: launch")


def test_a_summary_calls_hyperparameters_by_their_names() -> None:
    seen = found("search-space-boundary", "learning_rate", "optimizer=adam", side="min", to=1e-5)
    summary = proposed(round_of(*TWO_ARMS), seen).summary
    assert summary.startswith("1 change: learning_rate (optimizer=adam) min from 0.0001 to 1e-05.")


def test_a_change_is_told_by_its_hyperparameter_or_its_path() -> None:
    space = round_of(LEARNING_RATE).space
    change = Change("spec.hyperparameters[0].range.max", "0.1", "1", "It is better there.", "search-space-boundary", ())
    assert change_text(change, space) == "learning_rate max from 0.1 to 1"
    role = replace(change, path="spec.hyperparameters[0].role", before="Nuisance", after="Fixed")
    assert change_text(role, space) == "learning_rate role from Nuisance to Fixed"
    assert change_text(replace(change, path="spec.sampler.seed", before=""), space) == "spec.sampler.seed to 1"


def test_more_trials_alone_are_had_cheaper_in_the_same_study() -> None:
    proposal = proposed(round_of(LEARNING_RATE), found("enough-points", to=64), seed=7)
    assert any("raise spec.budget.trials in its own manifest" in note for note in proposal.notes)
    moving = found("search-space-boundary", "learning_rate", side="max", to=10.0)
    assert proposed(round_of(LEARNING_RATE), found("enough-points", to=64), moving).notes == ()


def test_an_exploration_of_few_points_is_not_launched_without_a_word() -> None:
    proposal = proposed(round_of(LEARNING_RATE), remark("enough-points"), exploitation=False)
    assert proposal.changes == ()
    assert proposal.summary.startswith("Nothing of the manifest is to change. Before you launch")
    assert proposal.notes == ("It was seen. Act.",)


def test_every_next_round_has_points_of_its_own() -> None:
    moving = found("search-space-boundary", "learning_rate", side="max", to=10.0)
    assert moves(proposed(round_of(LEARNING_RATE), moving, seed=2**31 - 1))[-1] == (
        "spec.sampler.seed",
        "2147483647",
        "0",
    )
    assert proposed(round_of(LEARNING_RATE), seed=7).changes == ()


def test_a_baseline_follows_into_the_new_space() -> None:
    baseline = {"optimizer": "adam", "learning_rate": 0.01, "dropout": 0.0}
    proposal = proposed(round_of(*TWO_ARMS), exploitation=False, baseline=baseline)
    [follows] = [change for change in proposal.changes if change.path == "spec.confirmation.baseline"]
    [edit] = follows.edits
    assert isinstance(edit, Put)
    value = edit.value
    assert isinstance(value, dict)
    assert list(value) == ["learning_rate", "momentum", "dropout"]


def test_a_baseline_keeps_what_was_fixed_and_is_tuned_now() -> None:
    decay = Hyperparameter("weight_decay", Role.FIXED, Value(0.0))
    evidence = round_of(LEARNING_RATE, decay)
    proposal = proposed(evidence, found("overfitting"), baseline={"learning_rate": 0.1})
    assert moves(proposal)[1] == ("spec.confirmation.baseline", "", "learning_rate=0.1, weight_decay=0")
    assert len(proposed(evidence, baseline={"learning_rate": 0.1}).changes) == 0


def test_a_best_learning_rate_outside_the_range_is_found_and_widened_for() -> None:
    evidence = round_of(LEARNING_RATE, best=1.2)
    proposal = propose(evidence, findings(evidence), Plan(trials=32))
    assert moves(proposal) == [(f"{RATE}.max", "1", "10")]


def test_the_same_evidence_makes_the_same_proposal_whatever_the_order_of_the_trials() -> None:
    evidence = round_of(*TWO_ARMS, best=1.2)
    turned = Evidence(*[getattr(evidence, name) for name in FIELDS], evidence.trials[::-1], None)
    assert propose(evidence, findings(evidence), Plan(64)) == propose(turned, findings(turned), Plan(64))


FIELDS: Sequence[str] = ("study", "space", "objective", "steps", "training_metrics", "validation_metrics")
