"""Accounts 账号: all of them at the left with a search, what is known and can be done about one at the right."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard import gridcard
from dashboard.accountbook import Once
from dashboard.moment import NoMoment
from dashboard.panels.account_shell import CHOICES, filled, form, grid_said, scope_said, told, typed, when
from dashboard.panels.admin_shell import field, notice, section, table
from operations import recovery
from operations.assignments import Assignment
from operations.errors import OperationsError, Refused
from operations.roll import STATES, Person
from operations.scope import WHOLE, Scope
from operations.sessions import Session

SEARCH, STATE, LIST, ADD, CHOSEN, TOLD, DETAIL, SURE, ASKED, NOTICE = (
    *("account-search", "account-state", "account-list", "account-add", "account-chosen", "account-told"),
    *("account-detail", "account-sure", "account-asked", "account-notice"),
)
POST = ("shown_name", "role", "grid", "department", "from", "to")
FORMS = ("new", "post", "right")
RIGHT = ("role", "grid", "department", "from", "to", "reason")
MOST_SHOWN = 200
"""Accounts in the list at once; a search finds the others."""
TERMINAL = {recovery.USED: "used", recovery.REFUSED: "refused", recovery.COMMAND: "command"}
"""What of the terminal's trail is told, by the text that tells it."""
MOST_TOLD = 5
AT_ONCE = ("on", "unlock")
"""What is done without a question."""


# ---- pure ------------------------------------------------------------------------------------------------------------


def found(
    people: Sequence[Person], text: str, state: str, names: Mapping[str, str], words: Words, now: int
) -> list[Person]:
    """Return the accounts in a state (all: "") whose name, role, department or jurisdiction holds every word typed."""
    wanted = text.lower().split()
    return [
        one
        for one in people
        if state in ("", one.state(now)) and all(word in searched(one, names, words) for word in wanted)
    ]


def searched(one: Person, names: Mapping[str, str], words: Words) -> str:
    """Return what a search looks through, in small letters."""
    scopes = [scope_said(scope, names, words) for scope in (one.scope, *(each.right.scope for each in one.rights))]
    roles = [words.text(f"desk.role.{role}") for role in (one.role, *(each.right.role for each in one.rights))]
    return " ".join([one.name, one.shown_name, one.role, *roles, *scopes, one.scope.department]).lower()


def item(one: Person, chosen: str, names: Mapping[str, str], words: Words, now: int) -> html.Button:
    """Return a row of the list."""
    role, scope = one.held(now)
    standing = [html.Span(words.text("accounts.standing_in"), className="account-mark")] if role != one.role else []
    head = [html.Strong(one.shown_name or one.name), html.Span(one.name if one.shown_name else "")]
    said = [words.text(f"desk.role.{role}"), *([] if scope == WHOLE else [scope_said(scope, names, words)])]
    return html.Button(
        [
            html.Span([*head, chip(one, words, now)], className="account-head"),
            html.Span([" · ".join(said), *standing], className="desk-hint"),
        ],
        id={"account": one.id},
        type="button",
        className="admin-row",
        **{"aria-current": str(one.id == chosen).lower()},
    )


def chip(one: Person, words: Words, now: int) -> html.Span:
    """Return the state as a word with a mark."""
    state = one.state(now)
    return html.Span(words.text(f"accounts.state.{state}"), className=f"account-state {state}")


def facts(one: Person, names: Mapping[str, str], words: Words, now: int) -> Any:
    """Return what is known of an account."""
    say = words.text
    role, scope = one.held(now)
    now_held = f"{say(f'desk.role.{role}')} · {scope_said(scope, names, words)}"
    lines = [
        [say("accounts.fact.name"), one.name],
        [say("accounts.fact.holds"), now_held],
        [say("accounts.fact.signed_in"), when(one.signed_in_at, words)],
        [say("accounts.fact.second_factor"), say(f"accounts.{'yes' if one.second_factor else 'no'}")],
        [say("accounts.fact.added"), when(one.added_at, words)],
    ]
    if one.administrator:
        lines.append([say("accounts.fact.administrator"), say(f"desk.role.{one.administrator}")])
    if one.external:
        lines.append([say("accounts.fact.external"), one.external])
    if one.state(now) == "locked":
        lines.append([say("accounts.fact.locked_until"), when(one.locked_until, words)])
    return table([say("accounts.fact.item"), say("accounts.fact.value")], lines)


