"""What the upper platform does or has learnt 结果, for the shell to carry out. Plain facts."""

from typing import NamedTuple

from msgspec import Struct

from streams.gb28181.alarm import Alarm
from streams.gb28181.catalogue import Listed


class Peer(NamedTuple):
    """Where a message came from; `transport` is "udp" or "tcp"."""

    transport: str
    host: str
    port: int


class Send(Struct, frozen=True):
    """Bytes to be sent."""

    peer: Peer
    data: bytes


class Knocked(Struct, frozen=True):
    """Somebody wanted in and was not let; `why`: unknown, waiting, refused, password."""

    code: str
    peer: Peer
    agent: str
    why: str


class Entered(Struct, frozen=True):
    """A platform registered; `fresh`: it was not there before, or has started anew."""

    code: str
    peer: Peer
    seconds: int
    agent: str
    version: str
    fresh: bool


class Left(Struct, frozen=True):
    """A platform is gone; `why`: unregistered, silent, expired."""

    code: str
    why: str


class Heard(Struct, frozen=True):
    """A keepalive; `back`: it had been silent; `moved`: its address is another; `faulty`: what it complains of."""

    code: str
    peer: Peer
    back: bool
    moved: bool
    faulty: tuple[str, ...] = ()


class Synced(Struct, frozen=True):
    """A full query ended; only when `whole` may anything be missing from it. `why`: "", or what kept it from being
    whole: short, over, unanswered, silent, expired, unregistered, restarted, emptied; "unasked": nobody wanted it.
    """

    code: str
    items: tuple[Listed, ...]
    announced: int | None
    whole: bool
    why: str = ""
    tries: int = 1


class Changed(Struct, frozen=True):
    """Changes told between two catalogues; never a deletion. (event, item)."""

    code: str
    changes: tuple[tuple[str, Listed], ...]


class Alarmed(Struct, frozen=True):
    """An alarm, to be made durable and then acknowledged."""

    code: str
    alarm: Alarm


class Position(Struct, frozen=True):
    """Where a device says it is; raw, in its platform's datum."""

    device: str
    lon: float
    lat: float
    at: str = ""
    speed: float | None = None
    direction: float | None = None


class Placed(Struct, frozen=True):
    """Positions of devices."""

    code: str
    positions: tuple[Position, ...]


class Told(Struct, frozen=True):
    """A platform told of itself (DeviceInfo, DeviceStatus)."""

    code: str
    facts: dict[str, str]


Effect = Send | Knocked | Entered | Left | Heard | Synced | Changed | Alarmed | Placed | Told
