"""`run.py bench verify`: how fast the journal's chain is checked, by one core and by all, and what SM3 would cost."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from config import clock
from config.settings import Settings
from operations import chain, journal, verification
from operations.database import Database, scan
from operations.entry import Draft

ENTRIES, AT_ONCE = 250_000, 1_000
DIGESTED = 50_000
GOAL = 80_000
START = 1_800_000_000_000_000
GRID = "990101/990101001/990101001002/990101001002003"


def run(settings: Settings) -> list[dict[str, Any]]:
    """The table's rows; the journal is one of their own, in SQLite."""
    del settings
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'gridwall.db'}"
        with closing(Database(url)) as database:
            database.migrate(Path(folder))
            _fill(database)
            return [*_checked(database), *_digests(database)]


def _fill(database: Database) -> None:
    """Entries as updates of incidents make them, with a sealed part each."""
    for first in range(0, ENTRIES, AT_ONCE):
        with database.write() as transaction:
            journal.append(transaction, [_draft(number) for number in range(first, first + AT_ONCE)])


def _draft(number: int) -> Draft:
    values = {"title": "路口红灯不亮，请尽快处理", "urgency": "urgent", "lon": 113.5, "lat": 34.7, "at": START + number}
    return Draft(
        at=START + number,
        actor="worker:w1",
        action="incident.updated",
        subject_type="incident",
        subject_id=f"0198c0de-7b7c-7000-8000-{number:012d}",
        revision=number % 5,
        scope_grid=GRID,
        scope_grid_before=GRID,
        scope_department="police",
        scope_department_before="police",
        body={"set": values, "report": {"source": "s1", "id": f"R{number}", "revision": "1"}},
        sealed=os.urandom(180),
    )


def _checked(database: Database) -> list[dict[str, Any]]:
    cores = os.cpu_count() or 1
    worked, began = clock.worked(), clock.monotonic()
    found = verification.verify(database, processes=1)
    worked, took = clock.worked() - worked, clock.monotonic() - began
    assert found.ok and found.count == ENTRIES
    began = clock.monotonic()
    assert verification.verify(database, processes=cores) == found
    together = clock.monotonic() - began
    journal_of = f"{ENTRIES:,} entries of about 700 bytes in SQLite"
    return [
        _figure("checked by one core", found.count / worked, f"{journal_of}; by processor time", f"≥ {GOAL:,}"),
        _figure("checked by one process", found.count / took, f"{journal_of}; by the clock on the wall"),
        _figure(f"checked by {cores} processes", found.count / together, "the same, their start included"),
    ]


def _digests(database: Database) -> list[dict[str, Any]]:
    """Only the digests of the same entries, with either hash, in memory."""
    with database.read() as connection:
        rows = next(iter(scan(connection, verification.statement(None, DIGESTED), DIGESTED)))
    told = f"entry and body digests alone of {len(rows):,} of these entries, in memory"
    figures = [_figure("digests with SHA-256", _digested(rows, hashlib.sha256), told)]
    if "sm3" not in hashlib.algorithms_available:
        return figures
    sm3: Callable[[bytes], Any] = lambda data: hashlib.new("sm3", data)  # noqa: E731
    return [*figures, _figure("digests with SM3", _digested(rows, sm3), f"{told}; by OpenSSL")]


def _digested(rows: Sequence[tuple[Any, ...]], digest: Callable[[bytes], Any]) -> float:
    hashing: Any = chain
    usual, hashing.sha256 = hashing.sha256, digest
    try:
        began = clock.worked()
        for row in rows:
            chain.entry_hash(row[0], row[1:13], row[13], row[14])
            chain.body_digest(row[17], row[16], row[18])
        return len(rows) / (clock.worked() - began)
    finally:
        hashing.sha256 = usual


def _figure(name: str, value: float, method: str, goal: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": "entries/s", "goal": goal, "method": method}