def acts(one: Person, words: Words, now: int, *, own: bool) -> html.Div:
    """Return the buttons; about oneself there are none but a word why."""
    if own:
        return html.P(words.text("operations.account_own"), className="desk-hint")
    names = ["unlock"] if one.state(now) == "locked" else []
    names += [] if one.external or one.demo else ["password"]
    names += ["factor"] if one.second_factor else []
    names += ["everywhere"] if one.open_sessions else []
    switch = act("on" if one.disabled_at is not None else "off", str(one.revision), words)
    return html.Div([*(act(name, "", words) for name in names), switch], className="admin-line")


def act(name: str, of: str, words: Words) -> html.Button:
    """Return a button that does something; `of` is the right, session or revision it is about."""
    said = words.text(f"accounts.act.{name}")
    return html.Button(said, id={"act": name, "of": of}, type="button", className="desk-button")


def rights(one: Person, names: Mapping[str, str], words: Words, now: int, *, own: bool) -> Any:
    """Return the rights that are not over, the one that counts marked."""
    heads = [words.text(f"accounts.head.{name}") for name in ("role", "scope", "from", "to", "reason", "by", "act")]
    ordered = sorted(one.rights, key=lambda each: each.right.starts_at)
    lines = [right_line(each, names, words, now, own=own) for each in ordered]
    return table(heads, lines, empty=words.text("accounts.no_rights"))


def right_line(one: Assignment, names: Mapping[str, str], words: Words, now: int, *, own: bool) -> list[Any]:
    """Return one line of the table of rights."""
    right = one.right
    mark = words.text("accounts.in_force") if one.holds(now) else words.text("accounts.coming")
    return [
        f"{words.text(f'desk.role.{right.role}')} · {mark}",
        scope_said(right.scope, names, words),
        when(right.starts_at, words),
        when(right.ends_at, words),
        right.reason,
        one.given_by.partition(":")[2],
        "" if own else act("withdraw", one.id, words),
    ]


def open_sessions(found: Sequence[Session], words: Words) -> Any:
    """Return the open sessions."""
    heads = [words.text(f"accounts.head.{name}") for name in ("opened", "ends", "agent", "act")]
    lines = [
        [when(one.opened_at, words), when(one.expires_at, words), one.agent[:80], act("revoke", one.id, words)]
        for one in found
    ]
    return table(heads, lines, empty=words.text("accounts.no_sessions"))


def once(made: Once, words: Words) -> html.Div:
    """Return a password that is shown once, with a button that copies it."""
    copy = html.Button(
        words.text("sources.copy"),
        type="button",
        className="desk-button",
        **{"data-copy": "account-password", "data-copied": words.text("sources.copied")},
    )
    shown = html.Div([html.Code(made.password, id="account-password", className="copy-text"), copy])
    shown.className = "admin-line"
    said = html.P(words.text("accounts.once", name=made.name))
    return notice("good", html.Div([said, shown], className="token-once"))


def values(one: Person, words: Words) -> dict[str, str]:
    """Return what stands in the form of a post."""
    return {
        "shown_name": one.shown_name,
        "role": one.role,
        "grid": one.scope.grid,
        "department": one.scope.department,
        "from": typed(one.valid_from, words),
        "to": typed(one.valid_to, words),
    }


