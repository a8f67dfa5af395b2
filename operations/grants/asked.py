"""Requests as screens show them 待审批调阅: whose turn it is and since when; nothing of a person, no reason. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, convert

from operations.entry import Entry
from operations.grants.grant import common
from operations.grants.request import Request
from operations.scope import Scope

DECIDED_MOST = 500
"""Decisions that the median is made of."""


class Asked(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request that is under way. `turns`: {department of a post ("centre" is one): since when it waits}."""

    number: str
    unit: str
    purpose: str
    urgency: str
    state: str
    cameras: int
    path: str = ""
    incident: str = ""
    incident_number: str = ""
    owners: tuple[str, ...] = ()
    turns: dict[str, int] = {}
    due_at: int | None = None
    level: int = 0
    sent_at: int = 0


class Decided(Struct, frozen=True, array_like=True):
    """How long one request took to be decided (seconds), by when."""

    at: int
    seconds: float
    path: str
    unit: str


def place(request: Request) -> str:
    """Return the grids that all its cameras share."""
    return common([one.path for one in request.cameras])


def shown(request: Request) -> Asked | None:
    """Return what screens show of a request; None: nothing, it is a draft or over."""
    if not request.is_open:
        return None
    waiting = request.waiting
    turns: dict[str, int] = {}
    for one in waiting:
        house = one.department if one.kind == "owner" else "centre"
        turns[house] = min(one.since_at or 0, turns.get(house, one.since_at or 0))
    dues = [one.due_at for one in waiting if one.due_at is not None]
    return Asked(
        number=request.number,
        unit=request.unit,
        purpose=request.purpose,
        urgency=request.urgency,
        state=request.state,
        cameras=len(request.cameras),
        path=place(request),
        incident=request.incident,
        incident_number=request.incident_number,
        owners=tuple(dict.fromkeys(one.owner for one in request.cameras if one.owner)),
        turns=turns,
        due_at=min(dues, default=None),
        level=max((one.level for one in waiting), default=0),
        sent_at=request.sent_at or 0,
    )


def concerns(scope: Scope, one: Asked) -> bool:
    """Say whether screens of a scope show a request: of the place's, and of its unit, an owner, or the centre."""
    within = not scope.grid or scope.grid in one.path.split("/") or not one.path
    mine = not scope.department or scope.department in (one.unit, *one.owners, *one.turns)
    return within and mine and "" not in scope.hidden and scope.grid != "-"


def fold(asked: dict[str, Asked], decided: list[Decided], entry: Entry, scope: Scope) -> bool:
    """Take in an entry about a request; returns whether screens of `scope` show any of it."""
    body: Mapping[str, Any] = entry.body or {}
    known = asked.pop(entry.subject_id, None)
    changed = known is not None
    if body.get("set") is not None:
        now = convert(body["set"], Asked)
        if concerns(scope, now):
            asked[entry.subject_id] = now
            changed = True
    if "took_s" in body:
        one = Decided(entry.at, body["took_s"], entry.scope_grid, entry.scope_department)
        if seen(scope, one):
            decided.append(one)
            del decided[:-DECIDED_MOST]
            changed = True
    return changed


def seen(scope: Scope, one: Decided) -> bool:
    """Say whether a decision counts for screens of a scope."""
    within = not scope.grid or scope.grid in one.path.split("/")
    return within and (not scope.department or scope.department == one.unit) and "" not in scope.hidden
