"""Rounds that follow from one another come to an end."""

from __future__ import annotations

import math

import numpy
import pytest
from study_operator.api import parse_study, study_space
from study_operator.api.yaml import load_manifest
from study_operator.cli.next import next_manifest, proposal_of
from study_operator.results.trial import Purpose, Sample, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.samplers import SobolSampler, SuggestionRequest

from tests.cli.rounds import MANIFEST

MOST = 8


def ended(text: str, rng: numpy.random.Generator) -> list[Trial]:
    """Trials that get better up to a learning rate of 0.3, and no better beyond, from where on one in ten diverges."""
    study = parse_study(load_manifest(text))
    space = study_space(study)
    sampler = SobolSampler(space, study.seed)
    trials = []
    for index in range(study.spec.budget.trials):
        drawn = sampler.suggest(SuggestionRequest(index))
        parameters = space.parameters(drawn.arm, drawn.point)
        spec = TrialSpec(study.metadata.name, index, drawn.arm, Purpose.SEARCH, drawn.point, parameters, drawn.seed)
        beyond = math.log10(float(parameters["learning_rate"]) / 0.3)
        value = 0.1 + 0.1 * max(-beyond, 0.0) + float(rng.normal(0, 0.01))
        status = TrialStatus(TrialState.SUCCEEDED, objective=Sample(600, value))
        if beyond > 0 and rng.random() < 0.1:
            status = TrialStatus(TrialState.INFEASIBLE, "Diverged")
        trials.append(Trial(spec, status))
    return trials


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("given", [True, False], ids=["seed given", "seed of the name"])
def test_a_range_that_is_too_small_is_widened_until_nothing_is_to_change(seed: int, given: bool) -> None:
    rng = numpy.random.default_rng(seed)
    text = MANIFEST.replace("trials: 32", "trials: 64")
    text = text.replace("seed: 7", f"seed: {seed}") if given else text.replace("  sampler:\n    seed: 7\n", "")
    tops = []
    for _ in range(MOST):
        study = parse_study(load_manifest(text))
        trials = ended(text, rng)
        tops.append(max(each.domain.maximum for each in study.hyperparameters if each.name == "learning_rate"))
        proposal = proposal_of(study, trials, None)
        if not proposal.changes:
            break
        text = next_manifest(text, study, proposal)
    assert not proposal.changes, proposal.summary
    assert 1 <= tops[-1] <= 100
