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
NAMED = ("zh", "en", "short")
PLACED = ("parent", "presence", "phone", "email")
"""What the directory tells of a department beside its names."""
EMAIL_MOST = 120
_PHONE = re.compile(r"\+?[0-9][0-9 -]{1,17}[0-9]")
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")


class Wanted(Struct, frozen=True):
    """What a department is to be called: Chinese and English name, and the short name for narrow columns.

    What is None of its place in the directory stays as it is.
    """

    code: str
    zh: str
    en: str = ""
    short: str = ""
    parent: str | None = None
    presence: str | None = None
    phone: str | None = None
    email: str | None = None

    @property
    def whole(self) -> Department:
        """The same with what was left out filled in."""
        return self.over(Department(self.code, "", "", ""))

    def over(self, before: Department) -> Department:
        """The department as it is after this; what is None here stays."""
        placed: dict[str, Any] = {name: value for name in PLACED if (value := getattr(self, name)) is not None}
        short = self.short or self.zh[:SHORT_MOST]
        return replace(before, zh=self.zh, en=self.en or self.zh, short=short, **placed)


def saved(database: Database) -> dict[str, Department]:
    """Return those made or changed on screen, by code."""
    with database.read() as connection:
        return _saved(connection)


def on(connection: sa.Connection) -> dict[str, Department]:
    """Return all by code inside a read or a transaction that is already open."""
    return shipped.load() | _saved(connection)


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
    """Add the new ones and change the known ones, all or none; return how many. Raises Forbidden, Refused."""
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
            after = one.whole if before is None else one.over(before)
            known[one.code] = after
            _change(transaction, identity, before, after, _action(before, after), now)
    return len(wanted)


def rename(
    database: Database, identity: Identity, wanted: Wanted, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Call or place a department otherwise; its code stays. Raises Forbidden, NotFound, Refused."""
    require(identity, "department.manage")
    with database.write(after_commit) as transaction:
        known = _all(transaction)
        before = known.pop(wanted.code, None)
        if before is None:
            raise NotFound()
        check(wanted, known)
        after = wanted.over(before)
        _change(transaction, identity, before, after, _action(before, after), now)


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
        after = replace(before, ended=ended)
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
    _check_place(one, others)


def told(one: Department) -> dict[str, str]:
    """Return what an entry says of a department; how it is reached stands in its table alone."""
    placed = {"parent": one.parent, "presence": one.presence}
    return {"zh": one.zh, "en": one.en, "short": one.short} | {name: value for name, value in placed.items() if value}


def changed(before: Department | None, after: Department) -> list[str]:
    """Return the names of what differs; their values may not stand in an entry."""
    empty = before or Department(after.code, "", "", "")
    return [name for name in (*NAMED, *PLACED) if getattr(empty, name) != getattr(after, name)]


def _action(before: Department | None, after: Department) -> str:
    if before is None:
        return "department.added"
    named = any(getattr(before, name) != getattr(after, name) for name in NAMED)
    return "department.renamed" if named else "department.changed"


def _check_place(one: Department, others: Mapping[str, Department]) -> None:
    """Raise Refused for a place in the directory that cannot be: below itself, an unknown presence, no number."""
    above, seen = one.parent, {one.code}
    while above:
        if above in seen or above not in others:
            raise Refused("contacts.wrong.parent", value=above[:40])
        seen.add(above)
        above = others[above].parent
    if one.presence and one.presence not in shipped.PRESENCES:
        raise Refused("contacts.wrong.presence", value=one.presence[:40])
    if one.phone and _PHONE.fullmatch(one.phone) is None:
        raise Refused("contacts.wrong.phone")
    if one.email and (len(one.email) > EMAIL_MOST or "@" not in one.email or not _is_name(one.email[:NAME_MOST])):
        raise Refused("contacts.wrong.email")


def _is_name(name: str) -> bool:
    return len(name) <= NAME_MOST and name.isprintable() and name == name.strip()


def _all(transaction: Transaction) -> dict[str, Department]:
    """All by code; whoever else changes departments waits."""
    transaction.alone("departments")
    return shipped.load() | _saved(transaction.connection)


def _saved(connection: sa.Connection) -> dict[str, Department]:
    query = sa.select(table).order_by(table.c.added_at, table.c.code)
    return {
        row.code: Department(
            row.code,
            row.name,
            row.en,
            row.short,
            row.ended_at is not None,
            row.parent,
            row.presence,
            row.phone,
            row.email,
        )
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
    said: dict[str, Any] = {"before": {}, "after": {}}
    if not switched:
        earlier = {} if before is None else told(before)
        said = {"before": earlier, "after": told(after), "changed": changed(before, after)}
    journal.append(transaction, [_draft(identity, action, after.code, now, said)])


def _write(transaction: Transaction, one: Department, identity: Identity, now: int, *, new: bool) -> None:
    values: dict[str, Any] = {
        "name": one.zh,
        "en": one.en,
        "short": one.short,
        "ended_at": now if one.ended else None,
        **{name: getattr(one, name) for name in PLACED},
    }
    if new:
        values |= {"code": one.code, "added_at": now, "added_by": identity.actor}
        transaction.connection.execute(sa.insert(table).values(values))
    else:
        transaction.connection.execute(sa.update(table).where(table.c.code == one.code).values(values))


def _draft(identity: Identity, action: str, code: str, now: int, body: dict[str, Any]) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="department",
        subject_id=code,
        body=body,
    )
