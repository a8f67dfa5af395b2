"""The address book 云通讯录: departments as a tree at the left, who belongs there, and one card at the right."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate
from msgspec import structs

from config import clock
from config.departments import Department
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from operations.contacts.cards import FIELDS, Card, Person, Team, kind_of
from operations.contacts.index import Hit
from operations.errors import OperationsError

FIND, TREE, LIST, NOTICE, DETAIL, CHOSEN, CARD, SURE = (
    *("person-find", "person-tree", "person-list", "person-notice", "person-detail"),
    *("person-department", "person-card", "person-sure"),
)
MOST_SHOWN = 200
NEW = ("person", "team")


# ---- pure ------------------------------------------------------------------------------------------------------------


def branches(found: Sequence[Department]) -> list[tuple[int, Department]]:
    """Return departments as a tree: (depth, department), each below the one it belongs to."""
    codes = {one.code for one in found}
    below: dict[str, list[Department]] = {}
    for one in found:
        below.setdefault(one.parent if one.parent in codes else "", []).append(one)

    def grown(top: str, depth: int) -> list[tuple[int, Department]]:
        return [line for one in below.get(top, ()) for line in ((depth, one), *grown(one.code, depth + 1))]

    return grown("", 0)


def branch(depth: int, one: Department, chosen: str, words: Words) -> html.Button:
    """Return a department's line of the tree."""
    presence = (
        [html.Span(words.text(f"contacts.presence.{one.presence}"), className="desk-hint")] if one.presence else []
    )
    return html.Button(
        [html.Span(one.name(words.lang)), *presence],
        id={"person-branch": one.code},
        type="button",
        className=f"admin-row contact-branch depth-{min(depth, 4)}",
        **{"aria-current": str(one.code == chosen).lower()},
    )


def row(hit: Hit, words: Words) -> html.Button:
    """Return one that was found."""
    said = [one for one in (hit.post, hit.department_name if hit.kind != "department" else "", hit.grid) if one]
    mark = html.Span(words.text(f"contacts.kind.{hit.kind}"), className="contact-kind")
    return html.Button(
        [mark, html.Strong(hit.name), html.Span(" · ".join(said), className="desk-hint")],
        id={"person-row": f"{hit.kind}:{hit.id}"},
        type="button",
        className="admin-row contact-row",
    )


def facts(card: Card, department: str, words: Words) -> Any:
    """Return what is known of a card."""
    lines = [[words.text(f"contacts.field.{name}"), value] for name, value in told(card, department) if value]
    return table([words.text("contacts.fact"), words.text("contacts.value")], lines)


def told(card: Card, department: str) -> list[tuple[str, str]]:
    """Return the fields of a card as they are shown."""
    shown = [name for name in FIELDS[kind_of(card)] if name != "account"]
    return [(name, department if name == "department" else str(getattr(card, name))) for name in shown]


def of_department(one: Department, words: Words) -> html.Div:
    """Return the card of a department: presence and the numbers of its duty desk."""
    presence = words.text(f"contacts.presence.{one.presence}") if one.presence else words.text("contacts.not_said")
    lines = [
        [words.text("contacts.field.presence"), presence],
        [words.text("contacts.field.phone"), one.phone or words.text("contacts.not_said")],
        [words.text("contacts.field.email"), one.email or words.text("contacts.not_said")],
    ]
    heads = [words.text("contacts.fact"), words.text("contacts.value")]
    return html.Div([html.H2(one.name(words.lang)), table(heads, lines)], className="admin-stack")


def form(card: Card, account: str, known: Sequence[Department], words: Words) -> html.Div:
    """Return the form of a card."""
    fields = []
    for name in FIELDS[kind_of(card)]:
        given: dict[str, Any] = {"id": {"person-field": name}, "className": "desk-input"}
        value = account if name == "account" else str(getattr(card, name))
        control: Any
        if name == "department":
            options = [{"label": one.name(words.lang), "value": one.code} for one in known]
            control = dcc.Dropdown(options, value, **{**given, "className": "admin-choice"}, clearable=False)
        else:
            control = dcc.Input(type="text", value=value, maxLength=200, **given)
        fields.append(field(words.text(f"contacts.field.{name}"), control))
    save = act("save", card, words, "primary")
    end = [act("end", card, words)] if card.id else []
    return html.Div([html.Div(fields, className="admin-form"), html.Div([save, *end], className="admin-line")])


