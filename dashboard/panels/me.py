"""One's own account 我的账号: the password, the second factor, and where one is signed in."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dash import ALL, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.agents import browser
from dashboard.errand import explain
from dashboard.panels.account_shell import when
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.stage_pages import grouped, qr
from operations.accounts import Account
from operations.errors import OperationsError
from operations.policy import Identity
from operations.sessions import Session

BODY, PULSE = "me-body", "me-pulse"
FIELDS = {"old": 1_000, "new": 1_000, "again": 1_000, "code": 10, "proof": 1_000}
"""Fields of the page and how many characters they take."""


class Row(NamedTuple):
    """One of one's sessions; `here`: the one that asks."""

    id: str
    agent: str
    address: str
    opened_at: int
    seen_at: int
    here: bool


class Shown(NamedTuple):
    """What the page says: `told` is a notice (kind, text), `codes` are shown once, `offered` is a new second factor."""

    told: tuple[str, str] | None = None
    codes: Sequence[str] = ()
    offered: tuple[str, str] | None = None


def rows(found: Sequence[Session], here: str) -> list[Row]:
    """Return one's sessions, this one first, then the latest."""
    made = [
        Row(one.id, browser(one.agent), one.address, one.opened_at, one.seen_at or one.opened_at, one.id == here)
        for one in found
    ]
    return sorted(made, key=lambda row: (not row.here, -row.seen_at))


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    return section("me", [html.Div(id=BODY, className="admin-stack"), dcc.Store(id=PULSE, data=0)], first=True)


def password_block(account: Account, words: Words) -> list[Any]:
    """Return the form of another password."""
    title = html.H2(words.text("me.password.title"))
    if account.demo or account.external:
        said = words.text("me.password.demo" if account.demo else "me.password.external")
        return [title, html.P(said, className="desk-hint")]
    fields = [entry(name, words) for name in ("old", "new", "again")]
    hint = html.P(words.text("me.password.hint"), className="desk-hint")
    return [title, html.Div(fields, className="admin-form"), hint, button("password", words, "primary")]


def factor_block(account: Account, mandatory: bool, left: int, shown: Shown, words: Words) -> list[Any]:
    """Return what can be done about the second factor, or nothing for an account without a password of ours."""
    title = html.H2(words.text("me.factor.title"))
    if account.demo or account.external:
        return []
    if shown.codes:
        codes = html.Ol([html.Li(html.Code(one)) for one in shown.codes], className="me-codes")
        return [title, notice("note", words.text("signin.codes.about")), codes, html.P(words.text("signin.codes.keep"))]
    if not account.second_factor and shown.offered is None:
        return [title, html.P(words.text("me.factor.none")), button("begin", words, "primary")]
    if shown.offered is not None:
        return [title, *offer(shown.offered, words)]
    said = words.text("me.factor.mandatory" if mandatory else "me.factor.on", left=left)
    acts = [button("codes", words)] if mandatory else [button("codes", words), button("give_up", words)]
    return [title, html.P(said), html.Div([entry("proof", words), *acts], className="admin-line")]


def offer(offered: tuple[str, str], words: Words) -> list[Any]:
    """Return a second factor to take: its picture, its secret, and the field for a code of it."""
    secret, address = offered
    label = words.text("signin.enrol.picture")
    picture = "data:image/svg+xml;base64," + base64.b64encode(qr(address, label, whole=True).encode()).decode()
    return [
        html.P(words.text("me.factor.scan")),
        html.Img(src=picture, alt=label, className="me-qr"),
        html.P([words.text("signin.enrol.by_hand"), html.Br(), html.Code(grouped(secret))]),
        html.Div(
            [entry("code", words), entry("proof", words), button("enrol", words, "primary")],
            className="admin-line",
        ),
    ]


