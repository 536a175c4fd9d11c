"""The command ``study``, and ``kubectl study``."""

from __future__ import annotations

from importlib.metadata import version

import click
from study_operator.cli.crd import crd
from study_operator.cli.lint import lint
from study_operator.cli.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("study-operator"), prog_name="study")
def main() -> None:
    """Deep learning tuning studies, on this machine and on a Kubernetes cluster.

    \b
    Exit codes:
      0    done: the study finished with a result, or was suspended in its file
      1    the manifest, the folder or the cluster said no, and why was told; nothing was created
      2    the command line is wrong
      3    the study finished or stalled without a result
      130  interrupted: the same command goes on where it was
    """


for command in (run, lint, crd):
    main.add_command(command)
