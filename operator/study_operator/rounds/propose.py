"""From a round's evidence to the next round (rules 8 to 11, 13, 16, 18, 20, 25 and 26).

Each change answers a finding, and what no finding speaks of, or what the user has waived, stays as it is. Ranges are
moved first, and while one moves, nothing is fixed and no training is shortened: what a hyperparameter explains, and how
many steps the best trials took, is only known of the ranges that were searched. The search turns Bayesian only when
nothing is left to be learnt about the space; after that nothing is fixed any more, since points that follow the results
do not tell what matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from study_operator.findings import Evidence, Finding, Severity
from study_operator.results.trial import Purpose
from study_operator.rounds import ranges, remedies
from study_operator.rounds.change import Change, Launch, Proposal, Put, change_text
from study_operator.rounds.draft import Draft, Plan, launch_of, shown, whole
from study_operator.scalar import Scalar
from study_operator.space import Kind, Range, Role

UNSETTLED = frozenset(
    {
        "infeasible-trials",
        "search-space-boundary",
        "learning-rate-edge",
        "enough-points",
        "overfitting",
        "training-loss-rising",
        "epoch-period",
        "still-improving",
    }
)
"""Rules whose warnings exploration is not over with; of few points a remark is enough."""


def propose(evidence: Evidence, findings: Sequence[Finding], plan: Plan) -> Proposal:
    """What follows from the ``findings`` on a round."""
    launch = launch_of(evidence)
    if launch is None:
        return Proposal(
            "No trial has a result to go on from; mend what keeps them from one first.", notes=_advice(findings)
        )
    findings = [finding for finding in findings if not finding.waived]
    draft = Draft(evidence)
    ranges.widen(draft, findings)
    ranges.trim(draft, findings)
    notes = remedies.warm_up(draft, findings)
    notes += remedies.regularise(draft, findings)
    remedies.clip(draft, findings)
    moved = bool(draft.changes)
    rest = [] if moved else remedies.shorten(evidence, findings)
    rest += _more_trials(evidence, findings, plan)
    if not moved and not plan.exploitation:
        _fix_what_does_not_matter(draft, findings)
    settled = not moved and not rest and _explored(evidence, findings, plan)
    if settled:
        rest += _exploit(draft, findings, launch)
        notes += _undecided(evidence, plan)
    changes = (*draft.changes, *rest, *follow_up(draft, plan, rest))
    notes += open_warnings(findings, changes, notes)
    if not changes and not plan.exploitation:
        notes += _few_points(findings)
    if changes and all(change.rule == "enough-points" for change in changes):
        notes.append(_GO_ON)
    summary = _summary(changes, notes, launch, evidence)
    promotion = _promotion(evidence) if evidence.steps and (settled or (not changes and not notes)) else []
    return Proposal(summary, changes, (*notes, *promotion), launch)


_GO_ON = (
    "Only the number of trials is to change. Where this study can go on, raise spec.budget.trials in its own manifest "
    "instead: its sequence of points goes on, and the trials that it has count."
)


def _undecided(evidence: Evidence, plan: Plan) -> list[str]:
    """A search that goes on in one arm has not answered which is the better one (rule 24)."""
    searched = all(trial.spec.purpose is Purpose.SEARCH for trial in evidence.trials)
    if not searched or len(evidence.arms) == 1:
        return []
    return [_AWAITED if plan.confirms else _OPEN]


_AWAITED = (
    "Which arm is the better one is decided by the reruns of spec.confirmation, and none of them has begun: let this "
    "study finish before you go on."
)
_OPEN = (
    "Which arm is the better one was not decided, as nothing was run again on fresh seeds. Where the answer matters, "
    "add spec.confirmation to this study before you go on: it may be added now."
)


def _promotion(evidence: Evidence) -> list[str]:
    """Where short trainings have taught what they can (rule 29)."""
    return [
        f"If {evidence.steps} steps are a short training, promote its best to a long one: `study next {evidence.study} "
        "--longer 10` writes a round of a few trainings ten times as long, with what transfers (compute-bound-rounds)."
    ]


def open_warnings(findings: Sequence[Finding], changes: Sequence[Change] = (), notes: Sequence[str] = ()) -> list[str]:
    """What warns of the round's trials and is answered by no change: nobody should launch without having read it."""
    answered = {change.rule for change in changes}
    return [
        note
        for finding in findings
        if finding.severity is Severity.WARNING and not finding.subject.field and finding.rule not in answered
        for note in [f"{finding.sentence} {finding.advice}"]
        if not any(finding.sentence in told for told in notes)
    ]


