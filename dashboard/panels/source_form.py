"""Adding and changing a source 添加来源: one form, the fields of its kind, what is wrong said beside the field."""

from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate
from msgspec import convert, json, structs, to_builtins

from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, leading, notice, section
from operations.errors import OperationsError
from operations.sources import DATUMS, Source
from streams.errors import SettingsWrong
from streams.pull_settings import AUTHS, FORMATS, KINDS, of_form

BEGIN, KIND, BODY, SAVE, NOTE = "source-add", "form-kind", "form-body", "form-save", "form-note"
MODE = "form-mode"
PROBE, PROBED, MAPPINGS = "form-test", "form-probe", "form-mappings"
TAB = "settings"
MOST_TEXT = 4_000


@dataclass(frozen=True)
class Field:
    """One field: `control` is text, number, choice, area, lines or secret; `choices` are codes with a text each."""

    name: str
    control: str = "text"
    default: str | int | float = ""
    choices: tuple[str, ...] = ()
    fixed: bool = False
    """Cannot be changed later."""


WHO = (Field("id", fixed=True), Field("name"))
READING = (
    Field("mapping"),
    Field("datum", "choice", "WGS84", DATUMS),
    Field("time_zone"),
    Field("rate_limit", "number", 0),
    Field("silent_after_s", "number", 0),
)
PROOF = (
    Field("auth", "choice", "none", AUTHS),
    Field("auth_name"),
    Field("secret", "secret"),
    Field("headers", "lines"),
)
OWN: dict[str, tuple[Field, ...]] = {
    "file": (),
    "http": (),
    "websocket": (),
    "redis_stream": (),
    "folder": (
        Field("path"),
        Field("pattern", "text", "*"),
        Field("period_s", "number", 5),
        Field("keep_days", "number", 30),
    ),
    "http_pull": (
        Field("url"),
        Field("period_s", "number", 60),
        Field("format", "choice", "json", FORMATS),
        Field("items"),
        Field("watermark_param"),
        Field("watermark_field"),
        Field("watermark_start"),
        Field("next"),
        Field("most_pages", "number", 20),
        Field("timeout_s", "number", 20),
        *PROOF,
    ),
    "cap_pull": (
        Field("url"),
        Field("period_s", "number", 60),
        Field("timeout_s", "number", 20),
        *PROOF,
    ),
    "database": (
        Field("url"),
        Field("secret", "secret"),
        Field("schema"),
        Field("table"),
        Field("watermark"),
        Field("key"),
        Field("period_s", "number", 60),
        Field("batch", "number", 500),
    ),
    "websocket_pull": (
        Field("url"),
        Field("first", "area"),
        Field("items"),
        Field("cursor_field"),
        Field("cursor_start"),
        Field("silence_s", "number", 600),
        *PROOF,
    ),
}
"""The fields of each kind that can be added here, beside those of every source."""


