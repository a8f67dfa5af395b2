"""The condition of a camera 摄像机状态: three signals joined into one word, and which of them say otherwise. Pure.

The only place that decides; maps, lists, tiles, coverage and figures take their word from here. Signals keep when
they changed, not when they were last repeated, so age makes none of them unknown.
"""

from typing import Protocol

from operations.cameras.item import OFF, ON

CONDITIONS = LIVE, FAULTY, DARK, AWAY, UNKNOWN, MAINTENANCE = (
    *("live", "faulty", "dark", "off"),
    *("unknown", "maintenance"),
)
UNJUDGED = ("", "unknown")
GOOD = "good"
NOTHING = ("lost", "black", "covered")
"""Verdicts of a picture that shows nothing of the place; any other that is not good is a fault of it."""


class Signalled(Protocol):
    """What a camera's condition is made of: catalogue, keepalive of its platform, picture, planned maintenance."""

    @property
    def status(self) -> str: ...
    @property
    def registered(self) -> str: ...
    @property
    def picture(self) -> str: ...
    @property
    def maintenance_until(self) -> int: ...


def condition(one: Signalled, now: int) -> str:
    """Return the condition of a camera, of CONDITIONS; planned maintenance hides every fault until its end."""
    return MAINTENANCE if one.maintenance_until > now else signalled(one)


def signalled(one: Signalled) -> str:
    """Return what the signals say, maintenance or not: whoever says it is away is believed before a picture."""
    if OFF in (one.status, one.registered):
        return AWAY
    if one.picture in NOTHING:
        return DARK
    if one.picture not in (GOOD, *UNJUDGED):
        return FAULTY
    return LIVE if one.status == ON or one.picture == GOOD else UNKNOWN


def disagreeing(one: Signalled) -> tuple[str, ...]:
    """Return the signals that contradict each other, as the columns of them; none where all agree or are silent."""
    says = {
        "status": {ON: True, OFF: False}.get(one.status),
        "registered": {ON: True, OFF: False}.get(one.registered),
        "picture": None if one.picture in UNJUDGED else one.picture != "lost",
    }
    spoke = {name: there for name, there in says.items() if there is not None}
    return tuple(spoke) if len(set(spoke.values())) > 1 else ()
