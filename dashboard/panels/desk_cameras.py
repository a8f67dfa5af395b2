"""The pictures nearest to an incident 就近画面: four tiles and what can take their places; each look is journaled."""

from typing import Any

import orjson
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.camerabook import WITHIN_METRES
from dashboard.errand import Asked, Unclear, explain, serial_of, word
from operations.cameras.near import Near
from operations.errors import OperationsError

ASK, TOLD = "desk-cameras", "desk-cameras-told"


def layout(words: Words) -> html.Dialog:
    """Return the closed sheet; Shift+C opens it, Esc closes it and ends every look."""
    states = orjson.dumps(words.under("desk.cameras.state")).decode()
    return html.Dialog(
        [
            html.Div(id="desk-cameras-body", **{"data-states": states}),
            dcc.Store(id=ASK),
            dcc.Store(id=TOLD),
            html.Div(id="desk-cameras-sink", hidden=True),
        ],
        id="desk-cameras-sheet",
        className="desk-help desk-cameras",
        **{"aria-label": words.text("desk.cameras.title")},
    )


def rows(found: list[Near], words: Words) -> list[dict[str, Any]]:
    """Return what the sheet shows of each camera: id, name, a line about it, and whether it can be looked at."""
    return [
        {"id": one.camera.id, "name": one.camera.item.name, "about": about(one, words), "usable": one.usable}
        for one in found
    ]


def about(one: Near, words: Words) -> str:
    """Return distance and direction of a camera in words."""
    view = {True: "inview", False: "notview", None: "unknownview"}[one.in_view]
    said = [words.text("desk.cameras.away", metres=round(one.metres)), words.text(f"desk.cameras.{view}")]
    if not one.usable:
        said.append(words.text("desk.cameras.unusable"))
    return " · ".join(said)


def answer(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Return the cameras near an incident; never raises for a refusal."""
    try:
        id = word(asked, "incident")
        incident = commands.ask(lambda board: board.incidents.get(id), "camera.look")
        if incident is None:
            told = {"ok": False, "text": words.text("desk.cameras.gone")}
        elif incident.lon is None or incident.lat is None:
            told = {"ok": False, "text": words.text("desk.cameras.no_place")}
        else:
            found = rows(commands.camerabook.near(incident.lon, incident.lat), words)
            none = words.text("desk.cameras.none", metres=round(WITHIN_METRES))
            told = {"ok": True, "cameras": found} if found else {"ok": False, "text": none}
    except OperationsError as error:
        told = {"ok": False, "text": explain(error, words)}
    except Unclear as error:
        told = {"ok": False, "text": words.text("desk.error.unclear", field=str(error))}
    return {"serial": serial_of(asked), **told}


def register(app: Any, commands: Any) -> None:
    """Register what the sheet asks."""
    words: Words = app.words

    def asked(wanted: Asked | None) -> dict[str, Any]:
        if not wanted:
            raise PreventUpdate
        return answer(commands, words, wanted)

    app.callback(Output(TOLD, "data"), Input(ASK, "data"), prevent_initial_call=True)(asked)
    app.clientside_callback("dash_clientside.desk.answered", Output("desk-cameras-sink", "title"), Input(TOLD, "data"))
