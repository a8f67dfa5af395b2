"""The first accounts: those of the demonstration, or one security administrator who makes all others."""

from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Any

import sqlalchemy as sa

from operations import accounts, journal, sessions
from operations.database import Database
from operations.policy import SYSTEM
from operations.scope import WHOLE, Scope
from operations.tables import account as table

FIRST = "security"
ROLE = "security_admin"
"""Name and role of the one account of a first start; another name where somebody has this one."""


def retire(database: Database, kept: Collection[str], *, now: int) -> list[str]:
    """Switch the accounts of the demonstration off, but those `kept`; return their names."""
    with database.write() as transaction:
        query = sa.select(table).where(table.c.demo == 1, table.c.disabled_at.is_(None), table.c.name.not_in(kept))
        rows = transaction.connection.execute(query.with_for_update()).all()
        drafts = []
        for row in rows:
            transaction.connection.execute(sa.update(table).where(table.c.id == row.id).values(disabled_at=now))
            sessions.close_all(transaction, row.id, SYSTEM.actor, now)
            drafts.append(accounts.draft(SYSTEM, "account.disabled", row.id, now, {"demo": True}))
        journal.append(transaction, drafts)
    return [row.name for row in rows]


def demonstrate(database: Database, wanted: Mapping[str, str], *, now: int) -> list[str]:
    """Have accounts of the demonstration, {name: role}; a name that a real account has is left alone. Return which.

    A liaison is called after the department they answer for.
    """
    made = []
    for name, role in wanted.items():
        found = accounts.find(database, name)
        if found is None:
            scope = Scope(department=name) if role == "liaison" else WHOLE
            accounts.add(database, SYSTEM, name, role, now=now, scope=scope, demo=True)
        elif not found.demo:
            continue
        elif found.disabled_at is not None:
            _again(database, found.id, {"disabled_at": None}, now)
        made.append(name)
    return made


def first(database: Database, *, now: int) -> tuple[str, str]:
    """Have the one security administrator of a first start: return the name, and the password they have to change.

    Both are empty when somebody has set up such an account already. One of the demonstration becomes a real one; an
    account that is anybody's is never touched, whatever it is called.
    """
    if accounts.founded(database):
        return "", ""
    name = name_of_first(database)
    if _row(database, name) is None:
        return name, accounts.add(database, SYSTEM, name, ROLE, now=now)
    found = accounts.find(database, name)
    if found is not None and found.demo:
        made_real = {"demo": 0, "disabled_at": None, "role": ROLE, "administrator": ROLE}
        _again(database, found.id, {**made_real, "must_change": accounts.NEVER}, now)
    return name, accounts.set_password(database, SYSTEM, name, now=now)


def name_of_first(database: Database) -> str:
    """Return what the security administrator of a first start is called: with a number where somebody has the name."""
    for number in count(1):
        name = FIRST if number == 1 else f"{FIRST}-{number}"
        row = _row(database, name)
        waits = row is not None and (row.role, row.must_change, row.disabled_at) == (ROLE, accounts.NEVER, None)
        if row is None or row.demo or waits:
            break
    return name


def taken(database: Database, name: str) -> bool:
    """Say whether an account is somebody's: they have chosen a password, or sign in by an identity provider."""
    row = _row(database, name)
    return row is not None and not row.demo and row.must_change != accounts.NEVER


def living(database: Database, names: Sequence[str], now: int) -> list[str]:
    """Return which of these are accounts of the demonstration that may be used."""
    found = {one.name for one in accounts.living(database) if one.demo and one.living(now)}
    return [name for name in names if name in found]


def _row(database: Database, name: str) -> Any:
    with database.read() as connection:
        return connection.execute(sa.select(table).where(table.c.name == name)).one_or_none()


def _again(database: Database, account_id: str, values: Mapping[str, object], now: int) -> None:
    with database.write() as transaction:
        transaction.connection.execute(sa.update(table).where(table.c.id == account_id).values(**values))
        body: dict[str, object] = {"demo": values.get("demo", 1) == 1}
        journal.append(transaction, [accounts.draft(SYSTEM, "account.enabled", account_id, now, body)])
