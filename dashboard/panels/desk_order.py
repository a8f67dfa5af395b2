"""One order on the desk 交办详情: its text and trail, and what can be done about it and each of its recipients.

Head, buttons and forms live in the browser (`assets/desk/order.js`); text and trail are drawn here from the journal.
"""

from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import Asked, explain
from dashboard.history import Line, history
from dashboard.names import Names, names_of
from dashboard.ordering import perform
from operations.errors import OperationsError

BODY, OPEN, COMMAND, ANSWER = "desk-order-body", "desk-order-open", "desk-order-command", "desk-order-told"
LINES_MOST = 200


def layout(words: Words) -> html.Section:
    """Return the empty place of an order, over the map as the composer is."""
    return html.Section(
        [
            html.Div(id="desk-order-head"),
            html.Div(id=BODY, className="desk-drawer-body", tabIndex="-1"),
            dcc.Store(id=OPEN),
            dcc.Store(id=COMMAND),
            dcc.Store(id=ANSWER),
            html.Div(id="desk-ordered-sink", hidden=True),
        ],
        id="desk-order",
        className="desk-bench desk-order",
        hidden=True,
        **{"aria-label": words.text("desk.order.title")},
    )


def details(text: str, lines: list[Line], names: Names, id: str) -> html.Div:
    """Return text and trail of an order, the newest line first."""
    words = names.words
    trail = [
        html.Li(
            [
                html.Time(names.moment(line.at)),
                html.B(line.who),
                html.Span(line.what),
                *([html.P(line.more, className="desk-history-more")] if line.more and line.more != text else []),
            ],
            className="desk-history-item",
        )
        for line in lines[:LINES_MOST]
    ]
    said = [html.H3(words.text("desk.compose.body")), html.P(text, className="desk-text")] if text else []
    title = html.H3(words.text("desk.order.trail"))
    return html.Div([*said, title, html.Ol(trail, className="desk-history")], **{"data-id": id, "data-text": text})


def look(commands: Any, words: Words, id: str) -> html.Div | html.P:
    """Return the details of an order, or why they cannot be shown."""
    try:
        dossier = commands.orders.dossier(commands.identity(), id)
    except OperationsError as error:
        return html.P(explain(error, words), className="desk-empty")
    names = names_of(commands, words)
    return details(dossier.text, history(dossier.history, names), names, id)


def register(app: Any, commands: Any) -> None:
    """Register opening an order and carrying out a command on it."""
    words: Words = app.words

    def opened(asked: Asked | None) -> Any:
        if not asked:
            raise PreventUpdate
        return look(commands, words, str(asked.get("id", "")))

    def commanded(asked: Asked | None) -> dict[str, Any]:
        if not asked:
            raise PreventUpdate
        return perform(commands.orders, commands.identity(), words, asked)

    app.callback(Output(BODY, "children"), Input(OPEN, "data"), prevent_initial_call=True)(opened)
    app.callback(Output(ANSWER, "data"), Input(COMMAND, "data"), prevent_initial_call=True)(commanded)
    handed = (Output("desk-ordered-sink", "title"), Input(ANSWER, "data"))
    app.clientside_callback("dash_clientside.desk.answered", *handed)
