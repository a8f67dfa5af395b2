"""The desk's header 页眉: where one is, who one is, how old the data is; registering, help, language, signing out."""

from dataclasses import dataclass
from typing import Any

from dash import html

from config.words import Words
from dashboard.panels.grant_shell import mine, parties, viewing
from dashboard.panels.shell import dropped, replayed
from operations.board import Board

AS_OF = "desk-as-of"
REPLAY = "desk-replay"
QUARANTINED = "desk-quarantined"
WALLS = "desk-walls"
DATUMS = "desk-datums"
OUTLETS = "desk-outlets"
OUTAGES = "desk-outages"
ACCESS, BROKEN = "desk-access", "desk-broken"
LOST = "desk-lost"
AS_OF_LIMIT = 60
"""Seconds after which the picture counts as stale (standards, section 7)."""
PAGES = (
    *("desk", "pictures", "access", "orders", "quarantine", "handover", "heat", "upward", "cameras", "directory"),
    *("wall", "sources", "platforms", "grids", "accounts", "walls", "tokens", "audit", "settings", "flows", "outlets"),
)
"""The ways in the header; one's own account is behind one's name."""


@dataclass(frozen=True)
class Row:
    """What asks for attention: how much waits in quarantine, the walls that stand still, longest first, and the names
    of sources whose places speak for another datum."""

    quarantined: int
    walls: tuple[tuple[str, int], ...]
    datums: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    """Names of sources that are out of reach."""
    outlets: tuple[str, ...] = ()
    """Ways out that are down."""


def rows(board: Board, now: int) -> Row:
    """Return what is in quarantine, which walls have been stuck since when, datums in doubt, sources out of reach."""
    walls = tuple(sorted(board.walls.items(), key=lambda one: (one[1], one[0])))
    sources = sorted(board.sources.values(), key=lambda one: one.name)
    datums, lost = tuple(one.name for one in sources if one.proposed), tuple(one.name for one in sources if one.lost)
    return Row(board.open_quarantine, walls, datums, lost, tuple(sorted(board.outlets.values())))


def layout(words: Words) -> html.Header:
    """Return the header; `assets/desk/header.js` writes who one is and the clock into it."""
    other = "en" if words.lang == "zh" else "zh"
    moment = {"data-at": "0", "data-limit": str(AS_OF_LIMIT), "data-moment": "as_of"}
    badges = [html.Span(words.city.name, className="desk-badge")] if words.city.name else []
    if words.city.demo:
        badges.append(html.Span(words.text("desk.demo"), className="desk-badge demo"))
    badges.append(html.Span(words.text("wall.header.replay"), id=REPLAY, className="desk-badge demo", hidden=True))
    badges.append(html.Span(id=LOST, className="desk-badge stuck cut", role="status", hidden=True))
    badges.append(html.A(id=OUTAGES, href="/cameras", className="desk-badge stuck cut", role="status", hidden=True))
    badges.append(html.A(id=BROKEN, href="/access", className="desk-badge stuck cut", role="status", hidden=True))
    badges.append(html.Span(id=OUTLETS, className="desk-badge stuck cut", role="status", hidden=True))
    badges.append(html.Span(id=WALLS, className="desk-badge stuck cut", role="status", hidden=True))
    badges.append(html.A(id=DATUMS, href="/sources", className="desk-badge cut admin-only", hidden=True))
    return html.Header(
        [
            html.H1(words.text("common.product"), className="desk-product"),
            *badges,
            html.Nav(ways(words), className="desk-nav", **{"aria-label": words.text("desk.nav")}),
            html.Button(id="desk-warnings-open", type="button", className="desk-button quiet desk-only", hidden=True),
            html.Span(
                [
                    words.text("desk.as_of"),
                    html.B(html.Time(**moment), id=AS_OF),
                    html.Span("", className="backlog", **{"data-backlog": ""}),
                    html.Span(className="desk-link", **{"aria-hidden": "true"}),
                ],
                className="desk-age",
            ),
            html.Span(className="desk-clock", **{"data-zone": str(words.city.zone)}),
            who(words),
            html.A(words.text("desk.other_language"), href=f"?lang={other}", className="desk-button quiet"),
            key_button("?", words.text("desk.help.title"), "desk-help-open", "quiet"),
            key_button("N", words.text("desk.form.open"), "desk-new", "primary desk-only"),
        ],
        id="desk-header",
        className="desk-header",
    )


