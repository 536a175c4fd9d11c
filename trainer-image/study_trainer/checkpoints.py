"""Checkpoints: the best few of a trial, kept in hindsight.

The best step is known only after the training has gone past it, so a checkpoint is offered at each evaluation,
written only if it is among the best so far, and the worst makes room. A checkpoint appears and goes by one rename, so
a kill at any moment leaves whole checkpoints only (a power cut may not: nothing is synced to the disk). What is there
when a trainer starts again counts on.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Direction = Literal["Minimize", "Maximize"]

_SCORE = "checkpoint.json"
_PARTIAL = ".partial"
_DISCARDED = ".discarded"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the training wrote at ``step``, when the objective was ``value``, into the folder ``path``."""

    step: int
    value: float
    path: Path


class Checkpoints:
    """The ``keep`` best checkpoints in ``folder``, each a folder named by its step that holds what the trainer wrote
    and its score.
    """

    def __init__(self, folder: Path, keep: int, direction: Direction) -> None:
        """Takes up what an earlier run left in ``folder``, which need not exist. Raises ValueError for a ``keep``
        below 1.
        """
        if keep < 1:
            raise ValueError(f"keep_checkpoints must be 1 or more, got {keep}")
        self._folder = folder
        self._keep = keep
        self._sign = 1.0 if direction == "Minimize" else -1.0
        self._kept: list[Checkpoint] = []
        self._take_up()

    @property
    def best_first(self) -> tuple[Checkpoint, ...]:
        """By value, then by step: of equal values the earlier is the better."""
        return tuple(sorted(self._kept, key=self._rank))

    def offer(self, step: int, value: float, write: Callable[[Path], object]) -> Path | None:
        """Keeps a checkpoint if its value is among the best; a value that is not finite never is.

        ``write`` is called with an empty folder to fill, and only if the checkpoint is kept. What it raises passes
        through and leaves the others as they were. Returns where the checkpoint is, or None where it is not kept.
        """
        path = self._folder / f"{step:06d}"
        checkpoint = Checkpoint(step, value, path)
        others = [kept for kept in self._kept if kept.step != step]
        if not math.isfinite(value) or checkpoint not in sorted([*others, checkpoint], key=self._rank)[: self._keep]:
            return None
        partial = self._folder / f".{path.name}{_PARTIAL}"
        partial.mkdir(parents=True)
        try:
            write(partial)
            (partial / _SCORE).write_text(json.dumps({"step": step, "value": value}))
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        if path.exists():
            self._discard(path)
        partial.rename(path)
        self._kept = [*others, checkpoint]
        self._prune()
        return path

    def _rank(self, checkpoint: Checkpoint) -> tuple[float, int]:
        return self._sign * checkpoint.value, checkpoint.step

    def _prune(self) -> None:
        for surplus in self.best_first[self._keep :]:
            self._discard(surplus.path)
            self._kept.remove(surplus)

    def _discard(self, path: Path) -> None:
        discarded = self._folder / f".{path.name}{_DISCARDED}"
        path.rename(discarded)
        shutil.rmtree(discarded, ignore_errors=True)

    def _take_up(self) -> None:
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name.startswith(".") and path.name.endswith((_PARTIAL, _DISCARDED)):
                shutil.rmtree(path, ignore_errors=True)
            elif (checkpoint := _read(path)) is not None:
                self._kept.append(checkpoint)
        self._prune()


def _read(path: Path) -> Checkpoint | None:
    """The checkpoint in a folder; None for what is none of ours."""
    try:
        score = json.loads((path / _SCORE).read_text())
        step, value = int(score["step"]), float(score["value"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Checkpoint(step, value, path) if math.isfinite(value) else None
