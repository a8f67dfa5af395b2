"""`/video/CAMERA` (实时画面): from the relay to a tile, by a ticket checked before it is accepted; snapshots, clips."""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import orjson
from fastapi import APIRouter, Request, Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from config import access as rules
from config import clock
from config.city import City
from config.words import Words
from dashboard.access import lasting
from dashboard.answers import problem
from dashboard.api_attachments import CLOSED
from dashboard.lookbook import Lookbook
from dashboard.masking import Masking, Opened, viewer
from dashboard.pages import language
from dashboard.parts import Asker, Shared
from dashboard.standing import Standing
from dashboard.wallpictures import wish_of
from operations.errors import DatabaseTrouble, Forbidden, NotFound, OperationsError, Refused
from operations.grants.admission import Asking
from operations.looks import Ticket
from operations.policy import Identity
from operations.snapshots import EXPORT
from streams.video.errors import NoPicture, NotGranted, RelayAway
from streams.video.wire import WORD

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
STREAMS = ("main", "sub")
REFUSED, TRY_LATER, NO_PICTURE = 4403, 1013, 4404
ASKED_MOST = 200
TILES_MOST = 64
TOUCHED, IDLE = "touched", "idle"
NOT_GIVEN = (Refused, NotFound, Forbidden)


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks a ticket or a snapshot for; `signed`: the snapshot as an evidence
    package; `engine`: the name of the media engine that is to play it."""

    camera: str
    why: str
    incident: str = ""
    signed: bool = False
    engine: str = ""


class Exported(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks a clip of so many seconds for."""

    camera: str
    why: str
    seconds: int
    incident: str = ""


@router.get("/video/wall")
async def wall(request: Request, shared: Shared, asker: Asker) -> Response:
    """Say which pictures a wall shows now."""
    wish = wish_of(dict(request.query_params))
    if wish is None:
        return problem(422, Refused("looks.why_wrong"))
    words = Words(language(request.scope), City.of(shared.settings))
    try:
        told = await shared.wallpictures.chosen(asker, wish, words)
    except Forbidden as error:
        return problem(403, error)
    return Response(orjson.dumps(told), headers=CLOSED, media_type="application/json")


@router.get("/video/granted")
async def granted(request: Request, shared: Shared, asker: Asker) -> Response:
    """Say through which of some cameras a grant lets whoever asks look now; asking is no look, and opens nothing."""
    cameras = request.query_params.getlist("camera")[:TILES_MOST]
    found = await shared.lookbook.granted(asker, cameras)
    return Response(orjson.dumps({"granted": found}), headers=CLOSED, media_type="application/json")


@router.post("/video/tickets")
async def ticket(request: Request, shared: Shared, asker: Asker) -> Response:
    """Give a ticket for one look at one camera."""
    try:
        wanted = msgspec.json.decode(await request.body(), type=Wanted)
    except msgspec.MsgspecError:
        return problem(422, Refused("looks.why_wrong"))
    try:
        if wanted.engine:
            shared.enginebook.address(wanted.engine, "", "")  # one that is none asks for no ticket
        made = await shared.lookbook.ticket(
            asker, wanted.camera, wanted.why, wanted.incident, lasting(request.scope, asker).secret
        )
    except NOT_GIVEN as error:
        return _not_given(error)
    told = {"ticket": made}
    if wanted.engine:
        told["url"] = shared.enginebook.address(wanted.engine, wanted.camera, made)
    return Response(orjson.dumps(told), media_type="application/json")


