"""Retention on schedule (保存期限): once a day keys of reporters' data are destroyed and old entries leave the journal.

It runs beside the keeper, in a thread of its own: a long export holds up nobody.
"""

import logging

from config.settings import Settings
from operations import retention, segments
from operations.database import AfterCommit, Database
from operations.errors import ArchiveDamaged, SegmentMissing
from operations.policy import SYSTEM
from operations.seal import KeyStore

DAY = 86_400_000_000
MONTH = 31 * DAY
EVERY_SECONDS = 600

log = logging.getLogger(__name__)


class Retainer:
    """Does what is due; `ring` tells others of new entries."""

    def __init__(self, settings: Settings, database: Database, ring: AfterCommit) -> None:
        self._settings, self._database, self._ring = settings, database, ring
        self._keys = KeyStore(settings.data / "keys")
        database.snapshot_key = self._keys.snapshot_key()

    def step(self, now: int) -> None:
        """Run once a day, and write down what was done; what fails is tried again. Raises database trouble."""
        if not retention.due(self._database, now):
            return
        forgotten = self._forget(now)
        try:
            left = self._leave(now)
        except (ArchiveDamaged, SegmentMissing, OSError) as error:
            log.error("a segment of the journal could not be written, nothing has left: %s", error)
            return
        settings = self._settings
        rules = {"forget_days": settings.forget_days, "journal_months": settings.journal_months}
        done = {"forgotten": forgotten, "segments": left}
        retention.record(self._database, {**done, **rules}, now=now, after_commit=self._ring)
        if forgotten or left:
            log.info("retention: %d keys destroyed, segments written: %s", forgotten, ", ".join(left) or "none")

    def _forget(self, now: int) -> int:
        days = self._settings.forget_days
        if not days:
            return 0
        before, rule = now - days * DAY, f"forget_days = {days}"
        return retention.forget(self._database, self._keys, SYSTEM, before, rule, now=now, after_commit=self._ring)

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
