"""What is to change from one round's manifest to the next one's, and why.

A change is what a person reads; its edits are what is done to the manifest. Paths are those of the round that was
evaluated, also where a change drops a hyperparameter: nothing has to be counted anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study_operator.scalar import Scalar
from study_operator.space import Space, conditions_text

Content = Scalar | Sequence["Content"] | Mapping[str, "Content"]


@dataclass(frozen=True, slots=True)
class Put:
    """Set the field at ``path``, which may be new."""

    path: str
    value: Content


@dataclass(frozen=True, slots=True)
class Swap:
    """Let the field ``key`` with ``value`` stand where the field at ``path`` stood."""

    path: str
    key: str
    value: Content


@dataclass(frozen=True, slots=True)
class Drop:
    """Take the entry at ``path`` out of its list."""

    path: str


Edit = Put | Swap | Drop


@dataclass(frozen=True, slots=True)
class Change:
    """One change with its reason.

    ``before`` is empty where the field is new; ``rule`` is the id of the rule that asks for it,
    and ``subject`` the arm or trial where that was seen.
    """

    path: str
    before: str
    after: str
    reason: str
    rule: str
    edits: tuple[Edit, ...]
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """A configuration to use: the best trial of the round. ``value`` is in the objective's own direction."""

    trial: str
    arm: str
    value: float
    step: int | None
    parameters: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What follows from a round.

    Without ``changes`` there is nothing to change, and ``launch`` is what to use, or None where nothing worked.
    ``notes`` are what follows and is no change of a manifest: a probe to make, what transfers and what does not.
    """

    summary: str
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    launch: Launch | None = None


def change_text(change: Change, space: Space) -> str:
    """A change as a person tells it: ``learning_rate (optimizer=adam) max from 0.1 to 1``."""
    moved = f"from {change.before} to {change.after}" if change.before else f"to {change.after}"
    return f"{_field(change.path, space)} {moved}"


def _field(path: str, space: Space) -> str:
    found = re.fullmatch(r"spec\.hyperparameters\[(\d+)\](?:\.range)?(?:\.(\w+))?", path)
    if not found:
        return path
    definition = space.definitions[int(found[1])]
    several = sum(each.name == definition.name for each in space.definitions) > 1
    when = conditions_text(definition.when) if several else ""
    words = (definition.name, f"({when})" if when else "", found[2] or "")
    return " ".join(filter(None, words))
