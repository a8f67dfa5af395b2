"""Hand-overs 交接班: who is on duty, the open list both sign, and what changed since; beside it the duty log."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import ALL, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from config import clock
from config.words import Words
from dashboard.errand import explain
from dashboard.history import known
from dashboard.names import Names, names_of
from dashboard.panels import dutylog_shell as log
from dashboard.panels.account_shell import scope_said, when
from dashboard.panels.admin_shell import field, notice, section, table
from operations.errors import OperationsError
from operations.handover import TEXT_MOST, Handover, Shown
from operations.openlist import KEPT_MOST, Item, OpenList, Since, made, since
from operations.policy import Identity
from operations.shiftwork import Shift

DUTY, LIST, CHOSEN, BODY, TOLD, PULSE = (
    "handover-duty", "handover-list", "handover-chosen", "handover-body", "handover-told", "handover-pulse",
)  # fmt: skip
HEADS = ("what", "title", "why", "since", "due")
NAMED_MOST = 6
COMPARED_MOST = 20_000


class Row(NamedTuple):
    """One hand-over in the list and whose turn it is: mine (go on drafting, wait), take (one may take it), or ""."""

    handover: Handover
    turn: str


# ---- pure ------------------------------------------------------------------------------------------------------------


def rows(found: Sequence[Handover], identity: Identity, *, may_write: bool) -> list[Row]:
    """Return the hand-overs, in the order they came, with whose turn each is."""
    return [Row(one, turn(one, identity, may_write=may_write)) for one in found]


def turn(one: Handover, identity: Identity, *, may_write: bool) -> str:
    """Return mine, take, or "" for one that neither is one's own nor can be taken over now."""
    if not (one.waits and may_write):
        return ""
    if one.from_id == identity.id:
        return "mine"
    return "take" if one.state == "signed" else ""


def free(found: Sequence[Handover], identity: Identity) -> bool:
    """Say whether nothing of one's own jurisdiction waits, so that one can be opened."""
    mine = (identity.scope.grid, identity.scope.department)
    return not any(one.waits and (one.grid, one.department) == mine for one in found)


def cells(one: Item, names: Names) -> list[str]:
    """Return the cells of one open thing: what, title, why, since, due."""
    words = names.words
    what = " ".join(part for part in (words.text(f"handover.kind.{one.kind}"), one.number) if part)
    title = " · ".join(part for part in (one.title, names.department(one.department) if one.department else "") if part)
    times = [when(at, words) if at else "—" for at in (one.since, one.due)]
    return [what, title or (names.type(one.type) if one.type else one.id), why(one, words), *times]


