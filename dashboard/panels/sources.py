"""Data sources 数据源: the age of each one's last report; a silent one is named and comes first."""

import re
from dataclasses import dataclass
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.shell import age, shell, state, width
from operations.board import Board
from operations.views import sources_by_state

LIST = "wall-sources-list"
NOTE = "wall-sources-note"
ROWS = 4
NAME_WIDTH = 20
"""Half characters of a name that fit beside the longest age."""
PACE = 1.0  # seconds between two drawings: a burst leaves the browser time for the alerts


@dataclass(frozen=True)
class Row:
    """One source; `last_at` in microseconds, None when it was never heard or, unless `timed`, is not ours to know."""

    name: str
    last_at: int | None
    silent: bool
    timed: bool
    lost: bool = False
    """Out of reach: it is pulled, and does not answer."""

    @property
    def away(self) -> bool:
        """Whether nothing comes from it."""
        return self.silent or self.lost


def rows(board: Board, now: int) -> list[Row]:
    """Return every source: those away first (out of reach, then longest silence), the others, latest heard first."""
    timed = board.scope.city
    found = [
        Row(one.name, one.last_received_at or None, one.silent, timed, bool(one.lost)) for one in board.sources.values()
    ]
    away = sorted((one for one in found if one.away), key=lambda one: (not one.lost, one.last_at or 0, one.name))
    heard = sorted((one for one in found if not one.away), key=lambda one: (-(one.last_at or 0), one.name))
    return [*away, *heard]


def layout(words: Words) -> html.Section:
    """Return the empty panel."""
    return shell("sources", words, [html.Ol(id=LIST, className="sources")])


def short(name: str) -> str:
    """Return a name that fits, if it does without what it adds in brackets."""
    return name if width(name) <= NAME_WIDTH else re.split(r"\s*[（(]", name)[0] or name


def item(one: Row, words: Words) -> html.Li:
    """Return one source with its age, or with how long it has been silent; in the view of an area with neither."""
    away = "lost" if one.lost else "silent"
    if not one.timed:
        told: list[Any] = [words.text(f"wall.sources.{away if one.away else 'heard'}")]
    elif one.lost and one.last_at is None:
        told = [words.text("wall.sources.lost")]
    elif one.last_at is None:
        told = [words.text("wall.sources.never")]
    elif one.away:
        told = [words.text(f"wall.sources.{away}"), " ", age(one.last_at)]
    else:
        told = [age(one.last_at), words.text("wall.header.ago")]
    return html.Li(
        [html.Span(short(one.name), className="source-name cut"), html.Span(told, className="source-age")],
        key=one.name,
        className="source is-silent" if one.away else "source",
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the first sources, and how many of all are heard."""
    found = rows(board, now)
    more = len(found) - ROWS
    note = words.text("wall.sources.note", heard=sources_by_state(board)["heard"], total=len(found))
    return {
        LIST: {"children": [item(one, words) for one in found[:ROWS]]},
        NOTE: {"children": words.text("wall.sources.note_more", note=note, n=more) if more > 0 else note},
        **state("sources", empty=not found),
    }
