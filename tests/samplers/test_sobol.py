import math
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, qmc
from study_operator.samplers import Observation, SobolSampler, SuggestionRequest
from study_operator.samplers.sobol import sobol_points
from study_operator.space import Choices, Hyperparameter, Range, Role, Space

from bench.sampling import CLAIMED, SHIFT_SD, better_arm_picked, discrepancy_ratio

RANGES = [Hyperparameter(name, Role.NUISANCE, Range(0.0, 1.0)) for name in "abcd"]
ARMS = [Hyperparameter("arm", Role.SCIENTIFIC, Choices((0, 1, 2)))]


def points(sampler, indices):
    return [sampler.suggest(SuggestionRequest(index)).point for index in indices]


def test_trial_k_of_every_arm_has_the_same_point():
    dealt = points(SobolSampler(Space.build([*RANGES, *ARMS]), 7), range(30))
    alone = points(SobolSampler(Space.build(RANGES), 7), range(10))
    assert dealt == [point for point in alone for _ in range(3)]


@settings(deadline=None)
@given(place=st.integers(1, 5000), seed=st.integers(0, 2**31 - 1))
def test_the_list_agrees_with_a_sequence_that_is_fast_forwarded(place, seed):
    engine = qmc.Sobol(4, scramble=True, rng=numpy.random.default_rng(seed)).fast_forward(place)
    assert points(SobolSampler(Space.build(RANGES), seed), [place]) == [tuple(engine.random()[0])]


@settings(deadline=None)
@given(small=st.integers(0, 10), large=st.integers(0, 10))
def test_a_larger_budget_continues_the_list(small, large):
    small, large = sorted((small, large))
    assert (sobol_points(3, 7, 1 << large)[: 1 << small] == sobol_points(3, 7, 1 << small)).all()


@settings(deadline=None)
@given(order=st.permutations(range(0, 2000, 50)))
def test_the_points_do_not_depend_on_the_order_in_which_they_are_asked_for(order):
    space = Space.build([*RANGES, *ARMS])
    asked = dict(zip(order, points(SobolSampler(space, 7), order), strict=True))
    assert [asked[index] for index in sorted(order)] == points(SobolSampler(space, 7), sorted(order))


@settings(deadline=None)
@given(parallelism=st.integers(1, 8), chance=st.randoms(use_true_random=False))
def test_a_study_has_the_same_trials_whatever_its_parallelism_results_and_restarts(parallelism, chance):
    space = Space.build([*RANGES, *ARMS])
    suggested, running, finished = [], [], []
    while len(finished) < 40:
        sampler = SobolSampler(space, 7)
        while len(running) < parallelism and len(suggested) < 40:
            suggested.append(sampler.suggest(SuggestionRequest(len(suggested), finished)))
            running.append(suggested[-1])
        done = running.pop(chance.randrange(len(running)))
        finished.append(Observation(done.index, done.arm, done.point, chance.random()))
    assert suggested == [SobolSampler(space, 7).suggest(SuggestionRequest(index)) for index in range(40)]


def test_the_points_do_not_depend_on_how_many_ask_at_once():
    space = Space.build(RANGES)
    with ThreadPoolExecutor(8) as threads:
        sampler = SobolSampler(space, 7)
        at_once = list(threads.map(lambda index: points(sampler, [index])[0], reversed(range(3000))))
    assert at_once[::-1] == points(SobolSampler(space, 7), range(3000))


@pytest.mark.parametrize("dimensions", [1, 4])
def test_every_power_of_two_of_points_fills_each_dimension_evenly(dimensions):
    cells = numpy.floor(sobol_points(dimensions, 7, 64) * 64).astype(int)
    assert all(sorted(column) == list(range(64)) for column in cells.T)


def test_points_are_spread_more_than_twice_as_evenly_as_random_ones():
    ratios = [discrepancy_ratio("Sobol", 4, 32, lists=20, seed=seed) for seed in range(20)]
    assert numpy.mean(ratios) + 3 * numpy.std(ratios, ddof=1) / math.sqrt(len(ratios)) < 0.5


@pytest.mark.parametrize("scheme", CLAIMED)
@pytest.mark.parametrize("shifted", [False, True])
def test_the_better_arm_is_picked_as_often_as_the_design_claims(scheme, shifted):
    studies, claimed = 2000, CLAIMED[scheme][shifted]
    picked = better_arm_picked(scheme, studies, SHIFT_SD if shifted else 0.0)
    assert picked == pytest.approx(claimed, abs=0.025 + 2.5 * math.sqrt(claimed * (1 - claimed) / studies))


def test_shared_points_tell_arms_apart_that_independent_sequences_confuse():
    studies = 2000
    shares = {
        scheme: binomtest(round(better_arm_picked(scheme, studies) * studies), studies).proportion_ci(0.999)
        for scheme in ("shared points", "an independent sequence for each arm")
    }
    assert shares["shared points"].low > 0.99
    assert shares["an independent sequence for each arm"].high < 0.82