def detail(
    one: Person, sessions: Sequence[Session], names: Mapping[str, str], words: Words, now: int, *, own: bool
) -> html.Div:
    """Return everything about one account."""
    say = words.text
    saves = [] if own else [save("post", one.revision, words)]
    gives = [
        html.H3(say("accounts.give_title")),
        form("right", RIGHT, {"role": one.role}, words),
        save("right", one.revision, words),
    ]
    return html.Div(
        [
            html.H2([one.shown_name or one.name, chip(one, words, now)], className="account-title"),
            acts(one, words, now, own=own),
            facts(one, names, words, now),
            html.H3(say("accounts.post_title")),
            form("post", POST, values(one, words), words),
            *saves,
            html.H3(say("accounts.rights_title")),
            html.P(say("accounts.rights_hint"), className="desk-hint"),
            rights(one, names, words, now, own=own),
            *([] if own else gives),
            html.H3(say("accounts.sessions_title")),
            open_sessions(sessions, words),
        ],
        className="account-facts",
    )


def at_terminal(found: Sequence[tuple[int, str, Mapping[str, str]]], words: Words) -> Any:
    """Return what was done at the server's terminal, the use of the recovery key first of all."""
    told = [one for one in found if one[1] in TERMINAL]
    if not told:
        return None
    lines = [terminal_line(at, TERMINAL[action], body, words) for at, action, body in told[:MOST_TOLD]]
    kind = "wrong" if any(TERMINAL[action] != "command" for _, action, _ in told) else "note"
    return notice(kind, html.Div([html.Strong(words.text("accounts.terminal.title")), html.Ul(lines)]))


def terminal_line(at: int, what: str, body: Mapping[str, str], words: Words) -> html.Li:
    """Return one line: when, what was done or refused, for which account, and who it was at the terminal."""
    about = {name: str(body.get(name, "")) for name in ("command", "name", "login")}
    return html.Li(f"{when(at, words)} · {words.text(f'accounts.terminal.{what}', **about)}")


def new(words: Words) -> html.Div:
    """Return the form of a new account."""
    head = [html.H2(words.text("accounts.add")), html.P(words.text("accounts.add_hint"), className="desk-hint")]
    return html.Div([*head, form("new", ("name", *POST), {}, words), save("new", 0, words)], className="account-facts")


def save(name: str, revision: int, words: Words) -> html.Button:
    """Return the button that keeps a form over the revision it was drawn of."""
    said, which = words.text(f"accounts.save.{name}"), {"save": name, "revision": revision}
    return html.Button(said, id=which, type="button", className="desk-button primary account-save")


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    states = [{"label": words.text(f"accounts.state.{one}"), "value": one} for one in STATES]
    every = {"label": words.text("accounts.every_state"), "value": ""}
    find = dcc.Input(id=SEARCH, type="search", className="desk-input", debounce=0.3, maxLength=60)
    side = [
        html.Button(words.text("accounts.add"), id=ADD, type="button", className="desk-button primary", n_clicks=0),
        field(words.text("accounts.search"), find),
        dcc.Dropdown([every, *states], "", id=STATE, className="admin-choice", clearable=False),
        html.Nav(id=LIST, className="account-list", **{"aria-label": words.text("page.accounts")}),
    ]
    work = [
        html.Div(id=NOTICE),
        html.Div(id=TOLD, **{"aria-live": "polite"}),
        html.Div(html.P(words.text("accounts.choose"), className="desk-empty"), id=DETAIL),
    ]
    kept = [dcc.Store(id=CHOSEN), dcc.Store(id=ASKED), dcc.ConfirmDialog(id=SURE), html.Datalist(id=CHOICES)]
    body = [html.Div(side, className="account-side"), html.Div(work, className="account-work"), *kept]
    return section("accounts", [html.Div(body, className="account-two")], first=True)


# ---- doing -----------------------------------------------------------------------------------------------------------


def names_of(commands: Any) -> dict[str, str]:
    """Return the names of grids."""
    area = commands.area()
    return {code: one.name for code, one in area.grids.items()} if area else {}


def chosen(account_id: str) -> dict[str, Any]:
    """Return what is kept of the account that is shown ("": a new one); the time has it drawn anew."""
    return {"id": account_id, "at": clock.now()}


