"""``study list``: the studies, a line each, and each round below the one that it is based on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.table import Table

from study_operator.cli.catalogue import Catalogue, Found, catalogue_options
from study_operator.cli.output import Output
from study_operator.cli.table import age_text, short


@click.command("list")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of the cluster.")
@catalogue_options
def list_studies(catalogue: Catalogue, all_namespaces: bool) -> None:
    """List the studies on this machine, or in a cluster, each round below the one that it is based on."""
    studies = in_rounds(catalogue.studies())
    if not studies:
        click.echo(
            "There are no studies: `study run FILE` begins one here, and --cluster looks in a cluster.", err=True
        )
        return
    namespace = ("NAMESPACE",) if all_namespaces else ()
    rounds = any(_based_on(study) for study in studies)
    lineage = ("BASED ON",) if rounds else ()
    table = Table(*namespace, "NAME", *lineage, "STATE", "TRIALS", "BEST", "ARM", "AGE", box=None, pad_edge=False)
    now = datetime.now(UTC)
    for study in studies:
        where = [study.resource["metadata"]["namespace"]] if all_namespaces else []
        table.add_row(*where, study.name, *([_based_on(study)] if rounds else []), *_cells(study, now))
    Output().print(table, highlight=False)


def in_rounds(studies: Sequence[Found]) -> list[Found]:
    """The studies with each one's followers right below it; otherwise in their order."""
    names = {_key(study, study.name) for study in studies}
    followers: dict[tuple[str, str], list[Found]] = {}
    for study in studies:
        followers.setdefault(_key(study, _based_on(study)), []).append(study)
    listed: dict[int, Found] = {}
    rounds = [study for study in studies if _key(study, _based_on(study)) not in names]
    rounds += studies  # for those that go round in a circle, which none begins
    rounds.reverse()
    while rounds:
        study = rounds.pop()
        if id(study) not in listed:
            listed[id(study)] = study
            rounds += reversed(followers.get(_key(study, study.name), []))
    return list(listed.values())


def _key(study: Found, name: str) -> tuple[str, str]:
    return str(study.resource["metadata"].get("namespace", "")), name


def _based_on(study: Found) -> str:
    """The round before."""
    return str(study.resource["spec"].get("basedOn") or "")


def _cells(study: Found, now: datetime) -> tuple[str, ...]:
    status, best = study.status, study.status.get("best", {})
    created = datetime.fromisoformat(study.resource["metadata"]["creationTimestamp"])
    return (
        status.get("state") or "Pending",
        status.get("progress", ""),
        short(best.get("objective", "")),
        best.get("arm", ""),
        age_text(now - created),
    )
