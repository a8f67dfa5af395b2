"""What a screen reads off a board at `now`: pure functions; times in UTC microseconds."""

from datetime import datetime, timedelta, tzinfo
from statistics import median
from typing import NamedTuple

from operations.board import HOUR, MINUTE, Board
from operations.buckets import Buckets

WINDOWS = {"15m": 15, "1h": 60, "24h": 24 * 60}  # minutes


def open_by_urgency(board: Board) -> dict[str, int]:
    """Return how many incidents are open, per urgency."""
    counts = {"critical": 0, "urgent": 0, "routine": 0}
    for (_, urgency), count in board.open_by.items():
        counts[urgency] = counts.get(urgency, 0) + count
    return counts


def received_today(board: Board, now: int, zone: tzinfo) -> int:
    """Return how many incidents were received since the city's midnight."""
    return _since(board.received_minutes, midnight(now, zone))


def closed_today(board: Board, now: int, zone: tzinfo) -> int:
    """Return how many closings there were since the city's midnight (closing twice counts twice)."""
    return _since(board.closed_minutes, midnight(now, zone))


def median_acknowledge_s(board: Board, now: int, zone: tzinfo) -> float | None:
    """Return the median seconds from receipt to acknowledgement today, or None when there was none."""
    start = midnight(now, zone)
    waits = [item.seconds for item in board.acknowledged if item.at >= start]
    return median(waits) if waits else None


def heat(
    board: Board,
    now: int,
    window: str,
    types: frozenset[str] | None = None,
    urgency: str | None = None,
    grids: frozenset[str] | None = None,
) -> dict[str, int]:
    """Count incidents per leaf grid ("" = unplaced) received in the window 15m | 1h | 24h | 7d, or open now ("open").

    The window reaches back to the start of the minute (7d: hour) it begins in. `grids`: only these leaves.
    """
    if window == "open":
        return board.open_now.by_leaf(0, types, urgency, grids)
    if window == "7d":
        return board.received_hours.by_leaf(now // HOUR - 7 * 24, types, urgency, grids)
    return board.received_minutes.by_leaf(now // MINUTE - WINDOWS[window], types, urgency, grids)


def received_by_hour(board: Board, now: int, zone: tzinfo, days: int = 8) -> list[list[int | None]]:
    """Return incidents received per hour: one row of 24 per city day, oldest first, today last; future hours None."""
    first = _local(now, zone).date() - timedelta(days=days - 1)
    rows: list[list[int | None]] = [[0] * 24 for _ in range(days)]
    for slot, count in board.received_hours.totals.items():
        local = _local(slot * HOUR, zone)
        day = (local.date() - first).days
        if 0 <= day < days:
            rows[day][local.hour] = (rows[day][local.hour] or 0) + count
    current = _local(now, zone).hour
    rows[-1] = [count if hour <= current else None for hour, count in enumerate(rows[-1])]
    return rows


def sources_by_state(board: Board) -> dict[str, int]:
    """Return how many sources are heard, silent, out of reach, and were never heard.

    An area, which knows no times, has none that were never heard.
    """
    counts = {"heard": 0, "silent": 0, "never": 0, "lost": 0}
    for one in board.sources.values():
        heard = one.last_received_at or not board.scope.city
        counts["lost" if one.lost else "silent" if one.silent else "heard" if heard else "never"] += 1
    return counts


class Load(NamedTuple):
    """Open incidents of a department, those of which a clock is overdue, and {step: open}."""

    open: int
    overdue: int
    steps: dict[str, int]


def load_by_department(board: Board) -> dict[str, Load]:
    """Return {department: load} of those that have any; overdue is what clocks have said."""
    steps: dict[str, dict[str, int]] = {}
    for (department, step), count in board.steps_by.items():
        steps.setdefault(department, {})[step] = count
    return {code: Load(sum(by.values()), board.overdue_by.get(code, 0), by) for code, by in steps.items()}


def midnight(now: int, zone: tzinfo) -> int:
    """Return the start of the city's day that contains `now`."""
    local = _local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(local.timestamp()) * 1_000_000


def _since(buckets: Buckets, start: int) -> int:
    return sum(count for slot, count in buckets.totals.items() if slot >= start // MINUTE)


def _local(at: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at / 1e6, zone)