class Wrong(Exception):
    """Something in the form is not as it must be; `field` names it, `said` says it in words."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(field)
        self.field = field
        self.said = said


def fields(kind: str) -> tuple[Field, ...]:
    """Return the fields of a kind, in their order."""
    return (*WHO, *OWN.get(kind, ()), *READING)


def values(source: Source) -> dict[str, Any]:
    """Return what stands in the fields for a source; never its secret."""
    try:
        own: dict[str, Any] = json.decode(source.settings or "{}", type=dict)
    except ValueError:
        own = {}
    own["headers"] = "\n".join(f"{name}: {value}" for name, value in own.get("headers", {}).items())
    return {**to_builtins(source), **own}


def source_of(kind: str, given: dict[str, Any], before: Source | None, words: Words) -> Source:
    """Return the source that a form describes. Raises Wrong for the first field that is wrong."""
    plain = {one.name: given.get(one.name) for one in fields(kind)}
    own = {one.name: plain[one.name] for one in OWN.get(kind, ()) if one.control != "secret"}
    common = {one.name: plain[one.name] for one in (*WHO, *READING) if not (before and one.fixed)}
    numbers = ("rate_limit", "silent_after_s")
    try:
        common |= {name: convert(common[name] or 0, float if name == "rate_limit" else int) for name in numbers}
    except ValueError:
        raise Wrong("rate_limit", words.text("sources.wrong.form")) from None
    common = {name: value.strip() if isinstance(value, str) else value or "" for name, value in common.items()} | {
        name: common[name] for name in numbers
    }
    common["time_zone"] = common["time_zone"] or "Asia/Shanghai"
    base = before or Source("", "")
    return structs.replace(base, **common, kind=kind, settings=settings_of(kind, own, words))


def settings_of(kind: str, own: dict[str, Any], words: Words) -> str:
    """Return the settings of a kind as they are stored. Raises Wrong."""
    if kind not in KINDS:
        return ""
    try:
        typed = {name: value.strip() if isinstance(value, str) else value for name, value in own.items()}
        if "headers" in typed:
            typed["headers"] = headers_of(typed["headers"] or "")
        return of_form(kind, typed)
    except SettingsWrong as error:
        raise Wrong(error.field, words.text(f"sources.wrong.{error.code}", **error.params)) from None


def headers_of(lines: str) -> dict[str, str]:
    """Return "Name: value" lines as a table; a line without a colon is a name that is not allowed."""
    pairs = [line.partition(":") for line in lines.splitlines() if line.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs}


# ---- looks -----------------------------------------------------------------------------------------------------------


def begin(words: Words) -> html.Button:
    """Return the button that begins a new source."""
    return html.Button(words.text("sources.add"), id=BEGIN, type="button", className="desk-button primary", n_clicks=0)


def layout(words: Words) -> html.Div:
    """Return nothing: the page's first panel holds the button and the section."""
    return html.Div(hidden=True)


def form(words: Words) -> html.Section:
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


def token(said: str, words: Words) -> html.Div:
    """Return a token as it is shown once, with a button that copies it."""
    return html.Div(
        [
            html.P(words.text("sources.token.once")),
            html.Div(
                [
                    html.Code(said, id="token-said", className="copy-text"),
                    html.Button(
                        words.text("sources.copy"),
                        type="button",
                        className="desk-button",
                        **{"data-copy": "token-said", "data-copied": words.text("sources.copied")},
                    ),
                ],
                className="admin-line",
            ),
        ],
        className="token-once",
    )


def reason(code: str, params: dict[str, Any], words: Words) -> str:
    """Return in words why a source is out of reach, or not pulled; a code without a text says itself."""
    key = f"sources.away.{code}"
    return words.text(key) if key in words else words.text("sources.away.other", code=code)


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


def begun(button: Any, chosen: str | None) -> dict[str, str] | None:
    """Return what the form is for after a button, or None."""
    if button == BEGIN:
        return {"id": "", "kind": "http_pull"}
    return {"id": chosen} if chosen and button == {"act": "edit"} else None


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

    def opened(_add: int | None, _acts: list[int | None], chosen: str | None) -> Any:
        wanted = begun(ctx.triggered_id, chosen) if ctx.triggered and ctx.triggered[0]["value"] else None
        if wanted is None:
            raise PreventUpdate
        return {**wanted, "again": [_add, _acts]}

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
        Output(MODE, "data"), Input(BEGIN, "n_clicks"), Input({"act": ALL}, "n_clicks"), State("source-chosen", "data")
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


def probing(app: Any, probed: Any) -> None:
    """Register what the button "test connection" does: `probed(clicks, values, their fields, mode)`."""
    app.callback(
        Output(PROBED, "children"),
        Input(PROBE, "n_clicks"),
        State({"field": ALL}, "value"),
        State({"field": ALL}, "id"),
        State(MODE, "data"),
        prevent_initial_call=True,
    )(probed)


def marked(order: list[str], wrong: str, said: str) -> list[str]:
    """Return what stands beside each field."""
    return [said if name == wrong else "" for name in order]
