"""How the card of a grid 网格卡 looks, on the desk and on the page of grids."""

from typing import Any

from dash import html

from config.words import Words
from dashboard.gridcard import Facts, Step
from dashboard.moment import shown_moment
from geo.grid import GENERAL, Grid
from geo.heat import RATE
from operations.duties import Duty


def card(found: Facts, words: Words) -> html.Article:
    """Return the whole card."""
    say = words.text
    grid = found.grid
    above = " › ".join(one.name for one in found.chain)
    head = [html.H2(grid.name), html.P(f"{above} · {grid.code}" if above else grid.code, className="desk-hint")]
    return html.Article(
        [
            *head,
            html.Dl([part for name, value in rows(found, words) for part in (html.Dt(name), html.Dd(value))]),
            html.H3(say("card.duties")),
            duties(found.card.duties, words),
            *over(found.over, words),
            html.H3(say("card.history")),
            html.Ol([step(one, words) for one in found.steps], className="gridcard-steps"),
        ],
        className="gridcard",
        **{"data-code": grid.code},
    )


def rows(found: Facts, words: Words) -> list[tuple[str, str]]:
    """Return the facts by their names."""
    say = words.text
    people = say("card.unknown") if found.population is None else f"{found.population:,}"
    households = say("card.unknown") if found.card.households is None else f"{found.card.households:,}"
    told = [
        ("kind", say(f"card.kind.{found.grid.kind}")),
        ("population", people),
        ("households", households),
        ("area", f"{found.km2:,.3f} km²"),
    ]
    if found.grid.kind == GENERAL and found.open is not None and found.received is not None:
        parts = [f"{say(f'common.urgency.{name}')} {n:,}" for name, n in reversed(found.open.items())]
        told += [
            ("open", f"{sum(found.open.values()):,}" + words.pick("（{}）", " ({})").format(" · ".join(parts))),
            ("received", say("card.received", day=f"{found.received['24h']:,}", week=f"{found.received['7d']:,}")),
            ("heat", heat(found, words)),
        ]
    return [(say(f"card.fact.{name}"), value) for name, value in told]


def heat(found: Facts, words: Words) -> str:
    """Return the figure of 24 hours with what it is over."""
    one = found.heat
    if one is None:
        return "—"
    if one.basis == RATE:
        return words.text("card.heat.rate", value=f"{one.value:,.1f}", people=f"{one.population:,}")
    return words.text(f"card.heat.{one.basis}", value=f"{one.count:,}")


def duties(found: tuple[Duty, ...], words: Words) -> Any:
    """Return who is on duty, post by post."""
    if not found:
        return html.P(words.text("card.no_duties"), className="desk-hint")
    heads = [html.Th(words.text(f"card.head.{name}"), scope="col") for name in ("role", "name", "phone")]
    lines = [
        html.Tr([html.Td(words.text(f"card.role.{one.role}")), html.Td(one.name), html.Td(one.phone)]) for one in found
    ]
    return html.Table([html.Thead(html.Tr(heads)), html.Tbody(lines)], className="admin-table")


def over(found: tuple[Grid, ...], words: Words) -> list[Any]:
    """Return the dedicated and micro-grids that lie over a grid."""
    if not found:
        return []
    told = [html.Li(f"{words.text(f'card.kind.{one.kind}')} · {one.name} {one.code}") for one in found]
    return [html.H3(words.text("card.over")), html.Ul(told, className="gridcard-steps")]


def step(one: Step, words: Words) -> html.Li:
    """Return one step of the history."""
    told = words.pick("、", ", ").join(words.text(f"card.step.{change}") for change in one.changes)
    return html.Li(
        [html.Time(shown_moment(one.since, words.city.zone)), f" {words.text('card.version', n=one.version)} · {told}"]
    )
