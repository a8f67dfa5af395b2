"""Walls 大屏 are devices: read-only, bound to a layout and a jurisdiction, with a secret that replaces itself.

A wall's secret follows from the one before it by a key outside the database, so that asking twice gives the same one:
an answer that is lost, or two windows that ask at once, lock no screen out. The one before holds until the newest has
been used; after that it is refused, and that somebody still had it is an entry.
"""

import base64
import hmac
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import journal, secret
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import DatabaseTrouble, Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity, allowed
from operations.scope import WHOLE, Scope
from operations.tables import wall as table

STUCK, RECOVERED, GONE = "wall.stuck", "wall.recovered", "wall.gone"
LAYOUTS = ("wall",)
NAME_MOST = 40
SECOND = 1_000_000
GRACE = 10 * SECOND
"""How long the secret before is still taken after the newest was first used: requests may be on their way."""
ROTATE_LEAST = 3_600 * SECOND
"""A secret younger than this is not replaced, however often a screen asks."""
STALE_EVERY = 3_600 * SECOND
"""One entry an hour says that a wall's old secret is in use."""
REVOKED_SHOWN = 20


class Wall(Struct, frozen=True):
    """What may be known of a wall; `painted` is the number of the frame painted last, at `painted_at`."""

    id: str
    name: str
    layout: str
    scope_grid: str
    scope_department: str
    paired_at: int
    paired_by: str
    revoked_at: int | None
    rotated_at: int
    agent: str
    address: str
    size: str
    version: str
    seen_at: int | None
    painted_at: int | None
    painted: int
    stuck_at: int | None


class Plan(Struct, frozen=True):
    """What an administrator decides about a wall."""

    name: str
    scope: Scope = WHOLE
    layout: str = LAYOUTS[0]

    @property
    def columns(self) -> dict[str, str]:
        """Return it as columns of the table, and as an entry tells it."""
        scoped = {"scope_grid": self.scope.grid, "scope_department": self.scope.department}
        return {"name": self.name, "layout": self.layout, **scoped}


class Seen(Struct, frozen=True):
    """What a web process knows of a connected wall; `painted_at` is None while it has painted nothing."""

    id: str
    painted: int
    painted_at: int | None
    version: str
    agent: str
    address: str
    size: str


# ---- who it is ----


def identify(database: Database, given: str, now: int) -> Identity | None:
    """Return the wall that holds this secret; None when it is wrong, revoked, or replaced by one that was used."""
    digest = secret.digest(given)
    query = sa.select(table).where(sa.or_(table.c.hash == digest, table.c.hash_before == digest))
    with database.read() as connection:
        row = connection.execute(query).first()
    if row is None or row.revoked_at is not None:
        return None
    if row.hash == digest:
        if row.confirmed_at is None and row.hash_before is not None:
            _confirm(database, row.id, digest, now)
    elif row.confirmed_at is not None and now - row.confirmed_at > GRACE:
        _note_stale(database, row, now)
        return None
    return _identity(row)


def identify_many(database: Database, ids: Collection[str]) -> dict[str, Identity]:
    """Return who these walls are now, by id; one that is revoked is not among them."""
    query = sa.select(table).where(table.c.id.in_(list(ids)), table.c.revoked_at.is_(None))
    with database.read() as connection:
        return {row.id: _identity(row) for row in connection.execute(query)}


def was_revoked(database: Database, given: str) -> bool:
    """Say whether this is the secret of a wall that was revoked."""
    digest = secret.digest(given)
    query = sa.select(table.c.revoked_at).where(sa.or_(table.c.hash == digest, table.c.hash_before == digest))
    with database.read() as connection:
        return any(row.revoked_at is not None for row in connection.execute(query))


def rotate(database: Database, given: str, *, now: int, after_commit: AfterCommit | None = None) -> str:
    """Return the secret to use from now on: the next one, or the one given while that is young. Raises NotFound."""
    digest, following = secret.digest(given), _following(database, given)
    row = _held(database, digest)
    if row.hash == digest and now - row.rotated_at < ROTATE_LEAST:
        return given
    if row.hash == secret.digest(following):  # asked before: the answer was lost, or another window was faster
        return following
    with database.write(after_commit) as transaction:
        update = sa.update(table).where(table.c.id == row.id, table.c.hash == row.hash, table.c.revoked_at.is_(None))
        update = update.values(hash=secret.digest(following), hash_before=digest, rotated_at=now, confirmed_at=None)
        if transaction.connection.execute(update).rowcount:
            _record(transaction, "wall.rotated", row.id, f"wall:{row.name}", now, {})
    return following


# ---- what is decided about it ----


def insert(
    transaction: Transaction, identity: Identity, wall_id: str, plan: Plan, *, hash: bytes, now: int, **about: str
) -> None:
    """Make a wall of a screen that holds the secret with this hash. Raises Forbidden, Refused."""
    _permit(identity)
    _check(transaction, plan)
    made = {"id": wall_id, "hash": hash, "paired_at": now, "paired_by": identity.actor}
    transaction.connection.execute(sa.insert(table).values({**made, **plan.columns, **about}))
    _record(transaction, "wall.paired", wall_id, identity.actor, now, plan.columns)


