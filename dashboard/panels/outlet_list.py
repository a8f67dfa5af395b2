"""The ways out 发送渠道: which there are and how they do; added, changed, tried; dead letters, sent again by hand."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import departments
from config.words import Words
from dashboard.errand import explain
from dashboard.outletbook import Made
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.panels.outlet_shell import CANCEL, FIELDS, SAVE, form, part, placeholder, wanted
from operations.board import Board
from operations.errors import OperationsError
from operations.outlets.keeping import Counts
from operations.outlets.outbox import DEAD, WAITING, Parcel
from operations.outlets.outlet import Outlet

BEAT, LIST, TOLD, NEW, FORM, EDITED = (
    *("outlet-beat", "outlet-list", "outlet-told", "outlet-new", "outlet-form", "outlet-edited"),
)
ASKED, SURE, TESTING, TEST_TO, TEST, REFRESH, LETTERS = (
    *("outlet-asked", "outlet-sure", "outlet-testing", "outlet-test-to", "outlet-test", "outlet-refresh"),
    "delivery-list",
)
TEST_SECONDS, TEST_STEP = 6.0, 0.2
SECOND = 1_000_000


# ---- pure ------------------------------------------------------------------------------------------------------------


def rows(found: Sequence[tuple[Outlet, Counts]]) -> list[tuple[Outlet, Counts]]:
    """Return the outlets as they are shown: those that are down first, those switched off last."""
    order = {"down": 0, "up": 1, "new": 1, "off": 2}
    return sorted(found, key=lambda pair: (order[pair[0].state], pair[0].name))


def line(one: Outlet, counts: Counts, words: Words, *, manages: bool, replays: bool) -> list[Any]:
    """Return one row of the table."""
    say = words.text
    waiting = [str(counts.waiting)]
    waiting += [say("outlets.oldest", at=when(counts.oldest_at, words))] if counts.oldest_at else []
    return [
        [html.Strong(one.title), html.Div(one.name, className="desk-hint")],
        [say(f"outlets.kind.{one.kind}"), html.Div(whom(one, words), className="desk-hint")],
        state(one, words),
        when(one.worked_at, words),
        [html.Div(each, className="desk-hint" if number else "") for number, each in enumerate(waiting)],
        str(counts.failed or ""),
        html.Strong(str(counts.dead)) if counts.dead else "",
        str(counts.sent),
        acts(one, counts, words, manages=manages, replays=replays),
    ]


def state(one: Outlet, words: Words) -> html.Div:
    """Return the state as shape and word, and of one that is down since when and why."""
    said = [html.Span(words.text(f"outlets.state.{one.state}"), className=f"outlet-state {one.state}")]
    if one.failing_since is not None:
        said.append(html.Div(words.text("outlets.since", at=when(one.failing_since, words)), className="desk-hint"))
    if one.error:
        said.append(html.Div(why(one.error, words), className="desk-hint"))
    return html.Div(said)


def why(error: str, words: Words) -> str:
    """Return a reason in words: a code or two, and the number that a server gave."""
    parts = error.split()
    known = [words.text(f"outlets.why.{part}") if f"outlets.why.{part}" in words else part for part in parts]
    return words.pick("，", ", ").join(known)


def whom(one: Outlet, words: Words) -> str:
    """Return whom an outlet is for."""
    if one.source:
        return words.text("outlets.back_to", source=one.source)
    known = departments.current()
    named = [known[code].name(words.lang) if code in known else code for code in one.terms.departments]
    return words.pick("、", ", ").join(named) or words.text("outlets.everybody")


def acts(one: Outlet, counts: Counts, words: Words, *, manages: bool, replays: bool) -> html.Div:
    """Return the buttons of an outlet, as far as whoever looks may press them."""
    names = []
    if manages:
        names = [*(("test",) if one.enabled else ()), "edit", "off" if one.enabled else "on"]
        names += ["renew"] if one.kind == "webhook" else []
        names += ["remove"]
    names += ["replay"] if replays and counts.dead else []
    return html.Div([act(each, one.name, one.title, words) for each in names], className="outlet-acts")


def act(name: str, which: str, title: str, words: Words) -> html.Button:
    """Return a button that does something to an outlet."""
    said = words.text(f"outlets.act.{name}")
    key = {"outlet-act": name, "outlet-name": which}
    return html.Button(said, id=key, type="button", className="desk-button", title=f"{said}: {title}")


def when(at: int | None, words: Words) -> str:
    """Return a time as the city's date and time of day, "—" for never."""
    if at is None:
        return "—"
    return datetime.fromtimestamp(at / SECOND, words.city.zone).strftime("%m-%d %H:%M:%S")


