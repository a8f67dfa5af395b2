"""What an account is appointed to 任用: its role, jurisdiction, department and validity; switched off and on again.

Each change says which revision it was decided on: of two administrators at once the second is told, nobody clobbers.
"""

from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import journal, separation, sessions
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import ADMINISTRATORS, PEOPLE, Identity, allowed
from operations.rules import DEFAULT, Rules
from operations.scope import WHOLE, Scope
from operations.tables import account as table

NAME_MOST = 40


class Post(Struct, frozen=True):
    """Role, jurisdiction, validity (UTC microseconds; None: without bound) and the name shown on screens."""

    role: str
    scope: Scope = WHOLE
    valid_from: int | None = None
    valid_to: int | None = None
    shown_name: str = ""


class Changed(Refused):
    """Somebody changed the account meanwhile; nothing of this change was kept."""

    code = "operations.account_changed"


def change(
    database: Database,
    identity: Identity,
    account_id: str,
    post: Post,
    *,
    revision: int,
    now: int,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> None:
    """Appoint an account anew. Raises Forbidden, NotFound, Refused, Changed.

    Into a role that signs in with a second factor somebody without one has to sign in anew, which asks for it.
    """
    _permit(identity)
    check(post)
    with database.write(after_commit) as transaction:
        appoint(transaction, identity, (account_id, revision), post, now, rules)


def appoint(
    transaction: Transaction, identity: Identity, seen: tuple[str, int], post: Post, now: int, rules: Rules
) -> None:
    """Do the same inside a transaction; `seen`: the account's id and the revision it was decided on."""
    account_id, revision = seen
    row = _locked(transaction, account_id, revision)
    before, after = values_of(_post(row)), values_of(post)
    if before == after:
        return
    if before | {"shown_name": ""} != after | {"shown_name": ""}:  # what one is called gives no rights
        separation.check_own(identity, account_id)
    if post.role != row.role or post.valid_from != row.valid_from or post.valid_to is not None:
        separation.check_last(transaction, account_id, now)
    values = {**after, "revision": revision + 1, "administrator": separation.kept(row.administrator, post.role)}
    transaction.connection.execute(sa.update(table).where(table.c.id == account_id).values(values))
    if post.role != row.role and post.role in rules.totp_roles and row.totp is None:
        sessions.close_all(transaction, account_id, identity.actor, now)
    changed = [name for name in after if before[name] != after[name]]
    body = {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}
    _record(transaction, identity, "account.changed", account_id, now, body)


def switch(
    database: Database,
    identity: Identity,
    account_id: str,
    *,
    on: bool,
    revision: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Switch an account off, which ends its sessions, or on again. Raises Forbidden, NotFound, Refused, Changed."""
    _permit(identity)
    separation.check_own(identity, account_id)
    with database.write(after_commit) as transaction:
        row = _locked(transaction, account_id, revision)
        if on == (row.disabled_at is None):
            return
        if not on:
            separation.check_last(transaction, account_id, now)
        values = {"disabled_at": None if on else now, "revision": revision + 1}
        transaction.connection.execute(sa.update(table).where(table.c.id == account_id).values(values))
        sessions.close_all(transaction, account_id, identity.actor, now)  # none of before comes back with the account
        body: dict[str, Any] = {"before": {"on": not on}, "after": {"on": on}}
        _record(transaction, identity, "account.enabled" if on else "account.disabled", account_id, now, body)


def _locked(transaction: Transaction, account_id: str, revision: int) -> sa.Row[Any]:
    query = sa.select(table).where(table.c.id == account_id).with_for_update()
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    if row.revision != revision:
        raise Changed(name=row.name)
    return row


def check(post: Post) -> None:
    """Raise Refused, with the reason, for what nobody can be."""
    if post.role not in (*PEOPLE, *ADMINISTRATORS):
        raise Refused("operations.account_role", role=post.role, roles=", ".join((*PEOPLE, *ADMINISTRATORS)))
    if post.valid_to is not None and post.valid_to <= (post.valid_from or 0):
        raise Refused("operations.account_times")
    if len(post.shown_name) > NAME_MOST or not post.shown_name.isprintable():
        raise Refused("operations.account_shown_name", most=NAME_MOST)
    if post.role in ADMINISTRATORS and post.scope != WHOLE:
        raise Refused("operations.account_whole")


def _post(row: sa.Row[Any]) -> Post:
    scope = Scope(row.scope_grid, row.scope_department)
    return Post(row.role, scope, row.valid_from, row.valid_to, row.shown_name)


def values_of(post: Post) -> dict[str, Any]:
    """Return the columns of a post."""
    return {
        "role": post.role,
        "scope_grid": post.scope.grid,
        "scope_department": post.scope.department,
        "valid_from": post.valid_from,
        "valid_to": post.valid_to,
        "shown_name": post.shown_name,
    }


def _permit(identity: Identity) -> None:
    if not allowed(identity, "account.manage"):
        raise Forbidden(permission="account.manage")


def _record(
    transaction: Transaction, identity: Identity, action: str, account_id: str, now: int, body: dict[str, Any]
) -> None:
    draft = Draft(at=now, actor=identity.actor, action=action, subject_type="account", subject_id=account_id, body=body)
    journal.append(transaction, [draft])
