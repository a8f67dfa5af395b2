"""Attempts 尝试次数: how often something was tried in a span of time, counted in the engine for all processes.

A count begins with the first attempt and ends by itself after its span; what is refused does not make it longer, so
nobody is locked out for good. While the engine is away each process counts for itself, its share of the limit.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable

import redis.asyncio

from streams.engine import translated
from streams.errors import EngineAway, EngineMisconfigured

PREFIX = "gridwall:attempts:"
PATIENCE_SECONDS = 0.5
"""How long an attempt waits for the engine; then this process counts."""
AWAY_SECONDS = 2.0
"""How long the engine is not asked again after it failed to answer."""
LOCAL_MOST = 10_000
MARK = 24

log = logging.getLogger(__name__)


class Attempts:
    """One per web process. `key`: of the digests under which addresses and names are counted, never in clear."""

    def __init__(self, client: redis.asyncio.Redis, key: bytes, processes: int, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._key = key
        self._processes = processes
        self._monotonic = monotonic
        self._away_until = -1.0
        self._local: dict[str, tuple[int, float]] = {}
        """place → (attempts, when the count ends)."""

    async def take(self, name: str, key: str, most: int, seconds: int) -> int:
        """Count one attempt; return 0, or the seconds to wait once there were more than `most` in `seconds`."""
        place = f"{PREFIX}{name}:{self._mark(key)}"
        if self._monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await self._counted(place, most, seconds)
            except (EngineAway, EngineMisconfigured, TimeoutError) as error:
                if self._away_until < 0:
                    log.warning("attempts are counted by each process alone: %s", error or "the engine is slow")
                self._away_until = self._monotonic() + AWAY_SECONDS
        return self._counted_here(place, max(1, most // self._processes), seconds)

    def _mark(self, key: str) -> str:
        """The digest a key is counted by: no address and no name lies in the engine."""
        made = hmac.digest(self._key, b"gridwall-attempt-1" + key.encode("utf-8", "surrogatepass"), "sha256")
        return made.hex()[:MARK]

    async def _counted(self, place: str, most: int, seconds: int) -> int:
        with translated():
            pipe = self._client.pipeline(transaction=True)
            pipe.set(place, 0, ex=seconds, nx=True)
            pipe.incr(place)
            pipe.pttl(place)
            _, count, left = await pipe.execute()
        if self._away_until >= 0:
            log.info("attempts are counted in the engine again")
            self._away_until = -1.0
        return 0 if count <= most else max(1, -(-left // 1_000))

    def _counted_here(self, place: str, most: int, seconds: int) -> int:
        now = self._monotonic()
        count, ends = self._local.get(place, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + seconds
            self._make_room(now)
        self._local[place] = (count + 1, ends)
        return 0 if count < most else max(1, int(ends - now) + 1)

    def _make_room(self, now: float) -> None:
        """Forget what has ended; when that is not enough, what ends first."""
        if len(self._local) < LOCAL_MOST:
            return
        left = sorted((item for item in self._local.items() if item[1][1] > now), key=lambda item: -item[1][1])
        self._local = dict(left[: LOCAL_MOST // 2])
