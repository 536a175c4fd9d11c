"""Waiting for what a cluster comes to show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")
PATIENCE = 120.0


def eventually(
    read: Callable[[], _Value], holds: Callable[[_Value], object] = bool, seconds: float = PATIENCE
) -> _Value:
    """The first value for which ``holds``, looked at a few times a second.

    Raises AssertionError with the last one after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not holds(value := read()):
        assert time.monotonic() < deadline, f"not in {seconds} s; at last: {value}"
        time.sleep(0.2)
    return value
