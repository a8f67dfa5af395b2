"""Rates of cameras 在线率、完好率: now and over time, by owner, town, class, vendor, of how many, against targets."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from config import departments
from config.words import Words
from dashboard.errand import explain
from dashboard.panels.admin_shell import field, notice, section, table
from dashboard.ratebook import HOURS, Found, Line
from operations.cameras.rates import BY, WHOLE, Rate, intact, online, target
from operations.errors import OperationsError

TAB = "cameras-tab-health"
LIST, SUMMARY, AXIS, SPAN, LOOK, SAVE, FILE = (
    f"rates-{one}" for one in ("list", "sum", "by", "hours", "look", "save", "file")
)
HEADS = ("group", "online", "intact", "target", "unknown", "planned", "judged", "online_over", "intact_over")
SHEET = (
    *("by", "group", "online", "online_of", "online_percent", "intact", "intact_of", "intact_percent", "target", "met"),
    *("unknown", "planned", "judged", "online_over", "intact_over", "hours_over", "known", "as_of"),
)
SHOWN = 200
SECOND = 1_000_000


# ---- pure ------------------------------------------------------------------------------------------------------------


def percent(rate: Rate) -> str:
    """Return a share that is rounded down, so that what misses its target never reads as if it reached it."""
    return "—" if rate.percent is None else f"{int(rate.percent * 10) / 10:.1f} %"


def met(rate: Rate, goal: float) -> str:
    """Return whether a target is reached: met, missed or none."""
    return {True: "met", False: "missed", None: "none"}[rate.met(goal)]


def named(one: Line, place: Any, words: Words) -> str:
    """Return what a group is called."""
    if one.axis == WHOLE:
        return words.text("rates.whole")
    if one.axis == "class":
        return words.text(f"camerapage.class.{one.name}")
    if not one.name:
        return words.text("rates.untold")
    if one.axis == "town":
        return str(place(one.name))
    known = departments.current().get(one.name) if one.axis == "owner" else None
    return known.name(words.lang) if known else one.name


def against(rate: Rate, goal: float, words: Words) -> html.Div:
    """Return a rate with numerator and denominator, and by shape, word and colour whether it reaches its target."""
    word = met(rate, goal)
    mark = html.Span(words.text(f"rates.{word}"), className="rate-met", **{"data-met": word})
    of = html.Span(f"{rate.numerator:,.0f} / {rate.denominator:,.0f}", className="desk-hint")
    return html.Div([html.B(percent(rate)), of, mark], className="rate")


def over(rate: Rate | None, words: Words) -> Any:
    """Return a rate over time in camera-hours; what was not sampled says so."""
    if rate is None:
        return html.Span(words.text("rates.not_sampled"), className="desk-hint")
    of = words.text("rates.hours", n=f"{rate.numerator:,.0f}", of=f"{rate.denominator:,.0f}")
    return html.Div([html.B(percent(rate)), html.Span(of, className="desk-hint")], className="rate")


def cells(one: Line, place: Any, words: Words) -> list[Any]:
    """Return the line of a group."""
    told, goal = one.tally, target(one.axis, one.name)
    name = html.Strong(words.text("rates.whole")) if one.axis == WHOLE else named(one, place, words)
    rates = [against(rate, goal, words) for rate in (online(told), intact(told))]
    counts = [f"{n:,}" for n in (told.unknown, told.planned, told.judged)]
    later = [over(one.over.online, words), over(one.over.intact, words)] if one.over else [over(None, words)] * 2
    return [name, *rates, f"{goal:.0f} %", *counts, *later]


def values(one: Line, found: Found, place: Any, words: Words) -> list[object]:
    """Return the line of a group in a file."""
    told, goal = one.tally, target(one.axis, one.name)
    by = words.text(f"rates.by.{one.axis}") if one.axis != WHOLE else ""
    later = [percent(one.over.online), percent(one.over.intact), round(one.over.online.denominator)] if one.over else []
    return [
        *(by, named(one, place, words)),
        *(told.reached, told.counted, percent(online(told)), told.intact, told.counted, percent(intact(told))),
        *(f"{goal:.0f} %", words.text(f"rates.{met(intact(told), goal)}"), told.unknown, told.planned, told.judged),
        *(later or ["", "", ""]),
        *(f"{found.period.known:.1f} / {found.period.hours:.0f}", when(found.as_of, words)),
    ]


def when(at: int, words: Words) -> str:
    """Return a time as the city's date and time of day."""
    return datetime.fromtimestamp(at / SECOND, words.city.zone).strftime("%Y-%m-%d %H:%M")


