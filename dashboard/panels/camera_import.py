"""Importing ledgers of cameras 台账导入: a file, its columns, what it would change, and only then kept, all or none."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from dash import ALL, Input, Output, State, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.errand import explain
from dashboard.ledgerbook import FAILED, KEPT, LOOKED, RUNNING, SHOWN, Job, Told
from dashboard.panels.admin_shell import field, notice, section, table, upload
from geo.datum import DATUMS
from operations.errors import OperationsError, Refused
from streams.cameras import columns
from streams.cameras.columns import Columns
from streams.cameras.importing import PHASES, Asked, Line
from streams.tables.finding import TableUnreadable

FILE, FORM, SOURCE, DATUM, MAPPING = "ledger-file", "ledger-form", "ledger-source", "ledger-datum", "ledger-mapping"
COLUMNS, COMPLETE, LOOK, CANCEL = "ledger-columns", "ledger-complete", "ledger-look", "ledger-cancel"
TICK, BAR, FOUND, AGREE, TAKE, TAKEN = (
    "ledger-tick",
    "ledger-bar",
    "ledger-found",
    "ledger-agree",
    "ledger-take",
    "ledger-taken",
)
COLUMN = "ledger-column"
TICK_MS = 700
ENDINGS = ".csv,.txt,.xlsx,.xls,.json,.geojson"
LONGEST = 60
MARKS = {"added": "import-state new", "changed": "import-state changed", "gone": "import-state wrong"}
TROUBLES = (OperationsError, TableUnreadable)


def layout(words: Words) -> html.Section:
    """Return the place for a file, how it is to be read, and the empty places for what comes of it."""
    source = dcc.Input(id=SOURCE, type="text", maxLength=40, className="desk-input", autoComplete="off")
    datum = dcc.Dropdown([{"label": one, "value": one} for one in DATUMS], "WGS84", id=DATUM, clearable=False)
    names = [{"label": words.text(f"ledger.mapping.{one}"), "value": one} for one in columns.names()]
    complete = dcc.Checklist([{"label": words.text("ledger.complete"), "value": "yes"}], [], id=COMPLETE)
    agree = dcc.Checklist([{"label": words.text("ledger.agree"), "value": "yes"}], [], id=AGREE)
    form = [
        html.Div(
            [
                field(words.text("ledger.source"), source, words.text("ledger.source_hint")),
                field(words.text("cameras.field.datum"), datum, words.text("ledger.datum_hint")),
                field(words.text("ledger.mapping_name"), dcc.Dropdown(names, id=MAPPING, clearable=False)),
            ],
            className="admin-form",
        ),
        html.Details([html.Summary(words.text("ledger.columns")), html.Div(id=COLUMNS, className="admin-form")]),
        complete,
        html.Div([_button(LOOK, "look", words, "primary"), _button(CANCEL, "cancel", words)], className="admin-line"),
    ]
    body = [
        html.P(words.text("ledger.said"), className="desk-hint"),
        upload("cameras", FILE, words.text("ledger.file"), ENDINGS, words),
        html.Div(form, id=FORM, className="admin-stack", hidden=True),
        html.Progress(id=BAR, max="100", value="0", hidden=True, className="upload-progress"),
        html.Div(id=FOUND, **{"aria-live": "polite"}),
        html.Div(agree, id="ledger-agreeing", hidden=True),
        html.Button(words.text("ledger.take"), id=TAKE, type="button", className="desk-button primary", hidden=True),
        html.Div(id=TAKEN, **{"aria-live": "polite"}),
        dcc.Interval(id=TICK, interval=TICK_MS, disabled=True),
    ]
    return section("import", body)


def _button(id: str, name: str, words: Words, kind: str = "") -> html.Button:
    return html.Button(words.text(f"ledger.{name}"), id=id, type="button", className=f"desk-button {kind}".strip())


def pickers(present: Sequence[str], chosen: Columns, words: Words) -> list[html.Label]:
    """Return a choice of columns for each field a ledger can say."""
    options = [{"label": name[:LONGEST], "value": name} for name in present]
    known = columns.mapping().fields
    return [
        field(
            words.text(f"cameras.field.{name}"),
            dcc.Dropdown(options, next(iter(chosen.fields.get(name, ())), None), id={"type": COLUMN, "field": name}),
        )
        for name in known
    ]


def share(job: Job) -> str:
    """Return how far a job is, of 100: each phase is an equal part."""
    at = PHASES.index(job.phase) if job.phase in PHASES else 0
    inside = job.done / job.total if job.total else 0
    return str(round((at + min(1.0, inside)) * 100 / len(PHASES)))


def summary(told: Told, words: Words) -> list[Any]:
    """Return what a look found: what is wrong first, then what would change, then the first rows."""
    parts: list[Any] = []
    if told.faulty:
        parts.append(notice("wrong", words.text("cameras.faulty", count=told.faulty)))
        heads = [words.text(f"ledger.head.{name}") for name in ("row", "code", "column", "why")]
        parts.append(table(heads, [_fault(one, words) for one in told.faults]))
    else:
        counts = {name: f"{count:,}" for name, count in told.counts.items()}
        parts.append(notice("wrong" if told.counts["gone"] else "good", words.text("cameras.would_change", **counts)))
    if told.doubt:
        parts.append(notice("wrong", words.text("cameras.doubt", **told.doubt)))
    odd = [words.text(f"ledger.{name}", count=f"{count:,}") for name, count in _odd(told) if count]
    parts += [notice("note", words.text("ledger.coded"))] if told.coded else []
    if told.strangers:
        parts.append(notice("note", words.text("ledger.strangers", owners=" · ".join(told.strangers))))
    parts += [notice("note", html.Ul([html.Li(one) for one in odd]))] if odd else []
    if told.lines:
        heads = [words.text(f"ledger.head.{name}") for name in ("how", "code", "name", "changes")]
        parts += [html.H3(words.text("ledger.changes")), table(heads, [_line(one, words) for one in told.lines])]
    if told.first:
        heads = [words.text(f"cameras.field.{name}") for name in SHOWN]
        rows = [[one[name] for name in SHOWN] for one in told.first]
        parts += [html.H3(words.text("ledger.first")), table(heads, rows)]
    return parts


def _odd(told: Told) -> list[tuple[str, int]]:
    return [("unknown", told.unknown), ("outside", told.outside), ("secrets", told.secrets)]


def _fault(one: Any, words: Words) -> list[str]:
    name = words.text(f"cameras.field.{one.field}") if one.field else ""
    return [str(one.row), one.code, one.column or name, words.text(f"cameras.why.{one.why}")]


def _line(one: Line, words: Words) -> list[Any]:
    """A camera that would be added, changed or gone; each field of a change as before → after."""
    mark = html.Span(words.text(f"cameras.how.{one.how}"), className=MARKS[one.how])
    said = [
        html.Div(
            [html.B(words.text(f"cameras.field.{change.field}")), f" {_text(change.before)} → {_text(change.after)}"]
        )
        for change in one.changes
    ]
    return [mark, one.code, one.name, html.Div(said)]


def _text(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "—"
    return (" / ".join(value) if isinstance(value, list) else str(value))[:LONGEST]


def trouble(error: Exception, words: Words) -> html.Div:
    """Return what is said of a ledger that cannot be read or taken."""
    if isinstance(error, TableUnreadable):
        return notice("wrong", words.text(f"files.unreadable.{error.code}", **error.params))
    assert isinstance(error, OperationsError)
    return notice("wrong", explain(error, words))


def followed(job: Job, words: Words) -> tuple[Any, ...]:
    """Return tick disabled, bar, bar hidden, found, agreeing hidden, take hidden, taken, for how far a job is."""
    if job.state == RUNNING:
        said = words.text(f"cameras.phase.{job.phase}")
        if job.total > 1:
            said += f" {job.done:,} / {job.total:,}"
        return False, share(job), False, notice("note", said), True, True, None
    if job.state == LOOKED and job.told is not None:
        counts = job.told.counts
        idle = bool(job.told.faulty) or not (counts["added"] + counts["changed"] + counts["gone"] + job.told.secrets)
        return True, "0", True, summary(job.told, words), idle or not counts["gone"], idle, None
    if job.state == KEPT and job.told is not None:
        counts_said = {name: f"{count:,}" for name, count in job.told.counts.items()}
        return True, "0", True, None, True, True, notice("good", words.text("cameras.imported", **counts_said))
    if job.state == FAILED:
        return True, "0", True, trouble(Refused(job.why, **job.params), words), True, True, None
    return True, "0", True, notice("note", words.text("ledger.stopped")), True, True, None


def arrived(book: Any, words: Words, answer: dict[str, Any] | None) -> tuple[Any, ...]:
    """Return mapping, form hidden, found, agreeing hidden, take hidden, taken, for a file that was sent."""
    if not answer:
        raise PreventUpdate
    try:
        _, chosen = book.columns(str(answer.get("id")))
    except TROUBLES as error:
        return None, True, trouble(error, words), True, True, None
    return chosen.name, False, None, True, True, None


def picked(book: Any, words: Words, name: str | None, answer: dict[str, Any] | None) -> Any:
    """Return the choices of columns as a mapping has them."""
    if not answer or not name:
        raise PreventUpdate
    present, chosen = book.columns(str(answer.get("id")), name)
    return pickers(present, chosen, words)


def looked(book: Any, words: Words, clicks: int | None, answer: dict[str, Any] | None, *form: Any) -> tuple[Any, Any]:
    """Begin to look; return tick disabled, and what is wrong."""
    if not clicks or not answer:
        raise PreventUpdate
    source, datum, mapping, complete, values, ids = form
    fields = {one["field"]: str(value or "") for one, value in zip(ids, values, strict=True)}
    how = columns.chosen(str(mapping), fields)
    asked = Asked(str(source or "").strip(), datum if datum in DATUMS else "WGS84", how, bool(complete))
    return _begun(lambda: book.look(str(answer.get("id")), asked), words)


def taken(
    book: Any, words: Words, clicks: int | None, answer: dict[str, Any] | None, agreed: list[str] | None
) -> tuple[Any, Any]:
    """Begin to keep what was looked at; return tick disabled, and what is wrong."""
    if not clicks or not answer:
        raise PreventUpdate
    name = str(answer.get("id"))

    def begin() -> None:
        told = book.job(name).told
        book.take(name, gone=told.counts["gone"] if agreed and told else 0)

    return _begun(begin, words)


def _begun(begin: Callable[[], None], words: Words) -> tuple[Any, Any]:
    try:
        begin()
    except TROUBLES as error:
        return True, trouble(error, words)
    return False, None


def follow(book: Any, words: Words, ticks: int | None, answer: dict[str, Any] | None) -> tuple[Any, ...]:
    """Return what `followed` says of the job of a file."""
    if not answer:
        raise PreventUpdate
    try:
        return followed(book.job(str(answer.get("id"))), words)
    except OperationsError as error:
        return True, "0", True, trouble(error, words), True, True, None


def left(book: Any, words: Words, clicks: int | None, answer: dict[str, Any] | None) -> tuple[Any, ...]:
    """Forget a file; return form hidden, found, tick, agreeing hidden, take hidden, taken."""
    if not clicks or not answer:
        raise PreventUpdate
    try:
        book.cancel(str(answer.get("id")))
    except OperationsError as error:
        return True, trouble(error, words), no_update, True, True, None
    return True, notice("note", words.text("ledger.stopped")), no_update, True, True, None


def register(app: Any, commands: Any) -> None:
    """Register reading a file's columns, looking, following, taking and leaving it."""

    def of(function: Callable[..., Any]) -> Callable[..., Any]:
        return partial(function, commands.ledgerbook, app.words)

    sent = Input(FILE, "data")
    file = State(FILE, "data")
    shown = Output(FOUND, "children", allow_duplicate=True)
    hidden = (
        Output("ledger-agreeing", "hidden", allow_duplicate=True),
        Output(TAKE, "hidden", allow_duplicate=True),
        Output(TAKEN, "children", allow_duplicate=True),
    )
    app.callback(
        Output(MAPPING, "value"), Output(FORM, "hidden"), shown, *hidden, sent, prevent_initial_call=True
    )(of(arrived))  # fmt: skip
    app.callback(Output(COLUMNS, "children"), Input(MAPPING, "value"), sent, prevent_initial_call=True)(of(picked))
    asked = (State(one, "value") for one in (SOURCE, DATUM, MAPPING, COMPLETE))
    each = {"type": COLUMN, "field": ALL}
    app.callback(
        Output(TICK, "disabled"), Output(TAKEN, "children"), Input(LOOK, "n_clicks"), file, *asked,
        State(each, "value"), State(each, "id"), prevent_initial_call=True,
    )(of(looked))  # fmt: skip
    app.callback(
        Output(TICK, "disabled", allow_duplicate=True), Output(BAR, "value"), Output(BAR, "hidden"), shown, *hidden,
        Input(TICK, "n_intervals"), file, prevent_initial_call=True,
    )(of(follow))  # fmt: skip
    app.callback(
        Output(TICK, "disabled", allow_duplicate=True), hidden[2], Input(TAKE, "n_clicks"), file,
        State(AGREE, "value"), running=[(Output(TAKE, "disabled"), True, False)], prevent_initial_call=True,
    )(of(taken))  # fmt: skip
    app.callback(
        Output(FORM, "hidden", allow_duplicate=True), shown, Output(TICK, "disabled", allow_duplicate=True),
        *hidden, Input(CANCEL, "n_clicks"), file, prevent_initial_call=True,
    )(of(left))  # fmt: skip
