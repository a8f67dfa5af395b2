"""Grants as screens show them 授权概况: number, units, cameras, time left; who holds one by role, not by name. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, convert

from operations.entry import Entry
from operations.grants.grant import Held
from operations.scope import NOWHERE, Scope


class Granted(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A living grant."""

    number: str
    kind: str
    unit: str = ""
    department: str = ""
    role: str = ""
    purpose: str = ""
    incident: str = ""
    incident_number: str = ""
    cameras: int = 0
    path: str = ""
    from_at: int = 0
    until_at: int = 0
    warned_at: int | None = None
    loud: bool = False


def shown(grant: Held) -> Granted | None:
    """Return what screens show of a grant; None once it has ended, unless nobody has ratified it yet."""
    if grant.ended_at is not None and not grant.loud:
        return None
    return Granted(
        number=grant.number,
        kind=grant.kind,
        unit=grant.unit,
        department=grant.department,
        role=grant.role,
        purpose=grant.purpose,
        incident=grant.incident,
        incident_number=grant.incident_number,
        cameras=len(grant.cameras),
        path=grant.path,
        from_at=grant.from_at,
        until_at=min(grant.until_at, grant.ended_at or grant.until_at),
        warned_at=grant.warned_at,
        loud=grant.loud,
    )


def concerns(scope: Scope, one: Granted) -> bool:
    """Say whether screens of a scope show a grant: those of its place, of its holder's unit or of the owner.

    Auditors, whose screens show no place, hear of broken glass alone.
    """
    if scope == NOWHERE:
        return one.loud
    within = not scope.grid or scope.grid in one.path.split("/") or not one.path
    mine = not scope.department or scope.department in (one.unit, one.department)
    return within and mine and "" not in scope.hidden


def fold(granted: dict[str, Granted], entry: Entry, scope: Scope) -> bool:
    """Take in an entry about a grant; returns whether screens of `scope` show any of it."""
    body: Mapping[str, Any] = entry.body or {}
    if "set" not in body:
        return False
    changed = granted.pop(entry.subject_id, None) is not None
    if body["set"] is not None:
        now = convert(body["set"], Granted)
        if concerns(scope, now):
            granted[entry.subject_id] = now
            changed = True
    return changed
