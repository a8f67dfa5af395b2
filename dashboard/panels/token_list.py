"""Tokens 接口令牌: who may send or read by program, and how far; made, given another secret, revoked."""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock, departments
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.tokenbook import Once, Wanted
from operations.errors import OperationsError
from operations.scope import Scope
from operations.tokens import CHOICES, KINDS, Terms, Token

SHOWN, LIST, TOLD, NEW, ASKED, ROTATING, SURE = (
    *("token-shown", "token-list", "token-told", "token-new", "token-asked", "token-rotating", "token-sure"),
)
HOURS, ROTATE, CANCEL, MAKE = "token-hours", "token-rotate", "token-cancel", "token-make"
FIELDS = ("name", "kind", "source", "intake", "read", "networks", "grid", "department", "days")
DAYS = (30, 90, 365, 0)
"""Lifetimes offered, in days; 0: no end."""
OVERLAPS = (0, 1, 24, 168)
"""Hours the old secret may go on."""
STATES = ("active", "rotating", "expired", "revoked")
ENDED_MOST = 100
"""Ended tokens shown, the newest ones."""
DAY = 86_400_000_000
SECOND = 1_000_000


# ---- pure ------------------------------------------------------------------------------------------------------------


def rows(found: Sequence[Token], now: int, *, ended: bool) -> list[Token]:
    """Return the tokens to show: those in force by name, then, if asked for, the newest of those that ended."""
    living = sorted((one for one in found if one.state(now) in ("active", "rotating")), key=lambda one: one.name)
    over = [one for one in found if one.state(now) in ("expired", "revoked")]
    return living + (over[::-1][:ENDED_MOST] if ended else [])


def line(one: Token, may: Mapping[str, bool], words: Words, now: int) -> list[Any]:
    """Return one row of the table; `may`: which kinds whoever looks may change."""
    say = words.text
    return [
        [html.Strong(one.name), html.Div(f"{one.mark}…" if one.mark else "", className="desk-hint token-mark")],
        [say(f"tokens.kind.{one.kind}"), html.Div(one.source, className="desk-hint")],
        html.Ul([html.Li(one) for one in actions_said(one, words)], className="token-actions"),
        html.Div([html.Div(each) for each in one.networks.split()] or say("tokens.anywhere")),
        scope_said(one, words) if one.kind == "read" else "—",
        [when(one.used_at, words, say("tokens.never_used")), html.Div(one.used_address, className="desk-hint")],
        when(one.expires_at, words, say("tokens.no_end")),
        state(one, words, now),
        acts(one, words, now, may=may[one.kind]),
    ]


def actions_said(one: Token, words: Words) -> list[str]:
    """Return what a token may do, in words."""
    names = one.actions.split() or CHOICES[one.kind]
    return [words.text(f"tokens.may.{name}") for name in names]


def scope_said(one: Token, words: Words) -> str:
    """Return a reader's jurisdiction in words."""
    known = departments.current().get(one.scope_department)
    department = known.name(words.lang) if known else one.scope_department
    return " · ".join(part for part in (one.scope_grid, department) if part) or words.text("tokens.everywhere")


def state(one: Token, words: Words, now: int) -> html.Div:
    """Return the state as a word, and of one with two secrets until when the old one holds."""
    name = one.state(now)
    said = html.Span(words.text(f"tokens.state.{name}"), className=f"token-state {name}")
    until = words.text("tokens.old_until", at=when(one.before_ends_at, words, ""))
    return html.Div([said, *([html.Div(until, className="desk-hint")] if name == "rotating" else [])])


def acts(one: Token, words: Words, now: int, *, may: bool) -> html.Div | str:
    """Return the buttons of a token in force; who may not is told whose they are."""
    name = one.state(now)
    if name == "revoked":
        return ""
    if not may:
        return html.Div(words.text(f"tokens.not_yours.{one.kind}"), className="desk-hint")
    names = ("rotate", "revoke") if name != "expired" else ("revoke",)
    return html.Div([act(each, one, words) for each in names], className="token-acts")


