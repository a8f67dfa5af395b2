"""The drawer 事件详情: one incident with all its facts and its history in words, and the place for what is done to it.

Head, buttons and forms live in the browser (`assets/desk/drawer.js`), so that nothing typed is lost when the facts are
drawn anew; facts and history are drawn here from the journal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dash import Input, Output, dcc, html
from dash.exceptions import PreventUpdate

from config.words import Words
from dashboard import clocks
from dashboard.errand import explain, perform, wanted
from dashboard.history import Line, history, known, latest_text, mark, result
from dashboard.names import Names, names_of
from dashboard.panels import attachment_shell, loop_shell
from operations import audit
from operations.board import Board
from operations.doubles import SHOWN, Twin, twins
from operations.errors import Forbidden, OperationsError
from operations.incident import Incident
from operations.policy import POLICY, ROLES, Identity, allowed

SIDE = "desk-side"
BODY = "desk-drawer-body"
OPEN = "desk-open"
COMMAND = "desk-command"
ANSWER = "desk-answer"

HISTORY_MOST = 200
"""Entries shown; an incident with more says how many there are."""


@dataclass(frozen=True)
class Fact:
    """One line of the facts; `at` (microseconds) adds how long ago that was, `grid` makes it open a grid's card."""

    name: str
    value: str
    at: int | None = None
    grid: str = ""


# ---- data ------------------------------------------------------------------------------------------------------------


def facts(one: Incident, names: Names) -> list[Fact]:
    """Return everything known of the incident, what is empty left out."""
    say = names.words.text
    found = [
        Fact("type", names.type(one.type)),
        Fact("department", names.department(one.department)),
        *place(one, names),
        Fact("source", names.source(one.source)),
        Fact("report", one.report_id),
        Fact("channel", known(names.words, "desk.channel", one.channel)),
        Fact("source_status", one.source_status),
        Fact("occurred", names.moment(one.occurred_at), one.occurred_at),
        Fact("received", names.moment(one.received_at), one.received_at),
        *progress(one, names),
        Fact("reports", str(one.reports) if one.reports > 1 else ""),
        Fact("gone", say("desk.fact.gone_value") if one.gone else ""),
        Fact("marks", "、".join(mark(names.words, code) for code in one.marks)),
    ]
    return [fact for fact in found if fact.value]


def place(one: Incident, names: Names) -> list[Fact]:
    """Return where it is: the chain of grids, or that it is unplaced with the nearest grid, the address, the point."""
    say = names.words.text
    told = f"{names.chain(one.chain)}（{one.grid}）" if one.grid else say("desk.fact.unplaced")
    found = [Fact("place", told, grid=one.grid)]
    for code in names.lying_over(one.lon, one.lat):
        found.append(Fact("over", f"{names.grid(code)}（{code}）", grid=code))
    if not one.grid and one.nearest:
        near = say("desk.fact.metres", grid=names.grid(one.nearest), metres=f"{one.distance_m:,.0f}")
        found.append(Fact("nearest", near))
    found.append(Fact("address", one.address))
    if one.lon is not None and one.lat is not None:
        accuracy = say("desk.fact.accuracy", metres=f"{one.accuracy_m:.0f}") if one.accuracy_m else ""
        point = say("desk.fact.point_value", lon=f"{one.lon:.6f}", lat=f"{one.lat:.6f}", accuracy=accuracy)
        found.append(Fact("point", point))
    elif one.grid:
        found.append(Fact("point", say("desk.fact.grid_only")))
    return found


def progress(one: Incident, names: Names) -> list[Fact]:
    """Return who acknowledged, whom it was escalated to, how it was closed."""
    say = names.words.text
    found = [Fact("acknowledged", say("desk.fact.waiting") if one.is_open else "")]
    if one.acknowledged_at:
        told = " · ".join(part for part in (names.moment(one.acknowledged_at), one.acknowledged_by) if part)
        found = [Fact("acknowledged", told, one.acknowledged_at)]
    if one.escalated_at:
        found.append(Fact("escalated", names.moment(one.escalated_at), one.escalated_at))
    if one.closed_at:
        found.append(Fact("closed", names.moment(one.closed_at), one.closed_at))
        found.append(Fact("result", one.result and result(one.result, names.words)))
    return found


