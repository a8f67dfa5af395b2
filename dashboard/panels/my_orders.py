"""My orders 我的交办: what waits for whoever answers for a recipient, the most pressing first.

Drawn in the browser (`assets/liaison/mine.js`), so that nothing typed is lost. The live channel carries of each order
in the scope its id and when it changed; the page then asks for its own list.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.answering import perform
from dashboard.names import names_of
from dashboard.panels import attachment_shell
from operations import audit
from operations.board import Board
from operations.errors import Forbidden
from operations.orders.receipts import REASONS

BODY, ASKED, ANSWER = "mine-body", "mine-asked", "mine-answer"


def rows(board: Board, now: int, keys: Iterable[str] | None) -> dict[str, str | None]:
    """Return when each open order changed last, and nothing else of it: the frame is shared by all of a scope."""
    found = board.orders if keys is None else keys
    stands = {key: board.orders.get(key) for key in found}
    made = {key: None if one is None or not one.is_open else str(one.updated_at) for key, one in stands.items()}
    return {key: digest for key, digest in made.items() if digest is not None} if keys is None else made


KEYED = {"orders": rows}


def texts(words: Words) -> dict[str, str]:
    """Return what the browser says: the page's own texts, and what states, roles and reasons are called."""
    shared = {f"state.{code}": said for code, said in words.under("orders.state").items()}
    shared |= {f"role.{code}": said for code, said in words.under("orders.role").items()}
    shared |= {f"reason.{code}": words.text(f"orders.reason.{code}") for code in REASONS}
    shared |= {f"attachments.{code}": said for code, said in words.under("attachments").items()}
    shared |= {f"urgency.{code}": said for code, said in words.under("common.urgency").items()}
    return words.under("mine") | shared


def layout(words: Words) -> html.Section:
    """Return the empty page."""
    return html.Section(
        [
            html.Div(id=BODY, className="mine", **{"data-words": orjson.dumps(texts(words)).decode()}),
            html.Div(id="desk-toast", className="desk-toast", role="status", **{"aria-live": "polite"}),
            html.Div([dcc.Store(id=ASKED), dcc.Store(id=ANSWER), html.Div(id="mine-sink")], hidden=True),
        ],
        className="mine-page",
        **{"aria-label": words.text("page.orders")},
    )


def register(app: Any, commands: Any) -> None:
    """Register what the page asks."""
    words: Words = app.words

    def answered(asked: dict[str, Any] | None) -> Any:
        if not asked:
            raise PreventUpdate
        told = perform(commands.orders, commands.identity(), names_of(commands, words), asked)
        if told.get("code") == Forbidden.code:
            commands.trail.note(audit.forbidden(commands.identity(), "order.answer"))
        if told["ok"] and asked.get("action") == "open":
            subject = "order", str(asked.get("id", ""))
            told["attachments"] = attachment_shell.rows(commands.attachments, commands.identity(), subject)
        return told

    app.callback(Output(ANSWER, "data"), Input(ASKED, "data"), prevent_initial_call=True)(answered)
    app.clientside_callback("dash_clientside.desk.answered", Output("mine-sink", "title"), Input(ANSWER, "data"))
