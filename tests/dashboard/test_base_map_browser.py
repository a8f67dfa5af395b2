"""The base map in a real Chromium: what is drawn lies where the tiles have it, whatever their matrix and datum."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from config import clock
from config.settings import Settings
from geo import datum as datums
from operations.database import Database
from tests.dashboard.test_live import NORTH, opened, write
from tests.dashboard.tile_server import QUERY, SIZE, Server, pixel, serving
from tests.dashboard.web import Web, until
from tests.walls import as_wall

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

CORNER = (120.01, 30.01)
"""Of two of the city's grids, WGS-84."""
READY = """Boolean(window.gridwallMap?.pictures?.[0]?.cells?.view && document.querySelector('img.leaflet-tile-loaded')
  && !document.querySelector('img.leaflet-tile:not(.leaflet-tile-loaded)'))"""
CREDIT = "document.querySelector('.legend-credit').textContent"
Wall = Callable[..., tuple["Page", Web, Server]]


@pytest.fixture
def wall(settings: Settings, valkey: str, furnished: Database, page: "Page") -> Iterator[Wall]:
    """Opens the wall over a base map of a matrix and a datum."""
    write(furnished, opened("a", NORTH, clock.now()))
    with ExitStack() as stack:

        def shown(matrix: str, datum: str) -> tuple["Page", Web, Server]:
            source = stack.enter_context(serving(matrix, datums.from_wgs84(*CORNER, datum)))
            given = {
                "base_map_url": source.url + QUERY, "base_map_matrix": matrix, "base_map_datum": datum,
                "base_map_attribution": "测绘院", "base_map_approval": "GS(2026)0001",
            }  # fmt: skip
            web = Web(dataclasses.replace(settings, **given))
            web.start()
            stack.callback(web.stop)
            as_wall(page, web.url, furnished)
            return page, web, source

        yield shown


def laid(page: "Page") -> list[dict[str, Any]]:
    """The tiles on the screen: place and box."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => [...document.querySelectorAll("img.leaflet-tile-loaded")].map((one) => {
          const [z, x, y] = new URL(one.src).pathname.split("/").slice(2).map(Number);
          const { left, top, width } = one.getBoundingClientRect();
          return { z, x, y, left, top, width };
        })"""
    )
    return found


def drawn(page: "Page") -> tuple[float, float]:
    """Where the corner is drawn on the screen."""
    x, y = page.evaluate(
        """([lon, lat]) => {
          const { map, layers } = gridwallMap.pictures[0];
          const view = gridwallMap.view(map, layers);
          const [x, y] = gridwallMap.project(lon, lat);
          const { left, top } = map.getContainer().getBoundingClientRect();
          const [ox, oy] = layers.origin;
          return [(x - ox) * view.scale + view.x + left, (y - oy) * view.scale + view.y + top];
        }""",
        list(CORNER),
    )
    return x, y


@pytest.mark.parametrize("datum", ["CGCS2000", "GCJ02"])
@pytest.mark.parametrize("matrix", ["mercator", "degrees"])
def test_what_is_drawn_lies_on_the_tiles(wall: Wall, matrix: str, datum: str) -> None:
    page, _, source = wall(matrix, datum)
    until(page, READY)
    x, y = drawn(page)
    marks = [
        (
            one["left"] + (px - one["x"] * SIZE) * one["width"] / SIZE,
            one["top"] + (py - one["y"] * SIZE) * one["width"] / SIZE,
        )
        for one in laid(page)
        for px, py in [pixel(matrix, *source.marks[0], one["z"])]
        if one["x"] * SIZE <= px < (one["x"] + 1) * SIZE and one["y"] * SIZE <= py < (one["y"] + 1) * SIZE
    ]
    assert marks and all(abs(mx - x) < 1 and abs(my - y) < 1 for mx, my in marks)
    assert page.evaluate(CREDIT) == "测绘院 · GS(2026)0001"
    assert page.is_visible(".legend-credit")
    assert "s3cret" not in page.content() and source.url not in page.content()


def test_a_base_map_that_is_away_disturbs_nothing(wall: Wall) -> None:
    page, _, source = wall("mercator", "GCJ02")
    source.status = 500
    page.reload()
    until(page, "Boolean(window.gridwallMap?.pictures?.[0]?.heat?.counts.size)")
    page.evaluate("((one) => { one.lock(false); one.map.setZoom(17, { animate: false }) })(gridwallMap.pictures[0])")
    until(page, f"{CREDIT}.includes('底图暂不可用')")
    until(page, "!gridwallMap.pictures[0].cells.queue.size && gridwallMap.pictures[0].cells.drawn.size > 0")
    assert page.evaluate("document.documentElement.dataset.link") == "live"


PLACES = [(120.0, 30.0), (116.3, 39.9), (87.6, 43.8), (113.66, 34.8), (-0.1, 51.5), (138.5, 36.0)]


def test_the_shift_is_that_of_the_places(wall: Wall) -> None:
    page, _, _ = wall("mercator", "GCJ02")
    until(page, "Boolean(window.gridwallMap?.pictures?.[0]?.cells)")
    shown, back = page.evaluate(
        """(places) => {
          const shown = places.map((place) => gridwallMap.shown(...place));
          return [shown, shown.map((place) => gridwallMap.meant(...place))];
        }""",
        [list(place) for place in PLACES],
    )
    for place, there, again in zip(PLACES, shown, back, strict=True):
        assert there == pytest.approx(datums.from_wgs84(*place, "GCJ02"), abs=1e-9)
        assert again == pytest.approx(place, abs=1e-9)
