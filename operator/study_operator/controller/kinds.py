"""The kinds of action, and what an action is known by.

What is under way, held up or refused is noted by kind and trial, in the study's state as in the commands: so the kinds
stand below both.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of action. All but Open, Reread, Release, Report and Analyse are about one trial."""

    OPEN = "open"
    REREAD = "reread"
    START = "start"
    PERSIST = "persist"
    STOP = "stop"
    COLLECT = "collect"
    WRITE = "write"
    DISCARD = "discard"
    RELEASE = "release"
    REPORT = "report"
    ANALYSE = "analyse"


SPEC = "spec"
"""In place of a kind, for what is wrong with the manifest itself: no action mends it, another manifest does."""

STUDY = -1
"""In place of a trial's index, for what concerns the study itself."""

Action = tuple[Kind, int]
"""What is being done: the kind of the action, and the trial's index or STUDY."""
