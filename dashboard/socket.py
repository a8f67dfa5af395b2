"""The WebSocket `/live`: greets a screen, sends it its channel's frames, and takes its word for what it painted."""

import asyncio
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from config import clock
from config.words import choose
from dashboard import measures
from dashboard.access import lasting
from dashboard.asgi import address
from dashboard.channel import Channel, Topic
from dashboard.lens import WIDE, Lens, WrongLens
from dashboard.live import Crowded, Hub, changed_since
from dashboard.screen import Device, Screen, parse
from dashboard.standing import Standing
from operations.policy import Identity, rights, watched
from operations.scope import Scope

MESSAGE_MOST = 1_000
SIZE = re.compile(r"([0-9]{2,5})x([0-9]{2,5})")
SCREENS_MOST = 2_000
GOING_AWAY, POLICY, TRY_LATER = 1012, 1008, 1013
WRONG_LENS, NO_ROOM = 4422, 4429
"""The lens asked for does not exist; there is no room for one more. Both leave the screen its default lens."""

MayWatch = Callable[[Identity, str], bool]
Shown = Callable[[str, Scope], Scope]
"""What a page shows of a scope."""


class Live:
    """The endpoint of `/live?page=wall&lang=zh&n=LAST&epoch=E&at=AS_OF&screen=NAME`.

    `heat`, `type` and `urgency` choose the lens (`dashboard.lens`); what is not said is the default.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        version: str,
        standing: Standing,
        may_watch: MayWatch,
        shown: Shown = lambda page, scope: scope,
    ) -> None:
        self._hub = hub
        self._version = version
        self._standing = standing
        self._may_watch = may_watch
        self._shown = shown

    async def __call__(self, socket: WebSocket) -> None:
        """Serve one screen until it leaves."""
        identity: Identity = socket.scope["state"]["identity"]
        asked = socket.query_params
        page = asked.get("page", "")
        if not self._may_watch(identity, page):
            await socket.close(POLICY)
            return
        await socket.accept()
        try:
            lens = Lens.asked(asked) if self._hub.lensed(page) else WIDE
        except WrongLens as error:
            await socket.close(WRONG_LENS, str(error))
            return
        topic = Topic(self._shown(page, watched(identity)), page, choose(asked.get("lang")), lens)
        if len(self._hub.screens) >= SCREENS_MOST:
            await socket.close(TRY_LATER)
            return
        try:
            screen = await self._hub.join(topic, lambda channel: make(socket, identity, channel, self._hub.epoch))
        except Crowded:
            await socket.close(TRY_LATER if lens == WIDE else NO_ROOM)
            return
        try:
            await self._serve(socket, screen)
        except WebSocketDisconnect:
            pass  # it left while it was greeted
        finally:
            self._hub.leave(screen)

    async def _serve(self, socket: WebSocket, screen: Screen) -> None:
        ended = asyncio.Event()

        def end(code: int) -> None:
            screen.closing = code
            ended.set()

        with self._standing.hold(lasting(socket.scope, screen.identity), screen.identity, end):
            await socket.send_text(await self._hello(socket, screen))
            screen.wake.set()
            tasks = {asyncio.create_task(work) for work in (write(socket, screen), read(socket, screen), ended.wait())}
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                over = await asyncio.gather(*tasks, return_exceptions=True)
        if screen.closing:
            with suppress(RuntimeError):
                await socket.close(screen.closing)
        for error in over:
            if isinstance(error, Exception) and not isinstance(error, (WebSocketDisconnect, RuntimeError, OSError)):
                raise error

    async def _hello(self, socket: WebSocket, screen: Screen) -> str:
        """Return the greeting: version, epoch, the server's time, and what the screen missed."""
        at = whole(socket.query_params.get("at"))
        changed = await self._hub.ask(changed_since(at), screen.channel.topic.scope) if at else 0
        missed = screen.channel.n - screen.sent if screen.sent else -1
        said = {"version": self._version, "epoch": self._hub.epoch, "now": clock.now()}
        said["rights"] = sight(screen.identity)
        said["wall"] = screen.identity.id if screen.identity.kind == "wall" else ""
        return orjson.dumps({"hello": said | {"missed": missed, "changed": changed}}).decode()


def make(socket: WebSocket, identity: Identity, channel: Channel, epoch: str) -> Screen:
    """Return the screen of a connection; `n` counts only within the epoch it was given in."""
    asked = socket.query_params
    screen = Screen(screen_id(identity, asked.get("screen", ""), socket), identity, channel, device_of(socket))
    if asked.get("epoch") == epoch and asked.get("rights") == sight(identity):
        screen.sent = min(whole(asked.get("n")), channel.n)
        screen.painted = screen.sent
    return screen


def sight(identity: Identity) -> str:
    """Return a digest of what somebody's screens may show: a number `n` and a picture mean something only within it."""
    return hashlib.sha256(repr(rights(identity)).encode()).hexdigest()[:12]


def screen_id(identity: Identity, name: str, socket: WebSocket) -> str:
    """Return the name entries and people use for a screen: account and device, or what a paired wall is called."""
    if identity.kind == "wall":
        return identity.name
    client: Any = socket.client
    device = name if name.isascii() and name.isalnum() and len(name) <= 32 else f"{client.port if client else 0}"
    return f"{identity.name or identity.id}/{device}"


def device_of(socket: WebSocket) -> Device:
    """Return what the browser says of itself, cut to what anybody reads."""
    asked = socket.query_params
    agent = socket.headers.get("user-agent", "")
    return Device(asked.get("version", "")[:20], agent[:200], address(socket.scope), size_of(asked.get("size")))


def size_of(text: str | None) -> str:
    """Return a screen's size such as "1920×1080" from what its browser said, or ""."""
    found = SIZE.fullmatch(text or "")
    return f"{found[1]}×{found[2]}" if found else ""


async def write(socket: WebSocket, screen: Screen) -> None:
    """Send whatever the screen is due until it is to be closed; a slow network makes it skip, not queue."""
    while True:
        await screen.wake.wait()
        screen.wake.clear()
        while (text := screen.next()) is not None:
            await socket.send_text(text)
            measures.SENT.inc()
        if screen.closing:
            return


async def read(socket: WebSocket, screen: Screen) -> None:
    """Take what the browser says it painted."""
    while True:
        text = await socket.receive_text()
        message = parse(text) if len(text) <= MESSAGE_MOST else {}
        screen.hidden = message.get("hidden") is True
        painted, at = message.get("painted"), message.get("at")
        if not isinstance(painted, int) or isinstance(painted, bool):
            continue
        if painted > screen.painted and painted == screen.channel.n and isinstance(at, int):
            measures.PAINT_AGE.observe(max(at * 1_000 - screen.channel.as_of, 0) / 1e6)
        screen.note(painted, clock.monotonic())
        screen.wake.set()


def whole(text: str | None) -> int:
    """Return a whole number from a query, or 0."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
