"""The card of a grid 网格卡 on the desk: a sheet over the map, opened by a click on a place, a grid, or the key I."""

from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.gridcard import counted
from dashboard.panels import gridcard_shell
from operations.errors import OperationsError

SHEET, BODY, ASKED = "desk-gridcard", "desk-gridcard-body", "desk-gridcard-asked"
CODE_MOST = 100


def layout(words: Words) -> html.Dialog:
    """Return the closed sheet; Esc closes it."""
    close = html.Button(
        [html.Kbd("Esc"), words.text("common.close")], id="desk-gridcard-close", className="desk-button quiet"
    )
    return html.Dialog(
        [html.Header([html.B(words.text("card.title")), close]), html.Div(id=BODY, tabIndex="-1"), dcc.Store(id=ASKED)],
        id=SHEET,
        className="gridcard-sheet",
        **{"aria-label": words.text("card.title")},
    )


def register(app: Any, commands: Any) -> None:
    """Register showing the card that is asked for."""
    words: Words = app.words

    def asked(wanted: dict[str, Any] | None) -> Any:
        if not wanted:
            raise PreventUpdate
        now = clock.now()
        code = str(wanted.get("code", ""))[:CODE_MOST]
        try:
            counts = commands.ask(lambda board: counted(board, now), "incident.read")
            found = commands.gridcards.facts(commands.area(), code, counts, words.city.minimum_population)
        except OperationsError as error:
            return html.P(explain(error, words), className="desk-empty")
        return gridcard_shell.card(found, words)

    app.callback(Output(BODY, "children"), Input(ASKED, "data"), prevent_initial_call=True)(asked)
