"""``study export``: the trials of a study for a spreadsheet or a program, and the line of its tracking table.

The columns of the summary are those that the tuning playbook tracks experiments by: the study's name, a link to its
configuration, notes, the number of trials, the best validation performance, and how to reproduce it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import click

from study_operator.api import Study, time_text
from study_operator.backends.port import Refused
from study_operator.cli.catalogue import Catalogue, Folders, Found, catalogue_options
from study_operator.cli.reproduce import container_command, local_command
from study_operator.results.trial import Sample, Trial

Cell = str | int | float | bool | None

_FORMULA = ("=", "+", "-", "@", "\t", "\n")
"""A spreadsheet takes a cell that begins so for a formula, and runs it (OWASP, CSV injection)."""


@click.command()
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--summary", is_flag=True, help="One row for the study: its line in a table that tracks experiments.")
@catalogue_options
def export(catalogue: Catalogue, name: str, form: str, summary: bool) -> None:
    """Write the trials of the study NAME to standard output, a row each; NAME may be a study's folder.

    A row has the trial's parameters, state, objective, every metric's extremes and final value, seed, times and arm.
    """
    found, trials = catalogue.study(name), catalogue.trials(name)
    study = found.parsed()
    if summary:
        rows = [summary_row(found, study, trials, local=isinstance(catalogue, Folders))]
    else:
        rows = trial_rows(study, trials)
    click.echo(csv_text(rows) if form == "csv" else _json(rows[0] if summary else rows), nl=False)


def trial_rows(study: Study, trials: Sequence[Trial]) -> list[dict[str, Cell]]:
    """One row a trial, each with the same columns: what a trial does not have is empty."""
    arms = _arm_labels(study)
    parameters = dict.fromkeys(spec.name for spec in study.hyperparameters)
    metrics = dict.fromkeys([*study.metrics, *(name for trial in trials for name in trial.status.metrics)])
    return [_trial_row(study, trial, arms, list(parameters), list(metrics)) for trial in trials]


def summary_row(found: Found, study: Study, trials: Sequence[Trial], local: bool) -> dict[str, Cell]:
    """The study's line in a tracking table."""
    best = found.status.get("best")
    winner = next((trial for trial in trials if best and trial.spec.name == best["trial"]), None)
    return {
        "study": study.metadata.name,
        "config": found.config,
        "goal": study.spec.goal,
        "notes": study.spec.notes,
        "state": found.status.get("state", ""),
        "trials": sum(trial.status.state.final for trial in trials),
        "planned": study.spec.budget.trials,
        "metric": study.objective.metric,
        "best": float(best["objective"]) if best else None,
        "best_step": best.get("step") if best else None,
        "best_trial": best["trial"] if best else None,
        "best_arm": best["arm"] if best else None,
        "best_parameters": json.dumps(dict(winner.spec.parameters)) if winner else None,
        "best_checkpoint": best.get("checkpoint") if best else None,
        "reproduction": _reproduction(study, winner, local),
    }


def csv_text(rows: Iterable[Mapping[str, Cell]]) -> str:
    """CSV with a header; numbers exact, and no text that a spreadsheet would run."""
    text = io.StringIO()
    table = list(rows)
    if table:
        writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
        writer.writerow({name: _cell(name) for name in table[0]})
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in table)
    return text.getvalue()


def _cell(value: Cell) -> Cell:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case str():
            text = "\n".join(re.split("\r\n?", value))  # a lone carriage return would end the row for most readers
            return f"'{text}" if text.startswith(_FORMULA) else text
        case _:
            return value


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _trial_row(
    study: Study, trial: Trial, arms: Mapping[int, str], parameters: Sequence[str], metrics: Sequence[str]
) -> dict[str, Cell]:
    spec, status = trial.spec, trial.status
    row: dict[str, Cell] = {
        "study": study.metadata.name,
        "trial": spec.name,
        "index": spec.index,
        "arm": arms.get(spec.arm, str(spec.arm)),
        "state": status.state.value,
        "reason": status.reason,
        "message": status.message,
        "objective": status.objective.value if status.objective else None,
        "step": status.objective.step if status.objective else None,
    }
    row |= {f"parameters.{name}": spec.parameters.get(name) for name in parameters}
    for name in metrics:
        summary = status.metrics.get(name)
        row[f"{name}.count"] = summary.count if summary else None
        for part in ("minimum", "maximum", "final"):
            row |= _sample_cells(f"{name}.{part}", getattr(summary, part) if summary else None)
    seconds = (status.finished - status.started).total_seconds() if status.started and status.finished else None
    return row | {
        "seed": spec.seed,
        "started": _time(status.started),
        "finished": _time(status.finished),
        "seconds": seconds,
        "attempts": status.attempts,
        "node": status.node,
        "image": status.image,
        "source": status.source.value if status.source else None,
        "checkpoint": status.checkpoint.path if status.checkpoint else None,
    }


def _sample_cells(name: str, sample: Sample | None) -> dict[str, Cell]:
    """A value that is not finite is a text: JSON has no word for it."""
    if sample is None:
        return {name: None, f"{name}_step": None}
    finite = sample.value - sample.value == 0
    return {name: sample.value if finite else repr(sample.value), f"{name}_step": sample.step}


def _time(time: datetime | None) -> str | None:
    return time_text(time) if time else None


def _arm_labels(study: Study) -> dict[int, str]:
    return {arm["index"]: arm["label"] for arm in (study.status or {}).get("arms", [])}


def _reproduction(study: Study, winner: Trial | None, local: bool) -> str | None:
    """With its image, where the study ran in a cluster."""
    if winner is None:
        return None
    try:
        if local:
            return local_command(study, winner.spec)
        return container_command(study, winner.spec, winner.status.image)
    except Refused as refused:
        return f"unknown: {refused}"
