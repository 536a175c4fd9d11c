"""The ranking: a study's trials, best first.

It is kept sorted as trials come and go, so that an event costs a search and not a sort of ten thousand trials. The
order, objective and then index, is total, hence the ranking does not depend on the order in which trials finished.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass

from study_operator.results.objective import Direction

_Place = tuple[float, int]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A trial that has an objective.

    ``step`` is where the objective was reached, None where the trainer told no step.
    """

    index: int
    arm: int
    value: float
    step: int | None


class Ranking:
    """The trials in the order of their objectives.

    Equal objectives are ordered by index; what is not finite has no place.
    """

    def __init__(self, direction: Direction) -> None:
        self._direction = direction
        self._ranked: dict[int, Ranked] = {}
        self._places: list[_Place] = []
        self._places_by_arm: defaultdict[int, list[_Place]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._places)

    def add(self, ranked: Ranked) -> None:
        """Give the trial its place, in exchange for one that it had; a value that is not finite gets none."""
        self.discard(ranked.index)
        if math.isfinite(ranked.value):
            self._ranked[ranked.index] = ranked
            insort(self._places, self._place(ranked))
            insort(self._places_by_arm[ranked.arm], self._place(ranked))

    def discard(self, index: int) -> None:
        """Take the trial's place away, if it has one."""
        ranked = self._ranked.pop(index, None)
        if ranked is not None:
            for places in (self._places, self._places_by_arm[ranked.arm]):
                del places[bisect_left(places, self._place(ranked))]

    def top(self, n: int) -> tuple[Ranked, ...]:
        """The best ``n`` trials, best first."""
        return tuple(self._ranked[index] for _, index in self._places[:n])

    def best_of(self, arm: int) -> Ranked | None:
        """The best trial of an arm."""
        places = self._places_by_arm.get(arm)
        return self._ranked[places[0][1]] if places else None

    def bests(self) -> list[Ranked]:
        """The best trial of every arm that has one, best first."""
        return [self._ranked[index] for _, index in sorted(of[0] for of in self._places_by_arm.values() if of)]

    def _place(self, ranked: Ranked) -> _Place:
        return self._direction.minimised(ranked.value), ranked.index
