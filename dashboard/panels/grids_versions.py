"""Versions of the grids 网格版本: which one is in force, which are to come, and what may be done about each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.moment import shown_moment
from dashboard.panels import difference_shell
from dashboard.panels.admin_shell import notice, section, table
from operations import edition
from operations.edition import Edition
from operations.errors import OperationsError

LIST, ASKED, CONFIRM, TOLD = "versions-list", "versions-asked", "versions-confirm", "versions-told"
NOW, YES, NO = "grids-in-force", "versions-yes", "versions-no"
COMING, IN_FORCE, EARLIER, WITHDRAWN = "coming", "in_force", "earlier", "withdrawn"
MOST = 200
"""Versions that are listed."""


@dataclass(frozen=True)
class Row:
    """One version; `state` is coming, in_force, earlier or withdrawn; `action` what may be done: withdraw, restore."""

    id: int
    state: str
    since: int
    count: int
    by: str
    note: str
    action: str


def rows(editions: Sequence[Edition], now: int) -> list[Row]:
    """Return the versions in the order they are given in."""
    present = edition.in_force(editions, now)
    ahead = {one.id for one in edition.coming(editions, now)}
    return [row(one, present, ahead) for one in editions]


def row(one: Edition, present: Edition | None, ahead: set[int]) -> Row:
    """Return one version, given the one in force and those to come."""
    by = one.imported_by.partition(":")[2]
    state, action = EARLIER, "restore"
    if one.withdrawn_at is not None:
        state = WITHDRAWN
    elif one.id in ahead:
        state, action = COMING, "withdraw"
    elif present is not None and one.id == present.id:
        state, action = IN_FORCE, ""
    elif present is not None and one.digest == present.digest:
        action = ""
    return Row(one.id, state, one.valid_from, one.count, by, one.note, action)


def layout(words: Words) -> html.Section:
    """Return the section of the tab "versions"."""
    return section(
        "versions",
        [
            html.Div(id=TOLD, role="status"),
            html.Div(id=CONFIRM),
            html.Div(id=LIST),
            html.P(words.text("versions.about"), className="desk-hint"),
            html.Div(id="versions-compared"),
            dcc.Store(id=ASKED),
            dcc.Store(id=NOW),
        ],
    )


def listing(found: Sequence[Row], words: Words) -> html.Div:
    """Return the table of the versions."""
    names = ("version", "state", "from", "count", "by", "note", "action")
    lines = [line(one, words) for one in found[:MOST]]
    return table([words.text(f"versions.head.{name}") for name in names], lines, empty=words.text("versions.none"))


def line(one: Row, words: Words) -> list[Any]:
    """Return one version as cells."""
    state = html.Span(words.text(f"versions.state.{one.state}"), className=f"version-state {one.state}")
    return [
        str(one.id),
        state,
        shown_moment(one.since, words.city.zone),
        f"{one.count:,}",
        one.by,
        one.note,
        buttons(one, words),
    ]


def buttons(one: Row, words: Words) -> html.Div:
    """Return what may be done about a version: looking at what it changes, and withdrawing it or going back to it."""
    compare = html.Button(
        words.text("versions.compare"), id={"version-compare": one.id}, type="button", className="desk-button"
    )
    asked = {"version-action": one.action, "version": one.id}
    act = (
        html.Button(words.text(f"versions.{one.action}"), id=asked, type="button", className="desk-button")
        if one.action
        else None
    )
    return html.Div([compare, act] if act else [compare], className="admin-line")


def confirmation(asked: dict[str, Any], words: Words) -> html.Div:
    """Return the question before a version is withdrawn or gone back to."""
    said = words.text(f"versions.sure.{asked['action']}", version=asked["version"])
    yes = html.Button(words.text(f"versions.{asked['action']}"), id=YES, type="button", className="desk-button primary")
    no = html.Button(words.text("versions.no"), id=NO, type="button", className="desk-button")
    return notice("note", [html.P(said), html.Div([yes, no], className="admin-line")])


def done(gridbook: Any, asked: dict[str, Any], words: Words) -> html.Div:
    """Carry out what was confirmed and return what to say of it."""
    version = int(asked["version"])
    try:
        if asked["action"] == "withdraw":
            gridbook.withdraw(version)
            return notice("good", words.text("versions.withdrawn", version=version))
        return notice("good", words.text("versions.restored", version=version, made=gridbook.restore(version)))
    except OperationsError as error:
        return notice("wrong", explain(error, words))


def register(app: Any, commands: Any) -> None:
    """Register the list, what a version changes, asking before something is done, and doing it."""
    words: Words = app.words
    difference_shell.register(app, commands)

    def listed(*_again: object) -> html.Div:
        return listing(rows(commands.gridbook.editions(), clock.now()), words)

    def ask(clicks: list[int | None]) -> tuple[dict[str, Any], html.Div]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        asked = {"action": ctx.triggered_id["version-action"], "version": ctx.triggered_id["version"]}
        return asked, confirmation(asked, words)

    def confirmed(yes: int | None, no: int | None, asked: dict[str, Any] | None) -> tuple[Any, Any]:
        if not asked or not (yes or no):
            raise PreventUpdate
        return (done(commands.gridbook, asked, words) if ctx.triggered_id == YES else "", "")

    again = [Input("grids-taken", "children"), Input(TOLD, "children"), Input(NOW, "data")]
    app.callback(Output(LIST, "children"), *again)(listed)
    pressed = Input({"version-action": ALL, "version": ALL}, "n_clicks")
    app.callback(Output(ASKED, "data"), Output(CONFIRM, "children"), pressed, prevent_initial_call=True)(ask)
    outputs = Output(TOLD, "children"), Output(CONFIRM, "children", allow_duplicate=True)
    inputs = Input(YES, "n_clicks"), Input(NO, "n_clicks"), State(ASKED, "data")
    app.callback(*outputs, *inputs, prevent_initial_call=True)(confirmed)
