"""How a command ends: its exit codes, and its errors as plain sentences."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

import click

from study_operator.space import Problem


class ExitCode(IntEnum):
    """What a command's exit code says (docs/cli.md)."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NO_RESULT = 3
    INTERRUPTED = 130


class Failure(click.ClickException):
    """A command cannot do what it was asked; the message tells why and what to do."""

    exit_code = ExitCode.REFUSED

    def show(self, file: object = None) -> None:
        """The sentences alone, on standard error."""
        click.echo(self.message, err=True)


def faulty(file: str, problems: Iterable[Problem]) -> Failure:
    """Every problem of a file, one a line, in the form of ``study lint``."""
    lines = [": ".join(filter(None, (file, problem.path, problem.message))) for problem in problems]
    return Failure("\n".join(lines))