def why(one: Item, words: Words) -> str:
    """Return why a thing is on the list; of an order with how many of how many recipients."""
    said = []
    for code in one.why:
        name = known(words, "upward.state" if one.kind == "report" and code != "overdue" else "handover.why", code)
        said.append(f"{name} {one.figures[code]}/{one.figures['of']}" if code in one.figures else name)
    return words.text("handover.and").join(said)


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the empty page."""
    head = html.Div(
        [
            html.H1(words.text("page.handover")),
            plain("refresh", words),
            html.Button(words.text("handover.act.print"), type="button", className="desk-button", **{"data-print": ""}),
        ],
        className="admin-line screen-only",
    )
    over = html.Div(
        [
            html.H2(words.text("handover.head")),
            html.P(words.text("handover.about"), className="desk-hint screen-only"),
            html.Div(id=TOLD, className="screen-only", **{"aria-live": "polite"}),
            html.Div(id=LIST, className="screen-only"),
            html.Div(id=BODY, className="handover-body"),
        ],
        className="handover-part",
    )
    stores = [dcc.Store(id=CHOSEN), dcc.Store(id=PULSE, data=0)]
    parts = html.Div([over, log.layout(words)], className="handover-parts")
    return section("handover", [head, html.Div(id=DUTY, className="handover-duty"), parts, *stores], first=True)


def on_duty(shift: Shift, names: Names) -> list[Any]:
    """Return since when the shift runs, how that is known, and who is on duty, who leads it first."""
    words = names.words
    begun = words.text(f"handover.basis.{shift.basis}", at=when(shift.since, words))
    if not shift.people:
        return [html.Span(begun), html.Span(words.text("handover.nobody"), className="desk-hint")]
    said = [f"{names.department(one.department)} {one.post} {one.name}" for one in shift.people]
    leading = sum(one.leads for one in shift.people)
    shown = said[: max(1, min(leading or NAMED_MOST, NAMED_MOST))]
    first = html.Span(
        [html.B(words.text("handover.on_duty")), "、".join(shown) if words.lang == "zh" else ", ".join(shown)]
    )
    rest = said[len(shown) :]
    if not rest:
        return [html.Span(begun), first]
    more = html.Summary(words.text("handover.others", n=len(rest)))
    return [
        html.Span(begun),
        first,
        html.Details([more, html.Ul([html.Li(one) for one in rest])], className="screen-only"),
    ]


def listing(found: Sequence[Row], names: Names, *, may_begin: bool) -> list[Any]:
    """Return the way to open one, and the table of those there are."""
    words = names.words
    begin = html.Div(
        [plain("begin", words, "primary"), html.Span(words.text("handover.begin_hint"), className="desk-hint")]
    )
    begin.className = "admin-line"
    heads = [words.text(f"handover.column.{name}") for name in ("number", "scope", "state", "from", "to", "act")]
    lines = [line(one, names) for one in found]
    waiting = [one for one in found if one.turn == "take"]
    called = [notice("note", words.text("handover.waits", who=one.handover.from_name)) for one in waiting]
    return [*called, *([begin] if may_begin else []), table(heads, lines, empty=words.text("handover.none"))]


def line(row: Row, names: Names) -> list[Any]:
    """Return the cells of one hand-over."""
    one, words = row.handover, names.words
    gone = " ".join(part for part in (one.from_name, when(one.signed_at, words) if one.signed_at else "") if part)
    come = f"{one.to_name} {when(one.taken_at, words)}" if one.to_name else "—"
    scope = scope_said(one.scope, names.grids, words)
    return [
        html.Code(one.number),
        scope,
        words.text(f"handover.state.{one.state}"),
        gone,
        come,
        button("open", one, words),
    ]


def sheet(one: Shown, changed: Since | None, names: Names) -> html.Article:
    """Return a hand-over as it was signed, with what changed since beside it; so it is printed too."""
    words, over, kept = names.words, one.handover, one.kept
    head = html.H3(f"{over.number} · {scope_said(over.scope, names.grids, words)}")
    if kept is None:
        return html.Article([head, notice("wrong", words.text("handover.key_gone")), *signatures(one, words)])
    body: list[Any] = [head, html.P(words.text("handover.made", at=when(kept.list.at, words), n=kept.list.open))]
    if not one.intact:
        body.append(notice("wrong", words.text("handover.not_as_signed")))
    if kept.list.left_out:
        body.append(notice("note", words.text("handover.left_out", n=kept.list.left_out, most=KEPT_MOST)))
    body += [items(kept.list, names), *differences(changed, names)]
    for name, text in (("remarks", kept.remarks), ("points", kept.points)):
        if text:
            body += [html.H4(words.text(f"handover.{name}")), html.P(text, className="handover-text")]
    if kept.talk:
        said = [html.Li([html.B(f"{each.by} {when(each.at, words)}"), f" {each.text}"]) for each in kept.talk]
        body += [html.H4(words.text("handover.talk")), html.Ul(said)]
    return html.Article([*body, *signatures(one, words)], className="handover-sheet")


def items(listed: OpenList, names: Names) -> Any:
    """Return the table of what stands open."""
    words = names.words
    heads = [words.text(f"handover.column.{name}") for name in HEADS]
    return table(heads, [cells(one, names) for one in listed.items], empty=words.text("handover.clear"))


def differences(changed: Since | None, names: Names) -> list[Any]:
    """Return what is otherwise now than when the list was made; None: nobody compared."""
    if changed is None:
        return []
    words = names.words
    head = html.H4(words.text("handover.since"))
    groups = (("new", changed.new), ("gone", changed.gone), ("changed", [after for _, after in changed.changed]))
    if not any(found for _, found in groups):
        return [head, html.P(words.text("handover.unchanged"), className="desk-hint")]
    lines = [[words.text(f"handover.change.{name}"), *cells(one, names)[:3]] for name, found in groups for one in found]
    heads = [words.text(f"handover.column.{name}") for name in ("change", "what", "title", "why")]
    return [head, html.Div(table(heads, lines), className="handover-since")]


def signatures(one: Shown, words: Words) -> list[Any]:
    """Return who signed when, and the digest both signed."""
    over = one.handover
    lines = [words.text("handover.signed_from", who=over.from_name, at=when(over.signed_at, words))]
    if over.to_name:
        lines.append(words.text("handover.signed_to", who=over.to_name, at=when(over.taken_at, words)))
    if over.state == "withdrawn":
        lines.append(words.text("handover.withdrawn_at", who=over.ended_by, at=when(over.ended_at, words)))
    if over.digest:
        lines.append(words.text("handover.digest", digest=over.digest[:16]))
    return [html.Footer([html.P(text) for text in lines])]


def forms(one: Shown, identity: Identity, words: Words) -> list[Any]:
    """Return what whoever looks can do about a hand-over now."""
    over, kept = one.handover, one.kept
    if kept is None or not over.waits:
        return []
    found: list[Any] = []
    if over.from_id == identity.id and over.state in ("open", "asked"):
        texts = [("remarks", kept.remarks), ("points", kept.points)]
        texts += [("answer", "")] if over.state == "asked" else []
        found += [field(words.text(f"handover.{name}"), area(name, text, words)) for name, text in texts]
        found.append(acts(("sign", "relist", "withdraw"), over, words))
    elif over.from_id == identity.id:
        found += [notice("note", words.text("handover.wait")), acts(("withdraw",), over, words)]
    elif over.state == "signed":
        found += [field(words.text("handover.remark"), area("remark", "", words)), acts(("take", "ask"), over, words)]
    else:
        found.append(notice("note", words.text(f"handover.not_yet.{over.state}", who=over.from_name)))
    if over.from_id != identity.id and identity.role == "duty_commander":
        found.append(acts(("withdraw",), over, words))
    return [html.Div(found, className="admin-stack screen-only")]


def acts(names: Sequence[str], one: Handover, words: Words) -> html.Div:
    """Return buttons in a line, the first one the foremost."""
    first = names[0] if names[0] in ("sign", "take") else ""
    buttons = [button(name, one, words, "primary" if name == first else "") for name in names]
    return html.Div(buttons, className="admin-line")


def area(name: str, value: str, words: Words) -> dcc.Textarea:
    """Return a field of several lines."""
    hint = words.text(f"handover.hint.{name}")
    id = {"handover-field": name}
    return dcc.Textarea(id=id, value=value, maxLength=TEXT_MOST, className="desk-input", placeholder=hint)


def button(act: str, one: Handover, words: Words, looks: str = "") -> html.Button:
    """Return the button of an act on a hand-over as it is shown."""
    id = {"handover-act": act, "id": one.id, "revision": one.revision}
    said = words.text(f"handover.act.{act}")
    return html.Button(said, id=id, type="button", className=f"desk-button {looks}".strip(), n_clicks=0)


def plain(act: str, words: Words, looks: str = "") -> html.Button:
    """Return the button of an act that is about no hand-over."""
    id = {"handover-act": act, "id": "", "revision": 0}
    said = words.text(f"handover.act.{act}")
    return html.Button(said, id=id, type="button", className=f"desk-button {looks}".strip(), n_clicks=0)


# ---- asking ----------------------------------------------------------------------------------------------------------


def standing(commands: Any, over: Handover | None = None, most: int = KEPT_MOST) -> OpenList:
    """Return what stands open now in a hand-over's jurisdiction, or in that of whoever asks."""
    who, now = commands.identity(), clock.now()
    scope = who.scope if over is None else over.scope
    reports = [one for one in commands.reports.listed(who) if scope.covers(tuple(one.path.split("/")), one.department)]
    found: OpenList = commands.ask(lambda board: made(board, scope, reports, now, most), "handover.read")
    return found


