"""Video access for the pages 视频调阅: what they ask besides the commands: cameras, proposals, past use, figures."""

import threading
from collections.abc import Collection, Sequence

from config import access as rules
from config import clock
from config.calendar import Workdays
from config.settings import Settings
from dashboard.trail import Trail
from geo.fewest import Placed, Proposal, Views, propose
from geo.samples import around
from operations.calendar import Calendar
from operations.cameras import near, reading
from operations.cameras.condition import AWAY, DARK, signalled
from operations.cameras.limits import by_rules
from operations.cameras.reading import Camera
from operations.database import AfterCommit, Database
from operations.errors import NotFound
from operations.grants import choosing, places, screens
from operations.grants.admission import Admission
from operations.grants.choosing import Past
from operations.grants.delegates import Delegates
from operations.grants.grants import Grants
from operations.grants.requests import Requests
from operations.grants.screens import Screen
from operations.grants.standing import Standings
from operations.incident import Incident
from operations.incidents import rows as incidents
from operations.policy import Identity, reach
from operations.scope import WHOLE, Scope

CAMERAS_MOST = 50_000
AROUND_MOST = 400
VIEWS_SECONDS = 60.0
MONTH = 30 * 86_400_000_000


class Accessbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit, settings: Settings, trail: Trail) -> None:
        calendar, zone, county = Calendar(Workdays.load(), settings.zone), settings.zone, settings.county_code
        self._database, self._trail = database, trail
        self.requests = Requests(database, calendar, ring, zone=zone, county=county)
        self.grants = Grants(database, calendar, ring, zone=zone, county=county)
        self.standings = Standings(database, calendar, ring, zone=zone, county=county)
        self.delegates = Delegates(database, calendar, ring, zone=zone, county=county)
        self.admission = Admission(database, calendar, ring, zone=zone, county=county)
        self._views: tuple[float, str, Views] | None = None
        self._making = threading.Lock()

    def of(self, identity: Identity, ids: Sequence[str]) -> list[Camera]:
        """Return cameras by their ids, as far as they lie in one's place, whoever owns them. Raises Forbidden."""
        with self._database.read() as connection:
            return reading.of(connection, self._scope(identity), ids)

    def offered(self, identity: Identity, ids: Sequence[str]) -> list[Camera]:
        """Return those of them that may be asked for: none where nobody looks."""
        return self._shown(self.of(identity, ids))

    def near(self, identity: Identity, lon: float, lat: float, metres: float) -> list[Camera]:
        """Return the cameras that stand around a place and may be asked for, the nearest first."""
        with self._database.read() as connection:
            box = near.box(lon, lat, metres)
            there = self._shown(reading.inside(connection, self._scope(identity), box, 2_000))
        found = near.ranked(there, lon, lat, within=metres, most=AROUND_MOST)
        return [one.camera for one in found]

    def proposal(self, identity: Identity, lon: float, lat: float, metres: float, most: int) -> Proposal:
        """Return the fewest cameras that cover a place."""
        return propose(around(lon, lat, metres), self._looking(self._scope(identity)), most=most)

    def past(self, applicant: str) -> Past:
        """Return what came of an applicant's requests of the last 30 days."""
        with self._database.read() as connection:
            return choosing.past(connection, applicant, clock.now() - MONTH)

    def about(self, incident: str) -> Incident | None:
        """Return the incident of a request for whoever may read that request, wherever it lies."""
        with self._database.read() as connection:
            try:
                return incidents.find(connection, WHOLE, incident).incident
            except NotFound:
                return None

    def walls(self, identity: Identity) -> list[Screen]:
        """Return the walls on which somebody may ask for pictures to be shown. Raises Forbidden."""
        with self._database.read() as connection:
            return screens.offered(connection, identity)

    def limits(self, ids: Collection[str]) -> dict[str, str]:
        """Return {camera: kind of its view limit}."""
        with self._database.read() as connection:
            return places.limits(connection, list(ids))

    def _scope(self, identity: Identity) -> Scope:
        return Scope(reach(identity, "access.ask").grid)

    def _shown(self, found: list[Camera]) -> list[Camera]:
        access = rules.current()
        return [one for one in found if not by_rules(access, one.item.name, one.item.position)]

    def _looking(self, scope: Scope) -> Views:
        """What all usable cameras of a place look at, made anew every minute."""
        with self._making:
            now = clock.monotonic()
            if self._views is not None and self._views[1] == scope.grid and now - self._views[0] < VIEWS_SECONDS:
                return self._views[2]
            with self._database.read() as connection:
                found = self._shown(reading.every(connection, scope, most=CAMERAS_MOST))
            made = Views.of(
                Placed(one.id, one.lon, one.lat, one.item.direction, one.item.field_angle, one.item.view_distance)
                for one in found
                if one.lon is not None and one.lat is not None and usable(one)
            )
            self._views = now, scope.grid, made
            return made


def usable(one: Camera) -> bool:
    """Say whether a camera has a stream, and nothing says that there is no picture."""
    return bool(one.item.url_main or one.item.url_sub) and signalled(one) not in (AWAY, DARK)
