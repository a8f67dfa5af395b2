"""What a desk has a wall show 大屏操控: state that entries build, pure. It ends by itself, and with its incident."""

from msgspec import Struct, convert

from operations.entry import Entry
from operations.scope import Scope

PANELS = ("trend", "unplaced", "sources")
"""Panels that can be pinned: they take the room of others while orders are open."""


class Driven(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one wall was told to show; `grid` and `department`: its own jurisdiction; times in UTC microseconds."""

    grid: str
    department: str
    by: str
    at: int
    until: int
    incident: str = ""
    order: str = ""
    pinned: str = ""


def fold(driven: dict[str, Driven], entry: Entry, scope: Scope) -> bool:
    """Take in an entry about a wall; returns whether screens of `scope` show any of it: those that cover the wall."""
    if entry.action in ("wall.revoked", "wall.changed"):
        return driven.pop(entry.subject_id, None) is not None
    if entry.action != "wall.driven":
        return False
    told = (entry.body or {}).get("set")
    if not told:
        return driven.pop(entry.subject_id, None) is not None
    one = convert(told, Driven)
    if not covers(scope, one.grid, one.department):
        return False
    driven[entry.subject_id] = one
    return True


def covers(scope: Scope, grid: str, department: str) -> bool:
    """Say whether a scope covers a wall's jurisdiction; codes of grids begin with those of the grids above."""
    return grid.startswith(scope.grid) and (not scope.department or scope.department == department)
