import sys

import numpy
import optuna
import pytest
from study_operator.samplers import BayesianSampler, Observation, SamplerUnavailable, SobolSampler, SuggestionRequest
from study_operator.space import Choices, Hyperparameter, Range, Role, Space

SPACE = Space.build(
    [
        Hyperparameter("arm", Role.SCIENTIFIC, Choices(("plain", "rich"))),
        Hyperparameter("x", Role.NUISANCE, Range(0.0, 1.0)),
        Hyperparameter("activation", Role.NUISANCE, Choices(("relu", "gelu", "tanh"))),
        Hyperparameter("y", Role.NUISANCE, Range(0.0, 1.0), {"arm": ("rich",)}),
    ]
)
LINE = Space.build([Hyperparameter("x", Role.NUISANCE, Range(0.0, 1.0))])


def run(sampler, trials, loss, feasible=lambda point: True):
    """The observations of ``trials`` trials, one after the other."""
    known = []
    for index in range(trials):
        suggestion = sampler.suggest(SuggestionRequest(index, known))
        ok = feasible(suggestion.point)
        known.append(
            Observation(index, suggestion.arm, suggestion.point, loss(suggestion.point) if ok else None, not ok)
        )
    return known


def spread(space, count=30, value=lambda point: point[0], **changes):
    sampler = SobolSampler(space, 1)
    suggested = [sampler.suggest(SuggestionRequest(index)) for index in range(count)]
    return [Observation(s.index, s.arm, s.point, value(s.point), **changes) for s in suggested]


def test_gets_closer_to_the_optimum_than_exploration_does():
    def regret(sampler, seed):
        optimum = numpy.random.default_rng(seed).uniform(0.1, 0.9, 3)
        trials = run(sampler(SPACE, seed), 80, lambda point: float(((point - optimum) ** 2).sum()))
        return min(trial.value for trial in trials)

    ratios = [regret(BayesianSampler, seed) / regret(SobolSampler, seed) for seed in range(10)]
    assert numpy.median(ratios) < 0.7


def test_learns_what_is_feasible_where_the_objective_says_nothing():
    studies = [
        run(BayesianSampler(LINE, seed), 60, lambda point: 1.0, lambda point: point[0] < 0.5) for seed in range(10)
    ]
    assert numpy.mean([trial.infeasible for trials in studies for trial in trials[:20]]) == pytest.approx(0.5, abs=0.05)
    assert numpy.mean([trial.infeasible for trials in studies for trial in trials[40:]]) < 0.3


def test_stays_away_from_pending_trials():
    known = spread(LINE)
    pending = [Observation(100 + i, 0, (i / 100,)) for i in range(10)]
    free, kept_off = (
        [BayesianSampler(LINE, seed).suggest(SuggestionRequest(500, trials)).point[0] for seed in range(30)]
        for trials in (known, known + pending)
    )
    assert numpy.mean(free) < 0.1 < numpy.mean(kept_off)


def test_an_arm_learns_from_its_own_trials_alone():
    known = spread(SPACE, 60)
    others = [Observation(t.index, t.arm, t.point, -t.value if t.arm else t.value) for t in known]
    sampler = BayesianSampler(SPACE, 7)
    assert sampler.suggest(SuggestionRequest(60, others)) == sampler.suggest(SuggestionRequest(60, known))
    assert sampler.suggest(SuggestionRequest(61, others)) != sampler.suggest(SuggestionRequest(61, known))


def test_a_dimension_that_the_arm_does_not_have_stays_explored():
    known, sampler = spread(SPACE, 60), BayesianSampler(SPACE, 7)
    chosen, explored = (s.suggest(SuggestionRequest(60, known)).point for s in (sampler, SobolSampler(SPACE, 7)))
    assert [c == e for c, e in zip(chosen, explored, strict=True)] == [False, False, True]


def test_a_choice_is_suggested_by_the_middle_of_its_part():
    point = BayesianSampler(SPACE, 7).suggest(SuggestionRequest(61, spread(SPACE, 60))).point
    assert point[1] in (0.5 / 3, 1.5 / 3, 2.5 / 3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"count": 9}, "its arm has 9 results, and a model needs 10"),
        ({"infeasible": True}, "its arm has 0 results, and a model needs 10"),
        ({"value": lambda point: float("nan")}, "its arm has 0 results, and a model needs 10"),
        ({"value": lambda point: None}, "its arm has 0 results, and a model needs 10"),
        (
            {"value": lambda point: -float("inf") if point[0] < 0.5 else 1.0},
            "15 with a result, 15 infeasible, 0 pending",
        ),
        ({"value": lambda point: None if point[0] < 0.5 else 1.0}, "15 with a result, 0 infeasible, 15 pending"),
    ],
)
def test_the_reason_says_what_the_decision_rests_on(changes, reason):
    assert BayesianSampler(LINE, 7).suggest(SuggestionRequest(50, spread(LINE, **changes))).reason.endswith(reason)


def test_leaves_optuna_as_it_was_and_says_nothing(capfd):
    verbosity = optuna.logging.get_verbosity()
    BayesianSampler(LINE, 7).suggest(SuggestionRequest(50, spread(LINE)))
    assert optuna.logging.get_verbosity() == verbosity
    assert capfd.readouterr() == ("", "")


def test_says_how_to_get_optuna_where_it_is_missing(monkeypatch):
    monkeypatch.delitem(sys.modules, "study_operator.samplers.tpe", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SamplerUnavailable, match=r"install study-operator\[exploitation\]"):
        BayesianSampler(LINE, 7)
