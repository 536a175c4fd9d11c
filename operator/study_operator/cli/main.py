"""The command ``study``, and ``kubectl study``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

import click

from study_operator.cli.failure import ExitCode, Failure
from study_operator.cli.output import discard, prepare

_COMMANDS = {
    "run": "run",
    "lint": "lint",
    "list": "list_studies",
    "watch": "watch",
    "export": "export",
    "report": "report",
    "next": "next_round",
    "crd": "crd",
}
"""Each command's name in its module of the same name."""


class _Commands(click.Group):
    """Commands that are imported when they are used: a list of studies need not wait for the sampler's libraries."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"study_operator.cli.{cmd_name}"), _COMMANDS[cmd_name])
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        prepare()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever may happen to its output or files ends it with a sentence."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError):
            discard()
            ctx.exit(ExitCode.INTERRUPTED)
        except OSError as error:
            discard()
            raise Failure(f"{error.filename or 'the output'}: {error.strerror or error}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(version("study-operator"), prog_name="study")
def main() -> None:
    """Deep learning tuning studies, on this machine and on a Kubernetes cluster.

    \b
    Exit codes:
      0    done: the study finished with a result, or was suspended in its file
      1    the manifest, the folder or the cluster said no, and why was told; nothing was created
      2    the command line is wrong
      3    the study finished or stalled without a result
      130  interrupted, or nobody reads the output any more: the same command goes on where it was
    """