def act(name: str, card: Card, words: Words, kind: str = "") -> html.Button:
    """Return a button that does something to the card that is shown."""
    which = f"{name}:{kind_of(card)}:{card.id}:{card.revision}"
    return html.Button(
        words.text(f"contacts.act.{name}"), id={"person-act": which}, type="button", className=f"desk-button {kind}"
    )


def asking(card: Card, words: Words) -> html.Div:
    """Return the line that asks for a reason before whole numbers are shown."""
    why = dcc.Input(
        id={"person-field": "reason"}, type="text", className="desk-input", maxLength=200, value="", debounce=False
    )
    return html.Div([field(words.text("contacts.why"), why), act("show", card, words)], className="admin-line")


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    find = dcc.Input(
        id=FIND, type="search", className="desk-input", debounce=0.2, maxLength=40, value="", autoFocus=True
    )
    adding = [
        html.Button(words.text(f"contacts.add.{kind}"), id={"person-new": kind}, type="button", className="desk-button")
        for kind in NEW
    ]
    side = html.Nav(id=TREE, className="contact-tree", **{"aria-label": words.text("contacts.departments")})
    middle = [field(words.text("contacts.find"), find), html.Div(id=LIST, className="contact-list")]
    card = [
        html.Div(adding, className="admin-line", id="person-adding", hidden=True),
        html.Div(id=NOTICE, **{"aria-live": "polite"}),
        html.Div(html.P(words.text("contacts.choose"), className="desk-empty"), id=DETAIL, className="admin-stack"),
    ]
    kept = [dcc.Store(id=CHOSEN, data=""), dcc.Store(id=CARD), dcc.ConfirmDialog(id=SURE)]
    columns = [html.Div(side), html.Div(middle, className="contact-middle"), html.Div(card, className="contact-card")]
    return section("directory", [html.Div(columns, className="contact-three"), *kept], first=True)


# ---- doing -----------------------------------------------------------------------------------------------------------


def shown(commands: Any, which: str, words: Words) -> Any:
    """Return a card "person:ID" or "department:CODE", with what whoever asks may do about it."""
    kind, _, key = which.partition(":")
    known = commands.contacts.departments()
    if kind == "department":
        one = next((one for one in known if one.code == key), None)
        return None if one is None else of_department(one, words)
    card = commands.contacts.card(kind, key)
    names = {one.code: one.name(words.lang) for one in known}
    parts = [html.H2(card.name), facts(card, names.get(card.department, card.department), words)]
    if not commands.allowed("directory.phones") and any(getattr(card, name, "") for name in ("phone", "email")):
        parts.append(asking(card, words))
    if commands.allowed("directory.manage"):
        account = commands.contacts.account_name(card.account) if isinstance(card, Person) else ""
        parts += [html.H3(words.text("contacts.edit")), form(card, account, known, words)]
    return html.Div(parts, className="admin-stack")


def numbers(found: Mapping[str, str], words: Words) -> html.Div:
    """Return whole numbers that were asked for."""
    said = [f"{words.text(f'contacts.field.{name}')} {value}" for name, value in found.items() if value]
    return notice("good", html.Div([html.Strong(" · ".join(said)), html.P(words.text("contacts.written_down"))]))


def carried_out(commands: Any, asked: str, typed: Mapping[str, str], words: Words) -> tuple[Any, Any]:
    """Do what a button says; return what is said and the card that is shown ("": the same)."""
    name, kind, key, revision = asked.split(":")
    if name == "show":
        return numbers(commands.contacts.numbers(kind, key, typed.get("reason", "")), words), ""
    if name == "end":
        commands.contacts.end(kind, key, int(revision))
        return notice("good", words.text("contacts.done.end")), None
    values: dict[str, Any] = {one: typed.get(one, "").strip() for one in FIELDS[kind]}
    account = values.pop("account", "")
    made: Card = Person(**values) if kind == "person" else Team(**values)
    kept = commands.contacts.keep(structs.replace(made, id=key, revision=int(revision)), account)
    return notice("good", words.text("contacts.done.save", name=kept.name)), f"{kind}:{kept.id}"


