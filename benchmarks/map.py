"""Frames a second of the wall's map while grids change: 50 scattered ones, 5 times a second, in headless Chromium.

At city zoom (where there are too many grids to read, the level above is drawn), at the zoom where the grids themselves
are, still and while the view pans and zooms, and with all of them drawn whether they can be read or not. Beside it, in
the same run and browser, the usual ways with dash-leaflet: the style of a GeoJSON layer that follows `hideout`, and
`setStyle` on the changed layers. All get the same shapes and changes; nothing is accelerated by a graphics card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_leaflet as dl
from dash import Dash, html
from playwright.sync_api import sync_playwright

from benchmarks import stage
from config import clock
from config.browser import CHROMIUM_ARGUMENTS, HOW_TO_INSTALL, find_chromium
from config.settings import Settings
from dashboard.pages import Backend
from geo.locator import Locator
from geo.shapes import Shapes

if TYPE_CHECKING:
    from fastapi import FastAPI
    from playwright.sync_api import Browser, Page

SECONDS = 8
CHANGED = 50
EVERY_MS = 200
SIZES = (6_000, 30_000)
READY_MS = 120_000
HD, UHD = (1920, 1080), (3840, 2160)
NAIVE_PAGE = """<!DOCTYPE html><html><head>{%metas%}<title>{%title%}</title>{%css%}
<script>window.bench = { byCode: {}, style: (feature, context) => ({ weight: 0.5, color: "#0b1a2f", fillOpacity: 1,
  fillColor: context.hideout[feature.properties.code] || "#12253c" }),
  each: (feature, layer) => (window.bench.byCode[feature.properties.code] = layer) };</script>
