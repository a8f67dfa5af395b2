"""What a smaller jurisdiction is told of the journal."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from operations import view
from operations.entry import Entry
from operations.scope import WHOLE, Scope

KEY = b"k" * 32
HERE, THERE = "990101/990101001", "990101/990101002"
SCOPE = Scope("990101001")


def entry(before: str, after: str, kind: str = "incident") -> Entry:
    places = {"scope_grid_before": before, "scope_grid": after, "scope_department": "", "scope_department_before": ""}
    hashes = dict.fromkeys(("body_digest", "prev_hash", "hash"), "")
    known = {"seq": 7, "at": 1, "actor": "a", "action": "x", "subject_type": kind, "subject_id": "i", "revision": 1}
    return Entry(**known, **places, **hashes, reason="", schema=1, body={"set": {"grid": after}})  # type: ignore[arg-type]


@given(st.integers(0, 2**52 - 1))
def test_a_number_stands_for_one_seq(seq: int) -> None:
    assert view.unveiled(KEY, view.veiled(KEY, seq)) == seq
    assert 0 <= view.veiled(KEY, seq) < 2**52


def test_numbers_tell_neither_order_nor_how_much_lies_between() -> None:
    told = [view.veiled(KEY, seq) for seq in range(1, 200)]
    assert len(set(told)) == len(told) and told != sorted(told)
    assert min(abs(one - other) for one, other in itertools.pairwise(told)) > 1_000
    assert told[0] != view.veiled(b"another" * 4, 1)


def test_what_leaves_is_told_as_having_left() -> None:
    left = view.told(entry(HERE, THERE), SCOPE)
    assert (left.seq, left.scope_grid, left.scope_grid_before, left.body) == (0, "", HERE, None)
    came = view.told(entry(THERE, HERE), SCOPE)
    assert (came.seq, came.scope_grid, came.scope_grid_before) == (0, HERE, "") and came.body
    assert view.told(entry(HERE, HERE), SCOPE) == structs.replace(entry(HERE, HERE), seq=0)


def test_a_warning_is_told_whole_and_so_is_everything_to_the_whole_city() -> None:
    assert view.told(entry(THERE, HERE, "warning"), SCOPE).scope_grid_before == THERE
    assert view.told(entry(HERE, THERE), WHOLE) == entry(HERE, THERE)
