"""Calling named people for a warning 叫应: whom it concerns, one button, who has confirmed and who has not."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from config import clock, departments
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice
from operations.errors import OperationsError
from operations.orders.calling import MINUTES, MINUTES_MOST, Answered, Callee, standing
from operations.orders.order import Order, Recipient

PLACE, PEOPLE, TEXT, WITHIN, SEND, SAID, STATE = (
    *("warning-call", "warning-call-people", "warning-call-text", "warning-call-minutes", "warning-call-send"),
    *("warning-call-said", "warning-call-state"),
)
KEY = "warning-call-key"
SHOWN = 200
"""People offered; the rest are told by a call of their own, those on duty come first."""
MISSING_SHOWN = 40


def count(answered: Answered | None, words: Words) -> str:
    """Return how many have confirmed, "" where nobody was called."""
    return words.text("calls.count", n=answered.confirmed, m=answered.called) if answered else ""


def standing_of(answered: Answered | None, names: Mapping[str, str], words: Words) -> list[Any]:
    """Return how a call stands: how many have confirmed, and who has not."""
    if answered is None:
        return [html.P(words.text("calls.nobody"), className="desk-hint")]
    head = html.P(html.Strong(count(answered, words)))
    if not answered.missing:
        return [head, html.P(words.text("calls.all"), className="desk-hint")]
    lines = [html.Li(missing(one, names, words)) for one in answered.missing[:MISSING_SHOWN]]
    more = len(answered.missing) - len(lines)
    lines += [html.Li(words.text("calls.more", n=more))] if more > 0 else []
    return [head, html.P(words.text("calls.missing")), html.Ul(lines, className="call-missing")]


def missing(one: Recipient, names: Mapping[str, str], words: Words) -> str:
    """Return who has not confirmed, and how far it has come."""
    who = words.pick(" ", ", ").join(part for part in (one.name, names.get(one.id, "")) if part) or one.id
    return f"{who} · {words.text(f'orders.state.{one.state}')}"


def people(found: Sequence[Callee], words: Words) -> list[dict[str, str]]:
    """Return whom to choose from."""
    return [{"label": label(one, words), "value": one.id} for one in found[:SHOWN]]


def label(one: Callee, words: Words) -> str:
    """Return somebody as they are called here: post, name, department, and whether they are on duty."""
    known = departments.current().get(one.department)
    department = known.name(words.lang) if known else one.department
    parts = [part for part in (one.post, one.name, department) if part]
    return " · ".join([*parts, *([words.text("calls.on_duty")] if one.on_duty else [])])


def layout(words: Words) -> html.Div:
    """Return the empty place below what a warning says."""
    say = words.text
    minutes = dcc.Input(id=WITHIN, type="number", className="desk-input", value=MINUTES, min=1, max=MINUTES_MOST)
    text = dcc.Textarea(id=TEXT, className="desk-input call-text", value=say("calls.text"), maxLength=2_000)
    chosen = html.Details(
        [
            html.Summary(say("calls.people"), className="desk-button quiet"),
            dcc.Checklist([], [], id=PEOPLE, className="call-people"),
        ],
    )
    return html.Div(
        [
            html.H3(say("calls.title")),
            html.Div(id=STATE, **{"aria-live": "polite"}),
            html.Div(id=SAID, **{"aria-live": "polite"}),
            chosen,
            field(say("calls.said"), text),
            field(say("calls.within"), minutes),
            html.Button(say("calls.send", n=0), id=SEND, type="button", className="desk-button primary", disabled=True),
            dcc.Store(id=KEY),
        ],
        id=PLACE,
        className="warning-call",
        hidden=True,
    )


def register(app: Any, commands: Any, opened: str) -> None:
    """Register what happens when a warning is opened in the store `opened`, and calling."""
    words: Words = app.words

    def shown(asked: dict[str, Any] | None, _said: object) -> tuple[Any, ...]:
        if not asked:
            raise PreventUpdate
        id = str(asked.get("id", ""))
        try:
            found = commands.calls.proposed(commands.identity(), id, clock.now())
            answered = commands.ask(lambda board: standing(board.orders.values(), id), "order.read")
            ids = [one.id for one in answered.missing] if answered else []
            names = commands.calls.names(commands.identity(), ids[:MISSING_SHOWN])
        except OperationsError:
            return [], [], [], True, ""
        chosen = wanted(found, answered)
        return standing_of(answered, names, words), people(found, words), chosen, False, uuid4().hex

    def counted(chosen: list[str] | None) -> tuple[str, bool]:
        return words.text("calls.send", n=len(chosen or [])), not chosen

    def call(
        clicks: int | None,
        asked: dict[str, Any] | None,
        chosen: list[str] | None,
        text: str | None,
        minutes: int | None,
        key: str | None,
    ) -> Any:
        if not clicks or not asked:
            raise PreventUpdate

        def send() -> Order:
            sent: Order = commands.calls.call(
                commands.identity(),
                str(asked.get("id", "")),
                [str(one) for one in chosen or ()],
                text=str(text or ""),
                minutes=int(minutes or 0),
                key=str(key or ""),
                now=clock.now(),
            )
            return sent

        return told(send, words)

    state = Output(STATE, "children"), Output(PEOPLE, "options"), Output(PEOPLE, "value"), Output(PLACE, "hidden")
    app.callback(
        *state, Output(KEY, "data"), Input(opened, "data"), Input(SAID, "children"), prevent_initial_call=True
    )(shown)
    app.callback(Output(SEND, "children"), Output(SEND, "disabled"), Input(PEOPLE, "value"))(counted)
    filled = State(opened, "data"), State(PEOPLE, "value"), State(TEXT, "value"), State(WITHIN, "value")
    app.callback(
        Output(SAID, "children"), Input(SEND, "n_clicks"), *filled, State(KEY, "data"), prevent_initial_call=True
    )(call)


def wanted(found: Sequence[Callee], answered: Answered | None) -> list[str]:
    """Return who is ticked: at first all, then those who have not confirmed."""
    ids = [one.id for one in found[:SHOWN]]
    if answered is None:
        return ids
    waiting = {one.id.removeprefix("person:") for one in answered.missing}
    return [one for one in ids if one in waiting]


def told(send: Callable[[], Order], words: Words) -> html.Div:
    """Return that people were called, or why not."""
    try:
        order = send()
    except OperationsError as error:
        return notice("wrong", explain(error, words))
    return notice("good", words.text("calls.sent", n=len(order.recipients), number=order.number))
