"""Times as sources write them."""

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import Unreadable
from streams.moment import joined, moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
FEED = ("%d %b %Y %H:%M:%S.%f", "%d %b %Y %H:%M:%S")


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1_000_000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-11-22T12:00:00+08:00", at(2025, 11, 22, 4)),
        ("2025-11-22T04:00:00Z", at(2025, 11, 22, 4)),
        ("2025-11-22 12:00:00", at(2025, 11, 22, 4)),  # no zone: the source's
        ("2025-11-22 12:00:75", at(2025, 11, 22, 4, 1, 15)),  # seconds over 59, seen in a real feed
        ("2016-12-31T23:59:60Z", at(2017, 1, 1)),  # a leap second
        (1_763_784_000, at(2025, 11, 22, 4)),
        (1_763_784_000_000, at(2025, 11, 22, 4)),
        (1_763_784_000_000_000, at(2025, 11, 22, 4)),
        (1_763_784_000.5, at(2025, 11, 22, 4) + 500_000),
    ],
)
def test_iso_and_numbers(value: object, expected: int) -> None:
    assert moment(value, SHANGHAI) == expected


def test_a_feeds_own_format_in_its_own_zone() -> None:
    canberra = ZoneInfo("Australia/Canberra")
    assert moment("08 Dec 2023 00:14:41.253", canberra, FEED) == at(2023, 12, 7, 13, 14, 41) + 253_000
    assert moment("07 Dec 2023 21:49:39", canberra, FEED) == at(2023, 12, 7, 10, 49, 39)


def test_a_date_and_a_time_in_two_fields() -> None:
    formats = ("%Y-%m-%d %H:%M:%S",)
    assert joined(["2025-11-22", "12:00:00"], SHANGHAI, formats) == at(2025, 11, 22, 4)
    # the time field holds the date too: it is enough
    assert joined(["2025-11-22", "2025-11-22 12:00:00"], SHANGHAI, formats) == at(2025, 11, 22, 4)


@pytest.mark.parametrize("value", ["", "yesterday", "2025-13-01", None, True, [], {}, "9" * 99, float("nan"), 1e300])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(Unreadable) as refused:
        moment(value, SHANGHAI)
    assert refused.value.code == "time_unreadable"


@given(st.text() | st.floats() | st.integers())
def test_never_another_error(value: object) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(moment(value, SHANGHAI, ("iso", *FEED)), int)