def begun(commands: Any, kind: str, chosen: str, words: Words) -> html.Div:
    """Return the form of a new card."""
    known = commands.contacts.departments()
    department = chosen or known[0].code
    empty: Card = Person(name="", department=department) if kind == "person" else Team(name="", department=department)
    return html.Div([html.H2(words.text(f"contacts.add.{kind}")), form(empty, "", known, words)])


def register(app: Any, commands: Any) -> None:
    """Register looking and choosing, and what is done."""
    words: Words = app.words

    def tree(chosen: str | None) -> tuple[Any, bool]:
        every = html.Button(
            words.text("contacts.all"), id={"person-branch": ""}, type="button", className="admin-row contact-branch"
        )
        lines = [branch(depth, one, chosen or "", words) for depth, one in branches(commands.contacts.departments())]
        return [every, *lines], not commands.allowed("directory.manage")

    def choose(clicks: list[int | None]) -> str:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        return str(ctx.triggered_id["person-branch"])

    def listing(text: str | None, chosen: str | None, _kept: object) -> list[Any]:
        kinds = ("department", "team", "person") if text else ("team", "person")
        hits = commands.contacts.find(text or "", kinds, MOST_SHOWN, chosen or "")
        rows = [row(hit, words) for hit in hits]
        said = words.text("contacts.count", n=f"{len(rows):,}") if rows else words.text("contacts.none")
        return [html.P(said, className="desk-hint"), *rows]

    def detail(_rows: object, chosen: str | None, _new: object) -> tuple[Any, Any]:
        which, value = ctx.triggered_id, ctx.triggered[0]["value"] if ctx.triggered else None
        if not value:
            raise PreventUpdate
        if isinstance(which, dict) and "person-new" in which:
            return begun(commands, str(which["person-new"]), chosen or "", words), ""
        wanted = str(which["person-row"]) if isinstance(which, dict) else f"department:{chosen}"
        try:
            return shown(commands, wanted, words), ""
        except OperationsError as error:
            return None, notice("wrong", explain(error, words))

    app.callback(Output(TREE, "children"), Output("person-adding", "hidden"), Input(CHOSEN, "data"))(tree)
    app.callback(Output(CHOSEN, "data"), Input({"person-branch": ALL}, "n_clicks"), prevent_initial_call=True)(choose)
    app.callback(Output(LIST, "children"), Input(FIND, "value"), Input(CHOSEN, "data"), Input(CARD, "data"))(listing)
    opening = Input({"person-row": ALL}, "n_clicks"), Input(CHOSEN, "data"), Input({"person-new": ALL}, "n_clicks")
    app.callback(Output(DETAIL, "children"), Output(NOTICE, "children"), *opening, prevent_initial_call=True)(detail)
    register_acts(app, commands)


def register_acts(app: Any, commands: Any) -> None:
    """Register what is done to a card."""
    words: Words = app.words

    def done(clicks: list[int | None], sure: int | None, typed: list[Any], names: list[Any], asked: Any) -> Any:
        which = ctx.triggered_id
        name = str(which["person-act"]) if isinstance(which, dict) and any(clicks) else ""
        if name.startswith("end:"):
            return no_update, no_update, {"asked": name}, True, words.text("contacts.sure")
        name = str((asked or {}).get("asked", "")) if which == SURE and sure else name
        if not name:
            raise PreventUpdate
        values = {str(one["person-field"]): str(value or "") for one, value in zip(names, typed, strict=True)}
        drawn = {"at": clock.now()}
        try:
            said, after = carried_out(commands, name, values, words)
            body = no_update if after == "" else None if after is None else shown(commands, after, words)
        except OperationsError as error:
            return notice("wrong", explain(error, words)), no_update, drawn, False, ""
        return said, body, drawn, False, ""

    acting = Input({"person-act": ALL}, "n_clicks"), Input(SURE, "submit_n_clicks")
    typed = State({"person-field": ALL}, "value"), State({"person-field": ALL}, "id"), State(CARD, "data")
    outputs = [
        Output(NOTICE, "children", allow_duplicate=True),
        Output(DETAIL, "children", allow_duplicate=True),
        Output(CARD, "data"),
        Output(SURE, "displayed"),
        Output(SURE, "message"),
    ]
    app.callback(*outputs, *acting, *typed, prevent_initial_call=True)(done)
