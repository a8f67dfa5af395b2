"""The header 页眉 of the wall: city, badges, age of the data, clock, sound, and the call to the duty commander.

The clock and the sound button live in the browser (`assets/alarm.js`); the call is drawn over the map.
"""

from dataclasses import dataclass
from typing import Any

from dash import html

from config.words import Words
from dashboard import jurisdiction
from dashboard.panels.shell import age, area, dropped, length, place, replayed, title_of, titled
from operations.board import Board

AS_OF = "wall-as-of"
CALL = "wall-call"
REPLAY = "wall-replay"
SCOPE = "wall-scope"
RULE = "wall-rule"
OUTAGES = "wall-outages"

AS_OF_LIMIT = 60
"""Seconds after which the picture counts as stale (standards, section 7)."""


TITLE_WIDTHS = {"zh": (38, 90), "en": (34, 80)}
"""Half characters of the call that fit on one line, and on two that are smaller; the rest has three."""


@dataclass(frozen=True)
class Call:
    """A 特急 incident nobody has acknowledged, escalated to the duty commander 值班长."""

    title: str | None
    number: str
    town: str
    grid: str
    address: str
    opened_at: int
    more: int


def rows(board: Board, now: int) -> list[Call]:
    """Return the oldest call that waits, if any; `more` counts the others."""
    waiting = sorted(
        (one for one in board.incidents.values() if one.is_open and one.escalated_at and not one.acknowledged_at),
        key=lambda one: (one.opened_at, one.id),
    )
    if not waiting:
        return []
    first = waiting[0]
    town = area(first.chain)
    return [Call(title_of(first), first.number, town, first.grid, first.address, first.opened_at, len(waiting) - 1)]


def layout(words: Words) -> html.Div:
    """Return the header and the empty place of the call; the clock runs in the city's time zone."""
    badges = [html.Span(words.city.name, className="badge badge-city")] if words.city.name else []
    if words.city.demo:
        badges.append(html.Span(words.text("wall.header.demo"), className="badge badge-demo"))
    badges.append(html.Span(words.text("wall.header.replay"), id=REPLAY, className="badge badge-demo", hidden=True))
    badges += [html.Div(id=id, className="absent", hidden=True) for id in (SCOPE, RULE)]
    badges.append(html.Span(id=OUTAGES, className="badge badge-outage cut", role="status", hidden=True))
    zone = str(words.city.zone)
    head = html.Header(
        [
            html.H1(words.text("common.product"), className="product"),
            *badges,
            html.Button(
                words.text("wall.header.sound_blocked"), id="wall-sound", className="sound", hidden=True, type="button"
            ),
            html.Div(
                [
                    html.Span([words.text("wall.header.as_of"), " "]),
                    html.B(age(0, limit=AS_OF_LIMIT, class_name="as-of", id=AS_OF, **{"data-moment": "as_of"})),
                    html.Span([" ", words.text("wall.header.ago")], className="as-of-ago"),
                    html.Span("", className="backlog cut", **{"data-backlog": ""}),
                ],
                className="data-age",
            ),
            html.Span(className="date", **{"data-clock": "date", "data-zone": zone}),
            html.Span(className="clock", **{"data-clock": "time", "data-zone": zone}),
        ],
        id="wall-header",
        className="wall-header",
    )
    return html.Div([head, html.Div(id=CALL, className="call", role="alert")], className="wall-head")


def call(found: list[Call], words: Words) -> list[Any]:
    """Return what the call says, or nothing."""
    titles = [words.text("wall.header.call", title=titled(one.title, words)) for one in found]
    return [
        html.Div(
            [
                html.Span(className="mark mark-critical", **{"aria-hidden": "true"}),
                html.Strong(title, className="call-title cut"),
                html.Div(
                    [
                        place(one.town, one.grid, one.address or words.text("wall.unplaced.label")),
                        html.Span([words.text("wall.header.call_waiting"), " ", age(one.opened_at)]),
                        html.Span(words.text("wall.header.call_more", n=one.more) if one.more else ""),
                    ],
                    className="call-line",
                ),
            ],
            className=f"call-box {length(title, TITLE_WIDTHS[words.lang])}".strip(),
        )
        for one, title in zip(found, titles, strict=True)
    ]


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the call; the moment the picture stands for is a gauge of the hub."""
    where = jurisdiction.named(board.scope, words)
    return {
        CALL: {"children": call(rows(board, now), words)},
        REPLAY: {"hidden": not replayed(board, now)},
        SCOPE: absent(words.text("jurisdiction.wall"), where),
        OUTAGES: dropped(board, words),
        RULE: absent(words.text("jurisdiction.rule"), words.text("jurisdiction.rule_what") if rule(board) else ""),
    }


def rule(board: Board) -> bool:
    """Say whether a rule keeps some types off this wall; whether any of them is there now is not told."""
    return any(board.scope.hidden)


def absent(head: str, what: str) -> dict[str, Any]:
    """Return the props of a note in two lines on what this wall does not show; nothing to say, no note."""
    said = [html.Span(head, className="absent-head"), html.Span(what, className="absent-what cut")]
    return {"hidden": not what, "children": said if what else [], "title": f"{head} {what}" if what else ""}
