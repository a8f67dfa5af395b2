"""The doorbell: whoever wrote to the journal rings with its seq; whoever follows the journal then looks at once.

Only a hint: a lost ring costs the follower its slow poll, never an entry.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

import redis
import redis.asyncio
from redis.exceptions import RedisError

from streams.errors import EngineMisconfigured

CHANNEL = "gridwall:bell"
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
LISTEN_SECONDS = 5.0

log = logging.getLogger(__name__)


def ring(client: redis.Redis, seq: int) -> None:
    """Ring from a thread or a worker. When the engine is away nobody hears it, which is no harm."""
    try:
        client.publish(CHANNEL, seq)
    except (RedisError, OSError) as error:
        log.debug("the doorbell is away: %s", error)


async def rings(client: redis.asyncio.Redis) -> AsyncIterator[int]:
    """The seq of every ring, for ever; 0 after each (re)connection: look, something may have been missed."""
    tries = 0
    while True:
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as bell:
                await bell.subscribe(CHANNEL)
                if tries:
                    log.info("the doorbell is back")
                tries = 0
                yield 0
                async for seq in _heard(bell):
                    yield seq
        except (RedisError, OSError) as error:
            if not tries:
                log.warning("the doorbell is away, the journal is polled instead: %s", error)
            if isinstance(error, EngineMisconfigured):
                log.error("%s", error)
            await asyncio.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
            tries += 1


async def _heard(bell: redis.asyncio.client.PubSub) -> AsyncIterator[int]:
    while True:
        message = await bell.get_message(timeout=LISTEN_SECONDS)
        if message is not None and message["type"] == "message":
            data: bytes = message["data"]
            yield int(data) if data.isdigit() else 0
