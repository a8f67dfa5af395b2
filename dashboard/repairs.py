"""Quarantined items of one source, opened together to try its mapping on (隔离来件与字段对照), and sent again.

What was opened stays in the memory of this process for a while, for whoever asked for it; nothing unsealed reaches a
disk, and nobody is told what is in it: verdicts, reasons and numbers only (三员分立: who configures sees no data).
"""

import secrets
from collections.abc import Callable, Coroutine, Iterator
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from config import clock
from dashboard import access
from operations import quarantine, sources
from operations.database import AfterCommit, Database
from operations.errors import NotFound, OperationsError, Refused
from operations.policy import Identity, require
from operations.quarantine import Opened
from operations.report import Refusal
from operations.restated import RESTATED
from operations.seal import KeyStore
from operations.sources import Source
from streams.errors import Unreadable
from streams.intake import Intake
from streams.item import Item, split
from streams.mapping import Mapped

MOST = 500
"""Items opened at once."""
AT_ONCE = 200
"""Reports sent in again at once."""
KEPT_SECONDS = 900
MOST_HELD = 20
REPAIRED = "mapping"

Wait = Callable[[Coroutine[Any, Any, Any]], Any]


class Held(NamedTuple):
    """What one person opened."""

    by: str
    source: str
    at: int
    items: list[Opened]


class Tested(NamedTuple):
    """How many of the items would now be read, and why the others would not: {(reason, field): count}."""

    total: int
    readable: int
    reasons: dict[tuple[str, str], int]


class Repairs:
    """One per web process."""

    def __init__(self, database: Database, keys: KeyStore, ring: AfterCommit, intake: Intake) -> None:
        self._database = database
        self._keys = keys
        self._ring = ring
        self._intake = intake
        self._held: dict[str, Held] = {}
        self._lock = Lock()

    def open(self, source_id: str, reason: str) -> tuple[str, int]:
        """Open what waits of a source, with a reason, as one entry; returns (token, count)."""
        identity, now = self._permit(), clock.now()
        items = quarantine.for_retry(
            self._database,
            self._keys,
            identity,
            source_id,
            reason,
            most=MOST,
            now=now,
            after_commit=self._ring,
        )
        kept = [one for one in items if one.item.reason not in RESTATED]
        token = secrets.token_hex(16)
        with self._lock:
            old = [name for name, held in self._held.items() if now - held.at > KEPT_SECONDS * 1_000_000]
            for name in [*old, *list(self._held)[: max(0, len(self._held) - MOST_HELD + 1)]]:
                self._held.pop(name, None)
            self._held[token] = Held(identity.actor, source_id, now, kept)
        return token, len(kept)

    def test(self, token: str, source_id: str, mapping: Mapped) -> Tested:
        """Return how many items would be read by a mapping; nothing is kept."""
        held, source = self._of(token), self._source(source_id)
        reasons: dict[tuple[str, str], int] = {}
        for one in held.items:
            fault = self._fault(source, one, mapping)
            if fault is not None:
                key = (fault.reason, fault.field)
                reasons[key] = reasons.get(key, 0) + 1
        return Tested(len(held.items), len(held.items) - sum(reasons.values()), reasons)

    def resubmit(self, token: str, source_id: str, wait: Wait) -> tuple[int, int]:
        """Send what the source's saved mapping reads, and record each; returns (sent, left over)."""
        identity = self._permit()
        held, source = self._of(token), self._source(source_id)
        good = [one for one in held.items if self._fault(source, one, None) is None]
        for part in _parts(good):
            wait(self._intake.accept(source, part))
        for one in good:
            try:
                quarantine.resubmit(
                    self._database,
                    identity,
                    one.item.id,
                    REPAIRED,
                    now=clock.now(),
                    action="quarantine.retry",
                    after_commit=self._ring,
                )
            except Refused:  # somebody else has decided it meanwhile; what was sent is a duplicate
                continue
        left = [one for one in held.items if one not in good]
        with self._lock:
            self._held[token] = held._replace(items=left)
        return len(good), len(left)

    def _fault(self, source: Source, one: Opened, mapping: Mapped | None) -> Refusal | None:
        """What is still wrong with an item; of several reports in one item, the first fault."""
        found = [self._intake.examine(source, item, mapping) for item in _items(one.raw)]
        return next((report for report in found if isinstance(report, Refusal)), None)

    def _of(self, token: str) -> Held:
        identity = self._permit()
        held = self._held.get(token)
        if held is None or held.by != identity.actor:
            raise Lapsed()
        return held

    def _source(self, source_id: str) -> Source:
        found = sources.get(self._database, source_id)
        if found is None:
            raise NotFound()
        return found

    def _permit(self) -> Identity:
        identity = access.current()
        for action in ("source.manage", "quarantine.retry"):
            require(identity, action)
        return identity


class Lapsed(OperationsError):
    """What was opened is no longer held: too long ago, or by another process."""

    code = "operations.opened_lapsed"


def _parts(opened: list[Opened]) -> Iterator[list[Item]]:
    """The reports of all items in parts that intake takes at once."""
    items = [item for one in opened for item in _items(one.raw)]
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _items(raw: bytes) -> list[Item]:
    """The reports in the bytes of one item: itself, or the members of an array."""
    try:
        return split(raw)[0]
    except (Unreadable, msgspec.MsgspecError):
        return [Item(raw)]
