"""What is wrong with a search space, where, and what to do about it.

A user corrects a manifest once, not once for each mistake in it: checks collect problems, and the error carries all of
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. ``path`` is the field as the user wrote it, such as ``spec.hyperparameters[2].range.min``."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class InvalidSpace(ValueError):
    """A search space that cannot be searched; ``problems`` has at least one entry."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
