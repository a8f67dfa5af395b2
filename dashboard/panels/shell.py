"""The frame round every wall panel (栏): title, note, body, and its looks when it is empty, failed or forbidden.

`data-state` of the section chooses the look: "" (normal), "empty" or "forbidden"; the browser marks one that the server
could not draw (`data-failed`). A stale picture is no state of one panel: the root element says so (`data-link`).
"""

from typing import Any
from unicodedata import east_asian_width

from dash import html

from config.words import Words
from dashboard import jurisdiction
from operations.board import HOUR, Board
from operations.incident import WITHHELD, Incident

SECOND = 1_000_000
"""Microseconds."""


def shell(name: str, words: Words, body: list[Any], note: object = "") -> html.Section:
    """Return the section `wall-NAME` with its title, `body` and texts for every state; `note` stands by the title."""
    return html.Section(
        [
            html.Header(
                [
                    html.H2(words.text(f"wall.{name}.title"), className="panel-title cut"),
                    html.P(note, id=f"wall-{name}-note", className="panel-note cut"),
                ],
                className="panel-head",
            ),
            html.Div(body, className="panel-body"),
            html.P(words.text(f"wall.{name}.empty"), id=f"wall-{name}-empty", className="panel-empty"),
            html.P(words.text("wall.state.failed"), className="panel-failed"),
            html.P(words.text("wall.state.forbidden"), className="panel-forbidden"),
        ],
        id=f"wall-{name}",
        className=f"panel panel-{name}",
        **{"data-state": "loading", "aria-label": words.text(f"wall.{name}.title")},
    )


def state(name: str, *, empty: bool, forbidden: bool = False) -> dict[str, dict[str, Any]]:
    """Return the props that say whether the panel has anything to show, and may."""
    return {f"wall-{name}": {"data-state": "forbidden" if forbidden else "empty" if empty else ""}}


def nothing(name: str, board: Board, words: Words) -> dict[str, dict[str, Any]]:
    """Return what the panel says when it is empty: of a scope, that it is of the scope."""
    said = jurisdiction.within(words.text(f"wall.{name}.empty"), board.scope, words)
    return {f"wall-{name}-empty": {"children": said}}


def mark(urgency: str, words: Words) -> html.Div:
    """Return the level as shape, colour and word: ◆ 特急, ▲ 紧急, ● 一般."""
    return html.Div(
        [
            html.Span(className=f"mark mark-{urgency}", **{"aria-hidden": "true"}),
            html.Span(words.text(f"common.urgency.{urgency}"), className=f"level-word word-{urgency}"),
        ],
        className="level",
    )


def age(at: int, *, limit: int = 0, class_name: str = "age", **more: str) -> html.Time:
    """Return an age the browser keeps ticking from `at` (microseconds); older than `limit` seconds it turns stale."""
    extra = {"data-limit": str(limit)} if limit else {}
    return html.Time(className=class_name, **{"data-at": str(at)}, **extra, **more)


def width(text: str) -> int:
    """Return the width of a text in half characters."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def title_of(one: Incident) -> str | None:
    """Return an incident's title, None where this screen does not get its words."""
    return None if WITHHELD in one.marks else one.title


def titled(title: str | None, words: Words) -> str:
    """Return what stands for a title: of a sensitive incident only that it is one."""
    return words.text("wall.withheld") if title is None else title


def length(text: str, fits: tuple[int, int]) -> str:
    """Return the class of a text: "", "is-long" beyond the first width (half characters), "is-longest" the second."""
    wide = width(text)
    return "is-longest" if wide > fits[1] else "is-long" if wide > fits[0] else ""


def area(chain: tuple[str, ...]) -> str:
    """Return the code of the town of a leaf: third from the end of its chain (town, village, grid), else the top."""
    return chain[-3] if len(chain) > 2 else chain[0] if len(chain) == 2 else ""


def place(town: str, grid: str, fallback: str) -> html.Span:
    """Return "town · grid": the browser fills in the names it knows from the shapes; until then `fallback` shows."""
    return html.Span(className="place cut", **{"data-town": town, "data-grid": grid, "data-fallback": fallback})


def dropped(board: Board, words: Words) -> dict[str, Any]:
    """Return the badge of the mass drop of cameras 批量离线 that takes the most, and how many more there are."""
    found = sorted(board.outages.values(), key=lambda one: (-one.gone, one.since_at, one.level, one.name))
    if not found:
        return {"hidden": True, "children": [], "title": ""}
    first, more = found[0], len(found) - 1
    named = html.Span(first.title or first.name)
    behind = html.Span(className="place", **{"data-town": first.name, "data-grid": "", "data-fallback": first.name})
    said: list[Any] = [words.text(f"outages.{first.level}"), behind if first.level == "area" else named]
    said += [" ", html.B(words.text("outages.count", gone=f"{first.gone:,}", total=f"{first.total:,}")), " "]
    said += [html.Time(**{"data-at": str(first.since_at)}), words.text("outages.more", n=more) if more else ""]
    return {"hidden": False, "children": said, "title": words.text("outages.title")}


def replayed(board: Board, now: int) -> bool:
    """Return whether a replay was heard in the last 24 hours; a scoped view knows no times and counts any replay."""
    return any(
        one.kind == "replay" and (not board.scope.city or now - (one.last_received_at or 0) < 24 * HOUR)
        for one in board.sources.values()
    )
