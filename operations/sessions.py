"""Sessions on the server's side, their ids hashed, with expiry and revocation; and one-time sign-in links."""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import ColumnElement, Connection

from operations import accounts, assignments, journal, secret
from operations.accounts import Account
from operations.database import AfterCommit, Database, Transaction, select_in
from operations.entry import Draft
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity, allowed
from operations.scope import NOWHERE, Scope
from operations.tables import account as account_table
from operations.tables import one_time, session
from operations.uuid7 import uuid7

HOUR = 3_600_000_000
ONE_TIME = 15 * 60_000_000
PENDING = 15 * 60_000_000
"""How long somebody may take for what is left of signing in."""
AGENT_MOST = 200
LISTED_MOST = 1_000
AGO_MOST = 60_000_000
"""How long ago the touch may be that a desk tells of: it does so once a minute."""
PENDING_ROLE = "pending"
REMEMBERED_MOST = 4_096
_DECIDES = (
    "SELECT session.hash, session.id AS session_id, session.stage, account.id, account.name, account.role,"
    " account.scope_grid, account.scope_department, account.disabled_at, account.valid_from, account.valid_to,"
    " account.demo"
    " FROM session JOIN account ON account.id = session.account"
    " WHERE session.closed_at IS NULL AND session.expires_at > ? AND session.hash IN"
)


class Session(Struct, frozen=True):
    """What may be shown of a session; `seen_at`: when somebody last touched the desk."""

    id: str
    account: str
    agent: str
    opened_at: int
    expires_at: int
    closed_at: int | None
    address: str = ""
    method: str = ""
    seen_at: int | None = None
    name: str = ""


class Held(Struct, frozen=True):
    """A session as whoever holds its secret has it. `stage`: what is left of signing in, "" once that is done."""

    id: str
    account: Account
    stage: str
    method: str
    seen_at: int
    expires_at: int

    def locked(self, now: int, idle: int) -> bool:
        """Say whether the desk has stood idle: nobody touched it for `idle` µs. Demonstrations never lock."""
        bound = idle and not self.stage and not self.account.demo
        return bool(bound) and self.seen_at + idle <= now

    def identity(self, now: int, idle: int) -> Identity:
        """Return who that is; while something is left of signing in, somebody who may do nothing but finish it."""
        whole = _identity(self.account, self.id, self.stage)
        return structs.replace(whole, locked=True) if self.locked(now, idle) else whole


def open(
    database: Database,
    account: Account,
    *,
    hours: int,
    now: int,
    agent: str = "",
    address: str = "",
    method: str = "password",
    stage: str = "",
    after_commit: AfterCommit | None = None,
) -> str:
    """Open a session and return its secret, for the cookie.

    `method`: password | link | oidc. `stage`: what is left of signing in; `renew` follows when it is done.
    """
    with database.write(after_commit) as transaction:
        return _open(transaction, account, _Opening(hours, agent, address, method, stage), now)


def held(database: Database, given: str, now: int) -> Held | None:
    """Return the session of a secret; None when it is wrong, over, revoked, or its account may not be used now."""
    with database.read() as connection:
        return _held(connection, session.c.hash == secret.digest(given), now).get(secret.digest(given))


def identify(database: Database, given: str, now: int, idle: int = 0) -> Identity | None:
    """Return who holds this session (`Held.identity`); None when it does not hold."""
    found = held(database, given, now)
    return None if found is None else found.identity(now, idle)


def identify_many(database: Database, given: Collection[str], now: int) -> dict[str, Identity]:
    """The same of many sessions: those that do not hold are left out. It says nothing of who is locked.

    This is asked again and again about every screen, so it reads only what decides, and what was read before is not
    built anew: the same rows give the same objects.
    """
    secrets = {secret.digest(one): one for one in given}
    with database.read() as connection:
        rows = select_in(connection, _DECIDES, secrets, given=(now,))
        owners = [_account(*row[3:]) for row in rows]
        living = {account.id: account for account in owners if account.living(now)}
        standing = assignments.standings(connection, living, now)
    return {
        secrets[row.hash]: _identity(standing[account.id], row.session_id, row.stage)
        for row, account in zip(rows, owners, strict=True)
        if account.id in standing
    }


