"""How findings write numbers: as many digits as a person reads."""

from __future__ import annotations

from study_operator.scalar import Scalar


def short(value: Scalar) -> str:
    """A value with three significant digits; text as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def percent(share: float) -> str:
    """A share of one in whole percent."""
    return f"{share:.0%}"
