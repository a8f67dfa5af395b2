"""Looks of this web process (观看登记): tickets out, looks begun, ended, and ended from outside in time."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from config import clock
from operations import journal, looks
from operations.database import AfterCommit, Database
from operations.errors import DatabaseTrouble, NotFound, Refused
from operations.grants import rows as grants
from operations.grants.admission import Admission, Asking
from operations.looks import HEARTBEAT_SECONDS, Leave, Ticket, Whereabouts
from operations.policy import Identity

EVERY = 0.4
"""Seconds between two looks whether somebody ended one; it has to be noticed within a second."""
ENDED = 4403
PATIENCE = 5.0
"""Seconds without a word from the journal after which nobody looks by a grant."""
DENIED_EACH, DENIED_MOST = 60.0, 10_000
SECOND = 1_000_000

log = logging.getLogger(__name__)
Place = Callable[[str], Whereabouts | None]
"""The port to the catalogue: where a camera is, by its id; None: there is no such camera. It may block."""
End = Callable[[int, str], None]
"""Ends one look: the code of its closing, and why, for the tile to say."""
Moved = Callable[[int, str], None]
"""(until, how): a look's grant ends at another time (UTC microseconds), and how it is over then."""


def _unmoved(_until: int, _how: str) -> None:
    """Nobody wants to know."""


class Living(NamedTuple):
    """A look under way; `ends`: when its grant is over, in seconds that never step back, None: it needs none;
    `how` it is over then."""

    end: End
    grant: str
    until_at: int
    ends: float | None
    own: bool = True
    moved: Moved = _unmoved
    how: str = "time"


