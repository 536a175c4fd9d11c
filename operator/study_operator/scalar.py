"""The values that a hyperparameter takes, and when two of them are one value.

Python takes True for 1, and a trainer does not: a flag and a number are told apart. A number is the same however it is
written, so 1 is 1.0.
"""

from __future__ import annotations

Scalar = str | int | float | bool
Identity = tuple[bool, Scalar]


def identity(value: Scalar) -> Identity:
    """What two scalars share if and only if they are one value; hashable."""
    return isinstance(value, bool), value
