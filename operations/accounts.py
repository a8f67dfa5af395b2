"""Local accounts: passwords as argon2id, and a delay that grows with every failed sign-in."""

import hmac
import re
import secrets
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct
from sqlalchemy import Connection

from operations import journal, separation
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import ROLES, Identity, allowed
from operations.scope import WHOLE, Scope
from operations.tables import account as table
from operations.tables import stranger
from operations.uuid7 import uuid7

PASSWORD_LEAST = 10
PASSWORD_MOST = 200
FREE_TRIES = 3
LONGEST_DELAY_S = 900
SECOND = 1_000_000
STRANGERS_MOST = 10_000  # names nobody has whose failures are remembered
_NAME = re.compile(r"[\w.@-]{1,40}")
_HASHER = PasswordHasher()


class Account(Struct, frozen=True):
    """One account; `scope` is what it may see."""

    id: str
    name: str
    role: str
    scope: Scope = WHOLE
    disabled_at: int | None = None

    @property
    def identity(self) -> Identity:
        """Who somebody signed in with it is."""
        return Identity("wall" if self.role == "wall" else "account", self.id, self.name, self.role, self.scope)


def add(
    database: Database,
    identity: Identity,
    name: str,
    role: str,
    *,
    now: int,
    scope: Scope = WHOLE,
    password: str = "",
    after_commit: AfterCommit | None = None,
) -> str:
    """Add an account and return its password, made here when none is given. Raises Refused."""
    _permit(identity)
    _check(name, role)
    password = password or secrets.token_urlsafe(12)
    hashed, account_id = _hash(password), uuid7(now)
    scoped = {"scope_grid": scope.grid, "scope_department": scope.department}
    with database.write(after_commit) as transaction:
        if _row(transaction.connection, name) is not None:
            raise Refused("operations.account_exists", name=name)
        row = {"id": account_id, "name": name, "role": role, "password": hashed, "added_at": now, **scoped}
        row["administrator"] = separation.kept("", role)
        transaction.connection.execute(sa.insert(table).values(row))
        body: dict[str, object] = {"name": name, "role": role, **scoped}
        journal.append(transaction, [_draft(identity, "account.added", account_id, now, body)])
    return password


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
        transaction.connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
        journal.append(transaction, [_draft(identity, "account.disabled", row.id, now, {})])


def set_password(
    database: Database,
    identity: Identity,
    name: str,
    password: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Give an account another password. Raises NotFound, Refused."""
    _permit(identity)
    hashed = _hash(password)
    with database.write(after_commit) as transaction:
        row = _row(transaction.connection, name)
        if row is None:
            raise NotFound()
        values = {"password": hashed, "failures": 0, "locked_until": 0}
        transaction.connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
        journal.append(transaction, [_draft(identity, "account.password", row.id, now, {})])


def find(database: Database, name: str) -> Account | None:
    """Return an account by name, also a disabled one, or None."""
    with database.read() as connection:
        row = _row(connection, name)
    return None if row is None else account_of(row)


def living(database: Database) -> list[Account]:
    """Return the accounts that are not switched off, by name."""
    query = sa.select(table).where(table.c.disabled_at.is_(None)).order_by(table.c.name)
    with database.read() as connection:
        return [account_of(row) for row in connection.execute(query)]


def check_password(database: Database, name: str, password: str, now: int) -> Account:
    """Return the account. Raises Refused: wrong, or too early after failures (`seconds` to wait).

    An unknown name costs the same time and gives the same answers as a known one, also after many tries.
    """
    digest = _digest(database, name)
    with database.read() as connection:
        row = _row(connection, name)
        tried = row if row is not None else _stranger(connection, digest)
    locked_until = 0 if tried is None else tried.locked_until
    if locked_until > now:
        raise Refused("operations.sign_in_wait", seconds=-(-(locked_until - now) // SECOND))
    fits = _verify(row.password if row is not None else _NOBODY, password)
    if row is None or not fits or row.disabled_at is not None:
        with database.write() as transaction:
            if row is not None:
                _count_failure(transaction.connection, table.c.id, row.id, now)
            else:
                _count_stranger(transaction, digest, now)
        raise Refused("operations.sign_in_failed")
    if row.failures:
        with database.write() as transaction:
            values = {"failures": 0, "locked_until": 0}
            transaction.connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
    return account_of(row)


def _digest(database: Database, name: str) -> bytes:
    """What a name nobody has is counted by: keyed, as it may be a password typed into the wrong field."""
    return hmac.digest(database.snapshot_key, b"gridwall-stranger-1" + name.encode("utf-8", "surrogatepass"), "sha256")


def _stranger(connection: Connection, digest: bytes) -> sa.Row[tuple[object, ...]] | None:
    return connection.execute(sa.select(stranger).where(stranger.c.digest == digest)).one_or_none()


def _count_stranger(transaction: Transaction, digest: bytes, now: int) -> None:
    """Count one failure of a name nobody has; of too many, those that had to wait least are forgotten."""
    transaction.many("INSERT INTO stranger (digest) VALUES (?) ON CONFLICT DO NOTHING", [(digest,)])
    _count_failure(transaction.connection, stranger.c.digest, digest, now)
    kept = sa.select(stranger.c.digest).order_by(stranger.c.locked_until.desc()).offset(STRANGERS_MOST)
    transaction.connection.execute(sa.delete(stranger).where(stranger.c.digest.in_(kept)))


def account_of(row: sa.Row[tuple[object, ...]]) -> Account:
    """Build an account from a row that holds its columns."""
    values = row._mapping
    scope = Scope(values["scope_grid"], values["scope_department"])
    return Account(values["id"], values["name"], values["role"], scope, values["disabled_at"])


def delay_s(failures: int) -> int:
    """Return how long the next try has to wait after so many failures: 0, then 1, 2, 4 … seconds."""
    return 0 if failures < FREE_TRIES else min(2 ** min(failures - FREE_TRIES, 20), LONGEST_DELAY_S)


def _count_failure(connection: Connection, column: sa.Column[Any], value: object, now: int) -> None:
    counted = column.table
    query = sa.select(counted.c.failures).where(column == value).with_for_update()
    failures = int(connection.execute(query).scalar_one()) + 1
    values = {"failures": failures, "locked_until": now + delay_s(failures) * SECOND}
    connection.execute(sa.update(counted).where(column == value).values(values))


def _verify(hashed: str, password: str) -> bool:
    if len(password) > PASSWORD_MOST:
        return False
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


_NOBODY = _HASHER.hash(secrets.token_urlsafe(12))


def _hash(password: str) -> str:
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise Refused("operations.password_length", least=PASSWORD_LEAST, most=PASSWORD_MOST)
    return _HASHER.hash(password)


def _check(name: str, role: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise Refused("operations.account_name", name=name)
    if role not in ROLES:
        raise Refused("operations.account_role", role=role, roles=", ".join(ROLES))


def _row(connection: Connection, name: str) -> sa.Row[tuple[object, ...]] | None:
    if _NAME.fullmatch(name) is None:  # nobody can have it, and PostgreSQL would not take every character
        return None
    return connection.execute(sa.select(table).where(table.c.name == name)).one_or_none()


def _permit(identity: Identity) -> None:
    if not allowed(identity, "account.manage"):
        raise Forbidden(permission="account.manage")


def _draft(identity: Identity, action: str, account_id: str, now: int, body: dict[str, object]) -> Draft:
    return Draft(at=now, actor=identity.actor, action=action, subject_type="account", subject_id=account_id, body=body)
