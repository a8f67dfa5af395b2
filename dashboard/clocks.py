"""Clocks 时限 in words: what each is called, how it stands, and an age that the browser keeps counting to its end."""

from collections.abc import Sequence
from typing import Any

from dash import html

from config.words import Words
from dashboard.names import Names
from operations.entry import Entry
from operations.incident import Incident
from operations.incidents.supervision import unexplained
from operations.policy import Identity, allowed
from operations.ticking import NEAR, OVERDUE, Clock, pressing

SECOND = 1_000_000
SPANS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


def standing(clock: Clock) -> str:
    """Return how a clock stands, by what it has said: met | missed | paused | overdue | near | running."""
    if clock.done_at is not None:
        return "met" if clock.done_at <= clock.due_at else "missed"
    if clock.paused_at is not None:
        return "paused"
    return "overdue" if clock.told >= OVERDUE else "near" if clock.told == NEAR else "running"


def span(seconds: float, words: Words) -> str:
    """Return a length in its largest unit, as the browser says ages."""
    unit, size = next((one for one in SPANS if seconds >= one[1]), SPANS[-1])
    return words.text(f"common.ago.{unit}", n=int(max(0, seconds) // size))


def left(clock: Clock, words: Words) -> Any:
    """Return what is left of it or how much it is over; the browser goes on counting where it runs."""
    if clock.runs:
        return html.Time(className="clock-left", **{"data-at": str(clock.due_at), "data-way": "due"})
    ended = clock.done_at if clock.done_at is not None else clock.paused_at or clock.due_at
    over = (ended - clock.due_at) / SECOND
    if clock.done_at is None:
        return html.Span(words.text("live.over" if over > 0 else "live.left", time=span(abs(over), words)))
    return html.Span(words.text("live.over", time=span(over, words)) if over > 0 else "", className="clock-left")


def section(one: Incident, history: Sequence[Entry], identity: Identity, names: Names) -> list[Any]:
    """Return the drawer's section of an incident's clocks, with supervision, cards and why they were late."""
    words = names.words
    if not one.clocks:
        return []
    first = pressing(one.clocks)
    asked = unexplained(one) if allowed(identity, "incident.explain") else []
    rows = [row(each, names, pressing=each is first, ask=each.name in asked) for each in one.clocks]
    told = [explanation(entry, names) for entry in history if entry.action == "incident.explained"]
    late = [html.H4(words.text("clock.late.title")), html.Ul(told, className="late-reasons")] if told else []
    title = html.H3([words.text("clock.title"), *marks(one, words)])
    buttons = acts(one, words) if allowed(identity, "incident.supervise") else []
    return [title, html.Ul(rows, className="clocks", id="desk-clocks"), *buttons, *late]


def marks(one: Incident, words: Words) -> list[Any]:
    """Return that it is under supervision, and its card."""
    found: list[Any] = []
    if one.supervised_at:
        found.append(html.Span(words.text("clock.supervised"), className="desk-supervised"))
    if one.card:
        card = words.text(f"clock.card.{one.card}")
        found.append(html.Span(card, className="desk-card", **{"data-card": one.card}))
    return found


def acts(one: Incident, words: Words) -> list[Any]:
    """Return the buttons of supervision; `assets/desk/clocks.js` hears them."""
    if not one.is_open:
        return []
    names = ["unsupervise" if one.supervised_at else "supervise"]
    names += [card for card in ("yellow", "red") if card != one.card] + (["none"] if one.card else [])
    buttons = [
        html.Button(
            words.text(f"clock.act.{name}"), type="button", className="desk-button quiet", **{"data-clock-act": name}
        )
        for name in names
    ]
    return [html.Div(buttons, className="desk-line")]


def explanation(entry: Entry, names: Names) -> html.Li:
    """Return why one clock was late, in the words of whoever said so."""
    body, words = entry.body or {}, names.words
    clock = words.text(f"clock.name.{body['clock']}") if body.get("clock") else ""
    note = str((body.get("words") or {}).get("note") or "")
    parts = [html.B(clock), html.Span(words.text(f"clock.reason.{entry.reason}"))]
    told = f"{names.actor(entry.actor)} · {names.moment(entry.at)[:-3]}"
    return html.Li([*parts, *([html.Span(note)] if note else []), html.Span(told, className="clock-due")])


def row(clock: Clock, names: Names, *, pressing: bool = False, ask: bool = False) -> html.Li:
    """Return one clock: its name, how it stands in words, when it is due, what is left or over."""
    words, stands = names.words, standing(clock)
    due = words.text("clock.due", at=names.moment(clock.due_at)[:-3])
    return html.Li(
        [
            html.B(words.text(f"clock.name.{clock.name}"), className="clock-name"),
            html.Span(words.text(f"clock.state.{stands}"), className="clock-state"),
            html.Span(due, className="clock-due"),
            left(clock, words),
            *([why(clock, words)] if ask else []),
        ],
        className="clock",
        **{"data-state": stands, "data-pressing": "true" if pressing else "false"},
    )


def why(clock: Clock, words: Words) -> html.Button:
    """Return the button that asks why a clock is late."""
    label = words.text("clock.late.ask")
    return html.Button(label, type="button", className="desk-button quiet", **{"data-clock-late": clock.name})


def said(entry: Entry, names: Names) -> str:
    """Return what an entry says of a clock."""
    words, body = names.words, entry.body or {}
    stage = entry.action.partition(".")[2]
    clock = words.text(f"clock.name.{body['clock']}") if body.get("clock") else ""
    roles = words.pick("、", ", ").join(words.text(f"desk.role.{role}") for role in body.get("tells", ()))
    given = {"level": body.get("level", 0), "order": body.get("order", "")}
    told = words.text(f"clock.said.{stage}", clock=clock, roles=roles, **given)
    if body.get("card"):
        told += words.text("clock.said.card", card=words.text(f"clock.card.{body['card']}"))
    late = body.get("late_s", 0)
    return told + (words.text("clock.said.late", time=span(late, words)) if late >= LATE_SAID else "")


LATE_SAID = 30
"""Seconds after which an entry says that it comes late."""


def pressing_of(clocks: Sequence[Clock]) -> tuple[object, ...]:
    """Return the most pressing clock as the browser knows it: name, due time, how it stands; () where none is left."""
    one = pressing(clocks)
    if one is None:
        paused = next((clock for clock in clocks if clock.done_at is None), None)
        return () if paused is None else (paused.name, 0, "paused")
    return one.name, one.due_at, standing(one)
