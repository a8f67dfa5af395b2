"""Quarantine as the pages use it (隔离来件): in the name of whoever asks, with repairs sent through intake."""

from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import structs

from config import clock
from dashboard import access
from operations import quarantine, sources
from operations.database import AfterCommit, Database
from operations.errors import NotFound, Refused
from operations.policy import require
from operations.quarantine import Item, Opened, Quarantined
from operations.report import Refusal
from operations.restated import RESTATED
from operations.seal import KeyStore
from operations.sources import Source
from streams.errors import Unreadable
from streams.intake import Intake
from streams.warnings import Warnings

REPAIRED = "repaired"
PAGE = 100
"""Items the page shows at first, and more each time it is asked to."""

Wait = Callable[[Coroutine[Any, Any, Any]], Any]


class Quarantine:
    """One per web process."""

    def __init__(
        self, database: Database, keys: KeyStore, ring: AfterCommit, intake: Intake, warnings: Warnings
    ) -> None:
        self._database = database
        self._keys = keys
        self._ring = ring
        self._intake = intake
        self._warnings = warnings

    def page(self, before: str = "", through: str = "") -> Quarantined:
        """Return what waits, as far as whoever asks may see it: from the newest on, or what comes after `before`."""
        return quarantine.page(self._database, access.current(), before=before, through=through, limit=PAGE)

    def read(self, item_id: str, reason: str) -> Opened:
        """Return an item opened; the reading is an entry with its reason."""
        return quarantine.read(
            self._database, self._keys, access.current(), item_id, reason, now=clock.now(), after_commit=self._ring
        )

    def resubmit(self, item_id: str, repaired: bytes, wait: Wait) -> Refusal | None:
        """Send the repaired report in its source's name and record it; return what is still wrong, if anything is.

        `wait` runs what intake does on the server's loop, from the thread of a callback.
        """
        identity = access.current()
        item = self._open(item_id)
        source = sources.get(self._database, item.source)
        if source is None:
            raise NotFound()
        if item.reason in RESTATED:
            source = structs.replace(source, mapping="")
        wrong = self._warn(source, repaired, wait) if is_xml(repaired) else self._report(source, repaired, wait)
        if wrong is not None:
            return wrong
        quarantine.resubmit(self._database, identity, item_id, REPAIRED, now=clock.now(), after_commit=self._ring)
        return None

    def _report(self, source: Source, repaired: bytes, wait: Wait) -> Refusal | None:
        found = self._intake.examine(source, repaired)
        if isinstance(found, Refusal):
            return found
        wait(self._intake.accept(source, [repaired]))
        return None

    def _warn(self, source: Source, repaired: bytes, wait: Wait) -> Refusal | None:
        try:
            wait(self._warnings.take(source, repaired))
        except Unreadable as error:
            return Refusal(source.id, error.code, b"", "", 0, error.field)
        return None

    def discard(self, item_id: str, reason: str) -> None:
        """Discard an item with a reason."""
        quarantine.discard(self._database, access.current(), item_id, reason, now=clock.now(), after_commit=self._ring)

    def _open(self, item_id: str) -> Item:
        """Return an item that still waits, for somebody who may repair it; raises before anything is sent."""
        identity = access.current()
        require(identity, "quarantine.repair")
        item = quarantine.get(self._database, self._keys, identity, item_id).item
        if item.state != "open":
            raise Refused("operations.quarantine_ended", state=item.state)
        return item


def is_xml(content: bytes) -> bool:
    """Say whether what was repaired is a warning rather than a report, which is JSON."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
