"""Waiting after failures: longer with each one, the same for names nobody has, known to every process."""

import hmac
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from operations.database import Database, Transaction
from operations.errors import Refused
from operations.rules import Rules
from operations.tables import account, stranger

SECOND = 1_000_000
STRANGERS_MOST = 10_000  # names nobody has whose failures are remembered


def delay_s(failures: int, rules: Rules) -> int:
    """Return how long the next try has to wait after so many failures: 0, and from `tries` on 30, 60, 120 … seconds."""
    more = failures - rules.tries
    return 0 if more < 0 else min(rules.wait_s * 2 ** min(more, 20), rules.longest_wait_s)


def check(locked_until: int, now: int) -> None:
    """Raise Refused with the `seconds` to wait."""
    if locked_until > now:
        raise Refused("operations.sign_in_wait", seconds=-(-(locked_until - now) // SECOND))


def digest(database: Database, name: str) -> bytes:
    """Return what a name nobody has is counted by: keyed, as it may be a password typed into the wrong field."""
    return hmac.digest(database.snapshot_key, b"gridwall-stranger-1" + name.encode("utf-8", "surrogatepass"), "sha256")


def stranger_locked(connection: Connection, digested: bytes) -> int:
    """Return until when a name nobody has has to wait."""
    query = sa.select(stranger.c.locked_until).where(stranger.c.digest == digested)
    return int(connection.execute(query).scalar_one_or_none() or 0)


def count(transaction: Transaction, account_id: str, now: int, rules: Rules) -> None:
    """Count one failure of an account."""
    _count(transaction.connection, account.c.id, account_id, now, rules)


def count_stranger(transaction: Transaction, digested: bytes, now: int, rules: Rules) -> None:
    """Count one failure of a name nobody has; of too many, those that had to wait least are forgotten."""
    transaction.many("INSERT INTO stranger (digest) VALUES (?) ON CONFLICT DO NOTHING", [(digested,)])
    _count(transaction.connection, stranger.c.digest, digested, now, rules)
    kept = sa.select(stranger.c.digest).order_by(stranger.c.locked_until.desc()).offset(STRANGERS_MOST)
    transaction.connection.execute(sa.delete(stranger).where(stranger.c.digest.in_(kept)))


def forgive(transaction: Transaction, account_id: str) -> None:
    """Forget an account's failures."""
    values = {"failures": 0, "locked_until": 0}
    transaction.connection.execute(sa.update(account).where(account.c.id == account_id).values(values))


def _count(connection: Connection, column: sa.Column[Any], value: object, now: int, rules: Rules) -> None:
    counted = column.table
    query = sa.select(counted.c.failures).where(column == value).with_for_update()
    failures = int(connection.execute(query).scalar_one()) + 1
    values = {"failures": failures, "locked_until": now + delay_s(failures, rules) * SECOND}
    connection.execute(sa.update(counted).where(column == value).values(values))
