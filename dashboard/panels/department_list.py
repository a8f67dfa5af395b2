"""Departments 部门 on the page of settings: listed for all administrators, changed by the system administrator."""

from collections.abc import Sequence
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config.departments import Department
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.panels.import_shell import Sheet, counts, parts, register_import
from dashboard.personnel import DEPARTMENT_COLUMNS
from operations.departments import NAME_MOST, SHORT_MOST, Wanted
from operations.errors import OperationsError

LIST, TOLD, FORM, SAVE, SURE, ASKED = (
    *("department-list", "department-told", "department-form", "department-save"),
    *("department-sure", "department-asked"),
)
IMPORT = "department-import"
SHEET = Sheet("departments", tuple(DEPARTMENT_COLUMNS), (("forestry", "林业", "Forestry", "林业"),))
FIELDS = ("code", "zh", "en", "short")


def layout(words: Words) -> html.Section:
    """Return the section: what is said, the form, the list."""
    most = {"code": NAME_MOST, "short": SHORT_MOST}
    fields = [
        field(
            words.text(f"departments.field.{name}"),
            dcc.Input(
                id={"department": name},
                type="text",
                className="desk-input",
                maxLength=most.get(name, NAME_MOST),
                value="",
            ),
            words.text(f"departments.hint.{name}"),
        )
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
        ],
    )


def line(one: Department, words: Words, *, may: bool) -> list[Any]:
    """Return the cells of a department."""
    state = words.text("departments.ended") if one.ended else words.text("departments.living")
    acts = [act(name, one, words) for name in ("edit", "resume" if one.ended else "end")] if may else []
    return [html.Code(one.code), one.zh, one.en, one.short, state, html.Div(acts, className="admin-line")]


def act(name: str, one: Department, words: Words) -> html.Button:
    """Return a button of a department's line."""
    said = words.text(f"departments.act.{name}")
    return html.Button(said, id={"do": name, "code": one.code}, type="button", className="desk-button")


def shown(found: Sequence[Department], words: Words, *, may: bool) -> Any:
    """Return the table."""
    heads = [*(words.text(f"departments.field.{name}") for name in FIELDS), words.text("departments.state"), ""]
    return table(heads, [line(one, words, may=may) for one in found])


def keep(commands: Any, typed: Sequence[str | None], words: Words) -> Any:
    """Add or rename what stands in the form; return what is said."""
    wanted = Wanted(*((one or "").strip() for one in typed))
    try:
        known = {one.code for one in commands.departments.listed()}
        (commands.departments.rename if wanted.code in known else commands.departments.add)(wanted)
    except OperationsError as error:
        return notice("wrong", explain(error, words))
    return notice("good", words.text("departments.saved", name=wanted.zh))


def register(app: Any, commands: Any) -> None:
    """Register listing, filling the form, and what is done."""
    words: Words = app.words

    def listed(*_told: object) -> tuple[Any, bool, bool]:
        may = commands.allowed("department.manage")
        return shown(commands.departments.listed(), words, may=may), not may, not may

    def fill(clicks: list[int | None]) -> list[str]:
        code = clicked(clicks, "edit")
        one = next((one for one in commands.departments.listed() if one.code == code), None)
        if one is None:
            raise PreventUpdate
        return [one.code, one.zh, one.en, one.short]

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

    def save(clicks: int | None, typed: list[str | None]) -> Any:
        if not clicks:
            raise PreventUpdate
        return keep(commands, typed, words)

    hidden = Output(FORM, "hidden"), Output(IMPORT, "hidden")
    imported = Input(SHEET.id("told"), "children")
    app.callback(Output(LIST, "children"), *hidden, Input(TOLD, "children"), imported)(listed)
    register_list(app, commands)
    typed = State({"department": ALL}, "value")
    doing = Input({"do": ALL, "code": ALL}, "n_clicks")
    app.callback(Output({"department": ALL}, "value"), doing, prevent_initial_call=True)(fill)
    question = Output(SURE, "displayed"), Output(SURE, "message"), Output(ASKED, "data")
    app.callback(*question, doing, prevent_initial_call=True)(ask)
    app.callback(Output(TOLD, "children"), Input(SAVE, "n_clicks"), typed, prevent_initial_call=True)(save)
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