def apart(twin: Twin, names: Names) -> str:
    """Return how far from the incident a twin is in place and time."""
    say = names.words.text
    minutes = round(twin.minutes)
    far = say("desk.double.same_grid") if twin.metres is None else say("desk.double.metres", n=f"{twin.metres:,.0f}")
    when = "same_time" if not minutes else "later" if minutes > 0 else "earlier"
    return f"{far} · {say(f'desk.double.{when}', n=abs(minutes))}"


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Aside:
    """Return the empty drawer, the place of the form and the stores that carry commands."""
    return html.Aside(
        [
            html.Div(id="desk-head", className="desk-head"),
            html.Div(id="desk-action", className="desk-action"),
            html.Div(id="desk-waiting", className="desk-empty", role="status", hidden=True),
            html.Div(id=BODY, className="desk-drawer-body", tabIndex="-1"),
            html.Div(id="desk-form"),
            html.Div(id="desk-toast", className="desk-toast", role="status", **{"aria-live": "polite"}),
            dcc.Store(id=OPEN),
            dcc.Store(id=COMMAND),
            dcc.Store(id=ANSWER),
            html.Div(id="desk-sink", hidden=True),
        ],
        id=SIDE,
        className="desk-side",
        **{"aria-label": words.text("desk.drawer.title"), "data-open": "false"},
    )


def details(
    one: Incident,
    text: str,
    lines: Sequence[Line],
    names: Names,
    *,
    earlier: int = 0,
    segment: str = "",
    denied: str = "",
    same: Sequence[Twin] = (),
    numbers: Mapping[str, str] = MappingProxyType({}),
    timed: Sequence[Any] = (),
    loop: Any = None,
    attached: Sequence[Any] = (),
) -> html.Div:
    """Return facts, text and history of an open drawer; so many entries are `earlier` than the lines.

    Those before them lie in the file `segment` or one before it, where it is named.

    `denied` stands in the place of the text and says why it is not shown; `same` are proposed doubles; `timed` is
    the section of its clocks, `loop` that of its flow.
    """
    words = names.words
    shown = lines[:HISTORY_MOST]
    note = words.text("desk.drawer.history_note", n=len(lines) + earlier, first=names.moment(one.opened_at))
    return html.Div(
        [
            *([] if loop is None else [loop]),
            *proposed(same, names),
            *kin(one, numbers, words),
            *timed,
            html.H3(words.text("desk.drawer.facts")),
            html.Dl([part for fact in facts(one, names) for part in fact_parts(fact, words)], className="desk-facts"),
            *content(text, denied, words),
            *attached,
            html.H3([words.text("desk.drawer.history"), html.Small(note)]),
            html.Ol([history_item(line, names, text) for line in shown], className="desk-history"),
            *([html.P(words.text("keeping.history_in", file=segment), className="desk-hint")] if segment else []),
        ],
        id="desk-details",
        **{"data-id": one.id, "data-revision": str(one.revision)},
    )


def proposed(same: Sequence[Twin], names: Names) -> list[Any]:
    """Return the section of proposed doubles, or nothing where there are none."""
    if not same:
        return []
    words = names.words
    rest = len(same) - SHOWN
    more = [html.P(words.text("desk.double.more", n=rest), className="desk-hint")] if rest > 0 else []
    title = html.H3([words.text("desk.double.title", n=len(same) + 1), html.Small(words.text("desk.double.hint"))])
    return [title, html.Ul([double(twin, names) for twin in same[:SHOWN]], className="desk-doubles"), *more]


def double(twin: Twin, names: Names) -> html.Li:
    """Return one proposed double with what can be done about it; `assets/desk/drawer.js` hears the buttons."""
    one, words = twin.incident, names.words
    return html.Li(
        [
            html.B(one.title or names.type(one.type), className="cut"),
            html.Span(f"{one.number} · {names.source(one.source)}", className="desk-hint cut"),
            html.Span(apart(twin, names), className="desk-hint cut"),
            html.Span(
                [
                    html.Button(
                        [html.Kbd("O"), words.text("desk.double.open")],
                        type="button",
                        className="desk-button",
                        **{"data-other": one.id},
                    ),
                    html.Button(
                        [html.Kbd("D"), words.text("desk.double.distinct")],
                        type="button",
                        className="desk-button quiet",
                        **{"data-distinct": one.id},
                    ),
                    html.Button(
                        [html.Kbd("Y"), words.text("desk.double.merge")],
                        type="button",
                        className="desk-button quiet",
                        **{"data-merge": one.id},
                    ),
                    html.Button(
                        words.text("desk.double.link"),
                        type="button",
                        className="desk-button quiet",
                        **{"data-link": one.id},
                    ),
                ],
                className="desk-line",
            ),
        ],
        **{"data-twin": one.id},
    )


def kin(one: Incident, numbers: Mapping[str, str], words: Words) -> list[Any]:
    """Return what the incident is part of, its parts and those it is linked to, each with the way there and out."""
    groups = (("whole", (one.merged_into,) if one.merged_into else ()), ("parts", one.merged), ("links", one.links))
    found: list[Any] = []
    for name, ids in groups:
        if ids:
            lines = [html.Li(relative(name, one.id, key, numbers.get(key, ""), words)) for key in ids]
            found += [html.H3(words.text(f"desk.kin.{name}", n=len(ids))), html.Ul(lines, className="desk-doubles")]
    return found


