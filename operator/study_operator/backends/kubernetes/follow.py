"""One object as it is and as it becomes: a listing, and then a watch that outlasts its connections.

A watch ends for many reasons that do not concern who looks: the server closes each after some minutes, or restarts, or
has forgotten the changes since the last one that was seen (410). So it goes on from the last version that was seen, or
where that is too old from a new listing, and it backs off while nobody answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from study_operator.backends.kubernetes.client import Client, Json
from study_operator.backends.kubernetes.delays import EndlessDelays
from study_operator.backends.kubernetes.errors import Expired
from study_operator.backends.port import Unavailable


async def follow(
    client: Client, path: str, name: str, interrupted: Callable[[str], object]
) -> AsyncGenerator[Json, None]:
    """The object ``name`` of the collection at ``path``: as it is, and after each change, until there is none.

    Raises the port's exceptions where it cannot be listed to begin with; ``interrupted`` is told what breaks it off
    later.
    """
    selector = f"metadata.name={name}"
    version, begun, delays = "", False, iter(EndlessDelays())
    while True:
        at_least = 0.0
        try:
            if not version:
                found, version = await client.snapshot(path, selector)
                if not found:
                    return
                begun = True
                yield found[0]
            async for change, raw in client.watch(path, version, selector):
                version, delays = raw["metadata"]["resourceVersion"], iter(EndlessDelays())
                if change == "DELETED":
                    return
                if change != "BOOKMARK":
                    yield raw
        except Expired:
            version = ""
        except Unavailable as error:
            if not begun:
                raise
            interrupted(str(error))
            at_least = error.retry_after or 0.0
        await asyncio.sleep(max(next(delays), at_least))
