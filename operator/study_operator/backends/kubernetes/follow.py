"""One object as it is and as it becomes: a listing, and then a watch that outlasts its connections.

A watch ends for many reasons that do not concern who looks: the server closes each after some minutes, or restarts, or
has forgotten the changes since the last one that was seen (410). So it goes on from the last version that was seen, or
where that is too old from a new listing, and it backs off while nobody answers.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable

from study_operator.backends.kubernetes.client import Client, Json
from study_operator.backends.kubernetes.errors import Expired
from study_operator.backends.port import Unavailable

FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0
"""Seconds from the end of one watch to the next. The delay doubles from the first to the longest."""


async def follow(
    client: Client, path: str, name: str, interrupted: Callable[[str], object]
) -> AsyncGenerator[Json, None]:
    """The object ``name`` of the collection at ``path``: as it is, and after each change, until there is none.

    Raises the port's exceptions where it cannot be listed to begin with; ``interrupted`` is told what breaks it off
    later.
    """
    selector = f"metadata.name={name}"
    version, begun, delay = "", False, FIRST_DELAY
    while True:
        try:
            if not version:
                found, version = await client.snapshot(path, selector)
                if not found:
                    return
                begun = True
                yield found[0]
            async for change, raw in client.watch(path, version, selector):
                version, delay = raw["metadata"]["resourceVersion"], FIRST_DELAY
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
            delay = max(min(2 * delay, LONGEST_DELAY), error.retry_after or 0.0)
        await asyncio.sleep(delay * random.uniform(1.0, 1.5))
