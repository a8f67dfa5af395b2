"""The page of pictures 画面: 1, 4, 9 or 16 live tiles, filled by search, drag or keys, each look with its reason.

The browser (`assets/pictures/`) keeps what stands in which tile; here it finds cameras and incidents.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import orjson
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.asked import Asked, Unclear, serial_of, text, word, words_of
from dashboard.errand import explain
from operations.board import Board
from operations.cameras.condition import condition
from operations.cameras.reading import Camera
from operations.cameras.searching import Asked as Wanted
from operations.errors import OperationsError
from operations.incident import Incident
from operations.kept_views import PICTURES, View

ID = "pictures-page"
ASK, TOLD = "pictures-ask", "pictures-told"
TILES = (1, 4, 9, 16)
FOUND_MOST = 60
REASONS_MOST = 50
CARDS_MOST = 16


def layout(words: Words) -> html.Div:
    """Return the empty page; the browser draws tiles, search and the question why."""
    return html.Div(
        [
            part("side", words.text("desk.pictures.find")),
            part("main", words.text("desk.pictures.label")),
            html.Div(id="desk-toast", className="desk-toast", role="status", **{"aria-live": "polite"}),
            html.Dialog(id="pictures-why", className="desk-help pictures-why"),
            dcc.Store(id=ASK),
            dcc.Store(id=TOLD),
            html.Div(id="pictures-sink", hidden=True),
        ],
        id=ID,
        className="pictures-body",
        **{"data-states": orjson.dumps(words.under("desk.cameras.state")).decode()},
    )


def part(name: str, label: str) -> html.Section:
    """Return an empty part of the page."""
    return html.Section(id=f"pictures-{name}", className=f"pictures-{name}", **{"aria-label": label})


def rows(found: list[Camera], words: Words) -> list[dict[str, Any]]:
    """Return what the page shows of each camera: id, name, code, its condition, and what is said of it."""
    return [{"id": one.id, "name": one.item.name, "code": one.item.code, **standing(one, words)} for one in found]


def standing(one: Camera, words: Words) -> dict[str, Any]:
    """Return a camera's condition, and what is said of one that may show nothing."""
    streams = bool(one.item.url_main or one.item.url_sub)
    state = condition(one, clock.now())
    said = words.text(f"camerapage.condition.{state}") if state != "live" else ""
    return {"condition": state, "usable": streams, "about": said if streams else words.text("pictures.no_stream")}


def reasons(board: Board, wanted: str = "") -> list[dict[str, str]]:
    """Return the open incidents somebody may look for, the one wanted first, then the gravest and newest."""
    grave = {"critical": 2, "urgent": 1}
    open_ones = [one for one in board.incidents.values() if one.closed_at is None]
    open_ones.sort(key=lambda one: (one.id == wanted, grave.get(one.urgency, 0), one.received_at), reverse=True)
    return [reason(one) for one in open_ones[:REASONS_MOST]]


def reason(one: Incident) -> dict[str, str]:
    """Return an incident as a reason."""
    return {"id": one.id, "text": f"{one.number} {one.title}".strip()}


def find(commands: Any, asked: Asked, words: Words) -> dict[str, Any]:
    """Return the cameras that a text finds, as on the page of cameras; without one, first those with pictures."""
    if typed := text(asked, "text"):
        page = commands.catalogue.find(Wanted(text=typed), most=FOUND_MOST)
        return {"cameras": rows(list(page.cameras), words), "more": page.total > FOUND_MOST}
    found = commands.camerabook.filmed(FOUND_MOST + 1)
    return {"cameras": rows(found[:FOUND_MOST], words), "more": len(found) > FOUND_MOST}


def cards(commands: Any, asked: Asked, words: Words) -> dict[str, Any]:
    """Return the cameras of these ids, as far as one may look."""
    return {"cameras": rows(commands.camerabook.of(words_of(asked, "ids", CARDS_MOST)), words)}


def whys(commands: Any, asked: Asked, words: Words) -> dict[str, Any]:
    """Return the incidents one may look for."""
    wanted = text(asked, "incident")
    return {"incidents": commands.ask(lambda board: reasons(board, wanted), "incident.read")}


def views(commands: Any, asked: Asked, words: Words) -> dict[str, Any]:
    """Return one's own views."""
    return {"views": [shown(one) for one in commands.views.listed(PICTURES)]}


def keep(commands: Any, asked: Asked, words: Words) -> dict[str, Any]:
    """Keep what stands in the tiles under a name; return one's views."""
    kept = commands.views.keep(text(asked, "name"), asked.get("shown"), PICTURES)
    return {"text": words.text("desk.pictures.view_kept", name=kept.name), **views(commands, asked, words)}


def drop(commands: Any, asked: Asked, words: Words) -> dict[str, Any]:
    """Forget a view; return those that are left."""
    commands.views.drop(word(asked, "id"), PICTURES)
    return {"text": words.text("desk.pictures.view_dropped", name=text(asked, "name")), **views(commands, asked, words)}


def shown(view: View) -> dict[str, Any]:
    """Return a view as the browser knows it."""
    return {"id": view.id, "name": view.name, **msgspec.to_builtins(view.shown)}


Does = Callable[[Any, Asked, Words], dict[str, Any]]
DOES: dict[str, Does] = {"find": find, "cards": cards, "whys": whys, "views": views, "keep": keep, "drop": drop}


def answer(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Return what was asked; never raises for a refusal."""
    try:
        told = {"ok": True, **DOES[word(asked, "do", tuple(DOES))](commands, asked, words)}
    except OperationsError as error:
        told = {"ok": False, "text": explain(error, words)}
    except Unclear:
        told = {"ok": False, "text": words.text("pictures.asked_wrong")}
    return {"serial": serial_of(asked), **told}


def register(app: Any, commands: Any) -> None:
    """Register what the page asks."""
    words: Words = app.words

    def asked(wanted: Asked | None) -> dict[str, Any]:
        if not wanted:
            raise PreventUpdate
        return answer(commands, words, wanted)

    app.callback(Output(TOLD, "data"), Input(ASK, "data"), prevent_initial_call=True)(asked)
    app.clientside_callback("dash_clientside.desk.answered", Output("pictures-sink", "title"), Input(TOLD, "data"))
