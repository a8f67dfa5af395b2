"""WebSocket pull: listens to a department's feed 推送 and goes on where it broke off, if the feed lets us.

A message is one report, a list of them, or one CloudEvent; it counts as read when it is durable. While we take nothing,
nothing is read either, so the sender feels it. A connection that ends is made anew after a pause that grows, with full
jitter; the first message on a new one, or its staying, is what ends the pauses.
"""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException

from config import clock
from operations.sources import Source
from streams.errors import SourceAway, Unreadable
from streams.http_pull import CERTAIN, WAITING, proof, seconds
from streams.item import Item, split
from streams.pull_settings import CURSOR, WebsocketPull
from streams.pulling import LONGEST_SECONDS, Pulling, as_item, at, items_of

if TYPE_CHECKING:
    from streams.fetching import Reach

KIND = "websocket_pull"
LARGEST_MESSAGE = 8 * 1024 * 1024
MOST_QUEUED = 4
"""Messages the library reads ahead; then the sender waits."""
OPEN_SECONDS, PING_SECONDS, CLOSE_SECONDS = 15, 20, 2
STEADY_SECONDS = 10.0
CURSOR_EVERY_SECONDS = 1.0
"""How often the cursor is written; what comes again after a crash is recognised by its key."""
LONGEST_CURSOR = 200


async def pull(reach: "Reach", source: Source) -> None:
    """Listen to one source until cancelled."""
    pulling = Pulling(reach, source)
    settings = await pulling.settings()
    assert isinstance(settings, WebsocketPull)
    listener = Listener(pulling, settings)
    try:
        await pulling.again(listener.once)
    finally:
        await listener.keep()


class Listener:
    """One connection after the other; knows how far the feed was read."""

    def __init__(self, pulling: Pulling, settings: WebsocketPull) -> None:
        self._pulling = pulling
        self._settings = settings
        self._of = place(settings)
        self._cursor: str | None = None
        self._kept = ""
        self._kept_at = clock.monotonic()
        self.taken = 0

    async def once(self) -> float:
        """Listen until the connection ends. Raises SourceAway; returns 0 when it is only to be made anew."""
        if self._cursor is None:
            found = await self._pulling.cursor(self._of)
            self._cursor = self._kept = str(found.get("cursor", ""))
        try:
            async with opened(self._settings, self._pulling.secret, self._cursor) as socket:
                await greet(socket, self._settings, self._cursor)
                await self._listen(socket)
        except TimeoutError as error:
            raise SourceAway("timeout") from error
        except ConnectionClosed as error:
            raise SourceAway("broken_off") from error
        except InvalidStatus as error:
            raise refusal(error.response.status_code, error.response.headers.get("retry-after", "")) from error
        except (InvalidURI, InvalidHandshake) as error:
            raise SourceAway("handshake", certain=True) from error
        except ssl.SSLError as error:
            raise SourceAway("certificate") from error
        except (WebSocketException, OSError) as error:
            raise SourceAway("unreachable") from error
        finally:
            await self.keep()
        return 0.0

    async def keep(self) -> None:
        """Keep how far the feed was read, if that has moved."""
        if self._cursor and self._cursor != self._kept:
            await self._pulling.keep(self._of, {"cursor": self._cursor})
            self._kept, self._kept_at = self._cursor, clock.monotonic()

    async def _listen(self, socket: ClientConnection) -> None:
        """Take message after message; return when nothing came for `silence_s`.

        A connection counts as found when it brings something or stays: one that only opens and breaks off does not.
        """
        said = await heard(socket, STEADY_SECONDS)
        if said is not None:
            await self._take(said)
        await self._pulling.reached(taken=self.taken)
        limit = self._settings.silence_s or None
        while (said := await heard(socket, limit)) is not None:
            await self._take(said)

    async def _take(self, said: str | bytes) -> None:
        items, cursor = read(said, self._settings)
        await self._pulling.take(items)
        self.taken += len(items)
        self._cursor = cursor or self._cursor
        await self._pulling.reached(taken=self.taken, heard_at=clock.now())
        if clock.monotonic() - self._kept_at >= CURSOR_EVERY_SECONDS:
            await self.keep()


