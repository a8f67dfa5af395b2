"""Rights with a time 限时授权, beside an account's own: standing in for somebody 代班, helping in another jurisdiction.

Of those in force the one begun last counts, with its role and jurisdiction; when it ends, what was before counts again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs

from operations import journal, separation
from operations.accounts import Account
from operations.database import AfterCommit, Database, Transaction, select_in
from operations.entry import Draft
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import ADMINISTRATORS, PEOPLE, Identity, allowed
from operations.rules import DEFAULT, Rules
from operations.scope import WHOLE, Scope
from operations.tables import account as account_table
from operations.tables import assignment as table
from operations.uuid7 import uuid7

DAY = 86_400_000_000
LONGEST = 366 * DAY
MOST = 20
"""Rights of one account that are not over."""
REASON_MOST = 200


class Right(Struct, frozen=True):
    """What is given: a role and its jurisdiction, from when until when (UTC microseconds), and why."""

    role: str
    ends_at: int
    starts_at: int = 0
    scope: Scope = WHOLE
    reason: str = ""


class Assignment(Struct, frozen=True):
    """One right of one account; `withdrawn_at` where it was taken back before its end."""

    id: str
    account: str
    right: Right
    given_at: int
    given_by: str
    withdrawn_at: int | None = None

    def holds(self, now: int) -> bool:
        """Whether it is in force."""
        return self.withdrawn_at is None and self.right.starts_at <= now < self.right.ends_at

    def over(self, now: int) -> bool:
        """Whether it never comes into force again."""
        return self.withdrawn_at is not None or self.right.ends_at <= now


def counting(found: Iterable[Assignment], now: int) -> Assignment | None:
    """Return the right that counts: of those in force the one begun last, of two begun together the one given last."""
    return max(
        (one for one in found if one.holds(now)),
        key=lambda one: (one.right.starts_at, one.given_at, one.id),
        default=None,
    )


_IN_FORCE = "SELECT * FROM assignment WHERE withdrawn_at IS NULL AND starts_at <= ? AND ends_at > ? AND account IN"


def standing(connection: sa.Connection, account: Account, now: int) -> Account:
    """Return the account as its rights make it now."""
    return standings(connection, {account.id: account}, now)[account.id]


def standings(connection: sa.Connection, accounts: Mapping[str, Account], now: int) -> dict[str, Account]:
    """The same of many accounts, by id, with one query."""
    rights: dict[str, list[Assignment]] = {}
    for row in select_in(connection, _IN_FORCE, accounts, given=(now, now)):
        rights.setdefault(row.account, []).append(_of(row))
    return {
        key: _with(account, counting(rights[key], now)) if key in rights else account
        for key, account in accounts.items()
    }


def _with(account: Account, found: Assignment | None) -> Account:
    return account if found is None else structs.replace(account, role=found.right.role, scope=found.right.scope)


def give(
    database: Database,
    identity: Identity,
    account_id: str,
    right: Right,
    *,
    now: int,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> str:
    """Give a right and return its id; a start that is past is now. Raises Forbidden, NotFound, Refused.

    A role that signs in with a second factor is given only to who has one: nobody signs in anew when it begins.
    """
    _permit(identity)
    separation.check_own(identity, account_id)
    right = structs.replace(right, starts_at=max(right.starts_at, now), reason=right.reason.strip())
    _check(right, now)
    assignment_id = uuid7(now)
    made = Assignment(assignment_id, account_id, right, now, identity.actor)
    with database.write(after_commit) as transaction:
        before = _locked(transaction, account_id)
        if right.role in rules.totp_roles and before.totp is None and not before.demo:
            raise Refused("operations.right_second_factor", name=before.name)
        separation.check_last(transaction, account_id, now)
        if sum(not one.over(now) for one in _of_account(transaction.connection, account_id)) >= MOST:
            raise Refused("operations.rights_many", most=MOST)
        values = {"administrator": separation.kept(before.administrator, right.role), "revision": before.revision + 1}
        transaction.connection.execute(sa.update(account_table).where(account_table.c.id == account_id).values(values))
        transaction.connection.execute(sa.insert(table).values(_row(made)))
        told: dict[str, Any] = {"right": assignment_id, "before": {}, "after": _told(right)}
        journal.append(transaction, [_draft(identity, "right.given", account_id, now, right.reason, told)])
    return assignment_id


def withdraw(
    database: Database, identity: Identity, assignment_id: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Take a right back before its end. Raises Forbidden, NotFound (also when it is over), Refused for one's own."""
    _permit(identity)
    with database.write(after_commit) as transaction:
        query = sa.select(table).where(table.c.id == assignment_id).with_for_update()
        row = transaction.connection.execute(query).one_or_none()
        if row is None or _of(row).over(now):
            raise NotFound()
        found = _of(row)
        separation.check_own(identity, found.account)
        transaction.connection.execute(sa.update(table).where(table.c.id == assignment_id).values(withdrawn_at=now))
        told: dict[str, Any] = {"right": assignment_id, "before": _told(found.right), "after": {}}
        journal.append(transaction, [_draft(identity, "right.withdrawn", found.account, now, "", told)])


