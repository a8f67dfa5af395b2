"""The working calendar 工作日历 as data: holidays, days made up for 调休上班, and the hours worked on a working day."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

FILE = Path(__file__).with_name("calendar.toml")
LONGEST = 31
"""Days of the longest holiday that is believed."""


class CalendarError(ValueError):
    """The file contradicts itself; the message names the file and the line at fault."""


@dataclass(frozen=True)
class Workdays:
    """Days that are free, days made up for, periods of work (minutes of the day), years that nobody has confirmed."""

    hours: tuple[tuple[int, int], ...]
    holidays: frozenset[date] = frozenset()
    made_up: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    unconfirmed: frozenset[int] = frozenset()

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read and check the file; raises CalendarError."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls._of(data)
        except (CalendarError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise CalendarError(f"{path.name}: {error}") from error

    @classmethod
    def _of(cls, data: dict[str, Any]) -> Self:
        holidays: set[date] = set()
        made_up: set[date] = set()
        years = [int(one["year"]) for one in data["year"]]
        if len(set(years)) != len(years):
            raise CalendarError(f"a year is listed twice: {years}")
        for one in data["year"]:
            free, work = set(_days(one["holidays"])), set(_days(one["made_up"]))
            _check(int(one["year"]), free, work)
            holidays |= free
            made_up |= work
        unconfirmed = frozenset(int(one["year"]) for one in data["year"] if not one["confirmed"])
        return cls(_hours(data["hours"]), frozenset(holidays), frozenset(made_up), frozenset(years), unconfirmed)

    def works(self, day: date) -> bool:
        """Say whether it is a working day."""
        return day in self.made_up or (day.weekday() < 5 and day not in self.holidays)


def _check(year: int, free: set[date], work: set[date]) -> None:
    if strange := sorted(day for day in free | work if day.year != year):
        raise CalendarError(f"{strange[0]} stands under {year}")
    if both := sorted(free & work):
        raise CalendarError(f"{both[0]} is a holiday and made up for at once")
    if idle := sorted(day for day in work if day.weekday() < 5):
        raise CalendarError(f"{idle[0]} is made up for, but is no Saturday or Sunday")


def _days(spans: Iterable[str]) -> Iterator[date]:
    for span in spans:
        first, _, last = span.partition("..")
        try:
            begin = date.fromisoformat(first)
            end = date.fromisoformat(last or first)
        except ValueError as error:
            raise CalendarError(f"{span!r} is no day; write 2026-01-01 or 2026-01-01..2026-01-03") from error
        if not 0 <= (end - begin).days < LONGEST:
            raise CalendarError(f"{span!r} ends before it begins, or lasts longer than {LONGEST} days")
        yield from (begin + timedelta(days=index) for index in range((end - begin).days + 1))


def _hours(spans: list[str]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for span in spans:
        told = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", span)
        if told is None:
            raise CalendarError(f"hours {span!r}; write 08:30-12:00")
        first, last = int(told[1]) * 60 + int(told[2]), int(told[3]) * 60 + int(told[4])
        if not (found[-1][1] if found else 0) <= first < last <= 24 * 60:
            raise CalendarError(f"hours {span!r} begin before those above end, or end before they begin")
        found.append((first, last))
    if not found:
        raise CalendarError("hours are missing")
    return tuple(found)
