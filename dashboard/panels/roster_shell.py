"""A roster of duties 网格员名册 on the page of grids: a file, what it would put where, and only then taken over."""

from typing import Any

from dash import Input, Output, State, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import notice, table, upload
from dashboard.roster import Fault, Roster
from operations.errors import OperationsError

FILE, READ, TAKE, TAKEN = "card-file", "card-read", "card-take", "card-taken"
MOST_SHOWN = 200
"""Lines of a roster shown before it is taken over, and faults."""


def roster_parts(words: Words) -> list[Any]:
    """Return the part of the tab "card" that reads a file."""
    take = html.Button(words.text("card.take"), id=TAKE, type="button", className="desk-button primary", hidden=True)
    return [
        html.H2(words.text("card.file_title")),
        html.P(words.text("card.file_hint"), className="desk-hint"),
        upload("table", FILE, words.text("card.file"), ".csv", words),
        html.Div(id=READ),
        take,
        html.Div(id=TAKEN),
    ]


def fault(one: Fault, words: Words) -> str:
    """Return what is wrong with a line."""
    return words.text(f"card.fault.{one.kind}", line=one.line, value=one.value)


def preview(read: Roster, words: Words) -> html.Div:
    """Return what a file would put where, or what is wrong with it."""
    if read.faults:
        lines = [html.Li(fault(one, words)) for one in read.faults[:MOST_SHOWN]]
        said = words.text("card.roster_wrong", n=f"{len(read.faults):,}")
        return notice("wrong", [html.P(said), html.Ul(lines)])
    lines = [
        [card.code, words.text(f"card.role.{one.role}"), one.name, one.phone]
        for card in read.cards
        for one in card.duties
    ]
    heads = [
        words.text("difference.head.code"),
        *(words.text(f"card.head.{name}") for name in ("role", "name", "phone")),
    ]
    said = words.text("card.roster", grids=f"{len(read.duties):,}", duties=f"{len(lines):,}")
    return html.Div([notice("good", said), table(heads, lines[:MOST_SHOWN])])


def register(app: Any, commands: Any) -> None:
    """Register reading a roster and taking it over."""
    words: Words = app.words

    def known() -> set[str]:
        area = commands.area()
        return set(area.grids) if area else set()

    def reading(answer: dict[str, Any] | None) -> tuple[Any, bool, None]:
        if not answer:
            raise PreventUpdate
        try:
            read = commands.gridcards.roster(str(answer.get("id")), known())
        except OperationsError as error:
            return notice("wrong", explain(error, words)), True, None
        return preview(read, words), bool(read.faults), None

    def taken(clicks: int | None, answer: dict[str, Any] | None) -> Any:
        if not clicks or not answer:
            raise PreventUpdate
        try:
            count = commands.gridcards.take_over(str(answer.get("id")), known())
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        return notice("good", words.text("card.taken", n=f"{count:,}"))

    outputs = Output(READ, "children"), Output(TAKE, "hidden"), Output(TAKEN, "children")
    app.callback(*outputs, Input(FILE, "data"), prevent_initial_call=True)(reading)
    said = Output(TAKEN, "children", allow_duplicate=True)
    app.callback(said, Input(TAKE, "n_clicks"), State(FILE, "data"), prevent_initial_call=True)(taken)