def act(name: str, one: Token, words: Words) -> html.Button:
    """Return a button that does something to a token."""
    said = words.text(f"tokens.act.{name}")
    which = {"token-act": name, "token": one.id}
    return html.Button(said, id=which, type="button", className="desk-button", title=f"{said}: {one.name}")


def when(at: int | None, words: Words, otherwise: str) -> str:
    """Return a time as the city's date and time of day."""
    if at is None:
        return otherwise
    return datetime.fromtimestamp(at / SECOND, words.city.zone).strftime("%Y-%m-%d %H:%M")


def listing(found: Sequence[Token], may: Mapping[str, bool], words: Words, now: int, *, ended: bool) -> Any:
    """Return the table."""
    heads = ("name", "kind", "may", "networks", "scope", "used", "ends", "state", "act")
    lines = [line(one, may, words, now) for one in rows(found, now, ended=ended)]
    return table([words.text(f"tokens.head.{name}") for name in heads], lines, empty=words.text("tokens.none"))


def once(made: Once, words: Words) -> html.Div:
    """Return a secret that is shown once, with a button that copies it."""
    copy = html.Button(
        words.text("sources.copy"),
        type="button",
        className="desk-button",
        **{"data-copy": "token-secret", "data-copied": words.text("sources.copied")},
    )
    shown = html.Div([html.Code(made.secret, id="token-secret", className="copy-text"), copy], className="admin-line")
    said = html.P(words.text("tokens.once", name=made.name))
    return notice("good", html.Div([said, shown], className="token-once"))


def wanted(given: Mapping[str, Any], now: int) -> Wanted:
    """Return the token that a filled form asks for; all of a kind's actions ticked is no limit."""
    kind = str(given["kind"] or "")
    ticked = tuple(given[kind] or ()) if kind in KINDS else ()
    actions = () if set(ticked) == set(CHOICES.get(kind, ())) else ticked
    networks = tuple(str(given["networks"] or "").replace(",", " ").split())
    days = int(given["days"] or 0)
    terms = Terms(actions, networks, now + days * DAY if days else None)
    name = str(given["name"] or "").strip()
    if kind == "intake":
        return Wanted(name or str(given["source"] or ""), kind, str(given["source"] or ""), terms=terms)
    scope = Scope(str(given["grid"] or "").strip(), str(given["department"] or ""))
    return Wanted(name, kind, scope=scope, terms=terms)


def form(may: Mapping[str, bool], sources: Sequence[tuple[str, str]], words: Words) -> list[Any]:
    """Return the form of a new token; `sources`: (id, name) of those that send."""
    say = words.text
    mine = [kind for kind in KINDS if may[kind]]
    kinds = [{"label": say(f"tokens.kind.{kind}"), "value": kind, "disabled": not may[kind]} for kind in KINDS]
    chosen = mine[0] if mine else KINDS[0]
    why = [html.P(say(f"tokens.not_yours.{kind}"), className="desk-hint") for kind in KINDS if not may[kind]]
    known = departments.current().values()
    offices = [{"label": say("tokens.everywhere"), "value": ""}]
    offices += [{"label": one.name(words.lang), "value": one.code} for one in known]
    senders = [{"label": f"{name} · {code}", "value": code} for code, name in sources]
    return [
        dcc.RadioItems(kinds, chosen, id=part("kind"), className="kind-choice", inline=True),
        *why,
        html.Div(
            [
                field(say("tokens.field.name"), text("name", most=60), say("tokens.hint.name")),
                html.Div(field(say("tokens.field.source"), choice("source", senders, None)), id=of("source")),
                html.Div(ticks("intake", words), id=of("intake")),
                html.Div(ticks("read", words), id=of("read")),
                html.Div(field(say("tokens.field.grid"), text("grid"), say("tokens.hint.grid")), id=of("grid")),
                html.Div(field(say("tokens.field.department"), choice("department", offices, "")), id=of("department")),
                field(say("tokens.field.networks"), text("networks", most=600), say("tokens.hint.networks")),
                field(say("tokens.field.days"), choice("days", lifetimes(words), 365)),
            ],
            className="admin-form",
        ),
        html.Button(say("tokens.make"), id=MAKE, type="button", className="desk-button primary", disabled=not mine),
    ]


