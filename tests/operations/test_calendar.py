"""Working time: across nights, weekends, holidays and days made up for, in any zone."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.calendar import FILE, CalendarError, Workdays
from operations.calendar import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000_000
OURS = Workdays.load()
ZONES = [Calendar(OURS, ZoneInfo(name)) for name in ("Asia/Shanghai", "Australia/Sydney", "America/New_York", "UTC")]
MOMENTS = st.integers(1_767_225_600, 1_830_211_200).map(lambda one: one * 1_000_000)
"""From the beginning of 2026 to the end of 2027."""
FEWER = settings(max_examples=40)


def at(text: str) -> int:
    """A time in Shanghai."""
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()) * 1_000_000


def told(moment: int) -> str:
    """The same as text."""
    return datetime.fromtimestamp(moment / 1e6, SHANGHAI).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-23T10:00", 1, "11-24 17:30"),
        ("2026-11-23T23:59", 5, "11-30 17:30"),
        ("2026-02-13T09:00", 1, "02-14 17:30"),  # a Saturday made up for
        ("2026-02-13T09:00", 2, "02-24 17:30"),  # over Spring Festival
        ("2026-09-30T09:00", 2, "10-09 17:30"),
        ("2026-09-30T09:00", 3, "10-10 17:30"),
        ("2026-12-31T09:00", 1, "01-04 17:30"),  # the next year's New Year
    ],
)
def test_working_days_go_over_holidays_and_count_days_made_up(start: str, days: int, due: str) -> None:
    assert told(Calendar(OURS, SHANGHAI).add_days(at(start), days)) == due


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23T09:00", 1, "11-23 10:00"),
        ("2026-11-23T11:30", 1, "11-23 14:30"),  # over the midday break
        ("2026-11-23T17:00", 1, "11-24 09:00"),
        ("2026-11-27T17:00", 4, "11-30 12:00"),  # over a weekend
        ("2026-02-14T17:00", 1, "02-24 09:00"),
    ],
)
def test_working_hours_stand_still_at_night_and_on_free_days(start: str, hours: int, due: str) -> None:
    assert told(Calendar(OURS, SHANGHAI).add(at(start), hours * HOUR)) == due


@FEWER
@given(st.sampled_from(ZONES), MOMENTS, st.integers(1, 200 * HOUR))
def test_what_was_added_was_worked(calendar: Calendar, start: int, worked: int) -> None:
    due = calendar.add(start, worked)
    assert calendar.between(start, due) == worked
    assert calendar.between(start, due - 1) == worked - 1, "the earliest such time"


@FEWER
@given(st.sampled_from(ZONES), MOMENTS, st.integers(1, 60), st.integers(0, 30 * 24 * HOUR))
def test_working_days_are_counted_and_later_starts_are_never_due_earlier(
    calendar: Calendar, start: int, days: int, later: int
) -> None:
    due = calendar.add_days(start, days)
    assert calendar.days_between(start, due) == days
    last = datetime.fromtimestamp(due / 1e6 - 1, calendar.zone).date()
    assert OURS.works(last)
    assert calendar.add_days(start + later, days) >= due


@FEWER
@given(st.sampled_from(ZONES), MOMENTS, st.integers(0, 90), st.integers(0, 90))
def test_adding_twice_is_adding_the_sum(calendar: Calendar, start: int, one: int, other: int) -> None:
    assert calendar.add(calendar.add(start, one * HOUR), other * HOUR) == calendar.add(start, (one + other) * HOUR)


def test_each_published_year_has_as_many_days_off_as_the_state_council_gave() -> None:
    days = [date(2026, 1, 1) + timedelta(days=index) for index in range(365)]
    assert sum(day.year == 2026 for day in OURS.holidays) == 33
    assert sum(OURS.works(day) for day in days) == 248
    assert OURS.unconfirmed == {2027}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"2026-01-01..2026-01-03"', '"2026-01-03..2026-01-01"', "ends before it begins"),
        ('"2026-01-01..2026-01-03"', '"2025-01-01"', "2025-01-01 stands under 2026"),
        ('"2026-01-04", ', '"2026-01-05", ', "is no Saturday or Sunday"),
        ('"2026-01-04", ', '"2026-01-03", ', "a holiday and made up for"),
        ('"08:30-12:00"', '"8-12"', "write 08:30-12:00"),
        ('"14:00-17:30"', '"11:00-17:30"', "begin before those above end"),
        ("year = 2027", "year = 2026", "twice"),
    ],
)
def test_a_wrong_calendar_is_refused_and_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "calendar.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CalendarError, match=message):
        Workdays.load(path)
