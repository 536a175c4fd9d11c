"""From a study's trials to its conclusion.

A search alone concludes nothing: its scores selected what they judge. Its trials tell which configurations are worth
running again and what each arm is expected to reach; the reruns decide. What limits the answer is told with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from study_operator.conclusions import statements
from study_operator.conclusions.comparison import Comparison
from study_operator.conclusions.conclusion import Conclusion, Verdict
from study_operator.conclusions.decision import Decision, beats, decide
from study_operator.conclusions.question import Confirmation, Question
from study_operator.conclusions.reruns import StudyReruns, reruns_of
from study_operator.findings.evidence import Evidence
from study_operator.findings.finding import Finding, Severity
from study_operator.results.objective import Direction
from study_operator.results.trial import trial_name
from study_operator.space import Role, Value, conditions_text, parameter_text

BASELINE_RULE = "reasonable-baseline"
"""What it warns of is the statement itself."""
MOST_CAVEATS = 100


def conclude_study(
    evidence: Evidence, question: Question, comparison: Comparison, findings: Sequence[Finding]
) -> Conclusion:
    """The conclusion of a study whose trials have all ended, reruns included.

    ``comparison`` is of its arms; ``findings`` are all that was found, of which the warnings become caveats.
    """
    reruns = reruns_of(evidence)
    deviation = reruns.trial_variance
    caveats = tuple(_caveats(evidence, question, reruns, findings))
    if question.confirmation is None or not reruns.all:
        return Conclusion(Verdict.INCONCLUSIVE, statements.unconfirmed(question, comparison), caveats=caveats)
    undecided = _undecidable(question, evidence.objective.direction, reruns)
    if undecided:
        return Conclusion(Verdict.INCONCLUSIVE, undecided, trial_variance=deviation, caveats=caveats)
    decision = decide(reruns.configurations, reruns.baseline, question.confirmation.margin)
    if decision is None:
        statement = statements.nothing_compared(reruns, len(evidence.space.arms))
        return Conclusion(Verdict.INCONCLUSIVE, statement, trial_variance=deviation, caveats=caveats)
    return Conclusion(
        decision.verdict,
        statements.decided(decision, evidence, question.confirmation, deviation),
        decision.effect,
        decision.interval,
        deviation,
        (*_caveat_of_arms(decision, reruns, evidence, comparison), *caveats)[:MOST_CAVEATS],
    )


def _caveat_of_arms(
    decision: Decision, reruns: StudyReruns, evidence: Evidence, comparison: Comparison
) -> Iterator[str]:
    """What an Adopt says of configurations and not of their arms, which the study may be about.

    That the winner beats the baseline says nothing of its arm against the others. And of two equal arms one may have
    met the better point: of bowl-shaped losses with a noise of a tenth of their range, one in six such studies adopts
    a trial that is better indeed (bench/rates/whole_study.py).
    """
    if decision.verdict is not Verdict.ADOPT:
        return
    between = decision if reruns.baseline is None else decide(reruns.configurations, None, 0.0)
    if between is None:
        return
    if between.verdict is not Verdict.ADOPT:
        yield statements.arms_not_apart(between, evidence)
    elif not _clear(comparison, *(evidence.space.arms[of.arm].label for of in (between.winner, between.rival))):
        yield statements.arms_not_apart_by_search(between, evidence)


def _clear(comparison: Comparison, better: str, other: str) -> bool:
    """Whether the trials of the search, all of them, separate the two arms."""
    return any(lead.clear for lead in comparison.differences if (lead.leader, lead.other) == (better, other))


def _undecidable(question: Question, direction: Direction, reruns: StudyReruns) -> str:
    """Why the comparison would mean nothing, whatever it says; empty where it means something (rule 7)."""
    reference = reruns.reference
    if question.chance is None or reference is None or beats(reference.values, direction.minimised(question.chance)):
        return ""
    return statements.no_better_than_chance(reference, question.chance, direction)


def _caveats(
    evidence: Evidence,
    question: Question,
    reruns: StudyReruns,
    findings: Sequence[Finding],
) -> list[str]:
    """Those of findings come first, and give way where there are too many: a fixed value is told nowhere else."""
    of_findings = list(_caveats_of_findings(findings))
    others = [*_caveats_of_design(evidence, question)]
    if question.confirmation is not None:
        others = [*_caveats_of_confirmation(evidence, question.confirmation, reruns), *others]
    room = max(MOST_CAVEATS - len(others), 1)
    if len(of_findings) > room:
        left = len(of_findings) - room + 1
        of_findings[room - 1 :] = [f"{left} more findings limit it, which are in the report."]
    return [*of_findings, *others][:MOST_CAVEATS]


def _caveats_of_design(evidence: Evidence, question: Question) -> Iterator[str]:
    for rule, reason in question.waivers.items():
        yield f"The rule {rule} was waived: {reason}"
    for definition in evidence.space.definitions:
        if definition.role is Role.FIXED and isinstance(definition.domain, Value):
            where = f"with {conditions_text(definition.when)}" if definition.when else "throughout"
            value = parameter_text(definition.domain.value)
            yield f"{definition.name} was {value} {where}; the answer is for that value."
    if evidence.steps is not None:
        yield f"Every trial was trained for {evidence.steps} steps; the answer is for that length."


def _caveats_of_findings(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.severity is not Severity.INFO and finding.rule != BASELINE_RULE:
            yield finding.sentence


def _caveats_of_confirmation(evidence: Evidence, confirmation: Confirmation, reruns: StudyReruns) -> Iterator[str]:
    for configuration in reruns.configurations:
        if configuration.unstable:
            yield (
                f"{configuration.name} failed on {configuration.unstable} of {confirmation.reruns} fresh seeds "
                "(diverged, or did not fit), so it is not adopted."
            )
    if reruns.baseline is not None and reruns.baseline.unstable:
        judged = ", and is judged by the others, which flatters it" if reruns.baseline.comparable else ""
        yield f"The baseline failed on {reruns.baseline.unstable} of {confirmation.reruns} fresh seeds{judged}."
    for configuration in reruns.all:
        missing = confirmation.reruns - len(configuration.values) - configuration.unstable
        if missing > 0:
            yield f"{missing} of the {confirmation.reruns} reruns of {configuration.name} gave no result."
    if reruns.configurations:
        yield from _caveats_of_selection(evidence, reruns)


def _caveats_of_selection(evidence: Evidence, reruns: StudyReruns) -> Iterator[str]:
    best = evidence.best
    names = {configuration.name for configuration in reruns.configurations}
    if best is not None and trial_name(evidence.study, best.spec.index) not in names:
        yield (
            f"{trial_name(evidence.study, best.spec.index)} has become the best of the search since the reruns were "
            "chosen, and was not confirmed; confirm it in a new study."
        )
    confirmed = {configuration.arm for configuration in reruns.configurations}
    left_out = [arm.label for arm in evidence.arms if arm.best is not None and arm.arm.index not in confirmed]
    if left_out:
        yield f"Not confirmed, as their best trials ranked too low: {statements.listed(left_out)}."
    barren = [arm.label for arm in evidence.arms if arm.best is None]
    if barren:
        yield f"Without any feasible trial: {statements.listed(barren)}."
