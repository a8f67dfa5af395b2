"""Supervision 督办 over an incident, its yellow and red card, and why something was late: what each changes. Pure.

An overlay with a clock of its own; it leaves the step of the way alone, and its commands compare no revision.
"""

from typing import Any

from operations.errors import Refused
from operations.incident import Incident
from operations.ticking import OVERDUE, Clock

CARDS = ("", "yellow", "red")
REASONS = ("no_capacity", "waiting_for_others", "wrong_department", "out_of_reach", "weather", "took_longer", "other")
"""Why late: 力量不足, 等待其他部门, 部门不对, 联系不上, 天气或道路, 事情比预计难, 其他."""


def begun(incident: Incident, now: int) -> dict[str, Any]:
    """Return what putting an incident under supervision changes. Raises Refused."""
    _open(incident)
    _need(incident.supervised_at is None, "supervised")
    return {"supervised_at": now}


def ended(incident: Incident) -> dict[str, Any]:
    """Return what ending it changes; the card goes with it. Raises Refused."""
    _need(incident.supervised_at is not None, "not_supervised")
    return {"supervised_at": None, "card": ""}


def carded(incident: Incident, card: str) -> dict[str, Any]:
    """Return what giving a card, or taking it back (""), changes. Raises Refused."""
    _need(card in CARDS, "unknown_card")
    _open(incident)
    _need(card != incident.card, "same_card")
    return {"card": card}


def explained(incident: Incident, name: str, code: str) -> dict[str, Any]:
    """Return what saying why a clock was late changes; it may be said again. Raises Refused."""
    _need(code in REASONS, "unknown_reason")
    found = next((one for one in incident.clocks if one.name == name and is_late(one)), None)
    if found is None:
        raise Refused("supervision.not_late")
    kept = tuple(one for one in incident.explained if one != _key(found))
    return {"explained": (*kept, _key(found))}


def is_late(clock: Clock) -> bool:
    """Whether it is over its time, or was when it was stopped."""
    return clock.told >= OVERDUE or (clock.done_at is not None and clock.done_at > clock.due_at)


def unexplained(incident: Incident) -> list[str]:
    """Return the names of the clocks that are or were late, of which nobody has said why."""
    return [one.name for one in incident.clocks if is_late(one) and _key(one) not in incident.explained]


def _key(clock: Clock) -> str:
    """Each start of a clock is asked about on its own."""
    return f"{clock.name}/{clock.started_at}"


def _open(incident: Incident) -> None:
    if not incident.is_open:
        raise Refused("operations.closed")


def _need(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(f"supervision.{code}")
