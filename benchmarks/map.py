"""Frames a second of the wall's map while grids change: 50 scattered ones, 5 times a second, in headless Chromium.

Beside it, in the same run and browser, the usual way with dash-leaflet: the style of a GeoJSON layer that follows
`hideout`. Both get the same shapes and the same changes; nothing is accelerated by a graphics card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_leaflet as dl
from dash import Dash, html
from playwright.sync_api import sync_playwright

from benchmarks import stage
from config.browser import CHROMIUM_ARGUMENTS, HOW_TO_INSTALL, find_chromium
from config.settings import Settings
from dashboard.pages import Backend

if TYPE_CHECKING:
    from fastapi import FastAPI
    from playwright.sync_api import Browser, Page

SECONDS = 10
CHANGED = 50
EVERY_MS = 200
SIZES = (6_000, 30_000)
READY_MS = 120_000
NAIVE_PAGE = """<!DOCTYPE html><html><head>{%metas%}<title>{%title%}</title>{%css%}
<script>window.bench = { style: (feature, context) => ({ weight: 0.5, color: "#0b1a2f", fillOpacity: 1,
  fillColor: context.hideout[feature.properties.code] || "#12253c" }) };</script>
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
    if (kind === "ours") return picture.warm(set, []);
    for (const code in set) kept[code] = `hsl(190 40% ${20 + set[code] * 8}%)`;
    window.dash_clientside.set_props("naive", { hideout: { ...kept } });
  };
  for (let i = 0; i < 30; i += 1) await next();
  const times = [performance.now()];
  let changes = 0;
  const timer = setInterval(() => { changes += 1; change(); }, every);
  while (times[times.length - 1] - times[0] < seconds * 1000) { await next(); times.push(performance.now()); }
  clearInterval(timer);
  const gaps = times.slice(1).map((at, i) => at - times[i]).sort((a, b) => a - b);
  return { fps: gaps.length / ((times[times.length - 1] - times[0]) / 1000), worst: gaps[gaps.length - 1],
           p99: gaps[Math.floor(gaps.length * 0.99)], changes };
}"""


def run(settings: Settings) -> list[dict[str, Any]]:
    """Return the figures of both ways at every size; an empty list with a word on the terminal without a Chromium."""
    path = find_chromium(settings.chromium)
    if path is None:
        print(f"  not run: no Chromium. {HOW_TO_INSTALL}")
        return []
    figures: list[dict[str, Any]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        for count in SIZES:
            set_out = stage.staged(count)
            with stage.serving(set_out, extend=with_naive) as url:
                figures += size(browser, url, count)
        browser.close()
    return figures


def size(browser: Browser, url: str, count: int) -> list[dict[str, Any]]:
    """Return the figures for one number of grids."""
    goal = {6_000: ">= 50", 30_000: ">= 30"}[count]
    found = [("grids drawn", goal, ours(browser, url, leaves=True))]
    if count > SIZES[0]:
        found.append(("grids, villages drawn at city zoom", goal, ours(browser, url, leaves=False)))
    found.append(("grids, the usual hideout restyle", "", naive(browser, url)))
    return [figure(f"{count:,} {name}", goal, told) for name, goal, told in found]


def figure(name: str, goal: str, told: dict[str, float]) -> dict[str, Any]:
    """Return one figure with its method."""
    method = (
        f"frames counted by requestAnimationFrame over {SECONDS} s while {CHANGED} scattered grids change every"
        f" {EVERY_MS} ms ({told['changes']:.0f} changes came through); 1920×1080, headless, no GPU;"
        f" p99 gap {told['p99']:.0f} ms, longest {told['worst']:.0f} ms"
    )
    return {"name": name, "value": round(told["fps"], 1), "unit": "fps", "goal": goal, "method": method}


def ours(browser: Browser, url: str, *, leaves: bool) -> dict[str, float]:
    """Measure the wall itself, with everything else on it; `leaves` draws every grid even where too small to read."""
    page = opened(browser, f"{url}/wall")
    page.wait_for_function("window.gridwallMap?.pictures?.[0]?.marks", timeout=READY_MS)
    if leaves:
        page.evaluate("const one = gridwallMap.pictures[0]; one.section.dataset.level = one.layers.leaf; one.redraw()")
    page.wait_for_function("!gridwallMap.pictures[0].cells.queue.size", timeout=READY_MS)
    return measured(page, "ours")


def naive(browser: Browser, url: str) -> dict[str, float]:
    """Measure a page that holds nothing but the map."""
    page = opened(browser, f"{url}/naive/")
    page.wait_for_function("document.querySelector('.leaflet-overlay-pane canvas')", timeout=READY_MS)
    page.wait_for_timeout(3_000)
    return measured(page, "naive")


def opened(browser: Browser, address: str) -> Page:
    """Return a new page at `address`."""
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
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
        id="naive", url="/api/v1/grids/shapes?level=0", style={"variable": "bench.style"}, hideout={}, zoomToBounds=True
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
