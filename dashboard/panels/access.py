"""Video access 视频调阅: what waits to be decided, asking for cameras, grants in force, and the rules.

Drawn in the browser (`assets/grants/`), on desk and phone alike. The live channel carries only that something about
requests or grants changed; the page then asks for its own lists (`dashboard/accessdesk.py`).
"""

import hashlib
from typing import Any

import msgspec
import orjson
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.accessdesk import answer
from operations.board import Board

BODY, BEAT, ASKED, ANSWER = "access-body", "access-beat", "access-asked", "access-answer"
TABS = ("inbox", "ask", "mine", "grants", "standing", "ledger", "rules")


def texts(words: Words) -> dict[str, str]:
    """Return what the browser says."""
    shared = {f"state.{code}": said for code, said in words.under("grants.state").items()}
    shared |= {f"kind.{code}": said for code, said in words.under("grants.kind").items()}
    shared |= {f"mode.{code}": said for code, said in words.under("grants.mode").items()}
    shared |= {f"urgency.{code}": said for code, said in words.under("common.urgency").items()}
    shared |= {f"role.{code}": words.text(f"policy.role.{code}") for code in ROLES}
    shared |= {f"axis.{code}": said for code, said in words.under("camerapage.axis").items()}
    return words.under("access") | shared


def map_texts(words: Words) -> dict[str, str]:
    """Return what the city's map says."""
    shared = {key: words.text(f"wall.map.{key}") for key in ("loading", "base_away", "base_unapproved")}
    return words.under("camera_map") | shared


ROLES = ("operator", "duty_commander", "leader", "liaison", "wall")


def layout(words: Words) -> html.Section:
    """Return the empty page."""
    say = {"data-words": orjson.dumps(texts(words)).decode()}
    say["data-map-words"] = orjson.dumps(map_texts(words)).decode()
    states = {"data-states": orjson.dumps(words.under("desk.cameras.state")).decode()}
    return html.Section(
        [
            html.Div(id=BODY, className="access", **say, **states),
            html.Div(id="desk-toast", className="desk-toast", role="status", **{"aria-live": "polite"}),
            dcc.Store(id=BEAT),
            html.Div([dcc.Store(id=ASKED), dcc.Store(id=ANSWER), html.Div(id="access-sink")], hidden=True),
            html.Div(id="access-beaten", hidden=True),
        ],
        className="access-page",
        **{"aria-label": words.text("page.access")},
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return a digest of what is asked and granted: when it changes the page asks for its lists anew."""
    told = msgspec.json.encode([board.asked, board.granted, len(board.decided)])
    return {BEAT: {"data": hashlib.sha256(told).hexdigest()[:16]}}


def register(app: Any, commands: Any) -> None:
    """Register what the page asks."""
    words: Words = app.words

    def asked(wanted: dict[str, Any] | None) -> dict[str, Any]:
        if not wanted:
            raise PreventUpdate
        return answer(commands, words, wanted)

    app.callback(Output(ANSWER, "data"), Input(ASKED, "data"), prevent_initial_call=True)(asked)
    app.clientside_callback("dash_clientside.desk.answered", Output("access-sink", "title"), Input(ANSWER, "data"))
    app.clientside_callback("dash_clientside.access.beaten", Output("access-beaten", "title"), Input(BEAT, "data"))
