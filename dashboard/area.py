"""The grids in force, ready to answer: where a point lies, what the shapes are, how counts roll up (网格)."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geo.grid import Grid, chains
from geo.locator import Locator
from geo.shapes import Shapes
from operations import grids as versions
from operations.database import Database
from operations.errors import OperationsError
from operations.grids import GridVersion
from operations.report import Located
from streams.stored_grid import from_row

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Area:
    """One version of the grids."""

    id: int
    grids: Mapping[str, Grid]
    chains: Mapping[str, tuple[str, ...]]
    locator: Locator
    shapes: Shapes


@dataclass
class Areas:
    """The version in force, found again when another one is imported. `folder` keeps the index on disk."""

    database: Database
    folder: Path
    current: Area | None = None
    fault: str = ""
    _task: asyncio.Task[None] | None = field(default=None, repr=False)

    async def start(self) -> None:
        """Load the version in force and follow imports until `stop`."""
        await self._look()
        self._task = asyncio.create_task(self._follow(), name="areas")

    async def stop(self) -> None:
        """End following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ready(self) -> dict[str, Any]:
        """Return whether there are grids, and how many."""
        count = len(self.current.grids) if self.current else 0
        return {"ok": count > 0, "count": count, "why": self.fault}

    def located(self, lon: float | None, lat: float | None, grid: str) -> Located:
        """Return the place that the commands ask for: a grid by its code, or the owner of a point."""
        area = self.current
        if area is None:
            return Located()
        if grid:
            return Located(grid, area.chains[grid]) if grid in area.chains else Located()
        if lon is None or lat is None:
            return Located()
        found = area.locator.locate(lon, lat)
        return Located(found.code, found.chain, found.nearest, found.distance_m)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(self._load)
        except Exception as error:  # process edge: grids that cannot be loaded must not end the web process; it says so
            if not self.fault:
                log.exception("the grids cannot be loaded", exc_info=error)
            self.fault = f"{type(error).__name__}: {error}"
            return
        self.current, self.fault = found, ""

    def _load(self) -> Area | None:
        version = versions.current_id(self.database)
        if not version or (self.current is not None and self.current.id == version):
            return self.current
        found = versions.current(self.database)
        return area(found, self.folder) if found is not None else None


def area(version: GridVersion, folder: Path) -> Area:
    """Return a version of the grids as stored, with its index and shapes."""
    grids = [from_row(row) for row in version.rows]
    locator = Locator.open(grids, folder)
    shapes = Shapes.open(grids, folder)
    return Area(version.id, {grid.code: grid for grid in grids}, chains(grids), locator, shapes)


class NoArea(OperationsError):
    """No grids have been imported yet."""

    code = "operations.no_grids"
