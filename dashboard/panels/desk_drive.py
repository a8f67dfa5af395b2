"""Driving a wall 操控大屏 from the desk: a sheet of the walls of one's jurisdiction with what each was told to show."""

from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import Asked, Unclear, explain, serial_of, text, word
from operations.driven import Driven
from operations.errors import OperationsError

ASK, TOLD = "desk-drive", "desk-drive-told"


def layout(words: Words) -> html.Dialog:
    """Return the closed sheet; Shift+W opens it, Esc closes it."""
    return html.Dialog(
        [
            html.Div(id="desk-drive-body"),
            dcc.Store(id=ASK),
            dcc.Store(id=TOLD),
            html.Div(id="desk-drive-sink", hidden=True),
        ],
        id="desk-drive-sheet",
        className="desk-help desk-drive",
        **{"aria-label": words.text("desk.drive.title")},
    )


def walls(commands: Any) -> list[dict[str, str]]:
    """Return the walls that whoever asks may drive, with who drives each and what."""
    driven = commands.ask(lambda board: dict(board.driven), "wall.drive")
    found = []
    for one in commands.wallbook.targets():
        shows: Driven | None = driven.get(one.id)
        kept = {"incident": shows.incident, "order": shows.order, "pinned": shows.pinned} if shows else {}
        about = {"by": shows.by, "until": str(shows.until), **kept} if shows else {}
        found.append({"id": one.id, "name": one.name, **about})
    return found


def answer(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Carry out what the sheet asks, "list" or "drive", and return what is told; never raises for a refusal."""
    told: dict[str, Any] = {"ok": True}
    try:
        if word(asked, "deed", ("list", "drive")) == "drive":
            wanted = (text(asked, "incident"), text(asked, "order"), text(asked, "pinned"))
            commands.wallbook.drive(word(asked, "wall"), *wanted)
            key = "done" if any(wanted) else "released"
            told["text"] = words.text(f"desk.drive.{key}", name=text(asked, "name"))
        else:
            told["walls"] = walls(commands)
    except OperationsError as error:
        told = {"ok": False, "code": error.code, "text": explain(error, words)}
    except Unclear as error:
        told = {"ok": False, "code": "unclear", "text": words.text("desk.error.unclear", field=str(error))}
    return {"serial": serial_of(asked), **told}


def register(app: Any, commands: Any) -> None:
    """Register what the sheet asks."""
    words: Words = app.words

    def asked(wanted: Asked | None) -> dict[str, Any]:
        if not wanted:
            raise PreventUpdate
        return answer(commands, words, wanted)

    app.callback(Output(TOLD, "data"), Input(ASK, "data"), prevent_initial_call=True)(asked)
    app.clientside_callback("dash_clientside.desk.answered", Output("desk-drive-sink", "title"), Input(TOLD, "data"))
