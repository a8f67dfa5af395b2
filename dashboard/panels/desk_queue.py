"""The queue 事件队列 of the desk: incidents as small rows, kept live by id, as many as somebody can work through.

Beside them go the totals of all that is open, so that the queue can say what it does not hold. The browser filters,
orders and shows the rows (`assets/desk/queue.js`) and asks the API for those a filter wants beyond them
(`assets/desk/beyond.js`); a row that arrives never moves the selection.
"""

from collections.abc import Iterable
from typing import Any

from dash import html

from config.words import Words
from dashboard import jurisdiction
from dashboard.clocks import pressing_of
from dashboard.selection import Choice, Rank, gravest
from operations import views
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
    "supervised_at",
    "card",
    "flow",
    "stage",
    "grade",
    "suspended_at",
]
"""What the browser knows of an incident: nothing sealed, times in microseconds."""


OPEN_SHOWN = 3_000
"""Open incidents kept in the queue: the gravest, those nobody has acknowledged before the others, then the newest."""
CLOSED_SHOWN = 1_000
"""Closed incidents kept in the queue, the latest; older ones are in the journal."""

Row = dict[str, Any]
"""Those of an incident's `FIELDS` that say something."""


def row(incident: Incident) -> Row:
    """Return the row of one incident."""
    values: Row = {name: getattr(incident, name) for name in FIELDS} | {"distance_m": incident.nearest_m}
    values["clock"] = pressing_of(incident.clocks)
    return {name: plain(value) for name, value in values.items() if not empty(value)}


def empty(value: Any) -> bool:
    """Whether a value says nothing; a zero does say something."""
    return value is None or value is False or value == "" or value == ()


def plain(value: Any) -> Any:
    """Return `value` as JSON knows it."""
    return list(value) if isinstance(value, tuple) else value


def rank_open(one: Incident) -> Rank | None:
    """Return what orders the open ones; None for a closed one."""
    urgency, newest = gravest(one)
    return (urgency, one.acknowledged_at is not None, newest) if one.is_open else None


def rank_closed(one: Incident) -> Rank | None:
    """Return what orders the closed ones, the latest first; None for an open one."""
    return None if one.is_open else (-(one.closed_at or 0),)


def rows(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, Row | None]:
    """Return {id: row} of all or of `ids`, None for one that is not there; rows carry times, not ages."""
    found = {id: board.incidents.get(id) for id in (board.incidents if ids is None else ids)}
    return {id: row(one) if one else None for id, one in found.items()}


def totals(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, int]:
    """Return how many are open in all, by urgency, unacknowledged and unplaced."""
    urgencies = views.open_by_urgency(board)
    waiting = sum(sum(minutes.values()) for minutes in board.waiting.values())
    return urgencies | {"open": sum(urgencies.values()), "waiting": waiting, "unplaced": len(board.unplaced)}


KEYED = {"queue": rows, "totals": totals}
CHOSEN = {"queue": (Choice(OPEN_SHOWN, rank_open), Choice(CLOSED_SHOWN, rank_closed))}


def layout(words: Words) -> html.Section:
    """Return the empty queue; the browser fills it and says "loading" until the first frame."""
    return html.Section(
        html.P(words.text("desk.queue.loading"), className="desk-empty"),
        id=QUEUE,
        className="desk-queue",
        **{"aria-label": words.text("desk.queue.title")},
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return what the queue is of, for its foot, and what it says when it is empty."""
    empty_said = jurisdiction.within(words.text("desk.queue.empty"), board.scope, words)
    return {QUEUE: {"data-scope": jurisdiction.asking(board.scope, words), "data-none": empty_said}}
