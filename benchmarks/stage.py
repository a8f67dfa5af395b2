"""A wall on a hand-made board: the real page, panels and browser code, without engine, database or sign-in.

For looking at the wall, for its browser tests, and for the bench `map`. Run by itself it serves one:
`python -m benchmarks.stage --port 8099 --grids 6000`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import threading
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
import uvicorn
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.staticfiles import StaticFiles
from msgspec import structs
from shapely.geometry import MultiPolygon, Polygon

from config import clock
from config.city import City
from config.settings import ROOT
from config.words import Words
from dashboard.channel import Channel, Topic
from dashboard.frame import Delta, encode
from dashboard.lens import Lens
from dashboard.pages import Pages
from dashboard.panels import PAGES
from dashboard.picture import Picture, Touched
from geo.cutouts import Cutouts
from geo.grid import GENERAL, MICRO, Grid, chains
from geo.shapes import Shapes
from operations.board import Board, SourceState, apply
from operations.entry import Entry
from operations.scope import WHOLE
from operations.warning import Said, WarningState
from streams.demo import city as demo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
CITY = City("云岭市", ZoneInfo("Asia/Shanghai"), demo=True)
LEVELS = {"county": 1, "town": 2, "village": 3, "grid": 4}
TITLES = {
    "critical": [("化工园区气体泄漏", "emergency"), ("居民楼起火冒烟", "fire")],
    "urgent": [
        ("沿河路段积水漫溢", "water"), ("小区电梯困人", "housing"), ("物业纠纷聚集", "street"),
        ("多车追尾占道", "police"), ("燃气管道施工挖断，周边三个小区停气", "housing"),
    ],
    "routine": [
        ("路灯不亮", "city_management"), ("井盖缺失", "city_management"), ("施工噪声扰民", "environment"),
        ("占道经营", "city_management"), ("垃圾清运不及时", "city_management"), ("邻里纠纷", "street"),
        ("欠薪投诉", "labour"), ("餐饮油烟", "environment"), ("共享单车堆放", "city_management"),
        ("噪声扰民", "police"),
    ],
}  # fmt: skip


@dataclass
class Staged:
    """What stands on the stage: the board, the grids it lies on, and the frames screens get."""

    board: Board
    grids: tuple[Grid, ...]
    shapes: Shapes
    cutouts: Cutouts
    channels: dict[tuple[str, Lens], tuple[Channel, Picture]] = field(default_factory=dict)
    epoch: str = "1.stage"


def grids(count: int, *, micro: bool = False) -> tuple[Grid, ...]:
    """Return the demonstration city's areas of every level, with `count` leaves; `micro` makes these micro-grids."""
    return tuple(
        Grid(area.code, area.name, kind(area, micro), LEVELS[area.level], area.parent, polygon(area), area.population)
        for area in demo.build(grids=count).areas
    )


def kind(area: demo.Area, micro: bool) -> str:
    """Return the kind of an area."""
    return MICRO if micro and area.level == "grid" else GENERAL


def polygon(area: demo.Area) -> Polygon | MultiPolygon:
    """Return the area's polygon under its narrower type."""
    assert isinstance(area.polygon, Polygon | MultiPolygon)
    return area.polygon