<style>html, body, .leaflet-container { height: 100%; margin: 0 }</style></head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body></html>"""
MEASURE = """async ([seconds, changed, every, kind]) => {
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const features = await (await fetch("/api/v1/grids/shapes?level=0")).json();
  const codes = features.features.map((one) => one.properties.code);
  let seed = 7;
  const any = (most) => (seed = (seed * 48271) % 2147483647) % most;
  const picture = window.gridwallMap?.pictures?.[0];
  const kept = {};
  const change = () => {
    const set = {};
    for (let i = 0; i < changed; i += 1) set[codes[any(codes.length)]] = 1 + any(6);
    if (picture) return picture.warm(set, []);
    if (kind === "layers") {
      for (const code in set) window.bench.byCode[code].setStyle({ fillColor: `hsl(190 40% ${20 + set[code] * 8}%)` });
      return undefined;
    }
    for (const code in set) kept[code] = `hsl(190 40% ${20 + set[code] * 8}%)`;
    window.dash_clientside.set_props("naive", { hideout: { ...kept } });
  };
  for (let i = 0; i < 30; i += 1) await next();
  const times = [performance.now()];
  let changes = 0;
  const timer = setInterval(() => { changes += 1; change(); }, every);
  const zoom = picture?.map.getZoom();
  let step = 0;
  const move = () => {
    step += 1;
    picture.map.panBy([step % 40 < 20 ? 60 : -60, step % 20 < 10 ? 30 : -30], { animate: false });
    if (step % 10 === 0) picture.map.setZoom(zoom + (step % 20 ? 0.5 : 0), { animate: false });
  };
  const moving = kind === "moving" ? setInterval(move, 100) : 0;
  while (times[times.length - 1] - times[0] < seconds * 1000) { await next(); times.push(performance.now()); }
  clearInterval(timer);
  clearInterval(moving);
  const gaps = times.slice(1).map((at, i) => at - times[i]).sort((a, b) => a - b);
  return { fps: gaps.length / ((times[times.length - 1] - times[0]) / 1000), worst: gaps[gaps.length - 1],
           p99: gaps[Math.floor(gaps.length * 0.99)], changes };
}"""


LOADED = """() => {
  const look = () => {
    const one = window.gridwallMap?.pictures?.[0];
    if (one?.heat?.counts.size && one.cells && !one.cells.queue.size) window.heatAt = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
DEEPER = """async () => {
  const one = gridwallMap.pictures[0];
  const next = () => new Promise((done) => requestAnimationFrame(done));
  one.lock(false);
  while (one.heat.at < one.layers.leaf) one.map.setZoom(one.map.getZoom() + 0.25, { animate: false });
  do await next(); while (one.cells.queue.size || one.cells.fine?.waiting);
}"""


def run(settings: Settings, sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Return the figures of all ways at every size; an empty list with a word on the terminal without a Chromium."""
    path = find_chromium(settings.chromium)
    if path is None:
        print(f"  not run: no Chromium. {HOW_TO_INSTALL}")
        return []
    figures: list[dict[str, Any]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        for count in sizes:
            set_out = stage.staged(count)
            figures.append(built(set_out, count))
            with stage.serving(set_out, extend=with_naive) as url:
                figures += size(browser, url, count)
        browser.close()
    return figures


def built(set_out: stage.Staged, count: int) -> dict[str, Any]:
    """Return how long the index and the shapes of these grids take to build."""
    begun, worked = clock.monotonic(), clock.worked()
    Locator.build(set_out.grids)
    indexed = clock.worked()
    Shapes.build(set_out.grids)
    shaped = clock.worked()
    method = (
        f"processor time of one thread: Locator {indexed - worked:.1f} s and Shapes {shaped - indexed:.1f} s, of"
        f" the generated city with {len(set_out.grids):,} areas of 4 levels; {clock.monotonic() - begun:.1f} s by the"
        f" clock; both are kept on disk afterwards"
    )
    return {
        "name": f"{count:,} grids, index and shapes built", "value": round(shaped - worked, 1), "unit": "s",
        "goal": "< 20", "method": method,
    }  # fmt: skip


def size(browser: Browser, url: str, count: int) -> list[dict[str, Any]]:
    """Return the figures for one number of grids."""
    goal = ">= 50" if count <= SIZES[0] else ">= 30"
    found = [
        ("city zoom, as the wall shows it", goal, ours(browser, url)),
        ("zoomed to where the grids are drawn", goal, ours(browser, url, zoomed=True)),
        ("the same, panning and zooming", goal, ours(browser, url, zoomed=True, kind="moving")),
        ("the same, still, 3840×2160", goal, ours(browser, url, zoomed=True, screen=UHD)),
        ("city zoom, every grid drawn", "", ours(browser, url, leaves=True)),
        ("the usual way: hideout restyle", "", naive(browser, url, "hideout")),
        ("the usual way: setStyle on what changed", "", naive(browser, url, "layers")),
    ]
    frames = [figure(f"{count:,} grids, {name}", goal, told) for name, goal, told in found]
    return [loaded(browser, url, count), *frames]


def figure(name: str, goal: str, told: dict[str, float]) -> dict[str, Any]:
    """Return one figure with its method."""
    method = (
        f"frames counted by requestAnimationFrame over {SECONDS} s while {CHANGED} scattered grids change every"
        f" {EVERY_MS} ms ({told['changes']:.0f} changes came through); 1920×1080 if not said, headless, no GPU;"
        f" p99 gap {told['p99']:.0f} ms, longest {told['worst']:.0f} ms"
    )
    return {"name": name, "value": round(told["fps"], 1), "unit": "fps", "goal": goal, "method": method}


def loaded(browser: Browser, url: str, count: int) -> dict[str, Any]:
    """Return how long an empty browser takes to the first heat, what came over the line, and what it holds then."""
    page = browser.new_page(viewport={"width": HD[0], "height": HD[1]})
    page.add_init_script(f"({LOADED})()")
    page.goto(f"{url}/wall", wait_until="commit")
    page.wait_for_function("window.heatAt", timeout=READY_MS)
    took = page.evaluate("window.heatAt")
    sent = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/grids/'))"
        ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    page.close()
    method = (
        f"from the request for the page to the painted heat, nothing cached; {sent / 1e6:.2f} MB of shapes came over"
        f" the line, compressed; {heap / 1e6:.0f} MB of script memory after a collection"
    )
    return {
        "name": f"{count:,} grids, load to the first heat", "value": round(took / 1000, 2), "unit": "s", "goal": "",
        "method": method,
    }  # fmt: skip


def ours(
    browser: Browser, url: str, *, leaves: bool = False, zoomed: bool = False, kind: str = "ours",
    screen: tuple[int, int] = HD,
) -> dict[str, float]:  # fmt: skip
    """Measure the wall itself, marks and all; `leaves` draws every grid even where too small to read."""
    page = opened(browser, f"{url}/wall", screen)
    page.wait_for_function("window.gridwallMap?.pictures?.[0]?.marks", timeout=READY_MS)
    if leaves:
        page.evaluate("const one = gridwallMap.pictures[0]; one.section.dataset.level = one.layers.leaf; one.redraw()")
    if zoomed:
        page.evaluate(DEEPER)
    page.wait_for_function("!gridwallMap.pictures[0].cells.queue.size", timeout=READY_MS)
    return measured(page, kind)


def naive(browser: Browser, url: str, kind: str) -> dict[str, float]:
    """Measure a page that holds nothing but the map."""
    page = opened(browser, f"{url}/naive/")
    page.wait_for_function("document.querySelector('.leaflet-overlay-pane canvas')", timeout=READY_MS)
    page.wait_for_timeout(3_000)
    return measured(page, kind)


def opened(browser: Browser, address: str, screen: tuple[int, int] = HD) -> Page:
    """Return a new page at `address`."""
    page = browser.new_page(viewport={"width": screen[0], "height": screen[1]})
    page.goto(address)
    return page


def measured(page: Page, kind: str) -> dict[str, float]:
    """Return frames a second, gaps in ms and the number of changes."""
    try:
        told: dict[str, float] = page.evaluate(MEASURE, [SECONDS, CHANGED, EVERY_MS, kind])
    finally:
        page.close()
    return told


def with_naive(app: FastAPI) -> None:
    """Add the page that does it the usual way."""
    dash = Dash(
        "naive", backend=Backend, requests_pathname_prefix="/naive/", routes_pathname_prefix="/naive/",
        assets_folder="none", index_string=NAIVE_PAGE, add_log_handler=False,
    )  # fmt: skip
    layer = dl.GeoJSON(
        id="naive",
        url="/api/v1/grids/shapes?level=0",
        style={"variable": "bench.style"},
        onEachFeature={"variable": "bench.each"},
        hideout={},
        zoomToBounds=True,
    )
    full = {"height": "100vh"}
    dash.layout = html.Div(dl.Map(layer, preferCanvas=True, center=(35.55, 123.05), zoom=11, style=full))
    dash._setup_server()
    app.mount("/naive", _Rooted(dash.server))


class _Rooted:
    """Hands a mounted application the whole path again, which Dash's routes are made for."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "root_path": ""}, receive, send)
