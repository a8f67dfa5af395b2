"""The order of revisions, ids and keys."""

from hypothesis import given
from hypothesis import strategies as st

from operations.decision import key_of, origin_of
from operations.report import revision_key
from operations.uuid7 import uuid7
from tests.operations.desk import report


def test_revisions_are_ordered_by_their_numbers_first() -> None:
    ordered = [
        "",
        "1",
        "v2",
        "v10",
        "2023-12-07T13:27:31Z new",
        "2023-12-07T13:27:32Z gone",
        "update 2023-12-08T00:00:00Z",
    ]
    assert sorted(ordered, key=revision_key) == ordered


def test_times_are_ordered_by_their_instant() -> None:
    ordered = [
        "2025-11-22 02:00",
        "2025-11-22T10:00:00+08:00",
        "2025-11-22T10:00:00.5+0800 5b1",
        "2025-11-22T02:00:00.75Z 10f",
        "2025-11-22T03:00:00Z",
        "2025-11-22T03:00:00.123456Z",
        "2025-11-22T03:00:00.2Z",
        "2025-11-22T03:00:00.200000001Z",
        "at 2025-11-22T03:00:01Z, 2",
        "at 2025-11-22T03:00:01Z, 10",
        "2025-13-45T99:99:99Z",  # no time: numbers
    ]
    assert sorted(ordered, key=revision_key) == ordered


@given(st.text(), st.text())
def test_any_two_revisions_have_one_order(one: str, other: str) -> None:
    assert (revision_key(one) < revision_key(other)) + (revision_key(other) < revision_key(one)) == (one != other)


@given(*[st.text(alphabet="a/1!?#", max_size=6)] * 4)
def test_different_reports_have_different_keys(a: str, b: str, c: str, d: str) -> None:
    assert (key_of(report(a, b)) == key_of(report(c, d))) == ((a, b) == (c, d))
    assert (origin_of("s", a) == origin_of("s", c)) == (a == c)


@given(st.integers(0, 2**48 * 1000 - 1), st.integers(0, 10**9))
def test_ids_sort_by_time(at: int, later: int) -> None:
    first, second = uuid7(at), uuid7(min(at + later, 2**48 * 1000 - 1))
    assert (len(first), first[14], first[19] in "89ab") == (36, "7", True)
    assert later == 0 or first[:18] <= second[:18]
