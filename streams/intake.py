"""Intake 来件接收: items of a source become reports or refusals, and both are durable before the receipt is given."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import structs

from config.taxonomy import Taxonomy
from operations.report import Refusal, Report
from operations.sources import Source
from streams.errors import Unreadable
from streams.example import example
from streams.item import MOST_ITEMS, from_object, refusal
from streams.limiter import Limiter
from streams.log import Batch, Log
from streams.mapping import Mapped
from streams.normalise import normalise
from streams.vitals import Vitals

BREATHE_EVERY = 100
"""Items between two chances for the other tasks of the process."""


class Quarantined(msgspec.Struct, frozen=True):
    """One item that could not be taken as a report: its place in the request, the field and the reason."""

    index: int
    field: str
    reason: str
    params: dict[str, str]


class Receipt(msgspec.Struct, frozen=True):
    """What became of a request's items; all of it is on disk. `duplicates` is a hint, the journal decides."""

    accepted: int
    duplicates: int
    quarantined: list[Quarantined]


class Totals(msgspec.Struct):
    """What this process has taken since it started; `refused` counts a report each time it was tried."""

    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    refused: int = 0
    dropped_fields: int = 0


class Known(Protocol):
    """Where mappings are found by name: `Mappings` of files alone, or a `Shelf` that follows the database too."""

    def get(self, name: str) -> Mapped:
        """Return the mapping; raises MappingError when it is wrong or not there."""


class Intake:
    """The one door: every way in ends here."""

    def __init__(
        self,
        log: Log,
        taxonomy: Taxonomy,
        mappings: Known,
        *,
        now: Callable[[], int],
        limiter: Limiter,
        digest_key: bytes,
        vitals: Vitals | None = None,
    ) -> None:
        self._log = log
        self._taxonomy = taxonomy
        self._mappings = mappings
        self._now = now
        self._limiter = limiter
        self._digest_key = digest_key
        self._vitals = vitals
        self.totals = Totals()

    @property
    def pending(self) -> int:
        """Accepted and undecided reports, as of the last write."""
        return self._log.pending

    async def accept(
        self, source: Source, items: Sequence[object], *, written_by: str = "", departments: Sequence[str] = ()
    ) -> Receipt:
        """Make the items durable and say what became of each; at most 1,000 of them.

        An item is JSON bytes, an `Item`, or a decoded object. Raises IntakeRefused (nothing counts as taken, send it
        again later), EngineMisconfigured, or MappingError when the source's mapping is wrong or not there.
        `written_by`: the actor whose words these are, when a person took them down here. `departments`: whose matter
        each item is ("": its type's), for what this program itself reports; nothing that comes from outside has any.
        """
        if len(items) > MOST_ITEMS:
            raise Unreadable("too_many_items", count=len(items), most=MOST_ITEMS)
        try:
            with self._paid(source, len(items)):
                batch, quarantined = await self._read(source, items, departments)
                if written_by:
                    batch.reports[:] = [structs.replace(report, written_by=written_by) for report in batch.reports]
                repeats = await self._log.append(batch)
        except Exception:
            self.totals.refused += len(items)
            raise
        self._count(batch, repeats)
        return Receipt(len(batch.reports), repeats, quarantined)

    async def _read(
        self, source: Source, items: Sequence[object], departments: Sequence[str]
    ) -> tuple[Batch, list[Quarantined]]:
        mapping = self._mapping(source)
        now = self._now()
        batch = Batch(source.id, now, [], [])
        quarantined: list[Quarantined] = []
        for index, item in enumerate(items):
            if index and index % BREATHE_EVERY == 0:
                await asyncio.sleep(0)
            found = self._normalised(item, source, now, mapping)
            if isinstance(found, Refusal):
                batch.refusals.append(found)
                quarantined.append(Quarantined(index, found.field, found.reason, found.params))
            else:
                batch.reports.append(structs.replace(found, department=departments[index]) if departments else found)
        return batch, quarantined

    def examine(self, source: Source, item: object, mapping: Mapped | None = None) -> Report | Refusal:
        """What `accept` would make of an item, by the source's mapping or another; nothing is kept."""
        return self._normalised(item, source, self._now(), mapping or self._mapping(source))

    def example(self, source: Source, at: datetime, lon: float, lat: float) -> dict[str, object]:
        """One item as the source's mapping reads it, to be copied; raises MappingError."""
        return example(source, self._mapping(source), at, lon, lat)

    def _normalised(self, item: object, source: Source, now: int, mapping: Mapped) -> Report | Refusal:
        return normalise(item, source, self._taxonomy, now, mapping, digest_key=self._digest_key)

    async def quarantine(self, source: Source, body: bytes, error: Unreadable) -> Receipt:
        """Keep a request that could not be read at all: its bytes go to quarantine as one item."""
        now = self._now()
        kept = refusal(from_object(body), source.id, error, now)
        batch = Batch(source.id, now, [], [kept])
        with self._paid(source, 1):
            repeats = await self._log.append(batch)
        self._count(batch, repeats)
        return Receipt(0, 0, [Quarantined(0, kept.field, kept.reason, kept.params)])

    async def hear(self, source: Source) -> None:
        """Note that a source was heard by another way than its reports. Raises EngineAway, EngineMisconfigured."""
        await self._log.hear(source.id, self._now())

    @contextmanager
    def _paid(self, source: Source, count: int) -> Iterator[None]:
        """Take what `count` items cost of the source's rate; it is given back when they were not taken."""
        self._limiter.take(source.id, source.rate_limit, count)
        try:
            yield
        except Exception:
            self._limiter.give_back(source.id, count)
            raise

    def _mapping(self, source: Source) -> Mapped:
        return self._mappings.get(source.mapping)

    def _count(self, batch: Batch, repeats: int) -> None:
        if self._vitals is not None:
            self._vitals.note(batch.source, batch.received_at, batch.reports, batch.refusals, repeats=repeats)
        self.totals.accepted += len(batch.reports)
        self.totals.duplicates += repeats
        self.totals.quarantined += len(batch.refusals)
        self.totals.dropped_fields += sum(sum(report.dropped.values()) for report in batch.reports if report.dropped)
