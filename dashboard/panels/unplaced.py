"""Unplaced and quarantined 未落格与隔离: what map and grid figures cannot show, so that it is not forgotten.

Both belong to nobody's area, so only a screen of the whole city may see them.
"""

from dataclasses import dataclass
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.shell import age, shell, state, title_of, titled, width
from operations.board import Board

LIST = "wall-unplaced-list"
NOTE = "wall-unplaced-note"
QUARANTINE = "wall-unplaced-quarantine"
LINES = 4
LINE_WIDTH = 29
"""Half characters on a line of the panel: as many as Chinese fills it with, and as English does with wide letters."""
AGE_WIDTH = 8
PACE = 1.0  # seconds between two drawings: a burst leaves the browser time for the alerts


@dataclass(frozen=True)
class Row:
    """One incident outside every grid: title, what is known of its place, metres to the nearest grid."""

    id: str
    title: str | None
    urgency: str
    nearest: str
    distance_m: float | None
    has_point: bool
    opened_at: int


def rows(board: Board, now: int) -> list[Row]:
    """Return the open unplaced incidents, newest first."""
    found = [board.incidents[id] for id in board.unplaced if board.incidents[id].is_open]
    found.sort(key=lambda one: (-one.opened_at, one.id))
    return [
        Row(one.id, title_of(one), one.urgency, one.nearest, one.nearest_m, one.lon is not None, one.opened_at)
        for one in found
    ]


def layout(words: Words) -> html.Section:
    """Return the empty panel."""
    body = [html.Ol(id=LIST, className="unplaced"), html.P(id=QUARANTINE, className="quarantine cut")]
    return shell("unplaced", words, body)


def reason(one: Row, words: Words) -> str:
    """Return why it is unplaced: no position, no grid to lie in, or so far outside the nearest one."""
    if not one.has_point:
        return words.text("wall.unplaced.no_point")
    if one.distance_m is None:
        return words.text("wall.unplaced.no_grid")
    if one.distance_m < 1000:
        return words.text("wall.unplaced.metres", n=round(one.distance_m))
    return words.text("wall.unplaced.kilometres", n=f"{one.distance_m / 1000:,.1f}")


def lines(one: Row, words: Words) -> int:
    """Return how many lines a row takes: one, or those of its long title and one for the reason and the age."""
    beside = width(reason(one, words)) + AGE_WIDTH
    if width(titled(one.title, words)) + beside <= LINE_WIDTH:
        return 1
    return min(-(-width(titled(one.title, words)) // LINE_WIDTH), LINES - 1) + 1


def shown(found: list[Row], words: Words) -> list[Row]:
    """Return the newest rows that fit in the panel's lines."""
    rest, kept = LINES, []
    for one in found[:LINES]:
        rest -= lines(one, words)
        if rest < 0:
            break
        kept.append(one)
    return kept


def item(one: Row, words: Words) -> html.Li:
    """Return one row."""
    return html.Li(
        [
            html.Span(
                className=f"mark mark-{one.urgency}", role="img", title=words.text(f"common.urgency.{one.urgency}")
            ),
            html.Span(titled(one.title, words), className="unplaced-title cut"),
            html.Span(reason(one, words), className="unplaced-reason"),
            age(one.opened_at),
        ],
        key=one.id,
        className="unplaced-row is-long" if lines(one, words) > 1 else "unplaced-row",
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the newest unplaced incidents and both counts with what they are counted of."""
    found = rows(board, now)
    count = board.open_quarantine
    told = "quarantine" if count else "quarantine_none"
    open_count = sum(one.is_open for one in board.incidents.values())
    return {
        LIST: {"children": [item(one, words) for one in shown(found, words)]},
        NOTE: {"children": words.text("wall.unplaced.note", n=len(found), total=open_count)},
        QUARANTINE: {
            "children": words.text(f"wall.unplaced.{told}", n=f"{count:,}"),
            "className": "quarantine cut is-waiting" if count else "quarantine cut",
        },
        **state("unplaced", empty=not found, forbidden=not board.scope.city),
    }
