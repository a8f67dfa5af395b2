"""The tab of field mappings 字段对照: their columns to our fields, tried on a sample, saved and used by the source.

The editor is drawn by `assets/admin/mapping.js` from FACTS; what it holds comes back in DRAFT.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from dash import Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate
from msgspec import structs

from config.taxonomy import URGENCIES
from config.words import Words
from dashboard.panels.admin_shell import leading, notice, section, table
from dashboard.panels.file_shell import TOLD, Row, field_name, previewed, reason, rows, taxonomy, trouble
from dashboard.repairs import Tested
from operations.errors import NotFound
from streams.mapping import FIELDS, written
from streams.moment import EXCEL, serial
from streams.proposal import FORMATS, formats_of
from streams.tables.columns import Column

FACTS, DRAFT, COPY, SAVED = "mapping-facts", "mapping-draft", "mapping-copy", "mapping-saved"
EDITOR, PREVIEW, SAVE, TOLD_SAVED = "mapping-editor", "mapping-preview", "mapping-save", "mapping-told"
REASON, OPEN, OPENED, QUARANTINED = "mapping-reason", "mapping-open", "mapping-opened", "mapping-quarantined"
TEST, TESTED, RESUBMIT, RESUBMITTED = "mapping-test", "mapping-tested", "mapping-resubmit", "mapping-resubmitted"
CHOSEN, FILE = "source-chosen", "files-file"
PROPOSED = "*"
"""What the list of mappings to copy from calls a proposal from the sample."""
MOST_WORDS = 60
"""Words of one column that are sent to the browser."""

__all__ = ["Row", "rows"]


@dataclass(frozen=True)
class Basis:
    """What the editor begins with: the sample's columns, a draft, its name and revision."""

    columns: list[Column]
    draft: dict[str, Any]
    name: str
    revision: int


def facts(basis: Basis, copies: list[str], words: Words) -> dict[str, Any]:
    """Return all the editor needs, in words."""
    return {
        "columns": [_column(one) for one in basis.columns],
        "draft": basis.draft,
        "name": basis.name,
        "revision": basis.revision,
        "copies": copies,
        "proposed": PROPOSED,
        "fields": [[name, field_name(name, words)] for name in FIELDS if name != "attachments"],
        "types": [[one.code, f"{one.code} {one.name(words.lang)}"] for one in taxonomy().types.values()],
        "urgencies": [[name, words.text(f"common.urgency.{name}")] for name in URGENCIES],
        "formats": [[name, _format(name, words)] for name in FORMATS],
        "words": words.under("mapping"),
    }


def _column(one: Column) -> dict[str, Any]:
    counted = sorted(one.words.items(), key=lambda item: -item[1])[:MOST_WORDS]
    forms = formats_of([structs.replace(one, words={})])
    return {
        "forms": forms,
        "key": written(one.path),
        "name": one.name,
        "filled": one.filled,
        "samples": [_dated(sample) if EXCEL in forms else sample for sample in one.samples],
        "words": counted,
    }


def _dated(sample: str) -> str:
    """A workbook's serial number as the date and time it means; any other text as it is."""
    try:
        return f"{serial(sample):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return sample


def _format(name: str, words: Words) -> str:
    key = f"mapping.format.{name}"
    return words.text(key) if key in words else name


def layout(words: Words) -> html.Section:
    """Return the tab; the page's first panel puts it into the page."""
    reason = dcc.Input(
        id=REASON, type="text", className="desk-input", placeholder=words.text("mapping.reason"), maxLength=200
    )
    opening = html.Div([reason, _button("open", OPEN, words)], className="admin-line mapping-open")
    return section(
        "mapping",
        [
            html.P(words.text("mapping.about"), className="admin-about"),
            html.Div(id=EDITOR),
            html.Div(id=PREVIEW),
            html.Div([_button("save", SAVE, words, primary=True)], className="admin-line"),
            html.Div(id=TOLD_SAVED),
            html.H3(words.text("mapping.quarantine")),
            html.P(words.text("mapping.quarantine_about"), className="admin-about"),
            opening,
            html.Div(id=OPENED),
            html.Div(
                [_button("test", TEST, words), _button("resubmit", RESUBMIT, words)], id=TESTED, className="admin-line"
            ),
            html.Div(id=RESUBMITTED),
            *(dcc.Store(id=name) for name in (FACTS, DRAFT, COPY, SAVED, QUARANTINED)),
            html.Div(id="mapping-sink", hidden=True),
        ],
    )


def _button(name: str, id: str, words: Words, *, primary: bool = False) -> html.Button:
    kind = "desk-button primary" if primary else "desk-button"
    return html.Button(words.text(f"mapping.{name}"), id=id, type="button", className=kind)


def tested(found: Tested, words: Words) -> list[Any]:
    """Return how many quarantined items would now be read, and why the others would not."""
    said = notice(
        "good" if found.readable else "note", words.text("mapping.tested", good=found.readable, of=found.total)
    )
    if not found.reasons:
        return [said]
    heads = [words.text("files.head.said"), words.text("mapping.count")]
    lines = [[reason(code, field, words), str(count)] for (code, field), count in sorted(found.reasons.items())]
    return [said, table(heads, lines)]


