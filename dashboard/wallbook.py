"""The walls 大屏 as the administrator's page uses them, in the name of whoever asks; and which are connected now."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from typing import Any

from msgspec import Struct

from config import clock
from dashboard import access
from dashboard.area import Area
from dashboard.screen import Screen
from operations import driving, pairings, walls
from operations.database import AfterCommit, Database
from operations.driving import Playing, Target
from operations.errors import DatabaseTrouble, Refused
from operations.pairings import Pairing
from operations.secret import digest
from operations.walls import Plan, Seen, Wall

NOTE_EVERY = 30.0
"""Seconds between notes of what is known of the connected walls."""
SEEN_FOR = 75 * 1_000_000
"""Microseconds after which a wall that no web process has noted is not connected."""
TRIES, TRIES_WITHIN = 10, 600.0
"""Codes one administrator may get wrong, in so many seconds."""
ANSWER_KEPT = 0.5
ANSWERS_MOST = 1_000

log = logging.getLogger(__name__)


class Standing(Struct, frozen=True):
    """A wall and how it does; `latest` is what is known of its screen, `old` that its browser runs older code."""

    wall: Wall
    latest: Seen
    seen_at: int | None
    connected: bool
    old: bool


class Wallbook:
    """One per web process. `screens` are those connected to it, `version` is that of the code."""

    def __init__(
        self,
        database: Database,
        ring: AfterCommit,
        *,
        screens: Callable[[], Collection[Screen]],
        area: Callable[[], Area | None],
        version: str,
    ) -> None:
        self._database = database
        self._ring = ring
        self._screens = screens
        self._area = area
        self._version = version
        self._wrong: dict[str, deque[float]] = {}
        self._waiting: OrderedDict[bytes, tuple[float, bool]] = OrderedDict()

    # ---- pairing ----

    async def waits(self, claim: str) -> bool:
        """Say whether a screen still waits; asked of the database twice a second at most for each claim."""
        key, now = digest(claim), clock.monotonic()
        until, said = self._waiting.pop(key, (0.0, False))
        if until <= now:
            until = now + ANSWER_KEPT
            said = await asyncio.to_thread(pairings.waits, self._database, claim, clock.now())
        self._waiting[key] = until, said
        if len(self._waiting) > ANSWERS_MOST:
            self._waiting.popitem(last=False)
        return said

    def find(self, typed: str) -> Pairing:
        """Return the screen that shows a code. Raises Forbidden, Refused: unknown, or too many were."""
        identity = access.current()
        wrong = self._wrong.setdefault(identity.id, deque(maxlen=TRIES))
        if len(wrong) == TRIES and clock.monotonic() - wrong[0] < TRIES_WITHIN:
            raise Refused("operations.pairing_tries", minutes=round(TRIES_WITHIN / 60))
        try:
            return pairings.find(self._database, identity, typed, now=clock.now(), after_commit=self._ring)
        except Refused:
            wrong.append(clock.monotonic())
            raise

    def confirm(self, typed: str, plan: Plan) -> str:
        """Make a wall of the screen that shows a code, and return its id. Raises Forbidden, Refused."""
        self._known(plan)
        now = clock.now()
        return pairings.confirm(self._database, access.current(), typed, plan, now=now, after_commit=self._ring)

    # ---- walls ----

    def listed(self) -> list[Standing]:
        """Return all walls and how they do, those revoked last. Raises Forbidden."""
        here, now = {one.id: one for one in self.seen()}, clock.now()
        return [self._standing(one, here.get(one.id), now) for one in walls.listed(self._database, access.current())]

    def change(self, wall_id: str, plan: Plan) -> None:
        """Give a wall another name, layout or jurisdiction. Raises Forbidden, NotFound, Refused."""
        self._known(plan)
        walls.change(self._database, access.current(), wall_id, plan, now=clock.now(), after_commit=self._ring)

    def revoke(self, wall_id: str) -> None:
        """End a wall. Raises Forbidden, NotFound."""
        walls.revoke(self._database, access.current(), wall_id, now=clock.now(), after_commit=self._ring)

    def targets(self) -> list[Target]:
        """Return the walls that whoever asks may drive. Raises Forbidden."""
        return driving.targets(self._database, access.current())

    def drive(self, wall_id: str, incident: str, order: str, pinned: str) -> None:
        """Have a wall show these, or its own picture again. Raises Forbidden, NotFound, Refused."""
        wanted = {"incident": incident, "order": order, "pinned": pinned}
        driving.drive(self._database, access.current(), wall_id, **wanted, now=clock.now(), after_commit=self._ring)

    def playing(self) -> dict[str, Playing]:
        """Return which live pictures each wall plays now, of those that whoever asks may drive. Raises Forbidden."""
        return driving.playing(self._database, access.current())

    def picture(self, wall_id: str, deed: str, incident: str, cameras: Collection[str]) -> None:
        """Say which live pictures stay on a wall, or off it. Raises Forbidden, NotFound, Refused."""
        who, now = access.current(), clock.now()
        about: dict[str, Any] = {"incident": incident, "cameras": cameras}
        driving.picture(self._database, who, [wall_id], deed, **about, now=now, after_commit=self._ring)

    def seen(self) -> list[Seen]:
        """Return what this process knows of the walls connected to it; of several windows of one, the one ahead."""
        found: dict[str, Seen] = {}
        for screen in list(self._screens()):
            if screen.identity.kind == "wall":
                one = seen_of(screen, clock.now(), clock.monotonic())
                other = found.get(one.id)
                if other is None or (other.painted_at or 0) < (one.painted_at or 0):
                    found[one.id] = one
        return list(found.values())

    async def keep(self) -> None:
        """Note for ever, every half a minute and in one transaction, what is known of the connected walls."""
        while True:
            await asyncio.sleep(NOTE_EVERY)
            try:
                await asyncio.to_thread(walls.note, self._database, self.seen(), now=clock.now())
            except DatabaseTrouble as error:
                log.warning("what is known of the walls was not noted: %s", error)

    def _standing(self, wall: Wall, here: Seen | None, now: int) -> Standing:
        kept = Seen(wall.id, wall.painted, wall.painted_at, wall.version, wall.agent, wall.address, wall.size)
        latest, seen_at = (here, now) if here is not None else (kept, wall.seen_at)
        connected = wall.revoked_at is None and seen_at is not None and now - seen_at < SEEN_FOR
        old = bool(latest.version) and latest.version != self._version
        return Standing(wall, latest, seen_at, connected, old)

    def _known(self, plan: Plan) -> None:
        area = self._area()
        if plan.scope.grid and (area is None or plan.scope.grid not in area.grids):
            raise Refused("operations.unknown_grid")


def seen_of(screen: Screen, now: int, monotonic: float) -> Seen:
    """Return what is known of a wall by its screen; `now` in UTC microseconds, `monotonic` in seconds."""
    when, device = screen.painted_when, screen.device
    painted_at = None if when is None else now - round((monotonic - when) * 1_000_000)
    about = device.version, device.agent, device.address, device.size
    return Seen(screen.identity.id, screen.painted, painted_at, *about)
