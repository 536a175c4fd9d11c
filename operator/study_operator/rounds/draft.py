"""The next round's search space while it is being made: every step leaves a space that can be searched.

What findings ask for may contradict each other, or leave an arm with nothing to tune. So each replacement is tried on
the space at once, and one that breaks it is not made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR

from study_operator.findings import ArmEvidence, Evidence
from study_operator.rounds.change import Change, Content, Drop, Launch, Put, Swap
from study_operator.scalar import Scalar, identity
from study_operator.space import (
    Choices,
    Hyperparameter,
    InvalidSpace,
    Range,
    Role,
    ScaleName,
    Space,
    Value,
)
from study_operator.space.configuration import configuration

PATH = "spec.hyperparameters"
DIGITS = 3
"""Of a number that was sampled, as the next manifest has it: more are nobody's choice."""
NEAR = 0.01
"""How far rounding may move a value, in unit coordinates: in a narrow range three digits are too few."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a round's manifest the next one depends on beside its space.

    ``seed`` and ``baseline`` are None where the manifest does not give them; ``confirms`` is whether the best are run
    again on fresh seeds; ``words`` is the trainer's command line, ``limits`` what bounds the time of the study or of a
    trial, such as ``spec.budget.maxDuration 6h``.
    """

    trials: int
    exploitation: bool = False
    seed: int | None = None
    confirms: bool = False
    baseline: Mapping[str, Scalar] | None = None
    words: str = ""
    limits: tuple[str, ...] = ()


