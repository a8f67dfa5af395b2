"""Grids without a live camera are told, once, and when that ends; where there is no catalogue nothing is missing."""

import logging

from config.coverage import Coverage
from geo.grid import GENERAL, chains, standing
from operations import grids
from operations.cameras import charting, coverage, voids
from operations.database import AfterCommit, Database
from streams.stored_grid import from_row

log = logging.getLogger(__name__)

MINUTE = 60_000_000


class CoverageKeeping:
    """Looks again when cameras or grids have changed, or something waits for its time."""

    def __init__(self, database: Database, rules: Coverage, after_commit: AfterCommit | None = None) -> None:
        self._database = database
        self._rules = rules
        self._ring = after_commit
        self._seq = -1
        self._grids = 0
        self._chains: dict[str, tuple[str, ...]] = {}
        self._waiting = True

    def step(self, now: int) -> None:
        """Look once. Raises DatabaseTrouble."""
        version = grids.current_id(self._database, now)
        with self._database.read() as connection:
            found = charting.touched(connection, self._seq)
        if found.ids is not None and not found.ids and version == self._grids and not self._waiting:
            self._seq = found.seq
            return
        if version != self._grids:
            self._chains = self._drawn(now)
        with self._database.read() as connection:
            tallies = voids.tallies(connection, now)
        covered = coverage.judged(self._chains, tallies, self._rules.rules) if tallies else []
        patience = self._rules.void_minutes * MINUTE
        told, ended = voids.step(self._database, covered, patience=patience, now=now, after_commit=self._ring)
        if told or ended:
            log.warning("grids without a live camera: %d more, %d have one again", told, ended)
        with self._database.read() as connection:
            self._waiting = any(not one.told_at for one in voids.known(connection).values())
            self._waiting = self._waiting or charting.until(connection, now) is not None
        self._seq, self._grids = found.seq, version

    def _drawn(self, now: int) -> dict[str, tuple[str, ...]]:
        current = grids.current(self._database, now)
        every = [] if current is None else [from_row(row) for row in current.rows]
        return chains(one for one in standing(every, now) if one.kind == GENERAL)
