"""Rules of video access 视频调阅规则, as data (`access.toml`): purposes, who decides, what is never shown, limits."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta, Struct

FILE = Path(__file__).with_name("access.toml")
MODES = ("live", "playback", "snapshot", "export")
DECIDERS = ("centre", "leader", "owner")
"""In the order in which they decide."""
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Said = Annotated[str, Meta(min_length=1, max_length=60)]
Mode = Literal["live", "playback", "snapshot", "export"]
Urgency = Literal["routine", "urgent", "critical"]
Decider = Annotated[str, Meta(pattern=r"^(centre|leader|owner)(:[12])?$")]
Position = Annotated[str, Meta(pattern=r"^[0-9]{1,7}$")]
Class = Annotated[int, Meta(ge=0, le=3)]


def _whole(least: int, most: int) -> Meta:
    return Meta(ge=least, le=most)


class AccessError(ValueError):
    """The file contradicts itself; the message names the file, the line, and what is wrong there."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds; the unit stands in the name."""

    live_minutes: Annotated[int, _whole(1, 1_440)]
    longest_minutes: Annotated[int, _whole(1, 1_440)]
    cameras: Annotated[int, _whole(1, 200)]
    viewers: Annotated[int, _whole(1, 100)]
    idle_minutes: Annotated[int, _whole(1, 240)]
    urgent_minutes: Annotated[int, _whole(1, 240)]
    normal_hours: Annotated[int, _whole(1, 80)]
    levels: Annotated[int, _whole(1, 5)]
    closing_minutes: Annotated[int, _whole(1, 60)]
    standing_minutes: Annotated[int, _whole(1, 240)]
    standing_months: Annotated[int, _whole(1, 12)]
    breakglass_minutes: Annotated[int, _whole(1, 120)]
    breakglass_cameras: Annotated[int, _whole(1, 200)]
    ratify_hours: Annotated[int, _whole(1, 168)]
    surplus: Annotated[int, _whole(1, 50)]


class Named(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something with a code and what people call it."""

    code: Code
    zh: Said
    en: Said


class Purpose(Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why pictures are wanted; `incident`: it wants one; `standing`: may be authorised in advance."""

    minutes: Annotated[int, _whole(1, 1_440)]
    cameras: Annotated[int, _whole(1, 200)]
    modes: tuple[Mode, ...]
    incident: bool
    standing: bool


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who decides where all its conditions hold; an empty one holds always."""

    code: Code
    deciders: tuple[Decider, ...]
    purposes: tuple[Code, ...] = ()
    modes: tuple[Mode, ...] = ()
    urgencies: tuple[Urgency, ...] = ()
    classes: tuple[Class, ...] = ()
    positions: tuple[Position, ...] = ()
    restricted: bool | None = None
    longer_minutes: Annotated[int, _whole(0, 1_440)] = 0
    units: tuple[Code, ...] = ()


class Forbidden(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where no camera may be: words in its name, or beginnings of the code of its capture position."""

    code: Code
    words: tuple[Annotated[str, Meta(min_length=2, max_length=20)], ...] = ()
    positions: tuple[Position, ...] = ()


class Breakglass(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who may look at once in an emergency, of which urgency, through cameras of which classes of points."""

    roles: tuple[Literal["operator", "duty_commander", "leader"], ...]
    urgencies: tuple[Urgency, ...]
    classes: tuple[Class, ...]


class Access(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    limits: Limits
    purpose: tuple[Purpose, ...]
    basis: tuple[Named, ...]
    rule: tuple[Rule, ...]
    breakglass: Breakglass
    forbidden: tuple[Forbidden, ...] = ()

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read and check the file. Raises AccessError."""
        try:
            text = path.read_text(encoding="utf-8")
            found = msgspec.convert(tomllib.loads(text), cls)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AccessError(f"{path}: cannot be read: {error}") from error
        except msgspec.ValidationError as error:
            raise AccessError(f"{_where(path, text, str(error))}: {error}") from error
        for fault in _faults(found):
            raise AccessError(f"{path}: {fault}")
        return found

    def purpose_of(self, code: str) -> Purpose | None:
        """Return a purpose by its code."""
        return next((one for one in self.purpose if one.code == code), None)

    def basis_of(self, code: str) -> Named | None:
        """Return a legal basis by its code."""
        return next((one for one in self.basis if one.code == code), None)


@cache
def current() -> Access:
    """Return the rules in force: those of the file as the program started with it."""
    return Access.load()


def _faults(found: Access) -> list[str]:
    faults = []
    for kind, listed in (("purpose", found.purpose), ("basis", found.basis), ("rule", found.rule)):
        codes = [one.code for one in listed]
        twice = {code for code in codes if codes.count(code) > 1}
        faults += [f"{kind} {code} stands there twice" for code in sorted(twice)]
        faults += [] if listed else [f"there is no {kind}; write at least one [[{kind}]]"]
    known = {one.code for one in found.purpose}
    for rule in found.rule:
        unknown = [code for code in rule.purposes if code not in known]
        faults += [f"rule {rule.code}: there is no purpose {code}" for code in unknown]
        faults += [] if rule.deciders else [f"rule {rule.code}: deciders is empty; nobody would decide"]
    always = [one for one in found.rule if not _conditions(one)]
    faults += [] if always else ["no rule holds always; write one without conditions, or something would be undecided"]
    longest = found.limits.longest_minutes
    faults += ["live_minutes is more than longest_minutes"] if found.limits.live_minutes > longest else []
    for one in found.purpose:
        faults += [f"purpose {one.code}: minutes is more than longest_minutes"] if one.minutes > longest else []
        faults += [] if one.modes else [f"purpose {one.code}: modes is empty"]
    for each in found.forbidden:
        faults += [] if each.words or each.positions else [f"forbidden {each.code}: neither words nor positions"]
    return faults


def _conditions(rule: Rule) -> bool:
    listed = (rule.purposes, rule.modes, rule.urgencies, rule.classes, rule.positions, rule.units)
    return any(listed) or rule.restricted is not None or bool(rule.longer_minutes)


def _where(path: Path, text: str, said: str) -> str:
    """Return the file and, as far as the message names a part of it, the line on which that begins."""
    found = re.search(r"`\$\.(\w+)(?:\[(\d+)\])?(?:\.(\w+))?", said)
    if found is None:
        return str(path)
    section, number, name = found[1], int(found[2] or 0), found[3] or ""
    heads = [at for at, line in enumerate(text.splitlines()) if re.match(rf"\s*\[+{section}\]+", line)]
    if number >= len(heads):
        return str(path)
    lines = text.splitlines()[heads[number] + 1 :]
    within = next((at for at, line in enumerate(lines, 1) if name and re.match(rf"\s*{name}\b", line)), 0)
    return f"{path}, line {heads[number] + within + 1}"
