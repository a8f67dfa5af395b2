"""What the commands of video access share: the database, the rules, the clock, numbers, and entries."""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any

import msgspec

from config import access as rules
from config import clock
from config.access import Access
from operations import journal
from operations.calendar import Calendar
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.grants import asked, held
from operations.grants.grant import Held
from operations.grants.request import Due, Request
from operations.numbers import Numbers

HOUR, MINUTE = 3_600_000_000, 60_000_000
SERIES = "access/"


def dues(access: Access, calendar: Calendar) -> Due:
    """Return when a seat has waited too long: minutes where it is urgent, working hours 工作时间 otherwise."""

    def due(urgency: str, now: int) -> int:
        if urgency != "routine":
            return now + access.limits.urgent_minutes * MINUTE
        return calendar.add(now, access.limits.normal_hours * HOUR)

    return due


class Desk:
    """One database's video access; its parts are the commands. `now()` is UTC microseconds."""

    def __init__(
        self,
        database: Database,
        calendar: Calendar,
        doorbell: AfterCommit | None = None,
        *,
        zone: tzinfo,
        county: str = "",
        access: Callable[[], Access] = rules.current,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database, self._doorbell = database, doorbell
        self._zone, self._county = zone, county
        self._access, self._now = access, now
        self._calendar = calendar

    @property
    def _due(self) -> Due:
        return dues(self._access(), self._calendar)

    def _number(self, transaction: Transaction, letter: str, now: int) -> str:
        numbers = Numbers(transaction, self._zone, now)
        number = letter + numbers.next(f"{SERIES}{letter}{self._county}")
        numbers.store()
        return number


def entry_of(
    one: Request | Held, action: str, actor: str, now: int, *, reason: str = "", more: dict[str, Any] | None = None
) -> Draft:
    """Return the entry of a change: what the board shows of it now, and what happened."""
    is_request = isinstance(one, Request)
    shown = asked.shown(one) if isinstance(one, Request) else held.shown(one)
    return Draft(
        at=now,
        actor=actor,
        action=action,
        subject_type="access" if is_request else "grant",
        subject_id=one.id,
        revision=one.revision,
        scope_grid=asked.place(one) if isinstance(one, Request) else one.path,
        scope_department=one.unit,
        scope_department_before=one.unit if isinstance(one, Request) else one.department,
        reason=reason,
        body={"set": None if shown is None else msgspec.to_builtins(shown), **(more or {})},
    )


def written(transaction: Transaction, drafts: Sequence[Draft]) -> None:
    """Write entries as the transaction's last step."""
    journal.append(transaction, drafts)
