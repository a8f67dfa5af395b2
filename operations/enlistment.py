"""Accounts from a list 账号导入: all of it in one transaction, each account an entry, passwords made and told once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from msgspec import Struct

from operations import accounts, appointments, journal, passwords
from operations.appointments import Post, values_of
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import Refused
from operations.policy import ADMINISTRATORS, Identity, require
from operations.rules import DEFAULT, Rules
from operations.tables import account as table
from operations.uuid7 import uuid7

MOST = 500
"""Accounts of one list: each new one costs an argon2id hash."""
HASHING = 2


class Enlisted(Struct, frozen=True):
    """A new account and its first password, which is told once and must be changed."""

    name: str
    shown_name: str
    password: str


class List(Struct, frozen=True):
    """Posts of new accounts by name, changes (account id, revision, post), and the SHA-256 of the file."""

    new: Sequence[tuple[str, Post]]
    changed: Sequence[tuple[str, int, Post]]
    sha256: str = ""


def enlist(
    database: Database,
    identity: Identity,
    found: List,
    *,
    now: int,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> list[Enlisted]:
    """Add and change all accounts of a list, or none. Raises Forbidden, Refused, Changed.

    Administrators are made by hand: no list holds one.
    """
    require(identity, "account.manage")
    if len(found.new) + len(found.changed) > MOST:
        raise Refused("operations.list_long", most=MOST)
    posts = [post for _, post in found.new] + [post for _, _, post in found.changed]
    for post in posts:
        appointments.check(post)
        if post.role in ADMINISTRATORS:
            raise Refused("operations.list_administrator", role=post.role)
    made = [Enlisted(name, post.shown_name, password()) for name, post in found.new]
    with ThreadPoolExecutor(HASHING) as pool:  # argon2 lets go of the interpreter
        hashes = list(pool.map(passwords.hashed, (one.password for one in made)))
    with database.write(after_commit) as transaction:
        for (name, post), hashed in zip(found.new, hashes, strict=True):
            _add(transaction, identity, name, post, hashed, now)
        for account_id, revision, post in found.changed:
            if _role(transaction, account_id) in ADMINISTRATORS:
                raise Refused("operations.list_administrator", role=_role(transaction, account_id))
            appointments.appoint(transaction, identity, (account_id, revision), post, now, rules)
        body = {"new": len(found.new), "changed": len(found.changed), "sha256": found.sha256}
        journal.append(transaction, [_draft(identity, "account.enlisted", "", now, body)])
    return made


def password() -> str:
    """Return a new password that a spreadsheet shows as it is: it begins with a letter or digit."""
    made = passwords.make()
    while not made[0].isalnum():
        made = passwords.make()
    return made


def _add(transaction: Transaction, identity: Identity, name: str, post: Post, hashed: str, now: int) -> None:
    accounts.check_name(name)
    if transaction.connection.execute(sa.select(table.c.id).where(table.c.name == name)).first() is not None:
        raise Refused("operations.account_exists", name=name)
    account_id = uuid7(now)
    kept = values_of(post)
    secret = {"password": hashed, "password_at": now, "must_change": 1}
    transaction.connection.execute(
        sa.insert(table).values({"id": account_id, "name": name, "added_at": now, **kept, **secret})
    )
    journal.append(transaction, [_draft(identity, "account.added", account_id, now, {"name": name, **kept})])


def _role(transaction: Transaction, account_id: str) -> str:
    query = sa.select(table.c.role).where(table.c.id == account_id)
    return str(transaction.connection.execute(query).scalar_one_or_none() or "")


def _draft(identity: Identity, action: str, account_id: str, now: int, body: dict[str, object]) -> Draft:
    return Draft(at=now, actor=identity.actor, action=action, subject_type="account", subject_id=account_id, body=body)
