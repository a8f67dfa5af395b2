"""50,000 cameras on the map: the server's time for a view, what it sends, and the browser's frames a second.

Beside it, in the same run and browser, the usual way: all 50,000 as one GeoJSON, gathered in the browser (`cluster`)
and as dots on canvas. All move the same way; nothing is accelerated by a graphics card.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import dash_leaflet as dl
import msgspec
import orjson
from dash import Dash, html
from fastapi import Query, Response
from playwright.sync_api import sync_playwright

from benchmarks import stage
from benchmarks.map import HD, NAIVE_PAGE, READY_MS, _Rooted
from config import clock
from config.browser import CHROMIUM_ARGUMENTS, HOW_TO_INSTALL, find_chromium
from config.settings import Settings
from dashboard.pages import Backend
from operations.cameras.mapping import STATES, Chart, Spot
from operations.scope import WHOLE, Scope

if TYPE_CHECKING:
    from fastapi import FastAPI
    from playwright.sync_api import Browser, Page

CAMERAS, GRIDS = 50_000, 6_000
SECONDS, VIEWS = 6, 300
LOST = 0.06
DOTS = "window.bench.dot = (feature, at) => L.circleMarker(at, { radius: 4 });"
MOVING = """async ([seconds, kind]) => {
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const map = kind === "ours" ? window.gridwallMap.pictures[0].map : window.benchMap;
  const zoom = map.getZoom();
  let step = 0;
  const move = () => {
    step += 1;
    map.panBy([60 * Math.cos(step / 3), 60 * Math.sin(step / 3)], { animate: false });
    if (step % 10 === 0) map.setZoom(zoom + (step % 20 ? 0.5 : 0), { animate: false });
  };
  for (let i = 0; i < 30; i += 1) await next();
  const times = [performance.now()];
  const moving = setInterval(move, 100);
  while (times[times.length - 1] - times[0] < seconds * 1000) { await next(); times.push(performance.now()); }
  clearInterval(moving);
  const gaps = times.slice(1).map((at, i) => at - times[i]).sort((a, b) => a - b);
  return { fps: gaps.length / ((times[times.length - 1] - times[0]) / 1000), worst: gaps[gaps.length - 1],
           p99: gaps[Math.floor(gaps.length * 0.99)] };
}"""
SWITCH = """() => new Promise((done) => {
  const one = window.gridwallMap.pictures[0];
  one.lock(false);
  const begun = performance.now();
  one.cameras.switch(true);
  const end = () => done(performance.now() - begun);
  const look = () => (one.cameras.seen ? requestAnimationFrame(end) : setTimeout(look, 5));
  look();
})"""
NEARER = """async (zooms) => {
  const one = window.gridwallMap.pictures[0];
  const still = async () => {
    do await new Promise((done) => setTimeout(done, 50)); while (!one.cameras.seen || !one.cameras.plates);
  };
  one.cameras.seen = one.cameras.plates = null;
  one.fit();
  one.redraw();
  await still();
  const most = one.cameras.plates.reduce((best, plate) => (plate.row[2] > best.row[2] ? plate : best));
  one.cameras.seen = null;
  one.map.setView([most.row[1], most.row[0]], one.map.getZoom() + zooms, { animate: false });
  await still();
}"""


def run(settings: Settings) -> list[dict[str, Any]]:
    """Return the figures of the server alone, and of browsers where there is a Chromium."""
    set_out = stage.staged(GRIDS)
    begun = clock.worked()
    chart = Chart(spots(set_out))
    figures = [_figure("chart of 50,000 made, s", clock.worked() - begun, "once a start, processor time", "")]
    figures += served(chart, set_out)
    path = find_chromium(settings.chromium)
    if path is None:
        print(f"  browser not run: no Chromium. {HOW_TO_INSTALL}")
        return figures
    with sync_playwright() as playwright, stage.serving(set_out, extend=lambda app: extend(app, chart)) as url:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        figures += ours(browser, url)
        for kind in ("cluster", "dots"):
            figures += usual(browser, url, kind)
        browser.close()
    return figures


def spots(set_out: stage.Staged) -> list[Spot]:
    """Return cameras all over the staged city, closer where people live, always the same."""
    chance = random.Random(5)
    leaves = stage.leaves(set_out.grids)
    found = []
    for number, leaf in enumerate(chance.choices(leaves, [(one.population or 20) + 1 for one in leaves], k=CAMERAS)):
        west, south, east, north = leaf.polygon.bounds
        state = 2 if chance.random() < LOST else 0
        lon, lat = chance.uniform(west, east), chance.uniform(south, north)
        owner = chance.choice(("police", "transport"))
        path, way = f"c/{leaf.parent}/{leaf.code}", float(chance.randrange(360))
        told = (path, owner, way, 90.0, 80.0, True)
        found.append(Spot(f"{number:036d}", f"摄像机 {number}", lon, lat, state, *told))
    return found


def served(chart: Chart, set_out: stage.Staged) -> list[dict[str, Any]]:
    """Return how long views take, of everybody's cameras and of one department's, and what is sent."""
    chance = random.Random(6)
    boxes = [leaf.polygon.centroid.coords[0] for leaf in chance.choices(stage.leaves(set_out.grids), k=VIEWS)]
    took, worked, sizes = [], [], []
    for number, (lon, lat) in enumerate(boxes):
        zoom = 10 + number % 9
        half = 360 * HD[0] / (256 * 2**zoom) / 2
        scope = Scope("", "police") if number % 3 == 0 else WHOLE
        begun, work = clock.monotonic(), clock.worked()
        seen = chart.seen(scope, (lon - half, lat - half * 0.45, lon + half, lat + half * 0.45), zoom)
        sizes.append(len(msgspec.json.encode(seen)))
        took.append(1000 * (clock.monotonic() - begun))
        worked.append(1000 * (clock.worked() - work))
    took, worked, sizes = sorted(took), sorted(worked), sorted(sizes)
    way = f"{VIEWS} views of 1920×1080 at zooms 10-18 over {CAMERAS:,} cameras, with writing the JSON"
    begun = clock.worked()
    chart.changed({one.id: one for one in (chart.spot(f"{number:036d}") for number in range(500)) if one})
    changed = 1000 * (clock.worked() - begun)
    return [
        _figure("a view, median, ms", took[len(took) // 2], way, ""),
        _figure("a view, p99, ms", took[int(len(took) * 0.99)], way + "; by the clock", "< 100"),
        _figure("a view, p99, processor ms", worked[int(len(worked) * 0.99)], way + "; processor time", "< 100"),
        _figure("a view, largest, kB", sizes[-1] / 1000, way, "< 200"),
        _figure("500 cameras changed, ms", changed, "processor time, at most every 3 s", ""),
    ]


def extend(app: FastAPI, chart: Chart) -> None:
    """Add the route of ours and the pages of the usual way."""

    @app.get("/cameras-on-map")
    def seen(box: str = Query(), zoom: float = Query()) -> Response:
        west, south, east, north = (float(one) for one in box.split(","))
        return Response(msgspec.json.encode(chart.seen(WHOLE, (west, south, east, north), zoom)))

    everything = chart.seen(WHOLE, (-180, -90, 180, 90), 0)
    assert everything.total == CAMERAS
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [one.lon, one.lat]},
         "properties": {"id": one.id, "name": one.name, "state": STATES[one.state], "direction": one.direction}}
        for one in (chart.spot(f"{number:036d}") for number in range(CAMERAS)) if one
    ]  # fmt: skip
    body = orjson.dumps({"type": "FeatureCollection", "features": features})

    @app.get("/all-cameras")
    def everyone() -> Response:
        return Response(body, media_type="application/geo+json")

    for kind in ("cluster", "dots"):
        app.mount(f"/{kind}", _Rooted(page_of(kind).server))


def page_of(kind: str) -> Dash:
    """Return the page of a usual way."""
    hook = "L.Map.addInitHook(function () { window.benchMap = this; })"
    index = NAIVE_PAGE.replace(
        "</footer>",
        f"</footer><script>{DOTS}(function f() {{ window.L?.Map ? {hook} : setTimeout(f, 5) }})()</script>",
    )
    dash = Dash(
        kind, backend=Backend, requests_pathname_prefix=f"/{kind}/", routes_pathname_prefix=f"/{kind}/",
        assets_folder="none", index_string=index, add_log_handler=False,
    )  # fmt: skip
    how: dict[str, Any] = {"cluster": True} if kind == "cluster" else {"pointToLayer": {"variable": "bench.dot"}}
    layer = dl.GeoJSON(id="naive", url="/all-cameras", zoomToBounds=True, **how)
    full = {"height": "100vh"}
    dash.layout = html.Div(dl.Map(layer, preferCanvas=True, center=(35.55, 123.05), zoom=11, style=full))
    dash._setup_server()
    return dash


def ours(browser: Browser, url: str) -> list[dict[str, Any]]:
    """Return what the map of the wall does with the layer, gathered and near."""
    page = _page(browser, f"{url}/wall")
    page.wait_for_function("window.gridwallMap?.pictures?.[0]?.cameras?.map", timeout=READY_MS)
    page.wait_for_timeout(2_000)
    shown = page.evaluate(SWITCH)
    found = [_figure("ours: layer switched on until drawn, ms", shown, "with 120 ms of waiting for a still view", "")]
    found.append(_frames("ours: gathered, panning and zooming", page.evaluate(MOVING, [SECONDS, "ours"]), ">= 30"))
    page.evaluate(NEARER, 6)
    page.wait_for_timeout(500)
    told = page.evaluate(MOVING, [SECONDS, "ours"])
    page.close()
    return [*found, _frames("ours: single cameras and sectors, the same", told, ">= 30")]


def usual(browser: Browser, url: str, kind: str) -> list[dict[str, Any]]:
    """Return what the usual way does."""
    page = _page(browser, f"{url}/{kind}/")
    ready = {"cluster": ".leaflet-marker-icon", "dots": ".leaflet-overlay-pane canvas"}[kind]
    page.wait_for_function(f"document.querySelector('{ready}') && window.benchMap", timeout=READY_MS)
    shown = page.evaluate("performance.now()")
    page.wait_for_timeout(2_000)
    told = page.evaluate(MOVING, [SECONDS, kind])
    sent = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/all-cameras'))"
        ".reduce((sum, one) => sum + one.decodedBodySize, 0)"
    )
    page.close()
    named = {"cluster": "all as GeoJSON, gathered in the browser", "dots": "all as GeoJSON, dots on canvas"}[kind]
    return [
        _figure(f"{named}: page until drawn, ms", shown, f"{sent / 1e6:.1f} MB of GeoJSON, sent at every change", ""),
        _frames(f"{named}, panning and zooming", told, ""),
    ]


def _page(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": HD[0], "height": HD[1]})
    page.goto(address)
    return page


def _frames(name: str, told: dict[str, float], goal: str) -> dict[str, Any]:
    way = f"requestAnimationFrame over {SECONDS} s, moved every 100 ms; "
    way += f"p99 gap {told['p99']:.0f} ms, longest {told['worst']:.0f} ms"
    return {"name": name, "value": round(told["fps"], 1), "unit": "fps", "goal": goal, "method": way}


def _figure(name: str, value: float, method: str, goal: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": "", "goal": goal, "method": method}
