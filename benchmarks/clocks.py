"""`run.py bench clocks`: what 100,000 open clocks cost a keeper and a wall, and what they add to opening an incident.

The keeper looks each second. Measured is its processor time: while nothing is due (most seconds), while clocks fire at
the pace they would if all were due within three days, and while a backlog is said after downtime.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

from msgspec import structs

from config import clock
from config.settings import Settings
from dashboard.panels import clocks as panel
from operations import deadlines, journal, snapshot
from operations.database import Database
from operations.deadlines import NONE, Deadlines
from operations.decision import Rules, Said, Standing, opened
from operations.entry import Draft, path
from operations.firing import Firing
from operations.reception import open_incidents
from operations.report import Located, Report

CLOCKS = 100_000
BLOCK = 2_500
DAYS = 3
SECOND = 1_000_000
QUIET, BUSY, PERIODS = 200, 30, 5
GOAL = 5.0
URGENT = "0304"


def run(settings: Settings) -> list[dict[str, Any]]:
    """The table's rows, in SQLite."""
    times = deadlines.of(settings.zone)
    start = clock.now()
    each = len(times.started(URGENT, "urgent", start))
    many = CLOCKS // each
    with tempfile.TemporaryDirectory() as folder, closing(Database(f"sqlite:///{folder}/gridwall.db")) as database:
        database.migrate(Path(folder))
        _fill(database, times, many, start)
        firing = Firing(database, times)
        quiet = _mean(firing.step, start, QUIET)
        busy, said = _busy(firing, start)
        late = _cost(lambda: firing.step(start + 30 * 86_400 * SECOND))
        drawn, pressed = _panel(database)
    told = f"{CLOCKS:,} clocks of {many:,} open incidents, processor time, SQLite; the keeper looks each second"
    return [
        _figure("nothing due", quiet * 100, "% of a core", f"< {GOAL:.0f}", f"{told}; mean of {QUIET} looks"),
        _figure("firing", busy * 100, "% of a core", f"< {GOAL:.0f}", f"{said:.2f} entries a look, mean of {BUSY}"),
        _figure("a backlog, one look", late, "s", "", "2,000 incidents at most, then the other chores have their turn"),
        _figure(
            "the wall's panel", drawn * 1e3, "ms", "", f"one drawing, at most every 2 s, {pressed:,} near or overdue"
        ),
        *_opening(times, start),
    ]


def _fill(database: Database, times: Deadlines, many: int, start: int) -> None:
    """Open incidents as the workers do, their clocks spread over some days."""
    step = DAYS * 86_400 * SECOND // many
    for first in range(0, many, BLOCK):
        drafts: list[Draft] = []
        opened_now: dict[str, Standing] = {}
        for number in range(first, min(first + BLOCK, many)):
            report = _report(number, start)
            incident = opened(f"{number:032d}", report, Located(), _rules(NONE), str, start)
            clocks = times.started(URGENT, "urgent", start + number * step)
            said = Said(report.revision, report.type, report.urgency, report.title)
            standing = Standing(structs.replace(incident, clocks=clocks), said)
            opened_now[str(number)] = standing
            drafts.append(_draft(standing, start))
        with database.write() as transaction:
            open_incidents(transaction, opened_now)
            journal.append(transaction, drafts)


def _busy(firing: Firing, start: int) -> tuple[float, float]:
    """Processor seconds a look and entries a look, while clocks come due one after the other."""
    now, said, costs = start + 300 * SECOND, 0, []
    firing.step(now)
    for _ in range(BUSY):
        now += SECOND
        before = time.process_time()
        said += firing.step(now)
        costs.append(time.process_time() - before)
    return statistics.fmean(costs), said / BUSY


def _panel(database: Database) -> tuple[float, int]:
    board = snapshot.load(database)
    return _cost(lambda: panel.rows(board, 0)), len(board.pressed)


def _opening(times: Deadlines, start: int) -> list[dict[str, Any]]:
    """What clocks add to the decision of a first report, by turns."""
    report, rows = _report(0, start), []
    for _ in range(PERIODS):
        pair = []
        for rules in (_rules(NONE), _rules(times)):
            before = time.process_time()
            for _ in range(20_000):
                opened("0" * 32, report, Located(), rules, str, start)
            pair.append((time.process_time() - before) / 20_000)
        rows.append(pair)
    without, with_them = (statistics.median(column) for column in zip(*rows, strict=True))
    told = f"median of {PERIODS} rounds by turns; without clocks {without * 1e6:.2f} µs"
    return [_figure("opening an incident with its clocks", with_them * 1e6, "µs", "", told)]


def _mean(do: Callable[[int], object], start: int, count: int) -> float:
    """Processor seconds of one call, over many."""
    before = time.process_time()
    for number in range(count):
        do(start + number)
    return (time.process_time() - before) / count


def _cost(do: Callable[[], object]) -> float:
    before = time.process_time()
    do()
    return time.process_time() - before


def _rules(times: Deadlines) -> Rules:
    return Rules({}, "centre", "990101", UTC, times)


def _report(number: int, at: int) -> Report:
    return Report(
        source="hotline",
        id=str(number),
        revision="1",
        type=URGENT,
        title="路口红灯不亮",
        urgency="urgent",
        occurred_at=at,
        received_at=at,
        content_sha256="",
        raw_sha256="",
    )


def _draft(standing: Standing, at: int) -> Draft:
    one = standing.incident
    return Draft(
        at=at,
        actor="source:hotline",
        action="incident.opened",
        subject_type="incident",
        subject_id=one.id,
        revision=1,
        scope_grid=path(one.chain),
        scope_department=one.department,
        body={"set": one},
    )


def _figure(name: str, value: float, unit: str, goal: str, method: str) -> dict[str, Any]:
    return {"name": name, "value": float(value), "unit": unit, "goal": goal, "method": method}
