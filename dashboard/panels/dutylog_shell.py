"""The duty log 值班日志 on the page of hand-overs: writing, correcting, looking by day or shift, and figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.moment import NoMoment, moment
from dashboard.panels.account_shell import when
from dashboard.panels.admin_shell import field, notice, table
from operations.dutylog import KINDS, TEXT_MOST, Note
from operations.errors import OperationsError
from operations.shiftwork import Figures
from operations.views import midnight

KIND, NUMBER, TIME, TEXT, WRITE, TOLD = (
    "note-kind", "note-number", "note-time", "note-text", "note-write", "note-told",
)  # fmt: skip
PERIOD, DAY, WANTED, SOUGHT, LIST, DIGEST = (
    "note-period", "note-day", "note-wanted", "note-sought", "note-list", "note-digest",
)  # fmt: skip
CORRECTS, CORRECTING, PULSE = "note-corrects", "note-correcting", "note-pulse"
PERIODS = ("shift", "today", "yesterday", "day")
HEADS = ("at", "kind", "incident", "text", "who", "act")
A_DAY = 86_400_000_000
SHORT = len("08:00")


class Row(NamedTuple):
    """One note in the list: `old`: when what it corrects happened, if that is in the list too."""

    note: Note
    old: int | None


# ---- pure ------------------------------------------------------------------------------------------------------------


def rows(found: Sequence[Note]) -> list[Row]:
    """Return the notes in the order they came, each with the time of the one it corrects."""
    times = {one.id: one.at for one in found}
    return [Row(one, times.get(one.corrects)) for one in found]


def happened(text: str, now: int, zone: tzinfo) -> int | None:
    """Return when something happened, of "08:00" (the last one) or a date and time; None for now. Raises NoMoment."""
    text = text.strip().replace("：", ":")
    if 0 < len(text) <= SHORT and ":" in text:
        day = datetime.fromtimestamp(now / 1e6, zone)
        at = moment(f"{day:%Y-%m-%d} {text}", zone)
        return at if at is None or at <= now else moment(f"{day - timedelta(days=1):%Y-%m-%d} {text}", zone)
    return moment(text, zone)


def stretch(period: str, day: str, since: int, now: int, zone: tzinfo) -> tuple[int, int]:
    """Return the stretch of time that is looked at; `since`: when the shift began. Raises NoMoment."""
    today = midnight(now, zone)
    if period == "today":
        return today, now + 1
    if period == "yesterday":
        return midnight(today - 1, zone), today
    if period == "day":
        begins = moment(day[:10], zone)
        return (today, now + 1) if begins is None else (begins, midnight(begins + A_DAY + A_DAY // 8, zone))
    return since, now + 1


def digest(found: Figures, words: Words) -> list[str]:
    """Return a shift's figures in words, each with what it is of."""
    values = {name: f"{value:,}" for name, value in found._asdict().items() if isinstance(value, int)}
    lines = [words.text(f"handover.figure.{name}", **values) for name in ("received", "done", "orders", "reports")]
    return [*lines, *([words.text("handover.figure.bounded")] if found.bounded else [])]


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Div:
    """Return the empty log with its form."""
    kinds = [{"label": words.text(f"handover.note.{name}"), "value": name} for name in KINDS]
    every = {"label": words.text("handover.every_kind"), "value": ""}
    periods = [{"label": words.text(f"handover.period.{name}"), "value": name} for name in PERIODS]
    form = [
        field(words.text("handover.note_kind"), dcc.Dropdown(kinds, "call", id=KIND, clearable=False)),
        field(words.text("handover.note_number"), entry(NUMBER, "1123-0001", 20)),
        field(words.text("handover.note_time"), entry(TIME, words.text("handover.now"), 16)),
    ]
    text = dcc.Textarea(
        id=TEXT, value="", maxLength=TEXT_MOST, className="desk-input", placeholder=words.text("handover.hint.note")
    )
    write = html.Button(words.text("handover.act.write"), id=WRITE, type="button", className="desk-button primary")
    filters = [
        field(words.text("handover.look_at"), dcc.Dropdown(periods, "shift", id=PERIOD, clearable=False)),
        field(words.text("handover.day"), entry(DAY, "2027-01-31", 10, late=True)),
        field(words.text("handover.note_kind"), dcc.Dropdown([every, *kinds], "", id=WANTED, clearable=False)),
        field(words.text("handover.holding"), entry(SOUGHT, "", 40, late=True)),
    ]
    return html.Div(
        [
            html.H2(words.text("handover.figures")),
            html.Div(id=DIGEST, className="handover-digest"),
            html.H2(words.text("handover.log")),
            html.Div(
                [
                    html.Div(id=CORRECTING),
                    html.Div(form, className="handover-fields"),
                    field(words.text("handover.note_text"), text),
                    html.Div([write, html.Div(id=TOLD, **{"aria-live": "polite"})], className="admin-line"),
                    html.Div(filters, className="handover-fields"),
                ],
                className="screen-only handover-form",
            ),
            html.Div(id=LIST),
            dcc.Store(id=CORRECTS),
            dcc.Store(id=PULSE, data=0),
        ],
        className="handover-part",
    )


def entry(id: str, hint: str, most: int, *, late: bool = False) -> dcc.Input:
    """Return a field of one line; `late`: what is typed counts once it is complete."""
    return dcc.Input(
        id=id, type="text", value="", maxLength=most, className="desk-input", placeholder=hint, debounce=late
    )


