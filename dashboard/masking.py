"""Live pictures of cameras with view limits 视场限制: masked JPEGs instead of the film, or none; and who ends them.

What the relay passes on of a camera with masks never comes near a socket: its key frames alone are asked for, one a
second at most, and leave as pictures in which the masks are solid. A limit that is registered, changed or taken away
ends what plays of that camera within a second; the tile opens anew by it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Protocol

from config import clock, departments
from config.city import City
from config.words import Words
from operations.cameras import limits
from operations.cameras.limits import Limit
from operations.database import Database
from operations.errors import DatabaseTrouble
from operations.looks import Ticket
from operations.policy import Identity
from streams.video import wire
from streams.video.errors import NoPicture, RelayAway
from streams.video.masked import Masker, NotMasked
from streams.video.port import RelayPort, Watching

EVERY = 1.0
"""Seconds between two masked pictures, at least."""
LOOKED_EVERY = 0.4
"""Seconds between two looks whether a limit has changed."""
LIMITED = "limited"
"""What a tile is told last when the limit of its camera has changed: it goes dark, and opens anew."""
FAILED_MOST = 5
"""Pictures in a row that could not be masked, after which the look ends and is begun anew."""

log = logging.getLogger(__name__)


class Barred(NoPicture):
    """Nobody may look through the camera: by its view limit."""

    code = "barred"


class Unmasked(NoPicture):
    """The camera is shown masked or not at all, and no masked picture can be made now."""

    code = "unmasked"


class Opened(Protocol):
    """One look's messages, whatever makes them."""

    def messages(self) -> AsyncIterator[memoryview]:
        """Yield message by message; ends when there are no more."""

    def close(self) -> None:
        """Let go what makes them."""


class Masking:
    """One per web process: every look goes through here, whether its camera has a limit or not."""

    def __init__(self, database: Database, relay: RelayPort, city: City) -> None:
        self._database, self._relay, self._city = database, relay, city
        self._masker = Masker()
        self._watched: set[Film | Masked] = set()
        self._task: asyncio.Task[None] | None = None
        self._fault = ""

    async def limit(self, camera: str) -> Limit | None:
        """Return a camera's limit. Raises DatabaseTrouble; Barred where nobody may look."""
        found = (await asyncio.to_thread(self._limits, {camera})).get(camera)
        if found is not None and found.barred:
            raise Barred("nobody may look through this camera")
        return found

    async def watch(self, camera: str, stream: str, held: Ticket, identity: Identity, lang: str) -> Opened:
        """Begin a look: masked where the camera has masks, else the relay's film.

        Raises RelayAway, NoPicture, NotGranted.
        """
        try:
            found = await self.limit(camera)
        except DatabaseTrouble as error:
            raise RelayAway("nobody knows now whether the camera has a view limit") from error
        opened: Film | Masked
        if found is None or not found.masks:
            film = await self._relay.watch(camera, stream, held.look, held.grant)
            opened = Film(camera, found, film, self._watched.discard)
        else:
            await self._ready()
            opened = Masked(found, lambda: self._relay.key_picture(camera, stream), self._masked(identity, held, lang),
                            self._watched.discard)  # fmt: skip
        self._watched.add(opened)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(), name="view limits")
        return opened

    async def stop(self) -> None:
        """End the process that masks pictures."""
        if self._task is not None:
            self._task.cancel()
        await self._masker.close()

    def _masked(self, identity: Identity, held: Ticket, lang: str) -> "Mask":
        who = f"{viewer(identity, Words(lang, self._city))} {held.number}".strip()

        async def mask(film: bytes, at: int, limit: Limit) -> bytes:
            moment = datetime.fromtimestamp(at / 1e6, self._city.zone)
            return await self._masker.picture(film, limit.masks, f"{who} {moment:%Y-%m-%d %H:%M}")

        return mask

    async def _ready(self) -> None:
        try:
            await self._masker.ready()
        except NotMasked as error:
            log.warning("a camera with masks is not shown: %s", error)
            raise Unmasked("no masked picture can be made now") from error

    def _limits(self, cameras: set[str]) -> dict[str, Limit]:
        with self._database.read() as connection:
            return limits.of(connection, cameras)

    async def _look(self) -> None:
        """End the looks whose camera's limit is not what it was when they began; all of them when this ends."""
        try:
            while self._watched:
                await asyncio.sleep(LOOKED_EVERY)
                await self._compare()
        finally:
            for one in list(self._watched):
                one.close()

    async def _compare(self) -> None:
        try:
            now = await asyncio.to_thread(self._limits, {one.camera for one in self._watched})
        except DatabaseTrouble as error:  # where nobody can read, nobody can register a limit
            if not self._fault:
                log.warning("nobody knows whether view limits have changed: %s", error)
            self._fault = str(error)
            return
        self._fault = ""
        for one in list(self._watched):
            if now.get(one.camera) != one.limit:
                one.close()


