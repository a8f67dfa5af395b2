"""Walls 大屏设备: pairing a screen by the code it shows; what is known of each wall, and what can be done about it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import departments
from config.words import Words
from dashboard import gridcard
from dashboard.agents import browser
from dashboard.errand import explain
from dashboard.panels.account_shell import grid_said, scope_said, when
from dashboard.panels.admin_shell import field, notice, presses, section, table
from dashboard.wallbook import Standing
from operations.errors import OperationsError
from operations.pairings import Pairing
from operations.scope import WHOLE, Scope
from operations.walls import LAYOUTS, NAME_MOST, Plan

CODE, FIND, FORM, TOLD, LIST, PULSE, SUBJECT, SURE, ASKED, CHOICES, COVERS, PRESSED = (
    *("wall-code", "wall-find", "wall-form", "wall-told", "wall-list", "wall-pulse", "wall-subject", "wall-sure"),
    *("wall-asked", "wall-grids", "wall-covers", "wall-pressed"),
)
FIELDS = ("name", "layout", "grid", "department")
HEADS = ("name", "state", "scope", "painted", "screen", "version", "paired", "act")


# ---- pure ------------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One wall in the list; `state` is revoked, stuck, connected, never or away."""

    standing: Standing
    state: str


def rows(found: Sequence[Standing]) -> list[Row]:
    """Return the rows: stuck ones first, then those that are away, then by name; the revoked last."""
    made = [Row(one, state_of(one)) for one in found]
    order = ("stuck", "away", "never", "connected", "revoked")
    return sorted(made, key=lambda row: (order.index(row.state), row.standing.wall.name))


def state_of(one: Standing) -> str:
    """Return how a wall is at a glance."""
    if one.wall.revoked_at is not None:
        return "revoked"
    if one.connected:
        return "connected" if one.wall.stuck_at is None else "stuck"
    return "away" if one.seen_at is not None else "never"


