"""Where commands write: a terminal with its abilities, or a file or pipe that a program reads.

What goes into a file is UTF-8 whatever the locale, because manifests and tables are; a terminal gets what it can show.
"""

from __future__ import annotations

import io
import os
import sys

from rich.console import Console

from study_operator.cli.failure import ExitCode

PLAIN_WIDTH = 160
"""Columns where the output is no terminal: tables are as wide as they need, and a log has no edge."""


class Output(Console):
    """Standard output. When nobody reads it any more, the command ends as if it were interrupted."""

    def __init__(self, plain_width: int = PLAIN_WIDTH) -> None:
        super().__init__()
        if not self.is_terminal:
            self.width = plain_width

    @property
    def draws(self) -> bool:
        """Whether it can draw a picture anew."""
        return self.is_terminal and not self.is_dumb_terminal

    def on_broken_pipe(self) -> None:
        """Called by rich."""
        discard()
        raise SystemExit(ExitCode.INTERRUPTED)


def prepare() -> None:
    """Make the standard streams such that every text can be written to them."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # closed by the caller: a file that is opened must not take its place
            os.open(os.devnull, os.O_RDWR)
            # A descriptor has no path, and it stays open for as long as the process lives.
            setattr(sys, name, open(descriptor, "r" if name == "stdin" else "w"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


def discard() -> None:
    """Send to nowhere what is still to be written to standard output, where that is this process's own."""
    own = sys.__stdout__
    if own is not None and sys.stdout is own:
        os.dup2(os.open(os.devnull, os.O_WRONLY), own.fileno())
