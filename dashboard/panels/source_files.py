"""The tab of files 送文件: what a file holds, what its rows become, a rehearsal, and sending it with its progress."""

from typing import Any

from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard.history import known
from dashboard.panels.admin_shell import leading, notice, section, table, upload
from dashboard.panels.file_shell import TOLD, previewed, reason, rows, trouble
from streams.rehearsal import Rehearsal
from streams.sending import CANCELLED, DONE, FAILED, Fault, Progress
from streams.tables.finding import Finding, TableUnreadable
from streams.tables.reading import Summary

FILE, FOUND, ROWS = "files-file", "files-found", "files-rows"
TRY, GO, CANCEL, PROGRESS, TICK = "files-try", "files-go", "files-cancel", "files-progress", "files-tick"
SAMPLE, SAMPLED, BUTTONS = "files-sample", "files-sampled", "files-buttons"
CHOSEN, SAVED = "source-chosen", "mapping-saved"
ENDINGS = ".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.json,.jsonl"
TICK_MS = 1_000
FAULTS = 20
"""Refused rows that are listed."""
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", "，": "wide_comma"}


def layout(words: Words) -> html.Section:
    """Return the tab; the page's first panel puts it into the page."""
    buttons = [
        html.Button(words.text("files.try"), id=TRY, type="button", className="desk-button"),
        html.Button(words.text("files.go"), id=GO, type="button", className="desk-button primary"),
    ]
    stop = html.Button(words.text("files.cancel"), id=CANCEL, type="button", className="desk-button", hidden=True)
    sample = html.Button(words.text("files.sample"), id=SAMPLE, type="button", className="desk-button")
    return section(
        "files",
        [
            html.P(words.text("files.about"), className="admin-about"),
            html.Div(sample, className="admin-line"),
            upload("table", FILE, words.text("files.choose"), ENDINGS, words),
            html.Div(id=FOUND),
            html.Div(id=ROWS),
            html.Div(
                [html.Div(buttons, id=BUTTONS, className="admin-line", hidden=True), stop], className="admin-line"
            ),
            html.Div(id=PROGRESS, role="status"),
            dcc.Interval(id=TICK, interval=TICK_MS, disabled=True),
            dcc.Download(id=SAMPLED),
        ],
    )


# ---- what a file holds -----------------------------------------------------------------------------------------------


def holdings(found: Summary, words: Words) -> html.Div:
    """Return what was found in a file, and everything a person should know about it."""
    facts = [
        words.text("files.fact.rows", count=found.rows),
        words.text("files.fact.columns", count=len(found.columns)),
    ]
    if found.header:
        facts.append(words.text("files.fact.header", row=found.header))
    if found.encoding:
        facts.append(words.text("files.fact.encoding", name=found.encoding))
    if found.delimiter:
        facts.append(known(words, "files.delimiter", DELIMITERS.get(found.delimiter, found.delimiter)))
    if found.sheet:
        facts.append(words.text("files.fact.sheet", name=found.sheet))
    if found.inside:
        facts.append(words.text("files.fact.inside", name=found.inside))
    lines = [[_where(one, words), finding(one, words)] for one in found.findings]
    heads = [words.text("files.head.where"), words.text("files.head.said")]
    return html.Div([notice("good", " · ".join(facts)), *([table(heads, lines)] if lines else [])])


def finding(one: Finding, words: Words) -> str:
    """Return what a finding says and what to do."""
    params = dict(one.params)
    if one.code == "more":
        params["code"] = words.text(f"files.finding_name.{params['code']}")
    return words.text(f"files.finding.{one.code}", **params)


def _where(one: Finding, words: Words) -> str:
    if not one.row:
        return words.text("files.whole")
    return (
        words.text("files.at", row=one.row, column=one.column) if one.column else words.text("files.row", row=one.row)
    )


# ---- what is under way -----------------------------------------------------------------------------------------------


def progress(job: Progress | Rehearsal, words: Words) -> list[Any]:
    """Return how far a job has come, or how it ended."""
    kind = "rehearsal" if isinstance(job, Rehearsal) else "sending"
    state = job.state if job.state in (DONE, CANCELLED, FAILED) else "going"
    bar = html.Progress(max=str(max(job.total, 1)), value=str(job.done), className="upload-progress")
    said = words.text(f"files.{kind}.{state}", done=job.done, total=job.total)
    if job.state == FAILED:
        said = f"{said} {_why(job.why, words)}"
    elif job.why and job.state == "waiting":
        said = f"{said} {words.text('files.waiting', why=_why(job.why, words))}"
    tone = {DONE: "good", FAILED: "wrong"}.get(job.state, "note")
    counts = _rehearsed(job, words) if isinstance(job, Rehearsal) else _sent(job, words)
    return [*([] if job.over else [bar]), notice(tone, [html.P(said), *counts]), *_faults(job.faults, words)]


def _why(code: str, words: Words) -> str:
    for key in (f"files.why.{code}", f"streams.refused.{code}", code):
        if key in words:
            return words.text(key)
    return code


def _sent(job: Progress, words: Words) -> list[Any]:
    counts = {"new": job.accepted - job.duplicates, "duplicates": job.duplicates, "quarantined": job.quarantined}
    return [_counts("sent", counts, words), *_reasons(job.reasons, words)]


def _rehearsed(job: Rehearsal, words: Words) -> list[Any]:
    names = ("good", "refused", "same", "other", "again", "placed", "outside", "placeless")
    counts = {name: getattr(job, name) for name in names}
    kept = {name: count for name, count in counts.items() if count or name in ("good", "refused")}
    marks = [f"{known(words, 'streams.mark', mark)} {count}" for mark, count in sorted(job.marks.items())]
    said = [html.P(words.text("files.marks", marks=" · ".join(marks)))] if marks else []
    return [_counts("rehearsed", kept, words), *_reasons(job.reasons, words), *said]


