"""Verification 核验: the whole chain, its signed heads, what is kept beside it, and the clock; with progress."""

from dataclasses import dataclass
from typing import Any

from dash import Input, Output, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.auditbook import Run
from dashboard.errand import explain
from dashboard.history import known
from dashboard.moment import shown_moment
from dashboard.panels.admin_shell import notice, section, table
from dashboard.panels.audit_shell import VERIFY
from operations.errors import OperationsError
from operations.inspection import Inspection

GO, SHOWN, AGAIN, STATE = "verify-go", "verify-shown", "verify-again", "verify-state"
FAULTS_SHOWN = 50
SECOND = 1_000_000


@dataclass(frozen=True)
class Fact:
    """One line of the result: its name under `audit.check`, what is said, and whether it is as it should be."""

    name: str
    said: str
    good: bool = True


def facts(found: Inspection, words: Words) -> list[Fact]:
    """Return the result line by line."""
    zone = words.city.zone
    first = found.first
    chain = words.text("audit.check.whole", n=f"{found.count:,}")
    if first is not None:
        chain = words.text("audit.check.broken", seq=first.seq, text=words.text(f"terminal.fault.{first.kind}"))
    elif found.unreadable is not None and not found.count:
        chain = words.text("audit.check.unreadable", detail=found.unreadable.detail)
    heads = words.text("audit.check.no_heads")
    if found.newest is not None:
        at = shown_moment(found.newest.at, zone)
        heads = words.text("audit.check.heads_said", n=f"{found.signed:,}", seq=f"{found.newest.seq:,}", at=at)
    if found.bad_lines:
        heads = words.text("audit.check.heads_bad", lines=", ".join(map(str, found.bad_lines[:10])))
    kept = words.text("audit.check.kept_good" if found.compared else "audit.check.kept_not")
    if found.differences:
        kept = " ".join(
            words.text(f"terminal.check.kept_{one.kind}", place=one.place, example=one.example)
            for one in found.differences[:10]
        )
    destroyed = [one for one in found.notes if one.kind == "destroyed"]
    left = [one for one in found.notes if one.kind == "epoch"]
    state = words.text("audit.clock.none") if found.clock is None else words.text(f"audit.clock.{found.clock.state}")
    since = "" if found.clock is None else words.text("audit.check.since", at=shown_moment(found.clock.at, zone))
    known_clock = found.clock is not None and found.clock.state in ("exact", "near")
    return [
        Fact("chain", chain, first is None and found.unreadable is None),
        Fact("heads", heads, found.newest is not None and not found.bad_lines),
        Fact("kept", kept, found.compared and not found.differences),
        Fact("destroyed", words.text("audit.check.destroyed_said", n=len(destroyed), epochs=len(left))),
        Fact("clock", f"{state} {since}".strip(), known_clock),
        Fact("end", "" if found.head is None else f"{found.head.seq:,} · {found.head.hash}"),
    ]


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the button and the empty place of the result."""
    go = html.Button(words.text("audit.verify"), id=GO, className="desk-button primary", type="button")
    return section(
        VERIFY,
        [
            html.P(words.text("audit.verify_hint"), className="desk-hint"),
            html.Div(go, className="desk-line"),
            html.Div(id=SHOWN, role="status"),
            dcc.Store(id=AGAIN),
            dcc.Store(id=STATE),
        ],
    )


def drawn(run: Run, words: Words, now: int) -> list[Any]:
    """Return how an inspection stands."""
    if run.stage:
        seconds = max(0, now - run.began_at) // SECOND
        said = words.text("audit.verifying", stage=words.text(f"audit.stage.{run.stage}"), n=seconds)
        known_end = {"max": str(run.total), "value": str(run.checked)} if run.total else {}
        return [html.Progress(className="upload-progress", **known_end), html.P(said)]
    if run.failed:
        return [notice("wrong", words.text("audit.verify_failed"))]
    return [] if run.found is None else result(run.found, words)


def result(found: Inspection, words: Words) -> list[Any]:
    """Return what an inspection found."""
    said = words.text("audit.check.ok" if found.ok else "audit.check.wrong")
    at = words.text("audit.check.at", at=shown_moment(found.at, words.city.zone))
    lines = [
        [
            words.text(f"audit.check.{one.name}"),
            html.Span(f"{'✓' if one.good else '✗'} {one.said}", className="audit-said"),
        ]
        for one in facts(found, words)
    ]
    heads = [words.text("audit.head.fact"), words.text("audit.head.found")]
    parts: list[Any] = [notice("good" if found.ok else "wrong", f"{said} {at}"), table(heads, lines)]
    if found.faults:
        wrong = [[str(one.seq), known(words, "terminal.fault", one.kind)] for one in found.faults[:FAULTS_SHOWN]]
        parts += [
            html.H3(words.text("audit.check.faults", n=len(found.faults))),
            table([words.text("audit.fact.seq"), words.text("audit.head.found")], wrong),
        ]
    return parts


def register(app: Any, commands: Any) -> None:
    """Register beginning an inspection and asking how it stands, again and again while it is under way."""
    words: Words = app.words

    def look(_clicks: Any, _again: Any) -> tuple[Any, Any]:
        try:
            if ctx.triggered_id == GO:
                commands.auditbook.inspect()
            run = commands.auditbook.inspected()
        except OperationsError as error:
            return html.P(explain(error, words), className="desk-empty"), None
        if ctx.triggered_id is None and not run.stage and run.found is None:
            raise PreventUpdate
        return drawn(run, words, clock.now()), {"running": bool(run.stage), "at": clock.now()}

    app.callback(
        *(Output(SHOWN, "children"), Output(STATE, "data")),
        *(Input(GO, "n_clicks"), Input(AGAIN, "data")),
    )(look)
    app.clientside_callback("dash_clientside.audit.again", Output("audit-sink", "title"), Input(STATE, "data"))
