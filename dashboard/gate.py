"""Who holds a secret (身份): asked of the database, remembered for a second so that 3,000 posts are not 3,000 reads."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from config import clock
from operations import sessions, tokens
from operations.database import Database
from operations.policy import Identity

REMEMBERED_SECONDS = 1.0
"""How long a revoked session or token may still be believed."""
REMEMBERED_MOST = 5_000
SECRET_MOST = 200

Identify = Callable[[Database, str, int], Identity | None]


class Gate:
    """Knows holders of sessions and tokens. A database that cannot be asked lets nobody in anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[Identify, bytes], tuple[float, Identity]] = OrderedDict()

    async def session(self, secret: str) -> Identity | None:
        """Return who holds this session, or None."""
        return await self._identify(sessions.identify, secret)

    async def token(self, secret: str) -> Identity | None:
        """Return who holds this token, or None."""
        return await self._identify(tokens.identify, secret)

    def forget(self, secret: str) -> None:
        """Believe a session no longer, because it was just closed."""
        self._known.pop((sessions.identify, digest(secret)), None)

    async def _identify(self, ask: Identify, secret: str) -> Identity | None:
        if not secret or len(secret) > SECRET_MOST:
            return None
        key = (ask, digest(secret))
        known = self._known.get(key)
        if known is not None and known[0] > clock.monotonic():
            return known[1]
        identity = await asyncio.to_thread(ask, self._database, secret, clock.now())
        self._known.pop(key, None)
        if identity is not None:
            self._known[key] = (clock.monotonic() + REMEMBERED_SECONDS, identity)
            if len(self._known) > REMEMBERED_MOST:
                self._known.popitem(last=False)
        return identity


def digest(secret: str) -> bytes:
    """Return what a secret is remembered by."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
