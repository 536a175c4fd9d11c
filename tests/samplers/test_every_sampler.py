"""The conformance suite: what the controller relies on, whichever sampler answers."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_operator.samplers import BayesianSampler, Observation, SobolSampler, SuggestionRequest, trial_seed
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space

SPACE = Space.build(
    [
        Hyperparameter("optimizer", Role.SCIENTIFIC, Choices(("sgd", "adam", "lamb"))),
        Hyperparameter("learning_rate", Role.NUISANCE, Range(1e-4, 1.0, ScaleName.LOG)),
        Hyperparameter("schedule", Role.NUISANCE, Choices(("constant", "linear", "cosine"))),
        Hyperparameter("momentum", Role.NUISANCE, Range(0.8, 0.99), {"optimizer": ("sgd",)}),
    ]
)
ARMS = len(SPACE.arms)
coordinate = st.floats(0.0, 1.0, exclude_max=True)


@st.composite
def observations(draw, count=60):
    """Trials before index ``count``: succeeded, infeasible or pending, in any order."""
    drawn = draw(st.randoms(use_true_random=False))
    outcomes = [drawn.choice([drawn.random(), drawn.random(), drawn.random(), None, math.inf]) for _ in range(count)]
    known = [
        Observation(index, index % ARMS, tuple(drawn.random() for _ in SPACE.dimensions), value, drawn.random() < 0.2)
        for index, value in enumerate(outcomes)
    ]
    drawn.shuffle(known)
    return known


@pytest.mark.parametrize("sampler", [SobolSampler, BayesianSampler])
class TestEverySampler:
    @settings(max_examples=25, deadline=None)
    @given(index=st.integers(0, 500), known=observations())
    def test_suggests_a_point_of_the_space_for_the_arm_whose_turn_it_is(self, sampler, index, known):
        suggestion = sampler(SPACE, 7).suggest(SuggestionRequest(index, known))
        assert (suggestion.index, suggestion.arm) == (index, index % ARMS)
        assert len(suggestion.point) == len(SPACE.dimensions)
        assert all(0.0 <= u < 1.0 and type(u) is float for u in suggestion.point)
        assert suggestion.seed == trial_seed(7, index)
        assert suggestion.reason

    @settings(max_examples=25, deadline=None)
    @given(index=st.integers(0, 500), known=observations(), before=st.lists(st.integers(0, 500), max_size=3))
    def test_answers_the_same_request_the_same_whatever_was_asked_before(self, sampler, index, known, before):
        asked = sampler(SPACE, 7)
        for earlier in before:
            asked.suggest(SuggestionRequest(earlier))
        assert asked.suggest(SuggestionRequest(index, known[::-1])) == sampler(SPACE, 7).suggest(
            SuggestionRequest(index, known)
        )

    def test_seeds_differ_in_their_points(self, sampler):
        points = {sampler(SPACE, seed).suggest(SuggestionRequest(0)).point for seed in range(20)}
        assert len(points) == 20

    def test_arms_are_balanced_whenever_a_study_stops(self, sampler):
        asked = sampler(SPACE, 7)
        arms = [asked.suggest(SuggestionRequest(index)).arm for index in range(10)]
        assert all(abs(arms[:stop].count(0) - arms[:stop].count(arm)) <= 1 for stop in range(10) for arm in range(ARMS))

    def test_explores_by_the_same_points_while_nothing_is_known(self, sampler):
        asked, sobol = sampler(SPACE, 7), SobolSampler(SPACE, 7)
        requests = [SuggestionRequest(index) for index in range(30)]
        assert [asked.suggest(r).point for r in requests] == [sobol.suggest(r).point for r in requests]