def _few_points(findings: Sequence[Finding]) -> list[str]:
    """An exploration of a few points has not shown that there is nothing to change (rule 11)."""
    few = (f"{each.message} {each.advice}" for each in findings if _few(each))
    return list(dict.fromkeys(few))


def _few(finding: Finding) -> bool:
    return finding.rule == "enough-points" and finding.severity is Severity.INFO


def _advice(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(f"{each.sentence} {each.advice}" for each in findings if each.severity is Severity.WARNING)


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
        if definition.kind is Kind.LEARNING_RATE:
            continue
        best = arms[0]
        value = best.trials[best.order[0]].spec.parameters.get(definition.name)
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
    unsettled = any(
        (finding.rule in UNSETTLED and finding.severity is Severity.WARNING) or _few(finding) for finding in findings
    )
    return not plan.exploitation and ended >= plan.trials and not unsettled


def _exploit(draft: Draft, findings: Sequence[Finding], launch: Launch) -> list[Change]:
    """Go over to Bayesian search in the best arm, and tell how sure it is that it is the best."""
    rule = "after-exploration"
    compared = "".join(
        f" {each.message}"
        for each in findings
        if each.rule == "arm-comparison" and each.severity is Severity.INFO and float(each.numbers.get("low", 1)) <= 0
    )
    for place, definition in draft.definitions():
        if definition.distinguishes_arms and definition.applies(launch.parameters):
            reason = f"{launch.arm} has the best trial; the search goes on in this arm.{compared}"
            draft.fixed(place, launch.parameters[definition.name], reason, rule)
        elif definition.role is Role.SCIENTIFIC and isinstance(definition.domain, Range):
            draft.optimised(place, "The comparison is over; it is looked for with the others now.", rule)
    reason = (
        "The best trials are well inside the space, most of it trains, and more points would not change much: "
        "exploration is over, and a model finds the best configuration faster. Infeasible trials teach it too."
    )
    return [Change("spec.phase", "Exploration", "Exploitation", reason, rule, (Put("spec.phase", "Exploitation"),))]


def follow_up(draft: Draft, plan: Plan, rest: Sequence[Change]) -> list[Change]:
    """What other changes bring with them: new points, and a baseline that is in the new space.

    A seed that is not given follows from the study's name, and so is another one by itself. With the same one, the best
    trial of the next round would be near the same end of a range again, and be taken for another finding.
    """
    followed = []
    cause = next(iter([*draft.changes, *rest]), None)
    if plan.seed is not None and cause is not None:
        reason = "A round has points of its own: with the same seed it would have the luck of this one's again."
        seed = (plan.seed + 1) % 2**31
        put = (Put("spec.sampler.seed", seed),)
        followed.append(Change("spec.sampler.seed", str(plan.seed), str(seed), reason, cause.rule, put))
    if plan.baseline is not None and draft.changes and not draft.has(plan.baseline):
        followed += _baseline(draft, plan.baseline)
    return followed


def _baseline(draft: Draft, given: Mapping[str, Scalar]) -> Iterator[Change]:
    """The given baseline with what was fixed and is tuned now, and without what is fixed throughout, which follows the
    manifest; where that is no longer in the space, the best configuration so far.
    """
    launch = launch_of(draft.evidence)
    assert launch is not None
    left = dict(draft.definitions()).values()
    best = {
        each.name: launch.parameters[each.name]
        for each in left
        if each.role is not Role.FIXED and each.applies(launch.parameters)
    }
    was_fixed = {name: value for name, value in best.items() if name not in given}
    vary = {each.name for each in (*draft.evidence.space.definitions, *left) if each.role is not Role.FIXED}
    kept = {name: value for name, value in given.items() if name in vary}
    candidates = [
        ({**kept, **was_fixed}, "It keeps what was fixed and is tuned now; what stays fixed is the manifest's."),
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
        told = "; ".join(change_text(each, evidence.space) for each in changes)
        return f"{len(changes)} {'change' if len(changes) == 1 else 'changes'}: {told}. The best so far is {found}."
    if notes:
        return f"Nothing of the manifest is to change. Before you launch {found}: {' '.join(notes)}"
    return f"Nothing to change: launch {found}."
