"""The loop 闭环 in the drawer: where an incident stands in its flow, its strike-off list, and what can be done now.

What can be done follows from the flow, the incident and who asks; the browser (`assets/desk/loop.js`) makes the buttons
and the form of it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dash import html

from config.flow import Flow
from config.flows import Flows
from config.words import Words
from dashboard.names import Names
from operations.entry import Entry
from operations.incident import STEPS, Incident
from operations.incidents import flow as flowing
from operations.incidents import moves, overlay
from operations.policy import Identity, allowed


@dataclass(frozen=True)
class Choice:
    """One thing that can be done: the command, the move's code, what it is called, what it needs; `way`: on or back."""

    action: str
    label: str
    code: str = ""
    needs: tuple[str, ...] = ()
    way: str = ""


# ---- data ------------------------------------------------------------------------------------------------------------


def choices(one: Incident, flows: Flows, identity: Identity, words: Words) -> list[Choice]:
    """Return what somebody may do to an incident now: the moves of its flow, then what leaves the step alone."""
    own = flowing.of(flows, one)
    made = [
        Choice("move", move.name(words.lang), move.code, move.needs, way(own, one, move.to))
        for move in moves.possible(own, one)
        if allowed(identity, f"incident.{move.action}")
    ]
    beside = [
        Choice(action, words.text(f"loop.action.{action}"), needs=needs)
        for action, right, needs in besides(own, one)
        if allowed(identity, f"incident.{right}")
    ]
    return made + beside


def way(flow: Flow, one: Incident, to: str) -> str:
    """Return whether a move goes on or back."""
    target = flow.step(to)
    return "back" if target is not None and STEPS.index(target.kind) < STEPS.index(one.step) else "on"


def besides(flow: Flow, one: Incident) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Return (command, right, needs) of what can be done now beside the moves."""
    if one.merged_into:
        return
    if flow.evaluated and not one.evaluation and one.step in ("reply", "review", "follow_up", "closed"):
        yield "evaluate", "evaluate", ("satisfaction",)
    if not one.is_open:
        return
    if one.suspended_at is not None:
        yield "resume", "move", ()
    else:
        yield "transfer", "transfer", ("department", "text")
        yield "suspend", "move", ("text",)
    if one.extension == "asked":
        yield "extend", "approve", ()
        yield "refuse", "approve", ("text",)
    else:
        yield "ask", "ask", ("hours", "text")
    yield "grade", "grade", ("grade",)
    if flow.items or one.items:
        yield "item", "handle", ("text",)
    if STEPS.index(one.step) < STEPS.index("handle") and one.suspended_at is None:
        yield "flow", "move", ("flow",)


def texts_of_items(history: Sequence[Entry]) -> dict[str, str]:
    """Return {code: text} of the items that were added by hand, as far as their reader may see them."""
    added = [entry for entry in history if entry.action == "incident.item_added"]
    return {entry.reason: str(((entry.body or {}).get("words") or {}).get("note") or "") for entry in added}


# ---- looks -----------------------------------------------------------------------------------------------------------


def progress(one: Incident, flow: Flow, names: Names) -> html.Div:
    """Return the steps of the flow in a line, with where the incident stands and since when."""
    words, here = names.words, flowing.standing(flow, one)
    at = flow.steps.index(here)
    steps = [
        html.Li(
            [html.Span(step.name(words.lang)), *([html.Time(**{"data-at": str(since(one))})] if step == here else [])],
            className="loop-step",
            **{"data-state": "done" if number < at else "here" if number == at else "ahead"},
            **({"aria-current": "step"} if number == at else {}),
        )
        for number, step in enumerate(flow.steps)
    ]
    marks = [html.Li(said, className="loop-mark") for said in beside(one, flow, words)]
    return html.Div(
        [
            html.H3([words.text("loop.title"), html.Small(flow.name(words.lang))]),
            html.Ol(steps, className="loop-line"),
            *([html.Ul(marks, className="loop-marks")] if marks else []),
        ],
        className="loop",
    )


def since(one: Incident) -> int:
    """Return since when it stands where it stands."""
    return one.moved_at or one.reopened_at or one.opened_at


def beside(one: Incident, flow: Flow, words: Words) -> list[str]:
    """Return what is to be known beside the step: held, extension, grade, returns, follow-up due, satisfaction."""
    say = words.text
    told = [
        (one.suspended_at is not None, say("loop.mark.suspended")),
        (bool(one.grade), one.grade and say(f"loop.grade.{one.grade}")),
        (bool(one.extension), one.extension and say(f"loop.extension.{one.extension}", n=hours(one))),
        (one.returns > 0, say("loop.mark.returns", n=one.returns)),
        (one.is_open and flowing.follow_up_due(flow, one), say("loop.mark.follow_up_due")),
        (bool(one.follow_up), one.follow_up and say(f"loop.follow_up.{one.follow_up}")),
        (one.satisfaction > 0, say("loop.mark.satisfaction", n=one.satisfaction)),
        (one.evaluation > 0, say("loop.mark.evaluation", n=one.evaluation)),
    ]
    return [said for holds, said in told if holds]


def hours(one: Incident) -> str:
    """Return the hours of an extension."""
    return f"{one.extension_minutes / 60:g}"


def checklist(one: Incident, flow: Flow, texts: dict[str, str], names: Names, *, may: bool) -> list[Any]:
    """Return the strike-off list with a button for each item, or nothing where there is none."""
    items, words = overlay.listed(flow, one), names.words
    if not items:
        return []
    called = {item.code: item.name(words.lang) for item in flow.items} | texts
    left = sum(item.struck_at is None for item in items)
    lines = []
    for item in items:
        struck = item.struck_at is not None
        button = html.Button(
            words.text("loop.unstrike" if struck else "loop.strike"),
            type="button",
            className="desk-button quiet" if struck else "desk-button",
            **{"data-strike": item.code, "data-back": str(struck).lower()},
        )
        said = called.get(item.code) or words.text("loop.item", n=item.code)
        by = [html.Small(f"{item.struck_by} {names.moment(item.struck_at)}")] if item.struck_at is not None else []
        line = [html.Span(said), *by, *([button] if may and one.is_open else [])]
        lines.append(html.Li(line, **{"data-struck": str(struck).lower()}))
    head = html.H3([words.text("loop.list"), html.Small(words.text("loop.left", n=left, all=len(items)))])
    return [head, html.Ul(lines, className="loop-items")]


def section(one: Incident, flows: Flows, history: Sequence[Entry], identity: Identity, names: Names) -> html.Div:
    """Return the loop of an open drawer."""
    own = flowing.of(flows, one)
    found = [asdict(choice) for choice in choices(one, flows, identity, names.words)]
    others = [[flow.code, flow.name(names.words.lang)] for flow in flows.by_code.values() if flow != own]
    may = allowed(identity, "incident.handle")
    return html.Div(
        [
            progress(one, own, names),
            html.Div(id="loop-buttons", className="desk-actions"),
            *checklist(one, own, texts_of_items(history), names, may=may),
        ],
        id="desk-loop",
        **{"data-choices": json.dumps(found, ensure_ascii=False), "data-flows": json.dumps(others, ensure_ascii=False)},
    )
