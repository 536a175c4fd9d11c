"""A hyperparameter: its role in the study's question, its domain, and when it applies.

A name may be defined several times under conditions that exclude each other, because one name may mean different
things: a learning rate under Adam is not one under Nesterov momentum. So what is here called a hyperparameter is one
definition, and the space holds several of a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum

from study_operator.scalar import Scalar, identity
from study_operator.space.kinds import Kind, kind_of
from study_operator.space.scales import Integers, Linear, Log, ReverseLog, Scale


class Role(StrEnum):
    """What a hyperparameter is to the study's question: asked about, tuned for a fair answer, or left alone."""

    SCIENTIFIC = "Scientific"
    NUISANCE = "Nuisance"
    FIXED = "Fixed"


class ScaleName(StrEnum):
    """How a range is laid out."""

    LINEAR = "Linear"
    LOG = "Log"
    REVERSE_LOG = "ReverseLog"


_SCALES: dict[ScaleName, type[Linear] | type[Log] | type[ReverseLog]] = {
    ScaleName.LINEAR: Linear,
    ScaleName.LOG: Log,
    ScaleName.REVERSE_LOG: ReverseLog,
}


def parameter_text(value: Scalar) -> str:
    """A value as a trainer reads it, from text: exact for floats, ``true`` and ``false`` for flags."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def conditions_text(when: Mapping[str, Sequence[Scalar]]) -> str:
    """``optimizer=adam|sgd, nesterov=true``."""
    return ", ".join(f"{name}={'|'.join(map(parameter_text, values))}" for name, values in when.items())


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers from ``minimum`` to ``maximum``, or the whole ones among them."""

    minimum: float
    maximum: float
    scale: ScaleName = ScaleName.LINEAR
    integer: bool = False

    def value(self, u: float) -> Scalar:
        """The number at the unit coordinate ``u``: an int in an integer range, a float otherwise."""
        return self.layout.value(u)

    def coordinate(self, value: Scalar) -> float:
        """The coordinate of ``value``; raises ValueError unless it is a number."""
        return self.layout.coordinate(_number(value))

    def rounded(self, value: Scalar, digits: int, rounding: str = ROUND_HALF_EVEN) -> float:
        """``value`` to so many significant digits, or whole in an integer range; ValueError unless it is a number.

        On a reverse-log scale the digits are those of the distance to one: three of a momentum's own do not tell 0.9992
        from 0.9994. ``rounding`` is one of :mod:`decimal`'s, as is the arithmetic, so that no others are written.
        """
        exact = Decimal(repr(float(_number(value))))
        if self.integer:
            return int(exact.to_integral_value(rounding))
        origin = 1 if self.scale is ScaleName.REVERSE_LOG else 0
        return float(Context(digits, rounding).plus(exact - origin) + origin)

    @property
    def layout(self) -> Scale:
        """The scale that lays the range out over the unit interval."""
        scale = _SCALES[self.scale]
        if self.integer:
            return Integers(int(self.minimum), int(self.maximum), scale(self.minimum - 0.5, self.maximum + 0.5))
        return scale(float(self.minimum), float(self.maximum))


@dataclass(frozen=True, slots=True)
class Choices:
    """One of several values, each with an equal part of the unit interval."""

    values: tuple[Scalar, ...]

    def value(self, u: float) -> Scalar:
        """The choice at the unit coordinate ``u``, as it was given."""
        return self.values[self.position(u)]

    def position(self, u: float) -> int:
        """The place in ``values`` of the choice at ``u``: floor(u K), and the last for what rounds up to the end."""
        return min(int(max(u, 0.0) * len(self.values)), len(self.values) - 1)

    def coordinate(self, value: Scalar) -> float:
        """The middle of the part that ``value`` has; raises ValueError where it is none of the choices."""
        position = [identity(choice) for choice in self.values].index(identity(value))
        return (position + 0.5) / len(self.values)


@dataclass(frozen=True, slots=True)
class Value:
    """A single value, which is not tuned."""

    value: Scalar


Domain = Range | Choices | Value


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One definition of a hyperparameter.

    ``when`` names parents and those of their values under which the definition applies; all the parents must agree.
    Without it the definition always applies. ``kind`` is what it is to the rules; where it is not given, what its name
    conventionally stands for.
    """

    name: str
    role: Role
    domain: Domain
    when: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    kind: Kind | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", self.kind or kind_of(self.name))

    @property
    def distinguishes_arms(self) -> bool:
        """Whether its values make arms: it is scientific and discrete."""
        return self.role is Role.SCIENTIFIC and isinstance(self.domain, Choices)

    @property
    def sampled(self) -> bool:
        """Whether its value comes from a coordinate of the unit point."""
        return isinstance(self.domain, Range) or (isinstance(self.domain, Choices) and not self.distinguishes_arms)

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values that can be listed: none for a range."""
        match self.domain:
            case Choices(values):
                return values
            case Value(value):
                return (value,)
            case Range():
                return ()

    def applies(self, values: Mapping[str, Scalar]) -> bool:
        """Whether ``when`` holds, given the values of the parents that apply themselves."""
        return all(
            parent in values and identity(values[parent]) in map(identity, allowed)
            for parent, allowed in self.when.items()
        )


def _number(value: Scalar) -> float:
    if isinstance(value, str | bool):
        raise ValueError(f"{value!r} is not a number")
    return value
