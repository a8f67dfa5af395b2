"""Platforms below us 下级平台: who waits to be let in, who is there, and how whole each one's catalogue is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.panels.platform_shell import catalogue, when, whole
from operations.board import Board
from operations.errors import OperationsError
from operations.platforms import ACCEPTED, KIND, NAME_MOST, Platform
from operations.sources import DATUMS
from streams.errors import EngineAway
from streams.gb28181.known import ALARM, CATALOG, POSITION, Quirks
from streams.gb28181.manscdp import CHARSETS
from streams.gb28181.whereabouts import Last

BEAT, LIST, STRANGERS, TOLD, REFRESH, FORM, EDITED = (
    *("platform-beat", "platform-list", "platform-strangers", "platform-told", "platform-refresh"),
    *("platform-form", "platform-edited"),
)
SAVE, CANCEL, SURE, ASKED, NETWORKS, NETWORK, NETWORK_PASSWORD, NETWORK_SAVE = (
    *("platform-save", "platform-cancel", "platform-sure", "platform-asked", "platform-networks"),
    *("platform-network", "platform-network-password", "platform-network-save"),
)
SWITCHES = ("roams", "sm3", "refuse_off", "guard")
NUMBERS = ("keepalive_seconds", "keepalive_misses", "sync_hours")
SUBSCRIPTIONS = (CATALOG, ALARM, POSITION)
POSITIONS = "platform-positions"
SECOND = 1_000_000
CLOCK_OFF_SECONDS = 30


# ---- pure ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One accepted platform; `state`: online, offline, never. `catalogue`: whole, short, none."""

    one: Platform
    state: str
    catalogue: str


def rows(found: Sequence[Platform]) -> list[Row]:
    """Return the accepted ones: those off line first, then those whose catalogue is not whole."""
    made = [Row(one, _state(one), catalogue(one)) for one in found if one.state == ACCEPTED]
    return sorted(made, key=lambda row: (row.state == "online", row.catalogue == "whole", row.one.code))


def _state(one: Platform) -> str:
    return "online" if one.online else "never" if one.online_at is None else "offline"


def strangers(found: Sequence[Platform]) -> list[Platform]:
    """Return those that are not let in, the newest first."""
    return sorted((one for one in found if one.state != ACCEPTED), key=lambda one: (-one.knocked_at, one.code))


def line(row: Row, words: Words, *, manages: bool) -> list[Any]:
    """Return one row of the table of accepted platforms."""
    one, say = row.one, words.text
    state = [html.Span(say(f"platforms.state.{row.state}"), className=f"platform-state {row.state}")]
    if one.online_at:
        state.append(html.Div(say("platforms.since", at=when(one.online_at, words)), className="desk-hint"))
    if one.why_knocked == "password":
        at = when(one.knocked_at, words)
        state.append(html.Div(say("platforms.bad_password", at=at), className="platform-warned"))
    state += clock_off(one, words)
    address = f"{one.transport.upper()} {one.host}:{one.port}" if one.port else one.host
    acts = ("resync", "edit", "refuse") if manages else ()
    return [
        [html.Strong(one.name), html.Div(html.Code(one.code), className="desk-hint")],
        html.Div(state),
        [address, html.Div(one.agent, className="desk-hint")],
        whole(one, words),
        html.Div([act(each, one, words) for each in acts], className="outlet-acts"),
    ]


def clock_off(one: Platform, words: Words) -> list[Any]:
    """Return by how much its clock is wrong, where that is too much to compare times by."""
    try:
        seconds = int(one.facts.get("clock_off", "0"))
    except ValueError:
        return []
    if abs(seconds) <= CLOCK_OFF_SECONDS:
        return []
    key = "platforms.clock_fast" if seconds > 0 else "platforms.clock_slow"
    return [html.Div(words.text(key, n=abs(seconds)), className="platform-warned")]


