"""Merging, splitting and linking incidents 合并、拆分、关联: what each changes. Pure; a person decides.

A part keeps its own history and number; its entry says what it was before, so that splitting restores exactly that
when nothing followed, and says what stays where something did.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, convert, structs, to_builtins

from config.taxonomy import URGENCIES
from operations.errors import Refused
from operations.incident import Incident, with_urgency
from operations.ticking import Clock

RESULT = "merged"
"""The result of an incident that is part of another now."""
PARTS_MOST, LINKS_MOST = 50, 50
_KEPT = ("step", "stage", "closed_at", "closed_by", "result", "clocks", "suspended_at")
"""What merging changes of a part and splitting gives back."""
_RAISED = ("urgency", "acknowledged_at", "acknowledged_by", "escalated_at", "raised_at")
"""What merging a graver part may change of the whole."""


class Undo(Struct, frozen=True, omit_defaults=True):
    """What stood before a merge, as the part's entry keeps it; `raised` only where the whole became graver by it."""

    part: dict[str, Any]
    raised: dict[str, Any] = {}
    raised_to: dict[str, Any] = {}


def joined(whole: Incident, parts: Sequence[Incident], now: int, by: str) -> dict[str, dict[str, Any]]:
    """Return {incident id: fields} that make `parts` part of `whole`. Raises Refused: says which of them cannot be."""
    if not whole.is_open or whole.merged_into:
        raise Refused("merge.closed", number=whole.number)
    if not parts or len(whole.merged) + len(parts) > PARTS_MOST:
        raise Refused("merge.parts_most", most=PARTS_MOST)
    for part in parts:
        if part.id == whole.id or part.merged_into or not part.is_open:
            raise Refused("merge.part_closed", number=part.number)
        if part.merged:
            raise Refused("merge.part_whole", number=part.number)
    changes: dict[str, dict[str, Any]] = {}
    for part in parts:
        changes[part.id] = {
            "step": "closed",
            "stage": "",
            "closed_at": now,
            "closed_by": by,
            "result": RESULT,
            "merged_into": whole.id,
            "suspended_at": None,
            "clocks": tuple(_stopped(one, now) for one in part.clocks),
        }
    gravest = max((whole, *parts), key=lambda one: URGENCIES.index(one.urgency)).urgency
    raised = with_urgency(whole, gravest, now) if gravest != whole.urgency else {}
    changes[whole.id] = {"merged": (*whole.merged, *(part.id for part in parts)), **raised}
    return changes


def undo_of(whole: Incident, part: Incident, changes: dict[str, Any]) -> Undo:
    """Return what a part's entry keeps for splitting: the part as it is, and what the whole becomes by it."""
    before = {name: to_builtins(getattr(part, name)) for name in _KEPT}
    raised = {name: changes[name] for name in _RAISED if name in changes}
    if part.urgency != raised.get("urgency"):
        return Undo(before)
    return Undo(before, {name: to_builtins(getattr(whole, name)) for name in (*raised, "clocks")}, raised)


def parted(
    whole: Incident, part: Incident, undo: Undo, rest: Sequence[Incident] = ()
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Return {incident id: fields} that take `part` out again, and codes of what stays as it became meanwhile.

    Stays: "urgency" when the whole was raised by it and has been changed or acknowledged since, or another part among
    the `rest` is as grave.
    """
    if part.merged_into != whole.id:
        raise Refused("merge.not_part", number=part.number)
    fields: dict[str, Any] = {"merged_into": "", **undo.part}
    fields["clocks"] = convert(undo.part.get("clocks", ()), tuple[Clock, ...])
    left: dict[str, Any] = {"merged": tuple(one for one in whole.merged if one != part.id)}
    untouched = all(getattr(whole, name) == value for name, value in undo.raised_to.items())
    lowered = untouched and whole.is_open and all(one.urgency != whole.urgency for one in rest)
    if undo.raised_to and lowered:
        before = convert(undo.raised["clocks"], tuple[Clock, ...])
        left |= {**undo.raised, "clocks": _given_back(whole.clocks, before)}
    return {part.id: fields, whole.id: left}, ("urgency",) if undo.raised_to and not lowered else ()


def linked(one: Incident, other: Incident, *, away: bool = False) -> dict[str, dict[str, Any]]:
    """Return {incident id: fields} that link two incidents, or part them (`away`). Raises Refused."""
    if one.id == other.id or (other.id in one.links) is not away:
        raise Refused("merge.link_not_linked" if away else "merge.link_there", number=other.number)
    if not away and max(len(one.links), len(other.links)) >= LINKS_MOST:
        raise Refused("merge.links_most", most=LINKS_MOST)

    def after(links: tuple[str, ...], key: str) -> tuple[str, ...]:
        return tuple(item for item in links if item != key) if away else (*links, key)

    return {one.id: {"links": after(one.links, other.id)}, other.id: {"links": after(other.links, one.id)}}


def _given_back(clocks: tuple[Clock, ...], before: tuple[Clock, ...]) -> tuple[Clock, ...]:
    """The clocks from before a merge; what was met, paused or put under supervision since stays as it is."""
    known = {one.name: one for one in clocks}
    given = [one if _stands(known.get(one.name, one)) == _stands(one) else known[one.name] for one in before]
    there = {one.name for one in before}
    since = [one for one in clocks if one.name not in there and (one.done_at or one.name == "supervise")]
    return (*given, *since)


def _stands(clock: Clock) -> tuple[int | None, int | None]:
    return clock.done_at, clock.paused_at


def _stopped(clock: Clock, now: int) -> Clock:
    """A clock of a part does not run on: the whole has its own."""
    return structs.replace(clock, paused_at=now, next_at=None) if clock.runs else clock
