"""A keyed work queue: each key is waiting at most once, however often it was added.

A study with a hundred events between two passes needs one pass, because a pass looks at the whole state and not at the
events. Keys come out in the order in which they became due, so that no study starves another.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class KeyedQueue(Generic[Key]):
    """To be used from one event loop; times are the loop's, in seconds."""

    def __init__(self) -> None:
        self._due: dict[Key, None] = {}
        self._later: list[tuple[float, int, Key]] = []
        self._earliest: dict[Key, float] = {}
        self._added = asyncio.Event()
        self._sequence = 0

    def __len__(self) -> int:
        """How many keys are due now."""
        return len(self._due)

    def add(self, key: Key) -> None:
        """``key`` is due now."""
        self._earliest.pop(key, None)
        self._due[key] = None
        self._added.set()

    def add_after(self, key: Key, delay: float) -> None:
        """``key`` is due in ``delay`` seconds, unless it is due earlier anyway."""
        time = asyncio.get_running_loop().time() + delay
        if key in self._due or self._earliest.get(key, time + 1.0) <= time:
            return
        self._earliest[key] = time
        self._sequence += 1
        heapq.heappush(self._later, (time, self._sequence, key))
        self._added.set()

    def discard(self, key: Key) -> None:
        """``key`` needs no further pass."""
        self._due.pop(key, None)
        self._earliest.pop(key, None)

    async def get(self) -> Key:
        """The next key, as soon as one is due."""
        while True:
            delay = self._promote()
            if self._due:
                key = next(iter(self._due))
                del self._due[key]
                return key
            self._added.clear()
            try:
                async with asyncio.timeout(delay):
                    await self._added.wait()
            except TimeoutError:
                continue

    def _promote(self) -> float | None:
        """Make due what has become due; returns the seconds until the next key does (None: no key waits)."""
        now = asyncio.get_running_loop().time()
        while self._later:
            time, _, key = self._later[0]
            superseded = self._earliest.get(key) != time
            if not superseded and time > now:
                return time - now
            heapq.heappop(self._later)
            if not superseded:
                del self._earliest[key]
                self._due[key] = None
        return None