class Deeds:
    """What the tab's callbacks do."""

    def __init__(self, words: Words, commands: Any) -> None:
        self._words = words
        self._commands = commands

    def basis(self, chosen: str, upload_id: str, copied: str) -> Basis:
        book = self._commands.mapbook
        source = book.source(chosen)
        columns = self._commands.filebook.summary(upload_id).columns if upload_id else []
        name, draft, revision = source.mapping, {}, 0
        if copied == PROPOSED:
            draft = book.proposed(columns)
        elif copied:
            draft, _ = book.draft(copied)
        elif source.mapping:
            draft, revision = book.draft(source.mapping)
        elif columns:
            draft = book.proposed(columns)
        if copied and source.mapping:
            revision = _revision(book, source.mapping)
        return Basis(columns, draft, name or chosen, revision)

    def facing(self, chosen: str | None, answer: Any, copied: Any) -> Any:
        if not chosen:
            raise PreventUpdate
        copy = str((copied or {}).get("name", "")) if ctx.triggered_id == COPY else ""
        upload_id = str((answer or {}).get("id", ""))
        try:
            found = self.basis(chosen, upload_id, copy)
        except TOLD as error:
            return {"trouble": _plain(error, self._words)}
        told = facts(found, self._commands.mapbook.names(), self._words)
        return {**told, "upload": upload_id, "source": chosen}

    def tried(self, draft: dict[str, Any] | None, chosen: str | None) -> Any:
        if not draft or not chosen:
            raise PreventUpdate
        try:
            mapping = self._commands.mapbook.read(_mapping(draft))
            if not draft.get("upload"):
                return None
            found = self._commands.filebook.preview(str(draft["upload"]), chosen, mapping)
        except TOLD as error:
            return trouble(error, self._words)
        return previewed(rows(found, self._words), self._words)

    def saved(self, clicks: int | None, draft: dict[str, Any] | None, chosen: str | None) -> tuple[Any, Any]:
        if not clicks or not draft or not chosen:
            raise PreventUpdate
        try:
            name, revision = str(draft.get("name", "")), draft.get("revision", 0)
            done = self._commands.mapbook.save(chosen, name, _mapping(draft), revision if type(revision) is int else 0)
        except TOLD as error:
            return trouble(error, self._words), None
        said = self._words.text("mapping.saved", name=done.name, revision=done.revision)
        return notice("good", [html.P(said), leading("files", self._words)]), {
            "name": done.name,
            "revision": done.revision,
        }

    def opened(self, clicks: int | None, reason: str | None, chosen: str | None) -> tuple[Any, Any]:
        if not clicks or not chosen:
            raise PreventUpdate
        try:
            token, count = self._commands.repairs.open(chosen, reason or "")
        except TOLD as error:
            return trouble(error, self._words), None
        return notice("note", self._words.text("mapping.opened", count=count)), {"token": token} if count else None

    def tested_now(self, clicks: int | None, draft: Any, held: Any, chosen: str | None) -> Any:
        if not clicks or not draft or not chosen:
            raise PreventUpdate
        if not held:
            return notice("note", self._words.text("mapping.open_first"))
        try:
            return tested(
                self._commands.repairs.test(held["token"], chosen, self._commands.mapbook.read(_mapping(draft))),
                self._words,
            )
        except TOLD as error:
            return trouble(error, self._words)

    def resubmitted(self, clicks: int | None, held: Any, chosen: str | None) -> Any:
        if not clicks or not chosen:
            raise PreventUpdate
        if not held:
            return notice("note", self._words.text("mapping.open_first"))
        try:
            sent, left = self._commands.repairs.resubmit(held["token"], chosen, self._commands.wait)
        except TOLD as error:
            return trouble(error, self._words)
        return notice("good", self._words.text("mapping.resubmitted", sent=sent, left=left))


def register(app: Any, commands: Any) -> None:
    """Register beginning, trying, saving, and what has to do with quarantine."""
    does = Deeds(app.words, commands)
    inputs = Input(CHOSEN, "data"), Input(FILE, "data"), Input(COPY, "data")
    app.callback(Output(FACTS, "data"), *inputs)(does.facing)
    app.clientside_callback("dash_clientside.mapping.begin", Output("mapping-sink", "title"), Input(FACTS, "data"))
    app.clientside_callback("dash_clientside.mapping.saved", Output("mapping-sink", "lang"), Input(SAVED, "data"))
    app.callback(Output(PREVIEW, "children"), Input(DRAFT, "data"), State(CHOSEN, "data"))(does.tried)
    held = State(DRAFT, "data"), State(CHOSEN, "data")
    app.callback(Output(TOLD_SAVED, "children"), Output(SAVED, "data"), Input(SAVE, "n_clicks"), *held)(does.saved)
    asked = Input(OPEN, "n_clicks"), State(REASON, "value"), State(CHOSEN, "data")
    app.callback(Output(OPENED, "children"), Output(QUARANTINED, "data"), *asked)(does.opened)
    tries = Input(TEST, "n_clicks"), State(DRAFT, "data"), State(QUARANTINED, "data"), State(CHOSEN, "data")
    app.callback(Output(RESUBMITTED, "children", allow_duplicate=True), *tries, prevent_initial_call=True)(
        does.tested_now
    )
    again = Input(RESUBMIT, "n_clicks"), State(QUARANTINED, "data"), State(CHOSEN, "data")
    app.callback(Output(RESUBMITTED, "children"), *again)(does.resubmitted)


def _revision(book: Any, name: str) -> int:
    try:
        return int(book.draft(name)[1])
    except NotFound:
        return 0


def _mapping(draft: dict[str, Any]) -> dict[str, Any]:
    """The mapping in what the browser sent; anything else than a dict is no mapping."""
    found = draft.get("mapping")
    return msgspec.convert(found, dict[str, Any]) if isinstance(found, dict) else {}


def _plain(error: Exception, words: Words) -> str:
    return str(trouble(error, words).children)
