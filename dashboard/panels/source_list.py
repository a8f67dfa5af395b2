"""The page of sources 数据来源: all of them at the left, what can be known and done about one at the right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate
from msgspec import json

from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import notice, presses, section, table, tabs
from dashboard.panels.source_shell import ACTED, OWN, begin, reason, token, values
from operations.board import Board, SourceState
from operations.errors import OperationsError
from operations.sources import Source
from streams.fetching import FETCHERS

LIST, CHOSEN, FACTS, PULSE, DONE, SURE, PRESSED = (
    *("source-list", "source-chosen", "source-facts", "source-pulse", "source-done", "source-sure"),
    "source-pressed",
)
TABS = ("overview", "health", "files", "mapping", "try", "datum", "settings")
MANAGING = ("files", "mapping")
STATES = ("lost", "silent", "never", "heard", "off")
"""What a source can be at a glance, the gravest first."""
SWITCHES = ("off", "on", "token")
"""What is done only after a question."""
PACE = 2.0


@dataclass(frozen=True)
class Row:
    """One source in the list; `state` is of STATES."""

    id: str
    name: str
    kind: str
    state: str


def rows(found: list[Source], states: Mapping[str, SourceState]) -> list[Row]:
    """Return the rows: what is amiss first, then by name."""
    made = [Row(one.id, one.name, one.kind, state_of(one, states.get(one.id))) for one in found]
    return sorted(made, key=lambda row: (row.state not in ("lost", "silent"), row.state == "off", row.name, row.id))


def state_of(source: Source, known: SourceState | None) -> str:
    """Return what a source is at a glance."""
    if not source.enabled:
        return "off"
    if known is None:
        return "never"
    if known.lost:
        return "lost"
    if known.silent:
        return "silent"
    return "heard" if known.last_received_at else "never"


def render(board: Board, _now: int, _words: Words) -> dict[str, dict[str, Any]]:
    """Return what makes the list be read anew: whenever a source is lost, found, silent or heard."""
    told = [[key, one.name, one.silent, one.lost, bool(one.last_received_at)] for key, one in board.sources.items()]
    return {PULSE: {"data": json.encode(sorted(told)).decode()}}


def layout(words: Words) -> html.Div:
    """Return the empty list, the tabs of one source and the first of them; the page's other panels are the others."""
    overview = [html.Div(id=FACTS), html.Div(id=DONE, **{"aria-live": "polite"}), dcc.ConfirmDialog(id=SURE)]
    side = [
        html.Div(begin(words), className="admin-list-head"),
        html.Nav(id=LIST, className="admin-list", **{"aria-label": words.text("page.sources")}),
    ]
    return html.Div(
        [
            html.Div(side, className="admin-side"),
            tabs("sources", TABS, words, only=dict.fromkeys(MANAGING, "admin-only")),
            section("overview", overview, first=True),
            dcc.Store(id=CHOSEN),
            dcc.Store(id=PULSE),
            dcc.Store(id=PRESSED),
            dcc.Store(id=ACTED),
        ],
        className="admin-parts",
    )


def item(row: Row, chosen: str, words: Words) -> html.Button:
    """Return one source of the list."""
    kind = words.text(f"admin.sources.kind.{row.kind}")
    return html.Button(
        [
            html.Strong(row.name, className="cut"),
            html.Span(words.text(f"sources.state.{row.state}"), className=f"source-state {row.state}"),
            html.Span(f"{row.id} · {kind}", className="desk-hint cut"),
        ],
        id={"source": row.id},
        type="button",
        className="admin-row stated",
        **{"aria-current": str(row.id == chosen).lower()},
    )


def facts(one: Source, known: SourceState | None, words: Words, *, may: bool) -> html.Div:
    """Return what is set about a source, and what can be done about it."""
    state = state_of(one, known)
    said = {name: str(getattr(one, name)) for name in ("id", "datum", "time_zone", "mapping")}
    said["rate_limit"] = f"{one.rate_limit:g}" if one.rate_limit else ""
    lines = [
        [words.text("admin.sources.fact.kind"), words.text(f"admin.sources.kind.{one.kind}")],
        *([words.text(f"admin.sources.fact.{name}"), value or "—"] for name, value in said.items()),
    ]
    own = values(one)
    asked = [one for one in OWN.get(one.kind, ()) if one.control != "secret" and own.get(one.name)]
    lines += [[words.text(f"sources.field.{field.name}"), str(own[field.name])] for field in asked]
    heads = [words.text("admin.sources.fact.name"), words.text("admin.sources.fact.value")]
    told = words.text(f"sources.state_said.{state}")
    if known is not None and state == "lost":
        told += " " + reason(known.lost, {}, words)
    return html.Div(
        [
            html.H2([one.name, html.Span(words.text(f"sources.state.{state}"), className=f"source-state {state}")]),
            html.P(told, className="desk-hint"),
            acts(one, words, may=may),
            table(heads, lines),
        ],
        className="admin-facts",
    )


