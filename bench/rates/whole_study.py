"""Rule 24 at the end of whole studies: search, choice of the best, reruns on fresh seeds, conclusion.

Everything but the training is the product's own: the points, the choice of what is run again, the conclusion. The loss
is the same everywhere ("flat"), or a bowl of three dimensions whose optimum has none; a rerun differs from it by s_r.
What is adopted is better only if its loss is smaller than its rival's. Equal arms need not be equal at their best
trials: where the search, which sees noise, met a better point in one of them, it is no error to adopt that trial.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy
from study_operator.api import Study, parse_study, study_space
from study_operator.api.yaml import load_manifest
from study_operator.backends.port import StudyKey, StudyRef
from study_operator.conclusions import Comparison, Verdict, conclude_study, decide, reruns_of
from study_operator.conclusions.reruns import BASELINE as THE_BASELINE
from study_operator.controller.confirmation import missing_reruns, rerun_spec
from study_operator.controller.state import StudyState
from study_operator.findings import Evidence
from study_operator.results.trial import Purpose, Sample, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.samplers import SobolSampler, SuggestionRequest

from bench.rates.decision import DECISION, LIMIT
from bench.rates.rate import Hypothesis, Rate, count

MANIFEST = """
apiVersion: tuning.study/v1alpha1
kind: Study
metadata: {name: simulated}
spec:
  goal: Is one of the arms better?
  objective: {metric: validation_error, direction: Minimize}
  training: {steps: 1000}
  hyperparameters:
  - {name: method, role: Scientific, choices: [a, b]}
  - {name: u, role: Nuisance, range: {min: 0, max: 1}}
  - {name: v, role: Nuisance, range: {min: 0, max: 1}}
  - {name: w, role: Nuisance, range: {min: 0, max: 1}}
  budget: {trials: 64, parallelism: 4}
  confirmation: {top: 2, reruns: 5}
  trialTemplate: {spec: {template: {spec: {containers: [{name: trainer, image: example/trainer:1}]}}}}
"""
OPTIMUM = 0.4
BASELINE = {"method": "a", "u": OPTIMUM, "v": OPTIMUM, "w": OPTIMUM}
WEIGHTS = numpy.array([1.0, 0.3, 0.1])
NOISE = 0.1
NULL, EDGE, ALTERNATIVE = Hypothesis.NULL, Hypothesis.EDGE, Hypothesis.ALTERNATIVE


@dataclass(frozen=True)
class Setting:
    """A study in which the arm b, or the baseline where there is one, is worse by ``lead``, in units of s_r."""

    words: str
    bowl: float
    lead: float = 0.0
    baseline: bool = False

    def study(self) -> Study:
        """The manifest."""
        manifest = load_manifest(MANIFEST)
        if self.baseline:
            manifest["spec"]["confirmation"] |= {"top": 3, "baseline": BASELINE}
        return parse_study(manifest)

    def loss(self, spec: TrialSpec) -> float:
        """Of a trial, without noise. A baseline stands at the optimum."""
        worse = spec.purpose is Purpose.BASELINE if self.baseline else spec.arm == 1
        distances = numpy.array([float(spec.parameters[name]) - OPTIMUM for name in "uvw"])
        return self.bowl * float(distances**2 @ WEIGHTS) + worse * self.lead * NOISE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a study concluded: whether to adopt, and by how much the loss of the winner is better than its rival's."""

    adopted: bool
    gain: float


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """Two arms of 32 trials each; the best of each, or the best three and the baseline, run again five times."""
    for setting in (
        Setting("flat, 2 equal arms", 0.0),
        Setting("flat, a baseline as good", 0.0, baseline=True),
        Setting("bowl, 2 equal arms", 1.0),
        Setting("bowl, a baseline at the optimum", 1.0, baseline=True),
    ):
        outcomes = _outcomes(setting, count(effort, 2000), rng)
        yield _rate(NULL, f"Adopt what is not better: {setting.words}", outcomes, [it.gain <= 0 for it in outcomes])
        if not all(it.gain <= 0 for it in outcomes):
            words = f"Adopt what is better at its best trial: {setting.words}"
            yield _rate(EDGE, words, outcomes, [it.gain > 0 for it in outcomes])
    for setting in (
        Setting("flat, one arm better by 2 s_r", 0.0, 2.0),
        Setting("flat, better than the baseline by 2 s_r", 0.0, 2.0, baseline=True),
        Setting("bowl, one arm better by 2 s_r", 1.0, 2.0),
        Setting("bowl, the optimum better than the baseline by 2 s_r", 1.0, 2.0, baseline=True),
    ):
        outcomes = _outcomes(setting, count(effort, 1000), rng)
        yield _rate(ALTERNATIVE, f"Adopt what is better: {setting.words}", outcomes, [it.gain > 0 for it in outcomes])


def outcome(setting: Setting, study: Study, seed: int, rng: numpy.random.Generator) -> Outcome:
    """Of one study from its first trial to its conclusion."""
    ref = StudyRef(StudyKey("default", study.metadata.name), "uid")
    state = StudyState.begin(study, ref, seed, datetime.now(UTC), random.Random(seed))
    state.space, sampler = study_space(study), SobolSampler(study_space(study), seed)
    losses: dict[str, float] = {}

    def run(spec: TrialSpec) -> None:
        losses[spec.name] = setting.loss(spec)
        value = losses[spec.name] + NOISE * float(rng.standard_normal())
        state.ledger.put(Trial(spec, TrialStatus(TrialState.SUCCEEDED, objective=Sample(1000, value))))

    for index in range(state.planned):
        drawn = sampler.suggest(SuggestionRequest(index))
        parameters = state.space.parameters(drawn.arm, drawn.point)
        run(TrialSpec(study.metadata.name, index, drawn.arm, Purpose.SEARCH, drawn.point, parameters, drawn.seed))
    for index in missing_reruns(state):
        spec = rerun_spec(state, index)
        assert spec is not None, "every slot has a trial to run again"
        run(spec)
        if spec.purpose is Purpose.BASELINE:
            losses[THE_BASELINE] = losses[spec.name]
    evidence = Evidence(study.metadata.name, state.space, study.objective, 1000, (), (), tuple(state.ledger))
    conclusion = conclude_study(evidence, study.question, Comparison(0, (), ()), ())
    reruns = reruns_of(evidence)
    decision = decide(reruns.configurations, reruns.baseline, 0.0)
    assert decision is not None and decision.verdict is conclusion.verdict, "all was run again"
    return Outcome(conclusion.verdict is Verdict.ADOPT, losses[decision.rival.name] - losses[decision.winner.name])


def _outcomes(setting: Setting, runs: int, rng: numpy.random.Generator) -> list[Outcome]:
    study = setting.study()
    return [outcome(setting, study, int(rng.integers(2**31)), rng) for _ in range(runs)]


def _rate(hypothesis: Hypothesis, words: str, outcomes: Sequence[Outcome], counted: Sequence[bool]) -> Rate:
    """How often something was adopted that is ``counted``."""
    hits = sum(it.adopted and counts for it, counts in zip(outcomes, counted, strict=True))
    return Rate(DECISION, hypothesis, words, hits, len(outcomes), "study", LIMIT, "5 reruns")
