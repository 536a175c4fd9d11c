"""How findings write numbers: as many digits as a person reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from study_operator.scalar import Scalar
from study_operator.space import Choices, Range, parameter_text

T = TypeVar("T")


def short(value: Scalar) -> str:
    """A value with three significant digits; text as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def distinct(domain: Range | Choices, *values: Scalar) -> tuple[str, ...]:
    """A domain's values: numbers in as few digits as tell them apart on its scale, at least three; choices as a
    trainer reads them.
    """
    if isinstance(domain, Choices):
        return tuple(map(parameter_text, values))
    return told_apart(values, lambda value, digits: str(domain.rounded(value, digits)).removesuffix(".0"), 3)


def told_apart(values: Sequence[T], text: Callable[[T, int], str], fewest: int) -> tuple[str, ...]:
    """The ``text`` of each value in as few digits, ``fewest`` at the least, as tell apart those that differ."""
    told = (tuple(text(value, digits) for value in values) for digits in count(fewest))
    return next(texts for texts in told if len(set(texts)) == len(set(values)))


def percent(share: float) -> str:
    """A share of one in whole percent."""
    return f"{share:.0%}"
