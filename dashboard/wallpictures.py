"""What live pictures a wall shows now 大屏画面: the incident and its nearest cameras, in words, for whoever asks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from heapq import nsmallest
from typing import Any

import msgspec

from config import clock
from config.words import Words
from dashboard.camerabook import Camerabook
from operations import policy
from operations.board import Board
from operations.cameras import following
from operations.cameras.following import CANDIDATES, GRAVITY, Candidate
from operations.cameras.near import Near
from operations.incident import WITHHELD, Incident
from operations.pictured import Pictured
from operations.policy import Identity
from operations.scope import Scope

SIZES = (1, 2, 4, 9)
VETOED_SAID = 2
"""How many vetoed incidents a wall names."""
Ask = Callable[[Callable[[Board], Any], Scope], Awaitable[Any]]


class Wish(msgspec.Struct, frozen=True):
    """What a wall says when it asks: what it shows and since when (UTC us), and the cameras it cannot show now."""

    most: int
    incident: str = ""
    since: int = 0
    shown: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class Situation(msgspec.Struct, frozen=True):
    """What the board says: incidents in the order in which they may be shown, and what desks say of this wall."""

    incidents: list[Incident]
    said: Pictured | None
    vetoed: tuple[str, ...] = ()
    """Numbers of the incidents that would be followed, had nobody taken their pictures off."""


def candidates(board: Board) -> list[Candidate]:
    """Return the incidents that may be followed, the gravest first; none whose words this screen does not get."""
    found = (
        Candidate(GRAVITY[one.urgency], one.acknowledged_at is not None, one.opened_at, one.id)
        for one in board.incidents.values()
        if one.urgency in GRAVITY and one.is_open and one.lon is not None and WITHHELD not in one.marks
    )
    return nsmallest(CANDIDATES, found, key=lambda one: one.rank)


def situation(board: Board, wall: str, wish: Wish, now: int) -> Situation:
    """Return what a wall may show."""
    said = board.pictured.get(wall)
    barred = said.no_incidents if said else ()
    first = (said.incident if said else "") or focused(board, wall, now)
    everything = _with(board, candidates(board), first)
    found = [one for one in everything if one.id not in barred]
    ordered = following.order(found, wish.incident, wish.since, now, first)
    vetoed = tuple(board.incidents[one.id].number for one in everything if one.id in barred)
    return Situation([board.incidents[id] for id in ordered], said, vetoed)


def focused(board: Board, wall: str, now: int) -> str:
    """Return the incident that a desk has this wall's map show, which its pictures then follow too; "" for none."""
    driven = board.driven.get(wall)
    return driven.incident if driven is not None and now < driven.until else ""


def _with(board: Board, found: list[Candidate], first: str) -> list[Candidate]:
    """One that a desk asks for is there whatever its level, while it is open and has a place."""
    one = board.incidents.get(first)
    if one is None or not one.is_open or one.lon is None or WITHHELD in one.marks:
        return found
    mine = Candidate(len(GRAVITY), one.acknowledged_at is not None, one.opened_at, one.id)
    return found if any(each.id == one.id for each in found) else [*found, mine]


class Wallpictures:
    """One per web process. `ask` asks the board of a scope; `shown` says what walls show of one."""

    def __init__(self, camerabook: Camerabook, ask: Ask, shown: Callable[[str, Scope], Scope]) -> None:
        self._cameras, self._ask, self._shown = camerabook, ask, shown

    async def chosen(self, identity: Identity, wish: Wish, words: Words) -> dict[str, Any]:
        """Return state ("" shown, "empty", "none": no camera at all), incident, cameras, and when to ask again."""
        now = clock.now()
        scope = self._shown("wall", policy.reach(identity, "camera.look"))
        found: Situation = await self._ask(lambda board: situation(board, identity.id, wish, now), scope)
        return await asyncio.to_thread(self._told, found, wish, now, words)

    def _told(self, found: Situation, wish: Wish, now: int, words: Words) -> dict[str, Any]:
        if not self._cameras.any():
            return {"state": "none"}
        said = found.said
        barred = said.no_cameras if said else ()
        if said and said.cameras and (kept := self._kept(said, wish)):
            return {"state": "", "title": words.text("wall.video.kept", who=said.by), "cameras": kept}
        dark = ""
        for one in found.incidents:
            assert one.lon is not None and one.lat is not None
            near = [each for each in self._cameras.near(one.lon, one.lat) if each.camera.id not in barred]
            cameras = following.cameras(near, wish.shown, wish.lost, wish.most)
            if not cameras and said and said.incident == one.id:
                dark = words.text("wall.video.pinned_dark", who=said.by, number=one.number)
            if cameras:
                since = wish.since if one.id == wish.incident else now
                return {
                    "state": "",
                    "incident": one.id,
                    "urgency": one.urgency,
                    "title": f"{one.title} · {one.number}",
                    "said": dark or _said(found, one, words),
                    "since": since,
                    "again": following.again(since, now) // 1_000,
                    "cameras": [_tile(each, one, words) for each in cameras],
                }
        return {"state": "empty", "said": dark or _said(found, None, words)}

    def _kept(self, said: Pictured, wish: Wish) -> list[dict[str, str]]:
        """Those that are dark on this wall come last, and give way where there is no room."""
        there = self._cameras.of(list(said.cameras))
        shown = sorted(there, key=lambda one: one.id in wish.lost)[: wish.most]
        return [{"id": one.id, "name": one.item.name, "about": ""} for one in there if one in shown]


def _said(found: Situation, one: Incident | None, words: Words) -> str:
    """Return who pinned what is shown, else whose pictures were taken off and by whom."""
    if found.said is None:
        return ""
    if one is not None and found.said.incident == one.id:
        return words.text("wall.video.pinned", who=found.said.by)
    if found.vetoed:
        return words.text("wall.video.vetoed", who=found.said.by, numbers=" ".join(found.vetoed[:VETOED_SAID]))
    return ""


def _tile(near: Near, one: Incident, words: Words) -> dict[str, str]:
    assert one.lon is not None and one.lat is not None
    way = words.text(f"wall.video.way.{following.way(near, one.lon, one.lat)}")
    about = words.text("wall.video.about", metres=round(near.metres), way=way)
    return {"id": near.camera.id, "name": near.camera.item.name, "about": about}


def wish_of(asked: Sequence[tuple[str, str]] | dict[str, str]) -> Wish | None:
    """Return what a request's parameters say; None for what no wall says."""
    given = dict(asked)
    numbers = given.get("most", ""), given.get("since", "0")
    if not all(one.isascii() and one.isdigit() and len(one) <= 17 for one in numbers) or int(numbers[0]) not in SIZES:
        return None
    shown, lost = (tuple(one for one in given.get(name, "").split(",") if one)[:64] for name in ("shown", "lost"))
    return Wish(int(numbers[0]), given.get("incident", "")[:60], int(numbers[1]), shown, lost)
