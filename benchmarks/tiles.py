"""Tiles on the glass: how late each picture is, minute by minute, in one headless Chromium; one tile beside sixteen.

The cameras are drawn, 640 × 360, 12 frames a second; each frame carries its number in a mark, and the number tells when
it was due. The page reads the mark back from what it plays and compares it with the clock of the same machine, so
camera, relay, web process and browser are all in the figure; only the screen itself is not. Chromium decodes and paints
without a GPU on the same cores as everything else.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import program
from benchmarks.program import Program
from config import clock, parent
from config.browser import CHROMIUM_ARGUMENTS, find_chromium
from config.calendar import Workdays
from config.settings import ROOT, Settings, child_environment
from operations.calendar import Calendar
from operations.cameras import keeping, reading
from operations.cameras.item import Item
from operations.database import Database
from operations.grants.standing import Standings
from operations.scope import WHOLE
from streams.demo import authorised
from streams.demo.pattern import BLOCK, COLUMNS, LINES

TILES, MINUTES, ONE_SECONDS = 16, 5, 20
WARM_SECONDS = 8
SOURCE = "bench"
READ = """([columns, lines, block, rate, every]) => {
  window.delays = [];
  const small = document.createElement("canvas");
  small.width = columns; small.height = lines;
  const brush = small.getContext("2d", {willReadFrequently: true, alpha: false});
  const number = (source, width, height) => {
    const top = (Math.floor(height / 16) - 1) * 16;
    brush.drawImage(source, 0, top, columns * block, lines * block, 0, 0, columns, lines);
    const pixels = brush.getImageData(0, 0, columns, lines).data;
    let bits = "";
    for (let at = 0; at < columns * lines; at += 1) bits += pixels[at * 4] > 127 ? "1" : "0";
    return parseInt(bits.slice(16, 40), 2);
  };
  const note = (source, width, height) => {
    const now = Date.now() / 1000;
    const frames = 1 << 24;
    const due = Math.floor(now * rate);
    const behind = ((due - number(source, width, height)) % frames + frames) % frames;
    const delay = behind / rate + (now * rate - due) / rate;
    if (delay < 60) window.delays.push(delay * 1000);
  };
  for (const tile of document.querySelectorAll("[data-camera]")) {
    const video = tile.querySelector("video"), canvas = tile.querySelector("canvas");
    let turn = Math.floor(Math.random() * every), last = -1;
    const played = () => {
      if (turn++ % every === 0 && video.videoWidth) note(video, video.videoWidth, video.videoHeight);
      video.requestVideoFrameCallback(played);
    };
    video.requestVideoFrameCallback(played);
    const drawn = () => {
      if (!canvas.hidden && canvas.width) {
        const shown = window.gridwall.tile(tile).vitals().frames;
        if (shown !== last) { last = shown; if (turn++ % every === 0) note(canvas, canvas.width, canvas.height); }
      }
      requestAnimationFrame(drawn);
    };
    if (tile.dataset.plays?.endsWith("webcodecs")) requestAnimationFrame(drawn);
  }
}"""
TOOK = """() => {
  const tiles = [...document.querySelectorAll("[data-camera]")];
  const vitals = tiles.map((tile) => window.gridwall.tile(tile).vitals());
  const sum = (name) => vitals.reduce((total, one) => total + one[name], 0);
  const told = {
    delays: window.delays, frames: sum("frames"), dropped: sum("dropped"),
    plays: tiles.map((tile) => tile.dataset.plays), states: tiles.map((tile) => tile.dataset.state),
    note: document.querySelector(".pictures-budget")?.textContent || "",
  };
  window.delays = [];
  return told;
}"""
NO_CODECS = "delete window.VideoDecoder"


def run(settings: Settings, minutes: int = MINUTES) -> list[dict[str, Any]]:
    """Return the figures."""
    with program.running() as (gridwall, _), cameras() as ids_of, sync_playwright() as driver:
        ids = ids_of(gridwall)
        browser = driver.chromium.launch(executable_path=find_chromium(settings.chromium), args=CHROMIUM_ARGUMENTS)
        figures = [
            *_one(browser, gridwall, ids[0], "MSE", NO_CODECS),
            *_one(browser, gridwall, ids[0], "WebCodecs", ""),
            *_many(browser, gridwall, ids, minutes),
        ]
        browser.close()
    return figures


def _one(browser: Browser, gridwall: Program, id: str, name: str, before: str) -> list[dict[str, Any]]:
    """One tile, as the page shows it alone."""
    page = _opened(browser, gridwall, [id], before)
    told, cores = _measured(page, ONE_SECONDS)
    page.context.close()
    way = f"one tile, {ONE_SECONDS} s, plays {told['plays'][0]}, {told['dropped']} of {told['frames']} frames dropped"
    return _figures(f"one tile, {name}", told["delays"], f"{way}; Chromium {cores:.2f} core")


def _many(browser: Browser, gridwall: Program, ids: list[str], minutes: int) -> list[dict[str, Any]]:
    """Sixteen tiles, minute by minute."""
    page = _opened(browser, gridwall, ids, "")
    figures, firsts = [], []
    for minute in range(1, minutes + 1):
        told, cores = _measured(page, 60)
        live = told["states"].count("live")
        way = f"{live} of {len(ids)} live, {told['dropped']} of {told['frames']} frames dropped so far"
        told_way = f"{way}; Chromium {cores:.2f} core{'; the page says: ' + told['note'] if told['note'] else ''}"
        figures += _figures(f"{len(ids)} tiles, minute {minute}", told["delays"], told_way)
        firsts.append(_percentile(told["delays"], 50))
    page.context.close()
    grown = {"name": "growth of p50, last minute less first", "value": firsts[-1] - firsts[0], "unit": "ms"}
    return [*figures, {**grown, "goal": "< 50", "method": f"{minutes} minutes"}]


def _opened(browser: Browser, gridwall: Program, ids: list[str], before: str) -> Page:
    """A page that plays these cameras, once all are live."""
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    if before:
        page.add_init_script(before)
    link = gridwall.command("link", "--account", "duty").strip().splitlines()[-1].strip()
    page.goto(gridwall.url + link[link.index("/signin") :])
    page.goto(f"{gridwall.url}/pictures?" + "&".join(f"camera={id}" for id in ids))
    _until(page, "document.getElementById('pictures-why')?.open === true")
    page.keyboard.press("Enter")
    everyone = f"document.querySelectorAll('[data-camera][data-state=live]').length === {len(ids)}"
    _until(page, everyone)
    page.wait_for_timeout(WARM_SECONDS * 1_000)
    page.evaluate(READ, [COLUMNS, LINES, BLOCK, _rate(), 6 if len(ids) > 1 else 1])
    return page


def _rate() -> int:
    from streams.demo.scenes import RATE

    return RATE


def _until(page: Page, expression: str) -> None:
    deadline = clock.monotonic() + 60
    while not page.evaluate(f"() => {expression}"):
        if clock.monotonic() > deadline:
            raise program.ProgramError(f"the page never came to: {expression}")
        page.wait_for_timeout(100)


def _measured(page: Page, seconds: int) -> tuple[dict[str, Any], float]:
    """What was seen in so many seconds, and how many cores the browser took."""
    page.evaluate(TOOK)
    before, began = _chromium(), clock.monotonic()
    page.wait_for_timeout(seconds * 1_000)
    told: dict[str, Any] = page.evaluate(TOOK)
    return told, (_chromium() - before) / (clock.monotonic() - began)


def _chromium() -> float:
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def _figures(name: str, delays: list[float], method: str) -> list[dict[str, Any]]:
    told = f"frame due → seen in the page, {len(delays)} frames read; {method}"
    return [
        {"name": f"{name}, p50", "value": _percentile(delays, 50), "unit": "ms", "goal": "", "method": told},
        {"name": f"{name}, p95", "value": _percentile(delays, 95), "unit": "ms", "goal": "", "method": "same frames"},
    ]


def _percentile(values: list[float], per_cent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)] if ordered else float("nan")


@contextmanager
def cameras() -> Iterator[Any]:
    """Drawn cameras in a process of their own; yields what puts them into a catalogue and returns their ids.

    The centre may look through them by a standing authorisation, as in a city that has signed one.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.tiles"],
        cwd=ROOT,
        env=child_environment(),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=parent.die_with_me(),
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())

    def ids(gridwall: Program, most: int = TILES, *, owner: str = "", source: str = SOURCE) -> list[str]:
        items = [
            Item(code=f"{source}-{n:04}", name=f"测试摄像机{n:02}", owner=owner, url_sub=url, url_main=url, status="on")
            for n in range(1, most + 1)
            for url in [f"rtsp://127.0.0.1:{port}/{n}"]
        ]
        database = Database(f"sqlite:///{gridwall.data / 'gridwall.db'}")
        with database.write() as transaction:
            keeping.take(transaction, source, items, complete=True, now=clock.now())
        with database.read() as connection:
            found = [one.id for one in reading.every(connection, WHOLE, sources=[source])]
        authorised.sign(Standings(database, Calendar(Workdays.load(), UTC), zone=UTC), owner)
        database.close()
        return found

    try:
        yield ids
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def _serve() -> None:
    from streams.demo.rtsp_server import Camera, RtspServer
    from streams.demo.scenes import Scene

    cameras = {str(n): Camera(Scene(n, f"测试摄像机{n:02}")) for n in range(1, TILES + 1)}
    async with RtspServer(cameras) as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve())
