"""Seeds: where all the randomness of a study comes from.

A study's seed follows from its namespace and name, so that applying a manifest again gives the same study and two
studies of one name in two namespaces differ. Everything else is derived from the study's seed and a number, never drawn
from a stream: no seed depends on what was asked for before, and a restart needs no state. A cryptographic hash keeps
the derivation the same on all machines and versions.
"""

from __future__ import annotations

import hashlib

_SEEDS = 2**31


def study_seed(namespace: str, name: str) -> int:
    """The default seed of a study: 0 <= seed < 2**31."""
    return _hash(f"study\0{namespace}\0{name}")


def trial_seed(study_seed: int, index: int) -> int:
    """The seed that trial ``index`` hands to its trainer: 0 <= seed < 2**31."""
    return _hash(f"trial\0{study_seed}\0{index}")


def model_seed(study_seed: int, index: int) -> int:
    """The seed of the model that chooses the point of trial ``index``: 0 <= seed < 2**31."""
    return _hash(f"model\0{study_seed}\0{index}")


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % _SEEDS
