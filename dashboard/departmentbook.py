"""Departments as the page of settings uses them 部门: in the name of whoever asks; and what screens call them now."""

import asyncio
import logging

from config import clock
from config import departments as shipped
from config.departments import Department
from dashboard import access
from operations import departments
from operations.database import AfterCommit, Database
from operations.departments import Wanted
from operations.errors import DatabaseTrouble
from operations.policy import require

LOOK_SECONDS = 2.0

log = logging.getLogger(__name__)


class Departmentbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit) -> None:
        self._database = database
        self._ring = ring

    def listed(self) -> list[Department]:
        """Return all in screen order. Raises Forbidden."""
        require(access.current(), "settings.read")
        return list(departments.every(self._database).values())

    def add(self, wanted: Wanted) -> None:
        """Add one. Raises Forbidden, Refused."""
        departments.add(self._database, access.current(), wanted, now=clock.now(), after_commit=self._ring)
        self.look()

    def rename(self, wanted: Wanted) -> None:
        """Call or place one otherwise. Raises Forbidden, NotFound, Refused."""
        departments.rename(self._database, access.current(), wanted, now=clock.now(), after_commit=self._ring)
        self.look()

    def end(self, code: str, *, ended: bool) -> None:
        """End one, or have it go on. Raises Forbidden, NotFound, Refused."""
        departments.end(self._database, access.current(), code, now=clock.now(), ended=ended, after_commit=self._ring)
        self.look()

    def look(self) -> None:
        """Have this process call departments as they are now. Blocking; raises DatabaseTrouble."""
        shipped.put(departments.saved(self._database))

    async def follow(self) -> None:
        """Look again and again until cancelled; trouble is said once and waited out."""
        troubled = False
        while True:
            try:
                await asyncio.to_thread(self.look)
                troubled = False
            except DatabaseTrouble as error:
                if not troubled:
                    log.warning("departments cannot be looked up now: %s", error)
                troubled = True
            await asyncio.sleep(LOOK_SECONDS)
