"""``study report``: what a study teaches, on the terminal and in files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click

from study_operator.api import Phase, Study, study_space
from study_operator.backends.port import Refused
from study_operator.cli.catalogue import Catalogue, Folders, Found, catalogue_options, in_manifest_order
from study_operator.cli.export import csv_text, summary_row, trial_rows
from study_operator.cli.failure import Failure
from study_operator.cli.manifest_text import dumped
from study_operator.cli.next import as_written
from study_operator.cli.output import Output
from study_operator.cli.reproduce import container_command, local_command
from study_operator.report.markdown import markdown
from study_operator.report.page import page
from study_operator.report.posthoc import Asked, Unanswerable, ask
from study_operator.report.report import Provenance, Report, report_of
from study_operator.report.terminal import terminal_view
from study_operator.results.objective import Direction, Selection
from study_operator.results.trial import Trial, TrialSpec

PLAIN_WIDTH = 120

_STANDARD_OUTPUT = Path("-")
_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


def _choice(words: type[StrEnum]) -> click.Choice[str]:
    """One of the words, as a manifest has them."""
    return click.Choice([word.value for word in words])


@click.command()
@click.argument("name")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page: one file, for any browser, without a network.")
@click.option("--markdown", "text", type=_FILE, metavar="FILE", help="Write a section for a RESULTS.md.")
@click.option("--csv", type=_FILE, metavar="FILE", help="Write the trials, as `study export` does.")
@click.option("--objective", metavar="METRIC", help="Rank by another metric that the trials kept.")
@click.option("--direction", type=_choice(Direction), help="Whether it is better smaller or larger.")
@click.option("--selection", type=_choice(Selection), help="Whether its best or its final value counts.")
@catalogue_options
def report(
    catalogue: Catalogue,
    name: str,
    html: Path | None,
    text: Path | None,
    csv: Path | None,
    objective: str | None,
    direction: str | None,
    selection: str | None,
) -> None:
    """Tell what the study NAME teaches; NAME may be a study's folder. A FILE of - is the standard output.

    With --objective, --direction or --selection the trials are ranked and concluded on anew, from what they kept: no
    trial runs again, and nothing is written to the study.
    """
    found, trials = catalogue.study(name), catalogue.trials(name)
    local = isinstance(catalogue, Folders)
    manifest = catalogue.text(name) or dumped(as_written(found.resource))
    asked = Asked(objective, Direction(direction) if direction else None, Selection(selection) if selection else None)
    told = report_on(found, trials, manifest, asked, local=local)
    if html is not None:
        _write(html, page(told))
    if text is not None:
        _write(text, markdown(told, _tracked(_ranked_anew(found, told), told, local)))
    if csv is not None:
        _write(csv, csv_text(trial_rows(told.study, told.trials)))
    if _STANDARD_OUTPUT not in (html, text, csv):
        Output(PLAIN_WIDTH).print(terminal_view(told), highlight=False)


def report_on(found: Found, trials: Sequence[Trial], manifest: str, asked: Asked, *, local: bool) -> Report:
    """The report of a study as it was found. Raises Failure."""
    study = found.checked()
    try:
        study, trials, told = ask(study, in_manifest_order(trials, study), asked)
    except Unanswerable as unanswerable:
        raise Failure(f"{found.name}: {unanswerable}") from unanswerable
    state = str(found.status.get("state") or "Pending")
    provenance = Provenance(
        config=found.config,
        manifest=manifest,
        state=state,
        seed=study.seed,
        sampler="Bayesian (TPE)" if study.spec.phase is Phase.EXPLOITATION else "scrambled Sobol",
        version=version("study-operator"),
        command=partial(_command, local_command if local else _by_image(trials), study),
        asked=told,
    )
    return report_of(study, study_space(study), trials, provenance, complete=state == "Finished")


def _tracked(found: Found, told: Report, local: bool) -> dict[str, object]:
    """The columns by which the playbook tracks experiments."""
    row = summary_row(found, told.study, told.trials, local)
    return {
        "Study": row["study"],
        "Configuration": row["config"],
        "Notes": row["notes"],
        "Trials": row["trials"],
        f"Best {row['metric']}": row["best"],
        "Reproduction": "the command below" if told.best else "",
    }


def _by_image(trials: Sequence[Trial]) -> Callable[[Study, TrialSpec], str]:
    """Each trial's command with the image that it ran."""
    images = {trial.spec.index: trial.status.image for trial in trials}
    return lambda study, trial: container_command(study, trial, images.get(trial.index, ""))


def _command(commanded: Callable[[Study, TrialSpec], str], study: Study, trial: TrialSpec) -> str:
    try:
        return commanded(study, trial)
    except Refused:
        return ""


def _ranked_anew(found: Found, told: Report) -> Found:
    """The study with the report's best trial for its own, which another objective may have made another one."""
    status = {key: value for key, value in found.status.items() if key != "best"}
    if told.best is not None:
        trial, ranked = told.best, told.ranking[0]
        status["best"] = {
            "trial": trial.spec.name,
            "arm": told.space.arms[ranked.arm].label,
            "objective": repr(ranked.value),
            **({} if ranked.step is None else {"step": ranked.step}),
            **({} if trial.status.checkpoint is None else {"checkpoint": trial.status.checkpoint.path}),
        }
    return Found({**found.resource, "status": status}, found.config)


def _write(file: Path, content: str) -> None:
    if file == _STANDARD_OUTPUT:
        click.echo(content, nl=False)
        return
    try:
        file.write_text(content, encoding="utf-8", errors="xmlcharrefreplace", newline="")
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"Written to {file}.", err=True)
