"""Who looks through which camera 谁在看: now, since when and why, and ending it; past looks by page, and as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate
from msgspec import ValidationError, convert, to_builtins

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.moment import shown_moment
from dashboard.panels.admin_shell import field, notice, presses, section, table
from dashboard.panels.import_shell import download
from operations.board import Board
from operations.errors import OperationsError
from operations.looked import Asked, Look

BEAT, NOW, TOLD, SURE, CHOSEN, PRESSED = (
    *("looks-beat", "looks-now", "looks-told", "looks-sure", "looks-chosen", "looks-pressed"),
)
SEARCH, OLDER, SAVE, FILE = "looks-search", "looks-older", "looks-save", "looks-file"
SHOWN, NOTE, KEPT, WINDOW = "looks-shown", "looks-note", "looks-kept", "looks-window"
FIELDS = ("camera", "who", "incident")
DAYS = {"today": 1, "week": 7, "month": 30, "all": 0}
"""{window: days back; 0: no bound}"""
DAY, SECOND = 86_400_000_000, 1_000_000
TEXT_MOST = 100
HEADS = ("who", "camera", "why", "began", "ended")


@dataclass(frozen=True)
class Row:
    """One look in words; `ended`: when and how, "" while it lasts."""

    id: str
    who: str
    camera: str
    why: str
    began: str
    ended: str


def rows(found: Sequence[Look], words: Words) -> list[Row]:
    """Return looks as people read them."""
    return [row(one, words) for one in found]


def row(one: Look, words: Words) -> Row:
    """Return one look as people read it."""
    kind, _, name = one.actor.partition(":")
    role = words.text(f"desk.role.{one.role}") if one.role else words.text(f"audit.kind.{kind}")
    why = words.text(f"lookers.why.{one.why}")
    ended = ""
    if one.ended_at is not None:
        said = words.text(f"lookers.how.{one.ended_how}")
        ended = f"{shown_moment(one.ended_at, words.city.zone)} · {lasted(one, words)} · {said}"
    return Row(
        id=one.id,
        who=f"{one.who or name} · {role}",
        camera=one.name,
        why=f"{why} {one.number or one.incident}".rstrip(),
        began=shown_moment(one.began_at, words.city.zone),
        ended=ended,
    )


def lasted(one: Look, words: Words) -> str:
    """Return how long a look lasted."""
    seconds = max((one.ended_at or one.began_at) - one.began_at, 0) // SECOND
    return words.text("lookers.lasted", m=seconds // 60, s=seconds % 60)


def asked_of(given: Mapping[str, Any], now: int) -> Asked:
    """Return what a form asks for."""
    texts = {name: str(given.get(name) or "").strip()[:TEXT_MOST] for name in FIELDS}
    days = DAYS.get(str(given.get("window")), 0)
    return Asked(since=now - days * DAY if days else 0, **texts)


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the two empty lists."""
    say = words.text
    texts = [
        field(say(f"lookers.field.{name}"), dcc.Input(id=f"looks-{name}", className="desk-input", debounce=True))
        for name in FIELDS
    ]
    windows = dcc.RadioItems(
        [{"label": say(f"lookers.window.{name}"), "value": name} for name in DAYS], "week", id=WINDOW,
        className="audit-chips",
    )  # fmt: skip
    buttons = [
        html.Button(say(f"lookers.{name}"), id=id, className=f"desk-button{more}", type="button")
        for name, id, more in (("search", SEARCH, " primary"), ("csv", SAVE, ""))
    ]
    older = html.Button(say("lookers.older"), id=OLDER, className="desk-button", type="button", hidden=True)
    return section(
        "looks",
        [
            html.H2(say("lookers.now")),
            html.Div(say("lookers.hint"), className="desk-hint"),
            html.Div(id=TOLD),
            html.Div(id=NOW),
            html.H2(say("lookers.past")),
            html.Div(windows, className="audit-choices"),
            html.Div([*texts, *buttons], className="audit-form"),
            html.Div(id=NOTE, className="desk-hint", role="status"),
            html.Div(id=SHOWN),
            html.Div(older, className="desk-line"),
            *(dcc.Store(id=id) for id in (BEAT, CHOSEN, PRESSED, KEPT)),
            dcc.ConfirmDialog(id=SURE),
            dcc.Download(id=FILE),
        ],
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the last entry about a look: when it changes the page looks anew who looks."""
    return {BEAT: {"data": board.looked}}


def listing(found: Sequence[Look], words: Words, *, closes: bool) -> html.Div:
    """Return who looks now, with a button each for who may end it."""
    say = words.text
    lines = [
        [one.who, one.camera, one.why, one.began, *([_button(one, words)] if closes else [])]
        for one in rows(found, words)
    ]
    heads = [say(f"lookers.head.{name}") for name in HEADS[:4]] + ([""] if closes else [])
    return table(heads, lines, empty=say("lookers.nobody"))


def _button(one: Row, words: Words) -> html.Button:
    said = words.text("lookers.close")
    name = words.text("lookers.close_named", who=one.who, camera=one.camera)
    return html.Button(
        said,
        id={"looks-close": one.id},
        className="desk-button",
        type="button",
        **{"aria-label": name, "data-who": name},
    )


def drawn(found: Sequence[Look], words: Words) -> html.Div:
    """Return past looks."""
    lines = [
        [one.who, one.camera, one.why, one.began, one.ended or words.text("lookers.still")]
        for one in rows(found, words)
    ]
    return table([words.text(f"lookers.head.{name}") for name in HEADS], lines, empty=words.text("lookers.none"))


# ---- doing -----------------------------------------------------------------------------------------------------------


def register(app: Any, commands: Any) -> None:
    """Register both lists, ending a look, and the file."""
    register_now(app, commands)
    register_past(app, commands)


def register_now(app: Any, commands: Any) -> None:
    """Register who looks now, and ending it after a question."""
    words: Words = app.words

    def listed(*_asked: object) -> Any:
        try:
            book = commands.lookers
            return listing(book.living(), words, closes=book.may_close())
        except OperationsError as error:
            return notice("note", explain(error, words))

    def asked(pressed: dict[str, Any] | None) -> tuple[bool, str, str]:
        if not pressed:
            raise PreventUpdate
        return True, words.text("lookers.sure"), str(pressed["looks-close"])

    def agreed(clicks: int | None, look: str | None) -> Any:
        if not clicks or not look:
            raise PreventUpdate
        try:
            ended = commands.lookers.close(look)
        except OperationsError as error:
            return notice("wrong", explain(error, words))
        return notice("good" if ended else "note", words.text("lookers.closed" if ended else "lookers.over"))

    app.callback(Output(NOW, "children"), Input(BEAT, "data"), Input(TOLD, "children"))(listed)
    question = Output(SURE, "displayed"), Output(SURE, "message"), Output(CHOSEN, "data")
    app.callback(*question, presses(app, PRESSED, {"looks-close": ALL}), prevent_initial_call=True)(asked)
    agree = Input(SURE, "submit_n_clicks"), State(CHOSEN, "data")
    app.callback(Output(TOLD, "children"), *agree, prevent_initial_call=True)(agreed)


def register_past(app: Any, commands: Any) -> None:
    """Register searching, going on to older looks, and the file."""
    words: Words = app.words

    def search(_asking: Any, form: dict[str, Any], kept: Any) -> tuple[Any, ...]:
        older = ctx.triggered_id == OLDER
        try:
            asked = convert(kept["asked"], Asked) if older else asked_of(form, clock.now())
            found = commands.lookers.past(asked, convert(kept["next"], tuple[int, str]) if older else None)
        except (OperationsError, ValidationError, TypeError, KeyError) as error:
            said = explain(error, words) if isinstance(error, OperationsError) else words.text("lookers.again")
            return said, no_update, no_update, True
        note = words.text("lookers.found_more" if found.next else "lookers.found", n=len(found.looks))
        return note, drawn(found.looks, words), {"asked": to_builtins(asked), "next": found.next}, found.next is None

    def saved(clicks: int | None, form: dict[str, Any]) -> Any:
        if not clicks:
            raise PreventUpdate
        heads = [words.text(f"lookers.head.{name}") for name in HEADS]
        found = rows(commands.lookers.exported(asked_of(form, clock.now())), words)
        return download("looks.csv", [heads, *([one.who, one.camera, one.why, one.began, one.ended] for one in found)])

    texts = {name: State(f"looks-{name}", "value") for name in FIELDS} | {"window": State(WINDOW, "value")}
    asking = [Input(SEARCH, "n_clicks"), Input(OLDER, "n_clicks")]
    asking += [Input(f"looks-{name}", "n_submit") for name in FIELDS]
    app.callback(
        output=[
            *(Output(NOTE, "children"), Output(SHOWN, "children"), Output(KEPT, "data"), Output(OLDER, "hidden")),
        ],
        inputs={"_asking": asking},
        state={"form": texts, "kept": State(KEPT, "data")},
        prevent_initial_call=True,
    )(search)
    app.callback(
        output=Output(FILE, "data"),
        inputs={"clicks": Input(SAVE, "n_clicks")},
        state={"form": texts},
        prevent_initial_call=True,
    )(saved)
