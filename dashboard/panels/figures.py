"""Figures 今日要数: open by urgency, received and closed today, median to acknowledge, unplaced, quarantined, sources.

Every figure says what it is counted of or since when.
"""

from dataclasses import dataclass
from typing import Any

from dash import html

from config.taxonomy import URGENCIES
from config.words import Words
from operations.board import Board
from operations.views import (
    closed_today,
    median_acknowledge_s,
    midnight,
    open_by_urgency,
    received_today,
    sources_by_state,
)

LETTERS_MOST = 32
"""Letters of all values that fit at full size beside whole names; with more all are written smaller."""
GRAVEST_FIRST = tuple(reversed(URGENCIES))


@dataclass(frozen=True)
class Row:
    """One figure: its value and note as words' parameters, whether it asks for attention, whether it may be seen."""

    name: str
    value: str
    note: dict[str, Any]
    attention: bool = False
    forbidden: bool = False


def rows(board: Board, now: int, words: Words) -> list[Row]:
    """Return the figures in screen order."""
    zone = words.city.zone
    by_urgency = open_by_urgency(board)
    waiting = unanswered(board)
    levels = [
        Row(level, str(by_urgency[level]), {"n": waiting[level]}, bool(by_urgency[level])) for level in GRAVEST_FIRST
    ]
    received, closed = received_today(board, now, zone), closed_today(board, now, zone)
    acknowledged = sum(one.at >= midnight(now, zone) for one in board.acknowledged)
    sources = sources_by_state(board)
    open_count = sum(by_urgency.values())
    unplaced = sum(board.incidents[id].is_open for id in board.unplaced)
    return [
        *levels,
        Row("today", f"{received:,} / {closed:,}", {}),
        Row("acknowledge", duration(median_acknowledge_s(board, now, zone), words), {"n": f"{acknowledged:,}"}),
        Row("unplaced", f"{unplaced:,}", {"n": f"{open_count:,}"}, unplaced > 0, not board.scope.city),
        Row("quarantine", f"{board.open_quarantine:,}", {}, board.open_quarantine > 0, not board.scope.city),
        Row(
            "sources", f"{sources['heard']} / {sum(sources.values())}", sources, sources["silent"] + sources["lost"] > 0
        ),
    ]


def unanswered(board: Board) -> dict[str, int]:
    """Return how many open incidents nobody has acknowledged, per urgency."""
    counts = dict.fromkeys(URGENCIES, 0)
    for (_, urgency), minutes in board.waiting.items():
        counts[urgency] = counts.get(urgency, 0) + sum(minutes.values())
    return counts


def duration(seconds: float | None, words: Words) -> str:
    """Return a length of time in the largest unit that keeps two digits; a dash when there is none."""
    if seconds is None:
        return "–"
    if seconds < 120:
        return words.text("common.ago.seconds", n=round(seconds))
    if seconds < 7200:
        return words.text("common.ago.minutes", n=round(seconds / 60))
    return words.text("common.ago.hours", n=round(seconds / 3600))


NAMES = (*GRAVEST_FIRST, "today", "acknowledge", "unplaced", "quarantine", "sources")
PACE = 0.5  # seconds between two drawings: a burst leaves the browser time for the alerts


def layout(words: Words) -> html.Section:
    """Return the strip with no values yet."""
    return html.Section(
        [cell(name, words) for name in NAMES],
        id="wall-figures",
        className="figures",
        **{"aria-label": words.text("wall.figures.title")},
    )


def cell(name: str, words: Words) -> html.Div:
    """Return the place of one figure; levels carry their shape and word."""
    level = [html.Span(className=f"mark mark-{name}", **{"aria-hidden": "true"})] if name in URGENCIES else []
    return html.Div(
        [
            html.P([*level, html.Span("–", id=f"wall-figure-{name}-value")], className="figure-value"),
            html.Div(
                [
                    html.P(words.text(f"wall.figures.{name}"), className="figure-name cut"),
                    html.P("", id=f"wall-figure-{name}-note", className="figure-note cut"),
                ],
                className="figure-words",
            ),
        ],
        id=f"wall-figure-{name}",
        className=f"figure figure-{name}",
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return every value with its note."""
    props: dict[str, dict[str, Any]] = {}
    found = rows(board, now, words)
    small = " is-small" if sum(len(one.value) for one in found) > LETTERS_MOST else ""
    for one in found:
        asks = " asks" if one.attention and not one.forbidden else ""
        new = "_lost" if one.note.get("lost") else "_new" if one.note.get("never") else ""
        note = "wall.figures.forbidden" if one.forbidden else f"wall.figures.{one.name}_note{new}"
        props[f"wall-figure-{one.name}"] = {"className": f"figure figure-{one.name}{asks}{small}"}
        props[f"wall-figure-{one.name}-value"] = {"children": "–" if one.forbidden else one.value}
        props[f"wall-figure-{one.name}-note"] = {"children": words.text(note, **one.note)}
    return props