class Lookbook:
    """`key`: what tickets are signed with, the same in all web processes."""

    def __init__(self, database: Database, key: bytes, place: Place, ring: AfterCommit, admission: Admission) -> None:
        self._database, self._key, self._place, self._ring = database, key, place, ring
        self._admission = admission
        self._living: dict[str, Living] = {}
        self._refused: dict[tuple[str, str, str], float] = {}
        self._heard_at = clock.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._fault = ""

    def start(self) -> None:
        """Watch over the looks until `stop`."""
        self._tasks = [asyncio.create_task(one()) for one in (self._run, self._guard, self._beat)]

    async def stop(self) -> None:
        """Write down that those which are left have ended."""
        for task in self._tasks:
            task.cancel()
        left = list(self._living)
        if left:
            await asyncio.to_thread(self._end, left, "lost")

    async def ticket(
        self, identity: Identity, camera: str, why: str, incident: str, proof: str = "", mode: str = "live"
    ) -> str:
        """Return a ticket, good where the same `proof` is shown. Raises Forbidden, NotFound, Refused."""
        asking = Asking(camera, why, incident, mode)
        return await asyncio.to_thread(self._ticket, identity, asking, proof)

    def _ticket(self, identity: Identity, asking: Asking, proof: str) -> str:
        now, (leave, place) = clock.now(), self.admit(identity, asking)
        return looks.issue(
            self._key, identity, asking.camera, place, asking.why, incident=asking.incident, leave=leave, proof=proof,
            now=now,
        )  # fmt: skip

    def admit(self, identity: Identity, asking: Asking) -> tuple[Leave, Whereabouts | None]:
        """Return by whose leave somebody looks, and where; a refusal is written down.

        Raises Forbidden, NotFound, Refused.
        """
        place = self._place(asking.camera)
        if looks.why_wrong(asking.why, asking.incident):
            raise Refused("looks.why_wrong")
        try:
            return self._admission.leave(identity, asking, place), place
        except (NotFound, Refused) as error:
            self._denied(identity, asking, place, error.code)
            raise

    def place(self, camera: str) -> Whereabouts | None:
        """Return where a camera is. Raises DatabaseTrouble."""
        return self._place(camera)

    async def granted(self, identity: Identity, cameras: Sequence[str]) -> list[str]:
        """Return through which of them a grant lets somebody look now; nothing is opened. Raises Forbidden."""
        return await asyncio.to_thread(self._admission.granted, identity, cameras)

    def lets(self, grant: str, asking: Asking) -> Callable[[Any], None]:
        """Return what raises Refused when a grant lets nobody do this any more; for where it is written down."""
        return lambda connection: self._admission.lets(connection, grant, asking, clock.now())

    def denied(self, identity: Identity, asking: Asking, code: str) -> None:
        """Write down that somebody was refused somewhere else; what was asked for may be anything."""
        try:
            place = self._place(asking.camera) if asking.camera.isprintable() else None
        except DatabaseTrouble as error:
            log.warning("a refused look could not be written: %s", error)
            return
        self._denied(identity, asking, place, code)

    def _denied(self, identity: Identity, asking: Asking, place: Whereabouts | None, code: str) -> None:
        """Write a refusal down; a tile that asks again and again is one entry a minute."""
        key, now = (identity.actor, asking.camera, code), clock.monotonic()
        if now - self._refused.get(key, -DENIED_EACH) < DENIED_EACH:
            return
        if len(self._refused) >= DENIED_MOST:
            self._refused.clear()
        self._refused[key] = now
        try:
            self._admission.deny(identity, asking, place, code)
        except DatabaseTrouble as error:
            log.warning("a refused look could not be written: %s", error)

    def opened(self, identity: Identity, camera: str, ticket: str, proof: str = "") -> Ticket:
        """Return what a ticket says. Raises Refused."""
        return looks.opened(self._key, identity, camera, ticket, proof=proof, now=clock.now())

    def read(self, ticket: str) -> Ticket:
        """Return what a ticket says, whosever it is. Raises Refused."""
        return looks.read(self._key, ticket, now=clock.now())

    async def begin(
        self,
        identity: Identity,
        ticket: Ticket,
        stream: str,
        end: End,
        moved: Moved = _unmoved,
        *,
        own: bool = True,
        mode: str = "live",
    ) -> None:
        """Write down that a look begins; `end(code)` is called when somebody ends it. Raises OperationsError.

        `moved(until, how)`: its grant was extended or cut short. `own`: the picture passes us, so it is looked at as
        long as we say so. `mode`: live or export.
        """
        await asyncio.to_thread(self._begin, identity, ticket, stream, mode)
        ends = clock.monotonic() + (ticket.until_at - clock.now()) / SECOND if ticket.grant else None
        self._living[ticket.look] = Living(end, ticket.grant, ticket.until_at, ends, own, moved)

    async def over(self, grant: str, said: str) -> str:
        """Return how a grant ended, "" for one that holds; `said`: why the relay stopped, where nobody knows better."""
        if not grant:
            return ""
        try:
            told = await asyncio.to_thread(self._told, [], {grant})
        except DatabaseTrouble:
            return said
        ended_at, how, until_at = told[1].get(grant, (None, "", 0))
        return how if ended_at is not None or until_at <= clock.now() else ""

    async def end(self, look: str, how: str) -> None:
        """Write down that a look has ended."""
        self._living.pop(look, None)
        try:
            await asyncio.to_thread(self._end, [look], how)
        except DatabaseTrouble as error:  # it ends as uncertain, when it was last known
            log.warning("the end of a look could not be written: %s", error)

    async def close(self, identity: Identity, ids: list[str]) -> int:
        """End looks from outside. Raises Forbidden."""
        return await asyncio.to_thread(
            looks.close, self._database, identity, ids, now=clock.now(), after_commit=self._ring
        )

    def _begin(self, identity: Identity, ticket: Ticket, stream: str, mode: str) -> None:
        place = self._place(ticket.camera)
        now = clock.now()
        looks.begin(
            self._database, identity, ticket, place, stream=stream, mode=mode, now=now, admit=self._admission.still,
            after_commit=self._ring,
        )  # fmt: skip

    def _end(self, ids: list[str], how: str) -> None:
        journal.mandate.set(None)  # of this thread's own context: it has ended, whatever rights whoever looked has left
        looks.end(self._database, ids, how, now=clock.now(), after_commit=self._ring)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
                self._fault = ""
                self.heard(clock.monotonic())
            except DatabaseTrouble as error:  # while nobody knows, nobody is thrown out for `PATIENCE`
                if not self._fault:
                    log.warning("nobody knows which looks were ended: %s", error)
                self._fault = str(error)

    async def _guard(self) -> None:
        """End by the clock, however long the database takes to answer."""
        while True:
            await asyncio.sleep(EVERY)
            self.hold(clock.monotonic())

    async def _beat(self) -> None:
        """Say which looks go on; who waits for that write holds up nobody."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                await asyncio.to_thread(self._speak, [id for id, one in self._living.items() if one.own])
            except DatabaseTrouble as error:
                log.warning("nobody could be told which looks go on: %s", error)

    def heard(self, now: float) -> None:
        """Note that the journal has told what it knows."""
        self._heard_at = now

    def hold(self, now: float) -> None:
        """End those of ours whose grant is over by time, or of which nobody has known anything for too long."""
        unheard = now - self._heard_at >= PATIENCE
        for look, one in list(self._living.items()):
            if one.ends is not None and (unheard or now >= one.ends):
                del self._living[look]
                one.end(ENDED, "unheard" if unheard else one.how)

    async def look(self) -> None:
        """End those of ours that somebody ended, and let extended ones go on. Raises DatabaseTrouble."""
        if not self._living:
            return
        ids, by = list(self._living), {one.grant for one in self._living.values() if one.grant}
        over, told = await asyncio.to_thread(self._told, ids, by)
        for look, how in over.items():
            if (one := self._living.pop(look, None)) is not None:
                one.end(ENDED, how)
        for look, one in list(self._living.items()):
            if one.ends is None or one.grant not in told:
                continue
            ended_at, how, until_at = told[one.grant]
            if ended_at is not None:
                del self._living[look]
                one.end(ENDED, how)
            elif (until_at, how) != (one.until_at, one.how):
                ends = one.ends + (until_at - one.until_at) / SECOND
                self._living[look] = one._replace(until_at=until_at, ends=ends, how=how)
                one.moved(until_at, how)

    def _told(self, ids: list[str], by: set[str]) -> tuple[dict[str, str], dict[str, tuple[int | None, str, int]]]:
        over = looks.over(self._database, ids)
        if not by:
            return over, {}
        with self._database.read() as connection:
            return over, grants.told(connection, by)

    def _speak(self, ids: list[str]) -> None:
        now = clock.now()
        looks.seen(self._database, ids, now=now)
        looks.sweep(self._database, now=now, after_commit=self._ring)
