"""Online rate 在线率 and intact rate 完好率 of cameras, with numerator, denominator and cut-off. Pure.

Both are over the cameras registered and not under planned maintenance. Online: they give some picture (live, poor, or
dark but not lost). Intact: they are live. Those whose state is unknown stay in the denominator and are told beside it,
as are those maintained, and how many pictures were really judged. Targets 98 % (class 1, key public areas) and 95 %
(classes 2 and 3, key trades): 发改高技〔2015〕996; a group of several classes is held to 98 %.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from operations.cameras.condition import DARK, FAULTY, LIVE, MAINTENANCE, UNJUDGED, UNKNOWN, Signalled, condition

WHOLE = "whole"
BY = ("owner", "town", "class", "vendor")
"""What figures are told by, beside the whole."""
TARGET, TARGETS = 98.0, {"2": 95.0, "3": 95.0}
"""Percent, and those of classes that differ."""
HOUR = 3_600_000_000
GAP = HOUR // 2
"""Time between two samples above which nobody knows what was; it does not count."""


class Counted(Signalled, Protocol):
    """A camera as it counts."""

    @property
    def path(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def point_class(self) -> int: ...
    @property
    def vendor(self) -> str: ...


class Tally(NamedTuple):
    """Cameras of a group: `registered` are all of them, `planned` those under maintenance, `judged` those whose picture
    was looked at; maintained ones are in neither of the others."""

    registered: int = 0
    reached: int = 0
    intact: int = 0
    unknown: int = 0
    planned: int = 0
    judged: int = 0

    @property
    def counted(self) -> int:
        """The denominator."""
        return self.registered - self.planned


Axes = dict[str, dict[str, Tally]]
"""{WHOLE or one of BY: {name: its cameras}}; towns by their path from the top."""


class Rate(NamedTuple):
    """So many of so many: cameras, or camera-hours."""

    numerator: float
    denominator: float

    @property
    def percent(self) -> float | None:
        """The share in percent; None where there is nothing to divide by."""
        return 100.0 * self.numerator / self.denominator if self.denominator else None

    def met(self, target: float) -> bool | None:
        """Whether it reaches a target; None where nothing can be said."""
        return None if self.percent is None else self.percent >= target


class Sample(NamedTuple):
    """The figures at one time (UTC microseconds)."""

    at: int
    axes: Axes


class Over(NamedTuple):
    """Rates over a period, in camera-hours."""

    online: Rate
    intact: Rate


class Period(NamedTuple):
    """{axis: {name: rates}} over a period of `hours`, of which samples stand for `known`."""

    axes: dict[str, dict[str, Over]]
    known: float
    hours: float


def tallied(cameras: Iterable[Counted], now: int) -> Axes:
    """Return the cameras of every group as they stand."""
    groups = Counter(
        (one.owner, town(one.path), str(one.point_class), one.vendor, condition(one, now), one.picture)
        for one in cameras
    )
    axes: Axes = {axis: {} for axis in (WHOLE, *BY)}
    for (*names, word, picture), number in groups.items():
        one = _of(word, picture, number)
        for axis, name in zip((WHOLE, *BY), ("", *names), strict=True):
            axes[axis][name] = add(axes[axis].get(name, Tally()), one)
    return axes


def add(one: Tally, other: Tally) -> Tally:
    """Return both together."""
    return Tally(*(a + b for a, b in zip(one, other, strict=True)))


def together(some: Iterable[Tally]) -> Tally:
    """Return all together."""
    return Tally(*(sum(column) for column in zip(Tally(), *some, strict=True)))


def online(one: Tally) -> Rate:
    """Return how many can be reached."""
    return Rate(one.reached, one.counted)


def intact(one: Tally) -> Rate:
    """Return how many are live."""
    return Rate(one.intact, one.counted)


def target(axis: str, name: str) -> float:
    """Return what a group should reach, in percent."""
    return TARGETS.get(name, TARGET) if axis == "class" else TARGET


def town(path: str) -> str:
    """Return the path of the town a leaf lies in: third from the end of its chain, else the top."""
    chain = path.split("/")
    return "/".join(chain[:-2]) if len(chain) > 2 else chain[0]


def weighted(samples: Sequence[Sample], first: int, until: int) -> Period:
    """Return the rates between two moments; samples by rising time, each weighs by the time to the next.

    A gap longer than GAP does not count, nor does time before the first sample.
    """
    sums: dict[tuple[str, str], list[int]] = {}
    known = 0
    for at, one in enumerate(samples):
        end = samples[at + 1].at if at + 1 < len(samples) else until
        weight = 0 if end - one.at > GAP else max(0, min(end, until) - max(one.at, first))
        known += weight
        for axis, names in one.axes.items() if weight else ():
            for name, told in names.items():
                held = sums.setdefault((axis, name), [0, 0, 0])
                held[0] += weight * told.reached
                held[1] += weight * told.intact
                held[2] += weight * told.counted
    axes: dict[str, dict[str, Over]] = {}
    for (axis, name), (reached, good, counted) in sums.items():
        hours = counted / HOUR
        axes.setdefault(axis, {})[name] = Over(Rate(reached / HOUR, hours), Rate(good / HOUR, hours))
    return Period(axes, known / HOUR, (until - first) / HOUR)


def within(axes: Mapping[str, Mapping[str, Tally]], grid: str, owner: str) -> Axes:
    """Return what figures say of a grid or an owner ("": any); of a grid smaller than a town, and of both, nothing."""
    if not grid and not owner:
        return {axis: dict(names) for axis, names in axes.items()}
    if grid and owner:
        return {}
    axis = "town" if grid else "owner"
    inside = {name: one for name, one in axes[axis].items() if (grid in name.split("/") if grid else name == owner)}
    return {axis: inside, WHOLE: {"": together(inside.values())}} if inside else {}


def _of(word: str, picture: str, number: int) -> Tally:
    if word == MAINTENANCE:
        return Tally(registered=number, planned=number)
    reached = word in (LIVE, FAULTY) or (word == DARK and picture != "lost")
    judged = picture not in UNJUDGED
    return Tally(number, number * reached, number * (word == LIVE), number * (word == UNKNOWN), 0, number * judged)
