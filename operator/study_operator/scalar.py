"""The values that a hyperparameter takes, and when two of them are one value.

Python takes True for 1, and a trainer does not: a flag and a number are told apart. A number is the same however it is
written, so 1 is 1.0.
"""

from __future__ import annotations

from typing import TypeGuard

Scalar = str | int | float | bool
Identity = tuple[bool, Scalar]


def is_number(value: Scalar | None) -> TypeGuard[float]:
    """Whether ``value`` is a number, which a flag and a text are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def identity(value: Scalar) -> Identity:
    """What two scalars share if and only if they are one value; hashable."""
    return isinstance(value, bool), value
