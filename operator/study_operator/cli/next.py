"""``study next``: the manifest of the round that follows from a study's evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from study_operator.analysis import analyse
from study_operator.api import Study, check_manifest, parse_study, study_space
from study_operator.api.fields import LONGEST_CONFIRMED_NAME, LONGEST_STUDY_NAME
from study_operator.api.review import denial, plan, review
from study_operator.api.study import StudySpec
from study_operator.api.yaml import load_manifest
from study_operator.cli.catalogue import (
    CONFIG_ANNOTATION,
    Catalogue,
    Folders,
    catalogue_options,
    in_manifest_order,
)
from study_operator.cli.failure import Failure, faulty
from study_operator.cli.manifest_text import Remarked, dumped, edited
from study_operator.cli.reproduce import container_command, local_command
from study_operator.results.trial import Purpose, Trial
from study_operator.rounds import Change, Proposal, Put, next_name, promote

_NOT_THE_USERS = (
    "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "argocd.argoproj",
)
"""Labels and annotations that tools add to what they apply."""


@click.command("next")
@click.argument("name")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.  [default: stdout]")
@click.option(
    "--longer",
    metavar="FACTOR",
    type=click.FloatRange(min=1.0, min_open=True),
    help="Promote to a few trainings so many times as long, on the best of this round.",
)
@catalogue_options
def next_round(catalogue: Catalogue, name: str, output: Path | None, longer: float | None) -> None:
    """Write the manifest of the round after the study NAME, which may be a study's folder.

    It widens, trims or fixes what the evidence asks for, and nothing else; a comment gives each change's reason. Where
    nothing is to change, it prints the configuration to launch instead.
    """
    found = catalogue.study(name)
    study = found.checked()
    trials = in_manifest_order(catalogue.trials(name), study)
    proposal = proposal_of(study, trials, longer)
    if proposal.launch is None:
        raise Failure(" ".join([proposal.summary, *proposal.notes]))
    _tell(study, trials, proposal)
    if not proposal.changes:
        click.echo(_launch(study, trials, proposal, local=isinstance(catalogue, Folders)))
        return
    manifest = next_manifest(catalogue.text(name) or dumped(as_written(found.resource)), study, proposal)
    if output is None:
        click.echo(manifest, nl=False)
    else:
        _write(output, manifest)


def proposal_of(study: Study, trials: Sequence[Trial], longer: float | None) -> Proposal:
    """What follows from a study's trials."""
    analysis = analyse(study, study_space(study), trials, study.seed, complete=True)
    if longer is None:
        assert analysis.proposal is not None, "it was asked for"
        return analysis.proposal
    try:
        return promote(analysis.evidence, plan(study), longer, analysis.findings)
    except ValueError as error:
        raise Failure(f"{study.metadata.name} cannot be promoted: {error}") from error


def next_manifest(text: str, study: Study, proposal: Proposal) -> str:
    """The manifest in ``text`` as ``proposal`` changes it, under the next round's name. It lints without an error."""
    longest = LONGEST_CONFIRMED_NAME if study.spec.confirmation else LONGEST_STUDY_NAME
    named = Put("metadata.name", next_name(study.metadata.name, longest))
    follows = Put("spec.basedOn", study.metadata.name)
    changes = [Remarked((named,)), Remarked((follows,)), *map(_remarked, proposal.changes)]
    manifest = edited(text, [proposal.summary, *proposal.notes, *_stale(study)], changes)
    if problems := check_manifest(load_manifest(manifest)):
        raise faulty("the next round's manifest", problems)
    following = parse_study(load_manifest(manifest))
    if denied := denial(review(following, study_space(following))):
        raise Failure(f"the next round would be denied as this one is: {denied}")
    return manifest


def _stale(study: Study) -> list[str]:
    """What only its user can bring up to date."""
    if CONFIG_ANNOTATION not in study.metadata.annotations:
        return []
    return [f"The annotation {CONFIG_ANNOTATION} still links to the round before: let it link to this file."]


def as_written(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource as its user may have written it: without what the API server and other tools added."""
    metadata = {"name": resource["metadata"]["name"]}
    if namespace := resource["metadata"].get("namespace"):
        metadata["namespace"] = namespace
    for field in ("labels", "annotations"):
        given = resource["metadata"].get(field) or {}
        if kept := {key: value for key, value in given.items() if not key.startswith(_NOT_THE_USERS)}:
            metadata[field] = kept
    spec = resource["spec"]
    order = [info.alias or name for name, info in StudySpec.model_fields.items()]
    ordered = {field: spec[field] for field in sorted(spec, key=lambda field: order.index(field))}
    first = ("name", "role", "kind", "when")
    ordered["hyperparameters"] = [
        {field: each[field] for field in (*first, *(field for field in each if field not in first)) if field in each}
        for each in spec["hyperparameters"]
    ]
    return {"apiVersion": resource["apiVersion"], "kind": resource["kind"], "metadata": metadata, "spec": ordered}


def _remarked(change: Change) -> Remarked:
    moved = f"{change.before} -> {change.after}" if change.before else change.after
    subject = f", {change.subject}" if change.subject not in ("", "all") else ""
    return Remarked(change.edits, f"{moved} ({change.rule}{subject}). {change.reason}")


def _tell(study: Study, trials: Sequence[Trial], proposal: Proposal) -> None:
    """For the person, beside the manifest."""
    ended = sum(trial.spec.purpose is Purpose.SEARCH and trial.status.state.final for trial in trials)
    if ended < study.spec.budget.trials:
        told = f"{ended} of {study.spec.budget.trials} trials have ended: with the others, more may follow."
        click.echo(told, err=True)
    for line in (proposal.summary, *(note for note in proposal.notes if note not in proposal.summary)):
        click.echo(line, err=True)


def _launch(study: Study, trials: Sequence[Trial], proposal: Proposal, local: bool) -> str:
    """The configuration to use, and the command that trains it."""
    launch = proposal.launch
    assert launch is not None, "there is a result"
    trial = next(trial for trial in trials if trial.spec.name == launch.trial)
    checkpoint = trial.status.checkpoint
    image = trial.status.image
    command = local_command(study, trial.spec) if local else container_command(study, trial.spec, image)
    told = {
        "trial": launch.trial,
        "arm": launch.arm,
        study.objective.metric: launch.value,
        **({} if launch.step is None else {"step": launch.step}),
        **({} if checkpoint is None else {"checkpoint": checkpoint.path}),
        "parameters": dict(launch.parameters),
        "command": command,
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def _write(output: Path, manifest: str) -> None:
    try:
        output.write_text(manifest, encoding="utf-8", newline="")
    except OSError as error:
        raise Failure(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"Written to {output}: lint it, apply it, commit it.", err=True)