@lru_cache(REMEMBERED_MOST)
def _account(
    account_id: str,
    name: str,
    role: str,
    grid: str,
    department: str,
    disabled_at: int | None,
    valid_from: int | None,
    valid_to: int | None,
    demo: int,
) -> Account:
    """As much of an account as decides who somebody is."""
    return Account(account_id, name, role, Scope(grid, department), disabled_at, valid_from, valid_to, demo=bool(demo))


@lru_cache(REMEMBERED_MOST)
def _identity(account: Account, session_id: str, stage: str) -> Identity:
    """Who holds a session, as long as no desk has stood idle."""
    whole = structs.replace(account.identity, session=session_id)
    return structs.replace(whole, role=PENDING_ROLE, scope=NOWHERE) if stage else whole


def holder(connection: Connection, session_id: str, now: int) -> Identity | None:
    """Return who holds the session of this id at `now`, as the transaction of `connection` sees it."""
    found = _held(connection, session.c.id == session_id, now)
    return next((one.identity(now, 0) for one in found.values()), None)


def _held(connection: Connection, which: ColumnElement[bool], now: int) -> dict[bytes, Held]:
    """The sessions in force, by digest, each with its account as the right that counts now makes it."""
    joined = sa.join(session, account_table, session.c.account == account_table.c.id)
    columns = [session.c[name] for name in ("hash", "expires_at", "opened_at", "seen_at", "stage", "method")]
    query = sa.select(session.c.id.label("session_id"), *columns, account_table).select_from(joined)
    in_force = sa.and_(which, session.c.closed_at.is_(None), session.c.expires_at > now)
    rows = [(row, accounts.account_of(row)) for row in connection.execute(query.where(in_force)).all()]
    living = {account.id: account for _, account in rows if account.living(now)}
    standing = assignments.standings(connection, living, now)
    return {
        row.hash: Held(
            row.session_id, standing[row.id], row.stage, row.method, row.seen_at or row.opened_at, row.expires_at
        )
        for row, _ in rows
        if row.id in standing
    }


