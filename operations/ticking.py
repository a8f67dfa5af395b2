"""A clock 时限 that runs on an incident, an order's recipient or a report upwards: pure, times in UTC microseconds.

A clock says near-due once, overdue once and then escalates; what it has said stands in `told`, in the same transaction
as the entry that says it, so that any number of workers say each of it once.
"""

from collections.abc import Iterable

from msgspec import Struct, structs

NEAR, OVERDUE = 1, 2
"""What `told` counts: 1 near-due was said, 2 overdue, each one more is an escalation."""


class Clock(Struct, frozen=True, array_like=True, gc=False):
    """One clock. `near_at`: 80 % of the way; `next_at`: when it says something next, None: never again.

    `paused_at` while the matter is suspended; `done_at` once what it waits for has happened.
    """

    name: str
    started_at: int
    due_at: int
    near_at: int
    next_at: int | None = None
    told: int = 0
    done_at: int | None = None
    paused_at: int | None = None

    @property
    def runs(self) -> bool:
        """Whether it still counts."""
        return self.done_at is None and self.paused_at is None


def state(clock: Clock, now: int) -> str:
    """Return met | missed (done in time or late), paused, overdue, near or running."""
    if clock.done_at is not None:
        return "met" if clock.done_at <= clock.due_at else "missed"
    if clock.paused_at is not None:
        return "paused"
    return "overdue" if now >= clock.due_at else "near" if now >= clock.near_at else "running"


def pressing(clocks: Iterable[Clock]) -> Clock | None:
    """Return the clock that is due first of those that run."""
    return min((one for one in clocks if one.runs), key=lambda one: one.due_at, default=None)


def loudest(clocks: Iterable[Clock]) -> int:
    """Return the most that a running clock has said: 0 nothing, NEAR, OVERDUE or more."""
    return max((one.told for one in clocks if one.runs), default=0)


def next_at(clocks: Iterable[Clock]) -> int | None:
    """Return when the first of some clocks says something next; what lies in the database to be found by."""
    first = None
    for one in clocks:  # of every report: `runs` is spelt out
        at = one.next_at
        if at is not None and one.done_at is None and one.paused_at is None and (first is None or at < first):
            first = at
    return first


def done(clocks: tuple[Clock, ...], name: str, at: int) -> tuple[Clock, ...]:
    """Return the clocks with one of them stopped, if it runs."""
    return tuple(
        structs.replace(one, done_at=at, next_at=None) if one.name == name and one.done_at is None else one
        for one in clocks
    )
