"""Sessions on the server's side, their ids hashed, with expiry and revocation; and one-time sign-in links."""

import sqlalchemy as sa
from msgspec import Struct

from operations import accounts, assignments, journal, secret
from operations.accounts import Account
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, allowed
from operations.tables import account as account_table
from operations.tables import one_time, session
from operations.uuid7 import uuid7

HOUR = 3_600_000_000
ONE_TIME = 15 * 60_000_000
WALL_HOURS = 24 * 400  # a wall is a device that never logs out; revoke its session to end it
AGENT_MOST = 200


class Session(Struct, frozen=True):
    """What may be shown of a session."""

    id: str
    account: str
    agent: str
    opened_at: int
    expires_at: int
    closed_at: int | None


def open(
    database: Database,
    account: Account,
    *,
    hours: int,
    now: int,
    agent: str = "",
    after_commit: AfterCommit | None = None,
) -> str:
    """Open a session and return its secret, for the cookie."""
    with database.write(after_commit) as transaction:
        return _open(transaction, account, hours, agent, now)


def identify(database: Database, given: str, now: int) -> Identity | None:
    """Return who holds this session; None when it is wrong, over, revoked, or its account was disabled."""
    joined = sa.join(session, account_table, session.c.account == account_table.c.id)
    query = sa.select(session.c.expires_at, session.c.closed_at, account_table).select_from(joined)
    with database.read() as connection:
        row = connection.execute(query.where(session.c.hash == secret.digest(given))).one_or_none()
        if row is None or row.closed_at is not None or row.expires_at <= now or row.disabled_at is not None:
            return None
        return assignments.standing(connection, accounts.account_of(row), now).identity


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


def listed(database: Database, account_id: str, now: int) -> list[Session]:
    """Return an account's sessions that are open."""
    columns = [session.c[name] for name in Session.__struct_fields__]
    query = sa.select(*columns).where(
        session.c.account == account_id, session.c.closed_at.is_(None), session.c.expires_at > now
    )
    with database.read() as connection:
        return [Session(*row) for row in connection.execute(query.order_by(session.c.opened_at))]


def issue_one_time(database: Database, name: str, now: int) -> str:
    """Return a secret that signs the account in once, within 15 minutes. Raises NotFound."""
    account = accounts.find(database, name)
    if account is None or account.disabled_at is not None:
        raise NotFound()
    made = secret.make()
    with database.write() as transaction:
        transaction.connection.execute(sa.delete(one_time).where(one_time.c.expires_at < now))
        row = {"hash": secret.digest(made), "account": name, "expires_at": now + ONE_TIME}
        transaction.connection.execute(sa.insert(one_time).values(row))
    return made


def redeem(
    database: Database, given: str, *, hours: int, now: int, agent: str = "", after_commit: AfterCommit | None = None
) -> tuple[str, Account]:
    """Spend a one-time secret: return a session's secret and its account. Raises Refused when it is spent or over."""
    with database.write(after_commit) as transaction:
        spend = sa.update(one_time).where(
            one_time.c.hash == secret.digest(given), one_time.c.used_at.is_(None), one_time.c.expires_at > now
        )
        if transaction.connection.execute(spend.values(used_at=now)).rowcount != 1:
            raise Refused("operations.one_time_spent")
        query = sa.select(account_table).join(one_time, one_time.c.account == account_table.c.name)
        row = transaction.connection.execute(query.where(one_time.c.hash == secret.digest(given))).one_or_none()
        if row is None or row.disabled_at is not None:
            raise Refused("operations.one_time_spent")
        account = accounts.account_of(row)
        return _open(transaction, account, hours, agent, now), account


def _open(transaction: Transaction, account: Account, hours: int, agent: str, now: int) -> str:
    made, session_id = secret.make(), uuid7(now)
    expires_at = now + (WALL_HOURS if account.role == "wall" else hours) * HOUR
    agent = agent.replace("\0", "")[:AGENT_MOST]
    values = {"account": account.id, "id": session_id, "agent": agent, "opened_at": now, "expires_at": expires_at}
    transaction.connection.execute(sa.insert(session).values(hash=secret.digest(made), **values))
    body = {"account": account.id, "agent": agent, "expires_at": expires_at}
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
