"""Which clocks 时限 run on an incident or an order's recipient, and what every change does to them. Pure.

Started when it is opened, stopped by what happens, paused while it is suspended, changed with type, urgency and grade,
started anew when it is opened again. Times: UTC microseconds.
"""

from collections.abc import Iterable
from datetime import tzinfo
from typing import Any, NamedTuple

from msgspec import structs

from config.calendar import Workdays
from config.deadlines import Length, Limits
from operations.calendar import Calendar
from operations.incident import STEPS, Incident
from operations.ticking import NEAR, OVERDUE, Clock, done

SECOND = 1_000_000
ON_INCIDENT = ("accept", "dispatch", "arrive", "close")
ON_RECIPIENT = ("sign", "arrive", "close")
STAGES = ("near", "overdue", "escalated")
_HANDLED = STEPS.index("handle")


class Said(NamedTuple):
    """What a clock says: `stage` of STAGES, `level` counts escalations from 1, `late_s` how late it is said."""

    clock: Clock
    stage: str
    level: int
    tells: tuple[str, ...]
    card: str
    late_s: int


class Deadlines:
    """The city's deadlines on its calendar. Without limits nothing has a clock."""

    def __init__(self, limits: Limits | None = None, calendar: Calendar | None = None) -> None:
        self._limits = limits
        self._calendar = calendar
        self._known: dict[tuple[str, str, str], dict[str, Length]] = {}
        self._last: dict[tuple[str, str, str], tuple[int, tuple[Clock, ...]]] = {}
        self._plain: dict[tuple[str, str, str], tuple[tuple[str, int, int], ...] | None] = {}

    # ---- starting ----

    def started(self, kind: str, urgency: str, at: int, grade: str = "") -> tuple[Clock, ...]:
        """Return the clocks an incident starts with."""
        key = (kind, urgency, grade)
        last = self._last.get(key)
        if last is not None and last[0] == at:  # reports that came together
            return last[1]
        if key not in self._plain:
            self._plain[key] = self._offsets(key)
        offsets = self._plain[key]
        if offsets is None:  # some are in working time
            made = self._clocks(ON_INCIDENT, key, at)
        else:
            made = tuple([Clock(name, at, at + due, at + near, at + near) for name, near, due in offsets])
        self._last[key] = at, made
        return made

    def recipient(self, kind: str, urgency: str, at: int, grade: str = "") -> tuple[Clock, ...]:
        """Return the clocks a recipient starts with, where its order sets no times of its own."""
        return self._clocks(ON_RECIPIENT, (kind, urgency, grade), at)

    def _offsets(self, key: tuple[str, str, str]) -> tuple[tuple[str, int, int], ...] | None:
        lengths = self._lengths(key)
        wanted = [(name, lengths[name]) for name in ON_INCIDENT if name in lengths]
        if any(not length.seconds for _, length in wanted):
            return None
        return tuple((name, self._share(one.seconds * SECOND), one.seconds * SECOND) for name, one in wanted)

    def _clocks(self, names: Iterable[str], key: tuple[str, str, str], at: int) -> tuple[Clock, ...]:
        lengths = self._lengths(key)
        return tuple(self._clock(name, lengths[name], at) for name in names if name in lengths)

    def _clock(self, name: str, length: Length, at: int) -> Clock:
        due = self._due(length, at)
        near = self._near(length, at, due)
        return Clock(name, at, due, near, near)

    # ---- changing ----

    def after(self, before: Incident, after: Incident, now: int) -> dict[str, Any]:
        """Return {"clocks": ...} where what became of an incident changes its clocks, else {}."""
        clocks = self._after(before, after, now)
        return {} if clocks == after.clocks else {"clocks": clocks}

    def _after(self, before: Incident, after: Incident, now: int) -> tuple[Clock, ...]:
        if before.merged_into != after.merged_into or len(after.merged) < len(before.merged):
            return after.clocks  # merging stops those of the part; splitting gives both their own back
        if after.is_open and not before.is_open:
            return self.started(after.type, after.urgency, now, after.grade)
        if not after.is_open:
            return tuple(_stopped(one, now) for one in after.clocks)
        clocks = after.clocks
        if _held(before) and not _held(after):
            clocks = tuple(self._resumed(after, one, now) for one in clocks)
        if _kind(before) != _kind(after):
            clocks = self._changed(after, clocks, now)
        clocks = self._happened(before, after, clocks, now)
        if _held(after):
            clocks = tuple(_paused(one, now) for one in clocks)
        return clocks

    def _happened(self, before: Incident, after: Incident, clocks: tuple[Clock, ...], now: int) -> tuple[Clock, ...]:
        """Stop and start what waits for what has happened."""
        for name, was, is_ in (
            ("accept", before.acknowledged_at is not None, after.acknowledged_at is not None),
            ("dispatch", _handled(before), _handled(after)),
            ("supervise", before.supervised_at is None, after.supervised_at is None),
        ):
            if is_ and not was:
                clocks = done(clocks, name, now)
            elif was and not is_:
                clocks = self._again(after, clocks, name, now)
        return clocks

    def _again(self, incident: Incident, clocks: tuple[Clock, ...], name: str, now: int) -> tuple[Clock, ...]:
        lengths = self._lengths(_kind(incident))
        kept = tuple(one for one in clocks if one.name != name)
        return (*kept, self._clock(name, lengths[name], now)) if name in lengths else kept

    def _changed(self, incident: Incident, clocks: tuple[Clock, ...], now: int) -> tuple[Clock, ...]:
        """Give each running clock its new length.

        One that ends sooner counts from the change, and never later than it was; one that ends later counts from its
        start. A clock that the new kind has and the old had not starts with the change.
        """
        lengths = self._lengths(_kind(incident))
        found = tuple(
            self._relength(incident, one, lengths.get(one.name), now) if one.done_at is None else one for one in clocks
        )
        there = {one.name for one in found}
        fresh = (self._clock(name, lengths[name], now) for name in ON_INCIDENT if name in lengths.keys() - there)
        return (*(one for one in found if one is not None), *fresh)

    def _relength(self, incident: Incident, clock: Clock, length: Length | None, now: int) -> Clock:
        if length is None:
            return _stopped(clock, now)
        due = self._due(length, clock.started_at)
        if due < clock.due_at:
            due = min(clock.due_at, self._due(length, now))
        return self._moved(incident, clock, due, now)

    def extended(self, incident: Incident, name: str, due_at: int, now: int) -> tuple[Clock, ...]:
        """Return the clocks with one of them due later, as an approved extension 延期 has it."""
        return tuple(
            self._moved(incident, one, due_at, now) if one.name == name and one.done_at is None else one
            for one in incident.clocks
        )

    def _resumed(self, incident: Incident, clock: Clock, now: int) -> Clock:
        """Go on with what was left when it was suspended."""
        if clock.paused_at is None or clock.done_at is not None:
            return clock
        length = self._lengths(_kind(incident)).get(clock.name)
        away = now - clock.paused_at
        due = self._left(length, clock, now)
        clock = structs.replace(clock, paused_at=None, started_at=clock.started_at + away)
        return self._moved(incident, clock, due, now)

    def _left(self, length: Length | None, clock: Clock, now: int) -> int:
        paused = clock.paused_at or now
        if clock.due_at <= paused or length is None or length.seconds or self._calendar is None:
            return clock.due_at + now - paused
        if length.unit == "wh":
            return self._calendar.add(now, self._calendar.between(paused, clock.due_at))
        days = self._calendar.days_between(paused, clock.due_at)
        return self._calendar.add_days(now, days) if days else max(clock.due_at, self._calendar.add_days(now, 1))

    def _moved(self, incident: Incident, clock: Clock, due: int, now: int) -> Clock:
        """A clock due at another time; what it said of the time before holds only as far as it still does."""
        if due == clock.due_at:
            return clock
        length = self._lengths(_kind(incident)).get(clock.name)
        near = self._near(length, clock.started_at, due)
        told = clock.told if now >= due else min(clock.told, NEAR) if now >= near else 0
        moved = structs.replace(clock, due_at=due, near_at=near, told=told)
        return structs.replace(moved, next_at=self._next(moved, incident.urgency))

    # ---- firing ----

    def fire(self, clocks: tuple[Clock, ...], urgency: str, now: int) -> tuple[tuple[Clock, ...], list[Said]]:
        """Return the clocks after all that is due has been said, and what that is, the earliest first."""
        said: list[Said] = []
        after = tuple(self._fired(one, urgency, now, said) for one in clocks)
        return after, sorted(said, key=lambda one: -one.late_s)

    def _fired(self, clock: Clock, urgency: str, now: int, said: list[Said]) -> Clock:
        while clock.runs and clock.next_at is not None and clock.next_at <= now:
            if self._next(clock, urgency) is None:  # the deadlines were given fewer steps meanwhile
                return structs.replace(clock, next_at=None)
            late = (now - clock.next_at) // SECOND
            clock = structs.replace(clock, told=clock.told + 1)
            clock = structs.replace(clock, next_at=self._next(clock, urgency))
            said.append(self._said(clock, urgency, late))
        return clock

    def _said(self, clock: Clock, urgency: str, late: int) -> Said:
        limits = self._limits
        if clock.told <= OVERDUE or limits is None:
            tells = () if limits is None else limits.near if clock.told == NEAR else limits.overdue
            return Said(clock, STAGES[min(clock.told, OVERDUE) - 1], 0, tells, "", late)
        level = clock.told - OVERDUE
        step = limits.escalation[urgency][level - 1]
        card = step.card if clock.name in limits.cards else ""
        return Said(clock, "escalated", level, step.tells, card, late)

    def _next(self, clock: Clock, urgency: str) -> int | None:
        """When it says something next, by what it has said."""
        if clock.told < OVERDUE:
            return clock.due_at if clock.told else clock.near_at
        steps = () if self._limits is None else self._limits.escalation.get(urgency, ())
        level = clock.told - OVERDUE
        return clock.due_at + steps[level].after_s * SECOND if level < len(steps) else None

    # ---- lengths ----

    def _lengths(self, key: tuple[str, str, str]) -> dict[str, Length]:
        if key not in self._known:
            self._known[key] = {} if self._limits is None else self._limits.of(*key)
        return self._known[key]

    def _due(self, length: Length, at: int) -> int:
        if length.seconds or self._calendar is None:
            return at + length.seconds * SECOND
        if length.unit == "wh":
            return self._calendar.add(at, length.amount * 3_600 * SECOND)
        return self._calendar.add_days(at, length.amount)

    def _near(self, length: Length | None, at: int, due: int) -> int:
        if length is None or length.seconds or self._calendar is None:
            return at + self._share(due - at)
        return self._calendar.add(at, self._share(self._calendar.between(at, due)))

    def _share(self, whole: int) -> int:
        return 0 if self._limits is None else whole * self._limits.near_percent // 100


NONE = Deadlines()
"""No deadlines at all."""


def _kind(incident: Incident) -> tuple[str, str, str]:
    return incident.type, incident.urgency, incident.grade


def _handled(incident: Incident) -> bool:
    return incident.step in STEPS and STEPS.index(incident.step) >= _HANDLED


def _held(incident: Incident) -> bool:
    return incident.suspended_at is not None


def _stopped(clock: Clock, now: int) -> Clock:
    return clock if clock.done_at is not None else structs.replace(clock, done_at=now, next_at=None)


def _paused(clock: Clock, now: int) -> Clock:
    return clock if not clock.runs else structs.replace(clock, paused_at=now)


def of(zone: tzinfo) -> Deadlines:
    """Return the deadlines as they are configured. Raises DeadlinesError, CalendarError."""
    return Deadlines(Limits.load(), Calendar(Workdays.load(), zone))