def listed(database: Database, account_id: str) -> list[Assignment]:
    """Return an account's rights, the newest first, those that are over too."""
    with database.read() as connection:
        return _of_account(connection, account_id)


def roles(database: Database, account: Account, now: int) -> frozenset[str]:
    """Return the roles an account has or will have: its own, and those of its rights that are not over."""
    query = sa.select(table.c.role).where(table.c.account == account.id, *_living(now))
    with database.read() as connection:
        return frozenset((account.role, *connection.execute(query).scalars()))


def living(connection: sa.Connection, now: int) -> list[Assignment]:
    """Return the rights of all accounts that are not over."""
    return [_of(row) for row in connection.execute(sa.select(table).where(*_living(now)))]


def _living(now: int) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.withdrawn_at.is_(None), table.c.ends_at > now


def _of_account(connection: sa.Connection, account_id: str) -> list[Assignment]:
    query = sa.select(table).where(table.c.account == account_id).order_by(table.c.given_at.desc(), table.c.id.desc())
    return [_of(row) for row in connection.execute(query)]


def _locked(transaction: Transaction, account_id: str) -> sa.Row[Any]:
    query = sa.select(account_table).where(account_table.c.id == account_id, account_table.c.disabled_at.is_(None))
    row = transaction.connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _check(right: Right, now: int) -> None:
    if right.role not in (*PEOPLE, *ADMINISTRATORS):
        raise Refused("operations.account_role", role=right.role, roles=", ".join((*PEOPLE, *ADMINISTRATORS)))
    if not right.starts_at < right.ends_at <= now + LONGEST:
        raise Refused("operations.right_time", days=LONGEST // DAY)
    if not right.reason or len(right.reason) > REASON_MOST:
        raise Refused("operations.right_reason", most=REASON_MOST)


def _row(one: Assignment) -> dict[str, object]:
    right = one.right
    return {
        "id": one.id,
        "account": one.account,
        "role": right.role,
        "scope_grid": right.scope.grid,
        "scope_department": right.scope.department,
        "starts_at": right.starts_at,
        "ends_at": right.ends_at,
        "given_at": one.given_at,
        "given_by": one.given_by,
        "reason": right.reason,
    }


def _of(row: sa.Row[Any]) -> Assignment:
    scope = Scope(row.scope_grid, row.scope_department)
    right = Right(row.role, row.ends_at, row.starts_at, scope, row.reason)
    return Assignment(row.id, row.account, right, row.given_at, row.given_by, row.withdrawn_at)


def _told(right: Right) -> dict[str, object]:
    return {
        "role": right.role,
        "grid": right.scope.grid,
        "department": right.scope.department,
        "starts_at": right.starts_at,
        "ends_at": right.ends_at,
    }


def _permit(identity: Identity) -> None:
    if not allowed(identity, "account.manage"):
        raise Forbidden(permission="account.manage")


def _draft(identity: Identity, action: str, account_id: str, now: int, reason: str, body: dict[str, Any]) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="account",
        subject_id=account_id,
        reason=reason,
        body=body,
    )
