"""The catalogue of cameras as its page uses it 摄像机目录: found, counted in trees, in the name of whoever asks."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from msgspec import Struct

from config import clock
from dashboard import access
from dashboard.limitbook import Limitbook
from geo.datum import to_wgs84
from operations import journal, platforms, policy
from operations.cameras import completeness, keeping, maintaining, reading, tickets, told, tree
from operations.cameras.completeness import Held
from operations.cameras.reading import Camera
from operations.cameras.searching import Asked, Column, Finder, Index
from operations.cameras.tickets import Ticket
from operations.cameras.told import Step
from operations.cameras.tree import Branch
from operations.database import AfterCommit, Database
from operations.entry import Entry
from operations.errors import NotFound, Refused
from operations.platforms import Platform
from operations.report import Located
from operations.scope import Scope
from operations.sources import DATUMS
from streams.errors import EngineAway
from streams.gb28181.whereabouts import Last

LIVE = "live"
TOLD = ("camera.maintained", "camera.limited", "camera.unlimited")
"""Entries that a card tells beside the changes of the record."""
PAGE_MOST = 1_000
CONDITIONS_LAST = 10_000_000
"""Microseconds for which the states of all cameras are not worked out again unless an entry changes them."""


class Page(Struct, frozen=True):
    """What a search found: its first cameras, how many in all, and what can be chosen with its count."""

    cameras: Sequence[Camera]
    total: int
    facets: dict[str, dict[str, int]]
    as_of: int


class Dossier(Struct, frozen=True):
    """One camera, the changes of its record (the newest first), entries about it (`TOLD`), and when it was read.

    `ticket` names its incident only to who may open it.
    """

    camera: Camera
    steps: list[Step]
    entries: list[Entry]
    now: int
    ticket: Ticket | None = None


class Whole(Struct, frozen=True):
    """What a source has here; of a platform also what it says itself, for those who read platforms."""

    held: Held
    platform: Platform | None


class Catalogue:
    """One per web process; `located` finds the grid of a point, `last` where a platform's device was last; `limits`
    are the cameras' view limits.
    """

    def __init__(
        self,
        database: Database,
        ring: AfterCommit,
        located: Callable[[float | None, float | None, str], Located],
        last: Callable[[str, str], Coroutine[Any, Any, Last | None]],
    ) -> None:
        self._database = database
        self._ring = ring
        self._located = located
        self._last = last
        self._finder = Finder(database)
        self.limits = Limitbook(database, ring)

    def find(self, asked: Asked, axis: str = tree.CIVIL, key: str = "", most: int = 100) -> Page:
        """Return the cameras nearest to what was typed, of a branch where one is chosen. Raises Forbidden."""
        scope, now = policy.reach(access.current(), "camera.browse"), clock.now()
        index = self._finder.current()
        within = tree.below(index, axis, key) if key else None
        found = index.find(asked, scope, _conditions(index, now), within=within, most=min(most, PAGE_MOST))
        with self._database.read() as connection:
            cameras = reading.of(connection, scope, found.ids)
        return Page(cameras, found.total, found.facets, now)

    def branches(self, axis: str, key: str = "") -> list[Branch]:
        """Return the branches below one, as far as one's own reach. Raises Forbidden."""
        scope = policy.reach(access.current(), "camera.browse")
        index = self._finder.current()
        live = _conditions(index, clock.now()).equal(LIVE)
        return tree.branches(index, axis, key, index.inside(scope), live)

    def asked_for(self, axis: str, key: str, text: str, most: int) -> tuple[list[Branch], list[str]]:
        """Return the branches below one, and the cameras nearest to a text in it, whoever owns them: their ids, the
        first `most`. What one may ask to see. Raises Forbidden.
        """
        scope = Scope(policy.reach(access.current(), "access.ask").grid)
        index = self._finder.current()
        conditions = _conditions(index, clock.now())
        within = tree.below(index, axis, key) if key else None
        found = index.find(Asked(text), scope, conditions, within=within, most=most)
        live = conditions.equal(LIVE)
        return tree.branches(index, axis, key, index.inside(scope), live), list(found.ids)

    def card(self, id: str) -> Dossier:
        """Return one camera with its history. Raises Forbidden, NotFound."""
        scope, now = policy.reach(access.current(), "camera.browse"), clock.now()
        with self._database.read() as connection:
            one = reading.get(connection, scope, id)
            if one is None:
                raise NotFound()
            versions = reading.history(connection, scope, id)
            entries = [entry for entry, _ in journal.of_subject(connection, id)]
            ticket = tickets.of(connection, id, _opens())
        return Dossier(one, told.steps(versions), [one for one in entries if one.action in TOLD], now, ticket)

    async def moved(self, id: str) -> Last | None:
        """Return where a camera within reach said last that it was, None when it never did or nobody knows.

        Raises Forbidden.
        """
        scope = policy.reach(access.current(), "camera.browse")

        def found() -> Camera | None:
            with self._database.read() as connection:
                return reading.get(connection, scope, id)

        one = await asyncio.to_thread(found)
        platform = platforms.code_of(one.source) if one is not None else ""
        if one is None or not platform:
            return None
        try:
            return await self._last(platform, one.item.code)
        except EngineAway:
            return None

    def place(self, id: str, lon: float, lat: float, datum: str, *, revision: int) -> None:
        """Put a camera where it is. Raises Forbidden, NotFound, Refused."""
        identity = access.current()
        scope = policy.reach(identity, "camera.place")
        if datum not in DATUMS or not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise Refused("cameras.place_wrong")
        east, north = to_wgs84(lon, lat, datum)
        chain = self._located(east, north, "").chain
        with self._database.read() as connection:
            one = reading.get(connection, scope, id)
        if one is None:
            raise NotFound()
        if not chain or not scope.covers(chain, one.item.owner):
            raise Refused("cameras.place_outside")
        now = clock.now()
        keeping.place(
            self._database, identity, id, east, north, chain, revision=revision, now=now, after_commit=self._ring
        )

    def maintain(self, id: str, until: int, *, seen: int, reason: str) -> None:
        """Plan maintenance, or end it (0). Raises Forbidden, NotFound, Refused."""
        given: dict[str, Any] = {"seen": seen, "reason": reason, "now": clock.now(), "after_commit": self._ring}
        maintaining.maintain(self._database, access.current(), id, until, **given)

    def wholeness(self) -> list[Whole]:
        """Return each source of cameras with how whole it is; platforms' own figures for those who read platforms.

        Raises Forbidden.
        """
        identity = access.current()
        scope = policy.reach(identity, "camera.browse")
        known = platforms.every(self._database) if policy.allowed(identity, "platform.read") else []
        below = {one.source: one for one in known if one.state == platforms.ACCEPTED}
        since = {source: one.synced_at for source, one in below.items() if one.synced_at}
        with self._database.read() as connection:
            here = {one.source: one for one in completeness.held(connection, scope, since)}
        empty = {source: Held(source, 0, 0, 0, 0, 0, 0) for source in below if source not in here}
        return [Whole(one, below.get(source)) for source, one in sorted((here | empty).items())]


def _conditions(index: Index, now: int) -> Column:
    return index.kept("conditions", lambda: index.conditions(now), now // CONDITIONS_LAST)


def _opens() -> Scope | None:
    """Return which incidents whoever asks can open on the desk, None for none."""
    identity = access.current()
    if not policy.admits(identity, "GET", "/desk") or not policy.allowed(identity, "incident.read"):
        return None
    return policy.reach(identity, "incident.read")
