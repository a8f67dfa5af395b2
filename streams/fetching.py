"""The kinds of sources that we fetch from ourselves: one coroutine a kind, which runs until it is cancelled.

The role `sources` starts one task for each enabled source whose kind stands in FETCHERS, and starts it anew when the
source was changed or its task failed. To add a kind: write its coroutine, add a line here and to `sources.KINDS`.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

import redis.asyncio

from config.settings import Settings
from operations.database import Database
from operations.sources import Source
from streams import cap_pull, database_pull, folder, http_pull, pull, websocket_pull
from streams.intake import Intake


class Reach(NamedTuple):
    """What a fetcher may use. `database` blocks: ask it in a thread. `ring`: for `after_commit`."""

    settings: Settings
    database: Database
    client: redis.asyncio.Redis
    intake: Intake
    ring: Callable[[int], None]


Fetcher = Callable[[Reach, Source], Coroutine[Any, Any, None]]


async def _redis_stream(reach: Reach, source: Source) -> None:
    await pull.pull(reach.client, reach.intake, source)


FETCHERS: Mapping[str, Fetcher] = {
    pull.KIND: _redis_stream,
    folder.KIND: folder.watch,
    http_pull.KIND: http_pull.pull,
    database_pull.KIND: database_pull.pull,
    websocket_pull.KIND: websocket_pull.pull,
    cap_pull.KIND: cap_pull.pull,
}
"""Kind of a source → what fetches from it."""