def change(
    database: Database,
    identity: Identity,
    wall_id: str,
    plan: Plan,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Give a wall another name, layout or jurisdiction. Raises Forbidden, NotFound, Refused."""
    _permit(identity)
    with database.write(after_commit) as transaction:
        _check(transaction, plan, wall_id)
        _update(transaction, wall_id, plan.columns)
        _record(transaction, "wall.changed", wall_id, identity.actor, now, plan.columns)


def revoke(
    database: Database, identity: Identity, wall_id: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """End a wall for good; its screen goes dark. Raises Forbidden, NotFound."""
    _permit(identity)
    with database.write(after_commit) as transaction:
        _update(transaction, wall_id, {"revoked_at": now, "stuck_at": None})
        _record(transaction, "wall.revoked", wall_id, identity.actor, now, {})


def listed(database: Database, identity: Identity) -> list[Wall]:
    """Return the walls by name, then those revoked last. Raises Forbidden."""
    _permit(identity)
    query = sa.select(*(table.c[name] for name in Wall.__struct_fields__))
    living = query.where(table.c.revoked_at.is_(None)).order_by(table.c.name)
    revoked = query.where(table.c.revoked_at.is_not(None)).order_by(table.c.revoked_at.desc()).limit(REVOKED_SHOWN)
    with database.read() as connection:
        return [Wall(*row) for one in (living, revoked) for row in connection.execute(one)]


# ---- what is seen of it ----


def note(database: Database, seen: Sequence[Seen], *, now: int) -> None:
    """Write down what is known of connected walls: a gauge, no entry; the newest word wins."""
    if not seen:
        return
    update = sa.update(table).where(table.c.id == sa.bindparam("wall"))
    values: dict[str, Any] = {
        name: sa.bindparam(f"its_{name}") for name in Seen.__struct_fields__ if name not in ("id", "painted_at")
    }
    painted_at = sa.func.coalesce(sa.bindparam("its_painted_at", type_=sa.BigInteger), table.c.painted_at)
    rows = [
        {"wall": one.id, "its_seen_at": now}
        | {f"its_{name}": getattr(one, name) for name in Seen.__struct_fields__ if name != "id"}
        for one in seen
    ]
    with database.write() as transaction:
        transaction.connection.execute(
            update.values(**values, painted_at=painted_at, seen_at=sa.bindparam("its_seen_at")), rows
        )


def mark(database: Database, wall: str, action: str, *, now: int, after_commit: AfterCommit | None = None) -> None:
    """Record that a wall, known by the name of its screen, is stuck, paints again, or has gone."""
    draft = Draft(at=now, actor=SYSTEM.actor, action=action, subject_type="wall", subject_id=wall)
    named = sa.update(table).where(table.c.name == wall, table.c.revoked_at.is_(None))
    with database.write(after_commit) as transaction:
        transaction.connection.execute(named.values(stuck_at=now if action == STUCK else None))
        journal.append(transaction, [draft])


def living(database: Database, id: str) -> Identity | None:
    """Return a wall by its id, None for one that is none or was taken away."""
    with database.read() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id, table.c.revoked_at.is_(None))).one_or_none()
    return None if row is None else _identity(row)


# ---- inside ----


def _identity(row: sa.Row[Any]) -> Identity:
    return Identity("wall", row.id, row.name, "wall", Scope(row.scope_grid, row.scope_department))


def _following(database: Database, given: str) -> str:
    """The secret after this one: nobody can tell it without the key that lies outside the database."""
    made = hmac.digest(database.snapshot_key, b"gridwall-wall-1" + given.encode("utf-8", "surrogatepass"), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _held(database: Database, digest: bytes) -> sa.Row[Any]:
    query = sa.select(table).where(
        sa.or_(table.c.hash == digest, table.c.hash_before == digest), table.c.revoked_at.is_(None)
    )
    with database.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound()
    return row


def _confirm(database: Database, wall_id: str, digest: bytes, now: int) -> None:
    """The newest secret has been used; worth less than the request, so trouble is no error."""
    used = sa.update(table).where(table.c.id == wall_id, table.c.hash == digest, table.c.confirmed_at.is_(None))
    with suppress(DatabaseTrouble), database.write() as transaction:
        transaction.connection.execute(used.values(confirmed_at=now))


def _note_stale(database: Database, row: sa.Row[Any], now: int) -> None:
    due = sa.or_(table.c.stale_at.is_(None), table.c.stale_at <= now - STALE_EVERY)
    if row.stale_at is not None and row.stale_at > now - STALE_EVERY:
        return
    with suppress(DatabaseTrouble), database.write() as transaction:
        noted = sa.update(table).where(table.c.id == row.id, due).values(stale_at=now)
        if transaction.connection.execute(noted).rowcount:
            _record(transaction, "wall.stale_secret", row.id, f"wall:{row.name}", now, {})


def _check(transaction: Transaction, plan: Plan, wall_id: str = "") -> None:
    if not 0 < len(plan.name.strip()) <= NAME_MOST or "\0" in plan.name or plan.layout not in LAYOUTS:
        raise Refused("operations.wall_wrong", most=NAME_MOST)
    taken = sa.select(table.c.id).where(table.c.name == plan.name, table.c.id != wall_id, table.c.revoked_at.is_(None))
    if transaction.connection.execute(taken).first() is not None:
        raise Refused("operations.wall_exists", name=plan.name)


def _update(transaction: Transaction, wall_id: str, values: dict[str, Any]) -> None:
    update = sa.update(table).where(table.c.id == wall_id, table.c.revoked_at.is_(None))
    if transaction.connection.execute(update.values(values)).rowcount != 1:
        raise NotFound()


def _permit(identity: Identity) -> None:
    if not allowed(identity, "wall.manage"):
        raise Forbidden(permission="wall.manage")


def _record(transaction: Transaction, action: str, wall_id: str, actor: str, now: int, body: dict[str, Any]) -> None:
    draft = Draft(at=now, actor=actor, action=action, subject_type="wall", subject_id=wall_id, body=body)
    journal.append(transaction, [draft])