class Draft:
    """The space of ``evidence`` with the changes made so far."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.changes: list[Change] = []
        self._definitions: list[Hyperparameter | None] = list(evidence.space.definitions)

    def definitions(self) -> Iterator[tuple[int, Hyperparameter]]:
        """Those that are left, with their places in the manifest.

        The draft may be changed meanwhile: what goes with a change is not met any more.
        """
        for place in range(len(self._definitions)):
            definition = self._definitions[place]
            if definition is not None:
                yield place, definition

    def untouched(self, place: int) -> bool:
        """Whether the definition at ``place`` is still as it was."""
        return self._definitions[place] is self.evidence.space.definitions[place]

    def arms_of(self, place: int) -> list[ArmEvidence]:
        """The arms with a result in which the definition at ``place`` of the manifest applies, best first."""
        definition = self.evidence.space.definitions[place]
        return [arm for arm in self.evidence.order if definition in self.evidence.space.hyperparameters(arm.arm.index)]

    def place_of(self, arm: str, name: str) -> int | None:
        """The place of the definition of ``name`` in the arm of this label; None unless there is exactly one."""
        index = next((each.index for each in self.evidence.space.arms if each.label == arm), None)
        if index is None:
            return None
        applying = self.evidence.space.hyperparameters(index)
        places = [place for place, each in self.definitions() if each.name == name and each in applying]
        return places[0] if len(places) == 1 else None

    def has(self, baseline: Mapping[str, Scalar]) -> bool:
        """Whether a configuration can be run and compared in the space as it is now."""
        try:
            configuration(Space.build([each for _, each in self.definitions()]), baseline, "")
        except InvalidSpace:
            return False
        return True

    def ranged(self, place: int, domain: Range, reason: str, rule: str, subject: str = "") -> bool:
        """Give the definition at ``place`` another range of the same scale."""
        old = self._definitions[place]
        assert old is not None and isinstance(old.domain, Range)
        sides = [("min", old.domain.minimum, domain.minimum), ("max", old.domain.maximum, domain.maximum)]
        moved = [(side, before, after) for side, before, after in sides if before != after]
        if not moved:
            return False
        path = f"{PATH}[{place}].range"
        change = Change(
            path=f"{path}.{moved[0][0]}" if len(moved) == 1 else path,
            before=" to ".join(shown(before) for _, before, _ in (moved if len(moved) == 1 else sides)),
            after=" to ".join(shown(after) for _, _, after in (moved if len(moved) == 1 else sides)),
            reason=reason,
            rule=rule,
            edits=tuple(Put(f"{path}.{side}", whole(after)) for side, _, after in moved),
            subject=subject,
        )
        return self._replace({place: replace(old, domain=domain)}, change)

    def chosen(self, place: int, values: tuple[Scalar, ...], reason: str, rule: str, subject: str = "") -> bool:
        """Leave the definition at ``place`` these of its choices."""
        old = self._definitions[place]
        assert old is not None
        path = f"{PATH}[{place}].choices"
        before, after = (", ".join(map(shown, each)) for each in (old.values, values))
        change = Change(path, before, after, reason, rule, (Put(path, list(values)),), subject)
        return self._replace({place: replace(old, domain=Choices(values))}, change)

    def tuned(self, place: int, domain: Range | Choices, reason: str, rule: str, subject: str = "") -> bool:
        """Make the Fixed definition at ``place`` a Nuisance one."""
        old = self._definitions[place]
        assert old is not None and isinstance(old.domain, Value)
        path = f"{PATH}[{place}]"
        key, content = domain_content(domain)
        change = Change(
            path=path,
            before=f"Fixed {shown(old.domain.value)}",
            after=f"Nuisance {domain_text(domain)}",
            reason=reason,
            rule=rule,
            edits=(Put(f"{path}.role", Role.NUISANCE.value), Swap(f"{path}.value", key, content)),
            subject=subject,
        )
        return self._replace({place: replace(old, role=Role.NUISANCE, domain=domain)}, change)

    def revalued(self, place: int, value: Scalar, reason: str, rule: str, subject: str = "") -> bool:
        """Give the Fixed definition at ``place`` another value."""
        old = self._definitions[place]
        assert old is not None and isinstance(old.domain, Value)
        if identity(old.domain.value) == identity(value):
            return False
        path = f"{PATH}[{place}].value"
        put = (Put(path, whole(value)),)
        change = Change(path, shown(old.domain.value), shown(value), reason, rule, put, subject)
        return self._replace({place: replace(old, domain=Value(value))}, change)

    def optimised(self, place: int, reason: str, rule: str) -> bool:
        """Make the Scientific definition at ``place`` a Nuisance one, with the values that it has."""
        old = self._definitions[place]
        assert old is not None
        path = f"{PATH}[{place}].role"
        nuisance = replace(old, role=Role.NUISANCE)
        change = Change(path, old.role.value, Role.NUISANCE.value, reason, rule, (Put(path, Role.NUISANCE.value),))
        return self._replace({place: nuisance}, change)

    def fixed(self, place: int, value: Scalar, reason: str, rule: str, subject: str = "") -> bool:
        """Make the definition at ``place`` a Fixed one; definitions that can then no longer apply go with it."""
        old = self._definitions[place]
        assert old is not None and not isinstance(old.domain, Value)
        path = f"{PATH}[{place}]"
        key, _ = domain_content(old.domain)
        if isinstance(old.domain, Range):
            value = rounded(old.domain, value)
        gone = self._without(old.name, value)
        lost = sorted({other.name for other_place, other in self.definitions() if other_place in gone})
        if lost:
            reason += f" With it goes what only other values have: {', '.join(lost)}."
        change = Change(
            path=path,
            before=f"{old.role} {domain_text(old.domain)}",
            after=f"Fixed {shown(value)}",
            reason=reason,
            rule=rule,
            edits=(
                Put(f"{path}.role", Role.FIXED.value),
                Swap(f"{path}.{key}", "value", whole(value)),
                *(Drop(f"{PATH}[{other}]") for other in gone),
            ),
            subject=subject,
        )
        fixed = replace(old, role=Role.FIXED, domain=Value(value))
        return self._replace({place: fixed, **dict.fromkeys(gone)}, change)

    def _without(self, parent: str, value: Scalar) -> list[int]:
        """The places of the definitions that need another value of ``parent`` than ``value``, itself or a parent."""
        lost: list[int] = []
        names: set[str] = set()
        for _ in self._definitions:
            for place, each in self.definitions():
                needs_other = parent in each.when and identity(value) not in map(identity, each.when[parent])
                needs_lost = any(name in names and not self._kept(name, lost) for name in each.when)
                if place not in lost and (needs_other or needs_lost):
                    lost.append(place)
                    names.add(each.name)
        return sorted(lost)

    def _kept(self, name: str, lost: Sequence[int]) -> bool:
        return any(each.name == name for place, each in self.definitions() if place not in lost)

    def _replace(self, replacements: Mapping[int, Hyperparameter | None], change: Change) -> bool:
        definitions = [
            replacements.get(place, each) if place in replacements else each
            for place, each in enumerate(self._definitions)
        ]
        try:
            Space.build([each for each in definitions if each is not None])
        except InvalidSpace:
            return False
        self._definitions = definitions
        gone = tuple(f"{PATH}[{place}]" for place, each in replacements.items() if each is None)
        self.changes = [each for each in self.changes if not each.path.startswith(gone)]
        self.changes.append(change)
        return True


def launch_of(evidence: Evidence) -> Launch | None:
    """The best trial's configuration; None where no trial has a result."""
    trial = evidence.best
    if trial is None:
        return None
    assert trial.status.objective is not None, "a trial without an objective is not feasible"
    sample = trial.status.objective
    label = evidence.space.arms[trial.spec.arm].label
    return Launch(trial.spec.name, label, sample.value, sample.step, trial.spec.parameters)


