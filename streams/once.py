"""Things kept for one use 一次性: put into the engine for a while, taken out once by whichever process is asked."""

import redis.asyncio

from streams.engine import translated

PREFIX = "gridwall:once:"


class Once:
    """One per web process. Keys are digests: nothing here is a secret by itself."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client

    async def keep(self, key: str, value: bytes, seconds: int) -> None:
        """Keep a value so long. Raises EngineAway."""
        with translated():
            await self._client.set(PREFIX + key, value, ex=seconds)

    async def take(self, key: str) -> bytes | None:
        """Return a value and forget it; None when it is over, taken, or was never there. Raises EngineAway."""
        with translated():
            found = await self._client.getdel(PREFIX + key)
        return found if isinstance(found, bytes) else None