def whereabouts(found: Sequence[Last], named: Mapping[str, str], now: int, words: Words) -> Any:
    """Return the table of last positions, each with its age; `named`: platforms by code."""
    heads = [words.text(f"platforms.head.{name}") for name in ("device", "name", "place", "age")]
    lines = [
        [
            html.Code(one.position.device),
            named.get(one.platform, one.platform),
            f"{one.position.lon:.6f}, {one.position.lat:.6f} ({one.datum})",
            [words.text("platforms.ago", n=max((now - one.as_of) // SECOND // 60, 0)), at(one, words)],
        ]
        for one in found
    ]
    return table(heads, lines, empty=words.text("platforms.no_positions"))


def at(one: Last, words: Words) -> html.Div:
    """Return when a position came, and when the device says that it was."""
    said = words.text("platforms.told_at", at=when(one.as_of, words), said=one.position.at or "—")
    return html.Div(said, className="desk-hint")


def stranger(one: Platform, words: Words, *, manages: bool) -> list[Any]:
    """Return one row of the table of those that are not let in."""
    acts = ("accept", "forget" if one.state == "refused" else "refuse") if manages else ()
    return [
        html.Code(one.code),
        words.text(f"platforms.stands.{one.state}"),
        [one.host, html.Div(one.agent, className="desk-hint")],
        when(one.knocked_at, words),
        html.Div([act(each, one, words) for each in acts], className="outlet-acts"),
    ]


def act(name: str, one: Platform, words: Words) -> html.Button:
    """Return a button that does something to a platform."""
    said = words.text(f"platforms.act.{name}")
    key = {"platform-act": name, "platform-code": one.code}
    kind = "desk-button primary" if name == "accept" else "desk-button"
    return html.Button(said, id=key, type="button", className=kind, title=f"{said}: {one.name or one.code}")


def listing(found: Sequence[Platform], words: Words, *, manages: bool) -> Any:
    """Return the table of accepted platforms."""
    heads = [words.text(f"platforms.head.{name}") for name in ("name", "state", "address", "catalogue", "act")]
    lines = [line(row, words, manages=manages) for row in rows(found)]
    return table(heads, lines, empty=words.text("platforms.none"))


def waiting(found: Sequence[Platform], words: Words, *, manages: bool) -> Any:
    """Return the table of those that are not let in."""
    heads = [words.text(f"platforms.head.{name}") for name in ("code", "stands", "address", "knocked", "act")]
    lines = [stranger(one, words, manages=manages) for one in strangers(found)]
    return table(heads, lines, empty=words.text("platforms.nobody_waits"))


def form(one: Platform, datum: str, quirks: Quirks, words: Words) -> list[Any]:
    """Return the filled form of one platform."""
    say = words.text
    on = [name for name in SWITCHES if getattr(quirks, name)]
    texts = {"name": one.name, "password": ""}
    fields: list[Any] = [
        field(
            say(f"platforms.field.{name}"),
            dcc.Input(
                id={"platform-field": name},
                type="password" if name == "password" else "text",
                value=value,
                maxLength=NAME_MOST,
                className="desk-input",
                autoComplete="new-password" if name == "password" else "off",
            ),
            say(f"platforms.hint.{name}"),
        )
        for name, value in texts.items()
    ]
    choices = {"datum": (DATUMS, datum), "charset": (CHARSETS, quirks.charset)}
    for name, (known, value) in choices.items():
        options = [{"label": say(f"platforms.{name}.{each.replace('-', '')}"), "value": each} for each in known]
        chosen = dcc.RadioItems(options, value, id={"platform-field": name}, className="admin-choice")
        fields.append(field(say(f"platforms.field.{name}"), chosen, say(f"platforms.hint.{name}")))
    for name in NUMBERS:
        number = dcc.Input(
            id={"platform-field": name}, type="number", value=getattr(quirks, name), className="desk-input", step=1
        )
        fields.append(field(say(f"platforms.field.{name}"), number))
    several = {"subscribe": (SUBSCRIPTIONS, list(quirks.subscribe)), "switches": (SWITCHES, on)}
    for name, (known, chosen_now) in several.items():
        options = [{"label": say(f"platforms.{name}.{each}"), "value": each} for each in known]
        ticked = dcc.Checklist(options, chosen_now, id={"platform-field": name}, className="admin-choice")
        fields.append(field(say(f"platforms.field.{name}"), ticked))
    head = html.H2(say("platforms.form.change" if one.state == ACCEPTED else "platforms.form.accept", code=one.code))
    buttons = [
        html.Button(say("platforms.save"), id=SAVE, type="button", className="desk-button primary"),
        html.Button(say("platforms.cancel"), id=CANCEL, type="button", className="desk-button"),
    ]
    return [head, html.Div(fields, className="admin-form"), html.Div(buttons, className="admin-line")]


def quirks_in(filled: Mapping[str, Any]) -> dict[str, Any]:
    """Return the quirks that a filled form asks for."""
    ticked = filled.get("switches") or []
    made: dict[str, Any] = {name: name in ticked for name in SWITCHES}
    made |= {name: filled.get(name) for name in NUMBERS}
    subscribed = [name for name in SUBSCRIPTIONS if name in (filled.get("subscribe") or [])]
    return made | {"charset": filled.get("charset") or "auto", "subscribe": subscribed}


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    say = words.text
    placeholders = [html.Button(id=one, type="button", hidden=True) for one in (SAVE, CANCEL)]
    network = html.Div(
        [
            field(
                say("platforms.field.network"),
                dcc.Input(id=NETWORK, type="text", className="desk-input", maxLength=18, placeholder="10.8.0.0/16"),
            ),
            field(
                say("platforms.field.network_password"),
                dcc.Input(id=NETWORK_PASSWORD, type="password", className="desk-input", autoComplete="new-password"),
                say("platforms.hint.network_password"),
            ),
            html.Button(say("platforms.save"), id=NETWORK_SAVE, type="button", className="desk-button"),
        ],
        className="admin-form",
    )
    return section(
        "platforms",
        [
            html.Div(
                [
                    html.H1(say("page.platforms")),
                    html.Button(say("platforms.refresh"), id=REFRESH, type="button", className="desk-button"),
                ],
                className="admin-line",
            ),
            html.P(say("platforms.about"), className="desk-hint"),
            html.Div(id=TOLD, **{"aria-live": "polite"}),
            html.Div(placeholders, id=FORM, className="card-form", hidden=True),
            html.H2(say("platforms.strangers")),
            html.Div(id=STRANGERS),
            html.H2(say("platforms.accepted_heading")),
            html.Div(id=LIST),
            html.H2(say("platforms.positions")),
            html.Div(id=POSITIONS),
            html.Details(
                [html.Summary(say("platforms.networks")), html.Div(id=NETWORKS), network], className="platform-networks"
            ),
            dcc.Store(id=BEAT),
            dcc.Store(id=EDITED),
            dcc.Store(id=ASKED),
            dcc.ConfirmDialog(id=SURE),
        ],
        first=True,
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return which sources of platforms are silent: when that changes the page looks anew."""
    found = sorted((one, state.silent) for one, state in board.sources.items() if state.kind == KIND)
    return {BEAT: {"data": [list(one) for one in found]}}


# ---- doing -----------------------------------------------------------------------------------------------------------


def done(work: Callable[[], Any], words: Words) -> Any:
    """Return what work says, or why it was refused."""
    try:
        return work()
    except OperationsError as error:
        params = dict(error.params)
        if error.code == "platforms.wrong":
            return notice(
                "wrong", words.text("platforms.wrong", field=words.text(f"platforms.field.{params['field']}"))
            )
        return notice("wrong", explain(error, words))


def register(app: Any, commands: Any) -> None:
    """Register listing, the form, what the buttons do, and passwords of networks."""
    register_lists(app, commands)
    register_form(app, commands)
    register_acts(app, commands)


def register_lists(app: Any, commands: Any) -> None:
    """Register both tables and the networks."""
    words: Words = app.words

    def listed(*_asked: object) -> tuple[Any, Any, Any]:
        book = commands.platforms
        found, manages = book.listed(), book.may("platform.manage")
        networks = html.Ul([html.Li(html.Code(one)) for one in book.networks()])
        return listing(found, words, manages=manages), waiting(found, words, manages=manages), networks

    def placed(*_asked: object) -> Any:
        book = commands.platforms
        named = {one.code: one.name for one in book.listed()}
        try:
            return whereabouts(book.positions(), named, clock.now(), words)
        except EngineAway:
            return notice("wrong", words.text("platforms.positions_away"))

    app.callback(Output(POSITIONS, "children"), Input(BEAT, "data"), Input(REFRESH, "n_clicks"))(placed)
    asked = Input(BEAT, "data"), Input(TOLD, "children"), Input(REFRESH, "n_clicks")
    outputs = Output(LIST, "children"), Output(STRANGERS, "children"), Output(NETWORKS, "children")
    app.callback(*outputs, *asked)(listed)


def register_form(app: Any, commands: Any) -> None:
    """Register opening and saving the form, and keeping the password of a network."""
    words: Words = app.words

    def opened(clicks: list[int | None], cancelled: int | None) -> tuple[Any, bool, Any]:
        by = ctx.triggered_id
        if by == CANCEL and cancelled:
            return no_update, True, None
        if not isinstance(by, dict) or by["platform-act"] not in ("accept", "edit") or not any(clicks):
            raise PreventUpdate
        book = commands.platforms
        one = book.get(by["platform-code"])
        return form(one, book.datum(one), book.quirks(one), words), False, {"code": one.code, "revision": one.revision}

    def save(clicks: int | None, given: list[Any], names: list[dict[str, str]], edited: Any) -> tuple[Any, bool]:
        if not clicks or not edited:
            raise PreventUpdate
        filled = {name["platform-field"]: value for name, value in zip(names, given, strict=True)}

        def work() -> Any:
            one = commands.platforms.keep(
                str(edited["code"]),
                int(edited["revision"]),
                name=str(filled.get("name") or ""),
                datum=str(filled.get("datum") or ""),
                password=str(filled.get("password") or ""),
                quirks=quirks_in(filled),
            )
            return notice("good", words.text("platforms.kept", name=one.name))

        said = done(work, words)
        return said, "wrong" not in str(said.className)

    def save_network(clicks: int | None, network: str | None, password: str | None) -> tuple[Any, Any]:
        if not clicks or not network:
            raise PreventUpdate

        def work() -> Any:
            commands.platforms.keep_network(network, password or "")
            return notice("good", words.text("platforms.network_kept", network=network))

        return done(work, words), ""

    acted = Input({"platform-act": ALL, "platform-code": ALL}, "n_clicks")
    shown = Output(FORM, "children"), Output(FORM, "hidden"), Output(EDITED, "data")
    app.callback(*shown, acted, Input(CANCEL, "n_clicks"), prevent_initial_call=True)(opened)
    fields = State({"platform-field": ALL}, "value"), State({"platform-field": ALL}, "id"), State(EDITED, "data")
    hide = Output(FORM, "hidden", allow_duplicate=True)
    app.callback(Output(TOLD, "children"), hide, Input(SAVE, "n_clicks"), *fields, prevent_initial_call=True)(save)
    said = Output(TOLD, "children", allow_duplicate=True), Output(NETWORK_PASSWORD, "value")
    typed = State(NETWORK, "value"), State(NETWORK_PASSWORD, "value")
    app.callback(*said, Input(NETWORK_SAVE, "n_clicks"), *typed, prevent_initial_call=True)(save_network)


def register_acts(app: Any, commands: Any) -> None:
    """Register asking for the catalogue anew, refusing and forgetting."""
    words: Words = app.words
    book = commands.platforms

    def pressed(clicks: list[int | None]) -> tuple[Any, bool, str, Any]:
        by = ctx.triggered_id
        if not isinstance(by, dict) or not any(clicks) or by["platform-act"] in ("accept", "edit"):
            raise PreventUpdate
        name, code = by["platform-act"], by["platform-code"]
        if name == "resync":
            return done(lambda: resynced(book, code, words), words), False, "", None
        return no_update, True, words.text(f"platforms.sure.{name}", code=code), {"act": name, "code": code}

    def agreed(clicks: int | None, asked: dict[str, str] | None) -> Any:
        if not clicks or not asked:
            raise PreventUpdate
        acts = {"refuse": book.refuse, "forget": book.forget}

        def work() -> Any:
            acts[asked["act"]](asked["code"])
            return notice("good", words.text(f"platforms.done.{asked['act']}", code=asked["code"]))

        return done(work, words)

    said = Output(TOLD, "children", allow_duplicate=True)
    question = Output(SURE, "displayed"), Output(SURE, "message"), Output(ASKED, "data")
    clicked = Input({"platform-act": ALL, "platform-code": ALL}, "n_clicks")
    app.callback(said, *question, clicked, prevent_initial_call=True)(pressed)
    app.callback(said, Input(SURE, "submit_n_clicks"), State(ASKED, "data"), prevent_initial_call=True)(agreed)


def resynced(book: Any, code: str, words: Words) -> html.Div:
    """Ask for a catalogue anew and say so."""
    one = book.resync(code)
    return notice("good", words.text("platforms.resynced" if one.online else "platforms.resync_later", name=one.name))
