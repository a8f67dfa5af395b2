"""Leases: who owns a partition (or the keeper's duties) now, with a fencing token that only grows."""

from collections.abc import Mapping

import sqlalchemy as sa

from operations.database import Database, Transaction
from operations.errors import LeaseLost
from operations.tables import lease

SKEW = 2
"""Lengths of a lease it may seem to last yet: one, and one for how far the clocks of two machines may be apart."""


def acquire(database: Database, name: str, owner: str, ttl: int, now: int) -> int | None:
    """Take the lease if it is free, over or already ours; return its new token, or None. `ttl` in microseconds.

    One that would last longer than any lease can was written under a clock that was put back since, and is free too.
    """
    with database.write() as transaction:
        transaction.many("INSERT INTO lease (name) VALUES (?) ON CONFLICT DO NOTHING", [(name,)])
        row = _row(transaction, name)
        if row.owner != owner and now < row.expires_at <= now + SKEW * ttl:
            return None
        values = {"owner": owner, "token": row.token + 1, "expires_at": now + ttl}
        transaction.connection.execute(sa.update(lease).where(lease.c.name == name).values(values))
        return int(row.token) + 1


def renew(database: Database, name: str, token: int, ttl: int, now: int) -> None:
    """Hold the lease longer. Raises LeaseLost when somebody took it."""
    with database.write() as transaction:
        held = sa.update(lease).where(lease.c.name == name, lease.c.token == token)
        if transaction.connection.execute(held.values(expires_at=now + ttl)).rowcount != 1:
            raise LeaseLost(name=name)


def renew_all(database: Database, held: Mapping[str, int], ttl: int, now: int) -> set[str]:
    """Hold leases, {name: token}, longer, in one transaction; returns the names of those that somebody took."""
    if not held:
        return set()
    with database.write() as transaction:
        ours = _ours(transaction, held)
        longer = sa.update(lease).where(lease.c.name.in_(ours)).values(expires_at=now + ttl)
        transaction.connection.execute(longer)
    return held.keys() - ours


def release(database: Database, name: str, token: int) -> None:
    """Give the lease back; nothing happens when it is no longer ours."""
    with database.write() as transaction:
        held = sa.update(lease).where(lease.c.name == name, lease.c.token == token)
        transaction.connection.execute(held.values(expires_at=0, owner=""))


_SEVERAL = (
    sa.select(lease.c.name, lease.c.token, lease.c.owner)
    .where(lease.c.name.in_(sa.bindparam("names", expanding=True)))
    .order_by(lease.c.name)
    .with_for_update()
)


def check_all(transaction: Transaction, held: Mapping[str, int]) -> None:
    """Hold the rows of leases, {name: token}, inside a transaction that depends on them.

    Raises LeaseLost with the first name that somebody took.
    """
    ours = _ours(transaction, held)
    for name in held:
        if name not in ours:
            raise LeaseLost(name=name)


def _ours(transaction: Transaction, held: Mapping[str, int]) -> set[str]:
    """The names of those still held, their rows locked."""
    rows = transaction.connection.execute(_SEVERAL, {"names": sorted(held)})
    return {row.name for row in rows if row.owner and row.token == held[row.name]}


def partition(number: int) -> str:
    """Return the name of a partition's lease."""
    return f"partition:{number:02d}"


def _row(transaction: Transaction, name: str) -> sa.Row[tuple[str, str, int, int]]:
    query = sa.select(lease).where(lease.c.name == name).with_for_update()
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        raise LeaseLost(name=name)
    return row