def listing(commands: Any, text: str, state: str, current: str, words: Words) -> list[Any]:
    """Return the rows of the list."""
    now, names = clock.now(), names_of(commands)
    hits = found(commands.accounts.people(), text, state, names, words, now)
    rows: list[Any] = [item(one, current, names, words, now) for one in hits[:MOST_SHOWN]]
    said = words.text("accounts.count", n=f"{len(hits):,}", shown=f"{len(rows):,}")
    return [html.P(said, className="desk-hint account-count"), *rows]


def shown(commands: Any, account_id: str, words: Words) -> Any:
    """Return an account, or the form of a new one."""
    if not account_id:
        return new(words)
    one = commands.accounts.person(account_id)
    own = commands.identity().id == one.id
    return detail(one, commands.accounts.sessions(one.id), names_of(commands), words, clock.now(), own=own)


def check_grid(commands: Any, scope: Scope) -> None:
    """Raise Refused for a grid nobody knows, or a department that has ended."""
    area = commands.area()
    if scope.grid and (area is None or scope.grid not in area.grids):
        raise Refused("operations.unknown_grid")


def kept(commands: Any, name: str, account_id: str, revision: int, state: Any, words: Words) -> tuple[str, Any]:
    """Keep one form; return the account's id and what is said."""
    typed_in = filled(state, words)
    check_grid(commands, typed_in.scope())
    if name == "new":
        made = commands.accounts.add(typed_in.text("name"), typed_in.post())
        return made.id, once(made, words)
    if name == "right":
        commands.accounts.give(account_id, typed_in.right())
    else:
        commands.accounts.change(account_id, typed_in.post(), revision)
    person = commands.accounts.person(account_id)
    return account_id, notice("good", words.text(f"accounts.done.{name}", name=person.name))


def carried_out(commands: Any, asked: Mapping[str, Any], words: Words) -> Any:
    """Do what was asked of an account; return what is said."""
    book, account_id, name = commands.accounts, str(asked["id"]), str(asked["act"])
    if name == "password":
        return once(book.reset_password(account_id), words)
    if name in ("on", "off"):
        book.switch(account_id, int(asked["of"]), on=name == "on")
    elif name in ("withdraw", "revoke"):
        (book.withdraw if name == "withdraw" else book.revoke)(str(asked["of"]))
    else:
        {"unlock": book.unlock, "factor": book.reset_second_factor, "everywhere": book.revoke_all}[name](account_id)
    return notice("good", words.text(f"accounts.done.{name}", name=str(asked["name"])))


def grid_choices(commands: Any, text: str) -> list[html.Option]:
    """Return the grids that fit what is being typed."""
    area = commands.area()
    hits = gridcard.found(area, text, WHOLE) if area else []
    return [html.Option(one.name, value=one.code) for one in hits]


def register(app: Any, commands: Any) -> None:
    """Register finding, showing, and everything that is done to an account."""
    register_list(app, commands)
    register_forms(app, commands)
    register_acts(app, commands)


def register_list(app: Any, commands: Any) -> None:
    """Register the list, and what is shown of the account that is chosen."""
    words: Words = app.words

    def listed(text: str | None, state: str | None, one: dict[str, Any] | None) -> list[Any]:
        return listing(commands, text or "", state or "", str((one or {}).get("id", "")), words)

    def choose(clicks: list[int | None], added: int | None) -> tuple[Any, Any]:
        if ctx.triggered_id == ADD and added:
            return chosen(""), None
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            raise PreventUpdate
        return chosen(str(ctx.triggered_id["account"])), None

    def show(one: dict[str, Any] | None) -> Any:
        if not one:
            raise PreventUpdate
        try:
            return shown(commands, str(one["id"]), words)
        except OperationsError as error:
            return notice("wrong", told(error, words))

    app.callback(Output(LIST, "children"), Input(SEARCH, "value"), Input(STATE, "value"), Input(CHOSEN, "data"))(listed)
    noticing = app.callback(Output(NOTICE, "children"), Input(CHOSEN, "data"))
    noticing(lambda _one: at_terminal(commands.accounts.at_terminal(), words))
    outputs = Output(CHOSEN, "data"), Output(TOLD, "children")
    clicked = Input({"account": ALL}, "n_clicks"), Input(ADD, "n_clicks")
    app.callback(*outputs, *clicked, prevent_initial_call=True)(choose)
    app.callback(Output(DETAIL, "children"), Input(CHOSEN, "data"), prevent_initial_call=True)(show)


