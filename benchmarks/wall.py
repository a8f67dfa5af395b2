"""Accepted → painted on the wall, beside the usual way, in the same run.

One real Chromium shows the wall; the other screens stand in at protocol level in a process of their own, and the
generator in another, so that their processor time can be told apart. A report counts as painted at the second
animation frame after the browser got its marker.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import program
from benchmarks.program import Box, Program
from config import clock
from config.browser import CHROMIUM_ARGUMENTS, find_chromium
from config.settings import ROOT, Settings, child_environment
from operations.database import Database
from tests import ports

SECONDS = 30.0
LOADS = ((200.0, 300, "p50 < 150, p99 < 250"), (1000.0, 50, "p99 < 500"))
NOTE_MARKERS = """() => {
  window.painted = {};
  window.gridwall.on("markers", (set) => {
    const ids = Object.keys(set);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const at = Date.now();
      for (const id of ids) if (!(id in window.painted)) window.painted[id] = at;
    }));
  });
}"""
NOTE_ROWS = """(prefix) => {
  window.painted = {};
  const look = () => {
    const text = document.getElementById("rows").textContent;
    for (const found of text.matchAll(new RegExp(prefix + "-[0-9]{7}", "g"))) {
      const id = found[0];
      if (id in window.painted) continue;
      window.painted[id] = 0;
      requestAnimationFrame(() => requestAnimationFrame(() => { window.painted[id] = Date.now(); }));
    }
  };
  const all = {childList: true, subtree: true, characterData: true};
  new MutationObserver(look).observe(document.getElementById("rows"), all);
}"""


def run(settings: Settings) -> list[dict[str, Any]]:
    """Measures both loads and the usual way; returns the figures."""
    figures: list[dict[str, Any]] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(settings.chromium), args=CHROMIUM_ARGUMENTS)
        for rate, screens, goal in LOADS:
            with program.running() as (gridwall, box):
                figures += measure(browser, gridwall, box, (rate, screens, goal), usual=rate == LOADS[0][0])
        browser.close()
    return figures


def measure(
    browser: Browser, gridwall: Program, box: Box, load: tuple[float, int, str], *, usual: bool
) -> list[dict[str, Any]]:
    """Runs one load with its screens and returns its figures."""
    rate, screens, goal = load
    gridwall.add_source("bench")
    cookie = gridwall.sign_in()
    page = wall_page(browser, gridwall, cookie)
    page.evaluate(NOTE_MARKERS)
    with (
        others(gridwall, cookie, screens - 1, SECONDS + 120) as stand_ins,
        usual_page(browser, gridwall, usual) as rival,
    ):
        before = gridwall.cpu()
        sent, closing = send(gridwall, box, rate, SECONDS)
        spent = {role: (used - before.get(role, used)) / SECONDS for role, used in gridwall.cpu().items()}
        page.wait_for_timeout(3000)
        painted = page.evaluate("window.painted")
        rival_seen = rival.evaluate("window.painted") if rival else {}
    page.close()
    waits = latencies(gridwall, sent, painted)
    name = f"{rate:.0f}/s, {screens} screens"
    seen = stand_ins.result
    method = (
        f"{len(sent)} single POSTs in {SECONDS:.0f} s, open loop; from the 202 to the second animation frame with the "
        f"report's marker in Chromium; {len(sent) - len(waits)} never painted; processor shares of one core: "
        + ", ".join(f"{role} {share:.2f}" for role, share in sorted(spent.items()))
        + f"; apart from it generator {closing['cpu_s'] / SECONDS:.2f}, stand-in screens {seen['cpu_s'] / SECONDS:.2f} "
        f"(frames each: {statistics.median(seen['frames']):.0f})"
    )
    reached = latencies(gridwall, sent, {key: at / 1000 for key, at in seen["seen"][0].items()})
    goals = {"painted": goal, "reached a stand-in": ""}
    figures = [
        {
            "name": f"{what} p{share}, {name}",
            "value": percentile(values, share),
            "unit": "ms",
            "goal": goals[what],
            "method": method if (what, share) == ("painted", 50) else "same run",
        }
        for what, values in (("painted", waits), ("reached a stand-in", reached))
        for share in (50, 99)
    ]
    if usual:
        slow = [rival_seen[one] - sent[one] / 1000 for one in sent if rival_seen.get(one)]
        told = (
            f"dcc.Interval of 1 s and a query of the newest 250, one screen, same database, same seconds; "
            f"{len(sent) - len(slow)} of {len(sent)} reports never shown"
        )
        figures += [
            {
                "name": f"usual way p50, {rate:.0f}/s",
                "value": percentile(slow, 50),
                "unit": "ms",
                "goal": "",
                "method": told,
            },
            {
                "name": f"usual way p99, {rate:.0f}/s",
                "value": percentile(slow, 99),
                "unit": "ms",
                "goal": "",
                "method": "same run",
            },
        ]
    return figures


def percentile(values: list[float], per_cent: int) -> float:
    """Returns a percentile by nearest rank; nan when there is nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)] if ordered else float("nan")


