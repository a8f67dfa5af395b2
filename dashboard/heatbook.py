"""The heat as a ranking (热力对比): figures of one level in one unit, beside the same hours of past weeks.

Pure: what is asked, from when to when, which past spans it is compared with, and what the figures say. Times are UTC
microseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal

import msgspec

from dashboard.area import Area
from dashboard.lens import ALL, groups
from geo import heat as rollups
from operations import views
from operations.board import HOUR, MINUTE, Board
from operations.errors import OperationsError
from operations.scope import Scope
from operations.tally import Span, Wanted

WINDOWS = ("15m", "1h", "24h", "today", "7d", "open", "dates")
WEEKS = 4
"""Past spans a span is compared with, at most."""
DAYS_MOST = 31
UNITS = ("count", "people", "km2")
LEAST_MEAN = 5.0
"""Reports a past mean must have before a change is told in per cent: of two, one more is no trend."""
WEEK = timedelta(days=7)
Unit = Literal["count", "people", "km2"]


class WrongDates(OperationsError):
    """The dates are missing, in the wrong order, too far apart or ahead of now."""

    code = "operations.wrong_dates"


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see; `first` and `last`: city days of the window "dates"; `level` 0 is the deepest."""

    window: str = "24h"
    first: date | None = None
    last: date | None = None
    type: str = ALL
    urgency: str = ALL
    unit: Unit = "count"
    level: int = 0

    @property
    def wanted(self) -> Wanted:
        """What is counted."""
        types = None if self.type == ALL else groups().get(self.type, frozenset({self.type}))
        return Wanted(types, None if self.urgency == ALL else self.urgency)


class Row(msgspec.Struct):
    """One area. `value` is null where it would say nothing: `why` is "small" or "no_population" then.

    `past` is the mean of the past spans in the same unit, null where there are none; `past_count` the mean count.
    `share` is the change as a part of the past, null where the past is too little.
    """

    code: str
    name: str
    parent: str
    count: int
    population: int | None
    km2: float
    value: float | None
    why: str
    past_count: float | None
    past: float | None
    change: float | None
    share: float | None


class Ranking(msgspec.Struct):
    """The areas of one level, gravest first, with everything needed to say what they are figures of.

    `weeks` is how many past spans there were, `step_days` how far apart; `earliest` when the first report was received.
    `elsewhere` counts what lies in no area told: where there is no grid of this level, or what counts for one outside
    the scope by now. The areas, `unplaced`, `earlier` and `elsewhere` sum to `total`.
    """

    window: str
    since: int | None
    until: int
    as_of: int
    unit: str
    level: int
    levels: list[int]
    type: str
    urgency: str
    weeks: int
    step_days: int
    earliest: int | None
    total: int
    past_total: float | None
    unplaced: int
    earlier: int
    elsewhere: int
    minimum_population: int
    grids: int
    scope_grid: str
    scope_department: str
    areas: list[Row]


