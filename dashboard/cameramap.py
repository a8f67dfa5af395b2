"""The cameras a map shows (摄像机图层): all that have a place, in memory, following the catalogue's entries.

Screens hear by the live channel that cameras of theirs have changed, at most every `LOOK_SECONDS`, and ask again for
what they show; what is drawn for one is kept for the others that look at the same.
"""

import asyncio
import logging
from collections.abc import Iterable

import msgspec
from msgspec import structs

from config import clock
from operations.cameras import charting, voids
from operations.cameras.coverage import Void
from operations.cameras.mapping import Box, Chart
from operations.database import Database
from operations.scope import Scope

log = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
KEPT_MOST = 64
"""Answers kept until cameras change."""


class Cameramap:
    """One per web process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._chart = Chart()
        self._voids: list[tuple[str, ...]] = []
        self._seq = -1
        self._until: int | None = None
        self._kept: dict[tuple[Scope, Box, float, bool], bytes] = {}
        self._task: asyncio.Task[None] | None = None
        self.fault = ""

    async def start(self) -> None:
        """Read the catalogue and follow it until `stop`."""
        await self._look()
        self._task = asyncio.create_task(self._follow(), name="cameras")

    async def stop(self) -> None:
        """End following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def key(self, scope: Scope) -> str:
        """Return what changes when cameras within a scope do, or its grids without a live one."""
        return f"{self._chart.key(scope)}.{self.voids(scope)}"

    def voids(self, scope: Scope) -> int:
        """Return how many grids within a scope are told to have no live camera."""
        return sum(scope.covers(chain, scope.department) for chain in self._voids)

    def seen(self, scope: Scope, box: Box, zoom: float, *, closed: bool = True) -> bytes:
        """Return as JSON what a view shows somebody: `operations.cameras.mapping.Seen`; `closed`: also cameras that
        nobody is granted, and blind grids.
        """
        asked, kept = (scope, box, zoom, closed), self._kept
        if asked not in kept:
            if len(kept) >= KEPT_MOST:
                kept.clear()
            found = self._chart.seen(scope, box, zoom, closed=closed)
            kept[asked] = msgspec.json.encode(structs.replace(found, voids=self.voids(scope) if closed else 0))
        return kept[asked]

    def look(self) -> None:
        """Take over what the catalogue's entries touched since the last look. Raises DatabaseTrouble."""
        now = clock.now()
        with self._database.read() as connection:
            found = charting.touched(connection, self._seq)
            if found.seq != self._seq:
                self._blind(voids.known(connection).values())
            ended = self._until is not None and now >= self._until
            if found.ids is not None and not found.ids and not ended:
                self._seq = found.seq
                return
            anew = found.ids is None or self._seq < 0 or ended
            spots = charting.spots(connection, now, None if anew else found.ids)
            self._until = charting.until(connection, now)
        if anew:
            self._chart = Chart(one for one in spots.values() if one is not None)
        else:
            self._chart = self._chart.changed(spots)
        self._seq, self._kept = found.seq, {}

    def _blind(self, found: Iterable[Void]) -> None:
        there = sorted(tuple(one.path.split("/")) for one in found if one.told_at)
        if there != self._voids:
            self._voids, self._kept = there, {}

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self.look)
        except Exception as error:  # process edge: a map without cameras must not end the web process
            if not self.fault:
                log.exception("the cameras cannot be read for the map", exc_info=error)
            self.fault = f"{type(error).__name__}: {error}"
            return
        self.fault = ""
