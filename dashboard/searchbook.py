"""Search 搜索 as the desk uses it: incidents, orders, grids and the staff directory, in the name of whoever asks."""

from collections.abc import Callable
from dataclasses import dataclass

from config import clock
from dashboard import access
from dashboard.area import Area
from operations import lookup, search
from operations.contacts.index import Directory, Hit, Index, line_of
from operations.contacts.spelling import spelled
from operations.database import AfterCommit, Database
from operations.lookup import Looked
from operations.policy import allowed, reach
from operations.seal import KeyStore
from operations.search import Found

EACH = 8
"""Hits of each kind."""


@dataclass(frozen=True)
class Results:
    """What was found, the nearest or newest of each kind first."""

    cases: list[Found]
    places: list[Hit]
    staff: list[Hit]

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.cases or self.places or self.staff)


class Searchbook:
    """One per web process; `area` gives the grids in force, whose index is made when they change."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        ring: AfterCommit,
        directory: Directory,
        area: Callable[[], Area | None],
    ) -> None:
        self._database = database
        self._keys = keys
        self._ring = ring
        self._directory = directory
        self._area = area
        self._places: tuple[str, Index] = ("", Index(()))

    def find(self, typed: str, each: int = EACH) -> Results:
        """Return what holds all that was typed. Raises Forbidden."""
        identity = access.current()
        scope = reach(identity, "search.use")
        if not typed.strip():
            return Results([], [], [])
        cases = search.find(self._database, identity, typed, each * 2)
        places = self._grids().find(typed, scope, ("grid",), each)
        staff = self._directory.find(identity, typed, limit=each) if allowed(identity, "directory.read") else []
        return Results(cases, places, staff)

    def reporter(self, phone: str, reason: str) -> Looked:
        """Return the newest case of one number. Raises Forbidden, Refused."""
        who = access.current()
        return lookup.reporter(self._database, self._keys, who, phone, reason, now=clock.now(), after_commit=self._ring)

    def _grids(self) -> Index:
        area = self._area()
        key = area.key if area else ""
        if key != self._places[0]:
            grids = area.grids.values() if area else ()
            lines = [
                line_of(Hit("grid", one.code, one.name, "", "", grid=one.code), spelled(one.name).pinyin, (one.code,))
                for one in grids
            ]
            self._places = key, Index(lines)
        return self._places[1]
