"""Tokens for programs: a source sends with an "intake" token, others read with a "read" token. Stored hashed.

A token may be narrowed to some of its role's actions, to networks, to a jurisdiction and to a time. A new secret can
take over while the one before it holds for some hours more, so that a program is moved without a gap.
"""

import ipaddress
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import journal, secret
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import DatabaseTrouble, Forbidden, NotFound, Refused
from operations.policy import POLICY, Identity, allowed
from operations.scope import WHOLE, Scope
from operations.tables import source, token
from operations.uuid7 import uuid7

ROLES = {"intake": "source", "read": "token_read"}
"""The role of a token of each kind."""
KINDS = tuple(ROLES)
RIGHTS = {"intake": "token.intake", "read": "token.read"}
"""The action that making, rotating and revoking a token of each kind is."""
CHOICES = {
    "intake": ("report.send", "warning.send"),
    "read": ("incident.read", "order.read", "search.use", "journal.read", "grid.read", "metrics.read"),
}
"""What a token of each kind may be narrowed to."""
USED_EVERY = 60_000_000  # how coarse "last used" is, in microseconds
HOUR = 3_600_000_000
OVERLAP_MOST = 24 * 30  # hours
NETWORKS_MOST = 20
LIVING_MOST = 1_000
"""Tokens that hold at a time."""
MARK = 10
"""Characters of a secret that stay known, to recognise it by; the rest has more than 200 random bits."""


class Terms(Struct, frozen=True):
    """How far a token goes: only these actions, only from these networks, only until then; empty = no such limit."""

    actions: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    expires_at: int | None = None


class Token(Struct, frozen=True):
    """What may be known of a token; its secret is shown once, when it is made. `mark`: how its secret begins."""

    id: str
    name: str
    kind: str
    source: str
    scope_grid: str
    scope_department: str
    actions: str
    networks: str
    mark: str
    added_at: int
    added_by: str
    expires_at: int | None
    rotated_at: int | None
    before_ends_at: int | None
    revoked_at: int | None
    used_at: int | None
    used_address: str

    def state(self, now: int) -> str:
        """Return revoked, expired, rotating (two secrets hold) or active."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "rotating" if self.before_ends_at is not None and self.before_ends_at > now else "active"


def add(
    database: Database,
    identity: Identity,
    name: str,
    kind: str,
    *,
    now: int,
    source_id: str = "",
    scope: Scope = WHOLE,
    terms: Terms = Terms(),  # noqa: B008 frozen
    after_commit: AfterCommit | None = None,
) -> str:
    """Make a token and return its secret. Raises Forbidden; Refused for terms nobody can mean."""
    if kind not in KINDS or (kind == "intake") != bool(source_id) or not 0 < len(name) <= 60 or not name.isprintable():
        raise Refused("operations.token_wrong", kind=kind, source=source_id, name=name)
    _permit(identity, kind)
    terms = _checked(terms, kind, now)
    made, token_id = _make(kind), uuid7(now)
    with database.write(after_commit) as transaction:
        if source_id and _source_name(transaction.connection, source_id) is None:
            raise Refused("operations.token_wrong", kind=kind, source=source_id, name=name)
        if _living(transaction.connection, now) >= LIVING_MOST:
            raise Refused("operations.token_many", most=LIVING_MOST)
        values = {"name": name, "kind": kind, "source": source_id, "added_at": now, "expires_at": terms.expires_at}
        values |= {"actions": " ".join(terms.actions), "networks": " ".join(terms.networks)}
        values |= {"scope_grid": scope.grid, "scope_department": scope.department}
        kept = {"id": token_id, "hash": secret.digest(made), "mark": made[:MARK], "added_by": identity.actor}
        transaction.connection.execute(sa.insert(token).values(kept | values))
        journal.append(transaction, [_draft(identity, "token.added", token_id, now, values)])
    return made


def rotate(
    database: Database,
    identity: Identity,
    token_id: str,
    *,
    hours: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> str:
    """Return a new secret for a token; the one before it holds for so many `hours` more, any older one ends at once.

    Raises NotFound when there is no such token, or it is revoked or over; Refused for hours out of bounds.
    """
    if not 0 <= hours <= OVERLAP_MOST:
        raise Refused("operations.token_hours", most=OVERLAP_MOST)
    with database.write(after_commit) as transaction:
        row = _held(transaction, identity, token_id)
        if row.expires_at is not None and row.expires_at <= now:
            raise NotFound()
        made, ends = _make(row.kind), now + hours * HOUR
        values = {"hash": secret.digest(made), "mark": made[:MARK], "rotated_at": now}
        values |= {"hash_before": row.hash if hours else None, "before_ends_at": ends if hours else None}
        transaction.connection.execute(sa.update(token).where(token.c.id == token_id).values(values))
        body = {"name": row.name, "before_ends_at": ends}
        journal.append(transaction, [_draft(identity, "token.rotated", token_id, now, body)])
    return made


def revoke(
    database: Database, identity: Identity, token_id: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Revoke a token for good, both its secrets. Raises NotFound when there is none or it is revoked already."""
    with database.write(after_commit) as transaction:
        row = _held(transaction, identity, token_id)
        values = {"revoked_at": now, "hash_before": None, "before_ends_at": None}
        transaction.connection.execute(sa.update(token).where(token.c.id == token_id).values(values))
        journal.append(transaction, [_draft(identity, "token.revoked", token_id, now, {"name": row.name})])


def identify(database: Database, given: str, now: int, address: str = "") -> Identity | None:
    """Return who holds this token; None when it is wrong, over, revoked, used from elsewhere, or its source is off."""
    return identify_many(database, [(given, address)], now).get((given, address))