def listing(found: Sequence[tuple[Outlet, Counts]], words: Words, *, manages: bool, replays: bool) -> Any:
    """Return the table of outlets."""
    heads = ("name", "kind", "state", "worked", "waiting", "failed", "dead", "sent", "act")
    lines = [line(one, counts, words, manages=manages, replays=replays) for one, counts in rows(found)]
    empty = words.text("outlets.none" if manages else "outlets.none_yet")
    return table([words.text(f"outlets.head.{name}") for name in heads], lines, empty=empty)


def letters(found: Sequence[Parcel], words: Words, *, replays: bool) -> Any:
    """Return the table of dead letters."""
    heads = ("at", "outlet", "about", "to", "why", "tries", "act")
    return table(
        [words.text(f"outlets.letter.{name}") for name in heads],
        [letter(one, words, replays=replays) for one in found],
        empty=words.text("outlets.no_dead"),
    )


def letter(one: Parcel, words: Words, *, replays: bool) -> list[Any]:
    """Return one dead letter: when it was given up, what it was about, to whom, and why."""
    told = one.message
    about = f"{words.text(f'outlets.purpose.{told.purpose}')} {told.number or told.incident_number}".strip()
    again = html.Button(
        words.text("outlets.act.again"), id={"delivery-again": one.id}, type="button", className="desk-button"
    )
    return [
        when(one.done_at, words),
        one.channel,
        [about, html.Div(told.title, className="desk-hint")],
        told.name or told.recipient,
        why(one.error, words),
        str(one.attempts),
        again if replays else "",
    ]


def once(made: Made, words: Words) -> html.Div:
    """Return that it is kept, and a key that is shown once with a button that copies it."""
    if not made.secret:
        return notice("good", words.text("outlets.kept", name=made.outlet.title))
    copy = html.Button(
        words.text("sources.copy"),
        type="button",
        className="desk-button",
        **{"data-copy": "outlet-secret", "data-copied": words.text("sources.copied")},
    )
    shown = html.Div([html.Code(made.secret, id="outlet-secret", className="copy-text"), copy], className="admin-line")
    return notice("good", html.Div([html.P(words.text("outlets.once", name=made.outlet.title)), shown]))


