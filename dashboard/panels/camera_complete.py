"""How whole the catalogue is 完整性: of each source what it announced, what is held, what is missing, since when."""

import base64
import csv
import io
from collections.abc import Sequence
from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate
from msgspec import Struct

from config.words import Words
from dashboard.catalogue import Whole
from dashboard.errand import explain
from dashboard.moment import shown_moment
from dashboard.names import Names, names_of
from dashboard.panels.admin_shell import notice, section, table
from dashboard.panels.camera_shell import source_name
from dashboard.spreadsheet import MARK, cell
from operations.errors import OperationsError

LIST, REFRESH, CSV, FILE = (f"camera-complete-{one}" for one in ("list", "refresh", "csv", "file"))
COLUMNS = ("source", "state", "announced", "held", "missing", "synced", "changes")
MISSING_LISTED = 50


class Row(Struct, frozen=True):
    """A source: `state` of whole, short, silent, never, ledger; `announced` None: it says nothing about how many."""

    id: str
    name: str
    state: str
    announced: int | None
    held: int
    missing: Sequence[str]
    lacking: int
    at: int
    added: int
    changed: int
    gone: int
    why: str = ""


def rows(found: Sequence[Whole], names: Names, words: Words) -> list[Row]:
    """Return the sources, those that need somebody first."""
    made = [row(one, names, words) for one in found]
    rank = {"silent": 0, "short": 1, "never": 2, "whole": 3, "ledger": 4}
    return sorted(made, key=lambda one: (rank[one.state], one.name, one.id))


def row(one: Whole, names: Names, words: Words) -> Row:
    """Return one source."""
    held, below = one.held, one.platform
    counts = (held.added, held.changed, held.gone)
    if below is None:
        name = source_name(held.source, names.sources, words)
        return Row(held.source, name, "ledger", None, held.held, (), 0, held.told_at, *counts)
    state = "never" if below.tried_at is None else "silent" if not below.online else "whole" if below.whole else "short"
    lacking = max(0, (below.announced or 0) - below.held)
    name = below.name or source_name(held.source, names.sources, words)
    told = (below.announced, held.held, below.lacking, lacking, below.synced_at or 0)
    return Row(held.source, name, state, *told, *counts, below.why)


def cells(one: Row, words: Words) -> list[str]:
    """Return a source's line in words, as it stands in the file."""
    say = words.text
    why = [say(f"platforms.why.{one.why}")] if one.why else []
    at = shown_moment(one.at, words.city.zone) if one.at else say("camerapage.complete.never_synced")
    changes = say("camerapage.complete.changes", added=one.added, changed=one.changed, gone=one.gone)
    return [
        f"{one.name} ({one.id})" if one.name != one.id else one.id,
        " ".join([say(f"camerapage.complete.state.{one.state}"), *why]),
        "—" if one.announced is None else f"{one.announced:,}",
        f"{one.held:,}",
        "—" if one.announced is None else f"{max(one.lacking, len(one.missing)):,}",
        at,
        changes,
    ]


def line(one: Row, words: Words) -> list[Any]:
    """Return a source's line, the missing ones folded away."""
    said: list[Any] = list(cells(one, words))
    said[1] = html.Span(said[1], className="camera-whole", **{"data-state": one.state})
    if one.missing:
        codes = [html.Li(html.Code(code)) for code in one.missing[:MISSING_LISTED]]
        said[4] = html.Details([html.Summary(said[4]), html.Ul(codes)])
    return said


def file(found: Sequence[Row], words: Words) -> dict[str, Any]:
    """Return the table as CSV with every missing code, as `dcc.Download` wants a file."""
    out = io.StringIO()
    writer = csv.writer(out)
    heads = [words.text(f"camerapage.complete.head.{name}") for name in COLUMNS]
    writer.writerow([*heads, words.text("camerapage.complete.codes")])
    for one in found:
        writer.writerow([*map(cell, cells(one, words)), cell(" ".join(one.missing))])
    name = f"{words.text('camerapage.complete.file')}.csv"
    body = base64.b64encode((MARK + out.getvalue()).encode()).decode()
    return {"filename": name, "type": "text/csv", "base64": True, "content": body}


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    buttons = [
        html.Button(words.text("camerapage.refresh"), id=REFRESH, type="button", className="desk-button"),
        html.Button(words.text("camerapage.complete.csv"), id=CSV, type="button", className="desk-button"),
    ]
    body = [
        html.P(words.text("camerapage.complete.about"), className="desk-hint"),
        html.Div(buttons, className="admin-line"),
        html.Div(id=LIST, className="camera-complete"),
        dcc.Download(id=FILE),
    ]
    return section("completeness", body)


# ---- doing -----------------------------------------------------------------------------------------------------------


def register(app: Any, commands: Any) -> None:
    """Register the table and its file."""
    words: Words = app.words

    def found() -> list[Row]:
        return rows(commands.catalogue.wholeness(), names_of(commands, words), words)

    def listed(_again: object) -> Any:
        try:
            lines = [line(one, words) for one in found()]
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        heads = [words.text(f"camerapage.complete.head.{name}") for name in COLUMNS]
        return table(heads, lines, empty=words.text("camerapage.complete.none"))

    def exported(clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return file(found(), words)

    app.callback(Output(LIST, "children"), Input(REFRESH, "n_clicks"))(listed)
    app.callback(Output(FILE, "data"), Input(CSV, "n_clicks"), prevent_initial_call=True)(exported)
