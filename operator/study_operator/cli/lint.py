"""``study lint``: everything that is wrong with a manifest, before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import click
from study_operator.api import InvalidManifest, check_manifest, parse_study, study_space
from study_operator.api.yaml import load_manifest
from study_operator.space import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem in a file. An error keeps the study from running, a warning does not."""

    file: str
    severity: str
    problem: Problem

    def __str__(self) -> str:
        words = "warning: " if self.severity == "warning" else ""
        return ": ".join(filter(None, (self.file, self.problem.path, words + self.problem.message)))

    def as_dict(self) -> dict[str, str]:
        """The finding for a program."""
        return {
            "file": self.file,
            "severity": self.severity,
            "path": self.problem.path,
            "message": self.problem.message,
        }


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Of the findings.",
    show_default=True,
)
@click.pass_context
def lint(context: click.Context, files: tuple[str, ...], format_: str) -> None:
    """Check Study manifests: their form, their search space, their budget and their template.

    Tells everything that is wrong with each FILE (- reads standard input) at once, one line a problem. Exits with 1 if
    there is an error.
    """
    findings = [finding for file in files for finding in findings_in(_read(file), file)]
    if format_ == "json":
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    context.exit(any(finding.severity == "error" for finding in findings))


def findings_in(source: bytes, name: str) -> Iterator[Finding]:
    """What is to be said about one manifest; ``name`` is the file's."""
    try:
        manifest = load_manifest(source)
    except InvalidManifest as invalid:
        problems = invalid.problems
    else:
        problems = check_manifest(manifest)
    if problems:
        yield from (Finding(name, "error", problem) for problem in problems)
    else:
        yield from (Finding(name, "warning", problem) for problem in study_space(parse_study(manifest)).warnings)


def _read(file: str) -> bytes:
    with click.open_file(file, "rb") as source:
        return bytes(source.read())