def nothing_chosen(grids: bool, heard: bool, words: Words) -> Any:
    """Return what a new installation needs, in order, and what of it is done; once all is there, a word."""
    if grids and heard:
        return html.P(words.text("admin.sources.choose"), className="desk-empty")
    steps = (("grids", "/grids", grids), ("source", "", heard), ("wall", "/walls", False))
    lines = []
    for name, path, done in steps:
        title = words.text(f"sources.first.{name}")
        mark = [html.Span(words.text("sources.first.done"), className="source-state heard")] if done else []
        way = html.A(title, href=path) if path else html.Strong(title)
        lines.append(html.Li([way, *mark, html.P(words.text(f"sources.first.{name}_said"), className="desk-hint")]))
    return html.Div([html.H2(words.text("sources.first.title")), html.Ol(lines, className="admin-steps")])


def acts(one: Source, words: Words, *, may: bool) -> html.Div:
    """Return the buttons; who may not is told why."""
    names = ["edit", "off" if one.enabled else "on"] if one.kind in OWN else []
    if one.kind not in (*FETCHERS, "file") and one.kind in OWN:
        names.append("token")
    buttons = [
        html.Button(
            words.text(f"sources.act.{name}"),
            id={"act": name},
            type="button",
            className="desk-button",
            disabled=not may,
        )
        for name in names
    ]
    why = [] if may or not names else [html.Span(words.text("sources.only_admin"), className="desk-hint")]
    return html.Div([*buttons, *why], className="admin-line")


def carried_out(commands: Any, words: Words, question: str, chosen: str) -> Any:
    """Do what the question that was agreed to asked; return what is said."""
    try:
        name = commands.directory.get(chosen).name
        act = next((act for act in SWITCHES if words.text(f"sources.sure.{act}", name=name) == question), "")
        if act == "token":
            return notice("good", token(commands.directory.new_token(chosen), words))
        if not act:  # renamed meanwhile: it would be another question now
            raise PreventUpdate
        commands.directory.switch(chosen, on=act == "on")
        return notice("good", words.text(f"sources.did.{act}", name=name))
    except OperationsError as error:
        return notice("wrong", explain(error, words))


def register(app: Any, commands: Any) -> None:
    """Register listing, choosing, switching and new tokens."""
    words: Words = app.words

    def listed(chosen: str | None, _pulse: object, _done: object) -> list[html.Button]:
        states = commands.ask(lambda board: dict(board.sources))
        return [item(row, chosen or "", words) for row in rows(commands.directory.listed(), states)]

    def choose(pressed: dict[str, Any] | None) -> str:
        if not pressed:
            raise PreventUpdate
        return str(pressed["source"])

    def shown(chosen: str | None, _pulse: object, _done: object) -> Any:
        one = next((one for one in commands.directory.listed() if one.id == chosen), None)
        states = commands.ask(lambda board: dict(board.sources))
        if one is None:
            heard = any(state.last_received_at for state in states.values())
            return nothing_chosen(commands.area() is not None, heard, words)
        return facts(one, states.get(one.id), words, may=commands.allowed("source.manage"))

    def asked(pressed: dict[str, Any] | None, chosen: str | None) -> tuple[bool, str]:
        act = str((pressed or {}).get("act", ""))
        if act not in SWITCHES or not chosen:
            raise PreventUpdate
        return True, words.text(f"sources.sure.{act}", name=commands.directory.get(chosen).name)

    def done(agreed: int | None, chosen: str | None, question: str | None) -> Any:
        if not agreed or not chosen:
            raise PreventUpdate
        return carried_out(commands, words, str(question), chosen)

    news = Input(PULSE, "data"), Input(DONE, "children")
    app.callback(Output(LIST, "children"), Input(CHOSEN, "data"), *news)(listed)
    app.callback(Output(CHOSEN, "data"), presses(app, PRESSED, {"source": ALL}), prevent_initial_call=True)(choose)
    app.callback(Output(FACTS, "children"), Input(CHOSEN, "data"), *news)(shown)
    acted = presses(app, ACTED, {"act": ALL})
    question = Output(SURE, "displayed"), Output(SURE, "message")
    app.callback(*question, acted, State(CHOSEN, "data"), prevent_initial_call=True)(asked)
    app.callback(
        Output(DONE, "children"),
        Input(SURE, "submit_n_clicks"),
        State(CHOSEN, "data"),
        State(SURE, "message"),
        prevent_initial_call=True,
    )(done)
