"""Gauges 实时量: figures that are not journaled, in the engine, latest wins, each with the time it was taken."""

from typing import Any

import msgspec
import redis
import redis.asyncio

from streams.engine import translated

KEY = "gridwall:gauges"
MOST = 10_000
"""Gauges kept; more means a name is made of something unbounded, and is refused."""


class Gauge(msgspec.Struct, frozen=True):
    """A value and when it was taken (UTC microseconds)."""

    value: Any
    as_of: int


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Gauge).decode


def put(client: redis.Redis, values: dict[str, Any], as_of: int) -> None:
    """Store gauges; raises EngineAway."""
    with translated():
        if values and int(client.hlen(KEY)) + len(values) <= MOST:
            client.hset(KEY, mapping={name: _ENCODE(Gauge(value, as_of)) for name, value in values.items()})


async def put_async(client: redis.asyncio.Redis, values: dict[str, Any], as_of: int) -> None:
    """Store gauges; raises EngineAway."""
    with translated():
        if values and await client.hlen(KEY) + len(values) <= MOST:
            await client.hset(KEY, mapping={name: _ENCODE(Gauge(value, as_of)) for name, value in values.items()})


async def all_of(client: redis.asyncio.Redis) -> dict[str, Gauge]:
    """Every gauge by name; raises EngineAway."""
    with translated():
        found: Any = await client.hgetall(KEY)
    return {name.decode(): _DECODE(data) for name, data in found.items()}


def forget_before(client: redis.Redis, oldest: int) -> int:
    """Drop gauges nobody has renewed since; returns how many. Raises EngineAway."""
    with translated():
        found: Any = client.hgetall(KEY)
        stale = [name for name, data in found.items() if _DECODE(data).as_of < oldest]
        return int(client.hdel(KEY, *stale)) if stale else 0
