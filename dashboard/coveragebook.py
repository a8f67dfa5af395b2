"""Where cameras are missing 视频覆盖 as the page of cameras shows it, in the name of whoever asks."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from config import clock
from config.coverage import Coverage
from dashboard import access
from dashboard.area import Area, NoArea
from dashboard.spreadsheet import MARK, cell
from dashboard.trail import Trail
from geo.sight import View, share
from operations import audit
from operations.cameras import charting, coverage, voids
from operations.cameras.coverage import Covered, Void
from operations.database import Database
from operations.policy import reach

SHOWN = 100
"""Areas on the page, of which the share in a sector is worked out; a file holds all."""


class Found(NamedTuple):
    """Areas within somebody's reach, the gravest first; voids that were told, and the time all this is as of."""

    areas: list[Covered]
    told: dict[str, Void]
    as_of: int


class Coveragebook:
    """One per web process."""

    def __init__(self, database: Database, area: Callable[[], Area | None], trail: Trail) -> None:
        self._database = database
        self._area = area
        self._trail = trail
        self._rules = Coverage.load()

    def look(self) -> Found:
        """Return how the grids are covered. Raises Forbidden, NoArea."""
        scope = reach(access.current(), "camera.browse")
        area, now = self._grids(), clock.now()
        with self._database.read() as connection:
            tallies = voids.tallies(connection, now, scope)
            told = {grid: one for grid, one in voids.known(connection, scope).items() if one.told_at}
        chains = {code: chain for code, chain in area.chains.items() if not scope.grid or scope.grid in chain}
        return Found(coverage.judged(chains, tallies, self._rules.rules), told, now)

    def names(self, chain: Sequence[str]) -> list[str]:
        """Return the names of grids that are in force."""
        grids = self._grids().grids
        return [grids[code].name for code in chain if code in grids]

    def shares(self, areas: Sequence[Covered]) -> Mapping[str, float | None]:
        """Return {code: the share of an area its own cameras look at}; None where no direction is known."""
        scope = reach(access.current(), "camera.browse")
        grids = self._grids().grids
        with self._database.read() as connection:
            found = charting.views(connection, scope, [one.chain for one in areas if one.tally.cameras])
        views = {code: [View(*each) for each in some] for code, some in found.items()}
        return {one.code: share(grids[one.code].polygon, views.get(one.code, ())) for one in areas}

    def sheet(self, heads: Sequence[str], line: Callable[[Covered, Found], Sequence[object]]) -> bytes:
        """Return all areas as CSV; the export is an entry. Raises Forbidden, NoArea."""
        found = self.look()
        self._trail.note(audit.exported(access.current(), "coverage", "csv", areas=len(found.areas)))
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([cell(one) for one in heads])
        writer.writerows([cell(value) for value in line(one, found)] for one in found.areas)
        return (MARK + out.getvalue()).encode()

    def _grids(self) -> Area:
        area = self._area()
        if area is None:
            raise NoArea
        return area
