"""Tokens for programs: a source sends with an "intake" token, others read with a "read" token. Stored hashed."""

from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import journal, secret
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import DatabaseTrouble, Forbidden, NotFound, Refused
from operations.policy import Identity, allowed
from operations.scope import WHOLE, Scope
from operations.tables import source, token
from operations.uuid7 import uuid7

KINDS = ("intake", "read")
USED_EVERY = 3_600_000_000  # how coarse "last used" is, in microseconds


class Token(Struct, frozen=True):
    """What may be known of a token; its secret is shown once, when it is made."""

    id: str
    name: str
    kind: str
    source: str
    added_at: int
    revoked_at: int | None
    used_at: int | None


def add(
    database: Database,
    identity: Identity,
    name: str,
    kind: str,
    *,
    now: int,
    source_id: str = "",
    scope: Scope = WHOLE,
    after_commit: AfterCommit | None = None,
) -> str:
    """Make a token and return its secret. Raises Refused for an unknown kind, or an intake token without its source."""
    _permit(identity)
    if kind not in KINDS or (kind == "intake") != bool(source_id) or not 0 < len(name) <= 60:
        raise Refused("operations.token_wrong", kind=kind, source=source_id, name=name)
    made, token_id = secret.make(), uuid7(now)
    with database.write(after_commit) as transaction:
        if source_id and _source_name(transaction.connection, source_id) is None:
            raise Refused("operations.token_wrong", kind=kind, source=source_id, name=name)
        values = {"name": name, "kind": kind, "source": source_id, "added_at": now}
        scoped = {"scope_grid": scope.grid, "scope_department": scope.department}
        row = {"id": token_id, "hash": secret.digest(made), **values, **scoped}
        transaction.connection.execute(sa.insert(token).values(row))
        journal.append(transaction, [_draft(identity, "token.added", token_id, now, {**values, **scoped})])
    return made


def revoke(
    database: Database, identity: Identity, token_id: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Revoke a token for good. Raises NotFound when there is none or it is revoked already."""
    _permit(identity)
    with database.write(after_commit) as transaction:
        update = sa.update(token).where(token.c.id == token_id, token.c.revoked_at.is_(None))
        if transaction.connection.execute(update.values(revoked_at=now)).rowcount != 1:
            raise NotFound()
        journal.append(transaction, [_draft(identity, "token.revoked", token_id, now, {})])


def identify(database: Database, given: str, now: int) -> Identity | None:
    """Return who holds this token; None when it is wrong, revoked, or its source is switched off."""
    joined = sa.outerjoin(token, source, token.c.source == source.c.id)
    query = sa.select(token, source.c.enabled.label("enabled"), source.c.name.label("source_name"))
    with database.read() as connection:
        row = connection.execute(query.select_from(joined).where(token.c.hash == secret.digest(given))).one_or_none()
    if row is None or row.revoked_at is not None or (row.source and not row.enabled):
        return None
    if row.kind == "intake":
        return Identity("source", row.source, row.source, "source")
    return Identity("token", row.id, row.name, "token_read", Scope(row.scope_grid, row.scope_department))


def listed(database: Database) -> list[Token]:
    """Return all tokens, oldest first."""
    names = Token.__struct_fields__
    with database.read() as connection:
        rows = connection.execute(sa.select(*(token.c[name] for name in names)).order_by(token.c.id))
        return [Token(*row) for row in rows]


def note_use(database: Database, given: str, now: int) -> None:
    """Note that a token was used, to the hour; worth less than the request, so trouble is no error."""
    stale = sa.or_(token.c.used_at.is_(None), token.c.used_at < now - USED_EVERY)
    known = token.c.hash == secret.digest(given)
    with suppress(DatabaseTrouble):
        with database.read() as connection:
            due = connection.execute(sa.select(token.c.id).where(known, stale)).one_or_none()
        if due is not None:
            with database.write() as transaction:
                transaction.connection.execute(sa.update(token).where(known).values(used_at=now))


def _source_name(connection: sa.Connection, source_id: str) -> Any:
    return connection.execute(sa.select(source.c.name).where(source.c.id == source_id)).scalar_one_or_none()


def _permit(identity: Identity) -> None:
    if not allowed(identity, "token.manage"):
        raise Forbidden(permission="token.manage")


def _draft(identity: Identity, action: str, token_id: str, now: int, body: dict[str, Any]) -> Draft:
    return Draft(at=now, actor=identity.actor, action=action, subject_type="token", subject_id=token_id, body=body)