class Film:
    """The relay's film of a camera without masks, until its limit changes."""

    def __init__(self, camera: str, limit: Limit | None, watching: Watching, left: "Left") -> None:
        self.camera, self.limit, self._watching, self._left, self._over = camera, limit, watching, left, False

    async def messages(self) -> AsyncIterator[memoryview]:
        """Yield what the relay sends; no picture after `close`, though it may have come already."""
        async for message in self._watching.messages():
            if self._over:
                break
            yield message
        if self._over:
            yield _limited()

    def close(self) -> None:
        """Let the relay know that nobody looks any more."""
        self._over = True
        self._watching.close()
        self._left(self)


class Masked:
    """Masked pictures of a camera, each made of one key frame of the relay."""

    def __init__(self, limit: Limit, key: "Key", mask: "Mask", left: "Left") -> None:
        self.camera, self.limit = limit.camera, limit
        self._key, self._mask, self._left, self._over = key, mask, left, asyncio.Event()

    async def messages(self) -> AsyncIterator[memoryview]:
        """Yield a picture for each new key frame, a second apart at least, and words while there is none."""
        last = number = failed = 0
        while not self._over.is_set() and failed < FAILED_MOST:
            jpeg, at, code = b"", last, ""
            try:
                film, at = await self._key()
                if at > last:
                    jpeg, failed = await self._mask(film, at, self.limit), 0
            except (RelayAway, NoPicture) as error:
                code = error.code
            except NotMasked as error:
                code, failed = Unmasked.code, failed + 1
                log.warning("a picture of camera %s could not be masked: %s", self.camera, error)
            if self._over.is_set():
                break
            now = clock.monotonic()
            if code:
                yield _bare(wire.word(now, state="lost", code=code))
            elif jpeg:
                last, number = at, number + 1
                yield _bare(wire.picture(wire.JPEG, jpeg, sequence=number, ticks=0, wall=at, at=now))
            await self._pause()
        if self._over.is_set():
            yield _limited()

    def close(self) -> None:
        """Make no more of them."""
        self._over.set()
        self._left(self)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(EVERY):
                await self._over.wait()
        except TimeoutError:
            return


Key = Callable[[], Awaitable[tuple[bytes, int]]]
"""The port to the relay: the last key frame and when it came. Raises RelayAway, NoPicture."""
Mask = Callable[[bytes, int, Limit], Awaitable[bytes]]
"""Makes a JPEG of a key frame that came at a time, under a limit. Raises NotMasked."""
Left = Callable[[Film | Masked], None]
"""Told when a look is over."""


def viewer(identity: Identity, words: Words) -> str:
    """Return who looks as the picture says it: department, post, account."""
    department = identity.scope.department
    of = words.pick(known.short, known.en) if department and (known := departments.current()[department]) else ""
    return " ".join(part for part in (of, words.text(f"desk.role.{identity.role}"), identity.name) if part)


def _limited() -> memoryview:
    return _bare(wire.word(clock.monotonic(), state="lost", code=LIMITED))


def _bare(message: wire.Message) -> memoryview:
    """A message without its length, as a socket sends it."""
    return memoryview(message.framed)[wire.LENGTH :]
