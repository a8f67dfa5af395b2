"""Grid cards 网格卡 on the page of grids: found by code or name, and their duties changed, one by one."""

from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.panels import gridcard_shell, roster_shell
from dashboard.panels.admin_shell import field, notice, section
from dashboard.panels.roster_shell import TAKEN, fault, roster_parts
from geo.grid import Grid
from operations.duties import Card
from operations.errors import OperationsError

SEARCH, HITS, CHOSEN, SHOWN = "card-search", "card-hits", "card-chosen", "card-shown"
FORM, DUTIES, HOUSEHOLDS, REVISION, SAVE, TOLD = (
    "card-form", "card-duties", "card-households", "card-revision", "card-save", "card-told",
)  # fmt: skip


def layout(words: Words) -> html.Section:
    """Return the section of the tab "card"."""
    find = dcc.Input(id=SEARCH, type="search", className="desk-input", debounce=0.3, maxLength=60)
    lines = dcc.Textarea(id=DUTIES, className="desk-input", rows=6, spellCheck=False)
    form = html.Div(
        [
            field(words.text("card.edit"), lines, words.text("card.edit_hint")),
            field(words.text("card.fact.households"), dcc.Input(id=HOUSEHOLDS, type="text", className="desk-input")),
            html.Button(words.text("card.save"), id=SAVE, type="button", className="desk-button primary"),
            html.Div(id=TOLD),
        ],
        id=FORM,
        hidden=True,
        className="card-form",
    )
    body = [
        html.Div([field(words.text("card.search"), find), html.Div(id=HITS)], className="card-find"),
        html.Div([html.Div(id=SHOWN), form], className="card-work"),
        *roster_parts(words),
        dcc.Store(id=CHOSEN),
        dcc.Store(id=REVISION),
    ]
    return section("card", body)


def chosen(code: str) -> dict[str, Any]:
    """Return what is kept of the grid that is shown; the time has it drawn anew though it is the same grid."""
    return {"code": code, "at": clock.now()}


def hits(found: list[Grid], text: str, words: Words) -> Any:
    """Return the grids of a search as buttons."""
    if not found:
        return html.P(words.text("card.none"), className="desk-hint") if text.strip() else None
    return [
        html.Button(
            [html.Strong(one.name), html.Span(one.code)], id={"card": one.code}, className="admin-row", type="button"
        )
        for one in found
    ]


def typed(card: Card, words: Words) -> str:
    """Return the duties of a card as they are typed."""
    comma = words.pick("，", ", ")
    return "\n".join(
        comma.join(part for part in (words.text(f"card.role.{one.role}"), one.name, one.phone) if part)
        for one in card.duties
    )


def search(commands: Any, text: str, words: Words) -> Any:
    """Return what a search finds inside the asker's scope."""
    return hits(commands.gridcards.found(commands.area(), text), text, words)


def looked(commands: Any, code: str, words: Words) -> tuple[Any, ...]:
    """Return the card of a grid, whether its form is hidden, and what stands in it.

    It tells nothing of incidents: who configures sees no data.
    """
    try:
        found = commands.gridcards.facts(commands.area(), code, None, words.city.minimum_population)
    except OperationsError as error:
        return notice("wrong", explain(error, words)), True, "", "", None
    households = "" if found.card.households is None else str(found.card.households)
    shown = gridcard_shell.card(found, words)
    return shown, False, typed(found.card, words), households, found.card.revision


def saved(commands: Any, code: str, typed_in: tuple[str, str, int], words: Words) -> tuple[Any, Any]:
    """Keep what was typed (duties, households) over the revision that was seen; return what to say of it."""
    try:
        read = commands.gridcards.change(code, *typed_in)
    except OperationsError as error:
        return notice("wrong", explain(error, words)), no_update
    if read.faults:
        return notice("wrong", html.Ul([html.Li(fault(one, words)) for one in read.faults])), no_update
    return notice("good", words.text("card.saved")), chosen(code)


def register(app: Any, commands: Any) -> None:
    """Register finding, showing and changing a card, and reading a roster."""
    words: Words = app.words
    roster_shell.register(app, commands)

    def choose(clicks: list[int | None]) -> dict[str, Any]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        return chosen(str(ctx.triggered_id["card"]))

    def show(one: dict[str, Any] | None, *_again: object) -> tuple[Any, ...]:
        if not one:
            raise PreventUpdate
        return looked(commands, str(one["code"]), words)

    def save(clicks: int | None, one: dict[str, Any] | None, *form: Any) -> Any:
        if not clicks or not one:
            raise PreventUpdate
        text, households, revision = form
        return saved(commands, str(one["code"]), (text or "", households or "", int(revision or 0)), words)

    finding = app.callback(Output(HITS, "children"), Input(SEARCH, "value"), prevent_initial_call=True)
    finding(lambda text: search(commands, text or "", words))
    app.callback(Output(CHOSEN, "data"), Input({"card": ALL}, "n_clicks"), prevent_initial_call=True)(choose)
    shown = [Output(SHOWN, "children"), Output(FORM, "hidden"), Output(DUTIES, "value"), Output(HOUSEHOLDS, "value")]
    asked = Input(CHOSEN, "data"), Input("grids-in-force", "data"), Input(TAKEN, "children")
    app.callback(*shown, Output(REVISION, "data"), *asked, prevent_initial_call=True)(show)
    form = State(CHOSEN, "data"), State(DUTIES, "value"), State(HOUSEHOLDS, "value"), State(REVISION, "data")
    outputs = Output(TOLD, "children"), Output(CHOSEN, "data", allow_duplicate=True)
    app.callback(*outputs, Input(SAVE, "n_clicks"), *form, prevent_initial_call=True)(save)
