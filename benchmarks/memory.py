"""What each process and a wall's page hold after 20 minutes at 200 reports a second, and whether it still grows."""

from __future__ import annotations

import subprocess
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks import program, wall
from config import clock
from config.browser import CHROMIUM_ARGUMENTS, find_chromium
from config.settings import ROOT, Settings

RATE = 200.0
SECONDS = 20 * 60.0
EACH = 30.0


def run(settings: Settings) -> list[dict[str, Any]]:
    """Sends for 20 minutes and samples resident memory, and the script memory of a wall in Chromium, twice a minute."""
    samples: dict[str, list[float]] = {}
    with program.running() as (gridwall, box), sync_playwright() as driver:
        gridwall.add_source("bench")
        browser = driver.chromium.launch(executable_path=find_chromium(settings.chromium), args=CHROMIUM_ARGUMENTS)
        page = wall.wall_page(browser, gridwall, gridwall.sign_in())
        words = wall.generator(gridwall, box, RATE, SECONDS, 10, "M")
        with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as generator:
            begun = clock.monotonic()
            while generator.poll() is None:
                _sample(gridwall, page, samples)
                try:
                    generator.communicate(timeout=EACH)
                except subprocess.TimeoutExpired:
                    continue
        browser.close()
    if generator.returncode or clock.monotonic() - begun < SECONDS:
        raise program.ProgramError(f"the generator ended early, with {generator.returncode}")
    return [_figure(role, values) for role, values in sorted(samples.items())]


def _sample(gridwall: program.Program, page: Page, samples: dict[str, list[float]]) -> None:
    for role, process in gridwall.roles().items():
        samples.setdefault(role, []).append(process.memory_info().rss / 2**20)
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    samples.setdefault("a wall's page", []).append(session.send("Runtime.getHeapUsage")["usedSize"] / 2**20)
    session.detach()


def _figure(role: str, values: list[float]) -> dict[str, Any]:
    half = values[len(values) // 2]
    method = (
        f"after {SECONDS / 60:.0f} min at {RATE:.0f} reports/s in tens; at half time {half:.0f} MiB, at the "
        f"start {values[0]:.0f} MiB, {len(values)} samples"
    )
    return {"name": f"memory, {role}", "value": values[-1], "unit": "MiB", "goal": "", "method": method}
