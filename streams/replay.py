"""Replay 回放 of a recorded feed through the HTTP door: one JSON object a line, sent when its time has come.

The file's own clock (`seen_utc`) is played `speed` times faster. It is safe to stop and to repeat: every row carries
its id and revision, so what was taken before is a duplicate and changes nothing.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from config import certificate, clock
from config.settings import Settings, terminal_language
from config.words import Words
from operations.database import Database
from operations.sources import Source
from streams.courier import MOST_ITEMS, Courier, Delivered
from streams.errors import StreamsError
from streams.own_sources import OwnSources

SOURCE = Source(
    id="canberra",
    name="堪培拉风暴（回放）",
    kind="replay",
    datum="WGS84",
    time_zone="Australia/Sydney",
    mapping="canberra",
)
CLOCK = "seen_utc"
OK, NOTHING = 0, 1
TELL_SECONDS = 1.0


class ReplayUnreadable(StreamsError):
    """The file cannot be replayed; the message says where it is wrong."""


class Row(NamedTuple):
    """One row of the file: when it was seen (seconds since 1970) and what it says."""

    seen: float
    item: dict[str, Any]


def main(settings: Settings, file: str, speed: float) -> int:
    """Play the file through the door of the running Gridwall; returns the exit code."""
    words = Words(terminal_language())
    rows = read(Path(file))
    if not rows:
        print(words.text("replay.nothing", file=file))
        return NOTHING
    database = Database(settings.database_url)
    try:
        database.migrate(settings.data / "copies", own_copies=settings.own_database_copies)
        token = OwnSources(database, settings.data / "keys").token(SOURCE, clock.now())
    finally:
        database.close()
    pause = threading.Event()
    trust = certificate.trust(settings)
    courier = Courier(settings.host, settings.port, lambda seconds: not pause.wait(seconds), trust)
    teller = _Teller(words, len(rows))
    print(words.text("replay.starting", count=len(rows), speed=f"{speed:g}", host=settings.host, port=settings.port))
    for done, total in play(rows, speed, lambda items: courier.deliver(token, items), clock.monotonic, pause.wait):
        teller.tell(rows[done - 1].seen, done, total)
    courier.close()
    return OK


def read(file: Path) -> list[Row]:
    """All rows in the order of their time. Raises ReplayUnreadable with the line that is wrong."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayUnreadable(f"{file}: {error}") from error
    rows = [_row(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return sorted(rows, key=lambda row: row.seen)


def play(
    rows: list[Row],
    speed: float,
    deliver: Callable[[list[dict[str, Any]]], Delivered],
    monotonic: Callable[[], float],
    wait: Callable[[float], object],
) -> Iterator[tuple[int, Delivered]]:
    """Deliver each row when its time has come; yields (rows done, all that was said of them) after each delivery."""
    if not speed > 0:
        raise ReplayUnreadable(f"speed is {speed:g}; allowed: a number above 0")
    began, first = monotonic(), rows[0].seen
    done, total = 0, Delivered()
    for seen, together in groupby(rows, key=lambda row: row.seen):
        early = (seen - first) / speed - (monotonic() - began)
        if early > 0:
            wait(early)
        items = [row.item for row in together]
        for start in range(0, len(items), MOST_ITEMS):
            part = items[start : start + MOST_ITEMS]
            total = total.plus(deliver(part))
            done += len(part)
            yield done, total


def _row(file: Path, number: int, line: str) -> Row:
    try:
        item = json.loads(line)
        seen = datetime.fromisoformat(item[CLOCK])
    except (ValueError, KeyError, TypeError) as error:
        raise ReplayUnreadable(f"{file}, line {number}: no JSON object with a time in {CLOCK!r} ({error})") from error
    return Row((seen if seen.tzinfo else seen.replace(tzinfo=UTC)).timestamp(), item)


class _Teller:
    """One line of progress, rewritten at most once a second on a terminal."""

    def __init__(self, words: Words, count: int) -> None:
        self._words, self._count = words, count
        self._told_at = -TELL_SECONDS

    def tell(self, seen: float, done: int, total: Delivered) -> None:
        last = done == self._count
        now = clock.monotonic()
        if not last and now - self._told_at < TELL_SECONDS:
            return
        self._told_at = now
        at = datetime.fromtimestamp(seen, SOURCE.zone)
        line = self._words.text(
            "replay.progress", at=f"{at:%Y-%m-%d %H:%M}", done=done, count=self._count, **total._asdict()
        )
        print(f"\r{line}\033[K" if sys.stdout.isatty() else line, end="\n" if last or not sys.stdout.isatty() else "")
        sys.stdout.flush()
