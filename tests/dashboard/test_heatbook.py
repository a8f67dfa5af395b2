"""The ranking of the heat: spans, past weeks, units, small areas; by pure functions."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from dashboard import heatbook
from dashboard.heatbook import DAYS_MOST, WEEKS, Asked, WrongDates
from geo.grid import MICRO, Grid, chains
from geo.heat import Measure
from operations.board import HOUR, MINUTE
from operations.scope import Scope
from operations.tally import Span
from tests.geo.cities import general

CITY = ZoneInfo("Asia/Shanghai")
SUMMER = ZoneInfo("Europe/Berlin")
NOW = int(datetime(2026, 11, 22, 4, 30, 20, tzinfo=UTC).timestamp()) * 1_000_000  # 12:30 in the city, a Sunday
DAY = 24 * HOUR


def test_spans_are_those_of_the_board() -> None:
    assert heatbook.span(Asked("1h"), NOW, CITY) == Span((NOW // MINUTE - 60) * MINUTE, NOW)
    assert heatbook.span(Asked("7d"), NOW, CITY) == Span((NOW // HOUR - 168) * HOUR, NOW)
    today = heatbook.span(Asked("today"), NOW, CITY)
    assert datetime.fromtimestamp(today.since / 1e6, CITY).isoformat() == "2026-11-22T00:00:00+08:00"


def test_dates_are_city_days_and_end_now() -> None:
    found = heatbook.span(Asked("dates", date(2026, 11, 20), date(2026, 11, 22)), NOW, CITY)
    assert datetime.fromtimestamp(found.since / 1e6, CITY).isoformat() == "2026-11-20T00:00:00+08:00"
    assert found.until == NOW
    whole = heatbook.span(Asked("dates", date(2026, 11, 20), date(2026, 11, 20)), NOW, CITY)
    assert whole.until - whole.since == DAY


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (None, None),
        (date(2026, 11, 20), None),
        (date(2026, 11, 21), date(2026, 11, 20)),
        (date(2026, 10, 1), date(2026, 11, 20)),
        (date(2026, 11, 23), date(2026, 11, 23)),
    ],
)
def test_dates_that_cannot_be_counted_are_refused(first: date | None, last: date | None) -> None:
    with pytest.raises(WrongDates) as refused:
        heatbook.span(Asked("dates", first, last), NOW, CITY)
    assert refused.value.params == {"days": DAYS_MOST}


def test_past_weeks_begin_with_the_data() -> None:
    found = heatbook.span(Asked("24h"), NOW, CITY)
    assert len(heatbook.past(Asked("24h"), found, 1, CITY)) == WEEKS
    assert heatbook.past(Asked("24h"), found, None, CITY) == []
    assert heatbook.past(Asked("open"), found, 1, CITY) == []
    reaches = found.since - 14 * DAY
    assert heatbook.past(Asked("24h"), found, reaches, CITY) == [
        Span(found.since - 7 * DAY, found.until - 7 * DAY),
        Span(reaches, found.until - 14 * DAY),
    ]
    assert len(heatbook.past(Asked("24h"), found, reaches + 1, CITY)) == 1, "a week that is not whole is left out"


def test_long_spans_are_compared_with_spans_that_do_not_overlap() -> None:
    week = heatbook.span(Asked("7d"), NOW, CITY)
    assert heatbook.step_days(week) == 7
    days = heatbook.span(Asked("dates", date(2026, 11, 10), date(2026, 11, 20)), NOW, CITY)
    assert heatbook.step_days(days) == 14
    first = heatbook.past(Asked("dates"), days, 1, CITY)[0]
    assert first.until <= days.since


def test_past_weeks_follow_the_citys_clock_over_daylight_saving() -> None:
    noon = int(datetime(2026, 10, 26, 12, tzinfo=SUMMER).timestamp()) * 1_000_000  # the day after the change
    (before, *_) = heatbook.past(Asked("1h"), Span(noon - HOUR, noon), 1, SUMMER)
    assert datetime.fromtimestamp(before.until / 1e6, SUMMER).isoformat() == "2026-10-19T12:00:00+02:00"


PLACE = Measure("990101001", "东湖街道", "990101", 20_000, 4.0)


def test_units_have_their_denominators() -> None:
    assert heatbook.row(PLACE, "count", 8, [], 1000).value == 8
    assert heatbook.row(PLACE, "people", 8, [], 1000).value == 4
    assert heatbook.row(PLACE, "km2", 8, [], 1000).value == 2


@pytest.mark.parametrize(("people", "why"), [(None, "no_population"), (0, "no_population"), (999, "small"), (1000, "")])
def test_a_rate_over_too_few_people_is_not_told(people: int | None, why: str) -> None:
    row = heatbook.row(PLACE._replace(population=people), "people", 3, [3], 1000)
    assert row.why == why and (row.value is None) == bool(why) and (row.change is None) == bool(why)
    assert heatbook.row(PLACE._replace(population=people), "count", 3, [], 1000).value == 3


def test_a_change_is_beside_the_mean_and_in_per_cent_only_of_enough() -> None:
    row = heatbook.row(PLACE, "people", 12, [8, 12, 4, 8], 1000)
    assert (row.past_count, row.past, row.change, row.share) == (8.0, 4.0, 2.0, 0.5)
    assert heatbook.row(PLACE, "count", 3, [1, 2], 1000).share is None
    assert heatbook.row(PLACE, "count", 3, [], 1000).change is None


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=WEEKS), st.sampled_from(heatbook.UNITS))
def test_the_order_of_counts_is_the_order_of_values(count: int, before: list[int], unit: heatbook.Unit) -> None:
    row, more = (heatbook.row(PLACE, unit, number, before, 1000) for number in (count, count + 1))
    assert row.value is not None and more.value is not None and row.value < more.value
    if row.change is not None and row.past is not None:
        assert abs(row.past + row.change - row.value) < 1e-6 * max(1.0, row.value)


HERE = box(0, 0, 1, 1)
CITY_GRIDS = [
    general("1", HERE, 1), general("11", HERE, 2, "1"), general("12", HERE, 2, "1"), general("111", HERE, 3, "11"),
    Grid("m", "", MICRO, 4, "111", HERE), general("earlier", HERE, 2, "1"),
]  # fmt: skip
AREA: Any = SimpleNamespace(
    id=1, grids={grid.code: grid for grid in CITY_GRIDS}, chains=chains(CITY_GRIDS), heirs={"split": "11", "lost": "?"},
    shapes=SimpleNamespace(levels=(1, 2, 3), deepest=3),
)  # fmt: skip
CODES = [*AREA.chains, "split", "lost", ""]


@given(
    st.dictionaries(st.sampled_from(CODES), st.integers(0, 9)),
    st.integers(0, 3),
    st.sampled_from(["", "1", "11", "111", "12", "gone"]),
)
def test_areas_unplaced_earlier_and_elsewhere_sum_to_the_total(counts: dict[str, int], level: int, scope: str) -> None:
    about = heatbook.About(Scope(scope), NOW, 1000, None)
    found = heatbook.ranking(AREA, Asked(level=level), Span(0, NOW), heatbook.Counted(counts, []), about)
    told = sum(one.count for one in found.areas)
    assert told + found.unplaced + found.earlier + found.elsewhere == found.total == sum(counts.values())
    assert found.elsewhere >= 0 and found.earlier == counts.get("lost", 0) and found.unplaced == counts.get("", 0)
    if level == 1 and not scope:
        assert found.elsewhere == 0
