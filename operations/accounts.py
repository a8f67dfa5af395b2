"""Local accounts: who they are, their passwords, and whether they may sign in now."""

import re
from typing import Any

import orjson
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import journal, lockout, passwords, separation
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import ROLES, Identity, allowed
from operations.rules import DAY, DEFAULT, Rules
from operations.scope import WHOLE, Scope
from operations.tables import account as table
from operations.uuid7 import uuid7

NEVER, ANEW = 1, 2
"""Of a password that has to be changed: nobody has chosen one yet; somebody had, and begins anew."""
INITIAL_DAYS = 7
"""How long a password made for somebody opens the door, which is to choose another."""
_NAME = re.compile(r"[\w.@-]{1,40}")


class Account(Struct, frozen=True):
    """One account; `scope` is what it may see.

    `demo`: of the demonstration, without a password. `external`: an identity provider's, without one too.
    `must_change`: the password was made for it. `second_factor`: it has one. `password_at`: since when the password
    holds, UTC microseconds.
    """

    id: str
    name: str
    role: str
    scope: Scope = WHOLE
    disabled_at: int | None = None
    valid_from: int | None = None
    valid_to: int | None = None
    demo: bool = False
    must_change: bool = False
    second_factor: bool = False
    password_at: int = 0
    external: bool = False

    @property
    def identity(self) -> Identity:
        """Who somebody signed in with it is."""
        return Identity("account", self.id, self.name, self.role, self.scope)

    def living(self, now: int) -> bool:
        """Say whether it may be signed in to at a time."""
        begun = self.valid_from is None or self.valid_from <= now
        return self.disabled_at is None and begun and (self.valid_to is None or now < self.valid_to)


