"""The base map's tiles: fetched once, bounded, the key told to nobody, and its server's troubles are nobody else's."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.base_map import BaseMap, is_template, plain
from dashboard import tiles
from dashboard.tiles import NoTile, Tiles, TilesAway
from tests.dashboard.tile_server import QUERY, Server, serving


@pytest.fixture
def source() -> Iterator[Server]:
    with serving("mercator") as made:
        yield made


def base(url: str, matrix: str = "mercator") -> BaseMap:
    return BaseMap(plain(url), matrix, "WGS84", "ours", "GS(2026)0001", 1, 18)


def made(source: Server, folder: Path, age: float = 0.0) -> Tiles:
    (folder / "keys").mkdir(exist_ok=True)
    (folder / "keys" / "base-map.key").write_text("s3cret\n")
    return Tiles(base(source.url + QUERY), folder, lambda _: age)


def kept(folder: Path) -> set[str]:
    """The columns of the tiles on disk."""
    return {path.parent.name for path in folder.rglob("*.tile")}


async def test_a_tile_is_fetched_once_and_kept(source: Server, tmp_path: Path) -> None:
    found = made(source, tmp_path)
    first = await asyncio.gather(*(found.get((3, 5, 2)) for _ in range(5)))
    assert {one.kind for one in first} == {"image/png"} and len(set(first)) == 1
    assert source.asked == ["/wmts?SERVICE=WMTS&TILEMATRIX=3&TILEROW=2&TILECOL=5&tk=s3cret"]
    assert await made(source, tmp_path).get((3, 5, 2)) == first[0]
    assert len(source.asked) == 1
    await found.close()


async def test_an_old_tile_is_fetched_again_and_shown_while_the_server_is_away(source: Server, tmp_path: Path) -> None:
    found = made(source, tmp_path, age=tiles.KEPT_SECONDS + 1)
    old = await found.get((3, 5, 2))
    await found.get((3, 5, 2))
    assert len(source.asked) == 2
    source.status = 500
    assert await found.get((3, 5, 2)) == old
    with pytest.raises(TilesAway):
        await found.get((3, 5, 3))
    assert len(source.asked) == 3, "a server that has failed is left alone"
    await found.close()


@pytest.mark.parametrize(
    ("status", "body", "moved"),
    [(500, b"", ""), (200, b"<html>sign in</html>", ""), (200, b"\x89PNG\r\n\x1a\n" + b"0" * tiles.LARGEST, ""),
     (302, b"", "http://127.0.0.1:1/")],
)  # fmt: skip
async def test_what_is_no_tile_is_refused_without_a_word_of_the_key(
    source: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, body: bytes, moved: str
) -> None:
    caplog.set_level(logging.DEBUG)
    source.status, source.body, source.moved = status, body, moved
    found = made(source, tmp_path)
    with pytest.raises(TilesAway) as away:
        await found.get((3, 5, 2))
    assert away.value.__cause__ is None
    told = [one.getMessage() for one in caplog.records if one.name != "asyncio"]
    assert any("base map" in one for one in told) and not any("s3cret" in one for one in told)
    assert kept(tmp_path) == set()
    await found.close()


async def test_a_server_that_is_not_there(tmp_path: Path, source: Server) -> None:
    found = Tiles(base("http://127.0.0.1:1/{z}/{x}/{y}"), tmp_path, lambda _: 0)
    with pytest.raises(TilesAway):
        await found.get((3, 5, 2))
    await found.close()


@pytest.mark.parametrize("place", [(0, 0, 0), (19, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0)])
async def test_there_is_no_tile_outside_the_world(source: Server, tmp_path: Path, place: tiles.Place) -> None:
    with pytest.raises(NoTile):
        await made(source, tmp_path).get(place)
    assert source.asked == []


def test_in_degrees_the_world_is_half_as_high() -> None:
    degrees = base("https://x/{z}/{x}/{y}", "degrees")
    assert degrees.holds(1, 1, 0) and not degrees.holds(1, 0, 1)
    assert degrees.holds(5, 31, 15) and not degrees.holds(5, 0, 16)


async def test_tiles_of_ours_are_files(tmp_path: Path) -> None:
    (tmp_path / "tiles/3/5").mkdir(parents=True)
    (tmp_path / "tiles/3/5/2.png").write_bytes(b"\x89PNG\r\n\x1a\n...")
    found = Tiles(base("file:{z}/{x}/{y}.png"), tmp_path, lambda _: 0)
    assert (await found.get((3, 5, 2))).kind == "image/png"
    with pytest.raises(NoTile):
        await found.get((3, 5, 3))


async def test_the_oldest_make_room(source: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(source, tmp_path)
    one = len((await found.get((5, 0, 0))).body)
    monkeypatch.setattr(tiles, "KEPT_BYTES", one * 4)
    for x in range(1, 8):
        await found.get((5, x, 0))
    columns = kept(tmp_path)
    assert "7" in columns and "0" not in columns and len(columns) <= 4
    await found.close()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("https://t0.tianditu.gov.cn/vec_c/wmts?LAYER=vec&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}", True),
        ("https://maps.example:8443/{TileMatrix}/{TileRow}/{TileCol}.png", True),
        ("file:city/{z}/{x}/{y}.png", True),
        ("https://{x}.example/{z}/{x}/{y}", False),
        ("https://maps.example/{z}/{x}", False),
        ("https://maps.example/{z}/{x}/{y}?{other}", False),
        ("ftp://maps.example/{z}/{x}/{y}", False),
        ("file:/etc/{z}/{x}/{y}", False),
        ("file:../{z}/{x}/{y}", False),
    ],
)
def test_what_may_stand_in_the_settings(text: str, holds: bool) -> None:
    assert is_template(text) == holds
