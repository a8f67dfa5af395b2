"""When a child that ended is started again: a pure rule with the time as an argument."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Wait `first` seconds, `factor` times as long after each quick end, up to `longest`; `calm` seconds forgive."""

    first: float = 0.25
    factor: float = 2.0
    longest: float = 15.0
    calm: float = 10.0


@dataclass(frozen=True)
class History:
    """How often in a row a child ended quickly, and when it starts next (monotonic seconds)."""

    quick_ends: int = 0
    start_at: float = 0.0


def after_end(history: History, policy: Policy, *, started_at: float, now: float) -> History:
    """The history once a child that began at `started_at` has ended at `now`; never gives up."""
    quick = history.quick_ends if now - started_at < policy.calm else 0
    wait = min(policy.longest, policy.first * policy.factor ** min(quick, 30))
    return History(quick + 1, now + wait)
