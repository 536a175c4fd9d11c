"""What the watches do not tell.

A watch that was interrupted for too long starts again from a listing, and what was deleted in between is never heard
of. So everything is listed now and then: the studies whole, of the Jobs their uids alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from study_operator.api.names import STUDY_UID_LABEL
from study_operator.backends.kubernetes.client import JOBS, STUDIES, Client, Json, Resource
from study_operator.edge.feed import Feed


class Relist:
    """Lists the studies and Jobs of ``namespaces`` (none: of all). Raises the port's exceptions."""

    def __init__(self, client: Client, feed: Feed, namespaces: Sequence[str]) -> None:
        self._client = client
        self._feed = feed
        self._namespaces: Sequence[str | None] = namespaces or (None,)

    async def studies(self) -> None:
        """Every study that there is goes to the controller, and those that are gone leave it."""
        known = self._feed.known()
        self._feed.studies_listed([raw async for raw in self._items(STUDIES)], known)

    async def jobs(self) -> None:
        """The runs whose Job is gone leave the table. A Job created meanwhile is not in the listing, and no matter of
        it.
        """
        known = set(self._feed.runs.known())
        present = {
            raw["metadata"]["uid"]
            async for raw in self._items(JOBS, label_selector=STUDY_UID_LABEL, metadata_only=True)
        }
        self._feed.runs.forget(known - present)

    async def _items(
        self, resource: Resource, label_selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[Json]:
        for namespace in self._namespaces:
            pages = self._client.pages(
                resource.path(namespace), label_selector=label_selector, metadata_only=metadata_only
            )
            async for page in pages:
                for raw in page:
                    yield raw
