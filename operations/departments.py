"""Departments 部门 made or changed on screen; they go before those of config/departments.toml.

A code stands in the journal, in jurisdictions and in incidents: once used it is never given to another department.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from config import departments as shipped
from config.departments import Department
from config.taxonomy import Taxonomy
from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, require
from operations.tables import account, assignment, incident
from operations.tables import department as table

MOST = 500
NAME_MOST, SHORT_MOST = 40, 8
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")


class Wanted(Struct, frozen=True):
    """What a department is to be called: Chinese and English name, and the short name for narrow columns."""

    code: str
    zh: str
    en: str = ""
    short: str = ""

    @property
    def whole(self) -> Department:
        """The same with what was left out filled in."""
        return Department(self.code, self.zh, self.en or self.zh, self.short or self.zh[:SHORT_MOST])


def saved(database: Database) -> dict[str, Department]:
    """Return those made or changed on screen, by code."""
    with database.read() as connection:
        return _saved(connection)


def every(database: Database) -> dict[str, Department]:
    """Return all by code, those of the file first."""
    return shipped.load() | saved(database)


def add(
    database: Database, identity: Identity, wanted: Wanted, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Add a department. Raises Forbidden, Refused."""
    if wanted.code in every(database):
        require(identity, "department.manage")
        raise Refused("operations.department_used", code=wanted.code)
    take(database, identity, [wanted], now=now, after_commit=after_commit)


def take(
    database: Database,
    identity: Identity,
    wanted: Sequence[Wanted],
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> int:
    """Add the new ones and rename the known ones, all or none; return how many. Raises Forbidden, Refused."""
    require(identity, "department.manage")
    with database.write(after_commit) as transaction:
        known = _all(transaction)
        for one in wanted:
            others = {code: each for code, each in known.items() if code != one.code}
            check(one, others)
            before = known.get(one.code)
            if before is None and len(known) >= MOST:
                raise Refused("operations.department_many", most=MOST)
            if before is None and _used(transaction.connection, one.code):
                raise Refused("operations.department_used", code=one.code)
            after = one.whole if before is None else replace(one.whole, ended=before.ended)
            known[one.code] = after
            _change(transaction, identity, before, after, "department.renamed" if before else "department.added", now)
    return len(wanted)


def rename(
    database: Database, identity: Identity, wanted: Wanted, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Call a department otherwise; its code stays. Raises Forbidden, NotFound, Refused."""
    require(identity, "department.manage")
    with database.write(after_commit) as transaction:
        known = _all(transaction)
        before = known.pop(wanted.code, None)
        if before is None:
            raise NotFound()
        check(wanted, known)
        _change(transaction, identity, before, wanted.whole, "department.renamed", now)


def end(
    database: Database,
    identity: Identity,
    code: str,
    *,
    now: int,
    ended: bool = True,
    after_commit: AfterCommit | None = None,
) -> None:
    """End a department, or have it go on. Raises Forbidden, NotFound; Refused while accounts or types belong to it."""
    require(identity, "department.manage")
    with database.write(after_commit) as transaction:
        before = _all(transaction).get(code)
        if before is None or before.ended == ended:
            raise NotFound()
        if ended:
            _check_free(transaction.connection, code, now)
        after = Department(before.code, before.zh, before.en, before.short, ended)
        _change(transaction, identity, before, after, "department.ended" if ended else "department.resumed", now)


def check(wanted: Wanted, others: Mapping[str, Department]) -> None:
    """Raise Refused, with the reason, for a department that cannot be called so beside the others."""
    if _CODE.fullmatch(wanted.code) is None:
        raise Refused("operations.department_code", code=wanted.code[:60])
    one = wanted.whole
    if not one.zh or len(one.short) > SHORT_MOST or not all(_is_name(name) for name in (one.zh, one.en, one.short)):
        raise Refused("operations.department_name", most=NAME_MOST, short=SHORT_MOST)
    same = next((each for each in others.values() if each.zh == one.zh and each.code != one.code), None)
    if same is not None and not same.ended:
        raise Refused("operations.department_twice", name=one.zh, code=same.code)


def told(one: Department) -> dict[str, str]:
    """Return what an entry says of a department."""
    return {"zh": one.zh, "en": one.en, "short": one.short}


def _is_name(name: str) -> bool:
    return len(name) <= NAME_MOST and name.isprintable() and name == name.strip()


def _all(transaction: Transaction) -> dict[str, Department]:
    """All by code; whoever else changes departments waits."""
    transaction.alone("departments")
    return shipped.load() | _saved(transaction.connection)


def _saved(connection: sa.Connection) -> dict[str, Department]:
    query = sa.select(table).order_by(table.c.added_at, table.c.code)
    return {
        row.code: Department(row.code, row.name, row.en, row.short, row.ended_at is not None)
        for row in connection.execute(query)
    }


def _used(connection: sa.Connection, code: str) -> bool:
    """Whether anything bears a code that no list holds any more."""
    columns = account.c.scope_department, assignment.c.scope_department, incident.c.department
    return any(
        connection.execute(sa.select(column).where(column == code).limit(1)).first() is not None for column in columns
    )


def _check_free(connection: sa.Connection, code: str, now: int) -> None:
    held = sa.select(sa.func.count()).select_from(account)
    held = held.where(account.c.scope_department == code, account.c.disabled_at.is_(None))
    given = sa.select(sa.func.count()).select_from(assignment)
    given = given.where(
        assignment.c.scope_department == code, assignment.c.withdrawn_at.is_(None), assignment.c.ends_at > now
    )
    count = sum(int(connection.execute(query).scalar_one()) for query in (held, given))
    if count:
        raise Refused("operations.department_held", count=count)
    types = [one.code for one in Taxonomy.load().types.values() if one.department == code]
    if types:
        raise Refused("operations.department_types", types=", ".join(types[:10]))


def _change(
    transaction: Transaction, identity: Identity, before: Department | None, after: Department, action: str, now: int
) -> None:
    if before == after:
        return
    _write(transaction, after, identity, now, new=after.code not in _saved(transaction.connection))
    switched = before is not None and before.ended != after.ended
    said = ({}, {}) if switched else ({} if before is None else told(before), told(after))
    journal.append(transaction, [_draft(identity, action, after.code, now, *said)])


def _write(transaction: Transaction, one: Department, identity: Identity, now: int, *, new: bool) -> None:
    values: dict[str, Any] = {
        "name": one.zh,
        "en": one.en,
        "short": one.short,
        "ended_at": now if one.ended else None,
    }
    if new:
        values |= {"code": one.code, "added_at": now, "added_by": identity.actor}
        transaction.connection.execute(sa.insert(table).values(values))
    else:
        transaction.connection.execute(sa.update(table).where(table.c.code == one.code).values(values))


def _draft(
    identity: Identity, action: str, code: str, now: int, before: dict[str, str], after: dict[str, str]
) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="department",
        subject_id=code,
        body={"before": before, "after": after},
    )
