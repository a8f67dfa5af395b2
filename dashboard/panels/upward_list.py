"""Reports to the level above 信息报送: what is due, drafting, signing, proof of sending, and the printed sheet 专报."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config import upward as rules
from config.words import Words
from dashboard.errand import explain
from dashboard.names import Names, names_of
from dashboard.panels.account_shell import when
from dashboard.panels.admin_shell import field, notice, section, table
from operations.errors import OperationsError
from operations.upward import CHANNELS, PARTS, TEXT_MOST, Report, Written

LIST, CHOSEN, BODY, TOLD, PULSE = ("upward-list", "upward-chosen", "upward-body", "upward-told", "upward-pulse")
HEADS = ("number", "kind", "incident", "grade", "due", "state", "act")
FIELDS = (*PARTS, "note", "channel", "to", "number")
MINUTE = 60_000_000


class Row(NamedTuple):
    """One report in the list; `late`: how it stands to its time: overdue, near, ahead, or "" once it is sent."""

    report: Report
    late: str


# ---- pure ------------------------------------------------------------------------------------------------------------


def rows(found: Sequence[Report], now: int) -> list[Row]:
    """Return the reports, in the order they came, with how each stands to its time."""
    return [Row(one, lateness(one, now)) for one in found]


def lateness(one: Report, now: int) -> str:
    """Return overdue, near, ahead, or "" for one that no longer waits."""
    if not one.waits:
        return ""
    return "overdue" if now >= one.due_at else "near" if now >= one.near_at else "ahead"


def left(one: Report, now: int, words: Words) -> str:
    """Return how long is left, or how much it is over, in minutes."""
    minutes = round(abs(one.due_at - now) / MINUTE)
    return words.text("upward.over" if now >= one.due_at else "upward.left", n=minutes)


def parts_of(one: Written, names: Names) -> list[tuple[str, str]]:
    """Return heading and text of what the sheet says: the incident's facts, then what was written."""
    incident, say = one.incident, names.words.text
    place = " · ".join(part for part in (names.chain(incident.chain), incident.address) if part)
    facts = [
        (say("upward.sheet.what"), incident.title or names.type(incident.type)),
        (say("upward.sheet.type"), names.type(incident.type)),
        (say("upward.sheet.when"), names.moment(incident.occurred_at)),
        (say("upward.sheet.where"), place),
        (say("upward.sheet.grade"), say(f"upward.grade.{one.report.grade}") if one.report.grade else "—"),
        (say("upward.sheet.lead"), names.department(incident.department)),
    ]
    written = [(say(f"upward.part.{name}"), one.words.get(name, "")) for name in PARTS]
    return [*facts, *((head, text) for head, text in written if text)]


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the empty page."""
    return section(
        "upward",
        [
            html.H1(words.text("page.upward"), className="screen-only"),
            html.P(words.text("upward.about"), className="desk-hint screen-only"),
            html.Div(id=TOLD, className="screen-only", **{"aria-live": "polite"}),
            html.Div(id=LIST, className="screen-only"),
            html.Div(id=BODY, className="upward-body"),
            dcc.Store(id=CHOSEN),
            dcc.Store(id=PULSE, data=0),
        ],
        first=True,
    )


def listing(found: Sequence[Row], now: int, words: Words) -> Any:
    """Return the table, or that nothing is to be reported."""
    if not found:
        return html.P(words.text("upward.none"), className="desk-empty")
    return table([words.text(f"upward.head.{name}") for name in HEADS], [line(one, now, words) for one in found])


def line(row: Row, now: int, words: Words) -> list[Any]:
    """Return the cells of one report."""
    one = row.report
    due = f"{when(one.due_at, words)} · {left(one, now, words)}" if row.late else when(one.sent_at, words)
    return [
        html.Code(one.number),
        words.text(f"upward.kind.{one.kind}"),
        one.incident_number,
        words.text(f"upward.grade.{one.grade}") if one.grade else "—",
        html.Span(due, className=f"upward-due {row.late}".strip()),
        words.text(f"upward.state.{one.state}"),
        button("open", one.id, words),
    ]


def sheet(one: Written, names: Names, city: str) -> html.Article:
    """Return the one-page report 专报 as it is printed."""
    words, report = names.words, one.report
    to = words.pick(rules.current().zh, rules.current().en)
    lines = [part for head, text in parts_of(one, names) for part in (html.Dt(head), html.Dd(text))]
    signed = (
        f"{report.signed_by} {names.moment(report.signed_at)}" if report.signed_at else words.text("upward.unsigned")
    )
    sent = ""
    if report.sent_at and report.proof:
        channel = words.text(f"upward.channel.{report.proof.channel}")
        took = one.words.get("to", "")
        sent = " · ".join(part for part in (names.moment(report.sent_at), channel, took, report.proof.number) if part)
    foot = [html.P(words.text("upward.sheet.signed", who=signed))]
    foot += [html.P(words.text("upward.sheet.sent", how=sent))] if sent else []
    return html.Article(
        [
            html.Header(
                [
                    html.P(f"{city} · {report.number}"),
                    html.H2(words.text("upward.sheet.title", kind=words.text(f"upward.kind.{report.kind}"))),
                    html.P(words.text("upward.sheet.to", to=to)),
                ]
            ),
            html.Dl(lines),
            html.Footer(foot),
        ],
        className="upward-sheet",
    )


def forms(one: Written, words: Words, *, may_write: bool, may_sign: bool, outlet: str = "") -> list[Any]:
    """Return what can be done about a report now, by whoever looks."""
    report, found = one.report, []
    if one.words.get("note") and report.state == "returned":
        found.append(notice("wrong", words.text("upward.sent_back", note=one.words["note"])))
    if may_sign and report.state == "draft":
        acts = [button("sign", report.id, words, "primary"), button("back", report.id, words)]
        found.append(
            html.Div([field(words.text("upward.note"), area("note", "", words)), *acts], className="admin-stack")
        )
    if may_write and report.state in ("due", "draft", "returned"):
        areas = [field(words.text(f"upward.part.{name}"), area(name, one.words.get(name, ""), words)) for name in PARTS]
        found.append(html.Div([*areas, button("write", report.id, words, "primary")], className="admin-stack"))
    if report.state == "sending":
        way = "dead" if one.way == "dead" else "waiting"
        found.append(notice("wrong" if way == "dead" else "good", words.text(f"upward.way.{way}")))
    if may_write and report.state == "signed" and outlet:
        found.append(html.Div(button("send", report.id, words, "primary"), className="admin-stack"))
    if may_write and report.state in ("signed", "sending"):
        options = [{"label": words.text(f"upward.channel.{name}"), "value": name} for name in CHANNELS]
        how = dcc.Dropdown(options, CHANNELS[0], id={"upward-field": "channel"}, clearable=False)
        entries = [field(words.text("upward.channel_head"), how)]
        entries += [field(words.text(f"upward.{name}"), entry(name)) for name in ("to", "number")]
        found.append(html.Div([*entries, button("sent", report.id, words, "primary")], className="admin-form"))
    return found


def area(name: str, value: str, words: Words) -> dcc.Textarea:
    """Return a field of several lines."""
    return dcc.Textarea(
        id={"upward-field": name},
        value=value,
        maxLength=TEXT_MOST,
        className="desk-input",
        placeholder=words.text(f"upward.hint.{name}"),
    )


def entry(name: str) -> dcc.Input:
    """Return a field of one line."""
    return dcc.Input(id={"upward-field": name}, type="text", value="", maxLength=80, className="desk-input")


def button(act: str, id: str, words: Words, looks: str = "") -> html.Button:
    """Return the button of an act on a report."""
    said = words.text(f"upward.act.{act}")
    names = f"desk-button {looks}".strip()
    return html.Button(said, id={"upward-act": act, "id": id}, type="button", className=names, n_clicks=0)


def drawn(commands: Any, chosen: str, words: Words) -> list[Any]:
    """Return the chosen report with what can be done about it; nothing where none is chosen."""
    if not chosen:
        return []
    try:
        one: Written = commands.reports.written(commands.identity(), chosen)
    except OperationsError as error:
        return [notice("wrong", explain(error, words))]
    names = names_of(commands, words)
    may = {f"may_{name}": commands.allowed(f"upward.{name}") for name in ("write", "sign")}
    possible = forms(one, words, **may, outlet=commands.reports.outlet)
    printed = html.Button(words.text("upward.act.print"), type="button", className="desk-button", **{"data-print": ""})
    return [
        html.Div([*possible, printed], className="screen-only admin-stack"),
        sheet(one, names, words.city.name),
    ]


def done(commands: Any, act: str, seen: tuple[str, int], typed: Mapping[str, str], words: Words) -> Any:
    """Carry an act out on a report as it was `seen` (id, revision); return what is said. Raises OperationsError."""
    who, reports = commands.identity(), commands.reports
    if act == "write":
        after = reports.write(who, *seen, {name: typed.get(name, "") for name in PARTS})
    elif act == "sign":
        after = reports.sign(who, *seen)
    elif act == "back":
        after = reports.send_back(who, *seen, typed.get("note", ""))
    elif act == "send":
        after = reports.send(who, *seen)
    elif act == "sent":
        proof = {name: typed.get(name, "") for name in ("to", "number")}
        after = reports.sent(who, *seen, typed.get("channel", ""), **proof)
    else:
        raise PreventUpdate
    return notice("good", words.text(f"upward.done.{act}", number=after.number))


def register(app: Any, commands: Any) -> None:
    """Register listing, choosing and what is done about a report."""
    words: Words = app.words

    def listed(*_: object) -> Any:
        now = clock.now()
        return listing(rows(commands.reports.listed(commands.identity()), now), now, words)

    def shown(chosen: dict[str, Any] | None, _pulse: int) -> list[Any]:
        return drawn(commands, str((chosen or {}).get("id", "")), words)

    def act(clicks: list[int | None], chosen: dict[str, Any] | None, values: list[str | None], pulse: int) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        name, id = str(ctx.triggered_id["upward-act"]), str(ctx.triggered_id["id"])
        if name == "open":
            return {"id": id, "revision": revision(commands, id)}, no_update, no_update
        typed = {one["id"]["upward-field"]: str(one.get("value") or "") for one in ctx.states_list[1]}
        try:
            told = done(commands, name, (id, int((chosen or {}).get("revision", 0))), typed, words)
        except OperationsError as error:
            return no_update, notice("wrong", explain(error, words)), no_update
        return {"id": id, "revision": revision(commands, id)}, told, pulse + 1

    app.callback(Output(LIST, "children"), Input(PULSE, "data"))(listed)
    app.callback(Output(BODY, "children"), Input(CHOSEN, "data"), Input(PULSE, "data"))(shown)
    states = State(CHOSEN, "data"), State({"upward-field": ALL}, "value"), State(PULSE, "data")
    outputs = Output(CHOSEN, "data"), Output(TOLD, "children"), Output(PULSE, "data")
    app.callback(*outputs, Input({"upward-act": ALL, "id": ALL}, "n_clicks"), *states, prevent_initial_call=True)(act)


def revision(commands: Any, id: str) -> int:
    """Return the revision of a report as whoever asks sees it now; 0 when they see none."""
    try:
        return int(commands.reports.written(commands.identity(), id).report.revision)
    except OperationsError:
        return 0
