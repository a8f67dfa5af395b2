"""Media engines beside us: asked before they play, in their own words, and their sessions ended when a grant is."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from config import clock
from config.calendar import Workdays
from config.settings import Settings
from dashboard.relaying import LISTED
from operations import journal, looked, looks
from operations.calendar import Calendar
from operations.database import Database
from operations.grants.grants import Grants
from operations.policy import Identity
from operations.scope import Scope
from operations.tables import camera_limit
from streams.video import engines
from streams.video.engines import EngineWrong
from tests import leave
from tests.dashboard.conftest import TOWNS, Proof
from tests.operations.desk import COMMANDER

if TYPE_CHECKING:
    from dashboard.server import Server

AUDITOR = Identity("account", "a1", "auditor", "audit_admin")
KEY = "k" * 20
RECORDED = json.loads((Path(__file__).parent / "engines.json").read_text("utf-8"))
"""What both engines send, as their documentation has it: MediaMTX 1.9, ZLMediaKit of 2024-11."""


class FakeEngine:
    """The control APIs of both, on the wire: lists who plays, and ends them."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self.ended: list[str] = []
        self.deaf = 0

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := (await reader.readline()).decode():
                while (await reader.readline()).strip():
                    pass
                status, told = self._answer(*line.split()[:2])
                body = json.dumps(told).encode()
                kind = "content-type: application/json"
                writer.write(f"HTTP/1.1 {status} X\r\n{kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    def _answer(self, method: str, target: str) -> tuple[int, Any]:
        parts, given = urlsplit(target), parse_qs(urlsplit(target).query)
        if self.deaf:
            self.deaf -= 1
            return 500, {}
        if parts.path == "/v3/rtspsessions/list":
            return 200, {"items": [{"id": id, "path": "c-1", "query": query} for id, query in self.sessions.items()]}
        if parts.path.startswith("/v3/rtspsessions/kick/") and method == "POST":
            return self._end(parts.path.rpartition("/")[2])
        if parts.path == "/index/api/getAllSession" and given["secret"] == ["zlm-secret"]:
            return 200, {"code": 0, "data": [{"id": id, "peer_ip": "10.0.0.9"} for id in self.sessions]}
        if parts.path == "/index/api/kick_session" and given["secret"] == ["zlm-secret"]:
            return self._end(given["id"][0])
        return 404, {}

    def _end(self, id: str) -> tuple[int, Any]:
        self.sessions.pop(id, None)
        self.ended.append(id)
        return 200, {"code": 0}


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[FakeEngine]:
    """Both kinds, of one machine, and a camera."""
    made = FakeEngine()
    control = f"http://127.0.0.1:{await made.start()}"
    (settings.data / "keys").mkdir(exist_ok=True)
    (settings.data / engines.FILE).write_text(
        f'[mtx]\nkind = "mediamtx"\nplay = "rtsp://media:8554/{{camera}}"\ncontrol = "{control}"\nkey = "{KEY}"\n'
        f'[zlm]\nkind = "zlmediakit"\nplay = "rtsp://media/live/{{camera}}"\ncontrol = "{control}"\n'
        f'key = "{KEY}"\nsecret = "zlm-secret"\n',
        "utf-8",
    )
    (settings.data / LISTED).write_text(
        f'["c-1"]\nmain = "rtsp://127.0.0.1:1/x"\ngrids = ["990101", "{TOWNS[0]}"]\n', "utf-8"
    )
    yield made
    await made.stop()


@pytest.fixture
async def client(engine: FakeEngine, server: "Server", furnished: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that knows both engines."""
    leave.everywhere(furnished, ("",))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://testserver") as made:
        yield made


async def handed(client: httpx.AsyncClient, proof: Proof, name: str) -> str:
    """A ticket, as it stands in the address that somebody is handed."""
    asked = {"camera": "c-1", "why": "patrol", "engine": name}
    answer = await client.post("/video/tickets", headers=proof("operator"), json=asked)
    assert answer.status_code == 200, answer.text
    client.cookies.clear()  # the engine has none of them
    told = answer.json()
    assert told["url"].startswith("rtsp://media") and told["url"].endswith(f"c-1?ticket={told['ticket']}")
    return str(told["ticket"])


def revoke(database: Database) -> None:
    grants = Grants(database, Calendar(Workdays.load(), UTC), zone=UTC)
    (one,) = grants.living(COMMANDER)
    grants.revoke(COMMANDER, one.id, "it is over")


def filled(name: str, ticket: str, **more: str) -> dict[str, Any]:
    """A recorded request with a ticket in it."""
    return json.loads(json.dumps(RECORDED[name]).replace("TICKET", ticket)) | more  # type: ignore[no-any-return]


async def until(done: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = clock.monotonic() + seconds
    while not done():
        assert clock.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_mediamtx_plays_by_a_ticket_once_and_twice_asked_is_one_look(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, engine: FakeEngine
) -> None:
    ticket = await handed(client, proof, "mtx")
    ask = f"/engines/mtx?key={KEY}"
    read = filled("mediamtx_read", ticket)
    assert (await client.post(ask, json=read)).status_code == 204, "to describe"
    assert (await client.post(ask, json=read)).status_code == 204, "and to set up"
    (look,) = looked.living(furnished, AUDITOR)
    assert (look.camera, look.stream, look.why, look.grant != "") == ("c-1", f"mtx {read['id']}", "patrol", True)
    engine.sessions[read["id"]] = f"ticket={ticket}"
    other = filled("mediamtx_read", ticket, id="another", ip="10.0.0.66")
    assert (await client.post(ask, json=other)).status_code == 401, "a copied address"
    assert len(looked.living(furnished, AUDITOR)) == 1

    revoke(furnished)
    ended = clock.monotonic()
    engine.deaf = 2
    await until(lambda: engine.ended == [read["id"]])
    assert clock.monotonic() - ended < 2.0
    await until(lambda: looked.living(furnished, AUDITOR) == [])
    assert (await client.post(ask, json=read)).status_code == 401, "a replayed ticket"


async def test_a_session_whose_look_is_over_or_that_nobody_let_play_is_ended(
    client: httpx.AsyncClient, server: "Server", proof: Proof, furnished: Database, engine: FakeEngine
) -> None:
    ticket = await handed(client, proof, "mtx")
    read = filled("mediamtx_read", ticket)
    assert (await client.post(f"/engines/mtx?key={KEY}", json=read)).status_code == 204
    engine.sessions = {read["id"]: f"ticket={ticket}", "stranger": "ticket=forged", "publisher": ""}
    (look,) = looked.living(furnished, AUDITOR)
    server.parts.enginebook.forget()  # as when the process was killed
    looks.end(furnished, [look.id], "uncertain", now=clock.now())
    await server.parts.enginebook.compare("mtx")
    assert sorted(engine.ended) == sorted(["stranger", read["id"]])
    denied = [one for one in journal.read(furnished, 0) if one.action == "look.denied"]
    assert (await client.post(f"/engines/mtx?key={KEY}", json=read)).status_code == 401
    replayed = [one for one in journal.read(furnished, 0) if one.action == "look.denied"]
    assert len(replayed) == len(denied) + 1, "a replayed ticket is in the ledger"


async def test_zlmediakit_plays_by_a_ticket_and_its_report_ends_the_look(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, engine: FakeEngine
) -> None:
    play = filled("zlmediakit_on_play", await handed(client, proof, "zlm"))
    answer = await client.post(f"/engines/zlm/on_play?key={KEY}", json=play)
    assert answer.json() == {"code": 0, "msg": "success"}
    assert len(looked.living(furnished, AUDITOR)) == 1
    flow = RECORDED["zlmediakit_on_flow_report"]
    assert (await client.post(f"/engines/zlm/on_flow_report?key={KEY}", json=flow)).json()["code"] == 0
    assert looked.living(furnished, AUDITOR) == []
    assert [one.action for one in journal.read(furnished, 0)][-2:] == ["look.began", "look.ended"]


@pytest.mark.parametrize(
    ("where", "recorded", "name"),
    [("/engines/mtx", "mediamtx_read", "path"), ("/engines/zlm/on_play", "zlmediakit_on_play", "stream")],
)
async def test_a_session_that_plays_one_camera_gets_no_other_by_the_same_ticket(
    client: httpx.AsyncClient, proof: Proof, where: str, recorded: str, name: str
) -> None:
    ask, play = f"{where}?key={KEY}", filled(recorded, await handed(client, proof, where.split("/")[2]))

    async def plays(body: dict[str, Any]) -> bool:
        answer = await client.post(ask, json=body)
        return answer.status_code == 204 or (answer.status_code == 200 and answer.json()["code"] == 0)

    assert await plays(play)
    assert not await plays(play | {name: "c-2"}), "another camera"
    assert await plays(play), "the same again"


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ("/engines/mtx", {"mediamtx_read": {"action": "publish"}}),
        ("/engines/mtx", {"mediamtx_read": {"action": "api"}}),
        ("/engines/mtx", {"mediamtx_read": {"protocol": "hls"}}),
        ("/engines/mtx", {"mediamtx_read": {"path": "c-2"}}),
        ("/engines/mtx", {"mediamtx_read": {"query": ""}}),
        ("/engines/mtx", {"mediamtx_read": {"query": "ticket=TICKET&ticket=TICKET"}}),
        ("/engines/mtx", {"mediamtx_read": {"query": "ticket=TICKETx"}}),
        ("/engines/mtx", {"mediamtx_read": {"id": 7}}),
        ("/engines/zlm/on_play", {"zlmediakit_on_play": {"stream": "c-2"}}),
        ("/engines/zlm/on_publish", {"zlmediakit_on_play": {}}),
    ],
)
async def test_what_is_not_that_play_is_refused_and_looks_at_nothing(
    client: httpx.AsyncClient, proof: Proof, furnished: Database, where: str, body: dict[str, dict[str, Any]]
) -> None:
    ((recorded, more),) = body.items()
    ticket = await handed(client, proof, where.split("/")[2])
    changed = {
        name: value.replace("TICKET", ticket) if isinstance(value, str) else value for name, value in more.items()
    }
    answer = await client.post(f"{where}?key={KEY}", json=filled(recorded, ticket, **changed))
    assert answer.status_code == 401 or answer.json()["code"] == -1
    assert looked.living(furnished, AUDITOR) == []


async def test_only_an_engine_with_its_key_is_answered_and_bad_bytes_are_no_error(
    client: httpx.AsyncClient, proof: Proof
) -> None:
    read = filled("mediamtx_read", await handed(client, proof, "mtx"))
    for where in ("/engines/mtx", "/engines/mtx?key=", f"/engines/none?key={KEY}", "/engines/mtx?key=%ff",
                  f"/engines/zlm?key={KEY}", f"/engines/mtx/on_play?key={KEY}"):  # fmt: skip
        assert (await client.post(where, json=read)).status_code == 403, where
    for data in (b"", b"\xff\xfe", b"[]", b"7", b"{" * 100, b'{"action":"read"}', b" " * 100_000):
        assert (await client.post(f"/engines/mtx?key={KEY}", content=data)).status_code == 401, data[:10]


async def test_a_ticket_of_whoever_may_look_no_more_plays_nothing(
    client: httpx.AsyncClient, proof: Proof, furnished: Database
) -> None:
    ticket = await handed(client, proof, "mtx")
    revoke(furnished)
    answer = await client.post(f"/engines/mtx?key={KEY}", json=filled("mediamtx_read", ticket))
    assert answer.status_code == 401
    asked = {"camera": "c-1", "why": "patrol", "engine": "none"}
    assert (await client.post("/video/tickets", headers=proof("operator", Scope()), json=asked)).status_code == 422


async def test_a_camera_with_a_view_limit_is_not_played_by_an_engine(
    client: httpx.AsyncClient, server: "Server", proof: Proof, furnished: Database
) -> None:
    ticket = await handed(client, proof, "mtx")
    with furnished.write() as transaction:
        masks = {
            "camera": "c-1",
            "kind": "masked",
            "revision": 1,
            "body": b'{"why":"","consent":"","by":"","masks":[]}',
        }
        transaction.connection.execute(camera_limit.insert().values(masks))
    answer = await client.post(f"/engines/mtx?key={KEY}", json=filled("mediamtx_read", ticket))
    assert answer.status_code == 401 and looked.living(furnished, AUDITOR) == []


@pytest.mark.parametrize(
    "line",
    ["[x]\nkind = 1", "[x]", "no toml", f'[x]\nkind="srs"\nplay="a/{{camera}}"\ncontrol="http://a"\nkey="{KEY}"',
     '[x]\nkind="mediamtx"\nplay="a/{camera}"\ncontrol="http://a"\nkey="short"',
     f'[x]\nkind="mediamtx"\nplay="a"\ncontrol="http://a"\nkey="{KEY}"'],
)  # fmt: skip
def test_a_wrong_line_is_told_with_its_name(tmp_path: Path, line: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / engines.FILE).write_text(line, "utf-8")
    with pytest.raises(EngineWrong):
        engines.listed(tmp_path)
