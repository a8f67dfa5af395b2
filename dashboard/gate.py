"""Who holds a secret (身份): asked of the database, remembered for a moment so that 3,000 posts are not 3,000 reads.

While the database is locked or away, nobody is let in anew and nobody is signed out: it raises DatabaseTrouble, which
the access middleware answers with 503.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from config import clock
from dashboard.access import Proof
from operations import sessions, tokens, walls
from operations.database import Database
from operations.errors import DatabaseTrouble
from operations.policy import Identity

REMEMBERED_SECONDS = 0.4
"""How long a revoked session or token may still be believed; also how long trouble is, before it is asked again."""
REMEMBERED_MOST = 5_000
PATIENCE_SECONDS = 1.0
"""How long the gate's own connections wait for a lock: a person waits behind each."""
ASKED_AT_ONCE = 4
"""Questions under way: the threads they would wait in serve others too."""
SECRET_MOST = 200

Identify = Callable[[Database, str, int, str], Identity | None]
"""Database, secret, now, address."""
Key = tuple[Identify, bytes, str]
"""What is remembered: of a token also the address, for it may be right from one and not from another."""

log = logging.getLogger(__name__)


class Gate:
    """Knows holders of sessions, tokens and walls' secrets.

    `database` should be impatient (PATIENCE_SECONDS); `close` closes it.

    `idle`: microseconds after which a desk that nobody touches is locked; 0: never.
    """

    def __init__(self, database: Database, idle: int = 0) -> None:
        self._database = database
        self._idle = idle
        self._known: OrderedDict[Key, tuple[float, Identity]] = OrderedDict()
        self._room = asyncio.Semaphore(ASKED_AT_ONCE)
        self._trouble: DatabaseTrouble | None = None
        self._troubled_until = 0.0
        self._noting: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "standing")  # of its own: it must not wait behind slow requests

    async def session(self, secret: str) -> Identity | None:
        """Return who holds this session, or None. Raises DatabaseTrouble."""
        return await self._identify(self._holder, secret)

    async def token(self, secret: str, address: str) -> Identity | None:
        """Return who holds this token, if it may be used from `address`, or None. Raises DatabaseTrouble."""
        return await self._identify(tokens.identify, secret, address)

    async def wall(self, secret: str) -> Identity | None:
        """Return which wall holds this secret, or None. Raises DatabaseTrouble."""
        return await self._identify(_wall, secret)

    def forget(self, secret: str) -> None:
        """Believe a session no longer, because it was just closed."""
        self._known.pop((self._holder, digest(secret), ""), None)

    async def standing(self, proofs: Collection[Proof]) -> dict[Proof, Identity]:
        """Return who holds each of these secrets, by a query a kind; nobody's are left out. Raises DatabaseTrouble."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._standing, proofs, clock.now())

    def _standing(self, proofs: Collection[Proof], now: int) -> dict[Proof, Identity]:
        found: dict[Proof, Identity] = {}
        if wanted := [one for one in proofs if one.kind == "session"]:
            held = sessions.identify_many(self._database, [one.secret for one in wanted], now)
            found |= {one: held[one.secret] for one in wanted if one.secret in held}
        if wanted := [one for one in proofs if one.kind == "token"]:
            using = tokens.identify_many(self._database, [(one.secret, one.address) for one in wanted], now)
            found |= {one: using[one.secret, one.address] for one in wanted if (one.secret, one.address) in using}
        if wanted := [one for one in proofs if one.kind == "wall"]:  # by their ids: their secrets replace themselves
            living = walls.identify_many(self._database, [one.secret for one in wanted])
            found |= {one: living[one.secret] for one in wanted if one.secret in living}
        return found

    async def close(self) -> None:
        """Let what is under way finish."""
        self._thread.shutdown()
        if self._noting is not None:
            await self._noting
        self._database.close()

    async def _identify(self, ask: Identify, secret: str, address: str = "") -> Identity | None:
        if not secret or len(secret) > SECRET_MOST:
            return None
        key = (ask, digest(secret), address)
        if (known := self._remembered(key)) is not None:
            return known
        async with self._room:
            if (known := self._remembered(key)) is not None:  # somebody else asked the same meanwhile
                return known
            identity = await self._ask(ask, secret, address)
        self._known.pop(key, None)
        if identity is not None:
            self._known[key] = (clock.monotonic() + REMEMBERED_SECONDS, identity)
            if len(self._known) > REMEMBERED_MOST:
                self._known.popitem(last=False)
            if ask is tokens.identify:
                self._note_use(secret, address)
        return identity

    def _holder(self, database: Database, secret: str, now: int, _address: str) -> Identity | None:
        """Return who holds a session, from wherever."""
        return sessions.identify(database, secret, now, self._idle)

    def _remembered(self, key: Key) -> Identity | None:
        known = self._known.get(key)
        return known[1] if known is not None and known[0] > clock.monotonic() else None

    async def _ask(self, ask: Identify, secret: str, address: str) -> Identity | None:
        if self._trouble is not None and clock.monotonic() < self._troubled_until:
            raise type(self._trouble)(self._trouble.code, **self._trouble.params)
        try:
            identity = await asyncio.to_thread(ask, self._database, secret, clock.now(), address)
        except DatabaseTrouble as error:
            if self._trouble is None:
                log.warning("nobody new can be let in: %s", error)
            self._trouble, self._troubled_until = error, clock.monotonic() + REMEMBERED_SECONDS
            raise
        if self._trouble is not None:
            log.info("the database tells again who is who")
        self._trouble = None
        return identity

    def _note_use(self, secret: str, address: str) -> None:
        """Note beside the request that a token was used: a lock that lasts holds up nobody."""
        if self._noting is None or self._noting.done():
            work = asyncio.to_thread(tokens.note_use, self._database, secret, clock.now(), address)
            self._noting = asyncio.create_task(work, name="token use")


def _wall(database: Database, secret: str, now: int, _address: str) -> Identity | None:
    return walls.identify(database, secret, now)


def digest(secret: str) -> bytes:
    """Return what a secret is remembered by."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