def sessions_block(found: Sequence[Row], words: Words) -> list[Any]:
    """Return one's sessions, each with the way to end it, and the way to end them all."""
    heads = [words.text(f"me.sessions.{name}") for name in ("agent", "address", "opened", "seen", "act")]
    lines = [
        [
            row.agent or "—",
            row.address or "—",
            when(row.opened_at, words),
            when(row.seen_at, words),
            words.text("me.sessions.here") if row.here else button(f"end:{row.id}", words, said="me.act.end"),
        ]
        for row in found
    ]
    hint = html.P(words.text("me.sessions.hint"), className="desk-hint")
    return [html.H2(words.text("me.sessions.title")), hint, table(heads, lines), button("end_all", words)]


def entry(name: str, words: Words) -> Any:
    """Return a field by its name; only a code is shown while it is typed."""
    kind = "text" if name == "code" else "password"
    complete = {"code": "one-time-code", "old": "current-password", "proof": "current-password"}
    typed = dcc.Input(
        id={"me-field": name},
        type=kind,
        maxLength=FIELDS[name],
        autoComplete=complete.get(name, "new-password"),
        className="desk-input",
        value="",
    )
    return field(words.text(f"me.field.{name}"), typed)


def button(act: str, words: Words, looks: str = "", *, said: str = "") -> html.Button:
    """Return the button of an act."""
    text = words.text(said or f"me.act.{act}")
    return html.Button(text, id={"me-act": act}, type="button", className=f"desk-button {looks}".strip(), n_clicks=0)


def drawn(commands: Any, shown: Shown, words: Words) -> list[Any]:
    """Return the whole page as it stands for whoever asks."""
    own, identity = commands.own, commands.identity()
    account = own.account(identity)
    left = own.codes_left(identity) if account.second_factor else 0
    told = [notice(*shown.told)] if shown.told else []
    who = html.P(f"{words.text('desk.role.' + identity.role)} {identity.name}", className="desk-hint")
    return [
        html.H1(words.text("page.me"), className="me-title"),
        who,
        *told,
        *factor_block(account, own.mandatory(account), left, shown, words),
        *password_block(account, words),
        *sessions_block(rows(own.sessions(identity), identity.session), words),
    ]


def done(own: Any, identity: Identity, act: str, typed: Mapping[str, str], words: Words) -> Shown:
    """Carry an act out and return what the page says then. Raises OperationsError."""
    good = ("good", words.text("me.done"))
    if act == "password":
        if typed.get("new") != typed.get("again"):
            return Shown(("wrong", words.text("operations.password_twice")))
        own.change_password(identity, typed.get("old", ""), typed.get("new", ""))
        return Shown(("good", words.text("me.password.changed")))
    if act == "begin":
        return Shown(offered=own.offered(identity))
    if act == "enrol":
        return Shown(good, own.enrol(identity, typed.get("proof", ""), typed.get("code", "")))
    if act == "codes":
        return Shown(good, own.renew_codes(identity, typed.get("proof", "")))
    if act == "give_up":
        own.give_up(identity, typed.get("proof", ""))
    elif act == "end_all":
        own.end_all(identity)
    elif act.startswith("end:"):
        own.end(identity, act.removeprefix("end:"))
    else:
        raise PreventUpdate
    return Shown(good)


def register(app: Any, commands: Any) -> None:
    """Register showing the page and what is done on it."""
    words: Words = app.words

    def begin(_: Any) -> list[Any]:
        return drawn(commands, Shown(), words)

    def act(clicks: list[int | None], values: list[str | None]) -> list[Any]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        typed = {one["id"]["me-field"]: str(one.get("value") or "")[:1_000] for one in ctx.states_list[0]}
        name, identity = str(ctx.triggered_id["me-act"]), commands.identity()
        try:
            shown = done(commands.own, identity, name, typed, words)
        except OperationsError as error:
            again = commands.own.offered(identity) if name == "enrol" else None
            shown = Shown(("wrong", explain(error, words)), offered=again)
        return drawn(commands, shown, words)

    app.callback(Output(BODY, "children"), Input(PULSE, "data"))(begin)
    body = Output(BODY, "children", allow_duplicate=True)
    asked = Input({"me-act": ALL}, "n_clicks"), State({"me-field": ALL}, "value")
    app.callback(body, *asked, prevent_initial_call=True)(act)
