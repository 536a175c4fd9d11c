"""From a round's evidence to the next round (rules 8 to 11, 13, 16, 18, 20, 25 and 26).

Each change answers a finding, and what no finding speaks of stays as it is. A range is moved before a hyperparameter is
fixed, because one that is looked for outside its range is not known to be without effect; and the search turns Bayesian
only when nothing is left to be learnt about the space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from study_operator.findings import Evidence, Finding, Severity
from study_operator.results.trial import Purpose
from study_operator.rounds import ranges, remedies
from study_operator.rounds.change import Change, Launch, Proposal, Put
from study_operator.rounds.draft import Draft, Plan, best_of, kind, launch_of, shown, whole
from study_operator.scalar import Scalar
from study_operator.space import Kind, Role

UNSETTLED = frozenset(
    {
        "infeasible-trials",
        "search-space-boundary",
        "learning-rate-edge",
        "enough-points",
        "overfitting",
        "training-loss-rising",
        "epoch-period",
        "uneven-evaluations",
        "still-improving",
    }
)
"""Findings that exploration is not over with."""


def propose(evidence: Evidence, findings: Sequence[Finding], plan: Plan) -> Proposal:
    """What follows from the ``findings`` on a round."""
    launch = launch_of(evidence)
    if launch is None:
        return Proposal(
            "No trial has a result to go on from; mend what keeps them from one first.", notes=_advice(findings)
        )
    draft = Draft(evidence)
    ranges.widen(draft, findings)
    ranges.trim(draft, findings)
    notes = remedies.warm_up(draft, findings)
    notes += remedies.regularise(draft, findings)
    remedies.clip(draft, findings)
    _fix_what_does_not_matter(draft, findings)
    rest = [*remedies.shorten(evidence, findings), *_more_trials(evidence, findings, plan)]
    if (
        not rest
        and _explored(evidence, findings, plan)
        and all(c.rule == "insensitive-nuisance" for c in draft.changes)
    ):
        rest += _exploit(draft)
    changes = (*draft.changes, *rest, *follow_up(draft, plan, rest))
    notes += _open_warnings(findings, changes, notes)
    return Proposal(_summary(changes, notes, launch, evidence), changes, tuple(notes), launch)


def _open_warnings(findings: Sequence[Finding], changes: Sequence[Change], notes: Sequence[str]) -> list[str]:
    """What warns of the round's trials and is answered by no change: nobody should launch without having read it."""
    answered = {change.rule for change in changes}
    return [
        note
        for finding in findings
        if finding.severity is Severity.WARNING and not finding.subject.field and finding.rule not in answered
        for note in [f"{finding.message} {finding.advice}"]
        if not any(told.startswith(finding.message) for told in notes)
    ]


