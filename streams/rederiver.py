"""Brings stored places up to a source's present datum, a bounded portion at a time; part of the keeper.

What waits is known from the journal and the board alone: after a restart everything on the board is looked at once.
"""

import logging
from collections.abc import Iterable

from geo.datum import to_wgs84
from operations import rederiving, sources
from operations.board import Board
from operations.database import AfterCommit, Database
from operations.entry import Entry
from streams.finder import Finder

LOOKED_AT = 1_000
"""Incidents looked at in one step, …"""
TRANSACTIONS = 6
"""… and transactions of `rederiving.BATCH` at most."""

log = logging.getLogger(__name__)


class Rederiver:
    """`waiting`: {source: ids of incidents to look at}."""

    def __init__(self, database: Database, finder: Finder, after_commit: AfterCommit) -> None:
        self.waiting: dict[str, set[str]] = {}
        self._database, self._finder, self._after_commit = database, finder, after_commit
        self._datums: dict[str, str] = {}

    def begin(self, board: Board) -> None:
        """Look at all incidents of the board once."""
        self._datums = {source.id: source.datum for source in sources.listed(self._database)}
        for source_id in self._datums:
            self._wait(board, source_id)

    def note(self, board: Board, entries: Iterable[Entry]) -> None:
        """Take in entries the board has folded: a changed datum, and reports that were read in an older one."""
        for entry in entries:
            body = entry.body or {}
            if entry.subject_type == "source" and "datum" in body:
                known, self._datums[entry.subject_id] = self._datums.get(entry.subject_id), body["datum"]
                if known not in (None, body["datum"]):
                    self._wait(board, entry.subject_id)
            elif "report" in body:
                self._note_report(entry.subject_id, body["report"])
            elif entry.action == "incident.reopened":  # it may have left the board before its source's datum changed
                self.waiting.setdefault(str(body["set"]["source"]), set()).add(entry.subject_id)

    def step(self, now: int) -> int:
        """Bring a portion up to date; returns how many incidents moved."""
        moved = 0
        for source_id in [*self.waiting]:
            if source_id not in self._datums:  # not a registered source: nothing was ever declared
                del self.waiting[source_id]
                continue
            ids = self._take(source_id)
            due = rederiving.outdated(self._database, ids, self._datums[source_id])
            most = TRANSACTIONS * rederiving.BATCH
            for start in range(0, min(len(due), most), rederiving.BATCH):
                moved += self._rederive(source_id, due[start : start + rederiving.BATCH], now)
            self.waiting[source_id] |= set(due[most:])
            if not self.waiting[source_id]:
                del self.waiting[source_id]
        if moved:
            log.info("%d places were read anew in their source's datum", moved)
        return moved

    def _wait(self, board: Board, source_id: str) -> None:
        ids = {incident.id for incident in board.incidents.values() if incident.source == source_id}
        if ids:
            self.waiting.setdefault(source_id, set()).update(ids)

    def _note_report(self, incident_id: str, report: dict[str, object]) -> None:
        source_id = str(report["source"])
        datum = self._datums.get(source_id)
        if datum is not None and report["datum"] not in ("", datum) and not report.get("datum_said"):
            self.waiting.setdefault(source_id, set()).add(incident_id)

    def _take(self, source_id: str) -> list[str]:
        held = self.waiting[source_id]
        return [held.pop() for _ in range(min(LOOKED_AT, len(held)))]

    def _rederive(self, source_id: str, ids: list[str], now: int) -> int:
        self._finder.at(None, None, "")  # a new version of the grids is loaded before anything is locked
        try:
            return rederiving.rederive(
                self._database,
                ids,
                self._datums[source_id],
                convert=to_wgs84,
                locate=self._finder.at,
                now=now,
                after_commit=self._after_commit,
            )
        except Exception:
            self.waiting[source_id].update(ids)
            raise