def identify_many(database: Database, given: Collection[tuple[str, str]], now: int) -> dict[tuple[str, str], Identity]:
    """The same of many (secret, address) by one query: those nobody holds are left out. Counts as no use."""
    digests = {secret.digest(one) for one, _ in given}
    joined = sa.outerjoin(token, source, token.c.source == source.c.id)
    query = sa.select(token, source.c.enabled.label("enabled")).select_from(joined)
    query = query.where(sa.or_(token.c.hash.in_(digests), token.c.hash_before.in_(digests)))
    with database.read() as connection:
        rows = [row for row in connection.execute(query) if _in_force(row, now)]
    holding = {digest: row for row in rows for digest in _digests(row, now)}
    found = {one: holding.get(secret.digest(one[0])) for one in given}
    return {one: _holder(row) for one, row in found.items() if row is not None and within(one[1], row.networks.split())}


def _in_force(row: sa.Row[Any], now: int) -> bool:
    off = row.source and not row.enabled
    return row.revoked_at is None and not off and (row.expires_at is None or row.expires_at > now)


def _digests(row: sa.Row[Any], now: int) -> list[bytes]:
    """The token's newest secret, and the one before while that still holds."""
    before = row.hash_before is not None and row.before_ends_at is not None and row.before_ends_at > now
    return [row.hash, row.hash_before] if before else [row.hash]


def _holder(row: sa.Row[Any]) -> Identity:
    actions = tuple(row.actions.split())
    if row.kind == "intake":
        return Identity("source", row.source, row.source, "source", actions=actions)
    scope = Scope(row.scope_grid, row.scope_department)
    return Identity("token", row.id, row.name, "token_read", scope, actions=actions)


def within(address: str, networks: list[str]) -> bool:
    """Say whether an address lies in one of the networks; without networks any does, and one unknown in none."""
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ipaddress.ip_network(one) for one in networks)


def listed(database: Database) -> list[Token]:
    """Return all tokens, oldest first."""
    names = Token.__struct_fields__
    with database.read() as connection:
        rows = connection.execute(sa.select(*(token.c[name] for name in names)).order_by(token.c.id))
        return [Token(*row) for row in rows]


def note_use(database: Database, given: str, now: int, address: str = "") -> None:
    """Note that a token was used, to the minute; worth less than the request, so trouble is no error."""
    stale = sa.or_(token.c.used_at.is_(None), token.c.used_at <= now - USED_EVERY)
    with suppress(DatabaseTrouble):
        with database.read() as connection:
            due = connection.execute(sa.select(token.c.id).where(_fits(given, now), stale)).one_or_none()
        if due is not None:
            with database.write() as transaction:
                values = {"used_at": now, "used_address": address}
                transaction.connection.execute(sa.update(token).where(token.c.id == due.id).values(values))


def _fits(given: str, now: int) -> sa.ColumnElement[bool]:
    """The row a secret belongs to: its newest one, or the one before while that still holds."""
    digest = secret.digest(given)
    before = sa.and_(token.c.hash_before == digest, token.c.before_ends_at > now)
    return sa.or_(token.c.hash == digest, before)


def _make(kind: str) -> str:
    """A secret that says what it is, so that one who finds it knows where to report it."""
    return f"gw{kind[0]}_{secret.make()}"


def _checked(terms: Terms, kind: str, now: int) -> Terms:
    """The terms as they are kept. Raises Refused."""
    for action in terms.actions:
        if action not in CHOICES[kind] or ROLES[kind] not in POLICY.get(action, {}):
            raise Refused("operations.token_action", action=action, kind=kind)
    if len(terms.networks) > NETWORKS_MOST:
        raise Refused("operations.token_networks", most=NETWORKS_MOST)
    networks = tuple(dict.fromkeys(_network(one) for one in terms.networks))
    if terms.expires_at is not None and terms.expires_at <= now:
        raise Refused("operations.token_past")
    return Terms(tuple(sorted(set(terms.actions))), networks, terms.expires_at)


def _network(given: str) -> str:
    try:
        return str(ipaddress.ip_network(given.strip()))
    except ValueError:
        raise Refused("operations.token_network", network=given[:60]) from None


def _held(transaction: Transaction, identity: Identity, token_id: str) -> sa.Row[Any]:
    """The living token to be changed. Raises NotFound, Forbidden."""
    query = sa.select(token).where(token.c.id == token_id, token.c.revoked_at.is_(None)).with_for_update()
    if not any(allowed(identity, right) for right in RIGHTS.values()):
        raise Forbidden(permission="token.manage")
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    _permit(identity, row.kind)
    return row


def _living(connection: sa.Connection, now: int) -> int:
    holding = sa.or_(token.c.expires_at.is_(None), token.c.expires_at > now)
    query = sa.select(sa.func.count()).select_from(token).where(token.c.revoked_at.is_(None), holding)
    return int(connection.execute(query).scalar_one())


def _source_name(connection: sa.Connection, source_id: str) -> Any:
    return connection.execute(sa.select(source.c.name).where(source.c.id == source_id)).scalar_one_or_none()


def _permit(identity: Identity, kind: str) -> None:
    if not allowed(identity, RIGHTS[kind]):
        raise Forbidden(permission=RIGHTS[kind])


def _draft(identity: Identity, action: str, token_id: str, now: int, body: dict[str, Any]) -> Draft:
    return Draft(at=now, actor=identity.actor, action=action, subject_type="token", subject_id=token_id, body=body)