def span(asked: Asked, now: int, zone: tzinfo) -> Span:
    """Return what is counted: from whole minutes, 7d from a whole hour, as on the board. Raises WrongDates."""
    if asked.window == "dates":
        return _dates(asked, now, zone)
    if asked.window == "today":
        return Span(views.midnight(now, zone), now)
    if asked.window == "7d":
        return Span((now // HOUR - 7 * 24) * HOUR, now)
    minutes = views.WINDOWS.get(asked.window, 0)
    return Span((now // MINUTE - minutes) * MINUTE if minutes else 0, now)


def _dates(asked: Asked, now: int, zone: tzinfo) -> Span:
    first, last = asked.first, asked.last
    if first is None or last is None or not timedelta(0) <= last - first < timedelta(days=DAYS_MOST):
        raise WrongDates(days=DAYS_MOST)
    begun, ended = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    if begun >= now:
        raise WrongDates(days=DAYS_MOST)
    return Span(begun, min(ended, now))


def _midnight(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * 1_000_000


def step_days(found: Span) -> int:
    """Return how far apart the past spans lie: the fewest whole weeks that do not overlap."""
    week = 7 * 24 * HOUR
    return 7 * max(1, -(-(found.until - found.since) // (week + HOUR)))


def past(asked: Asked, found: Span, earliest: int | None, zone: tzinfo) -> list[Span]:
    """Return the same hours of past weeks by the city's clock, nearest first; none from before the first report."""
    if asked.window == "open" or earliest is None:
        return []
    back = timedelta(days=step_days(found))
    backs = [back * times for times in range(1, WEEKS + 1)]
    spans = [Span(_shifted(found.since, one, zone), _shifted(found.until, one, zone)) for one in backs]
    return [one for one in spans if one.since >= earliest]


def _shifted(at: int, back: timedelta, zone: tzinfo) -> int:
    """A moment so much earlier on the city's clock, whatever daylight saving did in between."""
    seconds, rest = divmod(at, 1_000_000)
    local = datetime.fromtimestamp(seconds, zone).replace(tzinfo=None) - back
    return int(local.replace(tzinfo=zone).timestamp()) * 1_000_000 + rest


def on_board(asked: Asked, now: int, zone: tzinfo, board: Board) -> dict[str, int]:
    """Return {leaf grid code: count} of what the board keeps; the window is not "dates"."""
    types, urgency = asked.wanted
    if asked.window == "today":
        return board.received_minutes.by_leaf(views.midnight(now, zone) // MINUTE, types, urgency)
    return views.heat(board, now, asked.window, types, urgency)


@dataclass(frozen=True)
class Counted:
    """Leaf counts of the span and of each past span."""

    now: Mapping[str, int]
    past: Sequence[Mapping[str, int]]


def ranking(area: Area, asked: Asked, found: Span, counted: Counted, about: "About") -> Ranking:
    """Return the figures of the areas inside the scope."""
    level = asked.level or area.shapes.deepest
    counts = rollups.rollup(counted.now, area.chains, area.heirs)
    before = [rollups.rollup(one, area.chains, area.heirs) for one in counted.past]
    rows = [
        row(measure, asked.unit, counts.get(measure.code, 0), [one.get(measure.code, 0) for one in before], about.least)
        for measure in rollups.measures(area.grids.values(), level)
        if about.scope.covers(area.chains[measure.code], about.scope.department)
    ]
    rows.sort(key=lambda one: (-1.0 if one.value is None else one.value, one.count, one.code), reverse=True)
    total, unplaced, earlier = (
        sum(counted.now.values()),
        counts.get(rollups.UNPLACED, 0),
        counts.get(rollups.EARLIER, 0),
    )
    return Ranking(
        window=asked.window,
        since=None if asked.window == "open" else found.since,
        until=found.until,
        as_of=about.now,
        unit=asked.unit,
        level=level,
        levels=list(area.shapes.levels),
        type=asked.type,
        urgency=asked.urgency,
        weeks=len(before),
        step_days=step_days(found),
        earliest=about.earliest,
        total=total,
        past_total=_mean([sum(one.values()) for one in counted.past]),
        unplaced=unplaced,
        earlier=earlier,
        elsewhere=total - unplaced - earlier - sum(one.count for one in rows),
        minimum_population=about.least,
        grids=area.id,
        scope_grid=about.scope.grid,
        scope_department=about.scope.department,
        areas=rows,
    )


@dataclass(frozen=True)
class About:
    """Who asks when: scope, the moment, the least people for a rate, and when the first report was received."""

    scope: Scope
    now: int
    least: int
    earliest: int | None


def row(measure: rollups.Measure, unit: Unit, count: int, before: Sequence[int], least: int) -> Row:
    """Return one area's figures."""
    why = _why(measure, unit, least)
    mean = _mean(before)
    value = None if why else _valued(measure, unit, count)
    old = None if why or mean is None else _valued(measure, unit, mean)
    change = None if value is None or old is None else value - old
    share = (count - mean) / mean if mean is not None and mean >= LEAST_MEAN else None
    return Row(
        measure.code, measure.name, measure.parent, count, measure.population, round(measure.km2, 4),
        value, why, mean, old, change, share,
    )  # fmt: skip


def _why(measure: rollups.Measure, unit: Unit, least: int) -> str:
    if unit == "km2":
        return "" if measure.km2 > 0 else "no_area"
    if unit != "people":
        return ""
    if not measure.population:
        return "no_population"
    return "small" if measure.population < least else ""


def _valued(measure: rollups.Measure, unit: Unit, count: float) -> float:
    if unit == "people":
        return count * rollups.PER_PEOPLE / (measure.population or 1)
    return count / measure.km2 if unit == "km2" else float(count)


def _mean(numbers: Sequence[int]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