def _counts(kind: str, counts: dict[str, int], words: Words) -> html.Ul:
    said = [html.Li([html.B(f"{count:,}"), " ", words.text(f"files.{kind}.{name}")]) for name, count in counts.items()]
    return html.Ul(said, className="files-counts")


def _reasons(reasons: dict[str, int], words: Words) -> list[Any]:
    if not reasons:
        return []
    told = " · ".join(f"{known(words, 'streams.reason', code)} {count}" for code, count in sorted(reasons.items()))
    return [html.P(words.text("files.refused_for", reasons=told))]


def _faults(faults: list[Fault], words: Words) -> list[Any]:
    if not faults:
        return []
    heads = [words.text("files.head.row"), words.text("files.head.said")]
    lines = [[str(one.row), _fault(one, words)] for one in faults[:FAULTS]]
    return [html.H3(words.text("files.faults", count=len(lines))), table(heads, lines)]


def _fault(one: Fault, words: Words) -> str:
    return " · ".join(
        (reason(one.reason, one.field, words), *(f"{name} {value}" for name, value in one.params.items()))
    )


class Deeds:
    """What the tab's callbacks do."""

    def __init__(self, words: Words, commands: Any) -> None:
        self._words = words
        self._commands = commands

    def held(self, answer: dict[str, Any] | None) -> tuple[Any, None]:
        if not answer:
            raise PreventUpdate
        try:
            return holdings(self._commands.filebook.summary(str(answer.get("id"))), self._words), None
        except TOLD as error:
            return trouble(error, self._words), None

    def shown(self, answer: dict[str, Any] | None, chosen: str | None, _saved: object) -> tuple[Any, bool]:
        if not answer:
            raise PreventUpdate
        if not chosen:
            return notice("note", self._words.text("files.no_source")), True
        upload_id = str(answer.get("id"))
        try:
            source, mapping = self._commands.mapbook.of(chosen)
            if not source.mapping:
                said = [html.P(self._words.text("files.no_mapping")), leading("mapping", self._words)]
                return notice("note", said), True
            found = rows(self._commands.filebook.preview(upload_id, chosen, mapping), self._words)
        except TableUnreadable:  # said above
            return None, True
        except TOLD as error:
            return trouble(error, self._words), True
        return previewed(found, self._words), False

    def begun(self, clicks: int | None, answer: dict[str, Any] | None, chosen: str | None) -> tuple[Any, bool]:
        if not clicks or not answer or not chosen:
            raise PreventUpdate
        try:
            _, mapping = self._commands.mapbook.of(chosen)
            self._commands.filebook.rehearse(str(answer.get("id")), chosen, mapping, self._commands.begin)
        except TOLD as error:
            return trouble(error, self._words), True
        return None, False

    def sent(self, clicks: int | None, answer: dict[str, Any] | None, chosen: str | None) -> tuple[Any, bool]:
        if not clicks or not answer or not chosen:
            raise PreventUpdate
        try:
            self._commands.mapbook.of(chosen)
            self._commands.filebook.send(str(answer.get("id")), chosen, self._commands.begin)
        except TOLD as error:
            return trouble(error, self._words), True
        return None, False

    def ticked(self, _n: int | None, answer: dict[str, Any] | None) -> tuple[Any, bool, bool]:
        if not answer:
            raise PreventUpdate
        try:
            job = self._commands.filebook.job(str(answer.get("id")))
        except TOLD as error:
            return trouble(error, self._words), True, True
        if job is None:
            return None, True, True
        return progress(job, self._words), job.over, job.over

    def stopped(self, clicks: int | None, answer: dict[str, Any] | None) -> bool:
        if not clicks or not answer:
            raise PreventUpdate
        self._commands.filebook.cancel(str(answer.get("id")))
        return False

    def sampled(self, clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return dcc.send_bytes(
            self._commands.filebook.sample(self._words.city.zone), f"12345-{self._words.text('files.sample')}.csv"
        )


def register(app: Any, commands: Any) -> None:
    """Register looking at a file, rehearsing, sending, stopping, and the sample."""
    does = Deeds(app.words, commands)
    state = State(FILE, "data"), State(CHOSEN, "data")
    fresh = Output(FOUND, "children"), Output(PROGRESS, "children", allow_duplicate=True)
    app.callback(*fresh, Input(FILE, "data"), prevent_initial_call=True)(does.held)
    inputs = Input(FILE, "data"), Input(CHOSEN, "data"), Input(SAVED, "data")
    app.callback(Output(ROWS, "children"), Output(BUTTONS, "hidden"), *inputs)(does.shown)
    told = Output(PROGRESS, "children", allow_duplicate=True), Output(TICK, "disabled", allow_duplicate=True)
    app.callback(*told, Input(TRY, "n_clicks"), *state, prevent_initial_call=True)(does.begun)
    app.callback(*told, Input(GO, "n_clicks"), *state, prevent_initial_call=True)(does.sent)
    going = Output(PROGRESS, "children"), Output(TICK, "disabled"), Output(CANCEL, "hidden")
    app.callback(*going, Input(TICK, "n_intervals"), State(FILE, "data"), prevent_initial_call=True)(does.ticked)
    app.callback(Output(CANCEL, "disabled"), Input(CANCEL, "n_clicks"), State(FILE, "data"))(does.stopped)
    app.callback(Output(SAMPLED, "data"), Input(SAMPLE, "n_clicks"))(does.sampled)
