"""Deadlines near and passed 临期与超时: what is most pressing, by what clocks have said; the rest is counted."""

from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.shell import nothing, shell, state, title_of, titled
from dashboard.selection import GRAVITY
from operations.board import Board
from operations.incident import Incident
from operations.ticking import OVERDUE, Clock, pressing

LIST = "wall-clocks-list"
NOTE = "wall-clocks-note"
ROWS = 4
PACE = 2.0  # seconds between two drawings: what is left is counted by the browser


@dataclass(frozen=True)
class Row:
    """One incident with its most pressing clock; `due_at` in microseconds; `title` None where it is withheld."""

    id: str
    urgency: str
    title: str | None
    clock: str
    due_at: int
    overdue: bool
    supervised: bool
    card: str


def rows(board: Board, now: int) -> list[Row]:
    """Return the most pressing first: the gravest that are overdue, the longest first, then those near due."""
    pressed = (board.incidents[key] for key in board.pressed)
    ranked = ((rank(one, clock), one, clock) for one in pressed if (clock := loudest(one)) is not None)
    return [row(one, clock) for _, one, clock in nsmallest(ROWS, ranked, key=lambda found: found[0])]


def loudest(one: Incident) -> Clock | None:
    """Return the clock that has said most, of those the one that is due first."""
    most = max((clock.told for clock in one.clocks if clock.runs), default=0)
    said = min(most, OVERDUE)
    return pressing(clock for clock in one.clocks if clock.told >= said) if said else None


def rank(one: Incident, clock: Clock) -> tuple[object, ...]:
    """Return what orders them."""
    return clock.told < OVERDUE, GRAVITY.get(one.urgency, len(GRAVITY)), clock.due_at, one.id


def row(one: Incident, clock: Clock) -> Row:
    """Return the row of one incident."""
    return Row(
        id=one.id,
        urgency=one.urgency,
        title=title_of(one),
        clock=clock.name,
        due_at=clock.due_at,
        overdue=clock.told >= OVERDUE,
        supervised=one.supervised_at is not None,
        card=one.card,
    )


def counts(board: Board) -> tuple[int, int]:
    """Return how many incidents are overdue, and how many more are near due."""
    overdue = sum(board.overdue_by.values())
    return overdue, len(board.pressed) - overdue


def layout(words: Words) -> html.Section:
    """Return the empty list."""
    return shell("clocks", words, [html.Ol(id=LIST, className="wall-clocks")])


def item(one: Row, words: Words) -> html.Li:
    """Return one row: the level's shape, what it is, which clock, and what is left or over."""
    marked = words.text(f"clock.card.{one.card}") if one.card else words.text("clock.supervised")
    extra = [html.Span(marked, className="wall-clock-card", **{"data-card": one.card})]
    return html.Li(
        [
            html.Span(className=f"mark mark-{one.urgency}", title=words.text(f"common.urgency.{one.urgency}")),
            html.Span(titled(one.title, words), className="wall-clock-title cut"),
            *(extra if one.card or one.supervised else []),
            html.Span(words.text(f"clock.name.{one.clock}"), className="wall-clock-name"),
            html.Time(className="wall-clock-left", **{"data-at": str(one.due_at), "data-way": "due"}),
        ],
        key=one.id,
        className="wall-clock is-overdue" if one.overdue else "wall-clock",
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the list and how many there are in all."""
    shown = rows(board, now)
    overdue, near = counts(board)
    return {
        LIST: {"children": [item(one, words) for one in shown]},
        NOTE: {"children": words.text("wall.clocks.note", overdue=overdue, near=near)},
        **nothing("clocks", board, words),
        **state("clocks", empty=not shown),
    }
