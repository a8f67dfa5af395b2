"""The order composer 拟单 of the desk: opened with everything proposed, one picker, sent with one key.

It stands over the map, between queue and incident, and lives in the browser (`assets/desk/compose.js`), so that nothing
typed is lost; here is what it asks the server: the proposal, who can be picked, and to send.
"""

from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard import composing
from dashboard.asked import Asked, Unclear, serial_of, text, word
from dashboard.errand import explain
from dashboard.names import names_of
from operations.errors import OperationsError

ASK, TOLD = "desk-compose", "desk-compose-told"


def layout(words: Words) -> html.Section:
    """Return the empty place of the composer and the store that carries what it asks."""
    return html.Section(
        [
            html.Div(id="desk-composer"),
            dcc.Store(id=ASK),
            dcc.Store(id=TOLD),
            html.Div(id="desk-compose-sink", hidden=True),
        ],
        id="desk-bench",
        className="desk-bench",
        hidden=True,
        **{"aria-label": words.text("desk.compose.title")},
    )


def propose(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Return what the composer opens with for an incident, or for an order that stands free."""
    if not asked.get("incident"):
        return {"proposal": composing.free()}
    who, id = commands.identity(), word(asked, "incident")
    proposal = commands.orders.propose(who, id, words.lang)
    one = commands.operations.dossier(who, id).incident
    return {"proposal": composing.proposed(one, proposal, names_of(commands, words))}


def find(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Return who can be picked for what was typed."""
    return {"found": composing.found(commands.contacts.find(text(asked, "typed"), limit=composing.FOUND_MOST))}


def send(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Send the order; the same key again is the same order."""
    order = commands.orders.send(commands.identity(), composing.drafted(asked))
    told = words.text("desk.compose.sent", number=order.number, n=len(order.recipients))
    return {"text": told, "id": order.id, "number": order.number}


DEEDS = {"propose": propose, "find": find, "send": send}


def answer(commands: Any, words: Words, asked: Asked) -> dict[str, Any]:
    """Return what is told about what the composer asks; never raises for a refusal."""
    deed = DEEDS.get(str(asked.get("deed")))
    told: dict[str, Any]
    try:
        if deed is None:
            raise Unclear("deed")
        told = {"ok": True, **deed(commands, words, asked)}
    except OperationsError as error:
        told = {"ok": False, "code": error.code, "text": explain(error, words)}
    except Unclear as error:
        told = {"ok": False, "code": "unclear", "text": words.text("desk.error.unclear", field=str(error))}
    return {"serial": serial_of(asked), **told}


def register(app: Any, commands: Any) -> None:
    """Register what the composer asks."""
    words: Words = app.words

    def asked(wanted: Asked | None) -> dict[str, Any]:
        if not wanted:
            raise PreventUpdate
        return answer(commands, words, wanted)

    app.callback(Output(TOLD, "data"), Input(ASK, "data"), prevent_initial_call=True)(asked)
    app.clientside_callback("dash_clientside.desk.answered", Output("desk-compose-sink", "title"), Input(TOLD, "data"))
