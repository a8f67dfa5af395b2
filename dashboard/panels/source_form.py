"""Adding and changing a source 添加来源: one form, the fields of its kind, what is wrong said beside the field."""

from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, leading, notice, section
from dashboard.panels.source_shell import (
    ACTED,
    BEGIN,
    MAPPINGS,
    MODE,
    OWN,
    PROBE,
    PROBED,
    Field,
    Wrong,
    fields,
    source_of,
    token,
    values,
)
from operations.errors import OperationsError
from operations.sources import Source
from streams.pull_settings import KINDS

KIND, BODY, SAVE, NOTE = "form-kind", "form-body", "form-save", "form-note"
TAB = "settings"
MOST_TEXT = 4_000


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the section of the form, empty."""
    return section(
        TAB,
        [
            dcc.Store(id=MODE),
            html.Div(html.P(words.text("sources.form.empty"), className="desk-empty"), id=BODY, className="form-body"),
            html.Div(id=NOTE, **{"aria-live": "polite"}),
        ],
    )


def body(
    kind: str,
    given: dict[str, Any],
    before: Source | None,
    words: Words,
    *,
    may: bool,
    kept: bool,
    mappings: list[str],
) -> list[Any]:
    """Return the form of a kind, filled with `given`; `kept`: a secret lies here already."""
    title = words.text("sources.form.change", name=before.name) if before else words.text("sources.form.add")
    head: list[Any] = [html.H2(title)]
    if not may:
        head.append(notice("note", words.text("sources.only_admin")))
    options = [{"label": words.text(f"admin.sources.kind.{one}"), "value": one} for one in OWN]
    if before is None:
        head.append(dcc.RadioItems(options, kind, id=KIND, className="kind-choice", inline=True))
    head.append(html.P(words.text(f"sources.kind_hint.{kind}"), className="desk-hint"))
    drawn = [control(one, kind, given.get(one.name, one.default), bool(before), kept, words) for one in fields(kind)]
    buttons = [
        html.Button(
            words.text("sources.form.save"), id=SAVE, type="button", className="desk-button primary", disabled=not may
        )
    ]
    if kind in KINDS and kind != "folder":
        test = words.text("sources.form.test")
        buttons.append(html.Button(test, id=PROBE, type="button", className="desk-button", disabled=not may))
    return [
        *head,
        html.Div(drawn, className="admin-form"),
        html.Div(buttons, className="admin-line"),
        html.Div(id=PROBED),
        choices(mappings),
    ]


def known_mappings(commands: Any) -> list[str]:
    """Return the names of the mappings there are."""
    names: list[str] = commands.mapbook.names()
    return names


def choices(names: list[str]) -> html.Datalist:
    """Return the names that the field of the mapping offers while one writes."""
    return html.Datalist([html.Option(value=name) for name in names], id=MAPPINGS)


def control(one: Field, kind: str, value: Any, editing: bool, kept: bool, words: Words) -> html.Div:
    """Return one labelled field with the place beside it for what is wrong."""
    name = {"field": one.name}
    common: dict[str, Any] = {"id": name, "className": "desk-input"}
    made: Any
    if one.control == "choice":
        options = [{"label": words.text(f"sources.choice.{code}"), "value": code} for code in one.choices]
        made = dcc.Dropdown(options, value or one.default, **{**common, "className": "admin-choice"}, clearable=False)
    elif one.control in ("area", "lines"):
        made = dcc.Textarea(value=value or "", maxLength=MOST_TEXT, rows=2, **common)
    elif one.control == "secret":
        told = words.text("sources.form.kept") if kept else ""
        made = dcc.Input(
            type="password", value="", autoComplete="new-password", maxLength=MOST_TEXT, placeholder=told, **common
        )
    else:
        fixed = editing and one.fixed
        kind_of = "number" if one.control == "number" else "text"
        common |= {"list": MAPPINGS} if one.name == "mapping" else {}
        made = dcc.Input(
            type=kind_of, value=value, disabled=fixed, maxLength=2_000, autoComplete="off", spellCheck=False, **common
        )
    own = f"sources.hint_of.{kind}.{one.name}"
    hint = words.text(own if own in words else f"sources.hint.{one.name}")
    labelled = field(words.text(f"sources.field.{one.name}"), made, hint)
    wrong = html.P("", id={"wrong": one.name}, className="field-wrong", role="alert")
    return html.Div([labelled, wrong], className="form-cell")


# ---- callbacks -------------------------------------------------------------------------------------------------------


def save(commands: Any, words: Words, filled: dict[str, Any], mode: dict[str, str]) -> tuple[Any, list[str], Any, Any]:
    """Add or change the source a form describes; return (what is said, what stands beside each field, its id, mode).

    The form is then drawn anew, for the source as it is kept: without the secret that was written into it.
    """
    order = list(filled)
    try:
        before = commands.directory.get(mode["id"]) if mode.get("id") else None
        one = source_of(before.kind if before else mode["kind"], filled, before, words)
        if one.mapping and one.mapping not in known_mappings(commands):
            raise Wrong("mapping", words.text("sources.wrong.no_mapping", name=one.mapping))
        said = kept(commands, words, one, before, str(filled.get("secret") or ""))
    except Wrong as error:
        return (
            notice("wrong", words.text("sources.form.look")),
            marked(order, error.field, error.said),
            no_update,
            no_update,
        )
    except OperationsError as error:
        at = str(error.params.get("field", "id" if error.code == "operations.source_exists" else ""))
        told = explain(error, words)
        return notice("wrong", told), marked(order, at, told), no_update, no_update
    return said, [""] * len(order), one.id, {"id": one.id, "saved": True}


def kept(commands: Any, words: Words, one: Source, before: Source | None, secret: str) -> html.Div:
    """Keep a source, and return what is said about it: of a new one that sends, its token."""
    if before is not None:
        commands.directory.change(one, secret)
        return notice("good", words.text("sources.form.saved"))
    made = commands.directory.add(one, secret)
    added = words.text("sources.form.added", name=one.name)
    return notice("good", [html.P(added), *([token(made, words)] if made else []), following(one.kind, words)])


def following(kind: str, words: Words) -> html.Div:
    """Return what comes next for a source that was added."""
    tabs = ("files",) if kind == "file" else ("health",) if kind in KINDS else ("try", "mapping")
    said = html.Span(words.text("sources.form.next"), className="desk-hint")
    return html.Div([said, *(leading(tab, words) for tab in tabs)], className="admin-line form-next")


def begun(button: str | None, chosen: str | None) -> dict[str, str] | None:
    """Return what the form is for after a button, or None."""
    if button == BEGIN:
        return {"id": "", "kind": "http_pull"}
    return {"id": chosen} if chosen and button == "edit" else None


def typed(kind: str, filled: dict[str, Any]) -> dict[str, Any]:
    """Return what was written into the form of a kind, for another kind to begin with: no defaults, no secret."""
    defaults = {one.name: one.default for one in fields(kind)} | {"secret": filled.get("secret")}
    return {name: value for name, value in filled.items() if value != defaults.get(name) and value is not None}


def fresh(commands: Any, words: Words, mode: dict[str, Any]) -> list[Any]:
    """Return the form as it begins: empty, or with what is set about a source."""
    may = commands.allowed("source.manage")
    mappings = known_mappings(commands) if may else []
    if not mode.get("id"):
        given = {"time_zone": commands.time_zone, **mode.get("given", {})}
        return body(mode["kind"], given, None, words, may=may, kept=False, mappings=mappings)
    one = commands.directory.get(mode["id"])
    kept = commands.directory.has_secret(one.id)
    return body(one.kind, values(one), one, words, may=may, kept=kept, mappings=mappings)


def register(app: Any, commands: Any) -> None:
    """Register beginning, changing the kind, saving."""
    words: Words = app.words

    def opened(adds: int | None, acted: dict[str, Any] | None, chosen: str | None) -> Any:
        began = ctx.triggered_id == BEGIN and adds
        wanted = begun(BEGIN if began else str((acted or {}).get("act")), chosen)
        if wanted is None:
            raise PreventUpdate
        return {**wanted, "again": [adds, (acted or {}).get("press")]}

    def drawn(mode: dict[str, str] | None) -> Any:
        if not mode:
            raise PreventUpdate
        return fresh(commands, words, mode), no_update if mode.get("saved") else ""

    def turned(kind: str | None, given: list[Any], names: list[Any], mode: dict[str, Any] | None) -> Any:
        if not kind or not mode or mode.get("id") or mode.get("kind") == kind:
            raise PreventUpdate
        filled = dict(zip((name["field"] for name in names), given, strict=True))
        return {**mode, "kind": kind, "given": {**mode.get("given", {}), **typed(mode["kind"], filled)}}

    def saved(clicks: int | None, given: list[Any], names: list[Any], mode: dict[str, str] | None) -> Any:
        if not clicks or not mode:
            raise PreventUpdate
        order = [name["field"] for name in names]
        return save(commands, words, dict(zip(order, given, strict=True)), mode)

    app.callback(
        Output(MODE, "data"), Input(BEGIN, "n_clicks"), Input(ACTED, "data"), State("source-chosen", "data")
    )(opened)
    app.callback(
        Output(MODE, "data", allow_duplicate=True), Input(KIND, "value"),
        State({"field": ALL}, "value"), State({"field": ALL}, "id"), State(MODE, "data"), prevent_initial_call=True,
    )(turned)  # fmt: skip
    app.callback(Output(BODY, "children"), Output(NOTE, "children"), Input(MODE, "data"))(drawn)
    app.callback(
        Output(NOTE, "children", allow_duplicate=True),
        Output({"wrong": ALL}, "children"),
        Output("source-chosen", "data", allow_duplicate=True),
        Output(MODE, "data", allow_duplicate=True),
        Input(SAVE, "n_clicks"),
        State({"field": ALL}, "value"),
        State({"field": ALL}, "id"),
        State(MODE, "data"),
        prevent_initial_call=True,
        running=[(Output(SAVE, "disabled"), True, False)],
    )(saved)
    app.clientside_callback(
        "dash_clientside.sources.opened", Output(MODE, "id"), Input(MODE, "data"), prevent_initial_call=True
    )


def marked(order: list[str], wrong: str, said: str) -> list[str]:
    """Return what stands beside each field."""
    return [said if name == wrong else "" for name in order]