def part(name: str) -> dict[str, str]:
    """Return the id of a field of the form."""
    return {"token-field": name}


def of(name: str) -> dict[str, str]:
    """Return the id of the place of a field, which only one kind has."""
    return {"token-place": name}


PLACES = {"source": "intake", "intake": "intake", "read": "read", "grid": "read", "department": "read"}
"""Which kind a place is of."""


def text(name: str, most: int = 40) -> dcc.Input:
    """Return a field for text."""
    return dcc.Input(id=part(name), type="text", className="desk-input", maxLength=most, autoComplete="off")


def choice(name: str, options: Sequence[Mapping[str, Any]], value: Any) -> dcc.Dropdown:
    """Return a field to choose in."""
    return dcc.Dropdown(list(options), value, id=part(name), className="admin-choice", clearable=False)


def ticks(kind: str, words: Words) -> html.Div:
    """Return what a token of a kind may do, to be ticked."""
    options = [{"label": words.text(f"tokens.may.{name}"), "value": name} for name in CHOICES[kind]]
    ticked = dcc.Checklist(options, list(CHOICES[kind]), id=part(kind), className="token-ticks")
    return field(words.text("tokens.field.may"), ticked)


def lifetimes(words: Words) -> list[dict[str, Any]]:
    """Return the lifetimes to choose from."""
    return [
        {"label": words.text("tokens.days", n=days) if days else words.text("tokens.no_end"), "value": days}
        for days in DAYS
    ]


def rotating(one: Token, words: Words) -> html.Div:
    """Return the question how long the old secret is to go on."""
    options = [
        {"label": words.text("tokens.hours", n=hours) if hours else words.text("tokens.at_once"), "value": hours}
        for hours in OVERLAPS
    ]
    buttons = (("rotate", ROTATE, "desk-button primary"), ("cancel", CANCEL, "desk-button"))
    return html.Div(
        [
            html.H3(words.text("tokens.rotate_title", name=one.name)),
            field(words.text("tokens.overlap"), dcc.RadioItems(options, 24, id=HOURS, inline=True)),
            html.Div(
                [
                    html.Button(words.text(f"tokens.do.{name}"), id=key, type="button", className=style)
                    for name, key, style in buttons
                ],
                className="admin-line",
            ),
        ],
        className="token-rotating",
    )


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    ended = dcc.Checklist(
        [{"label": words.text("tokens.show_ended"), "value": "ended"}], [], id=SHOWN, className="token-ticks"
    )
    new = html.Details(
        [html.Summary(words.text("tokens.new"), className="desk-button"), html.Div(id=NEW)], className="token-new"
    )
    kept = [dcc.Store(id=ASKED), dcc.ConfirmDialog(id=SURE)]
    asking = html.Div([field_placeholder(words)], id=ROTATING, hidden=True)
    head = [html.H2(words.text("page.tokens")), html.P(words.text("tokens.about"), className="desk-hint")]
    told = html.Div([html.Div(id=TOLD, **{"aria-live": "polite"}), asking], className="token-told")
    return section("tokens", [*head, told, new, ended, html.Div(id=LIST), *kept], first=True)


def field_placeholder(words: Words) -> html.Div:
    """Return what stands for the question until it is asked: its controls must be there to be listened to."""
    return html.Div([dcc.RadioItems([], None, id=HOURS), html.Button(id=ROTATE), html.Button(id=CANCEL)], hidden=True)


# ---- doing -----------------------------------------------------------------------------------------------------------


