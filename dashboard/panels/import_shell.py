"""How a list is imported 导入 on administrators' pages: a file, what each line would do, only then taken over."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.enlistbook import table as csv_text
from dashboard.errand import explain
from dashboard.panels.admin_shell import notice, table, upload
from dashboard.personnel import CHANGED, NEW, SAME, STATES, WRONG, Line, Reason, Unfit
from operations.errors import OperationsError, Refused
from streams.tables.finding import TableUnreadable

MOST_SHOWN = 300
ACCEPTED = ".csv,.txt,.xlsx,.xls"


@dataclass(frozen=True)
class Sheet:
    """One kind of list: its name (also the kind of its upload), columns, sample lines for the template."""

    name: str
    columns: Sequence[str]
    sample: Sequence[Sequence[str]]

    def id(self, part: str) -> str:
        """Return the id of one part."""
        return f"{self.name}-import-{part}"


def parts(sheet: Sheet, words: Words) -> list[Any]:
    """Return the parts of a section that import a list."""
    take = html.Button(words.text("import.take"), id=sheet.id("take"), type="button", className="desk-button primary")
    leave = dcc.Checklist([{"label": words.text("import.leave_out"), "value": "yes"}], [], id=sheet.id("leave"))
    template = html.Button(
        words.text("import.template"), id=sheet.id("template"), type="button", className="desk-button"
    )
    return [
        html.H2(words.text(f"import.{sheet.name}.title")),
        html.P(words.text(f"import.{sheet.name}.said"), className="desk-hint"),
        html.Div([template, dcc.Download(id=sheet.id("file"))], className="admin-line"),
        upload(sheet.name, sheet.id("sent"), words.text("import.file"), ACCEPTED, words),
        html.Div(id=sheet.id("told"), **{"aria-live": "polite"}),
        html.Div(id=sheet.id("read")),
        html.Div([leave, take], id=sheet.id("go"), className="admin-line", hidden=True),
    ]


def heads(sheet: Sheet, words: Words) -> list[str]:
    """Return the headings of a list, which are also those of the template."""

    def head(name: str) -> str:
        if f"import.{sheet.name}.column.{name}" in words:
            return words.text(f"import.{sheet.name}.column.{name}")
        return words.text(f"import.column.{name}")

    return [head(one) for one in sheet.columns]


def preview(lines: Sequence[Line], sheet: Sheet, words: Words) -> Any:
    """Return what each line would do, wrong ones first."""
    counted = Counter(one.state for one in lines)
    said = words.text("import.counted", **{state: f"{counted[state]:,}" for state in STATES})
    ordered = sorted(lines, key=lambda one: (one.state != WRONG, one.number))
    rows = [[str(one.number), mark(one, words), *one.cells, why(one, words)] for one in ordered[:MOST_SHOWN]]
    names = [words.text("import.line"), words.text("import.would"), *heads(sheet, words), words.text("import.why")]
    return html.Div([notice("wrong" if counted[WRONG] else "good", said), table(names, rows)])


def mark(one: Line, words: Words) -> html.Span:
    """Return what a line would be."""
    return html.Span(words.text(f"import.state.{one.state}"), className=f"import-state {one.state}")


def why(one: Line, words: Words) -> str:
    """Return what is wrong with a line."""
    return "" if one.why is None else reason(one.why, words)


def reason(why: Reason, words: Words) -> str:
    """Return why a line is wrong."""
    if why.code.startswith(("operations.", "contacts.")):
        return explain(Refused(why.code, **why.params), words)
    return words.text(f"import.wrong.{why.code}", **why.params)


def troubled(error: Exception, words: Words) -> Any:
    """Return what is said of a file that cannot be read or taken."""
    if isinstance(error, TableUnreadable):
        return notice("wrong", words.text(f"files.unreadable.{error.code}", **error.params))
    if isinstance(error, Unfit):
        return notice("wrong", reason(error.reason, words))
    return notice("wrong", explain(error, words)) if isinstance(error, OperationsError) else None


TROUBLES = (OperationsError, TableUnreadable, Unfit)


def register_import(
    app: Any,
    sheet: Sheet,
    read: Callable[[str], list[Line]],
    take: Callable[[str, bool], tuple[Any, Any]],
) -> None:
    """Register reading a list, taking it over (which says something and may hand out a file), and the template."""
    words: Words = app.words

    def reading(answer: dict[str, Any] | None) -> tuple[Any, bool, Any, list[str]]:
        if not answer:
            raise PreventUpdate
        try:
            lines = read(str(answer.get("id")))
        except TROUBLES as error:
            return troubled(error, words), True, None, []
        idle = not any(one.state in (NEW, CHANGED) for one in lines)
        return preview(lines, sheet, words), idle, None, []

    def taken(clicks: int | None, answer: dict[str, Any] | None, leave: list[str] | None) -> tuple[Any, Any, Any, bool]:
        if not clicks or not answer:
            raise PreventUpdate
        try:
            said, file = take(str(answer.get("id")), bool(leave))
        except TROUBLES as error:
            return troubled(error, words), None, preview(read(str(answer.get("id"))), sheet, words), False
        return said, file, None, True

    def template(clicks: int | None) -> dict[str, Any]:
        if not clicks:
            raise PreventUpdate
        return download(f"{sheet.name}.csv", [heads(sheet, words), *sheet.sample])

    said = Output(sheet.id("told"), "children")
    outputs = Output(sheet.id("read"), "children"), Output(sheet.id("go"), "hidden"), said
    sent = Input(sheet.id("sent"), "data")
    app.callback(*outputs, Output(sheet.id("leave"), "value"), sent, prevent_initial_call=True)(reading)
    again = [
        Output(sheet.id("told"), "children", allow_duplicate=True),
        Output(sheet.id("file"), "data"),
        Output(sheet.id("read"), "children", allow_duplicate=True),
        Output(sheet.id("go"), "hidden", allow_duplicate=True),
    ]
    asked = Input(sheet.id("take"), "n_clicks"), State(sheet.id("sent"), "data"), State(sheet.id("leave"), "value")
    app.callback(*again, *asked, prevent_initial_call=True)(taken)
    handed = Output(sheet.id("file"), "data", allow_duplicate=True)
    app.callback(handed, Input(sheet.id("template"), "n_clicks"), prevent_initial_call=True)(template)


def download(name: str, lines: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return a CSV file for a browser."""
    return {"filename": name, "content": csv_text(lines), "type": "text/csv;charset=utf-8", "base64": False}


def counts(lines: Sequence[Line]) -> dict[str, str]:
    """Return how many lines there are of each state."""
    counted = Counter(one.state for one in lines)
    return {state: f"{counted[state]:,}" for state in (NEW, CHANGED, SAME)}
