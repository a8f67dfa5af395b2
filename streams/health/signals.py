"""Three signals of one camera joined: its platform's keepalive, its catalogue's state, its picture. Pure.

The picture says what is seen, so a fresh one decides; where the others say something else, that is told as such and
nothing is smoothed over. A signal that is too old says nothing.
"""

from typing import NamedTuple

from streams.health.rounds import GOOD, UNKNOWN

SECOND = 1_000_000
KEEPALIVE_LIFE = 180 * SECOND
"""Three keepalives of a minute (GB/T 28181, 9.6)."""
CATALOGUE_LIFE = 26 * 3_600 * SECOND
"""A day between full syncs, and some."""
PICTURE_LIFE = 10 * 60 * SECOND

ONLINE, FAULTY, OFFLINE, MAINTENANCE = "online", "faulty", "offline", "maintenance"
STATES = (ONLINE, FAULTY, OFFLINE, UNKNOWN, MAINTENANCE)


class Signals(NamedTuple):
    """What each signal said last and when (UTC us, 0 never). `catalogue`: on | off | unknown.

    `keepalive_at` is the platform's last keepalive, `reported` whether this camera comes through a platform that
    gives one. `picture` is a verdict's word.
    """

    reported: bool = False
    keepalive_at: int = 0
    catalogue: str = UNKNOWN
    catalogue_at: int = 0
    picture: str = UNKNOWN
    picture_at: int = 0
    maintenance_until: int = 0


class Joined(NamedTuple):
    """One state, which signals spoke against it, and the fault where there is one.

    `against`: keepalive, catalogue. `spoke`: the signals that were fresh. `planned`: it is being worked on.
    """

    state: str
    fault: str
    spoke: tuple[str, ...]
    against: tuple[str, ...]
    planned: bool


def joined(signals: Signals, now: int) -> Joined:
    """Return what is true of a camera now, as far as the three signals tell."""
    said = _said(signals, now)
    planned = signals.maintenance_until > now
    reached = _reached(said)
    against = tuple(name for name, reaches in said.items() if name != "picture" and reaches != reached)
    fault = signals.picture if said.get("picture") is not None and signals.picture != GOOD else ""
    if reached is None:
        state = UNKNOWN
    elif not reached:
        state = OFFLINE
    else:
        state = FAULTY if fault else ONLINE
    return Joined(MAINTENANCE if planned else state, fault, tuple(said), against, planned)


def _said(signals: Signals, now: int) -> dict[str, bool]:
    """Whether each fresh signal says that the camera can be reached; absent where it says nothing."""
    said = {}
    if signals.picture != UNKNOWN and now - signals.picture_at <= PICTURE_LIFE:
        said["picture"] = signals.picture != "lost"
    if signals.reported and signals.keepalive_at:
        said["keepalive"] = now - signals.keepalive_at <= KEEPALIVE_LIFE
    if signals.catalogue != UNKNOWN and now - signals.catalogue_at <= CATALOGUE_LIFE:
        said["catalogue"] = signals.catalogue == "on"
    return said


def _reached(said: dict[str, bool]) -> bool | None:
    """The picture decides; without one a platform that is away takes its cameras with it, else the catalogue does."""
    if "picture" in said:
        return said["picture"]
    if said.get("keepalive") is False:
        return False
    return said.get("catalogue")
