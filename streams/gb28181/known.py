"""What the directory knows of a platform 下级平台, and what is the matter with its make: quirks, as data."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from config.settings import ROOT
from streams.gb28181.manscdp import CHARSETS

ALARMS = ROOT / "config" / "gb28181.toml"
QUIRKS = ROOT / "config" / "gb28181_quirks.toml"
BOUNDS = {
    "keepalive_seconds": (5, 3_600),
    "keepalive_misses": (2, 255),
    "position_seconds": (1, 3_600),
    "sync_hours": (1, 168),
}
ACCEPTED, WAITING, REFUSED = "accepted", "waiting", "refused"
CATALOG, ALARM, POSITION = "catalog", "alarm", "position"


class Quirks(Struct, frozen=True, forbid_unknown_fields=True):
    """How a platform has to be treated. Seconds; `charset`: auto, gb18030, utf-8.

    `roams`: its address may become another without a new registration. `sm3`: offered beside MD5.
    `refuse_off`: what it says of cameras going off between two catalogues is not believed.
    """

    charset: str = "auto"
    keepalive_seconds: int = 60
    keepalive_misses: int = 3
    roams: bool = False
    sm3: bool = False
    refuse_off: bool = False
    subscribe: tuple[str, ...] = (CATALOG, ALARM)
    position_seconds: int = 5
    guard: bool = False
    sync_hours: int = 24

    @property
    def silent_seconds(self) -> float:
        """After how long without a keepalive it is off line; nonsense from a page or file is held in bounds."""
        return float(min(max(self.keepalive_seconds, 5), 3_600) * min(max(self.keepalive_misses, 2), 255))


class Known(Struct, frozen=True):
    """A platform as the directory has it; `passwords`: its own, of which there may be none."""

    code: str
    state: str
    passwords: tuple[str, ...] = ()
    quirks: Quirks = Quirks()


class QuirksError(ValueError):
    """A file of quirks contradicts itself; the message names the file and the make or line at fault."""


class Make(Struct, frozen=True):
    """One make: words it is known by, and its quirks."""

    name: str
    agents: tuple[str, ...]
    quirks: dict[str, Any]

    def fits(self, told: str) -> bool:
        """Say whether what a platform told of itself (small letters) names this make."""
        return any(word in told for word in self.agents)


@cache
def shipped() -> dict[str, Any]:
    """Return what alarms become: {"alarm": [{method, type, incident, urgency, title}, …]}."""
    return tomllib.loads(ALARMS.read_text(encoding="utf-8"))


@cache
def makes(path: Path = QUIRKS) -> tuple[Make, ...]:
    """Return the makes of a file, checked. Raises QuirksError."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise QuirksError(f"{path}: cannot be read: {error}") from None
    found = tuple(_make(path, name, about) for name, about in dict(told.get("make", {})).items())
    words = [word for one in found for word in one.agents]
    if twice := next((word for word in words if words.count(word) > 1), ""):
        raise QuirksError(f'{path}: the word "{twice}" names two makes')
    return found


def _make(path: Path, name: str, about: dict[str, Any]) -> Make:
    where = f"{path}: [make.{name}]"
    agents = about.get("agents")
    if not isinstance(agents, list) or not agents or not all(isinstance(one, str) and len(one) > 2 for one in agents):
        raise QuirksError(f"{where}: agents has to name words of three letters or more")
    if any(one != one.lower() for one in agents):
        raise QuirksError(f"{where}: agents are written in small letters")
    if not about.get("about") or not about.get("from"):
        raise QuirksError(f"{where}: about and from have to say what for, and where the fact is from")
    quirks = {key: value for key, value in about.items() if key not in ("agents", "about", "from")}
    try:
        wrong = out_of_bounds(msgspec.convert(quirks, Quirks))
    except msgspec.ValidationError as error:
        raise QuirksError(f"{where}: {error}") from None
    if wrong:
        raise QuirksError(f"{where}: {wrong} is out of its bounds")
    return Make(name, tuple(agents), quirks)


def out_of_bounds(quirks: Quirks) -> str:
    """Return the name of what is beyond what it may be, "" when all fits."""
    if quirks.charset not in CHARSETS:
        return "charset"
    if not set(quirks.subscribe) <= {CATALOG, ALARM, POSITION}:
        return "subscribe"
    return next((name for name, (low, high) in BOUNDS.items() if not low <= getattr(quirks, name) <= high), "")


def quirks_of(told: str, own: str) -> Quirks:
    """Return the quirks of a platform: by its User-Agent and maker, then what was set for it (JSON)."""
    values: dict[str, Any] = {}
    for make in makes():
        if make.fits(told.lower()):
            values |= make.quirks
    values |= msgspec.json.decode(own or "{}")
    return msgspec.convert(values, Quirks)
