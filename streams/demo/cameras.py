"""The demonstration's cameras 演示摄像机: 2,000 all over the city, some with moving pictures.

Codes follow GB/T 28181-2022 appendix E (county, industry, type 132, network, serial); nobody's real camera has one of
them, as the county's code is none.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from urllib.parse import urlsplit

from operations.cameras import keeping
from operations.cameras.item import Item
from operations.database import AfterCommit, Database
from streams.demo.city import City
from streams.demo.places import Places, Spot
from streams.demo.rtsp_server import Camera
from streams.demo.scenes import MAIN, SUB, Scene

SOURCE = "demo_cameras"
CAMERAS, FILMED = 2_000, 96
AT_A_CROSSING = 4
"""The filmed ones stand four at a crossing, one for each way."""
DRAWN_MOST = 128
"""Films kept, if nobody looks at them."""
GROUP = "03"
"""Where cameras stand follows where reports of public order come from."""
OWNERS = ("police", "police", "police", "transport", "city_management", "street")
VENDORS = ("示例厂商甲", "示例厂商乙", "示例厂商丙")
SIDES = (("东侧", 90.0), ("西侧", 270.0), ("南侧", 180.0), ("北侧", 0.0))
INDUSTRY = {"police": "00", "transport": "04", "city_management": "08", "street": "01"}
OFF, UNTOLD, UNPLACED = 0.03, 0.01, 0.01
"""Shares that are off, whose state was never told, and whose place is unknown."""


def drawn(city: City, host: str, port: int) -> list[Item]:
    """Return the cameras, always the same ones; of the first those that are on send pictures from `host`:`port`."""
    chance = random.Random(f"cameras {city.seed}")
    places = Places(city)
    parents = {area.code: area.parent for area in city.areas}
    address = f"rtsp://{host}:{port}"
    found: list[Item] = []
    for number in range(1, CAMERAS + 1):
        if number > FILMED or number % AT_A_CROSSING == 1:
            spot = places.draw(chance, GROUP)
            at, way = spot.point(chance), chance.randrange(len(SIDES))
        found.append(
            _item(number, chance, spot, at, SIDES[(way + number) % len(SIDES)], _chain(spot, parents), address)
        )
    return found


def furnish(database: Database, cameras: Sequence[Item], now: int, ring: AfterCommit | None = None) -> None:
    """Put the cameras into the catalogue; those that are there already stay as they are."""
    with database.write(ring) as transaction:
        keeping.take(transaction, SOURCE, cameras, complete=True, now=now)


class Films(Mapping[str, Camera]):
    """What the cameras show, by the path of their addresses: a large and a small picture each, drawn when asked for."""

    def __init__(self, cameras: Sequence[Item], zone: tzinfo) -> None:
        self._names = {path: item.name for item in cameras for path in paths(item)}
        self._numbers = {path: number for number, item in enumerate(cameras, 1) for path in paths(item)}
        self._zone = zone
        self._drawn: dict[str, Camera] = {}

    def __getitem__(self, path: str) -> Camera:
        """Return a camera; of those drawn before, the ones nobody looks at make room."""
        if path not in self._drawn:
            scene = Scene(
                self._numbers[path], self._names[path], size=MAIN if path.endswith("main") else SUB, zone=self._zone
            )
            if len(self._drawn) >= DRAWN_MOST:
                self._drawn = {kept: camera for kept, camera in self._drawn.items() if camera.viewers}
            self._drawn[path] = Camera(scene, self._names[path])
        return self._drawn[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def paths(item: Item) -> list[str]:
    """Return the paths of a camera's streams."""
    return [urlsplit(url).path.lstrip("/") for url in (item.url_main, item.url_sub) if url]


def _item(
    number: int,
    chance: random.Random,
    spot: Spot,
    at: tuple[float, float],
    way: tuple[str, float],
    chain: tuple[str, ...],
    address: str,
) -> Item:
    owner = chance.choice(OWNERS)
    (side, direction), (lon, lat) = way, at
    placed = chance.random() >= UNPLACED
    state = chance.random()
    on = state >= OFF + UNTOLD
    filmed = on and number <= FILMED
    return Item(
        code=f"{spot.leaf.code[:6]}00{INDUSTRY[owner]}1320{number:06d}",
        name=f"{spot.road}{spot.cross}{side}{number:04d}",
        owner=owner,
        point_class=chance.choices((1, 2, 3), (5, 3, 2))[0],
        position="002" if owner == "transport" else "026",
        direction=direction,
        field_angle=float(chance.choice((60, 75, 90, 110))),
        view_distance=float(chance.choice((40, 60, 80, 120))),
        legal_basis="公共安全视频图像信息系统管理条例",
        filing_number=f"演示备〔2026〕{number:04d}号",
        retention_days=chance.choice((30, 30, 90)),
        sign=chance.random() < 0.97,
        lon=lon if placed else None,
        lat=lat if placed else None,
        raw_lon=lon if placed else 0.0,
        raw_lat=lat if placed else 0.0,
        chain=chain,
        civil_code=spot.leaf.code[:6],
        vendor=chance.choice(VENDORS),
        model="演示型",
        function_type="99",
        url_main=f"{address}/{number}/main" if filmed else "",
        url_sub=f"{address}/{number}/sub" if filmed else "",
        status="on" if on else "off" if state < OFF else "unknown",
    )


def _chain(spot: Spot, parents: dict[str, str]) -> tuple[str, ...]:
    chain = [spot.leaf.code]
    while parents[chain[0]]:
        chain.insert(0, parents[chain[0]])
    return tuple(chain)