def ways(words: Words) -> list[Any]:
    """Return the ways to the pages; `assets/desk/header.js` moves those that find no room into the menu."""
    menu = html.Details(
        [html.Summary(words.text("desk.more")), html.Div(id="desk-more-list", className="desk-more-list")],
        id="desk-more",
        className="desk-more",
        hidden=True,
    )
    return [html.Div([link(page, words) for page in PAGES], id="desk-nav-bar", className="desk-nav-bar"), menu]


def who(words: Words) -> html.Form:
    """Return who is signed in and the way to sign out, which works without scripts."""
    out = html.Button(words.text("refused.signout"), type="submit", className="desk-button quiet")
    return html.Form(
        [html.A(id="desk-me", className="desk-me", href="/me"), out],
        action="/signout",
        method="post",
        className="desk-who",
    )


def key_button(key: str, text: str, id: str, looks: str) -> html.Button:
    """Return a button that names its key."""
    return html.Button([html.Kbd(key), text], id=id, type="button", className=f"desk-button {looks}")


def link(page: str, words: Words) -> html.A:
    """Return the way to a page, shortly where the header is narrow; quarantine and video access also say how much
    waits there."""
    counted = {"quarantine": QUARANTINED, "access": ACCESS}
    count = [html.B("", id=counted[page], className="desk-count-badge")] if page in counted else []
    said = [
        html.Span(words.text(f"page.{page}"), className="nav-long"),
        html.Span(words.text(f"nav.{page}"), className="nav-short"),
    ]
    return html.A([*said, *count], href=f"/{page}", **{"data-to": page})


def render(board: Board, now: int, words: Words) -> dict[str, dict[str, Any]]:
    """Return the number in quarantine and the walls that stand still; the age of the picture is a gauge of the hub."""
    told = rows(board, now)
    return {
        REPLAY: {"hidden": not replayed(board, now)},
        QUARANTINED: {"children": str(told.quarantined or "")},
        ACCESS: {"children": str(mine(board) or "")},
        BROKEN: broken(board, now, words),
        LOST: out_of_reach(told, words),
        OUTLETS: down(told, words),
        OUTAGES: dropped(board, words),
        WALLS: stuck(told, words),
        DATUMS: doubted(told, words),
    }


def doubted(told: Row, words: Words) -> dict[str, Any]:
    """Return the note, for administrators, which source's datum waits for a decision, and how many do."""
    more = len(told.datums) - 1
    if more < 0:
        return {"hidden": True, "children": "", "title": ""}
    said = words.text("datums.badge", name=told.datums[0])
    said += words.text("datums.badge_more", n=more) if more else ""
    return {"hidden": False, "children": said, "title": "\n".join(told.datums)}


def broken(board: Board, now: int, words: Words) -> dict[str, Any]:
    """Return the badge that says whose glass was broken and is not ratified."""
    found = viewing(board, now).broken
    if not found:
        return {"hidden": True, "children": "", "title": ""}
    said = [
        words.text("grants.short.broken", n=len(found), who=parties(one, words), number=one.number) for _, one in found
    ]
    return {"hidden": False, "children": said[0], "title": "\n".join(said)}


def out_of_reach(told: Row, words: Words) -> dict[str, Any]:
    """Return the badge that says which source cannot be reached, and how many more."""
    if not told.lost:
        return {"hidden": True, "children": "", "title": ""}
    more = len(told.lost) - 1
    said = words.text("sources.badge.lost", name=told.lost[0])
    shown = (
        f"{said} {words.text('sources.badge.more', n=len(told.lost) if words.lang == 'zh' else more)}" if more else said
    )
    return {"hidden": False, "children": shown, "title": "\n".join(told.lost)}


def down(told: Row, words: Words) -> dict[str, Any]:
    """Return the badge that says which way out is down, and how many more."""
    if not told.outlets:
        return {"hidden": True, "children": "", "title": ""}
    more = words.text("outlets.badge_more", n=len(told.outlets) - 1) if len(told.outlets) > 1 else ""
    said = words.text("outlets.badge", name=told.outlets[0]) + more
    return {"hidden": False, "children": said, "title": "\n".join(told.outlets)}


def stuck(told: Row, words: Words) -> dict[str, Any]:
    """Return the badge that says which wall has stood still for longest, since when, and how many do in all."""
    if not told.walls:
        return {"hidden": True, "children": [], "title": ""}
    name, since = told.walls[0]
    more = len(told.walls) - 1
    said = [words.text("desk.wall_stuck", name=name), " ", html.Time(**{"data-at": str(since)})]
    shown = [*said, words.text("desk.walls_more", n=more) if more else ""]
    return {"hidden": False, "children": shown, "title": "\n".join(wall for wall, _ in told.walls)}
