"""Who plays through an engine beside us 引擎观看: one ticket, one session, one line of the ledger, ended when it is.

The picture does not pass us, so a look is ended by asking the engine to end its session, again and again until it has:
it is told in the log when an engine does not answer. A session that the engine lists no more ends its look, one whose
look has ended, or that was begun before a restart and is in nobody's ledger any more, is ended; and while an engine
cannot be asked, nothing says that somebody still looks: the ledger ends the look as uncertain.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from msgspec import Struct

from config import clock
from dashboard.lookbook import Lookbook
from operations import accounts, looks, walls
from operations.cameras.limits import FORBIDDEN, MASKED
from operations.database import Database
from operations.errors import DatabaseTrouble, OperationsError, Refused
from operations.grants.admission import Asking
from operations.policy import Identity
from streams.video import engines
from streams.video.engines import ZLMEDIAKIT, Control, Engine, EngineAway, Play, Session

EVERY, AGAIN = 5.0, 0.3
GRACE = 10.0
"""Seconds an engine may take to list a session that it was let play."""

Limits = Callable[[list[str]], Mapping[str, str]]
"""Ids of cameras → {id: kind of its view limit}."""

log = logging.getLogger(__name__)


class Playing(Struct):
    """A look that an engine serves, of `holder` ("account:ID"); `over`: it has to end."""

    engine: str
    session: str
    ticket: str
    camera: str
    holder: str
    since: float
    over: bool = False


class Enginebook:
    """One per web process; `found` are the engines by name; `limits` says which cameras have a view limit."""

    def __init__(
        self,
        database: Database,
        lookbook: Lookbook,
        found: Mapping[str, Engine],
        limits: Callable[[list[str]], Mapping[str, str]],
    ) -> None:
        self._database, self._looks, self._engines, self._limits = database, lookbook, found, limits
        self._playing: dict[str, Playing] = {}
        self._control = Control()
        self._silent: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Watch over the sessions until `stop`."""
        if self._engines:
            self._spawn(self._run())

    async def stop(self) -> None:
        """Stop watching; what plays on has lost its look, and is ended first."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in self._playing.values():
            with suppress(EngineAway):
                await self._end(one)
        await self._control.close()

    def engine(self, name: str, key: str) -> Engine | None:
        """Return an engine that shows its key, None for any other."""
        found = self._engines.get(name)
        fits = hmac.compare_digest(key.encode(), (found.key if found else "").encode())
        return found if found is not None and fits else None

    def address(self, name: str, camera: str, ticket: str) -> str:
        """Return where a camera is played by a ticket. Raises Refused: there is no such engine."""
        if name not in self._engines:
            raise Refused("engines.unknown")
        return engines.address(self._engines[name], camera, ticket)

    async def admit(self, name: str, play: Play | None) -> bool:
        """Say whether an engine may play; the look is written down before it is told so. Raises DatabaseTrouble."""
        if play is None:
            return False
        identity = asking = None
        stream = _stream(name, play.session)
        try:
            ticket = self._looks.read(play.ticket)
            identity, asking = await asyncio.to_thread(self._whose, ticket.holder), Asking(ticket.camera, ticket.why)
            if identity is None or play.path != engines.path_of(self._engines[name], ticket.camera):
                raise Refused("looks.ticket_wrong")
            if await asyncio.to_thread(self._hidden, ticket.camera):
                raise Refused("engines.limited")  # an engine masks nothing
            if await asyncio.to_thread(looks.serves, self._database, ticket.look, stream):
                return True  # RTSP asks twice: to describe, and to set up
            await self._looks.begin(identity, ticket, stream, lambda _code, _why: self._over(ticket.look), own=False)
        except DatabaseTrouble:
            raise
        except OperationsError as error:
            log.info("engine %s was refused a picture: %s", name, error.code)
            if identity is not None and asking is not None:
                await asyncio.to_thread(self._looks.denied, identity, asking, error.code)
            return False
        self._playing[ticket.look] = Playing(
            name, play.session, play.ticket, ticket.camera, ticket.holder, clock.monotonic()
        )
        return True

    async def gone(self, name: str, session: str) -> None:
        """Take in that a session has ended."""
        for look, one in list(self._playing.items()):
            if (one.engine, one.session) == (name, session):
                del self._playing[look]
                await self._looks.end(look, "left")

    def _whose(self, holder: str) -> Identity | None:
        kind, _, id = holder.partition(":")
        if kind == "wall":
            return walls.living(self._database, id)
        found = accounts.of_id(self._database, id)
        return found.identity if found is not None and found.living(clock.now()) else None

    def _barred(self, one: Playing) -> bool:
        """Whether whoever looks may no more, or the camera has got a view limit."""
        return self._whose(one.holder) is None or self._hidden(one.camera)

    def _hidden(self, camera: str) -> bool:
        """Whether nobody may see the whole picture of a camera."""
        return self._limits([camera]).get(camera, "") in (FORBIDDEN, MASKED)

    def _over(self, look: str) -> None:
        """Its grant has ended, or whoever looks may no more."""
        if (one := self._playing.get(look)) is not None:
            one.over = True
            self._spawn(self._until_ended(look, one))

    async def _until_ended(self, look: str, one: Playing) -> None:
        told = False
        while True:
            try:
                if await self._end(one):
                    break
            except EngineAway as error:
                if not told:
                    log.error("engine %s does not end a session that is over: %s", one.engine, error)
                told = True
            await asyncio.sleep(AGAIN)
        self._playing.pop(look, None)
        await self._looks.end(look, "rights")

    async def _end(self, one: Playing) -> bool:
        """Ask for the end; whether nothing is left to be ended."""
        engine = self._engines[one.engine]
        left = [session for session in await self._control.sessions(engine) if _is(session, one)]
        for session in left:
            await self._control.end(engine, session)
        return not left and clock.monotonic() - one.since > AGAIN

    def forget(self) -> None:
        """Know of nothing that plays, as after a restart."""
        self._playing.clear()

    async def _run(self) -> None:
        while True:
            for name in self._engines:
                try:
                    await self.compare(name)
                except (EngineAway, DatabaseTrouble) as error:
                    if name not in self._silent:
                        log.error("engine %s cannot be asked who plays: %s", name, error)
                    self._silent.add(name)
                else:
                    self._silent.discard(name)
            await asyncio.sleep(EVERY)

    async def compare(self, name: str) -> None:
        """What plays without a look is ended, whoever began it; a look that plays no more has ended."""
        engine = self._engines[name]
        there = await self._control.sessions(engine)
        known = await asyncio.to_thread(looks.streams, self._database, [_stream(name, one.id) for one in there])
        for session in there:
            living = known.get(_stream(name, session.id))
            ours = session.ticket and not any(one.ticket == session.ticket for one in self._playing.values())
            if living is False or (living is None and ours):
                log.warning("engine %s played without a look: session %s is ended", name, session.id)
                await self._control.end(engine, session)
        played = [look for look, one in self._playing.items() if any(_is(session, one) for session in there)]
        await asyncio.to_thread(looks.seen, self._database, played, now=clock.now())
        for look, one in list(self._playing.items()):
            if one.engine == name and not one.over and await asyncio.to_thread(self._barred, one):
                self._over(look)
            late = clock.monotonic() - one.since > GRACE
            if one.engine == name and late and not one.over and look not in played:
                self._playing.pop(look, None)
                await self._looks.end(look, "left")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _stream(name: str, session: str) -> str:
    """How the ledger names what an engine plays: every process knows by it which session a look is."""
    return f"{name} {session}"[:200]


def _is(session: Session, one: Playing) -> bool:
    return session.id == one.session or (bool(session.ticket) and session.ticket == one.ticket)


def key_fits(kind: str, engine: Engine | None) -> bool:
    """Say whether a hook came by the way of the engine's kind."""
    return engine is not None and (engine.kind == ZLMEDIAKIT) == (kind == ZLMEDIAKIT)