def mine(commands: Any) -> dict[str, bool]:
    """Return which kinds whoever asks may change."""
    return {kind: commands.tokens.may(kind) for kind in KINDS}


def done(work: Callable[[], html.Div], words: Words) -> html.Div:
    """Return what work says, or why it was refused."""
    try:
        return work()
    except OperationsError as error:
        return notice("wrong", explain(error, words))


def register(app: Any, commands: Any) -> None:
    """Register listing, making, rotating and revoking."""
    register_list(app, commands)
    register_acts(app, commands)


def register_list(app: Any, commands: Any) -> None:
    """Register the table, the form and making a token."""
    words: Words = app.words

    def listed(ended: list[str] | None, _told: object) -> Any:
        return listing(commands.tokens.listed(), mine(commands), words, clock.now(), ended=bool(ended))

    def drawn(_shown: object) -> list[Any]:
        return form(mine(commands), [(one.id, one.name) for one in commands.tokens.sources()], words)

    def turned(kind: str | None, places: list[dict[str, str]]) -> list[bool]:
        return [PLACES[place["token-place"]] != kind for place in places]

    def make(clicks: int | None, given: list[Any], names: list[dict[str, str]]) -> Any:
        if not clicks:
            raise PreventUpdate
        filled = dict.fromkeys(FIELDS) | {name["token-field"]: value for name, value in zip(names, given, strict=True)}
        return done(lambda: once(commands.tokens.add(wanted(filled, clock.now())), words), words)

    app.callback(Output(LIST, "children"), Input(SHOWN, "value"), Input(TOLD, "children"))(listed)
    app.callback(Output(NEW, "children"), Input(NEW, "id"))(drawn)
    places = {"token-place": ALL}
    app.callback(Output(places, "hidden"), Input(part("kind"), "value"), State(places, "id"))(turned)
    fields = State({"token-field": ALL}, "value"), State({"token-field": ALL}, "id")
    app.callback(Output(TOLD, "children"), Input(MAKE, "n_clicks"), *fields, prevent_initial_call=True)(make)


def register_acts(app: Any, commands: Any) -> None:
    """Register rotating and revoking, each after a question."""
    words: Words = app.words

    def ask(clicks: list[int | None]) -> tuple[Any, ...]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        one, name = commands.tokens.get(str(ctx.triggered_id["token"])), str(ctx.triggered_id["token-act"])
        if name == "rotate":
            return rotating(one, words), False, False, no_update, one.id
        return no_update, True, True, words.text("tokens.sure", name=one.name), one.id

    def rotate(clicks: int | None, cancelled: int | None, token_id: str | None, hours: int | None) -> tuple[Any, bool]:
        if ctx.triggered_id == CANCEL and cancelled:
            return no_update, True
        if not clicks or not token_id:
            raise PreventUpdate
        return done(lambda: once(commands.tokens.rotate(token_id, int(hours or 0)), words), words), True

    def revoke(agreed: int | None, token_id: str | None) -> Any:
        if not agreed or not token_id:
            raise PreventUpdate
        said = functools.partial(words.text, "tokens.revoked")
        return done(lambda: notice("good", said(name=commands.tokens.revoke(token_id))), words)

    said = Output(TOLD, "children", allow_duplicate=True)
    hidden = Output(ROTATING, "hidden", allow_duplicate=True)
    question = Output(ROTATING, "children"), Output(ROTATING, "hidden"), Output(SURE, "displayed")
    clicked = Input({"token-act": ALL, "token": ALL}, "n_clicks")
    app.callback(*question, Output(SURE, "message"), Output(ASKED, "data"), clicked, prevent_initial_call=True)(ask)
    pressed = Input(ROTATE, "n_clicks"), Input(CANCEL, "n_clicks"), State(ASKED, "data"), State(HOURS, "value")
    app.callback(said, hidden, *pressed, prevent_initial_call=True)(rotate)
    app.callback(said, Input(SURE, "submit_n_clicks"), State(ASKED, "data"), prevent_initial_call=True)(revoke)
