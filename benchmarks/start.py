"""How long from the command until the wall can be opened: on an empty folder, on its data, and on a long journal."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import program
from config import clock
from config.settings import Settings, load
from config.taxonomy import Taxonomy
from operations import lease, reception, snapshot
from operations.database import Database
from operations.report import Located, Place, Report
from operations.seal import KeyStore
from streams.worker import rules_of

ENTRIES = 1_000_000
TOLD = 20
"""Reports of one incident; so the board of the long journal holds ENTRIES / TOLD open ones."""
BATCH = 1_000
PAST_SNAPSHOT = 9_000
"""Entries after the newest snapshot: one is due each 10,000."""
HOUR = 3_600_000_000


def run(_settings: Settings) -> list[dict[str, Any]]:
    """Starts on an empty folder (cold) and again on the same one (warm), then on a journal of a million entries."""
    with tempfile.TemporaryDirectory(prefix="gwb") as name:
        cold, warm = _seconds(Path(name)), _seconds(Path(name))
    with tempfile.TemporaryDirectory(prefix="gwb") as name:
        settings = load(Path(name), environ={})
        _seconds(Path(name), "--no-demo")
        short = _seconds(Path(name), "--no-demo")
        fill(settings)
        long = _seconds(Path(name), "--no-demo")
        board = board_seconds(settings)
    method = "from `run.py` until the sign-in link is printed and /healthz answers; .venv was there already"
    return [
        {"name": "start, empty folder", "value": cold, "unit": "s", "goal": "", "method": method},
        {"name": "start, second time", "value": warm, "unit": "s", "goal": "", "method": method},
        {
            "name": f"start, {ENTRIES:,} entries",
            "value": long,
            "unit": "s",
            "goal": "< 5",
            "method": f"the same, {ENTRIES // TOLD:,} open incidents, a snapshot {PAST_SNAPSHOT:,} entries old; "
            f"without an entry {short:.1f} s",
        },
        {
            "name": f"the board of {ENTRIES:,} entries",
            "value": board,
            "unit": "s",
            "goal": "< 5",
            "method": "the newest snapshot and the entries after it, in one process",
        },
    ]


def _seconds(data: Path, *words: str) -> float:
    running = program.start(data, *words)
    program.stop(running)
    return running.started_s


def board_seconds(settings: Settings) -> float:
    """Loads the board as the hub does; the entries that the start itself wrote are folded, too."""
    database = Database(settings.database_url)
    database.snapshot_key = KeyStore(settings.data / "keys").snapshot_key()
    begun = clock.monotonic()
    snapshot.load(database)
    seconds = clock.monotonic() - begun
    database.close()
    return seconds


def fill(settings: Settings) -> None:
    """Decides and records ENTRIES reports as a worker does, with a snapshot PAST_SNAPSHOT before the end."""
    now = clock.now()
    rules = rules_of(settings, Taxonomy.load())
    keys = KeyStore(settings.data / "keys")
    database = Database(settings.database_url)
    database.snapshot_key = keys.snapshot_key()
    token = lease.acquire(database, lease.partition(0), "bench", HOUR, now)
    for first in range(0, ENTRIES, BATCH):
        if first == ENTRIES - PAST_SNAPSHOT:
            snapshot.save(database, snapshot.load(database))
        packet = (f"{first + 1}-0", [report(number, now) for number in range(first, first + BATCH)])
        reception.record(database, 0, token or 0, [packet], located=nowhere, rules=rules, keys=keys, now=clock.now())
    lease.release(database, lease.partition(0), token or 0)
    database.close()


def report(number: int, now: int) -> Report:
    """Returns one report; every incident is told of once before any is told of again."""
    revision, incident = divmod(number, ENTRIES // TOLD)
    place = Place(119.1635, 34.5722, 119.1635, 34.5722, address=f"人民路{incident}号")
    return Report(
        source="bench",
        id=str(incident),
        revision=str(revision),
        type="0304",
        title="人民路口燃气味道较大",
        text=f"第{revision}次",
        place=place,
        occurred_at=now,
        received_at=now,
        content_sha256=f"{number:064x}",
    )


def nowhere(reports: list[Report]) -> list[Located]:
    """Places without grids."""
    return [Located()] * len(reports)