@router.post("/video/snapshots")
async def snapshot(request: Request, shared: Shared, asker: Asker) -> Response:
    """Send a marked JPEG of a camera's newest key frame, or a package of it, to be kept and not to be shown."""
    try:
        wanted = msgspec.json.decode(await request.body(), type=Wanted)
        words = Words(language(request.scope), City.of(shared.settings))
        taken = await shared.snapshots.take(asker, wanted.camera, wanted.why, wanted.incident, words)
        if wanted.signed:
            asked = Asking(wanted.camera, wanted.why, wanted.incident, "snapshot")
            taken = await asyncio.to_thread(shared.snapshots.signed, asker, asked, taken)
    except (msgspec.MsgspecError, *NOT_GIVEN) as error:
        return _not_given(error)
    kept = {"content-disposition": f'attachment; filename="{taken.name}"', "x-content-sha256": taken.sha256}
    kind = "application/zip" if wanted.signed else "image/jpeg"
    return Response(taken.jpeg, media_type=kind, headers=CLOSED | kept)


@router.post("/video/clips")
async def clip(request: Request, shared: Shared, asker: Asker) -> Response:
    """Record a camera for some seconds and send the marked clip as an evidence package."""
    try:
        wanted = msgspec.json.decode(await request.body(), type=Exported)
        words = Words(language(request.scope), City.of(shared.settings))
        asking, proof = Asking(wanted.camera, wanted.why, wanted.incident, EXPORT), lasting(request.scope, asker)
        taken = await shared.clips.take(asker, asking, wanted.seconds, words, proof)
    except (msgspec.MsgspecError, *NOT_GIVEN) as error:
        return _not_given(error)
    kept = {"content-disposition": f'attachment; filename="{taken.name}"', "x-content-sha256": taken.sha256}
    return Response(taken.jpeg, media_type="application/zip", headers=CLOSED | kept)


def _not_given(error: Exception) -> Response:
    if not isinstance(error, NOT_GIVEN):
        return problem(422, Refused("looks.why_wrong"))
    return problem(422 if isinstance(error, Refused) else 404 if isinstance(error, NotFound) else 403, error)


class Video:
    """The endpoint of `/video/CAMERA?ticket=T&stream=main`."""

    def __init__(self, lookbook: Lookbook, masking: Masking, standing: Standing, city: City) -> None:
        self._looks, self._masking, self._standing, self._city = lookbook, masking, standing, city

    async def __call__(self, socket: WebSocket) -> None:
        """Serve one look: nothing is accepted before ticket and place hold, nothing sent before its entry."""
        identity: Identity = socket.scope["state"]["identity"]
        camera, asked = socket.path_params["camera"], socket.query_params
        stream = asked.get("stream", "main")
        try:
            proof = lasting(socket.scope, identity).secret
            held = self._looks.opened(identity, camera, asked.get("ticket", ""), proof)
            if stream not in STREAMS:
                raise Refused("looks.ticket_wrong")
        except OperationsError as error:
            await self._refused(socket, identity, Asking(camera, ""), error.code)
            return
        try:
            watching = await self._masking.watch(camera, stream, held, identity, language(socket.scope))
        except NotGranted as error:
            await self._refused(socket, identity, Asking(camera, held.why, held.incident), error.code)
            return
        except (RelayAway, NoPicture) as error:
            await socket.accept()
            await socket.send_text(orjson.dumps({"state": "lost", "code": error.code}).decode())
            await socket.close(TRY_LATER if isinstance(error, RelayAway) else NO_PICTURE)
            return
        try:
            await self._served(socket, identity, held, stream, watching)
        finally:
            watching.close()

    async def _refused(self, socket: WebSocket, identity: Identity, asking: Asking | None, code: str) -> None:
        """Write down who tried, and close it: what was copied or used leaves a trace. None: nobody knows now."""
        if asking is not None:
            await asyncio.to_thread(self._looks.denied, identity, asking, code)
        await socket.close(TRY_LATER if asking is None else REFUSED)

    async def _served(self, socket: WebSocket, identity: Identity, held: Ticket, stream: str, watching: Opened) -> None:
        ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

        def end(code: int, why: str = "rights") -> None:
            if not ended.done():
                ended.set_result((code, why))

        ends = Ends()
        try:
            await self._looks.begin(identity, held, stream, end, ends.moved)
        except OperationsError as error:
            away = isinstance(error, DatabaseTrouble)
            asking = None if away else Asking(held.camera, held.why, held.incident)
            await self._refused(socket, identity, asking, error.code)
            return
        how = "left"
        try:
            await socket.accept()
            await socket.send_text(_by(held, viewer(identity, Words(language(socket.scope), self._city))))
            touched = Touched()
            with self._standing.hold(lasting(socket.scope, identity), identity, end):
                tasks = {asyncio.create_task(one) for one in self._parts(socket, identity, watching, touched, ends)}
                try:
                    waited: set[asyncio.Future[Any]] = {*tasks, ended}
                    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
            if ended.done():
                code, why = ended.result()
            elif touched.idle:
                code, why = REFUSED, IDLE
            else:
                why = await self._looks.over(held.grant, touched.over)
                code = REFUSED if why else TRY_LATER
            how = why if why in ("rights", IDLE) else "left"
            with suppress(RuntimeError):
                if socket.client_state is not WebSocketState.DISCONNECTED:
                    if why and why != "rights":
                        await socket.send_text(orjson.dumps({"state": "ended", "code": why}).decode())
                    await socket.close(code)
        except (RuntimeError, WebSocketDisconnect):  # whoever asked was gone before the first word
            log.debug("a look ended before it was taken")
        finally:
            await self._looks.end(held.look, how)

    def _parts(
        self, socket: WebSocket, identity: Identity, watching: Opened, touched: "Touched", ends: "Ends"
    ) -> Iterator[Coroutine[Any, Any, None]]:
        yield _forward(socket, watching, touched)
        yield _listen(socket, touched)
        yield ends.tell(socket)
        if identity.kind != "wall":  # nobody touches a wall
            yield touched.rest(rules.current().limits.idle_minutes * 60)


