"""Doubles on the live channel: what is pushed by changes is what drawing the whole board would say, in each scope."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from dashboard import frame, picture
from dashboard.frame import State
from dashboard.panels import desk_doubles
from dashboard.picture import Picture, Touched
from operations.board import Board
from tests.dashboard.panel_board import NOW, WORDS, board, incident

KEYS = "abcdef"
STEPS = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(("open", "closed", "gone")), st.integers(0, 2)), max_size=3
)


def drawn(one: Picture, found: Board, state: State, touched: frozenset[str]) -> None:
    """Draw until nothing is left to take in, as the hub does."""
    frame.apply(state, frame.changed(state, one.draw(found, NOW, state, Touched(incidents=touched))))


def pushed(state: State) -> dict[str, Any]:
    return {key[2]: value for key, value in state.items() if key[0] == "keyed"}


def whole(found: Board) -> dict[str, Any]:
    return {key: frame.encode(count) for key, count in desk_doubles.rows(found, NOW).items() if count}


@given(st.lists(STEPS, max_size=6))
def test_what_is_pushed_is_what_the_whole_board_says(turns: list[list[tuple[str, str, int]]]) -> None:
    found = board(*(incident(key, source=key) for key in KEYS[:3]))
    template = found.incidents["a"]
    one, state = Picture([desk_doubles], WORDS), State()
    drawn(one, found, state, frozenset())
    for steps in turns:
        for key, what, minutes in steps:
            if what == "gone":
                found.incidents.pop(key, None)
                continue
            at, step = NOW - minutes * 31 * 60_000_000, "closed" if what == "closed" else "register"
            found.incidents[key] = structs.replace(template, id=key, source=key, occurred_at=at, step=step)
        one._parts[0]._may_at = 0.0
        drawn(one, found, state, frozenset(key for key, _, _ in steps))
        assert pushed(state) == whole(found)


def test_a_new_channel_takes_in_a_crowd_in_portions(monkeypatch: Any) -> None:
    monkeypatch.setattr(picture, "PORTION", 2)
    found = board(*(incident(key, source=key) for key in KEYS))
    one, state = Picture([desk_doubles], WORDS), State()
    turns = 0
    while pushed(state) != whole(found):
        assert one.due_in() < 1.5, "it is due again as long as something is left"
        one._parts[0]._may_at = 0.0
        drawn(one, found, state, frozenset())
        turns += 1
    assert turns == 3
