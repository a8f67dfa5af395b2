"""What each process holds after 20 minutes at 200 reports a second, and whether it still grows."""

from __future__ import annotations

import subprocess
from typing import Any

from benchmarks import program, wall
from config import clock
from config.settings import ROOT, Settings

RATE = 200.0
SECONDS = 20 * 60.0
EACH = 30.0


def run(_settings: Settings) -> list[dict[str, Any]]:
    """Sends for 20 minutes and samples resident memory twice a minute."""
    samples: dict[str, list[float]] = {}
    with program.running() as (gridwall, box):
        gridwall.add_source("bench")
        words = wall.generator(gridwall, box, RATE, SECONDS, 10, "M")
        with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as generator:
            begun = clock.monotonic()
            while generator.poll() is None and clock.monotonic() - begun < SECONDS + 60:
                _sample(gridwall, samples)
                try:
                    generator.communicate(timeout=EACH)
                except subprocess.TimeoutExpired:
                    continue
            generator.kill()
    return [_figure(role, values) for role, values in sorted(samples.items())]


def _sample(gridwall: program.Program, samples: dict[str, list[float]]) -> None:
    for role, process in gridwall.roles().items():
        samples.setdefault(role, []).append(process.memory_info().rss / 2**20)


def _figure(role: str, values: list[float]) -> dict[str, Any]:
    half = values[len(values) // 2]
    method = (
        f"after {SECONDS / 60:.0f} min at {RATE:.0f} reports/s in tens; at half time {half:.0f} MiB, at the "
        f"start {values[0]:.0f} MiB, {len(values)} samples"
    )
    return {"name": f"memory, {role}", "value": values[-1], "unit": "MiB", "goal": "", "method": method}
