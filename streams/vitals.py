"""How each source does 来源健康: rates, lateness, refusals and how a pull stands; in the engine, never in the journal.

Written by every process that takes reports (`Vitals.note`, every few seconds), read for the page of a source. Bounded:
for each source 25 hours of one small hash, SAMPLES times, and one line of how it is pulled.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from statistics import median, quantiles
from typing import Any

import msgspec
import redis.asyncio

from operations.report import Refusal, Report
from streams.engine import translated
from streams.errors import EngineAway, EngineMisconfigured

MINUTE, HOUR = 60_000_000, 3_600_000_000
HOURS_KEPT = 25
SAMPLES = 500
"""Times of the last reports kept for each source."""
SAMPLED_AT_ONCE = 50
"""Of one request, so that a large one costs no more."""
FLUSH_SECONDS = 2.0
MOST_SOURCES = 2_000
"""Sources kept in hand between two flushes; more are not counted."""
MOST_REASONS = 40
PULLS = "gridwall:pulls"
"""Hash: source → how its pull stands."""

log = logging.getLogger(__name__)


class Health(msgspec.Struct, frozen=True):
    """How a source does. Seconds and microseconds (`*_at`); None where nothing is known.

    `hours`: reports of the last 24 hours, oldest first. `ahead_s`: by how much the source's clock is ahead, the median
    of the reports that were said to happen after they came; `lateness_*` of the others. `pull`: how its pull stands.
    """

    last_minutes: int = 0
    last_hour: int = 0
    hours: tuple[int, ...] = ()
    duplicates: int = 0
    dropped: int = 0
    rejected: dict[str, int] = {}
    heard_at: int | None = None
    lateness_p50_s: float | None = None
    lateness_p95_s: float | None = None
    ahead_s: float | None = None
    ahead_share: float = 0.0
    samples: int = 0
    pull: dict[str, Any] = {}


class Tally:
    """What came from one source since the last flush."""

    def __init__(self) -> None:
        self.counts: dict[tuple[int, str], int] = {}
        self.delays: list[int] = []

    def add(self, hour: int, name: str, by: int) -> None:
        """Count `by` more of `name` in an hour."""
        if by:
            self.counts[hour, name] = self.counts.get((hour, name), 0) + by


class Vitals:
    """Gathers in one process and writes to the engine every FLUSH_SECONDS at most; use it from one event loop."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._tallies: dict[str, Tally] = {}
        self._flushing: asyncio.Task[None] | None = None

    def note(
        self, source: str, now: int, reports: Iterable[Report], refusals: Iterable[Refusal], *, repeats: int
    ) -> None:
        """Count what a request of a source came to."""
        if source not in self._tallies and len(self._tallies) >= MOST_SOURCES:
            return
        tally, hour = self._tallies.setdefault(source, Tally()), now // HOUR
        taken = dropped = 0
        for report in reports:
            taken += 1
            dropped += sum(report.dropped.values()) if report.dropped else 0
            if taken <= SAMPLED_AT_ONCE:
                tally.delays.append(now - report.occurred_at)
        del tally.delays[:-SAMPLES]
        tally.add(hour, f"m{now // MINUTE % 60}", taken)
        tally.add(hour, "dropped", dropped)
        tally.add(hour, "repeats", repeats)
        for refused in refusals:
            tally.add(hour, f"r:{refused.reason}", 1)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._later(), name="vitals")

    async def flush(self) -> None:
        """Write what was counted; what cannot be written is counted no more, for it is worth less than the reports."""
        tallies, self._tallies = self._tallies, {}
        if not tallies:
            return
        try:
            with translated():
                pipe = self._client.pipeline(transaction=False)
                for source, tally in tallies.items():
                    _write(pipe, source, tally)
                await pipe.execute()
        except (EngineAway, EngineMisconfigured) as error:
            log.debug("figures of %d sources are lost: %s", len(tallies), error)

    async def close(self) -> None:
        """Write what is left."""
        if self._flushing is not None:
            self._flushing.cancel()
            with suppress(asyncio.CancelledError):
                await self._flushing
        await self.flush()

    async def _later(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        await self.flush()


def _write(pipe: Any, source: str, tally: Tally) -> None:
    for (hour, name), count in tally.counts.items():
        key = _hour_key(source, hour)
        pipe.hincrby(key, name, count)
        pipe.expire(key, (HOURS_KEPT + 1) * 3_600)
    if tally.delays:
        key = _delay_key(source)
        pipe.lpush(key, *tally.delays)
        pipe.ltrim(key, 0, SAMPLES - 1)
        pipe.expire(key, HOURS_KEPT * 3_600)


async def read(client: redis.asyncio.Redis, source: str, now: int, heard_key: str) -> Health:
    """Return how a source does; raises EngineAway."""
    hour = now // HOUR
    with translated():
        pipe = client.pipeline(transaction=False)
        for back in range(HOURS_KEPT):
            pipe.hgetall(_hour_key(source, hour - back))
        pipe.lrange(_delay_key(source), 0, SAMPLES - 1)
        pipe.hget(heard_key, source)
        pipe.hget(PULLS, source)
        *hours, delays, heard, pull = await pipe.execute()
    return health(
        [{name.decode(): int(count) for name, count in one.items()} for one in hours],
        [int(one) for one in delays],
        now,
        heard_at=int(heard) if heard else None,
        pull=msgspec.json.decode(pull) if pull else {},
    )


def health(
    hours: list[Mapping[str, int]], delays: list[int], now: int, *, heard_at: int | None, pull: Mapping[str, Any]
) -> Health:
    """Return the figures of `hours` (this hour first, 25 of them) and of `delays` (received − occurred). Pure."""
    minutes = {
        now // MINUTE - now // MINUTE % 60 - back * 60 + minute: one.get(f"m{minute}", 0)
        for back, one in enumerate(hours[:2])
        for minute in range(60)
    }
    here = now // MINUTE
    per_hour = [sum(count for name, count in one.items() if name[:1] == "m") for one in hours[:24]]
    rejected: dict[str, int] = {}
    for one in hours[:24]:
        for name, count in one.items():
            if name.startswith("r:"):
                rejected[name[2:]] = rejected.get(name[2:], 0) + count
    late = sorted(delay / 1e6 for delay in delays if delay >= 0)
    ahead = [-delay / 1e6 for delay in delays if delay < 0]
    return Health(
        last_minutes=sum(minutes.get(here - back, 0) for back in range(5)),
        last_hour=sum(minutes.get(here - back, 0) for back in range(60)),
        hours=tuple(reversed(per_hour)),
        duplicates=sum(one.get("repeats", 0) for one in hours[:24]),
        dropped=sum(one.get("dropped", 0) for one in hours[:24]),
        rejected=dict(sorted(rejected.items(), key=lambda pair: -pair[1])[:MOST_REASONS]),
        heard_at=heard_at,
        lateness_p50_s=median(late) if late else None,
        lateness_p95_s=quantiles(late, n=20)[-1] if len(late) > 1 else late[0] if late else None,
        ahead_s=median(ahead) if ahead else None,
        ahead_share=len(ahead) / len(delays) if delays else 0.0,
        samples=len(delays),
        pull=dict(pull),
    )


async def say(client: redis.asyncio.Redis, source: str, facts: Mapping[str, Any]) -> None:
    """Write how the pull of a source stands; raises EngineAway."""
    with translated():
        await client.hset(PULLS, source, msgspec.json.encode(facts))


async def pulls(client: redis.asyncio.Redis) -> dict[str, dict[str, Any]]:
    """Return how each pull stands; raises EngineAway."""
    with translated():
        found: Any = await client.hgetall(PULLS)
    return {name.decode(): msgspec.json.decode(said) for name, said in found.items()}


def _hour_key(source: str, hour: int) -> str:
    return f"gridwall:vitals:{source}:{hour}"


def _delay_key(source: str) -> str:
    return f"gridwall:vitals:{source}:delays"
