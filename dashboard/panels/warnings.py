"""Warnings 预警 over the map: the gravest in full, the next ones on a line each, the rest counted; no room when none.

The map outlines what they cover (`assets/map/warnings.js` reads `data-outline`), `assets/alarm.js` sounds new red and
orange ones once. What walls do not show, and why, stands in docs/warnings.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from dash import html

from config.words import Words
from dashboard.panels.shell import SECOND, age
from operations.board import Board
from operations.warning import WarningState, in_force

LIST = "wall-warnings"
LINES = 2
"""Warnings on a line each, under the one in full."""


@dataclass(frozen=True)
class Row:
    """One warning; times in microseconds, `codes` are the grids it covers."""

    id: str
    level: str
    exercise: bool
    event: str
    headline: str
    issuer: str
    area: str
    codes: tuple[str, ...]
    starts: int
    ends: int
    assumed: bool
    sent: int
    heard_at: int
    sounds: bool


def rows(board: Board, now: int, lang: str) -> list[Row]:
    """Return the warnings that walls show, the gravest first; one that came by two sources once."""
    found: dict[tuple[str, str], Row] = {}
    for one in in_force(board.warnings.values(), now):
        if one.on_walls:
            found.setdefault((one.sender, one.identifier), row(one, lang))
    return list(found.values())


def row(one: WarningState, lang: str) -> Row:
    """Return the row of one warning."""
    said = one.words(lang)
    return Row(
        id=one.id,
        level=one.level,
        exercise=not one.real,
        event=said.event,
        headline=said.headline if said.headline != said.event else "",
        issuer=said.issuer,
        area=said.area,
        codes=one.codes,
        starts=one.onset or one.effective,
        ends=one.expires,
        assumed=one.assumed_end,
        sent=one.sent,
        heard_at=one.received_at,
        sounds=one.sounds,
    )


def layout(words: Words) -> html.Div:
    """Return the empty place over the map; `data-words` is what the browser says of many areas."""
    texts = {"data-words": orjson.dumps(words.under("warning.area")).decode()}
    return html.Div(id=LIST, className="warnings", role="status", **outline([]), **texts)


def outline(found: Sequence[Row]) -> dict[str, str]:
    """Return what the map outlines: level, codes and whether it is an exercise, the least grave first."""
    told = [{"level": one.level or "none", "codes": one.codes, "exercise": one.exercise} for one in reversed(found)]
    return {"data-outline": orjson.dumps(told).decode()}


def item(one: Row, words: Words, now: int, *, whole: bool) -> html.Div:
    """Return one warning, in full or on a line."""
    head = [mark(one.level), html.B(level(one.level, words), className="warning-level")]
    head += [html.B(words.text("warning.exercise"), className="warning-exercise")] if one.exercise else []
    head += [html.Strong(one.event, className="warning-event cut")]
    head += [html.Span(until(one, words, now), className="warning-until")]
    lines = [html.P(head, className="warning-head")]
    if whole:
        lines += [html.P(one.headline, className="warning-headline cut")] if one.headline else []
        told = [html.Span(one.issuer, className="warning-issuer cut"), area(one)]
        told.append(html.Span([age(one.sent), words.text("wall.header.ago")], className="warning-age"))
        lines.append(html.P(told, className="warning-line"))
    classes = ["warning", f"warning-{one.level or 'none'}"]
    classes += ["is-exercise"] if one.exercise else []
    classes += [] if whole else ["is-line"]
    return html.Div(lines, key=one.id, className=" ".join(classes), **heard(one))


def heard(one: Row) -> dict[str, str]:
    """Return what the alarm needs of a warning; of one that makes no sound, nothing."""
    return {"data-warning": one.id, "data-heard": str(one.heard_at)} if one.sounds else {}


def mark(level: str) -> html.Span:
    """Return the level's shape: eight, six, five and four corners for red, orange, yellow and blue."""
    return html.Span(className=f"warning-mark warning-mark-{level or 'none'}", **{"aria-hidden": "true"})


def level(level: str, words: Words) -> str:
    """Return the level in words."""
    return words.text(f"warning.level.{level or 'none'}")


def area(one: Row) -> html.Span:
    """Return the area: the browser fills in the names of the grids; until then, and without any, the issuer's words."""
    return html.Span(
        className="warning-area cut",
        **{"data-codes": " ".join(code or "*" for code in one.codes), "data-fallback": one.area},
    )


def until(one: Row, words: Words, now: int) -> str:
    """Return from when until when it holds, in the city's time; an assumed end says so."""
    key = "warning.until_assumed" if one.assumed else "warning.until"
    ends = moment(one.ends, words, now)
    if one.starts > now:
        return words.text("warning.from_until", start=moment(one.starts, words, now), end=ends)
    return words.text(key, end=ends)


def moment(at: int, words: Words, now: int) -> str:
    """Return a time of day, with its date when that is not today's."""
    told, today = (datetime.fromtimestamp(one / SECOND, UTC).astimezone(words.city.zone) for one in (at, now))
    return told.strftime("%H:%M" if told.date() == today.date() else "%m-%d %H:%M")


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the warnings in force."""
    found = rows(board, now, words.lang)
    shown: list[Any] = [item(one, words, now, whole=not at) for at, one in enumerate(found[: LINES + 1])]
    more = len(found) - len(shown)
    if more:
        shown.append(html.P(words.text("warning.more", n=more), key="more", className="warning-more"))
    return {LIST: {"children": shown, **outline(found)}}
