"""Standing authorisations for tests that are about something else than who may look."""

from collections.abc import Iterable
from datetime import UTC

from config import clock
from config.calendar import Workdays
from operations.calendar import Calendar
from operations.database import Database
from operations.grants.admission import Admission
from operations.grants.standing import Standings
from streams.demo import authorised


def everywhere(database: Database, departments: Iterable[str] = ("", "police"), now: int | None = None) -> Admission:
    """Let every post of the centre look through the cameras of these owners; return the gate."""
    calendar = Calendar(Workdays.load(), UTC)
    at = clock.now if now is None else lambda: now
    standings = Standings(database, calendar, zone=UTC, now=at)
    for department in departments:
        authorised.sign(standings, department)
    return Admission(database, calendar, zone=UTC, now=at)
