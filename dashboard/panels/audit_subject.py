"""One subject 对象: who saw what is sealed of it, and all that is written; of an account, what it did and saw."""

from typing import Any

from dash import Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import explain
from dashboard.history import known
from dashboard.panels.admin_shell import field, section
from dashboard.panels.audit_shell import SUBJECT, SUBJECT_ASK, listing, rows
from operations.entry import Entry
from operations.errors import OperationsError
from operations.inquiry import KINDS, Subject

NAME, GO, SHOWN = "audit-name", "audit-go", "audit-told"
MOST = 5
"""Subjects of the same name shown at once."""


def title(subject: Subject, words: Words) -> str:
    """Return what a subject is and is called."""
    kind = known(words, "audit.kind", subject.type)
    return f"{kind} {subject.name}" + (f"（{subject.id}）" if subject.name != subject.id else "")


def acts(subject: Subject) -> bool:
    """Say whether a subject does things itself."""
    return subject.type in KINDS


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the field and the empty place."""
    name = dcc.Input(id=NAME, className="desk-input audit-name", placeholder=words.text("audit.hint.name"))
    go = html.Button(words.text("audit.look"), id=GO, className="desk-button primary", type="button")
    return section(
        SUBJECT,
        [
            html.Div([field(words.text("audit.field.name"), name), go], className="admin-line"),
            html.Div(html.P(words.text("audit.subject_hint"), className="desk-hint"), id=SHOWN),
        ],
    )


def drawn(subject: Subject, commands: Any, words: Words) -> html.Article:
    """Return what is known of one subject: who saw it first, then everything."""
    book = commands.auditbook
    seen = "saw" if subject.type == "account" else "seen"
    parts = [part(seen, book.seen(subject), commands, words, open=True)]
    if acts(subject):
        parts.append(part("did", book.done_by(subject).entries, commands, words))
    parts.append(part("about", book.told(subject).entries, commands, words))
    return html.Article([html.H2(title(subject, words)), *parts], className="audit-subject")


def part(name: str, entries: list[Entry], commands: Any, words: Words, *, open: bool = False) -> html.Section:
    """Return one list under its heading."""
    called = commands.auditbook.called(entries)
    shown = listing(rows(entries, called, words), words, words.text(f"audit.part_none.{name}"))
    return html.Section([html.H3(words.text(f"audit.part.{name}", n=len(entries))), shown])


def register(app: Any, commands: Any) -> None:
    """Register looking at a subject, typed or chosen in the log."""
    words: Words = app.words

    def look(_clicks: Any, _submits: Any, chosen: dict[str, Any] | None, typed: str | None) -> tuple[Any, Any]:
        by_choice = ctx.triggered_id == SUBJECT_ASK
        text = str((chosen or {}).get("subject") or "") if by_choice else str(typed or "")
        if not text.strip():
            raise PreventUpdate
        try:
            found = commands.auditbook.subjects(text)
            shown = [drawn(one, commands, words) for one in found[:MOST]]
        except OperationsError as error:
            shown = [html.P(explain(error, words), className="desk-empty")]
        return shown, text if by_choice else no_update

    app.callback(
        *(Output(SHOWN, "children"), Output(NAME, "value")),
        *(Input(GO, "n_clicks"), Input(NAME, "n_submit"), Input(SUBJECT_ASK, "data")),
        State(NAME, "value"),
        prevent_initial_call=True,
    )(look)
