"""Looks whether a source's places speak for another datum than it declares; part of the keeper, source by source."""

import logging
from collections.abc import Iterator, Mapping
from heapq import nlargest

from geo import offset
from geo.gazetteer import Gazetteer
from geo.grid import Grid
from geo.offset import Witness
from operations import datums, sources
from operations.board import Board
from operations.database import AfterCommit, Database
from operations.datums import Evidence
from operations.incident import Incident
from operations.sources import Source
from operations.witnesses import Testimony, testimonies
from streams.finder import Finder

MOST = 1_000
"""Newest incidents of a source that are looked at."""

log = logging.getLogger(__name__)


class DatumCheck:
    """Takes the sources in turn."""

    def __init__(self, database: Database, finder: Finder, after_commit: AfterCommit) -> None:
        self._database, self._finder, self._after_commit = database, finder, after_commit
        self._turns: list[str] = []
        self._shapes: Mapping[str, Grid] = {}
        self._places = Gazetteer(())

    def step(self, board: Board, now: int) -> bool:
        """Look at the next source; returns whether something was proposed."""
        listed = {source.id: source for source in sources.listed(self._database) if source.enabled}
        while self._turns and self._turns[-1] not in listed:
            self._turns.pop()
        self._turns = self._turns or sorted(listed, reverse=True)
        return self.look(listed[self._turns.pop()], board, now) if self._turns else False

    def look(self, source: Source, board: Board, now: int) -> bool:
        """Propose another datum for a source if its places speak for one; returns whether it was written."""
        said = datums.standing(self._database, source.id)
        if said.proposal is not None:
            return False
        found = self.find(source, board, said.refused_at)
        if found is None:
            return False
        written = datums.propose(self._database, source.id, found, now=now, after_commit=self._after_commit)
        if written:
            log.warning("the places of %s speak for %s, not %s", source.id, found.datum, found.declared)
        return written

    def find(self, source: Source, board: Board, since: int = 0) -> Evidence | None:
        """Return what speaks for another datum among the newest incidents received after `since`."""
        own = (one for one in board.incidents.values() if one.source == source.id and one.received_at > since)
        newest = nlargest(MOST, own, key=lambda one: one.received_at)
        if len(newest) < offset.LEAST:
            return None
        self._refresh()
        witnesses = list(self._witnesses(source, newest))
        found = offset.find(witnesses, source.datum, {one.grid: self._shapes[one.grid].polygon for one in witnesses})
        return None if found is None else Evidence(*found)

    def _refresh(self) -> None:
        shapes = self._finder.shapes()
        if shapes is not self._shapes:
            self._shapes, self._places = shapes, Gazetteer(shapes.values())

    def _witnesses(self, source: Source, newest: list[Incident]) -> Iterator[Witness]:
        """Those read in the source's own datum that name a grid in a field, in the address or in the title."""
        for one in testimonies(self._database, [incident.id for incident in newest]):
            named = self._named(one)
            if one.datum == source.datum and named:
                yield Witness(one.lon, one.lat, named)

    def _named(self, one: Testimony) -> str:
        code = one.grid_code if one.grid_code in self._shapes else ""
        return code or self._places.find(one.address) or self._places.find(one.title)
