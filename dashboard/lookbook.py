"""Looks of this web process (观看登记): tickets out, looks begun, ended, and ended from outside in time."""

import asyncio
import logging
from collections.abc import Callable

from config import clock
from operations import looks
from operations.database import AfterCommit, Database
from operations.errors import DatabaseTrouble
from operations.looks import HEARTBEAT_SECONDS, Ticket, Whereabouts
from operations.policy import Identity

EVERY = 0.4
"""Seconds between two looks whether somebody ended one; it has to be noticed within a second."""
ENDED = 4403

log = logging.getLogger(__name__)
Place = Callable[[str], Whereabouts | None]
"""The port to the catalogue: where a camera is, by its id; None: there is no such camera. It may block."""
End = Callable[[int], None]


class Lookbook:
    """`key`: what tickets are signed with, the same in all web processes."""

    def __init__(self, database: Database, key: bytes, place: Place, ring: AfterCommit) -> None:
        self._database, self._key, self._place, self._ring = database, key, place, ring
        self._living: dict[str, End] = {}
        self._task: asyncio.Task[None] | None = None
        self._fault = ""

    def start(self) -> None:
        """Watch over the looks until `stop`."""
        self._task = asyncio.create_task(self._run(), name="looks")

    async def stop(self) -> None:
        """Write down that those which are left have ended."""
        if self._task is not None:
            self._task.cancel()
        left = list(self._living)
        if left:
            await asyncio.to_thread(self._end, left, "lost")

    async def ticket(self, identity: Identity, camera: str, why: str, incident: str) -> str:
        """Return a ticket. Raises Forbidden, NotFound, Refused."""
        place = await asyncio.to_thread(self._place, camera)
        return looks.issue(self._key, identity, camera, place, why, incident=incident, now=clock.now())

    def opened(self, identity: Identity, camera: str, ticket: str) -> Ticket:
        """Return what a ticket says. Raises Refused."""
        return looks.opened(self._key, identity, camera, ticket, now=clock.now())

    async def begin(self, identity: Identity, ticket: Ticket, stream: str, end: End) -> None:
        """Write down that a look begins; `end(code)` is called when somebody ends it. Raises OperationsError."""
        await asyncio.to_thread(self._begin, identity, ticket, stream)
        self._living[ticket.look] = end

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

    def _begin(self, identity: Identity, ticket: Ticket, stream: str) -> None:
        place = self._place(ticket.camera)
        now = clock.now()
        looks.begin(self._database, identity, ticket, place, stream=stream, now=now, after_commit=self._ring)

    def _end(self, ids: list[str], how: str) -> None:
        looks.end(self._database, ids, how, now=clock.now(), after_commit=self._ring)

    async def _run(self) -> None:
        spoken = clock.monotonic()
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
                if clock.monotonic() - spoken >= HEARTBEAT_SECONDS:
                    spoken = clock.monotonic()
                    await asyncio.to_thread(self._speak, list(self._living))
                self._fault = ""
            except DatabaseTrouble as error:  # while nobody knows, nobody is thrown out
                if not self._fault:
                    log.warning("nobody knows which looks were ended: %s", error)
                self._fault = str(error)

    async def look(self) -> None:
        """End those of ours that somebody ended. Raises DatabaseTrouble."""
        if not self._living:
            return
        for look in await asyncio.to_thread(looks.over, self._database, list(self._living)):
            if (end := self._living.pop(look, None)) is not None:
                end(ENDED)

    def _speak(self, ids: list[str]) -> None:
        now = clock.now()
        looks.seen(self._database, ids, now=now)
        looks.sweep(self._database, now=now, after_commit=self._ring)
