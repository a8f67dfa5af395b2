"""The roll of accounts 账号名册, as the security administrator sees it: who holds what, since when, in which state."""

from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import assignments
from operations.assignments import Assignment
from operations.database import Database
from operations.errors import Forbidden
from operations.policy import Identity, allowed
from operations.scope import Scope
from operations.tables import account, session

STATES = ("active", "locked", "must_change", "coming", "ended", "off")


class Person(Struct, frozen=True):
    """One account: its own role and scope, its rights that are not over, and what is known of its signing in.

    `administrator`: which of the three it ever was. Times are UTC microseconds.
    """

    id: str
    name: str
    role: str
    scope: Scope
    revision: int
    shown_name: str = ""
    administrator: str = ""
    external: str = ""
    demo: bool = False
    second_factor: bool = False
    must_change: bool = False
    locked_until: int = 0
    added_at: int = 0
    valid_from: int | None = None
    valid_to: int | None = None
    disabled_at: int | None = None
    signed_in_at: int | None = None
    open_sessions: int = 0
    rights: tuple[Assignment, ...] = ()

    def state(self, now: int) -> str:
        """Return its state, one of STATES: the first that keeps somebody out, else whether a password is to be set."""
        if self.disabled_at is not None:
            return "off"
        if self.valid_to is not None and self.valid_to <= now:
            return "ended"
        if self.valid_from is not None and self.valid_from > now:
            return "coming"
        if self.locked_until > now:
            return "locked"
        return "must_change" if self.must_change else "active"

    def held(self, now: int) -> tuple[str, Scope]:
        """Return the role and scope that count now."""
        found = assignments.counting(self.rights, now)
        return (self.role, self.scope) if found is None else (found.right.role, found.right.scope)


def people(database: Database, identity: Identity, now: int) -> list[Person]:
    """Return all accounts of people by name. Raises Forbidden."""
    if not allowed(identity, "account.read"):
        raise Forbidden(permission="account.read")
    columns = session.c
    is_open = sa.and_(columns.closed_at.is_(None), columns.expires_at > now)
    counted = sa.func.sum(sa.case((is_open, 1), else_=0))
    signed = sa.select(columns.account, sa.func.max(columns.opened_at).label("at"), counted.label("open"))
    with database.read() as connection:
        seen = {row.account: row for row in connection.execute(signed.group_by(columns.account))}
        rights: dict[str, list[Assignment]] = {}
        for one in assignments.living(connection, now):
            rights.setdefault(one.account, []).append(one)
        rows = connection.execute(sa.select(account).where(account.c.role != "wall").order_by(account.c.name)).all()
    return [_person(row, seen.get(row.id), tuple(rights.get(row.id, ()))) for row in rows]


def _person(row: Any, seen: Any, rights: tuple[Assignment, ...]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        role=row.role,
        scope=Scope(row.scope_grid, row.scope_department),
        revision=row.revision,
        shown_name=row.shown_name,
        administrator=row.administrator,
        external=row.external,
        demo=bool(row.demo),
        second_factor=row.totp is not None,
        must_change=bool(row.must_change),
        locked_until=row.locked_until,
        added_at=row.added_at,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        disabled_at=row.disabled_at,
        signed_in_at=None if seen is None else seen.at,
        open_sessions=0 if seen is None else int(seen.open),
        rights=rights,
    )
