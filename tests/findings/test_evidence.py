from __future__ import annotations

from dataclasses import replace

import numpy
from study_operator.findings import RULES, Finding, Severity, Subject, findings
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.trial import Curve, TrialState
from study_operator.space import Choices, Hyperparameter, Range, Role, Space

from tests.findings.evidence_samples import OBJECTIVE, sobol, study, trial, unit_space


def test_arms_have_their_own_trials_in_the_order_of_the_indices():
    points = sobol(1, 8)
    evidence = study(unit_space(1, arms=2), points, {1: points[:, 0], 0: -points[:, 0]})
    shuffled = replace(evidence, trials=tuple(reversed(evidence.trials)))
    assert [arm.objective.tolist() for arm in shuffled.arms] == [(-points[:, 0]).tolist(), points[:, 0].tolist()]


def test_a_maximised_objective_is_turned_round():
    goal = Objective("accuracy", Direction.MAXIMIZE, Selection.BEST)
    (arm,) = study(unit_space(1), sobol(1, 4), [0.1, 0.9, 0.5, 0.3], goal=goal).arms
    assert arm.best == 1
    assert arm.objective[1] == -0.9


def test_trials_that_say_nothing_of_their_parameters_are_left_out_and_counted():
    evidence = study(unit_space(1), sobol(1, 4), [1.0, 2.0, numpy.nan, 3.0])
    failed = replace(
        evidence.trials[0], status=replace(evidence.trials[0].status, state=TrialState.FAILED, objective=None)
    )
    running = replace(evidence.trials[1], status=replace(evidence.trials[1].status, state=TrialState.RUNNING))
    (arm,) = replace(evidence, trials=(failed, running, *evidence.trials[2:])).arms
    assert ([one.spec.index for one in arm.trials], arm.failed) == ([2, 3], 1)
    assert arm.infeasible.tolist() == [True, False]


def test_a_finite_objective_far_off_and_no_better_than_at_its_start_has_diverged():
    space, points = unit_space(1), sobol(1, 16)
    trials = [trial(space, k, 0, tuple(points[k].tolist()), 1.0 + k / 100) for k in range(16)]

    def with_curve(start: float):
        last = trial(space, 15, 0, tuple(points[15].tolist()), 50.0)
        return replace(last, status=replace(last.status, curves={OBJECTIVE.metric: Curve((1, 2), (start, 50.0))}))

    evidence = study(space, points, [])
    for start, diverged in ((50.0, True), (90.0, False)):
        (arm,) = replace(evidence, trials=(*trials[:15], with_curve(start))).arms
        assert bool(arm.infeasible[15]) is diverged


def test_a_trial_that_is_evaluated_once_has_no_start_to_be_no_better_than():
    values = [*(1.0 + k / 100 for k in range(15)), 50.0]
    evidence = study(unit_space(1), sobol(1, 16), values)
    ended = [
        replace(each, status=replace(each.status, curves={OBJECTIVE.metric: Curve((1000,), (value,))}))
        for each, value in zip(evidence.trials, values, strict=True)
    ]
    (arm,) = replace(evidence, trials=ended).arms
    assert not arm.infeasible.any()


def test_equal_values_of_integers_and_choices_are_ties():
    space = Space.build(
        [
            Hyperparameter("layers", Role.NUISANCE, Range(1, 3, integer=True)),
            Hyperparameter("activation", Role.NUISANCE, Choices(("relu", "tanh"))),
        ]
    )
    (arm,) = study(space, sobol(2, 64), numpy.arange(64.0)).arms
    assert [len(numpy.unique(axis.coordinates)) for axis in arm.axes] == [3, 2]


def test_findings_come_in_a_stable_order_whatever_the_order_of_the_trials():
    points = sobol(3, 64)
    loss = numpy.where(points[:, 1] > 0.6, numpy.nan, (points[:, 0] - 1.3) ** 2)
    evidence = study(unit_space(3, arms=2), points, {0: loss, 1: loss}, trial_variance=0.001)
    found = findings(evidence)
    assert len({finding.rule for finding in found}) >= 3
    assert [finding.severity.rank for finding in found] == sorted(finding.severity.rank for finding in found)
    assert findings(replace(evidence, trials=tuple(reversed(evidence.trials)))) == found


def test_every_rule_has_one_id_and_a_page():
    assert {rule.number for rule in RULES.values()} == set(range(1, 35))
    assert all(rule.page for rule in RULES.values())


def test_the_gravest_findings_come_first():
    def of(severity: Severity, rule: str) -> Finding:
        return Finding(rule, severity, Subject(), "", "")

    some = [of(Severity.INFO, "enough-points"), of(Severity.WARNING, "overfitting"), of(Severity.DENIAL, "tuned-steps")]
    some.append(of(Severity.WARNING, "infeasible-trials"))
    assert [one.rule for one in sorted(some, key=lambda one: one.order)] == [
        "tuned-steps",
        "infeasible-trials",
        "overfitting",
        "enough-points",
    ]