def summary(found: Found, words: Words) -> Any:
    """Return the cut-off, and of how much of the period samples know."""
    known, hours = f"{found.period.known:,.1f}", f"{found.period.hours:,.0f}"
    said = words.text("rates.as_of", at=when(found.as_of, words)), words.text("rates.known", known=known, hours=hours)
    return [html.P(one, className="desk-hint") for one in said]


def unticketed(waiting: Mapping[str, int], words: Words) -> list[Any]:
    """Return whose cameras' faults have lasted and have no ticket yet; nothing where all have one."""
    if not waiting:
        return []
    known = {code: one.name(words.lang) for code, one in departments.current().items()}
    most_first = sorted(waiting.items(), key=lambda one: (-one[1], one[0]))
    nobody = words.text("rates.untold")
    told = [words.text("rates.unticketed_of", who=known.get(code, nobody), n=n) for code, n in most_first]
    return [notice("note", words.text("rates.unticketed", n=sum(waiting.values()), of=" · ".join(told)))]


# ---- looks -----------------------------------------------------------------------------------------------------------


def layout(words: Words) -> html.Section:
    """Return the section; it asks when its tab is opened."""
    say = words.text
    by = [{"value": one, "label": say(f"rates.by.{one}")} for one in BY]
    spans = [{"value": one, "label": say(f"rates.span.{one}")} for one in HOURS]
    choices = [
        field(say("rates.group"), dcc.Dropdown(by, BY[0], id=AXIS, clearable=False, searchable=False)),
        field(say("rates.period"), dcc.Dropdown(spans, HOURS[0], id=SPAN, clearable=False, searchable=False)),
    ]
    for one in choices:
        one.children[1].className = "admin-choice"
    buttons = [
        html.Button(say(f"rates.{name}"), id=id, type="button", className="desk-button")
        for name, id in (("look", LOOK), ("save", SAVE))
    ]
    head = html.Div([*choices, *buttons, dcc.Download(id=FILE)], className="admin-line")
    about = html.P(say("rates.about"), className="desk-hint")
    return section("health", [html.H2(say("rates.title")), about, head, html.Div(id=SUMMARY), html.Div(id=LIST)])


def answer(commands: Any, words: Words, axis: str, hours: int) -> tuple[Any, Any]:
    """Return summary and table; a refusal is said in the table's place."""
    try:
        found = commands.rates.look(hours if hours in HOURS else HOURS[0])
    except OperationsError as error:
        return [], notice("wrong", explain(error, words))
    lines = found.lines(axis if axis in BY else BY[0])
    made = [cells(one, commands.rates.place, words) for one in lines[:SHOWN]]
    heads = [words.text(f"rates.head.{name}") for name in HEADS]
    more = words.text("rates.more", n=f"{len(lines) - SHOWN:,}") if len(lines) > SHOWN else ""
    listed = table(heads, made, empty=words.text("rates.nothing"))
    said = [*summary(found, words), *unticketed(commands.rates.waiting(), words)]
    return said, [listed, html.P(more, className="desk-hint")]


def register(app: Any, commands: Any) -> None:
    """Register what the tab asks."""
    words: Words = app.words

    def looked(opened: int | None, again: int | None, axis: str, hours: int) -> tuple[Any, Any]:
        if not (opened or again):
            raise PreventUpdate
        return answer(commands, words, axis, hours)

    def saved(clicks: int | None, hours: int) -> dict[str, Any]:
        if not clicks:
            raise PreventUpdate

        def line(one: Line, found: Found) -> list[object]:
            return values(one, found, commands.rates.place, words)

        heads = [words.text(f"rates.head.{name}") for name in SHEET]
        try:
            body = commands.rates.sheet(hours if hours in HOURS else HOURS[0], heads, line)
        except OperationsError as error:
            raise PreventUpdate from error
        content = base64.b64encode(body).decode()
        name = f"{words.text('rates.title')}.csv"
        return {"filename": name, "type": "text/csv", "base64": True, "content": content}

    asked = Input(TAB, "n_clicks"), Input(LOOK, "n_clicks"), Input(AXIS, "value"), Input(SPAN, "value")
    app.callback(Output(SUMMARY, "children"), Output(LIST, "children"), *asked, prevent_initial_call=True)(looked)
    app.callback(Output(FILE, "data"), Input(SAVE, "n_clicks"), State(SPAN, "value"), prevent_initial_call=True)(saved)
