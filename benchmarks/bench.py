"""Runs benches by name, prints their figures with goal and method, and writes them as JSON."""

from __future__ import annotations

import importlib
import os
import platform
from pathlib import Path
from typing import Any

import orjson

from config import clock
from config.settings import Settings

NAMES = (
    "geo",
    "import",
    "intake",
    "map",
    "cameras-map",
    "fewest",
    "start",
    "wall",
    "chaos",
    "memory",
    "verify",
    "access",
    "dispatch",
    "clocks",
    "search",
    "video",
    "access-video",
    "tiles",
)
FILES = {"import": "importing", "cameras-map": "cameras_map", "access-video": "access_video"}
"""Benches whose name no module can have."""
ONLY_WHEN_NAMED = {
    "memory": "takes 20 minutes",
    "search": "fills a million incidents; --incidents N for fewer",
    "tiles": "plays 16 tiles for 5 minutes; --minutes N for others",
}
RESULTS = Path(__file__).parent.parent / "bench-results"


def machine() -> dict[str, Any]:
    """Returns what the figures were measured on: cores, memory in GiB, kernel and Python."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def shown(value: object) -> str:
    """Returns a figure as people read it: thousands apart, three significant digits for small ones."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def lines(figures: list[dict[str, Any]]) -> list[str]:
    """Returns the printed table: one line a figure, its method under it."""
    width = max((len(f["name"]) for f in figures), default=0)
    out = []
    for figure in figures:
        goal = f"   goal {figure['goal']}" if figure.get("goal") else ""
        out.append(f"  {figure['name']:<{width}}  {shown(figure['value'])} {figure['unit']}{goal}")
        out.append(f"  {'':<{width}}    {figure['method']}")
    return out


def main(names: list[str], settings: Settings, *, grids: int = 0, incidents: int = 0, minutes: int = 0) -> int:
    """Runs the named benches (all quick ones when none is named); returns 2 for an unknown name.

    `grids`: for `map`, `incidents`: for `search`, `minutes`: for `tiles` and `video`.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no bench called {', '.join(unknown)}; there are: {', '.join(NAMES)}")
        return 2
    on = machine()
    print(f"{on['cores']} cores, {on['memory_gib']} GiB, {on['system']}, Python {on['python']}")
    RESULTS.mkdir(exist_ok=True)
    for name in names or [n for n in NAMES if n not in ONLY_WHEN_NAMED]:
        print(f"\n{name}", flush=True)
        sized: dict[str, Any] = {"sizes": (grids,)} if grids and name == "map" else {}
        sized |= {"incidents": incidents} if incidents and name == "search" else {}
        sized |= {"minutes": minutes} if minutes and name in ("tiles", "video") else {}
        figures = importlib.import_module(f"benchmarks.{FILES.get(name, name)}").run(settings, **sized)
        print("\n".join(lines(figures)), flush=True)
        record = {"bench": name, "at": clock.now(), "machine": on, "figures": figures}
        (RESULTS / f"{name}.json").write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))
    if not names:
        print("\n".join(f"\n{name}: only when named, {why}" for name, why in ONLY_WHEN_NAMED.items()))
    return 0
