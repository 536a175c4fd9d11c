"""What a study asks, as far as its conclusion depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from study_operator.space import Scalar


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is run again on fresh seeds: the best ``top`` configurations and the ``baseline``, ``reruns`` times each.

    ``margin`` is by how much of the objective a change must be better to be worth its complexity.
    """

    top: int
    reruns: int
    baseline: Mapping[str, Scalar] | None = None
    margin: float = 0.0

    @property
    def slots(self) -> int:
        """How many configurations are run again, the baseline included."""
        return self.top + (self.baseline is not None)

    @property
    def trials(self) -> int:
        """How many trials that takes, which is known before the study starts."""
        return self.slots * self.reruns


@dataclass(frozen=True, slots=True)
class Question:
    """How a study is to be confirmed, what guessing reaches, and which rules were waived for which reason."""

    confirmation: Confirmation | None = None
    chance: float | None = None
    waivers: Mapping[str, str] = field(default_factory=dict)
