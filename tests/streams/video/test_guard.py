"""What the relay knows of grants: until when by a clock that nobody can put back, and nothing once nobody tells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.video.guard import PATIENCE, SECOND, Guard, Leave

WALL = 1_790_000_000 * SECOND
HOUR = 3_600 * SECOND


def leave(begins: float, ends: float, *cameras: str) -> Leave:
    return Leave(WALL + int(begins * SECOND), WALL + int(ends * SECOND), frozenset(cameras or ("c1",)))


def test_a_grant_passes_its_own_cameras_from_its_beginning_to_its_end() -> None:
    guard = Guard()
    assert guard.why_not("g", "c1", 100.0) == "unheard", "before anything was heard nobody knows"
    guard.heard({"g": leave(1, 4)}, 100.0, WALL)
    told = [guard.why_not("g", camera, now) for camera, now in (("c1", 100.5), ("c1", 101.0), ("c2", 102.0))]
    assert told == ["later", "", "ended"]
    assert guard.why_not("other", "c1", 102.0) == "ended"
    assert guard.why_not("g", "c1", 103.9) == "" and guard.why_not("g", "c1", 104.0) == "time"
    assert guard.run_out(103.9) == [] and guard.run_out(104.0) == ["g"]


def test_what_is_heard_no_more_has_ended_and_who_hears_nothing_passes_nothing() -> None:
    guard = Guard()
    guard.heard({"g": leave(0, 60)}, 100.0, WALL)
    guard.heard({}, 101.0, WALL + SECOND)
    assert guard.why_not("g", "c1", 101.0) == "ended"
    guard.heard({"g": leave(0, 60)}, 102.0, WALL + 2 * SECOND)
    guard.still(104.0)
    assert guard.why_not("g", "c1", 104.0 + PATIENCE - 0.01) == ""
    assert guard.why_not("g", "c1", 104.0 + PATIENCE) == "unheard"


@pytest.mark.parametrize("moved", [-HOUR, HOUR])
def test_a_clock_that_is_moved_moves_no_end(moved: int) -> None:
    guard = Guard()
    guard.heard({"g": leave(0, 10)}, 100.0, WALL)
    guard.heard({"g": leave(0, 10)}, 101.0, WALL + SECOND + moved)
    assert guard.why_not("g", "c1", 105.0) == ""
    guard.still(109.0)
    assert guard.why_not("g", "c1", 110.0) == "time"


@given(st.lists(st.integers(-HOUR, HOUR), max_size=20), st.integers(-20, 60))
def test_who_extends_or_shortens_moves_the_end_by_as_much_whatever_the_clock_says(jumps: list[int], more: int) -> None:
    guard = Guard()
    guard.heard({"g": leave(0, 30)}, 100.0, WALL)
    for jump in jumps:
        guard.heard({"g": leave(0, 30)}, 100.0, WALL + jump)
    guard.heard({"g": leave(0, 30 + more)}, 100.0, WALL - HOUR)
    assert guard.run_out(130.0 + more - 0.01) == []
    assert guard.run_out(130.0 + more) == ["g"]