def register_forms(app: Any, commands: Any) -> None:
    """Register keeping a form, and the grids it offers."""
    words: Words = app.words

    def keep(clicks: list[int | None], one: dict[str, Any] | None, *_forms: Any) -> tuple[Any, Any]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not one:
            raise PreventUpdate
        name, account_id = str(ctx.triggered_id["save"]), str(one["id"])
        state, revision = ctx.states_list[1 + FORMS.index(name)], int(ctx.triggered_id["revision"])
        try:
            account_id, said = kept(commands, name, account_id, revision, state, words)
        except NoMoment as error:
            return notice("wrong", words.text("versions.no_moment", text=str(error))), no_update
        except OperationsError as error:
            return notice("wrong", told(error, words)), no_update
        return said, chosen(account_id)

    def offered(typed_in: list[str | None]) -> tuple[Any, list[str]]:
        area = commands.area()
        current = ctx.triggered[0]["value"] if ctx.triggered else ""
        said = [grid_said(area, (text or "").strip(), words) for text in typed_in]
        return grid_choices(commands, str(current or "")), said

    saves = Input({"save": ALL, "revision": ALL}, "n_clicks"), State(CHOSEN, "data")
    forms = [State({"form": name, "field": ALL}, "value") for name in FORMS]
    app.callback(*again(), *saves, *forms, prevent_initial_call=True)(keep)
    choices = Output(CHOICES, "children"), Output({"said": ALL, "of": "grid"}, "children")
    app.callback(*choices, Input({"form": ALL, "field": "grid"}, "value"), prevent_initial_call=True)(offered)


def register_acts(app: Any, commands: Any) -> None:
    """Register what is done by a button, most of it after a question."""
    words: Words = app.words

    def ask(clicks: list[int | None], one: dict[str, Any] | None) -> tuple[Any, ...]:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not one:
            raise PreventUpdate
        person, name = commands.accounts.person(str(one["id"])), str(ctx.triggered_id["act"])
        asked = {"act": name, "of": str(ctx.triggered_id["of"]), "id": person.id, "name": person.name}
        if name in AT_ONCE:
            return (False, "", asked, *done(asked))
        return True, words.text(f"accounts.sure.{name}", name=person.name), asked, no_update, no_update

    def done(asked: Mapping[str, Any]) -> tuple[Any, Any]:
        try:
            said = carried_out(commands, asked, words)
        except OperationsError as error:
            said = notice("wrong", told(error, words))
        return said, chosen(str(asked["id"]))

    def agreed(clicks: int | None, asked: dict[str, Any] | None) -> tuple[Any, Any]:
        if not clicks or not asked:
            raise PreventUpdate
        return done(asked)

    question = Output(SURE, "displayed"), Output(SURE, "message"), Output(ASKED, "data")
    acting = Input({"act": ALL, "of": ALL}, "n_clicks"), State(CHOSEN, "data")
    app.callback(*question, *again(), *acting, prevent_initial_call=True)(ask)
    app.callback(*again(), Input(SURE, "submit_n_clicks"), State(ASKED, "data"), prevent_initial_call=True)(agreed)


def again() -> tuple[Output, Output]:
    """Return what every change gives out: what is said, and the account drawn anew."""
    said = Output(TOLD, "children", allow_duplicate=True)
    return said, Output(CHOSEN, "data", allow_duplicate=True)
