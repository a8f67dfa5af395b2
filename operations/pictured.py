"""What a desk says about a wall's live pictures 大屏画面: kept on it, or off it, until somebody takes it back. Pure.

A wall follows the gravest incident by itself (`operations/cameras/following.py`). Each entry is one deed, so that two
desks take nothing from each other. A wall that gets another jurisdiction begins anew.
"""

from collections.abc import Collection

from msgspec import Struct, structs

from operations.driven import covers
from operations.entry import Entry
from operations.scope import Scope

DEEDS = ("pin", "keep", "veto", "veto_camera", "release")
"""Show an incident's pictures; these cameras'; not this incident's; not this camera's; take all of it back."""
VETOES_MOST = 100
"""Of incidents and of cameras, each; the newest stay."""
KEPT_MOST = 9


class Pictured(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is said about one wall, by whom last and when (UTC us); `grid`, `department`: its own jurisdiction."""

    grid: str
    department: str
    by: str
    at: int
    incident: str = ""
    cameras: tuple[str, ...] = ()
    no_incidents: tuple[str, ...] = ()
    no_cameras: tuple[str, ...] = ()


def after(one: Pictured, deed: str, incident: str, cameras: tuple[str, ...]) -> Pictured | None:
    """Return what is said after a deed, None for nothing. A veto ends a pin of the same, and a pin a veto."""
    if deed == "pin":
        changed = structs.replace(one, incident=incident, cameras=(), no_incidents=_without(one.no_incidents, incident))
    elif deed == "keep":
        allowed = tuple(each for each in one.no_cameras if each not in cameras)
        changed = structs.replace(one, incident="", cameras=cameras[:KEPT_MOST], no_cameras=allowed)
    elif deed == "veto":
        pinned = "" if one.incident == incident else one.incident
        vetoed = (*_without(one.no_incidents, incident), incident)[-VETOES_MOST:]
        changed = structs.replace(one, incident=pinned, no_incidents=vetoed)
    elif deed == "veto_camera":
        kept = tuple(each for each in one.cameras if each not in cameras)
        rest = tuple(each for each in one.no_cameras if each not in cameras)
        changed = structs.replace(one, cameras=kept, no_cameras=(*rest, *cameras)[-VETOES_MOST:])
    else:
        return None
    return changed


def fold(pictured: dict[str, Pictured], entry: Entry, scope: Scope) -> bool:
    """Take in an entry about a wall; returns whether screens of `scope` show any of it: those that cover the wall."""
    if entry.action in ("wall.revoked", "wall.changed"):
        return pictured.pop(entry.subject_id, None) is not None
    said = (entry.body or {}).get("set")
    if entry.action != "wall.pictured" or not said:
        return False
    grid, department = said["grid"], said["department"]
    if not covers(scope, grid, department):
        return False
    empty = Pictured(grid=grid, department=department, by="", at=0)
    before = structs.replace(pictured.get(entry.subject_id, empty), by=said["by"], at=entry.at)
    now = after(before, said["deed"], said.get("incident", ""), tuple(said.get("cameras", ())))
    if now is None:
        pictured.pop(entry.subject_id, None)
    else:
        pictured[entry.subject_id] = now
    return True


def _without(all_of: Collection[str], one: str) -> tuple[str, ...]:
    return tuple(each for each in all_of if each != one)
