"""A camera with view limits on a real socket: masked pictures, never its film, or nothing; a limit counts at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import cv2
import httpx
import numpy as np
import orjson
import pytest
import websockets
from msgspec import structs
from websockets.exceptions import ConnectionClosed

from config import clock
from config.city import City
from config.settings import Settings
from dashboard import masking
from dashboard.masking import Masked
from dashboard.relaying import Cameras
from operations import journal
from operations.cameras import keeping, limits, reading
from operations.cameras.item import Item
from operations.cameras.limits import FORBIDDEN, MASKED, RESTRICTED, Limit, Wish
from operations.database import Database
from operations.looks import Ticket
from operations.policy import Identity
from operations.scope import Scope
from streams.demo import pattern, scenes
from streams.demo.rtsp_server import Camera, RtspServer
from streams.video import masked, relay
from streams.video.covering import COVER
from streams.video.errors import NoPicture, RelayAway
from streams.video.masked import NotMasked
from streams.video.wire import HEAD, JPEG, WORD
from tests.dashboard.conftest import TOWNS, Proof

if TYPE_CHECKING:
    from dashboard.server import Server

NUMBER = 815
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
"""Where the mark of the drawn camera stands."""
HIDDEN = Wish(kind=MASKED, why="居民楼窗户", masks=(LEFT,))
ADMIN = Identity("account", "a", "admin", "system_admin")
POLICE = Scope("", "police")


@pytest.fixture
async def camera(settings: Settings, furnished: Database) -> AsyncIterator[str]:
    """The id of a drawn camera of the catalogue that the relay pulls."""
    one, over = Camera(scenes.Scene(NUMBER, "测试")), asyncio.Event()
    async with RtspServer({"live": one}) as server:
        item = Item(code="c1", name="东门", owner="police", chain=("990101", TOWNS[0]), url_main=server.url("live"))
        with furnished.write() as transaction:
            keeping.take(transaction, "s1", [item], complete=True, now=clock.now())
            found = reading.of_code(transaction.connection, "s1", "c1")
        assert found is not None
        find = Cameras(settings.data, furnished).source
        task = asyncio.create_task(relay.serve(relay.place(settings.data), find, None, over))
        yield found.id
        over.set()
        await task


@pytest.fixture
async def address(server: "Server", settings: Settings) -> AsyncIterator[str]:
    """The application on a real port."""
    import uvicorn

    config = uvicorn.Config(
        server, port=settings.port, log_level="warning", ws_per_message_deflate=False, lifespan="off"
    )
    made = uvicorn.Server(config)
    task = asyncio.create_task(made.serve())
    while not made.started:  # noqa: ASYNC110 uvicorn has no event for it
        await asyncio.sleep(0.02)
    yield f"127.0.0.1:{settings.port}"
    made.should_exit = True
    await task


def limited(database: Database, camera: str, wish: Wish, revision: int = 0) -> Limit:
    return limits.put(database, ADMIN, camera, wish, revision=revision, now=clock.now())


class Look:
    """One socket and all that came over it."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.kinds, self.words, self.code = socket, list[int](), list[dict[str, Any]](), 0

    async def pictures(self, count: int) -> list[tuple[int, int, bytes]]:
        """The next pictures: kind, when its frame came, and what it is."""
        found: list[tuple[int, int, bytes]] = []
        with suppress(ConnectionClosed):
            async with asyncio.timeout(30):
                while len(found) < count:
                    message = await self.socket.recv()
                    if isinstance(message, str):
                        self.words.append(orjson.loads(message))
                        continue
                    self.kinds.append(message[0])
                    found.append((message[0], HEAD.unpack_from(message)[3], message[HEAD.size :]))
        self.code = self.socket.close_code or 0
        return found

    async def ended(self) -> list[int]:
        """The kinds of what came until it was closed."""
        before = len(self.kinds)
        await self.pictures(10_000)
        return self.kinds[before:]


async def looked(address: str, headers: dict[str, str], camera: str) -> Look:
    proven = {**headers, "origin": f"http://{address}"}
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        answer = await client.post("/video/tickets", headers=proven, json={"camera": camera, "why": "patrol"})
    assert answer.status_code == 200, answer.text
    url = f"ws://{address}/video/{camera}?ticket={answer.json()['ticket']}"
    given = {"cookie": headers["cookie"]}
    return Look(await websockets.connect(url, additional_headers=given, origin=proven["origin"], max_size=None))


