"""From a study's trials to its conclusion.

A search alone concludes nothing: its scores selected what they judge. Its trials tell which configurations are worth
running again and what each arm is expected to reach; the reruns decide. What limits the answer is told with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from study_operator.conclusions import statements
from study_operator.conclusions.comparison import Comparison
from study_operator.conclusions.conclusion import Conclusion, Verdict
from study_operator.conclusions.decision import Decision, Reruns, beats, decide, trial_variance
from study_operator.conclusions.question import Confirmation, Question
from study_operator.findings.evidence import Evidence
from study_operator.findings.finding import Finding, Severity
from study_operator.results.objective import Direction
from study_operator.results.trial import Purpose, Trial, TrialState, trial_name
from study_operator.space import Role, Value

BASELINE = "the baseline"
BASELINE_RULE = "reasonable-baseline"
"""What it warns of is the statement itself."""
MOST_CAVEATS = 100


def conclude_study(
    evidence: Evidence, question: Question, comparison: Comparison, findings: Sequence[Finding]
) -> Conclusion:
    """The conclusion of a study whose trials have all ended, reruns included.

    ``comparison`` is of its arms; ``findings`` are all that was found, of which the warnings become caveats.
    """
    confirmed, baseline = reruns_of(evidence)
    everyone = [*confirmed, *([baseline] if baseline is not None else [])]
    deviation = trial_variance(everyone)
    caveats = tuple(_caveats(evidence, question, confirmed, baseline, findings))
    if question.confirmation is None or not everyone:
        return Conclusion(Verdict.INCONCLUSIVE, statements.unconfirmed(question, comparison), caveats=caveats)
    undecided = _undecidable(question, evidence.objective.direction, confirmed, baseline)
    if undecided:
        return Conclusion(Verdict.INCONCLUSIVE, undecided, trial_variance=deviation, caveats=caveats)
    decision = decide(confirmed, baseline, question.confirmation.margin)
    if decision is None:
        statement = statements.nothing_compared(confirmed, baseline, len(evidence.space.arms))
        return Conclusion(Verdict.INCONCLUSIVE, statement, trial_variance=deviation, caveats=caveats)
    return Conclusion(
        decision.verdict,
        statements.decided(decision, evidence, question.confirmation, deviation),
        decision.effect,
        decision.interval,
        deviation,
        (*_caveat_of_arms(decision, confirmed, baseline, evidence, comparison), *caveats)[:MOST_CAVEATS],
    )


def _caveat_of_arms(
    decision: Decision,
    confirmed: Sequence[Reruns],
    baseline: Reruns | None,
    evidence: Evidence,
    comparison: Comparison,
) -> Iterator[str]:
    """What an Adopt says of configurations and not of their arms, which the study may be about.

    That the winner beats the baseline says nothing of its arm against the others. And of two equal arms one may have
    met the better point: of bowl-shaped losses with a noise of a tenth of their range, one in six such studies adopts
    a trial that is better indeed (bench/rates/whole_study.py).
    """
    if decision.verdict is not Verdict.ADOPT:
        return
    between = decision if baseline is None else decide(confirmed, None, 0.0)
    if between is None:
        return
    if between.verdict is not Verdict.ADOPT:
        yield statements.arms_not_apart(between, evidence)
    elif not _clear(comparison, *(evidence.space.arms[of.arm].label for of in (between.winner, between.rival))):
        yield statements.arms_not_apart_by_search(between, evidence)


def _clear(comparison: Comparison, better: str, other: str) -> bool:
    """Whether the trials of the search, all of them, separate the two arms."""
    return any(lead.clear for lead in comparison.differences if (lead.leader, lead.other) == (better, other))


def reruns_of(evidence: Evidence) -> tuple[tuple[Reruns, ...], Reruns | None]:
    """The configurations that were run again, best of the search first, and the baseline if there is one."""
    by_trial: dict[int, list[Trial]] = {}
    baseline: list[Trial] = []
    for trial in sorted(evidence.trials, key=lambda trial: trial.spec.index):
        if trial.spec.purpose is Purpose.BASELINE:
            baseline.append(trial)
        elif trial.spec.purpose is Purpose.CONFIRMATION and trial.spec.rerun_of is not None:
            by_trial.setdefault(trial.spec.rerun_of, []).append(trial)
    direction = evidence.objective.direction
    confirmed = tuple(
        _reruns(trial_name(evidence.study, index), trials, direction) for index, trials in by_trial.items()
    )
    return confirmed, _reruns(BASELINE, baseline, direction) if baseline else None


def study_trial_variance(evidence: Evidence) -> float | None:
    """s_r, from all the reruns that there are so far."""
    confirmed, baseline = reruns_of(evidence)
    return trial_variance([*confirmed, *([baseline] if baseline is not None else [])])


def _reruns(name: str, trials: Sequence[Trial], direction: Direction) -> Reruns:
    states = [trial.status.state for trial in trials]
    return Reruns(
        name,
        trials[0].spec.arm,
        tuple(
            direction.minimised(trial.status.objective.value)
            for trial in trials
            if trial.status.state is TrialState.SUCCEEDED and trial.status.objective is not None
        ),
        unstable=states.count(TrialState.INFEASIBLE),
        lost=states.count(TrialState.FAILED),
    )


def _undecidable(question: Question, direction: Direction, confirmed: Sequence[Reruns], baseline: Reruns | None) -> str:
    """Why the comparison would mean nothing, whatever it says; empty where it means something (rule 7)."""
    reference = baseline or next((reruns for reruns in confirmed if reruns.comparable), None)
    if question.chance is None or reference is None or not reference.comparable:
        return ""
    if beats(reference.values, direction.minimised(question.chance)):
        return ""
    return statements.no_better_than_chance(reference, question.chance, direction)


def _caveats(
    evidence: Evidence,
    question: Question,
    confirmed: Sequence[Reruns],
    baseline: Reruns | None,
    findings: Sequence[Finding],
) -> list[str]:
    """Those of findings come first, and give way where there are too many: a fixed value is told nowhere else."""
    of_findings = list(_caveats_of_findings(findings))
    others = [*_caveats_of_design(evidence, question)]
    if question.confirmation is not None:
        others = [*_caveats_of_confirmation(evidence, question.confirmation, confirmed, baseline), *others]
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
            yield f"{definition.name} was {definition.domain.value} throughout; the answer is for that value."
    if evidence.steps is not None:
        yield f"Every trial was trained for {evidence.steps} steps; the answer is for that length."


def _caveats_of_findings(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.severity is not Severity.INFO and finding.rule != BASELINE_RULE:
            yield finding.sentence


def _caveats_of_confirmation(
    evidence: Evidence, confirmation: Confirmation, confirmed: Sequence[Reruns], baseline: Reruns | None
) -> Iterator[str]:
    for reruns in confirmed:
        if reruns.unstable:
            yield (
                f"{reruns.name} failed on {reruns.unstable} of {confirmation.reruns} fresh seeds "
                "(diverged, or did not fit), so it is not adopted."
            )
    if baseline is not None and baseline.unstable:
        yield (
            f"The baseline failed on {baseline.unstable} of {confirmation.reruns} fresh seeds, and is judged by the "
            "others, which flatters it."
        )
    for reruns in [*confirmed, *([baseline] if baseline is not None else [])]:
        missing = confirmation.reruns - len(reruns.values) - reruns.unstable
        if missing > 0:
            yield f"{missing} of the {confirmation.reruns} reruns of {reruns.name} gave no result."
    if confirmed:
        yield from _caveats_of_selection(evidence, confirmed)


def _caveats_of_selection(evidence: Evidence, confirmed: Sequence[Reruns]) -> Iterator[str]:
    best = _best_of_search(evidence)
    names = {reruns.name for reruns in confirmed}
    if best is not None and trial_name(evidence.study, best.spec.index) not in names:
        yield (
            f"{trial_name(evidence.study, best.spec.index)} has become the best of the search since the reruns were "
            "chosen, and was not confirmed; confirm it in a new study."
        )
    left_out = [
        arm.label
        for arm in evidence.arms
        if arm.best is not None and arm.arm.index not in {reruns.arm for reruns in confirmed}
    ]
    if left_out:
        yield f"Not confirmed, as their best trials ranked too low: {statements.listed(left_out)}."
    barren = [arm.label for arm in evidence.arms if arm.best is None]
    if barren:
        yield f"Without any feasible trial: {statements.listed(barren)}."


def _best_of_search(evidence: Evidence) -> Trial | None:
    bests = [(float(arm.objective[arm.best]), arm.trials[arm.best]) for arm in evidence.arms if arm.best is not None]
    return min(bests, key=lambda pair: (pair[0], pair[1].spec.index), default=(0.0, None))[1]
