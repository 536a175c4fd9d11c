"""When an action that failed may be tried again: later each time, jittered, and never before the other side asked for
it.
"""

from __future__ import annotations

import random
from collections.abc import Hashable
from dataclasses import dataclass

FIRST_DELAY = 0.5
LONGEST_DELAY = 60.0
"""Seconds. The delay doubles from the first to the longest."""


@dataclass(slots=True)
class _Failure:
    count: int
    retry_at: float


class Backoff:
    """The failures of a set of actions. Times are monotonic, in seconds."""

    def __init__(self, randomness: random.Random) -> None:
        self._randomness = randomness
        self._failures: dict[Hashable, _Failure] = {}

    def failed(
        self, action: Hashable, now: float, retry_after: float | None = None, longest: float = LONGEST_DELAY
    ) -> None:
        """``action`` failed; ``retry_after`` is what the other side asked for, ``longest`` bounds the own delay.

        Of attempts that were made beside each other, and failed for one cause, the first counts.
        """
        if not self.ready(action, now):
            return
        count = self._failures[action].count + 1 if action in self._failures else 1
        delay = min(longest, FIRST_DELAY * 2.0 ** (count - 1)) * self._randomness.uniform(0.75, 1.25)
        self._failures[action] = _Failure(count, now + max(delay, retry_after or 0.0))

    def succeeded(self, action: Hashable) -> None:
        self._failures.pop(action, None)

    def ready(self, action: Hashable, now: float) -> bool:
        """Whether ``action`` may be tried now."""
        return action not in self._failures or self._failures[action].retry_at <= now

    def delays(self, now: float) -> list[float]:
        """Seconds until each of the actions that failed may be tried again."""
        return [failure.retry_at - now for failure in self._failures.values()]
