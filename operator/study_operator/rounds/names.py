"""The names of rounds: ``optimizers-r1``, ``optimizers-r2``."""

from __future__ import annotations

import re


def next_name(name: str, longest: int) -> str:
    """The name of the round after ``name``, of at most ``longest`` characters: what is before the number is cut."""
    found = re.fullmatch(r"(.*)-r(\d{1,9})", name)
    stem, number = (found[1], int(found[2]) + 1) if found else (name, 2)
    suffix = f"-r{number}"
    return stem[: longest - len(suffix)].rstrip("-") + suffix
