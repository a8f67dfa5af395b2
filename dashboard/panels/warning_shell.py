"""How a warning 预警 looks on every page: its row, shape, level in words, area, time; and what the map outlines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from dash import html

from config.words import Words
from dashboard.panels.shell import SECOND
from operations.warning import WarningState


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


def outline(found: Sequence[Row]) -> dict[str, str]:
    """Return what the map outlines: level, codes and whether it is an exercise, the least grave first."""
    told = [{"level": one.level or "none", "codes": one.codes, "exercise": one.exercise} for one in reversed(found)]
    return {"data-outline": orjson.dumps(told).decode()}


def named(one: Row, words: Words) -> list[Any]:
    """Return shape, level and event."""
    exercise = [html.B(words.text("warning.exercise"), className="warning-exercise")] if one.exercise else []
    said = html.B(level(one.level, words), className="warning-level")
    return [mark(one.level), said, *exercise, html.Strong(one.event, className="warning-event cut")]


def looks(one: Row) -> str:
    """Return the classes of a warning."""
    return f"warning warning-{one.level or 'none'}" + (" is-exercise" if one.exercise else "")


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


def texts(words: Words) -> dict[str, str]:
    """Return what the browser says of many areas."""
    return {"data-words": orjson.dumps(words.under("warning.area")).decode()}
