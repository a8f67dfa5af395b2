"""Saved views 保存的视图 of the desk's queue: the browser keeps, chooses and forgets them (`assets/desk/views.js`)."""

from typing import Any

import msgspec
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.asked import Unclear, text, word
from dashboard.errand import explain
from operations.errors import OperationsError
from operations.kept_views import View

ASKED, ANSWER, SINK = "views-asked", "views-answer", "views-sink"


def rows(found: list[View]) -> list[dict[str, Any]]:
    """Return the views as the browser knows them."""
    return [{"id": one.id, "name": one.name, "filter": msgspec.to_builtins(one.shown)} for one in found]


def layout(words: Words) -> html.Div:
    """Return what carries the views there and back; the first answer comes when the page asks for it."""
    return html.Div([dcc.Store(id=ASKED), dcc.Store(id=ANSWER), html.Div(id=SINK, hidden=True)], hidden=True)


def done(viewbook: Any, asked: dict[str, Any], words: Words) -> str:
    """Carry out what was asked; return what is said of it. Raises OperationsError, Unclear."""
    act = word(asked, "do", ("list", "keep", "drop"))
    if act == "keep":
        kept = viewbook.keep(text(asked, "name"), asked.get("filter"))
        return words.text("desk.views.kept", name=kept.name)
    if act == "drop":
        viewbook.drop(word(asked, "id"))
        return words.text("desk.views.dropped", name=text(asked, "name"))
    return ""


def register(app: Any, commands: Any) -> None:
    """Register keeping, forgetting and listing views."""
    words: Words = app.words

    def views(asked: dict[str, Any] | None) -> dict[str, Any]:
        if not asked:
            raise PreventUpdate
        try:
            said, ok = done(commands.views, asked, words), True
        except (OperationsError, Unclear) as error:
            said, ok = explain(error, words) if isinstance(error, OperationsError) else words.text("views.wrong"), False
        return {"ok": ok, "said": said, "do": asked.get("do"), "views": rows(commands.views.listed())}

    app.callback(Output(ANSWER, "data"), Input(ASKED, "data"), prevent_initial_call=True)(views)
    app.clientside_callback("dash_clientside.desk.viewed", Output(SINK, "title"), Input(ANSWER, "data"))
