"""Quarantine 隔离来件: what could not be read or contradicts itself, to be repaired and resubmitted, or discarded.

The content is sealed; reading it needs a reason, which the journal keeps. `assets/desk/quarantine.js` draws the page.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.asked import Asked, Unclear, text, word, written
from dashboard.errand import Answer, explain
from dashboard.history import fault
from dashboard.names import Names, names_of
from operations.errors import OperationsError
from operations.quarantine import Item, Opened, Quarantined
from streams.errors import IntakeRefused

ASK = "quarantine-ask"
ROWS = "quarantine-rows"

CONTENT_MOST = 1024 * 1024
"""Characters of a repaired report; intake takes 1 MiB."""
INDENTED_MOST = 100_000
"""Bytes of JSON up to which the content is laid out in lines to be read."""


@dataclass(frozen=True)
class Row:
    """One item in quarantine; `why` and `field` in words, `path` the field as the source writes it.

    `received_at` in microseconds, `received` as the city's time.
    """

    id: str
    why: str
    source: str
    report: str
    field: str
    path: str
    received_at: int
    received: str
    size: int
    sha256: str


def rows(items: list[Item], names: Names) -> list[Row]:
    """Return the rows of items, in their order."""
    return [row(one, names) for one in items]


def row(one: Item, names: Names) -> Row:
    """Return the row of one item."""
    report = " ".join(part for part in (one.report_id, one.revision) if part)
    return Row(
        id=one.id,
        why=fault(names.words, one.reason),
        source=names.source(one.source),
        report=report,
        field=field(one.field, names.words),
        path=one.field,
        received_at=one.at,
        received=names.moment(one.at),
        size=one.size,
        sha256=one.raw_sha256,
    )


def content(opened: Opened) -> tuple[str, bool]:
    """Return the sealed bytes as text to repair, JSON laid out in lines, and whether nothing was lost doing so."""
    try:
        found = opened.raw.decode("utf-8")
    except UnicodeDecodeError:
        return opened.raw.decode("utf-8", errors="replace"), False
    if len(opened.raw) > INDENTED_MOST:
        return found, True
    try:
        return msgspec.json.format(opened.raw, indent=2).decode(), True
    except msgspec.MsgspecError:
        return found, True


def hint(opened: Opened, words: Words) -> str:
    """Return in words what intake suggests: a likely value, both coordinates, what is allowed, or nothing."""
    likely = {name: value for name, value in opened.params.items() if name in LIKELY}
    if len(likely) == 1:
        return words.text("desk.quarantine.likely", value=plain(*likely.values()))
    if likely:
        both = " ".join(f"{field(f'place.{name}', words)} {plain(value)}" for name, value in likely.items())
        return words.text("desk.quarantine.likely", value=both)
    if "allowed" in opened.params:
        return words.text("desk.quarantine.allowed", values=opened.params["allowed"])
    return ""


LIKELY = ("lon", "lat")
"""Parameters of a reason that name the value the source probably meant."""


def plain(number: str) -> str:
    """Return a number without a needless ".0"."""
    return str(number).removesuffix(".0")


def field(path: str, words: Words) -> str:
    """Return what a field of a report is called; one without a name is shown as it is."""
    key = f"desk.report_field.{path.replace('.', '_')}"
    return words.text(key) if key in words else path


def listing(found: Quarantined, names: Names, before: str) -> Answer:
    """Return what the browser is told of a page, which goes on after the id `before`, or begins anew without one."""
    shown = [asdict(one) for one in rows(found.items, names)]
    return {"rows": shown, "total": found.total, "more": found.next is not None, "before": before}


# ---- what the browser may ask ----------------------------------------------------------------------------------------


def read(commands: Any, words: Words, asked: Asked) -> Answer:
    """Open an item; the reading and its reason are an entry."""
    opened = commands.quarantine.read(word(asked, "id"), text(asked, "reason"))
    told, exact = content(opened)
    return {"ok": True, "text": "", "content": told, "exact": exact, "hint": hint(opened, words)}


def resubmit(commands: Any, words: Words, asked: Asked) -> Answer:
    """Send the repaired report through intake; what is still wrong is said and nothing is recorded."""
    repaired = asked.get("content")
    if not isinstance(repaired, str) or not repaired.strip() or len(repaired) > CONTENT_MOST:
        raise Unclear("content")
    wrong = commands.quarantine.resubmit(word(asked, "id"), written(repaired, "content").encode(), commands.wait)
    if wrong is not None:
        reason = words.text(
            "desk.fault.other", reason=fault(words, wrong.reason), field=field(wrong.field, words) or "JSON"
        )
        return {"ok": False, "code": wrong.reason, "text": words.text("desk.quarantine.still_bad", reason=reason)}
    return {"ok": True, "text": words.text("desk.quarantine.resubmitted")}


def discard(commands: Any, words: Words, asked: Asked) -> Answer:
    """Discard an item with a reason."""
    commands.quarantine.discard(word(asked, "id"), text(asked, "reason"))
    return {"ok": True, "text": words.text("desk.quarantine.discarded")}


ACTIONS: dict[str, Callable[[Any, Words, Asked], Answer]] = {"read": read, "resubmit": resubmit, "discard": discard}


def perform(commands: Any, words: Words, asked: Asked) -> Answer:
    """Carry out what was asked and return {ok, serial, text, ...}; never raises for a refusal."""
    serial = {"serial": asked.get("serial", 0)}
    try:
        action = ACTIONS.get(str(asked.get("action")))
        if action is None:
            raise Unclear("action")
        return serial | action(commands, words, asked)
    except OperationsError as error:
        return serial | {"ok": False, "code": error.code, "text": explain(error, words)}
    except Unclear as error:
        return serial | {"ok": False, "code": "unclear", "text": words.text("desk.error.unclear", field=str(error))}
    except IntakeRefused:
        return serial | {"ok": False, "code": "away", "text": words.text("desk.error.away")}


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Div:
    """Return the empty list, the empty detail and the stores that carry commands."""
    return html.Div(
        [
            html.P(words.text("desk.quarantine.intro"), className="desk-hint quarantine-intro"),
            html.Section(id="quarantine-items", className="desk-queue quarantine-items"),
            html.Section(id="quarantine-detail", className="quarantine-detail", tabIndex="-1"),
            html.Div(id="desk-toast", className="desk-toast", role="status", **{"aria-live": "polite"}),
            *(dcc.Store(id=id) for id in (ASK, ROWS, "desk-command", "desk-answer")),
            html.Div(id="desk-sink", hidden=True),
            html.Div(id="quarantine-sink", hidden=True),
        ],
        className="quarantine-body",
    )


def register(app: Any, commands: Any) -> None:
    """Register listing and the three commands."""
    words: Words = app.words

    def listed(asked: Asked | None) -> Answer:
        if not asked:
            raise PreventUpdate
        before, through = (str(asked.get(name) or "") for name in ("before", "through"))
        return listing(commands.quarantine.page(before, through), names_of(commands, words), before)

    def commanded(asked: Asked | None) -> Answer:
        if not asked:
            raise PreventUpdate
        return perform(commands, words, asked)

    app.callback(Output(ROWS, "data"), Input(ASK, "data"), prevent_initial_call=True)(listed)
    app.callback(Output("desk-answer", "data"), Input("desk-command", "data"), prevent_initial_call=True)(commanded)
    app.clientside_callback("dash_clientside.desk.answered", Output("desk-sink", "title"), Input("desk-answer", "data"))
    app.clientside_callback("dash_clientside.desk.listed", Output("quarantine-sink", "title"), Input(ROWS, "data"))
