"""Redis-stream sources: a department XADDs its JSON to a stream of its own, we take it by consumer group.

Stream `gridwall:source:ID` on our engine; each entry has a field `report` (one JSON report), `reports` (a JSON array)
or `event` (one CloudEvent in structured form). An entry is acknowledged and deleted only after its reports are fsynced
in the log; entries that were delivered and not acknowledged come first after a restart. An entry that cannot be read
ends in quarantine, so it never stops the stream.
"""

import asyncio
import logging
from typing import Any

import redis.asyncio
from redis.exceptions import ResponseError

from operations.sources import Source
from streams import cloudevents
from streams.engine import translated
from streams.errors import EngineAway, EngineMisconfigured, IntakeRefused, MappingError, Unreadable
from streams.intake import Intake
from streams.item import Item, split

KIND = "redis_stream"
GROUP, CONSUMER = "gridwall", "gridwall"
"""One consumer name: the lease of the `sources` role sees to it that there is one reader."""
ENTRIES_AT_ONCE = 100
BLOCK_MS = 1_000
MISCONFIGURED_SECONDS = 30
NEW, UNACKNOWLEDGED = ">", "0"

log = logging.getLogger(__name__)


def key_of(source_id: str) -> str:
    """The stream a department writes to."""
    return f"gridwall:source:{source_id}"


async def pull(client: redis.asyncio.Redis, intake: Intake, source: Source) -> None:
    """Take from one source until cancelled; trouble is said once and waited out."""
    start, said = UNACKNOWLEDGED, False
    while True:
        try:
            await _join(client, source)
            found = await take(client, intake, source, start)
            start = NEW if start == NEW or not found else UNACKNOWLEDGED
            said = False
        except (IntakeRefused, EngineMisconfigured, MappingError) as error:
            if not said:
                log.warning("source %s waits: %s", source.id, error)
            said, start = True, UNACKNOWLEDGED
            await asyncio.sleep(error.retry_after if isinstance(error, IntakeRefused) else MISCONFIGURED_SECONDS)


async def take(client: redis.asyncio.Redis, intake: Intake, source: Source, start: str = NEW) -> int:
    """One round: read, make durable, acknowledge; returns the entries taken. Raises IntakeRefused."""
    key = key_of(source.id)
    with translated():
        answer: Any = await client.xreadgroup(GROUP, CONSUMER, {key: start}, count=ENTRIES_AT_ONCE, block=BLOCK_MS)
    entries = _entries(answer)
    for id, fields in entries:
        await _durable(intake, source, fields or {})
        with translated():
            pipe = client.pipeline(transaction=True)
            pipe.xack(key, GROUP, id)
            pipe.xdel(key, id)
            await pipe.execute()
    return len(entries)


async def _durable(intake: Intake, source: Source, fields: dict[bytes, bytes]) -> None:
    try:
        await intake.accept(source, _items(fields))
    except (IntakeRefused, EngineMisconfigured, MappingError):
        raise  # not the entry's fault: it waits and is tried again
    except Unreadable as error:
        await _set_aside(intake, source, fields, error)
    except Exception as error:  # noqa: BLE001 - process edge: else the entry would come again for ever
        log.error("source %s: an entry failed unexpectedly: %s", source.id, type(error).__name__)
        await _set_aside(intake, source, fields, Unreadable("internal"))


async def _set_aside(intake: Intake, source: Source, fields: dict[bytes, bytes], error: Unreadable) -> None:
    await intake.quarantine(source, next(iter(fields.values()), b""), error)


def _items(fields: dict[bytes, bytes]) -> list[Item]:
    if b"report" in fields:
        return [Item(fields[b"report"])]
    if b"event" in fields:
        return [cloudevents.structured(fields[b"event"])]
    if b"reports" in fields:
        return split(fields[b"reports"])[0]
    raise Unreadable("missing", "report")


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes] | None]]:
    """The entries of the one stream; RESP 3 answers with a map and wraps them in one more list."""
    if not answer:
        return []
    rows = next(iter(answer.values())) if isinstance(answer, dict) else answer[0][1]
    return list(rows[0] if rows and isinstance(rows[0], list) else rows)


async def _join(client: redis.asyncio.Redis, source: Source) -> None:
    """Make stream and group where they are not there, reading from the beginning."""
    try:
        with translated():
            await client.xgroup_create(key_of(source.id), GROUP, id="0", mkstream=True)
    except EngineAway as error:
        if not (isinstance(error.__cause__, ResponseError) and "BUSYGROUP" in str(error)):
            raise
