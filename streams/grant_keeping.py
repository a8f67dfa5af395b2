"""The clocks of video access: requests that go up a level or lapse, and grants that end."""

import logging

from config import clock
from config.calendar import Workdays
from config.settings import Settings
from operations.calendar import Calendar
from operations.database import AfterCommit, Database
from operations.grants.grants import Grants
from operations.grants.requests import Requests
from streams.video.guard import Guard, Leave

log = logging.getLogger(__name__)


class GrantKeeping:
    """By this machine's clock, and by one that nobody can put back: a grant ends at whichever comes first."""

    def __init__(self, database: Database, settings: Settings, ring: AfterCommit | None = None) -> None:
        calendar, zone, county = Calendar(Workdays.load(), settings.zone), settings.zone, settings.county_code
        self._requests = Requests(database, calendar, ring, zone=zone, county=county)
        self._grants = Grants(database, calendar, ring, zone=zone, county=county)
        self._guard = Guard()

    def step(self, now: int) -> None:
        """Do what is due. Raises DatabaseTrouble."""
        self._requests.step(now)
        living = {one.id: Leave(one.from_at, one.until_at, frozenset(one.cameras)) for one in self._grants.all_living()}
        self._guard.heard(living, clock.monotonic(), now)
        changed = self._grants.step(now, self._guard.run_out(clock.monotonic()))
        if changed:
            log.info("%d grants ended, or were told to", changed)
