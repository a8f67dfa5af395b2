"""Video access for the pages 视频调阅: requests, decisions, grants, in the name of whoever asks."""

from config.calendar import Workdays
from config.settings import Settings
from dashboard.trail import Trail
from operations.calendar import Calendar
from operations.database import AfterCommit, Database
from operations.grants.admission import Admission
from operations.grants.grants import Grants
from operations.grants.requests import Requests
from operations.grants.standing import Standings


class Accessbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit, settings: Settings, trail: Trail) -> None:
        calendar, zone, county = Calendar(Workdays.load(), settings.zone), settings.zone, settings.county_code
        self._database, self._trail = database, trail
        self.requests = Requests(database, calendar, ring, zone=zone, county=county)
        self.grants = Grants(database, calendar, ring, zone=zone, county=county)
        self.standings = Standings(database, calendar, ring, zone=zone, county=county)
        self.admission = Admission(database, calendar, ring, zone=zone, county=county)