QUIET = logging.getLogger("gridwall.websocket_pull")
QUIET.setLevel(logging.WARNING)
"""What the library says of a connection at lower levels holds its headers."""


class Direct(connect):
    """A connection that follows no redirect: it would carry the secret elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the error that a redirect is."""
        return exc


async def heard(socket: ClientConnection, limit: float | None) -> str | bytes | None:
    """Return the next message, None when none came in `limit` seconds."""
    try:
        async with asyncio.timeout(limit):
            return await socket.recv()
    except TimeoutError:
        return None


def opened(settings: WebsocketPull, secret: str, cursor: str) -> Direct:
    """Return the connection to a feed, to be entered; `cursor`: how far it was read."""
    url = settings.url.replace(CURSOR, quote(cursor or settings.cursor_start, safe=""))
    if settings.auth == "query" and secret:
        url += ("&" if urlsplit(url).query else "?") + f"{quote(settings.auth_name)}={quote(secret, safe='')}"
    secure = url.startswith("wss:")
    return Direct(
        url,
        additional_headers=settings.headers | proof(settings.auth, settings.auth_name, secret),
        user_agent_header="gridwall",
        open_timeout=OPEN_SECONDS,
        ping_interval=PING_SECONDS,
        ping_timeout=PING_SECONDS,
        close_timeout=CLOSE_SECONDS,
        max_size=LARGEST_MESSAGE,
        max_queue=MOST_QUEUED,
        proxy=None,
        logger=QUIET,
        ssl=ssl.create_default_context() if secure else None,
    )


async def greet(socket: ClientConnection, settings: WebsocketPull, cursor: str) -> None:
    """Say what is to be said first; the cursor in it is escaped as inside a JSON text."""
    if settings.first:
        inside = msgspec.json.encode(cursor or settings.cursor_start).decode()[1:-1]
        await socket.send(settings.first.replace(CURSOR, inside))


def read(said: str | bytes, settings: WebsocketPull) -> tuple[list[object], str]:
    """Return the items of a message and the cursor after it; one that cannot be read is one item, for quarantine."""
    raw = said.encode("utf-8", "surrogatepass") if isinstance(said, str) else said
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _broken(raw), ""
    try:
        here = items_of(found, settings.items)
    except SourceAway:
        return ([], "") if settings.items else ([Item(raw)], "")  # with a path: what has no list is a greeting
    return [as_item(one) for one in here], cursor_of(here, found, settings.cursor_field)


def _broken(raw: bytes) -> list[object]:
    try:
        return list(split(raw)[0])
    except Unreadable as error:
        return [Item(raw, fault=error.code)]


def cursor_of(items: list[object], whole: object, path: str) -> str:
    """Return the last cursor of a message: of its last item that has one, else of the message itself."""
    if not path:
        return ""
    for one in (*reversed(items), whole):
        value = at(one, path)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)[:LONGEST_CURSOR]
    return ""


def refusal(status: int, retry_after: str) -> SourceAway:
    """Return why a handshake was refused."""
    wait = min(seconds(retry_after, clock.now()), LONGEST_SECONDS * 60)
    if status in CERTAIN:
        return SourceAway(CERTAIN[status], certain=True, retry_after=wait, status=status)
    return SourceAway(WAITING.get(status, "status"), retry_after=wait, status=status)


def place(settings: WebsocketPull) -> str:
    """Return what a cursor belongs to: another feed begins anew."""
    named: Mapping[str, Any] = {name: getattr(settings, name) for name in ("url", "first", "items", "cursor_field")}
    return sha256(msgspec.json.encode(named, order="sorted")).hexdigest()[:16]
