"""What a study teaches, from its manifest and its trials: findings, the comparison of arms, and the conclusion.

The controller, the report and the command line all come here, so that they never tell different things of one study.
It takes up to seconds for a large study and never waits: call it off the event loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy

from study_operator.api.parts import Phase
from study_operator.api.review import evidence as evidence_of_trials
from study_operator.api.review import plan, review
from study_operator.api.study import Study
from study_operator.conclusions import (
    Comparison,
    Conclusion,
    arm_findings,
    arms,
    compare,
    conclude_study,
    rerun_findings,
    reruns_of,
)
from study_operator.findings import Evidence, Finding, Severity, Subject, findings
from study_operator.findings.lints import waive
from study_operator.results.trial import Trial
from study_operator.rounds import Proposal, propose
from study_operator.space import Space

_ADAPTIVE = Finding(
    "study-variance",
    Severity.INFO,
    Subject(field="spec.phase"),
    "The points of a Bayesian search follow the results. What the rules say of the space (8 to 11, 25), and the "
    "intervals of the arms, is made for points that do not: take it for a hint.",
    "The decision on fresh seeds holds all the same.",
)
"""Their error rates were measured with quasi-random points."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the trials teach so far. ``conclusion`` and ``proposal`` are None until all of them have ended, reruns
    included: to look earlier, and stop when one likes the answer, would make it a worse one.
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    comparison: Comparison
    conclusion: Conclusion | None
    proposal: Proposal | None


def evidence_of(study: Study, space: Space, trials: Iterable[Trial]) -> Evidence:
    """The evidence that the rules look at, with the trial variance where there are reruns."""
    evidence = evidence_of_trials(study, space, tuple(trials))
    return replace(evidence, trial_variance=reruns_of(evidence).trial_variance)


def analyse(study: Study, space: Space, trials: Sequence[Trial], seed: int, *, complete: bool) -> Analysis:
    """What ``trials`` teach; the same trials and ``seed`` teach the same. ``complete``: all of them have ended.

    What the reviewer says of the manifest stands among the findings; what was waived is told as information.
    """
    evidence = evidence_of(study, space, trials)
    comparison = compare(arms(evidence), numpy.random.default_rng(seed))
    told = [*findings(evidence), *arm_findings(comparison), *rerun_findings(evidence, study.question)]
    if study.spec.phase is Phase.EXPLOITATION:
        told.append(_ADAPTIVE)
    learned = waive(told, study.question.waivers)
    found = sorted([*review(study, space), *learned], key=lambda finding: finding.order)
    conclusion = conclude_study(evidence, study.question, comparison, found) if complete else None
    proposal = propose(evidence, found, plan(study)) if complete else None
    return Analysis(evidence, tuple(found), comparison, conclusion, proposal)