class Author:
    """Writes a plausible day of a city onto a board by folding entries."""

    def __init__(self, found: tuple[Grid, ...], now: int, seed: int = 7) -> None:
        self.board = Board()
        self.now = now
        self.random = random.Random(seed)
        self.chains = chains(found)
        self.leaves = leaves(found)
        self.weights = [(grid.population or 20) + 1 for grid in self.leaves]
        self.number = 0

    def entry(self, at: int, action: str, subject: tuple[str, str], body: Mapping[str, Any]) -> None:
        """Fold one entry."""
        self.board.at = max(self.board.at, at)
        apply(
            self.board,
            Entry(
                seq=self.board.seq + 1, at=at, actor="stage", action=action, subject_type=subject[0],
                subject_id=subject[1], revision=1, scope_grid="", scope_grid_before="", scope_department="",
                scope_department_before="", reason="", schema=1, body_digest="", prev_hash="", hash="", body=dict(body),
            ),
        )  # fmt: skip

    def open(self, at: int, urgency: str, *, placed: bool = True, title: str = "", leaf: Grid | None = None) -> str:
        """Open an incident at `at`; returns its id."""
        self.number += 1
        told, department = self.random.choice(TITLES[urgency])
        leaf = leaf or self.random.choices(self.leaves, self.weights)[0]
        point = leaf.polygon.representative_point()
        key = f"i{self.number:06d}"
        values = {
            "id": key, "number": f"1122-{self.number:04d}", "county": "990101", "revision": 1, "type": "0301",
            "title": title or told, "department": department, "source": "hotline", "report_id": key,
            "occurred_at": at, "received_at": at, "opened_at": at, "updated_at": at, "urgency": urgency,
            "lon": point.x if placed else None, "lat": point.y if placed else None,
            "grid": leaf.code if placed else "", "chain": self.chains[leaf.code] if placed else (),
            "nearest": "" if placed else leaf.code, "distance_m": 0 if placed else 340.0,
        }  # fmt: skip
        self.entry(at, "incident.opened", ("incident", key), {"set": values})
        return key

    def change(self, key: str, at: int, action: str, **values: Any) -> None:
        """Change an incident."""
        self.entry(at, f"incident.{action}", ("incident", key), {"set": {"updated_at": at} | values})

    def week(self, each_hour: int) -> None:
        """Fill eight days: the rhythm of a day, everything but the last hours closed again."""
        rhythm = [2, 1, 1, 1, 2, 4, 7, 10, 12, 11, 10, 9, 8, 9, 10, 10, 11, 11, 9, 8, 7, 5, 4, 3]
        for back in range(8 * 24, 0, -1):
            hour = (self.now // HOUR - back + 8) % 24
            count = int(each_hour * rhythm[hour] / 7 * self.random.uniform(0.8, 1.25) * (1.25 if back < 6 else 1))
            for _ in range(count):
                at = self.now - back * HOUR + self.random.randrange(HOUR)
                key = self.open(at, "routine" if self.random.random() < 0.85 else "urgent")
                self.change(key, at + 41 * SECOND, "acknowledged", acknowledged_at=at + 41 * SECOND)
                if back > 3 or self.random.random() < 0.8:
                    done = min(at + 2 * HOUR, self.now)
                    self.change(key, done, "closed", step="closed", closed_at=done)


def leaves(found: tuple[Grid, ...]) -> list[Grid]:
    """Return the general grids of the deepest level."""
    general = [grid for grid in found if grid.kind == GENERAL]
    deepest = max((grid.level for grid in general), default=0)
    return [grid for grid in general if grid.level == deepest]


def day(found: tuple[Grid, ...], now: int, *, each_hour: int = 12) -> Board:
    """Return the board of an ordinary morning with one leak, some urgent matters, two unplaced and a silent source."""
    author = Author(found, now)
    author.week(each_hour)
    for back, urgency in ((40, "urgent"), (31, "routine"), (24, "urgent"), (18, "routine"), (11, "urgent")):
        author.open(now - back * MINUTE, urgency)
    for at, title in ((14, "河堤管涌险情"), (9, "无人机拍到江心洲人员被困")):
        author.open(now - at * MINUTE, "urgent", placed=False, title=title)
    leak = author.open(
        now - 6 * MINUTE,
        "critical",
        title="化工园区气体泄漏",
        leaf=author.random.choices(author.leaves, author.weights)[0],
    )
    author.change(leak, now - 4 * MINUTE, "escalated", escalated_at=now - 4 * MINUTE)
    for back, urgency in ((9, "routine"), (7, "urgent"), (3, "routine"), (1, "routine"), (0, "urgent")):
        author.open(now - back * MINUTE - 5 * SECOND, urgency)
    for key, name, age in (
        ("hotline", "12345 热线", 3), ("worker", "网格员上报", 1), ("bright", "雪亮工程平台", 12),
        ("weather", "气象预警", 390), ("traffic", "交通运行监测中心", 40),
    ):  # fmt: skip
        author.board.sources[key] = SourceState(name, "http", now - age * SECOND, 100, silent=age > 300)
    author.board.open_quarantine = 2
    return author.board


def flood(board: Board, found: tuple[Grid, ...], now: int, count: int = 400) -> None:
    """Put a storm on a board: many incidents at once, long titles, big figures, every source silent."""
    author = Author(found, now)
    author.board, author.number = board, 500_000
    for number in range(count):
        urgency = ("routine", "routine", "urgent", "critical")[number % 4]
        title = "因连续强降雨导致多条道路积水严重、地下车库倒灌、多名群众被困待救援" if number % 3 else ""
        author.open(now - number * SECOND, urgency, placed=number % 9 > 0, title=title)
    for key, state in board.sources.items():
        board.sources[key] = structs.replace(state, name=state.name + "（市级汇聚平台二期）", silent=True)
    board.open_quarantine = 12_345


WARNED = (
    ("red", "暴雨", "Rainstorm", "990101001", "Actual"),
    ("yellow", "大风", "Gale", "990101", "Actual"),
    ("blue", "高温", "Heat", "990101002", "Actual"),
    ("orange", "雷电", "Lightning", "990101003", "Exercise"),
)


def warn(board: Board, now: int) -> None:
    """Put four warnings in force, one of them an exercise."""
    for level, zh, en, code, status in WARNED:
        issuer = "Yunling weather service"
        said = (
            Said("zh", zh, f"云岭市气象台发布{zh}预警信号，请注意防范", "云岭市气象台", "云岭市大部"),
            Said("en", en, f"{issuer}: {en.lower()} expected, take care", issuer, "most of Yunling"),
        )
        above = () if code == "990101" else (code[:6],)
        board.warnings[en] = WarningState(
            id=en, source="weather", sender="qxt", identifier=en, sent=now - 6 * MINUTE, effective=now - 6 * MINUTE,
            expires=now + 6 * 60 * MINUTE, received_at=now - 6 * MINUTE, said=said, status=status, level=level,
            where="covered", codes=(code,), above=above, assumed_end=en == "Rainstorm",
        )  # fmt: skip


def answer(board: Board, key: str, now: int) -> None:
    """Acknowledge an incident."""
    author = Author((), now)
    author.board = board
    author.change(key, now, "acknowledged", acknowledged_at=now)


def empty(now: int) -> Board:
    """Return the board of a system nothing has reached yet."""
    return Board(at=now)


# ---- serving ----


def application(staged: Staged, city: City = CITY, extend: Callable[[FastAPI], None] | None = None) -> FastAPI:
    """Return the application: the wall's pages, assets, shapes and a live channel that beats."""
    pages = Pages({"wall": PAGES["wall"]}, city, None)
    app = FastAPI(openapi_url=None)
    app.mount("/assets", StaticFiles(directory=ROOT / "assets"))

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    @app.get("/api/v1/grids/backdrop")
    def backdrop() -> dict[str, Any]:
        return {"type": "FeatureCollection", "features": []}

    @app.get("/api/v1/grids/about")
    def about() -> dict[str, Any]:
        return {"over": {kind: {"zoom": one.zoom} for kind, one in staged.cutouts.kinds().items()}}

    @app.get("/api/v1/grids/shapes")
    def shapes(level: int = 0, detail: int = 1, kind: str = GENERAL, bbox: str = "") -> Response:
        level = level or staged.shapes.deepest
        if bbox:
            west, south, east, north = map(float, bbox.split(","))
            cut = staged.cutouts.cut(kind, level, (west, south, east, north))
            return Response(cut, media_type="application/geo+json")
        found = staged.shapes.get(level, detail)
        if found is None:
            return Response(status_code=404)
        return Response(found.gzipped, media_type="application/geo+json", headers={"content-encoding": "gzip"})

    @app.websocket("/live")
    async def live(socket: WebSocket, lang: str = "zh") -> None:
        await socket.accept()
        lens = Lens.asked(socket.query_params)
        hello = {"version": "stage", "epoch": staged.epoch, "now": clock.now()}
        await socket.send_text(orjson.dumps({"hello": hello}).decode())
        with suppress(WebSocketDisconnect, RuntimeError):
            sent = -1
            while True:
                channel = drawn(staged, lang, lens, city)
                await socket.send_text(channel.since(sent) if sent < channel.n else beat())
                sent = channel.n
                with suppress(TimeoutError):
                    await asyncio.wait_for(socket.receive_text(), 1.0)
                await asyncio.sleep(0.2)

    if extend is not None:
        extend(app)
    app.mount("/", pages)  # type: ignore[arg-type]  # its scope is a dict, Starlette's any mapping
    return app


def beat() -> str:
    """Return a heartbeat."""
    return orjson.dumps({"beat": clock.now()}).decode()


def drawn(staged: Staged, lang: str, lens: Lens, city: City) -> Channel:
    """Return the channel of a language and a lens after drawing what is due."""
    if (lang, lens) not in staged.channels:
        picture = Picture(PAGES["wall"], Words(lang, city), lens)
        staged.channels[lang, lens] = (Channel(Topic(WHOLE, "wall", lang, lens)), picture)
    channel, picture = staged.channels[lang, lens]
    touched = Touched(frozenset(staged.board.incidents), frozenset(), True)
    now = clock.now()
    as_of: Delta = {("gauges", "as_of", ""): encode(now // SECOND * SECOND)}
    channel.publish(picture.draw(staged.board, now, channel.state, touched) | as_of, now)
    return channel


@contextmanager
def serving(
    staged: Staged, port: int = 0, city: City = CITY, extend: Callable[[FastAPI], None] | None = None
) -> Iterator[str]:
    """Serve the stage in a thread and yield its address; `extend` may add pages of its own."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen(128)  # who comes before the server has started waits
        server = uvicorn.Server(
            uvicorn.Config(
                application(staged, city, extend),
                log_level="warning",
                ws="websockets-sansio",
                timeout_graceful_shutdown=1,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def staged(count: int = 6000, *, board: str = "day", micro: bool = False) -> Staged:
    """Return a stage over the demonstration city with `count` leaf grids; `board` is "day" or "empty"."""
    found = grids(count, micro=micro)
    now = clock.now()
    return Staged(day(found, now) if board == "day" else empty(now), found, Shapes.build(found), Cutouts(found))


def main() -> None:
    """Serve a stage until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--grids", type=int, default=6000)
    parser.add_argument("--board", default="day")
    parser.add_argument("--micro", action="store_true", help="the leaves are micro-grids over the villages")
    asked = parser.parse_args()
    with serving(staged(asked.grids, board=asked.board, micro=asked.micro), asked.port) as url:
        print(f"{url}/wall", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
