"""Doubles 疑似同一事件: open incidents that may be one event told several times. Proposed only; a person decides.

Two incidents are twins when they occurred near each other in place and time and are alike in type and title. The
relation is of pairs, symmetric, and follows from the two incidents alone, so that the same board always proposes the
same. Texts are sealed and not read; reports of one source under one id are revisions of one incident, never twins.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import NamedTuple

from msgspec import Struct, field

from operations.incident import Incident

MINUTE = 60_000_000
METRES_A_DEGREE = 111_195.0  # of latitude, on the mean sphere
COLUMN = 4  # a cell is so many times wider than high in degrees: up to 75 degrees of latitude it is wide enough
ALIKE, SOMEWHAT = 0.5, 0.25  # Dice coefficient of two titles
ENOUGH, ENOUGH_WEAK = 2, 3
SAME_METRES = 30.0  # no farther than two readings of one place
PAIR_BYTES = 9
SHOWN = 8
"""Twins shown of one incident, the likeliest first."""

_CJK = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W_]+")

Cell = tuple[str | int, ...]


class Rules(Struct, frozen=True):
    """How near is near: metres by group of types, minutes between the two occurrences, fewer where evidence is weak."""

    metres: float = 200.0
    metres_of: Mapping[str, float] = field(default_factory=lambda: {"07": 400.0})  # natural hazards: seen from afar
    minutes: int = 60
    minutes_weak: int = 15

    def within(self, group: str) -> float:
        """Return the metres for a group of types."""
        return self.metres_of.get(group, self.metres)

    @property
    def farthest(self) -> float:
        """The most metres of any group."""
        return max(self.metres, *self.metres_of.values())


RULES = Rules()


class Twin(NamedTuple):
    """Another incident that may be the same event: metres apart (None where one has no point), minutes later (< 0:
    earlier), and how alike the two are (2 to 4)."""

    incident: Incident
    metres: float | None
    minutes: float
    likeness: int


class Trait(NamedTuple):
    """What of an incident is compared."""

    id: str
    source: str
    type: str
    title: frozenset[str]
    address: frozenset[str]
    at: int
    lon: float | None
    lat: float | None
    vague: bool
    grid: str
    distinct: tuple[str, ...]


def pair(one: str, other: str) -> str:
    """Return the name of a pair of incidents: who knows only one of the ids learns nothing of the other from it."""
    return blake2b("/".join(sorted((one, other))).encode(), digest_size=PAIR_BYTES).hexdigest()


def trait(incident: Incident, rules: Rules = RULES) -> Trait | None:
    """Return what is compared of an incident; None of one that is closed or nowhere."""
    if not incident.is_open or (incident.lon is None and not incident.grid):
        return None
    return Trait(
        incident.id,
        incident.source,
        incident.type,
        tokens(incident.title),
        _street(incident),
        incident.occurred_at,
        incident.lon,
        incident.lat,
        (incident.accuracy_m or 0.0) > rules.within(incident.type[:2]),
        incident.grid,
        incident.distinct,
    )


def tokens(title: str) -> frozenset[str]:
    """Return pairs of neighbouring characters of Chinese, and words of other scripts."""
    plain = unicodedata.normalize("NFKC", title).casefold()
    runs = _CJK.findall(plain)
    pairs = {run[i : i + 2] for run in runs for i in range(max(len(run) - 1, 1))}
    return frozenset(pairs.union(word for word in _WORD.findall(_CJK.sub(" ", plain)) if len(word) > 1))


def likeness(one: Trait, other: Trait, rules: Rules = RULES) -> int:
    """Return how alike two incidents are, 0 for no twins.

    Type: 2 the same, 1 the same group; title: 2 alike, 1 somewhat. Together 2 suffice. Evidence is weak between two
    reports of one source, which mostly numbers apart what is apart, and where a place is known as a grid or vaguely
    only: then it takes 3, less time between the two, and addresses that do not contradict each other.
    """
    between = abs(one.at - other.at)
    if between > rules.minutes * MINUTE or not _near(one, other, rules) or _told_apart(one, other):
        return 0
    kind = 2 if one.type == other.type else int(one.type[:2] == other.type[:2])
    total = kind + _alike(one.title, other.title)
    if not _weak(one, other):
        return total if total >= ENOUGH else 0
    holds = between <= rules.minutes_weak * MINUTE and _agree(one, other)
    return total if holds and total >= ENOUGH_WEAK else 0


def metres(one: Trait | Incident, other: Trait | Incident) -> float | None:
    """Return how far apart two incidents lie on the mean sphere; None where one has no point."""
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return None
    east = math.remainder(other.lon - one.lon, 360.0) * math.cos(math.radians((one.lat + other.lat) / 2))
    return METRES_A_DEGREE * math.hypot(east, other.lat - one.lat)


def twins(incidents: Mapping[str, Incident], incident_id: str, rules: Rules = RULES) -> list[Twin]:
    """Return the twins of one incident among `incidents` (one scope's), the likeliest first; without an index."""
    incident = incidents.get(incident_id)
    own = None if incident is None else trait(incident, rules)
    if incident is None or own is None:
        return []
    found, window = [], rules.minutes * MINUTE
    for other in incidents.values():
        if abs(other.occurred_at - own.at) > window or other.id == incident_id or _far(incident, other, rules):
            continue
        theirs = trait(other, rules)
        alike = likeness(own, theirs, rules) if theirs is not None else 0
        if alike:
            apart = (other.occurred_at - own.at) / MINUTE
            found.append(Twin(other, metres(incident, other), apart, alike))
    return sorted(found, key=_order)


class Doubles:
    """The twins of a crowd of incidents, kept by what changes. Law: `near[id]` are the ids that `twins` returns."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.near: dict[str, set[str]] = {}
        self._rules = rules
        self._traits: dict[str, Trait] = {}
        self._cells: dict[Cell, set[str]] = {}

    def update(self, crowd: Mapping[str, Incident], touched: Iterable[str]) -> set[str]:
        """Take in what changed; return the ids whose twins may have changed."""
        changed: set[str] = set()
        for incident_id in touched:
            incident = crowd.get(incident_id)
            now = None if incident is None else trait(incident, self._rules)
            if now != self._traits.get(incident_id):
                changed |= self._replace(incident_id, now)
        return changed

    def _replace(self, incident_id: str, now: Trait | None) -> set[str]:
        changed = {incident_id, *self._take_out(incident_id)}
        if now is None:
            return changed
        found = {other for other in self._candidates(now) if likeness(now, self._traits[other], self._rules)}
        self._traits[incident_id] = now
        self._cells.setdefault(_home(now, self._rules), set()).add(incident_id)
        if now.lon is not None and now.grid:
            self._cells.setdefault(("placed", now.grid, _slot(now.at, self._rules)), set()).add(incident_id)
        for other in found:
            self.near.setdefault(other, set()).add(incident_id)
        if found:
            self.near[incident_id] = found
        return changed | found

    def _take_out(self, incident_id: str) -> set[str]:
        """Remove an incident; return those that were its twins."""
        old = self._traits.pop(incident_id, None)
        if old is None:
            return set()
        for cell in (_home(old, self._rules), ("placed", old.grid, _slot(old.at, self._rules))):
            held = self._cells.get(cell, set())
            held.discard(incident_id)
            if not held:
                self._cells.pop(cell, None)
        were = self.near.pop(incident_id, set())
        for other in were:
            self.near[other].discard(incident_id)
            if not self.near[other]:
                del self.near[other]
        return were

    def _candidates(self, one: Trait) -> Iterator[str]:
        """Those in the cells around: around a point, and in the same grid where one of two has no point."""
        slot = _slot(one.at, self._rules)
        for at in (slot - 1, slot, slot + 1):
            if one.lon is not None and one.lat is not None:
                row, column = _cell(one.lon, one.lat, self._rules)
                for up in (row - 1, row, row + 1):
                    for across in (column - 1, column, column + 1):
                        yield from self._cells.get((up, across, at), ())
                yield from self._cells.get(("grid", one.grid, at), ()) if one.grid else ()
            else:
                yield from self._cells.get(("grid", one.grid, at), ())
                yield from self._cells.get(("placed", one.grid, at), ())


def _home(one: Trait, rules: Rules) -> Cell:
    """The cell of a point, or of a grid for what has no point."""
    if one.lon is None or one.lat is None:
        return ("grid", one.grid, _slot(one.at, rules))
    return (*_cell(one.lon, one.lat, rules), _slot(one.at, rules))


def _cell(lon: float, lat: float, rules: Rules) -> tuple[int, int]:
    height = rules.farthest / METRES_A_DEGREE
    return math.floor(lat / height), math.floor(lon / (height * COLUMN))


def _slot(at: int, rules: Rules) -> int:
    return at // (rules.minutes * MINUTE)


def _far(one: Incident, other: Incident, rules: Rules) -> bool:
    """Whether two points are too far apart for any group of types; quicker to say than all the rest."""
    apart = metres(one, other)
    return apart is not None and apart > rules.farthest


def _near(one: Trait, other: Trait, rules: Rules) -> bool:
    apart = metres(one, other)
    if apart is None:
        return one.grid != "" and one.grid == other.grid
    return apart <= min(rules.within(one.type[:2]), rules.within(other.type[:2]))


def _weak(one: Trait, other: Trait) -> bool:
    return one.source == other.source or one.vague or other.vague or one.lon is None or other.lon is None


def _alike(one: frozenset[str], other: frozenset[str]) -> int:
    """2 for alike, 1 for somewhat alike, 0 for not."""
    dice = 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
    return 2 if dice >= ALIKE else int(dice >= SOMEWHAT)


def _agree(one: Trait, other: Trait) -> bool:
    """Whether two addresses, where there are two, may be one; the same point needs none."""
    apart = metres(one, other)
    if not one.address or not other.address or (apart is not None and apart <= SAME_METRES):
        return True
    return 2 * len(one.address & other.address) > ALIKE * (len(one.address) + len(other.address))


def _street(incident: Incident) -> frozenset[str]:
    """What an address says beyond the title (which may name the suburb) and numbers: houses, postcodes."""
    return frozenset(one for one in tokens(incident.address) - tokens(incident.title) if not one.isdigit())


def _told_apart(one: Trait, other: Trait) -> bool:
    """Whether somebody said that the two are not the same."""
    if not one.distinct and not other.distinct:
        return False
    name = pair(one.id, other.id)
    return name in one.distinct or name in other.distinct


def _order(twin: Twin) -> tuple[float, ...]:
    far = math.inf if twin.metres is None else twin.metres
    return (-twin.likeness, far, abs(twin.minutes), *(ord(one) for one in twin.incident.id))
