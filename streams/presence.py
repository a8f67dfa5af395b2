"""Which workers are alive: each writes its name and the time; who has not for a lease's length is gone."""

import redis
import redis.asyncio

from streams.engine import translated

KEY = "gridwall:workers"


def announce(client: redis.Redis, owner: str, now: int, ttl: int) -> int:
    """Say we are here; returns how many are. `now` and `ttl` in microseconds. Raises EngineAway."""
    with translated():
        pipe = client.pipeline(transaction=True)
        pipe.zadd(KEY, {owner: now})
        pipe.zremrangebyscore(KEY, "-inf", now - ttl)
        pipe.zcard(KEY)
        return int(pipe.execute()[-1])


def leave(client: redis.Redis, owner: str) -> None:
    """Say we are gone; raises EngineAway."""
    with translated():
        client.zrem(KEY, owner)


async def alive(client: redis.asyncio.Redis, now: int, ttl: int) -> int:
    """How many workers are alive; raises EngineAway."""
    with translated():
        return int(await client.zcount(KEY, now - ttl, "+inf"))
