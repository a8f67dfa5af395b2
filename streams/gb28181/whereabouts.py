"""Where moving devices last said they were 最后位置: a gauge in the engine, latest wins, each with its time."""

from collections.abc import Sequence
from typing import Any

import msgspec
import redis.asyncio

from streams.engine import connect_sync, translated
from streams.gb28181.effects import Position

KEY = "gridwall:whereabouts"
MOST = 20_000


class Last(msgspec.Struct, frozen=True):
    """A position with its platform, its datum and when it came (UTC microseconds)."""

    platform: str
    position: Position
    datum: str
    as_of: int


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Last).decode


async def put(client: redis.asyncio.Redis, code: str, found: Sequence[Position], datum: str, now: int) -> None:
    """Keep positions; of very many devices those that come last find no room. Raises EngineAway."""
    with translated():
        if await client.hlen(KEY) + len(found) > MOST:
            known = set(await client.hkeys(KEY))
            found = [one for one in found if _field(code, one.device) in known]
        if found:
            values: Any = {_field(code, one.device): _ENCODE(Last(code, one, datum, now)) for one in found}
            await client.hset(KEY, mapping=values)


def latest(url: str, most: int) -> list[Last]:
    """Return where devices last were, those that came last first, for a page. Raises EngineAway."""
    with translated(), connect_sync(url) as client:
        found: Any = client.hvals(KEY)
    return sorted((_DECODE(one) for one in found), key=lambda one: (-one.as_of, one.position.device))[:most]


async def last(client: redis.asyncio.Redis, code: str, device: str) -> Last | None:
    """Return where a platform's device last was, None when it never said. Raises EngineAway."""
    with translated():
        found: Any = await client.hget(KEY, _field(code, device))
    return None if found is None else _DECODE(found)


def _field(code: str, device: str) -> bytes:
    """Two platforms may have devices of one code."""
    return f"{code} {device}".encode()