def tested(found: Parcel | None, title: str, words: Words) -> html.Div:
    """Return what became of a test message."""
    if found is None or (found.state == WAITING and not found.error):
        return notice("note", words.text("outlets.test_waits", name=title))
    if found.state in (WAITING, DEAD):
        return notice("wrong", words.text("outlets.test_failed", name=title, why=why(found.error, words)))
    return notice("good", words.text("outlets.test_sent", name=title))


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    say = words.text
    testing = html.Div(
        [
            field(say("outlets.test_to"), dcc.Input(id=TEST_TO, type="email", className="desk-input", maxLength=200)),
            html.Button(say("outlets.act.test"), id=TEST, type="button", className="desk-button primary"),
        ],
        id=TESTING,
        className="outlet-testing",
        hidden=True,
    )
    heads = html.Div(
        [
            html.Button(say("outlets.new"), id=NEW, type="button", className="desk-button primary", hidden=True),
            html.Button(say("outlets.refresh"), id=REFRESH, type="button", className="desk-button"),
        ],
        className="admin-line",
    )
    return section(
        "outlets",
        [
            html.H2(say("page.outlets")),
            html.P(say("outlets.about"), className="desk-hint"),
            html.Div([html.Div(id=TOLD, **{"aria-live": "polite"}), testing], className="outlet-told"),
            heads,
            html.Div(placeholder(), id=FORM, className="outlet-form", hidden=True),
            html.Div(id=LIST),
            html.H2(say("outlets.dead")),
            html.P(say("outlets.dead_about"), className="desk-hint"),
            html.Div(id=LETTERS),
            dcc.Store(id=BEAT),
            dcc.Store(id=EDITED),
            dcc.Store(id=ASKED),
            dcc.ConfirmDialog(id=SURE),
        ],
        first=True,
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return which are down: when that changes the page looks anew."""
    return {BEAT: {"data": sorted(board.outlets)}}


# ---- doing -----------------------------------------------------------------------------------------------------------


def done(work: Callable[[], Any], words: Words) -> Any:
    """Return what work says, or why it was refused."""
    try:
        return work()
    except OperationsError as error:
        params = dict(error.params)
        if error.code == "outlets.wrong" and f"outlets.field.{params.get('field')}" in words:
            said = words.text("outlets.wrong", field=words.text(f"outlets.field.{params['field']}"))
            return notice("wrong", said)
        return notice("wrong", explain(error, words))


def register(app: Any, commands: Any) -> None:
    """Register listing, the form, what the buttons do, and tests."""
    register_lists(app, commands)
    register_form(app, commands)
    register_acts(app, commands)
    register_test(app, commands)


def register_lists(app: Any, commands: Any) -> None:
    """Register both tables."""
    words: Words = app.words

    def listed(*_asked: object) -> tuple[Any, Any, bool]:
        book = commands.outlets
        manages, replays = book.may("outlet.manage"), book.may("delivery.replay")
        shown = listing(book.listed(), words, manages=manages, replays=replays)
        return shown, letters(book.dead(), words, replays=replays), not manages

    asked = Input(BEAT, "data"), Input(TOLD, "children"), Input(REFRESH, "n_clicks")
    app.callback(Output(LIST, "children"), Output(LETTERS, "children"), Output(NEW, "hidden"), *asked)(listed)


def register_form(app: Any, commands: Any) -> None:
    """Register opening, turning and saving the form."""
    words: Words = app.words

    def opened(clicks: int | None, acted: list[int | None], cancelled: int | None) -> tuple[Any, ...]:
        by = ctx.triggered_id
        if by == CANCEL and cancelled:
            return no_update, True, None
        if isinstance(by, dict) and by["outlet-act"] == "edit" and any(acted):
            one = commands.outlets.get(by["outlet-name"])
        elif by == NEW and clicks:
            one = None
        else:
            raise PreventUpdate
        senders = [(source.id, source.name) for source in commands.outlets.sources()]
        kept = {"name": one.name, "revision": one.revision} if one else None
        return form(words, one, senders), False, kept

    def turned(kind: str | None, places: list[dict[str, str]]) -> list[bool]:
        return [kind not in FIELDS[place["outlet-place"]] for place in places]

    def save(clicks: int | None, given: list[Any], names: list[dict[str, str]], edited: Any) -> tuple[Any, bool]:
        if not clicks:
            raise PreventUpdate
        filled = {name["outlet-field"]: value for name, value in zip(names, given, strict=True)}
        said = done(lambda: once(kept(commands, filled, edited), words), words)
        return said, "wrong" not in str(said.className)

    opens = (
        Input(NEW, "n_clicks"),
        Input({"outlet-act": ALL, "outlet-name": ALL}, "n_clicks"),
        Input(CANCEL, "n_clicks"),
    )
    app.callback(
        Output(FORM, "children"), Output(FORM, "hidden"), Output(EDITED, "data"), *opens, prevent_initial_call=True
    )(opened)
    places = {"outlet-place": ALL}
    app.callback(Output(places, "hidden"), Input(part("kind"), "value"), State(places, "id"))(turned)
    fields = State({"outlet-field": ALL}, "value"), State({"outlet-field": ALL}, "id"), State(EDITED, "data")
    app.callback(
        Output(TOLD, "children"),
        Output(FORM, "hidden", allow_duplicate=True),
        Input(SAVE, "n_clicks"),
        *fields,
        prevent_initial_call=True,
    )(save)


def kept(commands: Any, filled: Mapping[str, Any], edited: Mapping[str, Any] | None) -> Made:
    """Return the outlet that a filled form asks for, added or changed. Raises Forbidden, NotFound, Refused."""
    password, book = str(filled.get("password") or ""), commands.outlets
    if edited:
        one = book.get(str(edited["name"]))
        values = wanted(filled, one.kind)
        changed: Made = book.change(one.name, values, revision=int(edited["revision"]), password=password)
        return changed
    kind = str(filled.get("kind") or "")
    name, source = str(filled.get("name") or "").strip(), str(filled.get("source") or "")
    source = source if kind in FIELDS["source"] else ""
    made: Made = book.add(name, kind, wanted(filled, kind), password=password if kind == "email" else "", source=source)
    return made


def register_acts(app: Any, commands: Any) -> None:
    """Register switching, new keys, removing and replaying."""
    words: Words = app.words
    book = commands.outlets

    def pressed(clicks: list[int | None], again: list[int | None]) -> tuple[Any, Any, Any, Any]:
        by = ctx.triggered_id
        if not isinstance(by, dict) or not any([*clicks, *again]):
            raise PreventUpdate
        if "delivery-again" in by:
            return done(lambda: replayed(book, words, delivery=by["delivery-again"]), words), False, "", None
        name, which = by["outlet-act"], by["outlet-name"]
        if name in ("remove", "renew"):
            question = words.text(f"outlets.sure.{name}", name=book.get(which).title)
            return no_update, True, question, {"act": name, "name": which}
        if name not in ACTS:
            raise PreventUpdate
        return done(lambda: ACTS[name](book, words, which), words), False, "", None

    def agreed(clicks: int | None, asked: dict[str, str] | None) -> Any:
        if not clicks or not asked:
            raise PreventUpdate
        if asked["act"] == "renew":
            return done(lambda: once(book.renew(asked["name"]), words), words)
        return done(lambda: notice("good", words.text("outlets.removed", n=book.remove(asked["name"]))), words)

    said = Output(TOLD, "children", allow_duplicate=True)
    question = Output(SURE, "displayed"), Output(SURE, "message"), Output(ASKED, "data", allow_duplicate=True)
    clicked = Input({"outlet-act": ALL, "outlet-name": ALL}, "n_clicks"), Input({"delivery-again": ALL}, "n_clicks")
    app.callback(said, *question, *clicked, prevent_initial_call=True)(pressed)
    app.callback(said, Input(SURE, "submit_n_clicks"), State(ASKED, "data"), prevent_initial_call=True)(agreed)


def replayed(book: Any, words: Words, **which: str) -> html.Div:
    """Send dead letters again and say how many."""
    return notice("good", words.text("outlets.replayed", n=book.replay(**which)))


def switched(book: Any, words: Words, which: str, *, enabled: bool) -> html.Div:
    """Switch an outlet and say so."""
    one = book.switch(which, enabled=enabled)
    return notice("good", words.text(f"outlets.switched.{'on' if enabled else 'off'}", name=one.title))


ACTS: dict[str, Callable[[Any, Words, str], html.Div]] = {
    "replay": lambda book, words, which: replayed(book, words, name=which),
    "on": lambda book, words, which: switched(book, words, which, enabled=True),
    "off": lambda book, words, which: switched(book, words, which, enabled=False),
}
"""What is done at once, without a question."""


def register_test(app: Any, commands: Any) -> None:
    """Register sending a test: by e-mail after asking to whom, by the others at once."""
    words: Words = app.words
    book = commands.outlets

    def asked(clicks: list[int | None]) -> tuple[Any, bool, Any]:
        by = ctx.triggered_id
        if not isinstance(by, dict) or by["outlet-act"] != "test" or not any(clicks):
            raise PreventUpdate
        one = book.get(by["outlet-name"])
        if one.kind == "email":
            return no_update, False, {"act": "test", "name": one.name}
        return done(lambda: tried(one.name, ""), words), True, None

    def sent(clicks: int | None, to: str | None, which: dict[str, str] | None) -> tuple[Any, bool]:
        if not clicks or not which or which.get("act") != "test":
            raise PreventUpdate
        return done(lambda: tried(which["name"], str(to or "").strip()), words), True

    def tried(name: str, to: str) -> html.Div:
        title, about = book.get(name).title, book.test(name, to)
        left, found = TEST_SECONDS, book.tested(about)
        while left > 0 and (found is None or (found.state == WAITING and not found.error)):
            time.sleep(TEST_STEP)
            left -= TEST_STEP
            found = book.tested(about)
        return tested(found, title, words)

    said = Output(TOLD, "children", allow_duplicate=True)
    hidden, kept_ = Output(TESTING, "hidden"), Output(ASKED, "data")
    acted = Input({"outlet-act": ALL, "outlet-name": ALL}, "n_clicks")
    app.callback(said, hidden, kept_, acted, prevent_initial_call=True)(asked)
    app.callback(
        said,
        Output(TESTING, "hidden", allow_duplicate=True),
        Input(TEST, "n_clicks"),
        State(TEST_TO, "value"),
        State(ASKED, "data"),
        prevent_initial_call=True,
    )(sent)
