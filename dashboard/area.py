"""The grids in force, ready to answer: where a point lies, what the shapes are, how counts roll up (网格)."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from config import clock
from dashboard import jurisdiction
from geo.cutouts import Cutouts
from geo.difference import heirs_of_all
from geo.grid import Grid, chains, next_moment, standing
from geo.locator import Locator
from geo.shapes import Shapes
from geo.special import Special
from operations import edition
from operations import grids as versions
from operations.database import Database
from operations.edition import Edition
from operations.errors import OperationsError
from operations.grids import GridVersion
from operations.report import Located
from streams.stored_grid import from_row

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
MOST_EARLIER = 20
"""Earlier versions whose grids are still counted for others; incidents of older ones count as of earlier grids."""


@dataclass(frozen=True)
class Area:
    """The grids of one version that stand at a time; `until` is when others of the same version do (None: never).

    `heirs` says which of them counts for a grid of an earlier version that is no more.
    """

    id: int
    since: int
    until: int | None
    grids: Mapping[str, Grid]
    chains: Mapping[str, tuple[str, ...]]
    locator: Locator
    shapes: Shapes
    cutouts: Cutouts
    special: Special
    heirs: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What changes when other grids are in force: screens load their shapes again."""
        return f"{self.id}.{self.since}"


@dataclass
class Areas:
    """The grids in force, found again at the moment others begin. `folder` keeps the index on disk."""

    database: Database
    folder: Path
    current: Area | None = None
    fault: str = ""
    _next: int | None = None
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

    def key(self) -> str:
        """Return the key of the grids in force; empty where there are none."""
        return self.current.key if self.current else ""

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
            await asyncio.sleep(pause(self._next, clock.now()))
            await self._look()

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(self._load)
        except Exception as error:  # process edge: grids that cannot be loaded must not end the web process; it says so
            if not self.fault:
                log.exception("the grids cannot be loaded", exc_info=error)
            self.fault = f"{type(error).__name__}: {error}"
            return
        if found is not self.current:
            grids = found.grids if found else {}
            jurisdiction.put({code: one.name for code, one in grids.items()}, found.chains if found else {})
        self.current, self.fault = found, ""

    def _load(self) -> Area | None:
        now = clock.now()
        editions = versions.editions(self.database)
        found, known = edition.in_force(editions, now), self.current
        after = [one.valid_from for one in edition.coming(editions, now)]
        if found is None:
            self._next = min(after, default=None)
            return None
        stale = known is None or known.id != found.id or (known.until is not None and now >= known.until)
        loaded = self._opened(editions, found, now) if stale else known
        ends = [loaded.until] if loaded is not None and loaded.until is not None else []
        self._next = min(after + ends, default=None)
        return loaded

    def _opened(self, editions: Sequence[Edition], found: Edition, now: int) -> Area | None:
        stored = versions.version(self.database, found.id)
        if stored is None:
            return None
        made = area(stored, self.folder, now)
        every = [from_row(row) for row in stored.rows]
        before = [every] if len(every) > len(made.grids) else []
        earlier = (versions.version(self.database, number) for number in edition.before(editions, found)[:MOST_EARLIER])
        before += [[from_row(row) for row in one.rows] for one in earlier if one is not None]
        return replace(made, heirs=heirs_of_all(before, list(made.grids.values())))


def pause(moment: int | None, now: int) -> float:
    """Return the seconds to wait until the next look: the usual ones, or until `moment` if that is sooner."""
    return LOOK_SECONDS if moment is None else min(max((moment - now) / 1e6, 0.01), LOOK_SECONDS)


def area(version: GridVersion, folder: Path, now: int) -> Area:
    """Return what stands at `now` of a version of the grids as stored, with its index and shapes."""
    every = [from_row(row) for row in version.rows]
    grids = standing(every, now)
    times = {time for grid in every for time in (grid.valid_from, grid.valid_to) if time is not None and time <= now}
    locator = Locator.open(grids, folder)
    shapes = Shapes.open(grids, folder)
    by_code = {grid.code: grid for grid in grids}
    since, until = max(times, default=0), next_moment(every, now)
    return Area(version.id, since, until, by_code, chains(grids), locator, shapes, Cutouts(grids), Special(grids))


class NoArea(OperationsError):
    """No grids have been imported yet."""

    code = "operations.no_grids"