def rounded(domain: Range, value: Scalar) -> float:
    """``value`` to as many digits as leave it where it is in its range, three at least."""
    place = domain.coordinate(value)
    candidates = (domain.rounded(value, digits) for digits in range(DIGITS, 18))
    near = next(each for each in candidates if abs(domain.coordinate(each) - place) <= NEAR)
    return min(max(near, domain.minimum), domain.maximum)


def narrowed(domain: Range, value: Scalar, reach: float) -> Range:
    """The part of a range within ``reach`` of a value, in unit coordinates, both ends rounded outwards or kept."""
    u = domain.coordinate(value)
    low = domain.rounded(domain.value(max(u - reach, 0.0)), DIGITS, ROUND_FLOOR)
    high = domain.rounded(domain.value(min(u + reach, 1.0)), DIGITS, ROUND_CEILING)
    low, high = max(low, domain.minimum), min(high, domain.maximum)
    return replace(domain, minimum=low, maximum=high) if low < high else domain


def domain_content(domain: Range | Choices | Value) -> tuple[str, Content]:
    """The field that a domain is written as, and its content."""
    match domain:
        case Range(minimum, maximum, scale, integer):
            content: dict[str, Content] = {"min": whole(minimum), "max": whole(maximum)}
            content |= {} if scale is ScaleName.LINEAR else {"scale": scale.value}
            return "range", content | ({"integer": True} if integer else {})
        case Choices(values):
            return "choices", list(values)
        case Value(value):
            return "value", value


def domain_text(domain: Range | Choices | Value) -> str:
    """A domain in short, such as ``0.001 to 10 Log``."""
    match domain:
        case Range(minimum, maximum, scale, _):
            words = "" if scale is ScaleName.LINEAR else f" {scale}"
            return f"{shown(minimum)} to {shown(maximum)}{words}"
        case Choices(values):
            return "of " + ", ".join(map(shown, values))
        case Value(value):
            return shown(value)


def whole(value: Scalar) -> Scalar:
    """A number as a manifest writes it: without a fraction where there is none."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def shown(value: Scalar) -> str:
    """A value as a manifest writes it."""
    return str(value).lower() if isinstance(value, bool) else str(whole(value))
