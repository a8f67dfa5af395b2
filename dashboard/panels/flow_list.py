"""The flows 流程 of incidents, each drawn as a diagram: its steps, the moves between them, who may, what takes it.

Read from `config/flows` as it is now; what is wrong there is said first, with what stays in force.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dash import Input, Output, html

from config import flows as files
from config.flow import Flow, Move, Step
from config.flows import DEFAULT, Flows
from config.words import Words
from dashboard.names import Names, names_of
from dashboard.panels.admin_shell import notice, section
from operations.incident import STEPS
from operations.policy import POLICY, ROLES

BODY = "flow-body"
AGAIN = "flow-again"


@dataclass(frozen=True)
class Way:
    """One move out of a step: what it is called, where it leads, whether on or back, who may, what it needs."""

    name: str
    to: str
    back: bool
    who: str
    needs: str


@dataclass(frozen=True)
class Station:
    """One step of the diagram with its ways out; `short`: it may be closed from there at once."""

    number: int
    name: str
    kind: str
    ways: tuple[Way, ...]
    short: bool


# ---- data ------------------------------------------------------------------------------------------------------------


def rows(flow: Flow, words: Words) -> list[Station]:
    """Return the steps of a flow in order, each with its ways out."""
    return [
        Station(
            number,
            step.name(words.lang),
            words.text(f"common.step.{step.kind}"),
            tuple(way(flow, step, move, words) for move in flow.leaving(step.code)),
            step.code in flow.short,
        )
        for number, step in enumerate(flow.steps, 1)
    ]


def way(flow: Flow, step: Step, move: Move, words: Words) -> Way:
    """Return one move as the diagram tells it."""
    target = next(one for one in flow.steps if one.code == move.to)
    back = STEPS.index(target.kind) < STEPS.index(step.kind)
    needs = joined((words.text(f"flows.need.{one}") for one in move.needs), words)
    return Way(move.name(words.lang), target.name(words.lang), back, who(move, words), needs)


def who(move: Move, words: Words) -> str:
    """Return the roles that may make a move."""
    held = POLICY[f"incident.{move.action}"]
    return joined((words.text(f"policy.role.{role}") for role in ROLES if role in held), words)


def takes(flow: Flow, flows: Flows, names: Names) -> str:
    """Return which types take a flow."""
    if flow.code == DEFAULT:
        return names.words.text("flows.takes_rest")
    mine = [code for code in flow.types if flows.taking(code) == flow]
    return joined((names.type(code) for code in mine), names.words) or names.words.text("flows.takes_none")


def asked(flow: Flow, names: Names) -> str:
    """Return what is followed up."""
    words, rule = names.words, flow.follow_up
    if not rule.wanted:
        return words.text("flows.follow_none")
    always = joined((names.type(code) for code in rule.mandatory), words)
    told = [words.text("flows.follow_always", types=always)] if always else []
    return joined((*told, *([words.text("flows.follow_some", n=rule.sampled)] if rule.sampled else [])), words)


def joined(parts: Iterable[str], words: Words) -> str:
    """Return texts as a list in a sentence."""
    return words.pick("、", ", ").join(parts)


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the empty section."""
    again = html.Button(words.text("flows.again"), id=AGAIN, type="button", className="desk-button")
    head = html.Div([html.H1(words.text("page.flows")), again], className="admin-line")
    about = html.P(words.text("flows.about"), className="desk-hint")
    return section("flows", [head, about, html.Div(id=BODY)], first=True)


def drawn(flows: Flows, names: Names) -> list[Any]:
    """Return everything the page shows."""
    words = names.words
    first = flows.default
    others = [flow for flow in flows.by_code.values() if flow != first]
    wrong = [html.P(one) for one in flows.faults]
    said = [notice("wrong", [html.B(words.text("flows.faults")), *wrong])] if wrong else []
    return [*said, *(diagram(flow, flows, names) for flow in (first, *others))]


def diagram(flow: Flow, flows: Flows, names: Names) -> html.Article:
    """Return one flow: its head, then each step with its ways out."""
    words = names.words
    facts = [("takes", takes(flow, flows, names)), ("follow", asked(flow, names))]
    if flow.items:
        facts.append(("items", joined((one.name(words.lang) for one in flow.items), words)))
    if flow.evaluated:
        facts.append(("evaluated", words.text("flows.yes")))
    parts = [part for name, said in facts for part in (html.Dt(words.text(f"flows.{name}")), html.Dd(said))]
    return html.Article(
        [
            html.H2([flow.name(words.lang), html.Small(f"{flow.code}.toml")]),
            html.P(flow.about(words.lang)),
            html.Ol([station(one, words) for one in rows(flow, words)], className="flow-line"),
            html.Dl(parts, className="desk-facts"),
        ],
        className="flow",
        id=f"flow-{flow.code}",
    )


def station(one: Station, words: Words) -> html.Li:
    """Return one step of the diagram."""
    kind = [html.Small(one.kind)] if one.kind != one.name else []
    short = [html.P(words.text("flows.short"), className="flow-short")] if one.short else []
    return html.Li(
        [
            html.H3([html.Span(str(one.number), className="flow-number"), one.name, *kind]),
            html.Ul([path(each, words) for each in one.ways], className="flow-ways"),
            *short,
        ],
        className="flow-step",
    )


def path(one: Way, words: Words) -> html.Li:
    """Return one move of the diagram."""
    needs = [html.Small(words.text("flows.needs", needs=one.needs))] if one.needs else []
    return html.Li(
        [html.B(one.name), html.Span(one.to, className="flow-to"), html.Small(one.who), *needs],
        **{"data-back": str(one.back).lower()},
    )


def register(app: Any, commands: Any) -> None:
    """Register drawing the flows as they are in force."""
    words: Words = app.words
    current: Callable[[], Flows] = files.current

    def shown(_: int | None) -> list[Any]:
        return drawn(current(), names_of(commands, words))

    app.callback(Output(BODY, "children"), Input(AGAIN, "n_clicks"))(shown)
