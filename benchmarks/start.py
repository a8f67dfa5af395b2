"""How long from the command until the wall can be opened: first on an empty folder, then on its data."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import program
from config.settings import Settings


def run(_settings: Settings) -> list[dict[str, Any]]:
    """Starts on an empty folder (cold) and again on the same one (warm), with the demonstration city."""
    with tempfile.TemporaryDirectory(prefix="gwb") as name:
        cold = _seconds(Path(name))
        warm = _seconds(Path(name))
    method = "from `run.py` until the sign-in link is printed and /healthz answers; .venv was there already"
    return [
        {"name": "start, empty folder", "value": cold, "unit": "s", "goal": "", "method": method},
        {"name": "start, second time", "value": warm, "unit": "s", "goal": "", "method": method},
    ]


def _seconds(data: Path) -> float:
    running = program.start(data)
    program.stop(running)
    return running.started_s
