"""The queue 事件队列 of the desk: every incident of the board as one small row, kept live by id.

The browser filters, orders and shows the rows (`assets/desk/queue.js`); a row that arrives never moves the selection.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from dash import html

from config.words import Words
from operations.board import Board
from operations.incident import Incident

QUEUE = "desk-queue"

FIELDS = [
    "number",
    "revision",
    "step",
    "urgency",
    "type",
    "title",
    "address",
    "lon",
    "lat",
    "grid",
    "chain",
    "nearest",
    "distance_m",
    "department",
    "source",
    "report_id",
    "channel",
    "source_status",
    "gone",
    "reports",
    "occurred_at",
    "received_at",
    "opened_at",
    "updated_at",
    "acknowledged_at",
    "acknowledged_by",
    "closed_at",
    "marks",
]
"""What the browser knows of an incident: nothing sealed, times in microseconds."""


CLOSED_SHOWN = 1_000
"""Closed incidents kept in the queue, the latest; older ones are in the journal."""

Row = dict[str, Any]
"""Those of an incident's `FIELDS` that say something."""


def row(incident: Incident) -> Row:
    """Return the row of one incident."""
    values = {name: getattr(incident, name) for name in FIELDS} | {"distance_m": incident.nearest_m}
    return {name: plain(value) for name, value in values.items() if not empty(value)}


def empty(value: Any) -> bool:
    """Whether a value says nothing; a zero does say something."""
    return value is None or value is False or value == "" or value == ()


def plain(value: Any) -> Any:
    """Return `value` as JSON knows it."""
    return list(value) if isinstance(value, tuple) else value


def rows(board: Board, ids: Iterable[str] | None = None) -> dict[str, Row | None]:
    """Return {id: row}, of all that are open and the latest closed, or of `ids`; None for one that is not there."""
    if ids is None:
        hidden = set(islice(board.closed, max(len(board.closed) - CLOSED_SHOWN, 0)))
        return {id: row(one) for id, one in board.incidents.items() if id not in hidden}
    found = {id: board.incidents.get(id) for id in ids}
    return {id: row(one) if one else None for id, one in found.items()}


def keyed(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, Row | None]:
    """Return the keyed change of the live channel; rows carry times, not ages, so `now` does not matter."""
    return rows(board, ids)


KEYED = {"queue": keyed}


def layout(words: Words) -> html.Section:
    """Return the empty queue; the browser fills it and says "loading" until the first frame."""
    return html.Section(
        html.P(words.text("desk.queue.loading"), className="desk-empty"),
        id=QUEUE,
        className="desk-queue",
        **{"aria-label": words.text("desk.queue.title")},
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return no props: the queue lives on its keyed rows."""
    return {}


def register(app: Any, commands: Any) -> None:
    """Register nothing: selecting and filtering happen in the browser."""
