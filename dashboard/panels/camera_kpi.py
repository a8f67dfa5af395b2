"""Rates of cameras on the wall 视频在线率、完好率: a strip under the figures, as of the last sample.

It stands only where the board knows of cameras: not with an empty catalogue, nor for a scope whose rates nobody counts.
"""

from datetime import datetime
from typing import Any, NamedTuple

from dash import html

from config.words import Words
from dashboard.panels.grant_shell import parties, viewing
from dashboard.panels.shell import SECOND, age
from operations.board import Board
from operations.cameras.rates import TARGET, Rate, intact, online

PLACE = "wall-camera-kpi"
STALE_SECONDS = 30 * 60
PACE = 1.0


class Row(NamedTuple):
    """One rate, and whether it reaches its target: met, missed or none."""

    name: str
    rate: Rate
    met: str


def rows(board: Board, now: int) -> list[Row]:
    """Return online and intact rate; none where no camera was counted."""
    whole = board.sampled.whole
    if not whole.registered:
        return []
    both = (("online", online(whole)), ("intact", intact(whole)))
    return [Row(name, rate, {True: "met", False: "missed", None: "none"}[rate.met(TARGET)]) for name, rate in both]


def layout(words: Words) -> html.Section:
    """Return the strip, away until there is something to tell."""
    name = words.text("rates.wall.title")
    return html.Section([], id=PLACE, className="camera-kpi", **{"data-state": "empty", "aria-label": name})


def cell(one: Row, words: Words) -> html.P:
    """Return a rate with of how many, and against its target by shape, word and colour."""
    rate = one.rate
    share = "—" if rate.percent is None else f"{int(rate.percent * 10) / 10:.1f} %"
    return html.P(
        [
            html.Span(words.text(f"rates.wall.{one.name}"), className="kpi-name"),
            html.B(share),
            html.Span(f"{rate.numerator:,} / {rate.denominator:,}", className="kpi-of"),
            html.Span(
                words.text(f"rates.wall.{one.met}", n=f"{TARGET:.0f}"), className="rate-met", **{"data-met": one.met}
            ),
        ]
    )


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return both rates, what is told beside them, and as of when."""
    found = rows(board, now)
    if not found:
        return {PLACE: {"children": [], "data-state": "empty"}}
    whole = board.sampled.whole
    beside = words.text(
        "rates.wall.beside", unknown=f"{whole.unknown:,}", planned=f"{whole.planned:,}", judged=f"{whole.judged:,}"
    )
    at = datetime.fromtimestamp(board.sampled.at / SECOND, words.city.zone).strftime("%H:%M")
    as_of = [words.text("rates.wall.as_of", at=at), " ", age(board.sampled.at, limit=STALE_SECONDS)]
    children = [
        *(cell(one, words) for one in found),
        access(board, now, words) or html.P(beside, className="kpi-beside cut"),
        html.P(as_of, className="kpi-as-of"),
    ]
    return {PLACE: {"children": children, "data-state": ""}}


def access(board: Board, now: int, words: Words) -> html.P | None:
    """Return video access in one line, or the glass that was broken: loud; None while there is neither."""
    found = viewing(board, now)
    if found.broken:
        key, newest = found.broken[0]
        said = words.text("grants.short.broken", n=len(found.broken), who=parties(newest, words), number=newest.number)
        return html.P(said, className="kpi-broken cut", **{"data-warning": key, "data-heard": str(newest.from_at)})
    if not found.waiting and not found.granted and found.median_s is None:
        return None
    told: list[Any] = [words.text("grants.short.waiting", n=found.waiting)]
    told += [" (", age(found.since), ")"] if found.waiting else []
    told.append(words.text("grants.short.granted", n=found.granted))
    if found.granted:
        told += [" (", html.Time(className="kpi-left", **{"data-at": str(found.ends), "data-way": "due"}), ")"]
    if found.median_s is not None:
        told.append(words.text("grants.short.median", n=f"{found.median_s / 60:.1f}"))
    return html.P(told, className="kpi-access")
