"""Retention on schedule (保存期限): once a day keys of reporters' data are destroyed and old entries leave the journal.

Where the days did not pass one by one (first start, a clock that was set, a long stop) it is announced a week before.

It runs beside the keeper, in a thread of its own: a long export holds up nobody.
"""

import logging
from datetime import UTC, datetime

from config.settings import Settings
from operations import attachments, retention, segments
from operations.database import AfterCommit, Database
from operations.errors import ArchiveDamaged, SegmentMissing
from operations.policy import SYSTEM
from operations.seal import KeyStore
from operations.shelf import Shelf

DAY = 86_400_000_000
MONTH = 31 * DAY
EVERY_SECONDS = 600
DETAIL_MOST = 200

log = logging.getLogger(__name__)


class Retainer:
    """Does what is due; `ring` tells others of new entries."""

    def __init__(self, settings: Settings, database: Database, ring: AfterCommit) -> None:
        self._settings, self._database, self._ring = settings, database, ring
        self._keys = KeyStore(settings.data / "keys")
        database.snapshot_key = self._keys.snapshot_key()

    def step(self, now: int) -> None:
        """Run once a day and write down what was done; what failed is tried again the next day.

        Raises database trouble.
        """
        begins = retention.begins(retention.last_run(self._database), now)
        if begins is None:
            return
        if begins > now:
            self._announce(begins, now)
            return
        forgotten = self._forget(now)
        try:
            left = self._leave(now)
        except (ArchiveDamaged, SegmentMissing, OSError) as error:
            log.error("a segment of the journal could not be written, nothing has left: %s", error)
            self._record({"forgotten": forgotten, "segments": [], "failed": str(error)[:DETAIL_MOST]}, now)
            return
        self._record({"forgotten": forgotten, "segments": left}, now)
        if forgotten or left:
            log.info("retention: %d keys destroyed, segments written: %s", forgotten, ", ".join(left) or "none")

    def _announce(self, begins: int, now: int) -> None:
        """Tell what will be destroyed, while it can still be set otherwise."""
        days = self._settings.forget_days
        forgets = retention.count(self._database, self._keys, begins - days * DAY) if days else 0
        self._record({"begins": begins, "forgets": forgets}, now, "retention.announced")
        if forgets:
            log.warning(
                "retention: on %s UTC the personal data of %d incidents will be destroyed (forget_days = %d);"
                " if that is too early, see to the clock of this machine or set forget_days",
                datetime.fromtimestamp(begins / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M"),
                forgets,
                days,
            )

    def _record(self, done: dict[str, object], now: int, action: str = "retention.ran") -> None:
        rules = {"forget_days": self._settings.forget_days, "journal_months": self._settings.journal_months}
        retention.record(self._database, {**done, **rules}, now=now, action=action, after_commit=self._ring)

    def _forget(self, now: int) -> int:
        days = self._settings.forget_days
        if not days:
            return 0
        before, rule = now - days * DAY, f"forget_days = {days}"
        forgotten = retention.forget(self._database, self._keys, SYSTEM, before, rule, now=now, after_commit=self._ring)
        attachments.forget_keyless(self._database, self._keys, Shelf(self._settings.data / "attachments"))
        return forgotten

    def _leave(self, now: int) -> list[str]:
        """Export what is older than the setting says, once a month of it has come together."""
        before, left = now - self._settings.journal_months * MONTH, []
        with self._database.read() as connection:
            oldest = segments.oldest(connection)
        if oldest is None or oldest > before - MONTH:
            return []
        while made := segments.export(self._database, self._keys, self._settings.segment_folder, before, now=now):
            left.append(made.file)
        return left
