"""Words that came from outside, made fit for a status, an event and a terminal.

A trainer may write anything: terminal escapes, lone surrogates that no API server takes, a megabyte.
"""

from __future__ import annotations

import unicodedata

LONGEST = 512
"""Characters of a sentence that a status shows."""


def clean(text: str, longest: int = LONGEST) -> str:
    """One line of at most ``longest`` characters, without control, format and surrogate characters."""
    shown = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text[: 4 * longest])
    line = " ".join(shown.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def sentence(text: str) -> str:
    """The text cleaned, with a full stop where it has no end of its own."""
    line = clean(text)
    return line if line.endswith((".", "!", "?", "…")) or not line else f"{line}."