def plan_of(values: Mapping[str, str]) -> Plan:
    """Return what a form decides about a wall."""
    scope = Scope(values.get("grid", "").strip(), values.get("department", ""))
    return Plan(" ".join(values.get("name", "").split()), scope, values.get("layout") or LAYOUTS[0])


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the place for a code, an empty form and an empty list."""
    code = dcc.Input(
        id=CODE, type="text", className="desk-input wall-code", maxLength=20, autoComplete="off", spellCheck=False,
        placeholder="ACDE FHJK",
    )  # fmt: skip
    find = html.Button(words.text("walls.find"), id=FIND, type="button", className="desk-button primary", n_clicks=0)
    body = [
        html.H2(words.text("walls.pair_title")),
        html.P(words.text("walls.pair_hint"), className="desk-hint"),
        html.Div([field(words.text("walls.code"), code), find], className="admin-line"),
        html.Div(id=TOLD, **{"aria-live": "polite"}),
        html.Div(id=FORM),
        html.H2(words.text("walls.list_title")),
        html.Div(id=LIST, className="wall-list"),
        *(dcc.Store(id=one) for one in (PULSE, SUBJECT, ASKED, PRESSED)),
        dcc.ConfirmDialog(id=SURE),
        html.Datalist(id=CHOICES),
    ]
    return section("walls", body, first=True)


def asks(found: Pairing, words: Words) -> html.Div:
    """Return which screen asks, so that nobody pairs another one."""
    heads = [words.text("walls.fact.item"), words.text("walls.fact.value")]
    lines = [
        [words.text("walls.fact.address"), found.address or "—"],
        [words.text("walls.fact.browser"), browser(found.agent) or "—"],
        [words.text("walls.fact.size"), found.size or "—"],
        [words.text("walls.fact.since"), when(found.made_at, words)],
    ]
    return html.Div([html.H3(words.text("walls.asks")), table(heads, lines)])


def form(plan: Plan, mode: str, words: Words) -> html.Div:
    """Return the fields of a wall; `mode`: pair or change."""
    layouts = [{"label": words.text(f"walls.layout.{one}"), "value": one} for one in LAYOUTS]
    known = [one for one in departments.current().values() if not one.ended or one.code == plan.scope.department]
    choices = [{"label": words.text("accounts.all_departments"), "value": ""}]
    choices += [{"label": one.name(words.lang), "value": one.code} for one in known]

    def of(name: str) -> dict[str, Any]:
        return {"id": {"wall-field": name}, "className": "admin-choice"}

    typed: dict[str, Any] = {"type": "text", "autoComplete": "off"}
    name = dcc.Input(value=plan.name, maxLength=NAME_MOST, **{**of("name"), "className": "desk-input"}, **typed)
    grid = dcc.Input(
        value=plan.scope.grid, list=CHOICES, maxLength=60, placeholder=words.text("accounts.all_grids"),
        **{**of("grid"), "className": "desk-input"}, **typed,
    )  # fmt: skip
    controls = {
        "name": name,
        "layout": dcc.Dropdown(layouts, plan.layout, clearable=False, **of("layout")),
        "grid": grid,
        "department": dcc.Dropdown(choices, plan.scope.department, clearable=False, **of("department")),
    }
    cells = [field(words.text(f"walls.field.{one}"), controls[one]) for one in FIELDS]
    save = html.Button(
        words.text(f"walls.save.{mode}"), id={"wall-save": mode}, type="button", className="desk-button primary"
    )
    leave = html.Button(
        words.text("walls.save.leave"), id={"wall-save": "leave"}, type="button", className="desk-button"
    )
    covers = html.P("", id={"wall-covers": mode}, className="desk-hint")
    return html.Div([html.Div(cells, className="admin-form"), covers, html.Div([save, leave], className="admin-line")])


def listed(found: Sequence[Standing], names: Mapping[str, str], words: Words) -> Any:
    """Return the table of walls."""
    heads = [words.text(f"walls.head.{name}") for name in HEADS]
    return table(heads, [line(row, names, words) for row in rows(found)], empty=words.text("walls.none"))


def line(row: Row, names: Mapping[str, str], words: Words) -> list[Any]:
    """Return one line of the table."""
    wall, latest = row.standing.wall, row.standing.latest
    version: list[Any] = [latest.version or "—"]
    if row.standing.old:
        version.append(html.Span(words.text("walls.old"), className="wall-mark"))
    shown = words.text(f"walls.layout.{wall.layout}")
    screen = [one for one in (latest.size, browser(latest.agent), latest.address) if one]
    return [
        [html.Strong(wall.name), html.Br(), html.Span(shown, className="desk-hint")],
        state(row, words),
        scope_said(Scope(wall.scope_grid, wall.scope_department), names, words),
        painted(row.standing, words),
        [html.Div(one) for one in screen] or "—",
        version,
        [html.Div(when(wall.paired_at, words)), html.Span(wall.paired_by.partition(":")[2], className="desk-hint")],
        "" if wall.revoked_at is not None else acts(wall.id, words),
    ]


def state(row: Row, words: Words) -> list[Any]:
    """Return how a wall is, and since when where it is not well."""
    wall = row.standing.wall
    since = {"stuck": wall.stuck_at, "away": row.standing.seen_at, "revoked": wall.revoked_at}.get(row.state)
    said: list[Any] = [html.Span(words.text(f"walls.state.{row.state}"), className=f"wall-state {row.state}")]
    if since is not None:
        said += [html.Br(), html.Span(when(since, words), className="desk-hint")]
    return said


def painted(one: Standing, words: Words) -> Any:
    """Return which frame was painted last, and how long ago; `assets/live.js` writes the age."""
    if one.latest.painted_at is None:
        return "—"
    before, after = words.text("walls.ago", age="|").split("|")
    age = html.Time(**{"data-at": str(one.latest.painted_at)})
    frame = html.Span(words.text("walls.frame", n=f"{one.latest.painted:,}"), className="desk-hint")
    return [before, age, after, html.Br(), frame]


def acts(wall_id: str, words: Words) -> html.Div:
    """Return what can be done about a wall."""
    buttons = [
        html.Button(
            words.text(f"walls.act.{name}"),
            id={"wall-act": name, "of": wall_id},
            type="button",
            className="desk-button",
        )
        for name in ("change", "revoke")
    ]
    return html.Div(buttons, className="wall-acts")


# ---- doing -----------------------------------------------------------------------------------------------------------


def names_of(commands: Any) -> dict[str, str]:
    """Return the names of grids."""
    area = commands.area()
    return {code: one.name for code, one in area.grids.items()} if area else {}


def looked(commands: Any, typed: str, words: Words) -> tuple[Any, Any, Any]:
    """Look a code up; return the form, what is said, and what the form is about."""
    try:
        found = commands.wallbook.find(typed)
    except OperationsError as error:
        return None, notice("wrong", explain(error, words)), None
    shown = html.Div([asks(found, words), form(Plan(""), "pair", words)], className="wall-asks")
    return shown, None, {"code": found.code}


def kept(commands: Any, subject: Mapping[str, Any], values: Mapping[str, str], words: Words) -> Any:
    """Pair or change a wall. Raises OperationsError."""
    plan = plan_of(values)
    if "code" in subject:
        commands.wallbook.confirm(str(subject["code"]), plan)
        return notice("good", words.text("walls.done.pair", name=plan.name))
    commands.wallbook.change(str(subject["id"]), plan)
    return notice("good", words.text("walls.done.change", name=plan.name))


def opened(commands: Any, wall_id: str, words: Words) -> tuple[Any, Any]:
    """Return the form of a wall and what it is about."""
    wall = next((one.wall for one in commands.wallbook.listed() if one.wall.id == wall_id), None)
    if wall is None:
        raise PreventUpdate
    plan = Plan(wall.name, Scope(wall.scope_grid, wall.scope_department), wall.layout)
    head = html.H3(words.text("walls.change_title", name=wall.name))
    return html.Div([head, form(plan, "change", words)], className="wall-asks"), {"id": wall.id, "name": wall.name}


def register(app: Any, commands: Any) -> None:
    """Register the list, pairing, changing and revoking."""
    words: Words = app.words

    def drawn(*_news: object) -> Any:
        return listed(commands.wallbook.listed(), names_of(commands), words)

    def find(clicks: int | None, submits: int | None, typed: str | None) -> tuple[Any, Any, Any]:
        if not (clicks or submits) or not (typed or "").strip():
            raise PreventUpdate
        return looked(commands, str(typed), words)

    app.callback(Output(LIST, "children"), Input(PULSE, "data"), Input(TOLD, "children"))(drawn)
    about = Output(FORM, "children"), Output(TOLD, "children"), Output(SUBJECT, "data")
    asked = Input(FIND, "n_clicks"), Input(CODE, "n_submit"), State(CODE, "value")
    app.callback(*about, *asked, prevent_initial_call=True)(find)
    register_form(app, commands)
    register_acts(app, commands)


def register_form(app: Any, commands: Any) -> None:
    """Register what a form keeps, and the grids it offers."""
    words: Words = app.words

    def keep(clicks: list[int | None], subject: dict[str, Any] | None, values: list[Any]) -> tuple[Any, ...]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not subject:
            raise PreventUpdate
        if ctx.triggered_id["wall-save"] == "leave":
            return None, None, None, ""
        typed = {str(one["id"]["wall-field"]): str(one.get("value") or "") for one in ctx.states_list[1]}
        try:
            return kept(commands, subject, typed, words), None, None, ""
        except OperationsError as error:
            return notice("wrong", explain(error, words)), no_update, no_update, no_update

    def offered(_values: list[Any], places: list[Any]) -> tuple[Any, list[str]]:
        found = {str(one["id"]["wall-field"]): one.get("value") for one in ctx.inputs_list[0]}
        text, area = str(found.get("grid") or ""), commands.area()
        hits = gridcard.found(area, text, WHOLE) if area else []
        return [html.Option(one.name, value=one.code) for one in hits], [grid_said(area, text, words)] * len(places)

    told = Output(TOLD, "children", allow_duplicate=True), Output(FORM, "children", allow_duplicate=True)
    cleared = Output(SUBJECT, "data", allow_duplicate=True), Output(CODE, "value")
    filled = State(SUBJECT, "data"), State({"wall-field": ALL}, "value")
    app.callback(*told, *cleared, Input({"wall-save": ALL}, "n_clicks"), *filled, prevent_initial_call=True)(keep)
    choices = Output(CHOICES, "children"), Output({"wall-covers": ALL}, "children")
    typed_in = Input({"wall-field": ALL}, "value"), State({"wall-covers": ALL}, "id")
    app.callback(*choices, *typed_in, prevent_initial_call=True)(offered)


def register_acts(app: Any, commands: Any) -> None:
    """Register changing a wall, and revoking it after a question."""
    words: Words = app.words

    def act(pressed: dict[str, Any] | None) -> tuple[Any, ...]:
        if not pressed:
            raise PreventUpdate
        name, wall_id = str(pressed["wall-act"]), str(pressed["of"])
        shown, subject = opened(commands, wall_id, words)
        if name == "change":
            return shown, subject, False, "", None
        return no_update, no_update, True, words.text("walls.sure", name=subject["name"]), subject

    def agreed(clicks: int | None, asked: dict[str, Any] | None) -> Any:
        if not clicks or not asked:
            raise PreventUpdate
        try:
            commands.wallbook.revoke(str(asked["id"]))
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        return notice("good", words.text("walls.done.revoke", name=str(asked["name"])))

    form_of = Output(FORM, "children", allow_duplicate=True), Output(SUBJECT, "data", allow_duplicate=True)
    question = Output(SURE, "displayed"), Output(SURE, "message"), Output(ASKED, "data")
    pressed = presses(app, PRESSED, {"wall-act": ALL, "of": ALL})
    app.callback(*form_of, *question, pressed, prevent_initial_call=True)(act)
    said = Output(TOLD, "children", allow_duplicate=True)
    app.callback(said, Input(SURE, "submit_n_clicks"), State(ASKED, "data"), prevent_initial_call=True)(agreed)