def listing(found: Sequence[Row], words: Words, *, more: bool, may_write: bool) -> list[Any]:
    """Return the table of notes, or that there are none."""
    heads = [words.text(f"handover.column.{name}") for name in HEADS]
    said = [notice("note", words.text("handover.earlier"))] if more else []
    lines = [line(one, words, may_write=may_write) for one in found]
    return [*said, table(heads, lines, empty=words.text("handover.no_notes"))]


def line(row: Row, words: Words, *, may_write: bool) -> list[Any]:
    """Return the cells of one note: what was corrected stays to be read, and says so."""
    one = row.note
    at = [when(one.at, words)]
    if one.later:
        at.append(words.text("handover.written_later", at=when(one.written_at, words)))
    text = words.text("handover.note_gone") if one.text is None else one.text
    body: list[Any] = [html.Span(text, className="handover-text")]
    if one.corrects:
        told = when(row.old, words) if row.old is not None else words.text("handover.earlier_note")
        body.insert(0, html.B(words.text("handover.corrects", at=told)))
    if one.corrected_by:
        body.append(html.Span(words.text("handover.corrected"), className="desk-hint"))
    act = html.Button(
        words.text("handover.act.correct"),
        id={"note-act": "correct", "id": one.id, "at": when(one.at, words)},
        type="button",
        className="desk-button screen-only",
        n_clicks=0,
    )
    kind = words.text(f"handover.note.{one.kind}")
    may = [act] if may_write and not one.corrected_by else []
    return [[html.Div(part) for part in at], kind, one.incident_number or "—", html.Div(body), one.account, may]


def correcting(chosen: dict[str, str] | None, words: Words) -> list[Any]:
    """Return which note is put right by the one being written, and the way out of that."""
    if not chosen:
        return []
    stop = html.Button(
        words.text("handover.act.stop"),
        id={"note-act": "stop", "id": "", "at": ""},
        type="button",
        className="desk-button",
        n_clicks=0,
    )
    return [notice("note", [words.text("handover.correcting", at=chosen["at"]), " ", stop])]


# ---- asking ----------------------------------------------------------------------------------------------------------


def written(commands: Any, typed: Sequence[Any], zone: tzinfo) -> None:
    """Write the note of a form: kind, number, time, text, what it corrects. Raises NoMoment, OperationsError."""
    kind, number, time, text, corrects, _ = typed
    at = happened(time or "", clock.now(), zone)
    since = commands.shifts.running().since
    asked = {"number": number or "", "at": at, "since": since, "corrects": (corrects or {}).get("id", "")}
    commands.shifts.log.write(commands.identity(), text or "", kind, **asked)


def register(app: Any, commands: Any) -> None:
    """Register writing, correcting, and looking at notes and figures."""
    words: Words = app.words
    zone = words.city.zone

    def listed(_pulse: int, _all: int, period: str, day: str | None, kind: str, sought: str | None) -> Any:
        now = clock.now()
        try:
            began = commands.shifts.running().since
            since, until = stretch(period, day or "", began, now, zone)
            who = commands.identity()
            found, more = commands.shifts.log.listed(who, since, until, kind=kind or "", text=sought or "")
            figures = commands.shifts.figures(since, until)
        except NoMoment:
            return notice("wrong", words.text("handover.day_wrong")), no_update
        except OperationsError as error:
            return notice("wrong", explain(error, words)), no_update
        may = commands.allowed("handover.write")
        window = words.text("handover.window", since=when(since, words), until=when(min(until, now), words))
        lines = [html.P(window, className="desk-hint"), html.Ul([html.Li(one) for one in digest(figures, words)])]
        return listing(rows(found), words, more=more, may_write=may), lines

    def write(clicks: int | None, *typed: Any) -> Any:
        if not clicks:
            raise PreventUpdate
        kept: tuple[Any, ...] = (no_update,) * 4
        try:
            written(commands, typed, zone)
        except NoMoment:
            return *kept, notice("wrong", words.text("handover.time_wrong")), no_update
        except OperationsError as error:
            return *kept, notice("wrong", explain(error, words)), no_update
        return "", "", "", None, notice("good", words.text("handover.done.write")), typed[-1] + 1

    def choose(clicks: list[int | None]) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        asked = ctx.triggered_id
        return {"id": asked["id"], "at": asked["at"]} if asked["note-act"] == "correct" else None

    looks = [Input(one, "value") for one in (PERIOD, DAY, WANTED, SOUGHT)]
    outputs = Output(LIST, "children"), Output(DIGEST, "children")
    app.callback(*outputs, Input(PULSE, "data"), Input("handover-pulse", "data"), *looks)(listed)
    states = [
        *(State(one, "value") for one in (KIND, NUMBER, TIME, TEXT)),
        State(CORRECTS, "data"),
        State(PULSE, "data"),
    ]
    cleared = [Output(one, "value") for one in (NUMBER, TIME, TEXT)]
    more = Output(CORRECTS, "data"), Output(TOLD, "children"), Output(PULSE, "data")
    app.callback(*cleared, *more, Input(WRITE, "n_clicks"), *states, prevent_initial_call=True)(write)
    chosen = Output(CORRECTS, "data", allow_duplicate=True)
    pressed = Input({"note-act": ALL, "id": ALL, "at": ALL}, "n_clicks")
    app.callback(chosen, pressed, prevent_initial_call=True)(choose)
    app.callback(Output(CORRECTING, "children"), Input(CORRECTS, "data"))(lambda one: correcting(one, words))