def drawn(commands: Any, chosen: str, words: Words) -> list[Any]:
    """Return the chosen hand-over with what can be done about it; nothing where none is chosen."""
    if not chosen:
        return []
    try:
        one: Shown = commands.shifts.handovers.shown(commands.identity(), chosen)
        changed = None
        if one.handover.waits and one.kept is not None:
            changed = since(one.kept.list, standing(commands, one.handover, COMPARED_MOST))
    except OperationsError as error:
        return [notice("wrong", explain(error, words))]
    may = commands.allowed("handover.write")
    return [*(forms(one, commands.identity(), words) if may else []), sheet(one, changed, names_of(commands, words))]


def done(commands: Any, act: str, seen: tuple[str, int], typed: dict[str, str], words: Words) -> tuple[str, Any]:
    """Carry an act out on a hand-over as it was `seen` (id, revision); return its id and what is said.

    Raises OperationsError.
    """
    who, overs = commands.identity(), commands.shifts.handovers
    texts = typed.get("remarks", ""), typed.get("points", "")
    if act == "begin":
        after = overs.begin(who, standing(commands))
    elif act == "relist":
        after = overs.keep(who, *seen, *texts, standing(commands))
    elif act == "sign":
        after = overs.sign(who, *seen, *texts, typed.get("answer", ""))
    elif act == "ask":
        after = overs.ask(who, *seen, typed.get("remark", ""))
    elif act == "take":
        after = overs.take(who, *seen, typed.get("remark", ""))
    elif act == "withdraw":
        after = overs.withdraw(who, *seen)
    else:
        raise PreventUpdate
    return after.id, notice("good", words.text(f"handover.done.{act}", number=after.number))


