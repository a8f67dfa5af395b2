"""登记: what the operator writes down during a call becomes a report and goes through the same intake as every other.

The form lives in the browser (`assets/desk/form.js`). The caller's name and phone are only ever sent, never kept there;
intake seals them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.taxonomy import URGENCIES
from config.words import Words
from dashboard.asked import Unclear, number, text, word, written
from dashboard.errand import CHANNELS
from dashboard.history import fault, known
from streams.errors import BacklogFull, IntakeRefused

STORE = "desk-register"
ANSWER = "desk-registered"


def report(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report that a filled form stands for, as intake accepts it; raises Unclear with the field's name.

    Its id is made once per form in the browser, so sending twice is a repeat and not a second incident.
    """
    asked = dict(asked)
    found: dict[str, Any] = {
        "id": word(asked, "report"),
        "revision": "1",
        "occurred_at": begun(asked),
        "type": word(asked, "type"),
        "urgency": word(asked, "urgency", URGENCIES),
        "title": text(asked, "title"),
        "text": long_text(asked),
        "channel": word(asked, "channel", CHANNELS),
        "place": place(asked),
        "grid_code": text(asked, "grid"),
        "reporter": {"name": text(asked, "caller"), "phone": text(asked, "phone")},
    }
    found["reporter"] = {name: value for name, value in found["reporter"].items() if value}
    return {name: value for name, value in found.items() if value}


def begun(asked: dict[str, Any]) -> str:
    """Return when the form was opened (the browser says milliseconds of the server's clock), as ISO 8601 in UTC."""
    try:
        return datetime.fromtimestamp(number(asked, "at") / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, OSError, ValueError) as error:
        raise Unclear("at") from error


def long_text(asked: dict[str, Any]) -> str:
    """Return the matter in full, at most 4,000 characters."""
    value = asked.get("text") or ""
    if not isinstance(value, str) or len(value) > 4_000:
        raise Unclear("text")
    return written(value, "text").strip()


def place(asked: dict[str, Any]) -> dict[str, Any]:
    """Return address and point (WGS-84 degrees, from our own map), as far as they are known."""
    found: dict[str, Any] = {"address": text(asked, "address")} if asked.get("address") else {}
    if asked.get("lon") is not None:
        found |= {"lon": float(number(asked, "lon")), "lat": float(number(asked, "lat")), "datum": "WGS84"}
    return found


def told(receipt: Any, asked: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Return what the operator is told about the receipt."""
    serial = {"serial": asked.get("serial", 0), "report": asked.get("report")}
    if receipt.quarantined:
        one = receipt.quarantined[0]
        reason = fault(words, one.reason)
        return serial | {
            "ok": False,
            "code": one.reason,
            "field": one.field,
            "text": words.text("desk.error.quarantined", field=one.field, reason=reason),
        }
    return serial | {"ok": True, "text": words.text("desk.form.sent_again" if receipt.duplicates else "desk.form.sent")}


def refused(words: Words, asked: Mapping[str, Any], key: str, **params: object) -> dict[str, Any]:
    """Return that a form was not taken; what was typed stays in the form."""
    return {
        "serial": asked.get("serial", 0),
        "ok": False,
        "code": key,
        "text": words.text(f"desk.error.{key}", **params),
    }


def layout(words: Words) -> html.Div:
    """Return the stores that carry a form to the server and its answer back."""
    return html.Div(
        [dcc.Store(id=STORE), dcc.Store(id=ANSWER), html.Div(id="desk-registered-sink", hidden=True)], hidden=True
    )


def register(app: Any, commands: Any) -> None:
    """Register sending a form through intake."""
    words: Words = app.words

    def sent(asked: dict[str, Any] | None) -> dict[str, Any]:
        if not asked:
            raise PreventUpdate
        return send(commands, words, asked)

    app.callback(Output(ANSWER, "data"), Input(STORE, "data"), prevent_initial_call=True)(sent)
    app.clientside_callback(
        "dash_clientside.desk.answered", Output("desk-registered-sink", "title"), Input(ANSWER, "data")
    )


def send(commands: Any, words: Words, asked: dict[str, Any]) -> dict[str, Any]:
    """Send a filled form through intake and return what the operator is told."""
    if not commands.allowed("incident.register"):
        role = known(words, "desk.role", commands.identity().role)
        return refused(words, asked, "forbidden", role=role)
    try:
        return told(commands.register(report(asked)), asked, words)
    except Unclear as error:
        return refused(words, asked, "unclear", field=str(error))
    except IntakeRefused as error:
        return refused(words, asked, "full" if isinstance(error, BacklogFull) else "away")
    except TimeoutError:
        return refused(words, asked, "no_answer")
