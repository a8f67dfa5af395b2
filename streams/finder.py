"""Finds the grid of reports: the geo index over the current grid version, reloaded when that changes."""

import logging
from collections.abc import Sequence
from pathlib import Path

from geo.errors import GeoError
from geo.locator import Locator
from operations import grids
from operations.database import Database
from operations.report import Located, Report
from streams.stored_grid import from_row

NOWHERE = Located()

log = logging.getLogger(__name__)


class Finder:
    """One per worker; not shared between threads."""

    def __init__(self, database: Database, cache: Path) -> None:
        self._database = database
        self._cache = cache
        self._version = -1
        self._locator: Locator | None = None

    def locate(self, reports: Sequence[Report]) -> list[Located]:
        """Where each report lies: by its point, else by the grid code it names; unplaced when neither is known.

        A batch decided after an import is placed in the new grids.
        """
        self._refresh()
        if self._locator is None:
            return [NOWHERE] * len(reports)
        return [self._one(self._locator, report) for report in reports]

    def _one(self, locator: Locator, report: Report) -> Located:
        place = report.place
        if place is not None and place.lon is not None and place.lat is not None:
            found = locator.locate(place.lon, place.lat)
            if found.code or report.grid_code not in locator.chains:
                return Located(found.code, found.chain, found.nearest, found.distance_m)
        if report.grid_code in locator.chains:
            return Located(report.grid_code, locator.chains[report.grid_code])
        return NOWHERE

    def _refresh(self) -> None:
        version = grids.current_id(self._database)
        if version == self._version:
            return
        self._locator = self._load()
        self._version = version

    def _load(self) -> Locator | None:
        found = grids.current(self._database)
        if found is None or not found.rows:
            return None
        shapes = [from_row(row) for row in found.rows]
        try:
            return Locator.open(shapes, self._cache)
        except GeoError:
            log.exception("grid version %s cannot be used, reports stay unplaced", found.id)
            return None