def renew(
    database: Database,
    session_id: str,
    stage: str,
    *,
    hours: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> str:
    """Go on to the next stage of signing in, or end it (""), under a new secret, which is returned. Raises NotFound."""
    made = secret.make()
    with database.write(after_commit) as transaction:
        query = sa.select(session).where(session.c.id == session_id, session.c.closed_at.is_(None))
        row = transaction.connection.execute(query.with_for_update()).one_or_none()
        if row is None or not row.stage:
            raise NotFound()
        expires_at = row.expires_at if stage else now + hours * HOUR
        values = {"hash": secret.digest(made), "stage": stage, "expires_at": expires_at, "seen_at": now}
        if row.stage == "password":  # who came by a link has a password now, which also opens a locked desk
            values["method"] = "password"
        transaction.connection.execute(sa.update(session).where(session.c.id == session_id).values(values))
        if not stage:
            body = {"account": row.account, "agent": row.agent, "expires_at": expires_at}
            _record(transaction, "session.opened", session_id, f"account:{_name(transaction, row.account)}", now, body)
    return made


def touch(database: Database, session_id: str, now: int, idle: int, ago: int = 0) -> bool:
    """Note that somebody touched the desk `ago` µs ago; False when it is locked already: only the password helps."""
    at = now - min(max(ago, 0), AGO_MOST)
    seen = sa.func.coalesce(session.c.seen_at, session.c.opened_at)
    mine = sa.and_(session.c.id == session_id, session.c.closed_at.is_(None))
    with database.write() as transaction:
        awake = sa.and_(mine, seen + idle > now) if idle else mine
        changed = transaction.connection.execute(
            sa.update(session).where(awake).values(seen_at=sa.case((seen > at, seen), else_=at))
        )
        return changed.rowcount == 1


def unlock(database: Database, identity: Identity, *, now: int, after_commit: AfterCommit | None = None) -> None:
    """Let a desk that stood idle be used again; the password was right."""
    with database.write(after_commit) as transaction:
        mine = sa.update(session).where(session.c.id == identity.session, session.c.closed_at.is_(None))
        if transaction.connection.execute(mine.values(seen_at=now, failures=0)).rowcount == 1:
            _record(transaction, "session.unlocked", identity.session, identity.actor, now, {})


def miss(
    database: Database, identity: Identity, tries: int, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Count a wrong password at a locked desk; at the last of `tries` the session ends.

    Not with the account's failures: who only knows its name could keep its desk locked.
    """
    mine = sa.and_(session.c.id == identity.session, session.c.closed_at.is_(None))
    with database.write(after_commit) as transaction:
        counted = sa.update(session).where(mine).values(failures=session.c.failures + 1)
        if transaction.connection.execute(counted).rowcount == 0:
            return
        query = sa.select(session.c.failures).where(mine)
        if transaction.connection.execute(query).scalar_one() >= tries:
            _close(transaction, identity.session, identity.actor, now)


def close(database: Database, given: str, *, now: int, after_commit: AfterCommit | None = None) -> None:
    """Sign out; an unknown or closed session is no error."""
    with database.write(after_commit) as transaction:
        query = sa.select(session).where(session.c.hash == secret.digest(given), session.c.closed_at.is_(None))
        row = transaction.connection.execute(query.with_for_update()).one_or_none()
        if row is not None:
            _close(transaction, row.id, f"account:{_name(transaction, row.account)}", now)


def revoke(
    database: Database, identity: Identity, session_id: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """End a session: one's own, or anybody's for who manages accounts. Raises NotFound."""
    with database.write(after_commit) as transaction:
        query = sa.select(session).where(session.c.id == session_id, session.c.closed_at.is_(None))
        if not allowed(identity, "account.manage"):
            query = query.where(session.c.account == identity.id)
        if transaction.connection.execute(query.with_for_update()).one_or_none() is None:
            raise NotFound()
        _close(transaction, session_id, identity.actor, now)


def revoke_all(
    database: Database,
    identity: Identity,
    account_id: str,
    *,
    now: int,
    keep: str = "",
    after_commit: AfterCommit | None = None,
) -> int:
    """Sign an account out everywhere but in the session `keep` and return how many ended. Raises Forbidden."""
    if account_id != identity.id and not allowed(identity, "account.manage"):
        raise Forbidden(permission="account.manage")
    with database.write(after_commit) as transaction:
        return close_all(transaction, account_id, identity.actor, now, keep=keep)


def close_all(transaction: Transaction, account_id: str, actor: str, now: int, *, keep: str = "") -> int:
    """End every session of an account inside a transaction, but the session `keep`; return how many."""
    query = sa.select(session.c.id).where(
        session.c.account == account_id, session.c.closed_at.is_(None), session.c.id != keep
    )
    ids = list(transaction.connection.execute(query.with_for_update()).scalars())
    for session_id in ids:
        _close(transaction, session_id, actor, now)
    return len(ids)


def listed(database: Database, account_id: str, now: int) -> list[Session]:
    """Return an account's sessions that are open, oldest first."""
    return _listed(database, now, session.c.account == account_id)


def everybody(database: Database, identity: Identity, now: int) -> list[Session]:
    """Return all sessions that are open, oldest first, for who manages accounts. Raises Forbidden."""
    if not allowed(identity, "account.manage"):
        raise Forbidden(permission="account.manage")
    return _listed(database, now, sa.true())


def _listed(database: Database, now: int, which: sa.ColumnElement[bool]) -> list[Session]:
    columns = [session.c[name] for name in Session.__struct_fields__[:-1]]
    joined = sa.join(session, account_table, session.c.account == account_table.c.id)
    query = sa.select(*columns, account_table.c.name).select_from(joined)
    open_now = sa.and_(which, session.c.closed_at.is_(None), session.c.expires_at > now, session.c.stage == "")
    with database.read() as connection:
        found = connection.execute(query.where(open_now).order_by(session.c.opened_at).limit(LISTED_MOST))
        return [Session(**row._asdict()) for row in found]


def issue_one_time(database: Database, name: str, now: int) -> str:
    """Return a secret that signs the account in once, within 15 minutes. Raises NotFound."""
    account = accounts.find(database, name)
    if account is None or not account.living(now):
        raise NotFound()
    made = secret.make()
    with database.write() as transaction:
        transaction.connection.execute(sa.delete(one_time).where(one_time.c.expires_at < now))
        row = {"hash": secret.digest(made), "account": name, "expires_at": now + ONE_TIME}
        transaction.connection.execute(sa.insert(one_time).values(row))
    return made


def redeem(
    database: Database,
    given: str,
    *,
    hours: int,
    now: int,
    agent: str = "",
    address: str = "",
    stage_of: Callable[[Account], str] = lambda _: "",
    after_commit: AfterCommit | None = None,
) -> tuple[str, Account]:
    """Spend a one-time secret: return a session's secret and its account. Raises Refused when it is spent or over.

    `stage_of` says what is left of signing in for that account.
    """
    with database.write(after_commit) as transaction:
        spend = sa.update(one_time).where(
            one_time.c.hash == secret.digest(given), one_time.c.used_at.is_(None), one_time.c.expires_at > now
        )
        if transaction.connection.execute(spend.values(used_at=now)).rowcount != 1:
            raise Refused("operations.one_time_spent")
        query = sa.select(account_table).join(one_time, one_time.c.account == account_table.c.name)
        row = transaction.connection.execute(query.where(one_time.c.hash == secret.digest(given))).one_or_none()
        account = None if row is None else accounts.account_of(row)
        if account is None or not account.living(now):
            raise Refused("operations.one_time_spent")
        opening = _Opening(hours, agent, address, "link", stage_of(account))
        return _open(transaction, account, opening, now), account


class _Opening(NamedTuple):
    """How a session begins."""

    hours: int
    agent: str
    address: str
    method: str
    stage: str


def _open(transaction: Transaction, account: Account, opening: _Opening, now: int) -> str:
    made, session_id = secret.make(), uuid7(now)
    lasting = PENDING if opening.stage else opening.hours * HOUR
    agent = opening.agent.replace("\0", "")[:AGENT_MOST]
    values = {
        "account": account.id,
        "id": session_id,
        "agent": agent,
        "opened_at": now,
        "seen_at": now,
        "expires_at": now + lasting,
        "stage": opening.stage,
        "method": opening.method,
        "address": opening.address[:AGENT_MOST],
    }
    transaction.connection.execute(sa.insert(session).values(hash=secret.digest(made), **values))
    if opening.stage:
        body: dict[str, object] = {"account": account.id, "agent": agent, "stage": opening.stage}
        _record(transaction, "session.begun", session_id, account.identity.actor, now, body)
    else:
        body = {"account": account.id, "agent": agent, "expires_at": now + lasting}
        _record(transaction, "session.opened", session_id, account.identity.actor, now, body)
    return made


def _close(transaction: Transaction, session_id: str, actor: str, now: int) -> None:
    transaction.connection.execute(sa.update(session).where(session.c.id == session_id).values(closed_at=now))
    _record(transaction, "session.closed", session_id, actor, now, {})


def _record(
    transaction: Transaction, action: str, session_id: str, actor: str, now: int, body: dict[str, object]
) -> None:
    draft = Draft(at=now, actor=actor, action=action, subject_type="session", subject_id=session_id, body=body)
    journal.append(transaction, [draft])


def _name(transaction: Transaction, account_id: str) -> str:
    query = sa.select(account_table.c.name).where(account_table.c.id == account_id)
    return str(transaction.connection.execute(query).scalar_one_or_none() or account_id)
