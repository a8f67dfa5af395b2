"""The duty list 责任清单: who handles which types where, with its gaps and conflicts."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config import taxonomy
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from operations.contacts.dutylist import PARTS, Finding, Line
from operations.errors import OperationsError

LIST, TOLD, FORM, DEPARTMENT, TYPE, OWNER, PART, GRID, BASIS, SAVE = (
    *("duty-list", "duty-told", "duty-form", "duty-department", "duty-type", "duty-owner", "duty-part", "duty-grid"),
    *("duty-basis", "duty-save"),
)
MOST_SHOWN, FINDINGS_MOST = 300, 60


def line(one: Line, names: Mapping[str, str], places: Mapping[str, str], words: Words, *, may: bool) -> list[Any]:
    """Return one line of the list."""
    end = html.Button(words.text("contacts.act.end"), id={"duty-end": one.id}, type="button", className="desk-button")
    where = places.get(one.grid, one.grid) if one.grid else words.text("contacts.duties.city")
    cells = [
        f"{one.type} {type_name(one.type, words)}",
        names.get(one.department, one.department),
        words.text(f"contacts.duties.{one.part}"),
        where,
        one.basis,
    ]
    return [*cells, end] if may else cells


def type_name(code: str, words: Words) -> str:
    """Return what a type or group is called, its code when it is none."""
    found = taxonomy.current().types.get(code)
    return code if found is None else found.name(words.lang)


def finding(one: Finding, names: Mapping[str, str], places: Mapping[str, str], words: Words) -> html.Li:
    """Return a gap or conflict in words."""
    where = "、".join(places.get(code, code) if code else words.text("contacts.duties.city") for code in one.grids)
    about = {"type": f"{one.type} {type_name(one.type, words)}", "where": where, "n": f"{one.count:,}"}
    about |= {"department": names.get(one.department, one.department), "other": names.get(one.other, one.other)}
    return html.Li(words.text(f"contacts.finding.{one.kind}", **about))


def findings(
    found: Sequence[Finding], postless: int, names: Mapping[str, str], places: Mapping[str, str], words: Words
) -> Any:
    """Return all gaps and conflicts, the conflicts first as they are given."""
    lines = [finding(one, names, places, words) for one in found[:FINDINGS_MOST]]
    lines += [html.Li(words.text("contacts.finding.no_post", n=f"{postless:,}"))] if postless else []
    if not lines:
        return notice("good", words.text("contacts.duties.whole"))
    said = words.text("contacts.duties.wrong", n=f"{len(found) + bool(postless):,}")
    return notice("note", html.Details([html.Summary(said), html.Ul(lines)], open=len(lines) < 12))


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    types = [
        {"label": f"{code} {one.name(words.lang)}", "value": code} for code, one in taxonomy.current().types.items()
    ]
    parts = [{"label": words.text(f"contacts.duties.{one}"), "value": one} for one in PARTS]
    given = {"className": "admin-choice", "clearable": False}
    fields = [
        field(words.text("contacts.duties.type"), dcc.Dropdown(types, None, id=TYPE, **given)),
        field(words.text("contacts.field.department"), dcc.Dropdown([], None, id=OWNER, **given)),
        field(words.text("contacts.duties.part"), dcc.Dropdown(parts, "lead", id=PART, **given)),
        field(words.text("contacts.field.grid"), dcc.Input(id=GRID, type="text", className="desk-input", value="")),
        field(words.text("contacts.duties.basis"), dcc.Input(id=BASIS, type="text", className="desk-input", value="")),
    ]
    save = html.Button(words.text("contacts.duties.add"), id=SAVE, type="button", className="desk-button primary")
    only = dcc.Dropdown([], None, id=DEPARTMENT, className="admin-choice")
    return section(
        "duties",
        [
            html.P(words.text("contacts.duties.said"), className="desk-hint"),
            html.Div(id=TOLD, **{"aria-live": "polite"}),
            field(words.text("contacts.duties.only"), only),
            html.Div(id=LIST, className="admin-stack"),
            html.Div([html.Div(fields, className="admin-form"), save], id=FORM, hidden=True),
        ],
    )


def register(app: Any, commands: Any) -> None:
    """Register the list, adding and ending lines."""
    words: Words = app.words

    def shown(only: str | None, _told: object) -> tuple[Any, ...]:
        may = commands.allowed("responsibility.manage")
        names = {one.code: one.name(words.lang) for one in commands.contacts.departments()}
        area = commands.area()
        places = {code: one.name for code, one in area.grids.items()} if area else {}
        lines = commands.contacts.duties()
        wanted = [one for one in lines if only in (None, "", one.department)]
        heads = [
            words.text(key)
            for key in (
                "contacts.duties.type",
                "contacts.field.department",
                "contacts.duties.part",
                "contacts.field.grid",
                "contacts.duties.basis",
            )
        ]
        heads += [""] if may else []
        rows = [line(one, names, places, words, may=may) for one in wanted[:MOST_SHOWN]]
        told = findings(commands.contacts.findings(lines), commands.contacts.without_post(), names, places, words)
        count = html.P(words.text("contacts.duties.count", n=f"{len(wanted):,}", shown=f"{len(rows):,}"))
        count.className = "desk-hint"
        options = [{"label": name, "value": code} for code, name in names.items()]
        return [told, count, table(heads, rows, empty=words.text("contacts.duties.none"))], options, options, not may

    def changed(
        saved: int | None, ends: list[int | None], kind: str | None, owner: str | None, part: str | None, *typed: Any
    ) -> Any:
        which = ctx.triggered_id
        try:
            if isinstance(which, dict) and any(ends):
                commands.contacts.change_duties([], [str(which["duty-end"])])
                return notice("good", words.text("contacts.duties.ended"))
            if which != SAVE or not saved:
                raise PreventUpdate
            grid, basis = (str(one or "").strip() for one in typed)
            made = Line(department=owner or "", type=kind or "", grid=grid, part=part or "lead", basis=basis)
            commands.contacts.change_duties([made])
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        return notice("good", words.text("contacts.duties.added"))

    outputs = Output(LIST, "children"), Output(DEPARTMENT, "options"), Output(OWNER, "options"), Output(FORM, "hidden")
    app.callback(*outputs, Input(DEPARTMENT, "value"), Input(TOLD, "children"))(shown)
    acting = Input(SAVE, "n_clicks"), Input({"duty-end": ALL}, "n_clicks")
    typed = [State(one, "value") for one in (TYPE, OWNER, PART, GRID, BASIS)]
    app.callback(Output(TOLD, "children"), *acting, *typed, prevent_initial_call=True)(changed)
