"""What a desk has this wall show 大屏操控: the incident in focus, an order's receipts, a pinned panel, and who did it.

All walls of a scope get one frame; each shows what is under its own id (`assets/driven.js`). Nothing is shown that the
scope does not see, that has run out, or whose incident is closed.
"""

from typing import Any

import orjson
from dash import html

from config.words import Words
from dashboard.names import Names
from dashboard.panels.receipts_shell import LOOKS, MARKS, look
from dashboard.panels.shell import title_of, titled
from operations.board import Board
from operations.driven import Driven
from operations.incident import Incident
from operations.orders.order import Order

PLACE = "wall-driven"
RECIPIENTS = 6


def rows(board: Board, now: int) -> dict[str, Driven]:
    """Return what walls are to show now."""
    return {key: one for key, one in board.driven.items() if now < one.until and lives(board, one)}


def lives(board: Board, one: Driven) -> bool:
    """Say whether what it is about is still there, and its incident open."""
    incident = board.incidents.get(one.incident)
    return not one.incident or (incident is not None and incident.is_open)


def told(board: Board, one: Driven, now: int, words: Words) -> dict[str, Any]:
    """Return one wall's banner in words: who, until when, the incident, the order's receipts, the pinned panel."""
    until = Names(words, {}, {}).moment(one.until)[6:11]
    said: dict[str, Any] = {"by": words.text("wall.driven.by", who=one.by, until=until), "pinned": one.pinned}
    incident, order = board.incidents.get(one.incident), board.orders.get(one.order)
    if incident is not None:
        said["urgency"] = incident.urgency
        said["title"] = f"{titled(title_of(incident), words)} · {incident.number}"
        said["place"] = incident.address
        said["focus"] = focus(incident)
    if order is not None:
        said["order"] = words.text("wall.driven.order", number=order.number)
        said["receipts"] = receipts(order, now, words)
    return said


def focus(incident: Incident) -> dict[str, Any] | None:
    """Return where the map goes: the point (WGS 84 degrees), else the grid, None where neither is known."""
    if incident.lon is not None and incident.lat is not None:
        return {"lon": incident.lon, "lat": incident.lat}
    return {"grid": incident.grid} if incident.grid else None


def receipts(order: Order, now: int, words: Words) -> list[dict[str, str]]:
    """Return the recipients that press most, in words and marks."""
    found = sorted(((look(one, now), one) for one in order.recipients), key=lambda pair: LOOKS.index(pair[0]))
    return [
        {"look": shown, "text": f"{one.name} {MARKS[shown]}{words.text(f'wall.receipts.look.{shown}')}"}
        for shown, one in found[:RECIPIENTS]
    ]


def layout(words: Words) -> html.Div:
    """Return the empty place of the banner."""
    return html.Div(id=PLACE, className="driven", role="status", **{"data-walls": "{}"})


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return what each driven wall shows, by its id."""
    found = {key: told(board, one, now, words) for key, one in rows(board, now).items()}
    return {PLACE: {"data-walls": orjson.dumps(found).decode()}}
