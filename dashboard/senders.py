"""The sources that may send (来源): looked up by id, remembered for a moment; and the desk, which is one of them."""

import asyncio

from config import clock
from config.settings import Settings
from operations import policy, sources
from operations.database import Database
from operations.errors import Refused
from operations.policy import SYSTEM, Identity
from operations.sources import Source
from streams.intake import Intake, Receipt

REMEMBERED_SECONDS = 2.0
DESK = "desk"


class Senders:
    """The directory of sources as a web process asks it."""

    def __init__(self, database: Database, settings: Settings, intake: Intake) -> None:
        self._database = database
        self._settings = settings
        self._intake = intake
        self._known: dict[str, tuple[float, Source]] = {}

    async def find(self, source_id: str) -> Source | None:
        """Return a source that is switched on, or None."""
        known = self._known.get(source_id)
        if known is not None and known[0] > clock.monotonic():
            return known[1]
        found = await asyncio.to_thread(sources.get, self._database, source_id)
        self._known.pop(source_id, None)
        if found is None or not found.enabled:
            return None
        self._known[source_id] = (clock.monotonic() + REMEMBERED_SECONDS, found)
        return found

    async def register(self, identity: Identity, report: object) -> Receipt:
        """Take a report written down at the desk (登记). Raises Forbidden, and what intake raises."""
        policy.require(identity, "incident.register")
        desk = await self.find(DESK) or await self._add_desk()
        return await self._intake.accept(desk, [report], written_by=identity.actor)

    async def _add_desk(self) -> Source:
        desk = Source(DESK, "值班台", kind="desk", time_zone=self._settings.city_time_zone)
        try:
            await asyncio.to_thread(sources.add, self._database, SYSTEM, desk, now=clock.now())
        except Refused:  # another process was faster, or the desk is switched off
            found = await asyncio.to_thread(sources.get, self._database, DESK)
            if found is None or not found.enabled:
                raise
            return found
        return desk
