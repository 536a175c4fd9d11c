"""Which trials to persist and which to start next.

In the exploration phase the points are fixed in advance, so a refill looks at counts alone and never at results: it can
run before the finished trial's metrics are in, and it gives the same study whatever order the trials finish in. Trials
are persisted ahead of their need, so that a refill is a single create.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan rests on. All but the first three count trials.

    - ``parallelism``: how many runs may exist at once.
    - ``unplaced_cap``: how many of them may be waiting for a node.
    - ``lookahead``: how many trials are to be persisted beyond those that can start.
    - ``missing``: those below the budget that have no record yet, nor one that is being written.
    - ``waiting``: those that have a record, or one that is being written, and no run yet.
    - ``active``: those with a run that has not ended, or whose run is being created.
    - ``unplaced``: active ones that the scheduler found no node for.
    """

    parallelism: int
    unplaced_cap: int
    lookahead: int
    missing: int
    waiting: int
    active: int
    unplaced: int


def runs_to_start(situation: Situation) -> int:
    """How many of the waiting trials may start now, were there enough of them.

    Unplaced runs are capped: a cluster without a free accelerator gets a short queue from a study, not its whole
    budget.
    """
    free = situation.parallelism - situation.active
    room = situation.unplaced_cap - situation.unplaced if situation.unplaced else free
    return max(0, min(free, room))


def trials_to_persist(situation: Situation) -> int:
    """How many further trials get their record now: enough for the free slots, and ``lookahead`` beyond."""
    wanted = runs_to_start(situation) + situation.lookahead - situation.waiting
    return max(0, min(wanted, situation.missing))
