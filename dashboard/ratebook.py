"""Rates of cameras 在线率、完好率 as the page of cameras shows them, in the name of whoever asks."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

from config import clock
from dashboard import access
from dashboard.area import Area
from dashboard.spreadsheet import MARK, cell
from dashboard.trail import Trail
from operations import audit
from operations.cameras import reading, samples, tickets
from operations.cameras.rates import BY, HOUR, WHOLE, Axes, Over, Period, Sample, Tally, intact, weighted, within
from operations.cameras.ticket import Rules
from operations.database import Database
from operations.policy import reach

HOURS = (24, 7 * 24, 30 * 24)
"""Periods to choose from."""


class Line(NamedTuple):
    """A group: what it is grouped by, its name, its cameras now, and its rates over the period (None: not known)."""

    axis: str
    name: str
    tally: Tally
    over: Over | None


class Found(NamedTuple):
    """The figures within somebody's reach as of a time (UTC microseconds), and over a period."""

    now: Axes
    period: Period
    as_of: int

    def lines(self, axis: str) -> list[Line]:
        """Return the whole and the groups, the worst first."""
        whole = [(WHOLE, name) for name in self.now[WHOLE]]
        groups = sorted(self.now[axis], key=lambda name: (_share(self.now[axis][name]), name))
        every = [*whole, *((axis, name) for name in groups)]
        return [Line(by, name, self.now[by][name], self.period.axes.get(by, {}).get(name)) for by, name in every]


class Ratebook:
    """One per web process."""

    def __init__(
        self, database: Database, area: Callable[[], Area | None], trail: Trail, rules: Callable[[], Rules]
    ) -> None:
        self._database = database
        self._area = area
        self._trail = trail
        self._rules = rules

    def look(self, hours: int) -> Found:
        """Return the figures now and over the last `hours`. Raises Forbidden."""
        scope, now = reach(access.current(), "camera.browse"), clock.now()
        first = now - hours * HOUR
        with self._database.read() as connection:
            axes = samples.current(connection, now, scope)
            kept = [] if "" in scope.hidden else samples.kept(connection, first, now)
        told = [Sample(one.at, within(one.axes, scope.grid, scope.department)) for one in kept]
        return Found(axes, weighted(told, first, now), now)

    def waiting(self) -> dict[str, int]:
        """Return {department: cameras within reach whose fault has lasted and has no ticket yet}. Raises Forbidden."""
        scope = reach(access.current(), "camera.browse")
        with self._database.read() as connection:
            return tickets.waiting(connection, self._rules(), clock.now(), *reading.within(scope))

    def place(self, path: str) -> str:
        """Return the name of the town at the end of a path."""
        area, code = self._area(), path.rpartition("/")[2]
        return area.grids[code].name if area is not None and code in area.grids else code

    def sheet(self, hours: int, heads: Sequence[str], line: Callable[[Line, Found], Sequence[object]]) -> bytes:
        """Return all groups as CSV; the export is an entry. Raises Forbidden."""
        found = self.look(hours)
        lines = [*found.lines(BY[0]), *(one for axis in BY[1:] for one in found.lines(axis) if one.axis != WHOLE)]
        self._trail.note(audit.exported(access.current(), "camera_rates", "csv", groups=len(lines), hours=hours))
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([cell(one) for one in heads])
        writer.writerows([cell(value) for value in line(one, found)] for one in lines)
        return (MARK + out.getvalue()).encode()


def _share(one: Tally) -> float:
    percent = intact(one).percent
    return 101.0 if percent is None else percent
