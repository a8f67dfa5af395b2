"""Finds the grid of reports: the geo index over the grids in force, reloaded at the moment others come into force."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from config import clock
from geo.errors import GeoError
from geo.grid import Grid, next_moment, standing
from geo.locator import Locator
from operations import grids
from operations.database import Database
from operations.report import Located, Report
from streams.stored_grid import from_row

NOWHERE = Located()

log = logging.getLogger(__name__)


class Finder:
    """One per worker; not shared between threads."""

    def __init__(self, database: Database, cache: Path, now: Callable[[], int] = clock.now) -> None:
        self._database = database
        self._cache = cache
        self._now = now
        self._version = -1
        self._until: int | None = None
        self._locator: Locator | None = None
        self._shapes: dict[str, Grid] = {}

    def locate(self, reports: Sequence[Report]) -> list[Located]:
        """Where each report lies: by its point, else by the grid code it names; unplaced when neither is known.

        A batch decided after other grids came into force is placed in those.
        """
        self._refresh()
        if self._locator is None:
            return [NOWHERE] * len(reports)
        return [self._one(self._locator, report) for report in reports]

    def at(self, lon: float | None, lat: float | None, grid_code: str) -> Located:
        """Where a point (WGS-84) lies, else the grid that is named."""
        self._refresh()
        return NOWHERE if self._locator is None else _located(self._locator, lon, lat, grid_code)

    def many(self, points: Sequence[tuple[float | None, float | None]]) -> list[Located]:
        """Where each of many points (WGS-84) lies; looks once whether the grids are still in force."""
        self._refresh()
        locator = self._locator
        return [NOWHERE if locator is None else _located(locator, lon, lat, "") for lon, lat in points]

    def chains(self, points: Sequence[tuple[float | None, float | None]]) -> list[tuple[str, ...]]:
        """The grids of many points from the root to the leaf, () for one in none; asks for no nearest, so is fast."""
        self._refresh()
        locator = self._locator
        if locator is None:
            return [()] * len(points)
        there = [(math.nan, math.nan) if lon is None or lat is None else (lon, lat) for lon, lat in points]
        owners = locator.owners([lon for lon, _ in there], [lat for _, lat in there]).tolist()
        return [locator.chains[locator.codes[rank]] if rank >= 0 else () for rank in owners]

    def shapes(self) -> Mapping[str, Grid]:
        """The grids that stand now, by code; the same object as long as they stand."""
        self._refresh()
        return self._shapes

    def _one(self, locator: Locator, report: Report) -> Located:
        place = report.place
        lon, lat = (None, None) if place is None else (place.lon, place.lat)
        return _located(locator, lon, lat, report.grid_code)

    def _refresh(self) -> None:
        now = self._now()
        version = grids.current_id(self._database, now)
        if version == self._version and (self._until is None or now < self._until):
            return
        self._locator, self._until = self._load(now)
        self._version = version

    def _load(self, now: int) -> tuple[Locator | None, int | None]:
        """The index of what stands now, and the next time something inside the version begins or ends."""
        found = grids.current(self._database, now)
        if found is None or not found.rows:
            self._shapes = {}
            return None, None
        every = [from_row(row) for row in found.rows]
        until = next_moment(every, now)
        self._shapes = {grid.code: grid for grid in standing(every, now)}
        try:
            return Locator.open([*self._shapes.values()], self._cache), until
        except GeoError:
            log.exception("grid version %s cannot be used, reports stay unplaced", found.id)
            return None, until


def _located(locator: Locator, lon: float | None, lat: float | None, grid_code: str) -> Located:
    if lon is not None and lat is not None:
        found = locator.locate(lon, lat)
        if found.code or grid_code not in locator.chains:
            return Located(found.code, found.chain, found.nearest, found.distance_m)
    if grid_code in locator.chains:
        return Located(grid_code, locator.chains[grid_code])
    return NOWHERE