def latencies(gridwall: Program, sent: dict[str, int], painted: Mapping[str, float]) -> list[float]:
    """Returns milliseconds from 202 to paint for each report whose marker was painted."""
    return [
        painted[key] - sent[report] / 1000
        for key, report in reports(gridwall).items()
        if key in painted and report in sent
    ]


def reports(gridwall: Program) -> dict[str, str]:
    """Returns {incident id: report id} from the program's database."""
    database = Database(f"sqlite:///{gridwall.data / 'gridwall.db'}")
    try:
        with database.read() as connection:
            rows = connection.exec_driver_sql("SELECT id, body FROM incident").fetchall()
    finally:
        database.close()
    return {row[0]: orjson.loads(row[1])["report_id"] for row in rows}


def send(
    gridwall: Program, box: Box, rate: float, seconds: float, batch: int = 1, prefix: str = "B"
) -> tuple[dict[str, int], dict[str, Any]]:
    """Runs the generator; returns {report id: answered at, UTC microseconds} and what it used itself."""
    done = subprocess.run(
        generator(gridwall, box, rate, seconds, batch, prefix), stdout=subprocess.PIPE, check=True, cwd=ROOT
    )
    return read_sent(done.stdout)


def read_sent(printed: bytes) -> tuple[dict[str, int], dict[str, Any]]:
    """Reads what the generator printed."""
    *lines, closing = [orjson.loads(line) for line in printed.splitlines()]
    return {line[0]: line[2] for line in lines}, closing


def generator(gridwall: Program, box: Box, rate: float, seconds: float, batch: int, prefix: str) -> list[str]:
    """Returns the generator's command."""
    told = {
        "host": "127.0.0.1",
        "port": gridwall.port,
        "token": gridwall.tokens["bench"],
        "rate": rate,
        "seconds": seconds,
        "batch": batch,
        "prefix": prefix,
        "box": ",".join(map(str, box)),
    }
    return [sys.executable, "-m", "benchmarks.generator", *(f"--{key}={value}" for key, value in told.items())]


def wall_page(browser: Browser, gridwall: Program, cookie: str, path: str = "/wall") -> Page:
    """Opens a page with the session and waits until its channel is live."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": gridwall.url}])
    page = context.new_page()
    page.goto(gridwall.url + path)
    page.wait_for_function("document.documentElement.dataset.link === 'live'", timeout=60_000)
    return page


class StandIns:
    """The protocol-level screens' process and, once it ended, what they saw."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.result: dict[str, Any] = {}


@contextmanager
def others(
    gridwall: Program, cookie: str, count: int, seconds: float, page: str = "wall", more: Sequence[str] = ()
) -> Iterator[StandIns]:
    """Runs `count` protocol-level screens of a page beside the block."""
    words = ["--url", f"ws://127.0.0.1:{gridwall.port}/live?page={page}&lang=zh", "--cookie", cookie, *more]
    words += ["--count", str(count), "--seconds", str(seconds)]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.screens", *words], stdout=subprocess.PIPE, cwd=ROOT)
    stand_ins = StandIns(process)
    clock_end = clock.monotonic() + 60
    while established(process.pid) < count:
        if clock.monotonic() > clock_end:
            raise program.ProgramError(f"only {established(process.pid)} of {count} screens connected")
    try:
        yield stand_ins
    finally:
        process.terminate()
        printed, _ = process.communicate(timeout=60)
        stand_ins.result = orjson.loads(printed)


def established(pid: int) -> int:
    """Returns how many connections a process holds."""
    return sum(one.status == psutil.CONN_ESTABLISHED for one in psutil.Process(pid).net_connections("tcp"))


@contextmanager
def usual_page(browser: Browser, gridwall: Program, wanted: bool) -> Iterator[Page | None]:
    """Serves the usual way on the same database and shows it in a page of its own."""
    if not wanted:
        yield None
        return
    port = ports.free()
    words = ["--database", f"sqlite:///{gridwall.data / 'gridwall.db'}", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.usual", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=child_environment(),
    )
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    try:
        open_when_served(page, f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#rows", state="attached")
        page.evaluate(NOTE_ROWS, "B")
        yield page
    finally:
        page.close()
        process.kill()
        process.wait()


def open_when_served(page: Page, url: str) -> None:
    """Opens a page of a server that is still starting."""
    from playwright.sync_api import Error

    for _ in range(100):
        try:
            page.goto(url)
            return
        except Error:
            page.wait_for_timeout(200)
    raise program.ProgramError(f"{url} was never served")