def relative(name: str, id: str, other: str, number: str, words: Words) -> html.Span:
    """Return the buttons of one relative: opening it, and taking it out or unlinking it."""
    away = {"data-unlink": other} if name == "links" else {"data-split": id if name == "whole" else other}
    return html.Span(
        [
            html.Button(
                number or words.text("desk.double.open"),
                type="button",
                className="desk-button",
                **{"data-other": other},
            ),
            html.Button(
                words.text("desk.kin.unlink" if name == "links" else "desk.kin.split"),
                type="button",
                className="desk-button quiet",
                **away,
            ),
        ],
        className="desk-line",
    )


def content(text: str, denied: str, words: Words) -> list[Any]:
    """Return the section of the text, or nothing where there is no text."""
    shown = html.P(denied, className="desk-denied") if denied else html.P(text, className="desk-text")
    return [html.H3(words.text("desk.drawer.text")), shown] if text or denied else []


def unread(identity: Identity, words: Words) -> str:
    """Return who may read the texts of an incident, to somebody who may not; nothing to who may."""
    if allowed(identity, "incident.text"):
        return ""
    readers = [known(words, "desk.role", role) for role in ROLES if role in POLICY["incident.text"]]
    role = known(words, "desk.role", identity.role)
    return words.text("desk.drawer.text_denied", role=role, readers=words.pick("、", ", ").join(readers))


def fact_parts(fact: Fact, words: Words) -> list[Any]:
    """Return one fact as term and description."""
    ago = [html.Time(**{"data-at": str(fact.at)})] if fact.at else []
    value: Any = fact.value
    if fact.grid:
        value = html.Button(fact.value, className="gridcard-link", type="button", **{"data-gridcard": fact.grid})
    return [html.Dt(words.text(f"desk.fact.{fact.name}")), html.Dd([value, *ago])]


def history_item(line: Line, names: Names, text: str) -> html.Li:
    """Return one line of the history; words already shown as the incident's `text` are not said again."""
    extra = [html.P(line.more, className="desk-history-more")] if line.more and line.more != text else []
    return html.Li(
        [html.Time(names.moment(line.at)), html.B(line.who), html.Span(line.what), *extra],
        className="desk-history-item",
    )


def look(commands: Any, names: Names, id: str) -> html.Div | html.P:
    """Return the details of an incident, or why they cannot be shown."""
    identity: Identity = commands.identity()
    try:
        dossier = commands.operations.dossier(identity, id)
    except OperationsError as error:
        return html.P(explain(error, names.words), className="desk-empty")
    lines, text = history(dossier.history, names), latest_text(dossier.history)
    denied, flows = unread(identity, names.words), commands.operations.loop.flows()
    same = commands.ask(same_as(id), "incident.read")
    return details(
        dossier.incident,
        text,
        lines,
        names,
        earlier=dossier.earlier,
        segment=dossier.segment,
        denied=denied,
        same=same,
        numbers=commands.ask(numbered(dossier.incident), "incident.read"),
        timed=clocks.section(dossier.incident, dossier.history, identity, names),
        loop=loop_shell.section(dossier.incident, flows, dossier.history, identity, names),
        attached=attachment_shell.section(commands.attachments, identity, id, names.words),
    )


def numbered(one: Incident) -> Callable[[Board], dict[str, str]]:
    """Return the question what the incident's relatives on the board are called."""
    wanted = (one.merged_into, *one.merged, *one.links)
    return lambda board: {key: board.incidents[key].number for key in wanted if key in board.incidents}


def same_as(id: str) -> Callable[[Board], list[Twin]]:
    """Return the question which open incidents may be one event with this one."""
    return lambda board: twins(board.incidents, id)


def register(app: Any, commands: Any) -> None:
    """Register opening an incident and carrying out a command."""
    words: Words = app.words

    def opened(asked: dict[str, Any] | None) -> Any:
        if not asked:
            raise PreventUpdate
        return look(commands, names_of(commands, words), str(asked.get("id", "")))

    def commanded(asked: dict[str, Any] | None) -> Any:
        if not asked:
            raise PreventUpdate
        told = perform(commands.operations, commands.identity(), names_of(commands, words), asked)
        if told.get("code") == Forbidden.code:
            commands.trail.note(audit.forbidden(commands.identity(), wanted(asked)))
        return told

    app.callback(Output(BODY, "children"), Input(OPEN, "data"), prevent_initial_call=True)(opened)
    app.callback(Output(ANSWER, "data"), Input(COMMAND, "data"), prevent_initial_call=True)(commanded)
    app.clientside_callback("dash_clientside.desk.answered", Output("desk-sink", "title"), Input(ANSWER, "data"))
    app.clientside_callback("dash_clientside.desk.detailed", Output("desk-sink", "lang"), Input(BODY, "children"))
