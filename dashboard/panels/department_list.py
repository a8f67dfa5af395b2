"""Departments 部门 on the page of settings: listed for all administrators, changed by the system administrator."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config.departments import PRESENCES, Department
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.panels.import_shell import Sheet, counts, parts, register_import
from dashboard.personnel import DEPARTMENT_COLUMNS
from operations.departments import EMAIL_MOST, NAME_MOST, PLACED, SHORT_MOST, Wanted
from operations.errors import OperationsError

LIST, TOLD, FORM, SAVE, SURE, ASKED, FILLED = (
    *("department-list", "department-told", "department-form", "department-save"),
    *("department-sure", "department-asked", "department-filled"),
)
IMPORT = "department-import"
SAMPLE = ("forestry", "林业", "Forestry", "林业", "emergency", "随叫", "0000-5550123", "linye@example.org")
SHEET = Sheet("departments", tuple(DEPARTMENT_COLUMNS), (SAMPLE,))
FIELDS = ("code", "zh", "en", "short", *PLACED)
MOST = {"short": SHORT_MOST, "phone": 20, "email": EMAIL_MOST}
Typed = Sequence[str | None]


def layout(words: Words) -> html.Section:
    """Return the section: what is said, the form, the list."""
    fields = [
        field(words.text(f"departments.field.{name}"), control(name, words), words.text(f"departments.hint.{name}"))
        for name in FIELDS
    ]
    save = html.Button(words.text("departments.save"), id=SAVE, type="button", className="desk-button primary")
    form = html.Div([html.Div(fields, className="admin-form"), save], id=FORM, className="card-form", hidden=True)
    return section(
        "departments",
        [
            html.H2(words.text("admin.settings.tab.departments")),
            html.P(words.text("departments.said"), className="desk-hint"),
            html.Div(id=TOLD, **{"aria-live": "polite"}),
            form,
            html.Div(id=LIST),
            html.Div(parts(SHEET, words), id=IMPORT, className="admin-stack", hidden=True),
            dcc.ConfirmDialog(id=SURE),
            dcc.Store(id=ASKED),
            dcc.Store(id=FILLED),
        ],
    )


def control(name: str, words: Words) -> Any:
    """Return the empty control of one field."""
    given: dict[str, Any] = {"id": {"department": name}, "value": ""}
    if name == "parent":
        return dcc.Dropdown([], className="admin-choice", **given)
    if name == "presence":
        options = [{"label": words.text(f"contacts.presence.{one}"), "value": one} for one in PRESENCES]
        return dcc.Dropdown(options, className="admin-choice", **given)
    return dcc.Input(type="text", className="desk-input", maxLength=MOST.get(name, NAME_MOST), **given)


def above(found: Sequence[Department], words: Words) -> list[dict[str, str]]:
    """Return whom a department can be placed below."""
    return [{"label": one.name(words.lang), "value": one.code} for one in found if not one.ended]


def line(one: Department, names: Mapping[str, str], words: Words, *, may: bool) -> list[Any]:
    """Return the cells of a department; `names`: {code: name}."""
    state = words.text("departments.ended") if one.ended else words.text("departments.living")
    acts = [act(name, one, words) for name in ("edit", "resume" if one.ended else "end")] if may else []
    presence = words.text(f"contacts.presence.{one.presence}") if one.presence else ""
    reached = html.Div([html.Div(each) for each in (one.phone, one.email) if each])
    placed = names.get(one.parent, one.parent), presence, reached
    return [html.Code(one.code), one.zh, one.en, one.short, *placed, state, html.Div(acts, className="admin-line")]


def act(name: str, one: Department, words: Words) -> html.Button:
    """Return a button of a department's line."""
    said = words.text(f"departments.act.{name}")
    return html.Button(said, id={"do": name, "code": one.code}, type="button", className="desk-button")


def shown(found: Sequence[Department], words: Words, *, may: bool) -> Any:
    """Return the table."""
    heads = [words.text(f"departments.field.{name}") for name in (*FIELDS[:6], "reached")]
    names = {one.code: one.name(words.lang) for one in found}
    lines = [line(one, names, words, may=may) for one in found]
    return table([*heads, words.text("departments.state"), ""], lines)


def asked_for(typed: Typed, filled: Typed | None) -> Wanted:
    """Return what the form says; of a place only what differs from what was filled in, so that nothing is clobbered."""
    said = [(one or "").strip() for one in typed]
    before = filled if filled and filled[0] == said[0] else ("",) * len(FIELDS)
    names = len(FIELDS) - len(PLACED)
    placed = (None if one == was else one for one, was in zip(said[names:], before[names:], strict=True))
    return Wanted(*said[:names], *placed)


