"""Live alerts 实时告警: what needs an answer first, then what is new; the rest is counted.

Order: 特急 nobody has acknowledged stay on top; then acknowledged 特急, unacknowledged 紧急 and acknowledged 紧急, the
newest first in each; then everything else, newest first, which always keeps `NEWEST` rows: the list never stands still.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.shell import SECOND, age, area, length, mark, nothing, place, shell, state, title_of, titled
from dashboard.selection import Choice, Rank, gravest
from operations.board import Board
from operations.incident import Incident

LIST = "wall-alerts-list"
MORE = "wall-alerts-more"
NOTE = "wall-alerts-note"

ROWS = 8
NEWEST = 3
NEW_SECONDS = 20
LOAD_WINDOW = 600 * SECOND
"""Ten minutes, the window a flood of alarms is told by: ten or more begin one (ISA-18.2, EEMUA 191)."""
FLOOD = 10
ALARMS_MOST = 500
"""Alarms a screen holds, the gravest first: one is enough to sound, and what has been called out stays called out."""
TITLE_WIDTHS = {"zh": (20, 34), "en": (16, 29)}
"""Half characters that fit beside the age, and on a whole smaller line; a still longer title takes two lines."""

STICKY, GRAVE, URGENT, HANDLED, REST = range(5)


@dataclass(frozen=True)
class Row:
    """One alert; times in microseconds, `town` and `grid` are codes."""

    id: str
    urgency: str
    title: str | None
    town: str
    grid: str
    address: str
    opened_at: int
    step: str
    acknowledged: bool
    is_new: bool
    reports: int


def rank(one: Incident) -> int:
    """Return the incident's class in the list."""
    if one.urgency == "critical":
        return GRAVE if one.acknowledged_at else STICKY
    if one.urgency == "urgent":
        return HANDLED if one.acknowledged_at else URGENT
    return REST


def rows(board: Board, now: int) -> list[Row]:
    """Return the alerts to show, at most `ROWS`."""
    waiting = sorted(
        (one for one in board.incidents.values() if one.is_open),
        key=lambda one: (rank(one), -one.opened_at, one.id),
    )
    sticky = sum(rank(one) == STICKY for one in waiting)
    grave = sum(rank(one) != REST for one in waiting)
    kept = max(min(grave, ROWS - min(NEWEST, len(waiting) - grave)), min(sticky, ROWS))
    chosen = waiting[:kept] + waiting[grave:][: ROWS - kept]
    return [row(one, now) for one in chosen]


def row(one: Incident, now: int) -> Row:
    """Return the row of one incident."""
    return Row(
        id=one.id,
        urgency=one.urgency,
        title=title_of(one),
        town=area(one.chain),
        grid=one.grid,
        address=one.address,
        opened_at=one.opened_at,
        step=one.step,
        acknowledged=one.acknowledged_at is not None,
        is_new=now - one.opened_at < NEW_SECONDS * SECOND,
        reports=one.reports,
    )


def alarms(board: Board, now: int, ids: Iterable[str] | None = None) -> dict[str, dict[str, Any] | None]:
    """Return what should sound: 特急 and 紧急 nobody has acknowledged; None for one that is answered or gone."""
    found = board.incidents if ids is None else {id: board.incidents.get(id) for id in ids}
    told = {id: alarm(one) for id, one in found.items()}
    return {id: one for id, one in told.items() if one} if ids is None else told


def alarm(one: Incident | None) -> dict[str, Any] | None:
    """Return the alarm of an incident, or None when it asks for no answer."""
    if one is None or not one.is_open or one.acknowledged_at or one.urgency == "routine":
        return None
    return {"urgency": one.urgency, "at": one.opened_at, "escalated": bool(one.escalated_at)}


def alarm_rank(one: Incident) -> Rank | None:
    """Return what orders the alarms: the gravest, then those called out to the commander, then the newest."""
    urgency, newest = gravest(one)
    return (urgency, not one.escalated_at, newest) if alarm(one) else None


KEYED = {"alarms": alarms}
CHOSEN = {"alarms": (Choice(ALARMS_MOST, alarm_rank),)}


def layout(words: Words) -> html.Section:
    """Return the empty list."""
    body = [html.Ol(id=LIST, className="alerts"), html.P(id=MORE, className="alerts-more cut")]
    return shell("alerts", words, body)


def item(one: Row, words: Words) -> html.Li:
    """Return one row of the list."""
    classes = ["alert", f"alert-{one.urgency}"]
    classes += ["is-waiting"] if not one.acknowledged and one.urgency != "routine" else []
    classes += ["is-new"] if one.is_new else []
    title = titled(one.title, words)
    classes += [length(title, TITLE_WIDTHS[words.lang])]
    known = words.text("wall.alerts.grid", code=one.grid) if one.grid else words.text("wall.unplaced.label")
    step = words.text("wall.alerts.waiting" if "is-waiting" in classes else progress(one))
    return html.Li(
        [
            mark(one.urgency, words),
            html.P(title, className="alert-title cut"),
            age(one.opened_at, class_name="alert-age"),
            html.P(place(one.town, one.grid, one.address or known), className="alert-place cut"),
            html.P(step, className="alert-step"),
        ],
        key=one.id,
        className=" ".join(filter(None, classes)),
    )


def progress(one: Row) -> str:
    """Return the key of how far it is: acknowledged counts for more than registered."""
    return "wall.alerts.acknowledged" if one.acknowledged and one.step == "register" else f"common.step.{one.step}"


def note(board: Board, now: int, words: Words) -> str:
    """Return the load of the last ten minutes, in words."""
    recent = sum(now - one.opened_at < LOAD_WINDOW for one in board.incidents.values())
    return words.text("wall.alerts.flood" if recent >= FLOOD else "wall.alerts.load", n=recent)


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the list, what it does not show, and the load."""
    shown = rows(board, now)
    more = sum(one.is_open for one in board.incidents.values()) - len(shown)
    return {
        LIST: {"children": [item(one, words) for one in shown]},
        MORE: {"children": words.text("wall.alerts.more", n=more) if more else words.text("wall.alerts.all")},
        NOTE: {"children": note(board, now, words)},
        **nothing("alerts", board, words),
        **state("alerts", empty=not shown),
    }
