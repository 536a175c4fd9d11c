"""A listing of the studies, and what the watch tells while it is under way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from study_operator.backends.kubernetes.client import Client
from study_operator.backends.kubernetes.observer import RunObserver
from study_operator.edge.feed import Feed
from study_operator.edge.relist import Relist

from tests.edge.test_feed import Notes, study

CHANGED, GONE = ("changed", 1), ("gone", "team/bert")


class Server:
    """Has ``listed`` when it is asked, and answers when ``meanwhile`` has happened."""

    def __init__(self, listed: list[dict[str, Any]], meanwhile: Callable[[], None]) -> None:
        self._listed = listed
        self._meanwhile = meanwhile

    async def pages(self, path: str, **_: object) -> AsyncIterator[list[dict[str, Any]]]:
        self._meanwhile()
        yield self._listed


class Told:
    """A feed, and what its controller was told."""

    def __init__(self) -> None:
        notes = Notes()
        self.feed = Feed(notes, RunObserver(notes))
        self.told = notes.told

    async def lists(self, *listed: dict[str, Any], meanwhile: Callable[[], None] = lambda: None) -> None:
        await Relist(cast("Client", Server([*listed], meanwhile)), self.feed, ()).studies()


@pytest.fixture
def edge() -> Told:
    return Told()


async def test_a_listing_tells_what_has_come_and_what_is_gone(edge: Told) -> None:
    await edge.lists(study())
    await edge.lists(study())
    await edge.lists()
    assert edge.told == [CHANGED, GONE]


async def test_a_study_that_is_created_meanwhile_stays(edge: Told) -> None:
    await edge.lists(meanwhile=lambda: edge.feed.study_changed(study()))
    assert edge.told == [CHANGED]


async def test_a_study_that_is_deleted_meanwhile_is_not_begun_anew(edge: Told) -> None:
    edge.feed.study_changed(study())
    await edge.lists(study(), meanwhile=lambda: edge.feed.study_gone(study()))
    assert edge.told == [CHANGED, GONE]


async def test_a_study_that_is_changed_meanwhile_keeps_its_change(edge: Told) -> None:
    edge.feed.study_changed(study())
    await edge.lists(study(), meanwhile=lambda: edge.feed.study_changed(study(generation=2)))
    assert edge.told == [CHANGED, ("changed", 2)]


@pytest.mark.parametrize("listed", [[study(uid="first")], []])
async def test_the_next_life_of_a_study_outlasts_a_listing_of_the_one_before(
    edge: Told, listed: list[dict[str, Any]]
) -> None:
    def created_anew() -> None:
        edge.feed.study_gone(study(uid="first"))
        edge.feed.study_changed(study(uid="second"))

    edge.feed.study_changed(study(uid="first"))
    await edge.lists(*listed, meanwhile=created_anew)
    assert edge.told == [CHANGED, GONE, CHANGED]
