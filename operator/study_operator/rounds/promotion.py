"""From short rounds to long training (rule 29).

A first round of short trainings finds good points; a few long ones on them give the model. What a short round taught
transfers unevenly: the warmup's length and the initialisation very likely, the architecture likely, optimizer,
augmentation and regularisation perhaps, the learning rate's schedule unlikely. So what is likely to transfer is fixed
at the best value, and what may not is searched again near it.

The pitfall is to spend the extra steps at a learning rate that has decayed already. A linear decay keeps its length,
and the constant phase before it grows; a cosine keeps its base learning rate, and is stretched.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from study_operator.findings import Evidence, Finding
from study_operator.findings.words import short
from study_operator.rounds.change import Change, Proposal, Put
from study_operator.rounds.draft import Draft, Plan, launch_of, narrowed, shown
from study_operator.rounds.propose import follow_up, open_warnings
from study_operator.scalar import Scalar
from study_operator.space import REGULARISERS, Hyperparameter, Kind, Range, ScaleName, Value

RULE = "compute-bound-rounds"
FEW = 8
"""Trials of a promoted round at most (decided by the project): "very few long runs"."""

HALF_A_DECADE = 0.5
KEPT = 0.2
REACH = 0.1
"""How far from the best value is searched again (decided by the project): decades of a learning rate, decades of one
that a cosine keeps (a factor of 1.6, because something has to vary), and the share of any other range.
"""

_TRANSFER = {
    Kind.WARMUP_STEPS: "the warmup's length, in steps, very likely transfers",
    Kind.SCHEDULE: "the schedule is unlikely to transfer by itself; its shape is kept, and see to its length",
    Kind.OPTIMIZER: "the optimizer may transfer",
    **dict.fromkeys((Kind.MOMENTUM, Kind.BETA1, Kind.BETA2, Kind.EPSILON), "the optimizer's settings may transfer"),
}
_SCHEDULE_WORDS = re.compile(r"schedul\w*[= ]+(\w+)", re.I)


def promote(evidence: Evidence, plan: Plan, factor: float, findings: Sequence[Finding] = ()) -> Proposal:
    """A round of trainings ``factor`` times as long, on the best of what this round found.

    What the ``findings`` warn of, and a longer training does not mend, is among the notes.

    Raises ValueError where ``factor`` is not larger than 1, or not finite, or the study does not tell its steps.
    """
    if not 1 < factor < math.inf:
        raise ValueError(f"the factor must be finite and larger than 1, not {factor:g}")
    if evidence.steps is None:
        raise ValueError("the study does not tell its length: write spec.training.steps first")
    launch = launch_of(evidence)
    if launch is None:
        return Proposal("No trial has a result to promote; mend what keeps them from one first.")
    steps = math.ceil(evidence.steps * Decimal(repr(factor)))
    draft = Draft(evidence)
    schedule = _schedule(launch.parameters, evidence.space.definitions, plan.words)
    for place, definition in draft.definitions():
        if definition.applies(launch.parameters):
            decades = KEPT if "cos" in schedule else HALF_A_DECADE
            _promote(draft, place, definition, launch.parameters[definition.name], decades)
    _stretch(draft, evidence.steps, steps)
    rest = [_put("spec.training.steps", evidence.steps, steps, f"Trained {factor:g} times as long, on good points.")]
    if plan.trials > FEW:
        rest.append(
            _put("spec.budget.trials", plan.trials, FEW, "Very few long runs, near the best of the short ones.")
        )
    if plan.exploitation:
        put = (Put("spec.phase", "Exploration"),)
        reason = "So few points are spread best without a model."
        rest.append(Change("spec.phase", "Exploitation", "Exploration", reason, RULE, put))
    within = "" if launch.arm == "all" else f" ({launch.arm})"
    notes = (
        *_schedule_notes(schedule, evidence.steps, steps),
        _TRANSFERS,
        *_limits(plan, factor),
        *(f"Seen in the short round, and promoted with it: {warning}" for warning in _warnings(findings)),
    )
    changes = (*draft.changes, *rest, *follow_up(draft, plan, rest))
    summary = f"Promote {launch.trial}{within} from {evidence.steps} to {steps} steps."
    return Proposal(summary, changes, notes, launch)


def _limits(plan: Plan, factor: float) -> list[str]:
    """Bounds of time that were made for the short trainings."""
    if not plan.limits:
        return []
    return [
        f"A training takes about {factor:g} times as long now: see to what bounds its time, {', '.join(plan.limits)}."
    ]


def _warnings(findings: Sequence[Finding]) -> list[str]:
    return open_warnings([each for each in findings if not each.waived and each.rule != "still-improving"])


def _promote(draft: Draft, place: int, definition: Hyperparameter, value: Scalar, reach: float) -> None:
    """Fix what is likely to transfer at its best value, and search again near the best what may not.

    ``reach``, in decades, is the learning rate's.
    """
    what, domain = definition.kind, definition.domain
    if isinstance(domain, Value) or _LENGTHS.search(definition.name):
        return
    if isinstance(domain, Range) and what is Kind.LEARNING_RATE:
        decades = math.log10(domain.maximum / domain.minimum) if domain.scale is ScaleName.LOG else reach / REACH
        near = narrowed(domain, value, reach / decades)
        reason = (
            f"The base learning rate is looked for again around the best, {short(value)}, within {reach:g} decades."
        )
        draft.ranged(place, near, reason, RULE)
    elif isinstance(domain, Range) and what in REGULARISERS:
        reason = f"Regularisation may transfer: it is tuned again around the best, {short(value)}."
        draft.ranged(place, narrowed(domain, value, REACH), reason, RULE)
    else:
        told = _TRANSFER.get(what, "what describes the model likely transfers") if what else _ARCHITECTURE
        draft.fixed(place, value, f"The best trial's value: {told}.", RULE)


_ARCHITECTURE = "architecture and initialisation are likely to transfer"
_TRANSFERS = (
    "What transfers from short to long training: the warmup's length and the initialisation very likely, the "
    "architecture likely, optimizer, augmentation and regularisation perhaps, the learning rate's schedule unlikely."
)
_LENGTHS = re.compile(r"(constant|decay)_(steps|fraction)$", re.I)
"""Parts of a schedule, by the names that trainers give them, in steps or as a share of all."""


def _stretch(draft: Draft, old: int, new: int) -> None:
    """Set the fixed parts of a linear schedule, so that the decay is as long as it was."""
    for place, definition in draft.definitions():
        found = _LENGTHS.search(definition.name)
        if not found or not isinstance(definition.domain, Value) or isinstance(definition.domain.value, str | bool):
            continue
        value = _stretched(found[1].lower(), found[2].lower(), float(definition.domain.value), old, new)
        reason = "The decay keeps its length in steps, and the constant phase before it takes what is added."
        draft.revalued(place, value, reason, RULE)


def _stretched(part: str, unit: str, value: float, old: int, new: int) -> float | int:
    if part == "decay":
        return int(value) if unit == "steps" else float(f"{value * old / new:.6g}")
    if unit == "steps":
        return int(value) + new - old
    return float(f"{1 - (1 - value) * old / new:.6g}")


def _schedule(parameters: Mapping[str, Scalar], definitions: tuple[Hyperparameter, ...], words: str) -> str:
    """The schedule's name, as the best trial or else the command line has it; empty where neither tells."""
    names = {each.name for each in definitions if each.kind is Kind.SCHEDULE}
    told = next((str(value) for name, value in parameters.items() if name in names), "")
    if not told and (written := _SCHEDULE_WORDS.search(words)):
        told = written[1]
    return told.lower()


def _schedule_notes(schedule: str, old: int, new: int) -> tuple[str, ...]:
    linear = (
        f"Linear decay: keep the decay's {old} steps at most, and hold the learning rate constant for the {new - old} "
        "steps before it. A trainer whose decay always spans the whole training needs a constant phase for that."
    )
    cosine = f"Cosine decay: keep the base learning rate, and stretch the schedule to {new} steps."
    if "cos" in schedule:
        return (cosine,)
    if "linear" in schedule:
        return (linear,)
    if schedule in ("constant", "none"):
        return (
            "The learning rate is constant: give the long training a decay, and tune the base learning rate for it.",
        )
    return (linear, cosine)


def _put(path: str, before: Scalar, after: Scalar, reason: str) -> Change:
    return Change(path, shown(before), shown(after), reason, RULE, (Put(path, after),))
