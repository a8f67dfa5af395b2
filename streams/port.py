"""The port: all the dashboard needs of the engine, so that it never sees Redis."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from typing import Any

import msgspec

from config import clock
from config.settings import Settings
from config.taxonomy import Taxonomy
from operations.seal import KeyStore
from operations.sources import Source
from streams import doorbell, engine, gauges, mapping, presence, vitals
from streams.attempts import Attempts
from streams.errors import EngineAway, EngineMisconfigured
from streams.gb28181 import whereabouts
from streams.gb28181.whereabouts import Last
from streams.intake import Intake
from streams.limiter import Limiter
from streams.log import ACCEPTED, DECIDED, HEARD, Log
from streams.once import Once
from streams.packet import PARTITIONS, place_of
from streams.probe import Tried, tried
from streams.shelf import Shelf
from streams.transit import TransitSeal
from streams.vitals import Vitals

log = logging.getLogger(__name__)


class Port:
    """One per web process. `intake` takes reports; `ring` may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        taxonomy = Taxonomy.load()
        self._client = engine.connect(settings.redis_url)
        self._ringer = engine.connect_sync(settings.redis_url)
        self._bound = settings.intake_bound
        self._data = settings.data
        self._worker_ttl = settings.lease_seconds * 1_000_000
        seal = TransitSeal(settings.data / "keys")
        self._log = Log(engine.connect(settings.redis_url), seal, settings.intake_bound, clock.monotonic)
        mappings = mapping.load_all(taxonomy, settings.data / "sources")
        for error in mappings.wrong.values():
            log.error("what comes by this mapping is refused until it is mended: %s", error)
        self.shelf = Shelf(mappings, taxonomy)
        limiter = Limiter(clock.monotonic, settings.web_processes)
        with closing(KeyStore(settings.data / "keys")) as keys:
            digest_key = keys.digest_key()
        self.once = Once(self._client)
        self.attempts = Attempts(self._client, digest_key, settings.web_processes, clock.monotonic)
        self._vitals = Vitals(self._client)
        self.intake = Intake(
            self._log,
            taxonomy,
            self.shelf,
            now=clock.now,
            limiter=limiter,
            digest_key=digest_key,
            vitals=self._vitals,
        )

    def doorbell(self) -> AsyncIterator[int]:
        """Journal seqs as they are rung; 0 means: look. Reconnects for ever."""
        return doorbell.rings(self._client)

    def ring(self, seq: int) -> None:
        """Tell every follower that the journal has reached `seq`; for `after_commit`. Never raises."""
        doorbell.ring(self._ringer, seq)

    async def last_position(self, platform: str, device: str) -> Last | None:
        """Return where a platform's moving device was last, None when it never said; raises EngineAway."""
        return await whereabouts.last(self._client, platform, device)

    async def gauges(self) -> Mapping[str, dict[str, Any]]:
        """{name: {"value", "as_of"}}, and `pending`, `workers` and `oldest_at` as of now; raises EngineAway."""
        found = await gauges.all_of(self._client)
        now = clock.now()
        counts = await self._counts()
        waiting = {"oldest_at": await self._oldest_at() if counts["pending"] else None}
        found |= {name: gauges.Gauge(value, now) for name, value in (counts | waiting).items()}
        return {name: msgspec.structs.asdict(gauge) for name, gauge in found.items()}

    async def set_gauge(self, name: str, value: object) -> None:
        """Store one gauge as of now; raises EngineAway."""
        await gauges.put_async(self._client, {name: value}, clock.now())

    async def health(self, source_id: str) -> vitals.Health:
        """How a source does: rates, lateness, refusals, how its pull stands; raises EngineAway."""
        return await vitals.read(self._client, source_id, clock.now(), HEARD)

    async def tried(self, source: Source, secret: str) -> Tried:
        """What one fetch from a pulled source comes to; takes nothing. Raises SettingsWrong."""
        return await tried(source, secret, self.intake, self._data)

    async def pulls(self) -> dict[str, dict[str, Any]]:
        """How each pull stands, by source; raises EngineAway."""
        return await vitals.pulls(self._client)

    async def ready(self) -> dict[str, Any]:
        """{"ok", "engine", "pending", "bound", "workers"}; `engine` is "ok" or the code of what is wrong."""
        try:
            counts = await self._counts()
            if await self._full():
                return {"ok": False, "engine": "engine_full", "bound": self._bound, **counts}
        except EngineAway as error:
            return {"ok": False, "engine": error.code, "detail": str(error)}
        except EngineMisconfigured as error:
            return {"ok": False, "engine": "engine_misconfigured", "detail": str(error)}
        return {"ok": True, "engine": "ok", "bound": self._bound, **counts}

    async def metrics(self) -> dict[str, float]:
        """Counters and gauges for Prometheus by name ; what cannot be read is left out."""
        totals = {f"intake_{name}_total": value for name, value in msgspec.structs.asdict(self.intake.totals).items()}
        try:
            counts = await self._counts()
        except (EngineAway, EngineMisconfigured):
            return {**totals, "engine_up": 0}
        return {**totals, "engine_up": 1, **{f"intake_{name}": value for name, value in counts.items()}}

    async def close(self) -> None:
        """Finish the writes under way and close the connections."""
        await self._log.close()
        await self._vitals.close()
        await self._client.aclose()
        self._ringer.close()

    async def _full(self) -> bool:
        """Whether the engine refuses writes because its memory is used up (noeviction)."""
        with engine.translated():
            memory = await self._client.info("memory")
        return 0 < int(memory.get("maxmemory", 0)) <= int(memory.get("used_memory", 0))

    async def _counts(self) -> dict[str, int]:
        with engine.translated():
            accepted = int(await self._client.hget(ACCEPTED, "all") or 0)
            decided = int(await self._client.hget(DECIDED, "all") or 0)
        return {
            "pending": accepted - decided,
            "workers": await presence.alive(self._client, clock.now(), self._worker_ttl),
        }

    async def _oldest_at(self) -> int | None:
        """When the oldest report that waits for a decision arrived (UTC microseconds): the ids of entries carry ms."""
        with engine.translated():
            pipe = self._client.pipeline(transaction=False)
            for partition in range(PARTITIONS):
                pipe.xrange(place_of(partition), count=1)
            heads = await pipe.execute()
        return min((int(head[0][0].partition(b"-")[0]) * 1_000 for head in heads if head), default=None)
