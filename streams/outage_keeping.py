"""Mass drops of cameras 批量离线 are told: looked for when a camera has changed, or something waits for its time."""

import logging

from operations.cameras import charting, outages
from operations.database import AfterCommit, Database

log = logging.getLogger(__name__)


class OutageKeeping:
    """Follows the journal, so that a quiet catalogue costs one query."""

    def __init__(self, database: Database, after_commit: AfterCommit | None = None) -> None:
        self._database = database
        self._ring = after_commit
        self._seq = -1
        self._waiting = True

    def step(self, now: int) -> None:
        """Look once. Raises DatabaseTrouble."""
        with self._database.read() as connection:
            found = charting.touched(connection, self._seq)
        if found.ids is not None and not found.ids and not self._waiting:
            self._seq = found.seq
            return
        told = outages.step(self._database, now=now, after_commit=self._ring)
        self._waiting = bool(told.waiting or told.outages)
        self._seq = found.seq
