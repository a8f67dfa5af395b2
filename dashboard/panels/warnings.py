"""Warnings 预警 over the map: the gravest in full, the next ones on one line, the rest counted; no room when none.

The map outlines what they cover (`assets/map/warnings.js` reads `data-outline`), `assets/alarm.js` sounds new red and
orange ones once. What walls do not show, and why, stands in docs/warnings.md.
"""

from collections.abc import Sequence
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.shell import age
from dashboard.panels.warning_shell import Row, area, looks, named, outline, row, texts, until
from operations.board import Board
from operations.warning import in_force

LIST = "wall-warnings"
OTHERS = 2
"""Warnings that are named on the line under the one in full."""


def rows(board: Board, now: int, lang: str) -> list[Row]:
    """Return the warnings that walls show, the gravest first; one that came by two sources once."""
    found: dict[tuple[str, str], Row] = {}
    for one in in_force(board.warnings.values(), now):
        if one.on_walls:
            found.setdefault((one.sender, one.identifier), row(one, lang))
    return list(found.values())


def layout(words: Words) -> html.Div:
    """Return the empty place over the map; `data-words` is what the browser says of many areas."""
    return html.Div(id=LIST, className="warnings", role="status", **outline([]), **texts(words))


def item(one: Row, words: Words, now: int) -> html.Div:
    """Return one warning in full."""
    told = [html.Span(one.issuer, className="warning-issuer cut"), area(one)]
    told.append(html.Span([age(one.sent), words.text("wall.header.ago")], className="warning-age"))
    lines = [
        html.P(
            [*named(one, words), html.Span(until(one, words, now), className="warning-until")], className="warning-head"
        )
    ]
    lines += [html.P(one.headline, className="warning-headline cut")] if one.headline else []
    lines.append(html.P(told, className="warning-line"))
    return html.Div(lines, key=one.id, className=looks(one), **heard(one))


def others(found: Sequence[Row], words: Words) -> html.Div:
    """Return the line of those that are not told in full: some by name, the rest by number."""
    shown: list[Any] = [
        html.Span(named(one, words), key=one.id, className=looks(one), **heard(one)) for one in found[:OTHERS]
    ]
    more = len(found) - len(shown)
    if more:
        shown.append(html.Span(words.text("warning.more", n=more), key="more", className="warning-more"))
    return html.Div(shown, key="others", className="warning-others")


def heard(one: Row) -> dict[str, str]:
    """Return what the alarm needs of a warning; of one that makes no sound, nothing."""
    return {"data-warning": one.id, "data-heard": str(one.heard_at)} if one.sounds else {}


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the warnings in force."""
    found = rows(board, now, words.lang)
    shown = [item(one, words, now) for one in found[:1]]
    shown += [others(found[1:], words)] if found[1:] else []
    return {LIST: {"children": shown, **outline(found)}}