def register(app: Any, commands: Any) -> None:
    """Register the list, choosing, and what is done about a hand-over; and the duty log's own."""
    words: Words = app.words

    def listed(*_: object) -> tuple[Any, Any]:
        who = commands.identity()
        names, found = names_of(commands, words), commands.shifts.handovers.listed(who)
        may = commands.allowed("handover.write")
        lines = rows(found, who, may_write=may)
        return listing(lines, names, may_begin=may and free(found, who)), on_duty(commands.shifts.running(), names)

    def shown(chosen: str | None, _pulse: int) -> list[Any]:
        return drawn(commands, chosen if chosen is not None else waiting(), words)

    def waiting() -> str:
        found = commands.shifts.handovers.listed(commands.identity())
        return next((one.id for one in found if one.waits), "")

    def act(clicks: list[int | None], values: list[str | None], pulse: int) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or not ctx.triggered[0]["value"]:
            raise PreventUpdate
        asked = ctx.triggered_id
        name, seen = str(asked["handover-act"]), (str(asked["id"]), int(asked["revision"]))
        if name == "open":
            return seen[0], "", pulse
        if name == "refresh":
            return no_update, "", pulse + 1
        typed = {one["id"]["handover-field"]: str(one.get("value") or "") for one in ctx.states_list[0]}
        try:
            id, told = done(commands, name, seen, typed, words)
        except OperationsError as error:
            return no_update, notice("wrong", explain(error, words)), no_update
        return id, told, pulse + 1

    app.callback(Output(LIST, "children"), Output(DUTY, "children"), Input(PULSE, "data"))(listed)
    app.callback(Output(BODY, "children"), Input(CHOSEN, "data"), Input(PULSE, "data"))(shown)
    states = State({"handover-field": ALL}, "value"), State(PULSE, "data")
    outputs = Output(CHOSEN, "data"), Output(TOLD, "children"), Output(PULSE, "data")
    pressed = Input({"handover-act": ALL, "id": ALL, "revision": ALL}, "n_clicks")
    app.callback(*outputs, pressed, *states, prevent_initial_call=True)(act)
    log.register(app, commands)
