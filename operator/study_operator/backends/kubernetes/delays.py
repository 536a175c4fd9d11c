"""How long a watch waits before it asks again. It never gives up."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
"""Seconds between two tries; the delay doubles from the first to the longest, jittered."""


class EndlessDelays(Iterable[float]):
    """Begins anew with each iteration."""

    def __iter__(self) -> Iterator[float]:
        delay = FIRST_DELAY
        while True:
            yield delay * random.uniform(0.75, 1.25)
            delay = min(LONGEST_DELAY, 2 * delay)