def keep(commands: Any, typed: Typed, filled: Typed | None, words: Words) -> tuple[Any, Any]:
    """Add or change what stands in the form; return what is said and what the form was filled with from now on."""
    wanted = asked_for(typed, filled)
    try:
        known = {one.code for one in commands.departments.listed()}
        (commands.departments.rename if wanted.code in known else commands.departments.add)(wanted)
    except OperationsError as error:
        return notice("wrong", explain(error, words)), no_update
    one = next(one for one in commands.departments.listed() if one.code == wanted.code)
    return notice("good", words.text("departments.saved", name=wanted.zh)), told(one)


def told(one: Department) -> list[str]:
    """Return a department as the form holds it."""
    return [str(getattr(one, name)) for name in FIELDS]


def register(app: Any, commands: Any) -> None:
    """Register listing, filling the form, and what is done."""
    words: Words = app.words

    def listed(*_told: object) -> tuple[Any, bool, bool, list[dict[str, str]]]:
        may = commands.allowed("department.manage")
        found = commands.departments.listed()
        return shown(found, words, may=may), not may, not may, above(found, words)

    def fill(clicks: list[int | None]) -> tuple[list[str], list[str]]:
        code = clicked(clicks, "edit")
        one = next((one for one in commands.departments.listed() if one.code == code), None)
        if one is None:
            raise PreventUpdate
        return told(one), told(one)

    def ask(clicks: list[int | None]) -> tuple[bool, str, dict[str, str]]:
        code = clicked(clicks, "end", "resume")
        name = next((one.zh for one in commands.departments.listed() if one.code == code), code)
        act = str(ctx.triggered_id["do"])
        return True, words.text(f"departments.sure.{act}", name=name), {"do": act, "code": code}

    def agreed(clicks: int | None, asked: dict[str, str] | None) -> Any:
        if not clicks or not asked:
            raise PreventUpdate
        try:
            commands.departments.end(asked["code"], ended=asked["do"] == "end")
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        return notice("good", words.text(f"departments.done.{asked['do']}", code=asked["code"]))

    def save(clicks: int | None, typed: list[str | None], filled: list[str] | None) -> tuple[Any, Any]:
        if not clicks:
            raise PreventUpdate
        return keep(commands, typed, filled, words)

    hidden = Output(FORM, "hidden"), Output(IMPORT, "hidden"), Output({"department": "parent"}, "options")
    imported = Input(SHEET.id("told"), "children")
    app.callback(Output(LIST, "children"), *hidden, Input(TOLD, "children"), imported)(listed)
    register_list(app, commands)
    typed = State({"department": ALL}, "value")
    doing = Input({"do": ALL, "code": ALL}, "n_clicks")
    filled = Output(FILLED, "data")
    app.callback(Output({"department": ALL}, "value"), filled, doing, prevent_initial_call=True)(fill)
    question = Output(SURE, "displayed"), Output(SURE, "message"), Output(ASKED, "data")
    app.callback(*question, doing, prevent_initial_call=True)(ask)
    kept = Output(TOLD, "children"), Output(FILLED, "data", allow_duplicate=True)
    saving = Input(SAVE, "n_clicks"), typed, State(FILLED, "data")
    app.callback(*kept, *saving, prevent_initial_call=True)(save)
    said = Output(TOLD, "children", allow_duplicate=True)
    app.callback(said, Input(SURE, "submit_n_clicks"), State(ASKED, "data"), prevent_initial_call=True)(agreed)


def clicked(clicks: list[int | None], *acts: str) -> str:
    """Return the code whose button of one of `acts` was clicked; raises PreventUpdate for any other."""
    if not any(clicks) or not isinstance(ctx.triggered_id, dict) or ctx.triggered_id["do"] not in acts:
        raise PreventUpdate
    return str(ctx.triggered_id["code"])


def register_list(app: Any, commands: Any) -> None:
    """Register taking a list of departments over."""
    words: Words = app.words

    def take(upload_id: str, leave_out: bool) -> tuple[Any, Any]:
        taken = commands.enlistbook.take_departments(upload_id, leave_out=leave_out)
        return notice("good", words.text("import.departments.taken", **counts(taken))), None

    register_import(app, SHEET, lambda upload_id: commands.enlistbook.departments(upload_id), take)