class Touched:
    """When somebody last touched the page of a picture, which ends once nobody minds it. `over`: why the relay did."""

    def __init__(self) -> None:
        self._again, self.idle, self.over = asyncio.Event(), False, ""

    def again(self) -> None:
        """Somebody did."""
        self._again.set()

    async def rest(self, seconds: float) -> None:
        """Return once nobody has for so long."""
        with suppress(TimeoutError):
            while True:
                self._again.clear()
                async with asyncio.timeout(seconds):
                    await self._again.wait()
        self.idle = True


class Ends:
    """When the grant of a picture ends, each time that it is extended or cut short."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    def moved(self, until: int, how: str) -> None:
        """It ends at another time."""
        self._told.put_nowait((until, how))

    async def tell(self, socket: WebSocket) -> None:
        """Tell the tile, for its own clock."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                until, how = await self._told.get()
                told = {"until": until, "now": clock.now(), "how": how}
                await socket.send_text(orjson.dumps(told).decode())


def _by(held: Ticket, who: str) -> str:
    """Tell the tile by whose leave who looks, for its watermark and its own clock."""
    told = {"grant": held.number, "who": who, "until": held.until_at, "now": clock.now(), "how": "time"}
    return orjson.dumps(told).decode()


async def _forward(socket: WebSocket, watching: Opened, touched: Touched) -> None:
    """Pass on what comes of the relay, as fast as the browser takes it; why it stops, the journal knows better."""
    with suppress(WebSocketDisconnect, RuntimeError):
        async for message in watching.messages():
            if message[0] == WORD and (told := orjson.loads(message[1:])).get("state") == "ended":
                touched.over = told.get("code", "")
                return
            if message[0] == WORD:
                await socket.send_text(bytes(message[1:]).decode())
            else:
                await socket.send_bytes(bytes(message))


async def _listen(socket: WebSocket, touched: Touched) -> None:
    """Answer the tile's questions for the time, by which it knows how old its picture is; hear that it is minded."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            text = await socket.receive_text()
            if text == TOUCHED:
                touched.again()
            elif len(text) <= ASKED_MOST:
                asked = text if text.replace(".", "", 1).isdigit() else "0"
                await socket.send_text(f'{{"pong":{asked},"now":{clock.now()}}}')
