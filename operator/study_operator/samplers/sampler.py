"""Samplers: which point a trial gets, and why.

A sampler answers a request with a suggestion and keeps nothing in between: what it may know of other trials stands in
the request. So a suggestion can be made again after a restart, in a test or in a notebook, and it comes out the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of a trial. Failed trials, which say nothing about their point, are left out.

    ``value`` is the objective as minimised, and None while the trial is pending or where it is infeasible.
    """

    index: int
    arm: int
    point: tuple[float, ...]
    value: float | None = None
    infeasible: bool = False


@dataclass(frozen=True, slots=True)
class SuggestionRequest:
    """Asks for the point of trial ``index``, given what is known of the others, in any order."""

    index: int
    observations: Sequence[Observation] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The decision: trial ``index`` runs ``arm`` at the unit ``point`` with ``seed``. ``reason`` says in a sentence how
    that came about.
    """

    index: int
    arm: int
    point: tuple[float, ...]
    seed: int
    reason: str


class Sampler(Protocol):
    """Decides where trials go. Arms take turns: trial i is of arm i modulo the number of arms."""

    adaptive: bool
    """Whether suggestions use results, so that none should be asked for before it is needed."""

    def suggest(self, request: SuggestionRequest) -> Suggestion:
        """The decision for one trial; the same for the same request."""
        ...