def add(
    database: Database,
    identity: Identity,
    name: str,
    role: str,
    *,
    now: int,
    scope: Scope = WHOLE,
    password: str = "",
    demo: bool = False,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> str:
    """Add an account and return its password, made here when none is given: it opens the door once, to choose another.

    An account of the demonstration (`demo`) has no password. Raises Refused.
    """
    _permit(identity)
    _check(name, role)
    if password:
        passwords.check(password, name, rules)
    made = "" if demo else password or passwords.make()
    account_id = uuid7(now)
    scoped = {"scope_grid": scope.grid, "scope_department": scope.department}
    values = {
        "password": passwords.hashed(made) if made else "",
        "password_at": now,
        "must_change": int(bool(made) and not password),
        "demo": int(demo),
    }
    with database.write(after_commit) as transaction:
        if _row(transaction.connection, name) is not None:
            raise Refused("operations.account_exists", name=name)
        row = {"id": account_id, "name": name, "role": role, "added_at": now, **scoped, **values}
        row["administrator"] = separation.kept("", role)
        transaction.connection.execute(sa.insert(table).values(row))
        body: dict[str, object] = {"name": name, "role": role, **scoped} | ({"demo": True} if demo else {})
        journal.append(transaction, [draft(identity, "account.added", account_id, now, body)])
    return made


def disable(
    database: Database, identity: Identity, name: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Switch an account off; its sessions end with it. Raises NotFound."""
    _permit(identity)
    with database.write(after_commit) as transaction:
        row = _row(transaction.connection, name)
        if row is None or row.disabled_at is not None:
            raise NotFound()
        separation.check_own(identity, row.id)
        separation.check_last(transaction, row.id, now)
        values = {"disabled_at": now, "revision": row.revision + 1}
        still_on = sa.update(table).where(table.c.id == row.id, table.c.disabled_at.is_(None))
        if transaction.connection.execute(still_on.values(values)).rowcount != 1:
            raise NotFound()  # somebody else was faster
        journal.append(transaction, [draft(identity, "account.disabled", row.id, now, {})])


def unlock(
    database: Database, identity: Identity, name: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Let an account that has to wait after failures try again at once. Raises NotFound."""
    _permit(identity)
    with database.write(after_commit) as transaction:
        row = _row(transaction.connection, name)
        if row is None:
            raise NotFound()
        lockout.forgive(transaction, row.id)
        journal.append(transaction, [draft(identity, "account.unlocked", row.id, now, {})])


def set_password(
    database: Database,
    identity: Identity,
    name: str,
    password: str = "",
    *,
    now: int,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> str:
    """Give an account another password and return it; one made here has to be changed. Raises NotFound, Refused."""
    _permit(identity)
    if password:
        passwords.check(password, name, rules)
    made = password or passwords.make()
    hashed = passwords.hashed(made)
    with database.write(after_commit) as transaction:
        row = _row(transaction.connection, name)
        if row is None or row.demo:
            raise NotFound()
        put_password(transaction, row, hashed, now, must_change=not password)
        journal.append(transaction, [draft(identity, "account.password", row.id, now, {})])
    return made


def put_password(transaction: Transaction, row: Any, hashed: str, now: int, *, must_change: bool) -> None:
    """Keep a password that has been checked; the one before it may not be taken again for a while."""
    kept = passwords.past(row.password, row.past_passwords)
    values = {
        "password": hashed,
        "past_passwords": orjson.dumps(kept).decode(),
        "password_at": now,
        "must_change": (NEVER if row.must_change == NEVER else ANEW) if must_change else 0,
    }
    transaction.connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
    lockout.forgive(transaction, row.id)


def find(database: Database, name: str) -> Account | None:
    """Return an account by name, also a disabled one, or None."""
    with database.read() as connection:
        row = _row(connection, name)
    return None if row is None else account_of(row)


def of_id(database: Database, id: str) -> Account | None:
    """Return an account by its id, also a disabled one, or None."""
    with database.read() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id)).one_or_none()
    return None if row is None else account_of(row)


def living(database: Database) -> list[Account]:
    """Return the accounts that are not switched off, by name."""
    query = sa.select(table).where(table.c.disabled_at.is_(None)).order_by(table.c.name)
    with database.read() as connection:
        return [account_of(row) for row in connection.execute(query)]


def founded(database: Database) -> bool:
    """Say whether a security administrator has set up an account: from then on only they make others."""
    columns = (table.c.role == "security_admin", table.c.demo == 0, table.c.must_change != NEVER)
    query = sa.select(table.c.id).where(*columns, table.c.disabled_at.is_(None)).limit(1)
    with database.read() as connection:
        return connection.execute(query).first() is not None


def fits(database: Database, account_id: str, password: str) -> bool:
    """Say whether it is the account's password; whoever asks bounds the tries."""
    with database.read() as connection:
        hashed = connection.execute(sa.select(table.c.password).where(table.c.id == account_id)).scalar_one_or_none()
    return passwords.verify(hashed or "", password)


def check_password(database: Database, name: str, password: str, now: int, rules: Rules = DEFAULT) -> Account:
    """Return the account. Raises Refused: wrong, or too early after failures (`seconds` to wait).

    An unknown name costs the same time and gives the same answers as a known one, also after many tries. The failures
    of an account with a second factor are forgiven only once that is right too.
    """
    digest = lockout.digest(database, name)
    with database.read() as connection:
        row = _row(connection, name)
        locked_until = lockout.stranger_locked(connection, digest) if row is None else row.locked_until
    lockout.check(locked_until, now)
    fits = passwords.verify("" if row is None else row.password, password)
    found = None if row is None else account_of(row)
    if row is None or found is None or not fits or not found.living(now) or _forgotten(found, now):
        with database.write() as transaction:
            if row is not None:
                lockout.count(transaction, row.id, now, rules)
            else:
                lockout.count_stranger(transaction, digest, now, rules)
        raise Refused("operations.sign_in_failed")
    with database.read() as connection:  # others tried meanwhile: a right guess among too many wrong ones waits too
        again = _row(connection, name)
    lockout.check(again.locked_until, now)
    if again.failures and not found.second_factor:
        with database.write() as transaction:
            lockout.forgive(transaction, row.id)
    return found


def account_of(row: Any) -> Account:
    """Build an account from a row that holds its columns."""
    values = row._mapping
    scope = Scope(values["scope_grid"], values["scope_department"])
    return Account(
        values["id"],
        values["name"],
        values["role"],
        scope,
        values["disabled_at"],
        values["valid_from"],
        values["valid_to"],
        demo=bool(values["demo"]),
        must_change=bool(values["must_change"]),
        second_factor=values["totp"] is not None,
        password_at=values["password_at"],
        external=bool(values["external"]) and not values["password"],
    )


def draft(identity: Identity, action: str, account_id: str, now: int, body: dict[str, object]) -> Draft:
    """Return an entry about an account."""
    return Draft(at=now, actor=identity.actor, action=action, subject_type="account", subject_id=account_id, body=body)


def _forgotten(found: Account, now: int) -> bool:
    """Say whether a password that was made for somebody was never used."""
    return found.must_change and found.password_at + INITIAL_DAYS * DAY <= now


def check_name(name: str) -> None:
    """Raise Refused for a name nobody can have."""
    if _NAME.fullmatch(name) is None:
        raise Refused("operations.account_name", name=name)


def _check(name: str, role: str) -> None:
    check_name(name)
    if role not in ROLES:
        raise Refused("operations.account_role", role=role, roles=", ".join(ROLES))


def _row(connection: Connection, name: str) -> Any:
    if _NAME.fullmatch(name) is None:  # nobody can have it, and PostgreSQL would not take every character
        return None
    return connection.execute(sa.select(table).where(table.c.name == name)).one_or_none()


def _permit(identity: Identity) -> None:
    if not allowed(identity, "account.manage"):
        raise Forbidden(permission="account.manage")