def solid(jpeg: bytes) -> bool:
    """Whether the left half of a picture is one colour and the right half is not."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and pattern.read(image) is None, "the mark of the camera stands under the mask"
    width = image.shape[1]
    return bool(
        np.abs(image[:, : width // 2 - 16].astype(int) - COVER).max() <= 3 and image[:, width // 2 :].std() > 10
    )


async def test_nothing_but_masked_pictures_leaves_the_server_for_a_masked_camera(
    address: str, proof: Proof, furnished: Database, camera: str
) -> None:
    limited(furnished, camera, HIDDEN)
    look = await looked(address, proof("operator", POLICE), camera)
    begun = clock.monotonic()
    found = await look.pictures(3)
    assert clock.monotonic() - begun >= 2 * masking.EVERY, "one a second at most"
    assert set(look.kinds) == {JPEG} and all(solid(jpeg) for _, _, jpeg in found)
    assert b"moof" not in b"".join(jpeg for _, _, jpeg in found)
    times = [at for _, at, _ in found]
    assert times == sorted(set(times)) and abs(clock.now() - times[-1]) < 10_000_000
    (entry,) = [one for one in journal.read(furnished, 0) if one.action == "look.began"]
    assert entry.body is not None and entry.body["camera"] == camera
    await look.socket.close()


async def test_a_limit_that_is_registered_or_changed_ends_what_plays_within_a_second(
    address: str, proof: Proof, furnished: Database, camera: str
) -> None:
    headers = proof("operator", POLICE)
    film = await looked(address, headers, camera)
    assert JPEG not in {kind for kind, _, _ in await film.pictures(5)}
    limited(furnished, camera, HIDDEN)
    at = clock.monotonic()
    await film.ended()
    assert clock.monotonic() - at < 1.0 and film.code == 1013, "the tile opens anew"
    assert film.words[-1]["code"] == "limited", "after it went dark"

    look = await looked(address, headers, camera)
    assert [kind for kind, _, _ in await look.pictures(1)] == [JPEG]
    limited(furnished, camera, Wish(kind=FORBIDDEN, why="旅馆客房"), 1)
    at = clock.monotonic()
    await look.ended()
    assert clock.monotonic() - at < 1.0 and look.words[-1]["code"] == "limited"


@pytest.mark.parametrize("kind", [FORBIDDEN, RESTRICTED])
async def test_a_camera_that_nobody_may_look_through_gives_nothing_whoever_asks(
    server: "Server", furnished: Database, camera: str, kind: str
) -> None:
    limited(furnished, camera, Wish(kind=kind, why="涉密单位"))
    with pytest.raises(masking.Barred):
        await server._masking.limit(camera)


async def test_live_is_refused_when_no_picture_can_be_masked(
    address: str, proof: Proof, furnished: Database, camera: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(furnished, camera, HIDDEN)
    monkeypatch.setattr(masked.sys, "executable", "/nonexistent/python")
    look = await looked(address, proof("operator", POLICE), camera)
    assert await look.ended() == [] and look.code == 4404
    assert {"state": "lost", "code": "unmasked"} in look.words
    assert not any(one.action == "look.began" for one in journal.read(furnished, 0)), "nobody has looked"


async def test_a_snapshot_of_a_masked_camera_is_masked_and_one_that_is_barred_is_refused(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, camera: str
) -> None:
    limited(furnished, camera, HIDDEN)
    headers, asked = proof("operator", POLICE), {"camera": camera, "why": "patrol"}
    answer = await client.post("/video/snapshots", headers=headers, json=asked)
    assert answer.status_code == 200, answer.text
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    picture = image[: scenes.MAIN[1]]
    assert pattern.read(picture) is None
    hidden = picture[:, : scenes.MAIN[0] // 2 - 16].astype(int)
    assert np.median(hidden) == COVER[0] and hidden.max() - hidden.min() < 60, "the mask, and the faint mark over it"
    limited(furnished, camera, Wish(kind=FORBIDDEN, why="旅馆客房"), 1)
    answer = await client.post("/video/snapshots", headers=headers, json=asked)
    assert answer.status_code == 422


# ---- without a server ------------------------------------------------------------------------------------------------

LIMIT = Limit(**structs.asdict(HIDDEN), camera="c1", revision=1, changed_at=1, changed_by="account:a")


async def told(frames: list[Any], masks: list[Any], monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Any]]:
    """What a look says of key frames and masked pictures that come so; an exception is raised, the last one stays."""
    monkeypatch.setattr(masking, "EVERY", 0.0)
    left: list[Any] = []

    async def key() -> tuple[bytes, int]:
        found = frames.pop(0)
        if not frames:
            look.close()
        if isinstance(found, Exception):
            raise found
        return b"film", found

    async def mask(film: bytes, at: int, limit: Limit) -> bytes:
        assert (film, limit) == (b"film", LIMIT)
        made = masks.pop(0)
        if isinstance(made, Exception):
            raise made
        return bytes(made)

    look = Masked(LIMIT, key, mask, left.append)
    said: list[tuple[int, Any]] = []
    async for message in look.messages():
        kind = message[0]
        said.append((kind, orjson.loads(message[1:])["code"] if kind == WORD else bytes(message[HEAD.size :])))
    return said


async def test_the_same_key_frame_is_no_new_picture_and_what_cannot_be_had_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = [1, 1, NoPicture("none"), RelayAway("away"), 2, 3, 4]
    found = await told(frames, [b"one", NotMasked("broken"), b"three", b"never"], monkeypatch)
    assert found == [
        (JPEG, b"one"), (WORD, "no_picture"), (WORD, "relay_away"), (WORD, "unmasked"), (JPEG, b"three"),
        (WORD, "limited"),
    ]  # fmt: skip


async def test_a_look_ends_that_cannot_be_masked_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await told(list(range(1, 50)), [NotMasked("broken")] * 50, monkeypatch)
    assert found == [(WORD, "unmasked")] * masking.FAILED_MOST


async def test_a_film_ends_when_nobody_compares_limits_any_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in that: nothing plays on of which nobody knows whether it may."""

    class Endless:
        closed = False

        def close(self) -> None:
            self.closed = True

    class Relay:
        async def watch(self, *_: object) -> Endless:
            return film

    film = Endless()
    given: Any = Relay()
    made = masking.Masking(database, given, City())
    ticket: Any = Ticket("l1", "c1", "account:o", "patrol", "", 0)
    await made.watch("c1", "main", ticket, ADMIN, "zh")
    monkeypatch.setattr(made, "_limits", lambda _: 1 / 0)
    assert made._task is not None
    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(10):
            await made._task
    assert film.closed
    await made.stop()
