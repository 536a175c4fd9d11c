"""``study list``: the chain of rounds."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from study_operator.cli.catalogue import Found
from study_operator.cli.list import in_rounds
from study_operator.cli.main import main

from tests.cli.rounds import MANIFEST, folder_of


def test_the_list_shows_which_round_a_study_is_based_on(tmp_path: Path) -> None:
    folder_of(tmp_path / "r1", MANIFEST, best=1.2, count=0)
    following = MANIFEST.replace("optimizers-r1", "optimizers-r2").replace(
        "  goal:", "  basedOn: optimizers-r1\n  goal:"
    )
    folder_of(tmp_path / "r2", following, best=1.2, count=0)
    heading, first, second = CliRunner().invoke(main, ["list", "--studies", str(tmp_path)]).stdout.splitlines()
    assert heading.split()[:3] == ["NAME", "BASED", "ON"]
    assert first.split().count("optimizers-r1") == 1
    assert second.split()[:2] == ["optimizers-r2", "optimizers-r1"]


def found(name: str, based_on: str = "", namespace: str = "default") -> Found:
    return Found({"metadata": {"name": name, "namespace": namespace}, "spec": {"basedOn": based_on}}, name)


def order(*studies: Found) -> list[str]:
    return [f"{study.resource['metadata']['namespace']}/{study.name}" for study in in_rounds(studies)]


def test_each_round_stands_below_the_one_it_is_based_on() -> None:
    rounds = [found("r1"), found("r10", "r9"), found("r2", "r1"), found("r9", "r2"), found("wide", "r1")]
    assert order(*rounds) == [f"default/{name}" for name in ("r1", "r2", "r9", "r10", "wide")]


def test_a_round_whose_predecessor_is_not_there_begins_a_chain() -> None:
    studies = found("a", "gone"), found("b", "a", "other"), found("c", "a")
    assert order(*studies) == ["default/a", "default/c", "other/b"]


def test_studies_that_are_based_on_each_other_are_listed_once() -> None:
    assert order(found("a", "b"), found("b", "a"), found("c", "c")) == ["default/a", "default/b", "default/c"]
