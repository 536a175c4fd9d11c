"""What the watch events of studies become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from study_operator.api import Study
from study_operator.backends.kubernetes.observer import RunObserver
from study_operator.backends.port import Run, StudyKey, StudyRef
from study_operator.edge.feed import Feed
from study_operator.space import Problem

from tests.kubernetes.conftest import manifest
from tests.kubernetes.objects import job


class Notes:
    """A controller that only notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.before: Mapping[str, object] = {}

    def study_changed(self, study: Study) -> None:
        self.told.append(("changed", study.metadata.generation))

    def study_refused(
        self, ref: StudyRef, generation: int, problems: Sequence[Problem], told: Mapping[str, object]
    ) -> None:
        self.told.append(("refused", problems[0].path))
        self.before = told

    def study_gone(self, key: StudyKey) -> None:
        self.told.append(("gone", str(key)))

    def run_changed(self, run: Run) -> None:
        self.told.append(("run", run.id))

    def run_gone(self, study: StudyKey, index: int, run_id: str) -> None: ...


def study(generation: int = 1, uid: str = "life") -> dict[str, Any]:
    raw = manifest("bert", "team")
    raw["metadata"] |= {"uid": uid, "generation": generation}
    return raw


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def feed(notes: Notes) -> Feed:
    return Feed(notes, RunObserver(notes))


def test_a_status_write_is_no_news(feed: Feed, notes: Notes) -> None:
    feed.study_changed(study())
    feed.study_changed(study() | {"status": {"observedGeneration": 1}})
    feed.study_changed(study(generation=2))
    assert notes.told == [("changed", 1), ("changed", 2)]


def test_a_manifest_that_does_not_parse_is_refused_once(feed: Feed, notes: Notes) -> None:
    broken = study()
    broken["spec"]["budget"] = {"trials": "many"}
    broken["status"] = {"state": "Finished"}
    for _ in range(2):
        feed.study_changed(broken)
    assert notes.told == [("refused", "spec.budget.trials")]
    assert notes.before == {"state": "Finished"}


def test_the_end_of_an_earlier_life_does_not_end_the_next(feed: Feed, notes: Notes) -> None:
    feed.study_changed(study(uid="second"))
    feed.study_gone(study(uid="first"))
    assert ("gone", "team/bert") not in notes.told


def test_runs_are_told_once_their_study_is_known(feed: Feed, notes: Notes) -> None:
    feed.study_changed(study())
    feed.runs.job_changed(job())
    assert ("run", "job-uid") in notes.told
