"""The law of what a screen holds: after any changes it is what ordering the whole crowd gives, and frames say so."""

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from dashboard import frame
from dashboard.frame import State
from dashboard.panels import map
from dashboard.picture import Picture, Touched
from dashboard.selection import Choice, Rank, Selection, gravest
from operations.board import Board
from operations.incident import Incident
from tests.dashboard.panel_board import NOW, WORDS, board, incident

MOST = 3
CLOSED = 2
KEYS = "abcdefghijkl"
TEMPLATE = next(iter(board(incident("x")).incidents.values()))

Step = tuple[str, str | None, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KEYS), st.sampled_from(("critical", "urgent", "routine", "closed", None)), st.integers(0, 4)
    ),
    max_size=4,
)
"""What happens to an incident between two drawings: its urgency, "closed", or None: it leaves the board."""


def rank(one: Incident) -> Rank | None:
    return gravest(one) if one.is_open else None


def rank_closed(one: Incident) -> Rank | None:
    return None if one.is_open else (-one.opened_at,)


def first(crowd: dict[str, Incident], choice: Choice) -> set[str]:
    ranked = sorted((place, id) for id, one in crowd.items() if (place := choice.rank(one)) is not None)
    return {id for _, id in ranked[: choice.most]}


def take(crowd: dict[str, Incident], steps: list[Step]) -> frozenset[str]:
    """Change a crowd; return the ids that were touched."""
    for id, word, at in steps:
        if word is None:
            crowd.pop(id, None)
        elif word == "closed":
            crowd[id] = structs.replace(TEMPLATE, id=id, step="closed", opened_at=at)
        else:
            crowd[id] = structs.replace(TEMPLATE, id=id, urgency=word, opened_at=at)
    return frozenset(id for id, _, _ in steps)


@given(st.lists(STEPS, max_size=40))
def test_what_is_chosen_is_what_ordering_the_whole_crowd_gives(turns: list[list[Step]]) -> None:
    crowd: dict[str, Incident] = {}
    selection = Selection(Choice(MOST, rank))
    held: dict[str, Incident] = {}
    for steps in turns:
        came, went = selection.update(crowd, take(crowd, steps))
        for id in went:
            del held[id]
        held |= {id: crowd[id] for id in came}
        assert selection.chosen == first(crowd, Choice(MOST, rank))
        assert held == {id: crowd[id] for id in selection.chosen}
        assert len(selection._order) <= 2 * MOST


def panel() -> Any:
    made: Any = ModuleType("panel")
    made.render = lambda board, now, words: {}
    made.KEYED = {"rows": lambda board, now, ids: {id: told(board.incidents[id]) for id in ids}}
    made.CHOSEN = {"rows": (Choice(MOST, rank), Choice(CLOSED, rank_closed))}
    return made


def told(one: Incident) -> list[Any]:
    return [one.urgency, one.step, one.opened_at]


@given(st.lists(STEPS, min_size=1, max_size=40))
def test_a_screen_holds_what_a_fresh_one_would_get(turns: list[list[Step]]) -> None:
    found, state, picture = Board(at=NOW), State(), Picture([panel()], WORDS)
    for part in picture._parts:
        part.due_at = lambda: 0.0  # type: ignore[method-assign]  # the pace is not what is tried here
    for steps in turns:
        touched = Touched(incidents=take(found.incidents, steps))
        frame.apply(state, picture.draw(found, NOW, state, touched))
        wanted = first(found.incidents, Choice(MOST, rank)) | first(found.incidents, Choice(CLOSED, rank_closed))
        rows = {key[2]: value for key, value in state.items() if key[0] == "keyed"}
        assert rows == {id: frame.encode(told(found.incidents[id])) for id in wanted}


def test_a_drawing_that_failed_is_made_up_for_as_a_whole() -> None:
    made = panel()
    whole, broken = made.KEYED["rows"], [False]

    def rows(board: Board, now: int, ids: Any) -> Any:
        if broken[0]:
            raise ValueError("broken")
        return whole(board, now, ids)

    made.KEYED = {"rows": rows}
    found, state, picture = Board(at=NOW), State(), Picture([made], WORDS)
    for part in picture._parts:
        part.due_at = lambda: 0.0  # type: ignore[method-assign]
    turns: list[list[Step]] = [[("a", "urgent", 1)], [("b", "urgent", 2), ("a", None, 0)], []]
    for steps, fails in zip(turns, (False, True, False), strict=True):
        broken[0] = fails
        frame.apply(state, picture.draw(found, NOW, state, Touched(incidents=take(found.incidents, steps))))
    assert {key[2] for key in state if key[0] == "keyed"} == {"b"}


@pytest.mark.parametrize("count", [map.MARKS_MOST - 1, map.MARKS_MOST + 500])
def test_the_map_marks_the_gravest_then_the_newest_and_counts_the_others(count: int) -> None:
    found = board(incident("x"))
    take(found.incidents, [("x", None, 0)])
    found.incidents = {
        f"i{at}": structs.replace(TEMPLATE, id=f"i{at}", urgency="critical" if at < 3 else "routine", opened_at=at)
        for at in range(count)
    }
    state = State()
    frame.apply(state, Picture([map], WORDS).draw(found, NOW, state, Touched()))
    held = {key[2] for key in state if key[:2] == ("keyed", "markers")}
    assert len(held) == min(count, map.MARKS_MOST)
    assert {"i0", "i1", "i2", f"i{count - 1}"} <= held
    assert ("i3" in held) == (count < map.MARKS_MOST)
