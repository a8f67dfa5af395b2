from msgspec import structs

from dashboard.panels import clocks
from operations.ticking import NEAR, OVERDUE, Clock
from tests.dashboard.panel_board import MINUTE, NOW, WORDS, board, incident


def clock(minutes: int, name: str = "close") -> Clock:
    """A clock due so many minutes from now, that has said what is due."""
    due = NOW + minutes * MINUTE
    return Clock(name, NOW - 60 * MINUTE, due, NOW - MINUTE, told=NEAR if minutes > 0 else OVERDUE)


def test_the_overdue_come_first_the_gravest_then_the_longest_and_the_rest_is_counted() -> None:
    found = board(
        incident("near", urgency="critical", clocks=(clock(1),)),
        incident("long", clocks=(clock(-50),)),
        incident("short", clocks=(clock(-5),)),
        incident("grave", urgency="critical", clocks=(clock(-1),)),
        incident("also", clocks=(clock(-2), clock(-7, "accept"))),
        incident("fine", clocks=(structs.replace(clock(9), told=0),)),
    )
    assert [one.id for one in clocks.rows(found, NOW)] == ["grave", "long", "also", "short"]
    assert clocks.rows(found, NOW)[2].clock == "accept"
    assert clocks.counts(found) == (4, 1)
    note = clocks.render(found, NOW, WORDS)[clocks.NOTE]["children"]
    assert note == WORDS.text("wall.clocks.note", overdue=4, near=1)


def test_what_does_not_run_presses_nobody() -> None:
    done, paused = structs.replace(clock(-5), done_at=NOW), structs.replace(clock(-5), paused_at=NOW)
    found = board(incident("done", clocks=(done,)), incident("paused", clocks=(paused,)))
    assert clocks.rows(found, NOW) == []
    assert clocks.render(found, NOW, WORDS)["wall-clocks"]["data-state"] == "empty"


def test_a_screen_that_gets_no_words_gets_none_here() -> None:
    one = incident("a", clocks=(clock(-5),), marks=("withheld",))
    assert clocks.rows(board(one), NOW)[0].title is None
