"""Working time 工作时间 reckoned across nights, weekends and holidays, in the city's time zone. Pure.

Times are UTC microseconds. What is worked lies in one table a year, so that adding is two look-ups.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from config.calendar import Workdays

SPANS = (3, 12, 60)
"""Years a table reaches ahead; the next one when a time does not lie in the one before."""
DAY_MINUTES = 24 * 60


class Worked(NamedTuple):
    """Periods of work in order; `before`: microseconds worked before each; `day_ends`: the end of each working day."""

    starts: list[int]
    ends: list[int]
    before: list[int]
    day_ends: list[int]
    until: int


class TooFar(ValueError):
    """A deadline lies further ahead than any calendar reaches; nothing is ever worked, or it is absurdly long."""


class Calendar:
    """The working calendar of one city."""

    def __init__(self, workdays: Workdays, zone: tzinfo) -> None:
        self.workdays = workdays
        self.zone = zone
        self._table = lru_cache(maxsize=8)(self._worked)

    def add_days(self, at: int, days: int) -> int:
        """Return the end of work on the `days`-th working day after the day of `at`, which is not counted."""
        midnight = _at(self._day(at) + timedelta(days=1), 0, self.zone)
        for table in self._tables(at):
            index = bisect_left(table.day_ends, midnight) + days - 1
            if index < len(table.day_ends):
                return table.day_ends[index]
        raise TooFar(f"{days} working days")

    def add(self, at: int, worked: int) -> int:
        """Return when so many microseconds have been worked after `at`; 0 is `at` itself."""
        if worked <= 0:
            return at
        for table in self._tables(at):
            wanted = _until(table, at) + worked
            index = bisect_left(table.before, wanted) - 1
            end = table.starts[index] + wanted - table.before[index]
            if end <= table.ends[index]:
                return end
        raise TooFar(f"{worked} microseconds of work")

    def between(self, start: int, end: int) -> int:
        """Return the microseconds worked from `start` to `end`."""
        for table in self._tables(start):
            if end <= table.until:
                return max(0, _until(table, end) - _until(table, start))
        raise TooFar(f"from {start} to {end}")

    def days_between(self, start: int, end: int) -> int:
        """Return how many working days end after the day of `start`, up to `end`."""
        midnight = _at(self._day(start) + timedelta(days=1), 0, self.zone)
        for table in self._tables(start):
            if end <= table.until:
                return max(0, bisect_right(table.day_ends, end) - bisect_left(table.day_ends, midnight))
        raise TooFar(f"from {start} to {end}")

    def _day(self, at: int) -> date:
        return datetime.fromtimestamp(at // 1_000_000, self.zone).date()

    def _tables(self, at: int) -> Iterator[Worked]:
        year = self._day(at).year
        return (self._table(year, years) for years in SPANS)

    def _worked(self, year: int, years: int) -> Worked:
        day, last = date(year, 1, 1), date(year + years, 1, 1)
        starts: list[int] = []
        ends: list[int] = []
        day_ends: list[int] = []
        while day < last:
            if self.workdays.works(day):
                for begin, end in self.workdays.hours:
                    starts.append(_at(day, begin, self.zone))
                    ends.append(_at(day, end, self.zone))
                day_ends.append(ends[-1])
            day += timedelta(days=1)
        lengths = (end - start for start, end in zip(starts, ends, strict=True))
        return Worked(starts, ends, [0, *accumulate(lengths)][:-1], day_ends, _at(last, 0, self.zone))


def _until(table: Worked, at: int) -> int:
    """Microseconds worked from the table's beginning to `at`."""
    index = bisect_right(table.starts, at) - 1
    return 0 if index < 0 else table.before[index] + min(at, table.ends[index]) - table.starts[index]


def _at(day: date, minute: int, zone: tzinfo) -> int:
    """A minute of a day in the zone; 24:00 is the next day's beginning."""
    told = datetime.combine(day, time(), zone) + timedelta(minutes=minute)  # adds on the wall clock of the zone
    return int(told.timestamp()) * 1_000_000
