"""``study lint``: everything that is wrong or unwise about a manifest, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from study_operator.api import InvalidManifest, check_manifest, parse_study, study_space
from study_operator.api.review import review
from study_operator.api.yaml import load_manifest
from study_operator.cli.lint_formats import FORMATS, Level, Remark
from study_operator.cli.places import TOP, Place, Places
from study_operator.findings import RULES, Severity
from study_operator.space import Problem

INVALID = "invalid-manifest"
"""In the place of a rule's id, for what is wrong rather than unwise."""

_LEVELS = {Severity.DENIAL: Level.ERROR, Severity.WARNING: Level.WARNING, Severity.INFO: Level.NOTE}


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    default="text",
    help="Of the findings: for people, for programs, as annotations of a GitHub workflow, or as SARIF 2.1.0.",
    show_default=True,
)
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.pass_context
def lint(context: click.Context, files: tuple[str, ...], format_: str, strict: bool) -> None:
    """Check Study manifests: their form and space, and their plan against the rules of the tuning playbook.

    Tells everything about each FILE (- reads standard input) at once. Exits with 1 if there is an error, which is
    what keeps a study from starting: a fault of form, or a denial that no waiver in the manifest answers.
    """
    remarks = [remark for file in files for remark in remarks_on(_read(file), file)]
    for line in FORMATS[format_](remarks):
        click.echo(line)
    failing = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
    context.exit(any(remark.level in failing for remark in remarks))


def remarks_on(source: bytes, name: str) -> Iterator[Remark]:
    """What is to be said about one manifest; ``name`` is the file's."""
    try:
        manifest = load_manifest(source)
    except InvalidManifest as invalid:
        yield from (_error(name, problem, _told_place(problem)) for problem in invalid.problems)
        return
    places = Places(source.decode("utf-8-sig"))
    if problems := check_manifest(manifest):
        yield from (_error(name, problem, places.of(problem.path)) for problem in problems)
        return
    study = parse_study(manifest)
    for finding in sorted(review(study, study_space(study)), key=lambda finding: finding.order):
        field = finding.subject.field
        yield Remark(
            file=name,
            level=_LEVELS[finding.severity],
            path=field,
            place=places.of(field),
            rule=finding.rule,
            message=finding.message,
            advice=finding.advice,
            section=RULES[finding.rule].section,
        )


def _error(name: str, problem: Problem, place: Place) -> Remark:
    return Remark(name, Level.ERROR, problem.path, place, INVALID, problem.message)


def _told_place(problem: Problem) -> Place:
    """The place that the reader of the file tells in words; the top where it tells none."""
    told = re.fullmatch(r"line (\d+)", problem.path)
    return Place(int(told[1]), 1) if told else TOP


def _read(file: str) -> bytes:
    with click.open_file(file, "rb") as source:
        return bytes(source.read())