def _advice(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(f"{each.message} {each.advice}" for each in findings if each.severity is Severity.WARNING)


def _fix_what_does_not_matter(draft: Draft, findings: Sequence[Finding]) -> None:
    """Fix a nuisance that no arm is sensitive to, at the best arm's value (rule 25). A learning rate stays tuned."""
    insensitive: dict[int, dict[str, Finding]] = {}
    for finding in findings:
        place = draft.place_of(finding.subject.arm, finding.subject.hyperparameter)
        if finding.rule == "insensitive-nuisance" and place is not None:
            insensitive.setdefault(place, {})[finding.subject.arm] = finding
    for place, by_arm in insensitive.items():
        definition = draft.evidence.space.definitions[place]
        arms = draft.arms_of(place)
        if not {arm.label for arm in arms} <= by_arm.keys() or not draft.untouched(place):
            continue
        if kind(definition) is Kind.LEARNING_RATE:
            continue
        best = min(arms, key=lambda arm: float(arm.objective[arm.order[0]]))
        assert best.best is not None
        value = best.trials[best.best].spec.parameters.get(definition.name)
        if value is not None:
            finding = by_arm[best.label]
            draft.fixed(place, value, finding.message, finding.rule, "" if len(arms) > 1 else best.label)


def _more_trials(evidence: Evidence, findings: Sequence[Finding], plan: Plan) -> list[Change]:
    """As many trials as the arm that needs the most, for every arm (rule 11)."""
    asking = [each for each in findings if each.rule == "enough-points" and "to" in each.numbers]
    if not asking:
        return []
    most = max(asking, key=lambda finding: float(finding.numbers["to"]))
    trials = int(float(most.numbers["to"])) * len(evidence.space.arms)
    if trials <= plan.trials:
        return []
    path = "spec.budget.trials"
    put = (Put(path, trials),)
    return [Change(path, str(plan.trials), str(trials), most.message, most.rule, put, most.subject.arm)]


def _explored(evidence: Evidence, findings: Sequence[Finding], plan: Plan) -> bool:
    """Whether the round was an exploration that ended with nothing left to learn about its space (rule 26)."""
    ended = sum(each.spec.purpose is Purpose.SEARCH and each.status.state.final for each in evidence.trials)
    unsettled = any(finding.rule in UNSETTLED for finding in findings)
    return not plan.exploitation and ended >= plan.trials and not unsettled


def _exploit(draft: Draft) -> list[Change]:
    """Go over to Bayesian search in the best arm."""
    rule = "after-exploration"
    best = best_of(draft.evidence)
    assert best is not None and best.best is not None
    for place, definition in list(draft.definitions()):
        if definition.distinguishes_arms and definition.name in best.arm.parameters and len(draft.evidence.arms) > 1:
            value = best.arm.parameters[definition.name]
            draft.fixed(place, value, f"{best.label} has the best trial; the search goes on in this arm.", rule)
    reason = (
        "The best trials are well inside the space, most of it trains, and more points would not change much: "
        "exploration is over, and a model finds the best configuration faster. Infeasible trials teach it too."
    )
    return [Change("spec.phase", "Exploration", "Exploitation", reason, rule, (Put("spec.phase", "Exploitation"),))]


def follow_up(draft: Draft, plan: Plan, rest: Sequence[Change]) -> list[Change]:
    """What other changes bring with them: new points, and a baseline that is in the new space."""
    followed = []
    fresh = next((each for each in rest if each.rule in ("enough-points", "after-exploration")), None)
    if plan.seed is not None and fresh is not None:
        reason = "With the same seed the round would begin with the points of this one."
        seed = (plan.seed + 1) % 2**31
        put = (Put("spec.sampler.seed", seed),)
        followed.append(Change("spec.sampler.seed", str(plan.seed), str(seed), reason, fresh.rule, put))
    if plan.baseline is not None and draft.changes and not draft.has(plan.baseline):
        followed += _baseline(draft, plan.baseline)
    return followed


def _baseline(draft: Draft, given: Mapping[str, Scalar]) -> Iterator[Change]:
    """The given baseline with what was fixed and is tuned now; where that is no longer in the space, the best
    configuration so far.
    """
    launch = launch_of(draft.evidence)
    assert launch is not None
    varied = {each.name for _, each in draft.definitions() if each.role is not Role.FIXED}
    was_fixed = {name: value for name, value in launch.parameters.items() if name in varied and name not in given}
    best = {name: value for name, value in launch.parameters.items() if name in varied}
    candidates = [
        ({**given, **was_fixed}, "It keeps what was fixed and is tuned now."),
        (best, f"The old one is not in the new space; this is {launch.trial}, the best so far."),
    ]
    path = "spec.confirmation.baseline"
    for baseline, reason in candidates:
        if draft.has(baseline):
            after = ", ".join(f"{name}={shown(value)}" for name, value in baseline.items())
            put = (Put(path, {name: whole(value) for name, value in baseline.items()}),)
            yield Change(path, "", after, reason, draft.changes[0].rule, put)
            return


def _summary(changes: Sequence[Change], notes: Sequence[str], launch: Launch, evidence: Evidence) -> str:
    found = (
        f"{launch.trial} with {evidence.objective.metric} {launch.value:.4g}"
        f"{'' if launch.arm == 'all' else f' ({launch.arm})'}"
    )
    if changes:
        told = "; ".join(f"{each.path} {_from_to(each)}" for each in changes)
        return f"{len(changes)} {'change' if len(changes) == 1 else 'changes'}: {told}. The best so far is {found}."
    if notes:
        return f"Nothing of the manifest is to change. Before you launch {found}: {' '.join(notes)}"
    return f"Nothing to change: launch {found}."


def _from_to(change: Change) -> str:
    return f"from {change.before} to {change.after}" if change.before else f"to {change.after}"
