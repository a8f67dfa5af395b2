"""One's own account: choosing a password, and what is left of signing in after a right one."""

from collections.abc import Collection

import sqlalchemy as sa

from operations import accounts, journal, passwords, sessions
from operations.accounts import Account
from operations.database import AfterCommit, Database
from operations.errors import NotFound
from operations.policy import Identity
from operations.rules import DAY, DEFAULT, Rules
from operations.second_factor import mandatory
from operations.tables import account as table

CODE, PASSWORD, ENROL = "code", "password", "enrol"
"""Stages of signing in, in their order: the second factor, another password, taking a second factor."""


def next_stage(account: Account, rules: Rules, now: int, *, proven: bool, roles: Collection[str] = ()) -> str:
    """Return what is left of signing in; `proven`: the second factor was right, or was taken just now.

    `roles`: what it has or will have beside its own role: nobody signs in anew when a right begins.
    """
    if account.demo:
        return ""
    if account.second_factor and not proven:
        return CODE
    if not account.external and (account.must_change or too_old(account, rules, now)):
        return PASSWORD
    return ENROL if mandatory((account.role, *roles), rules) and not account.second_factor else ""


def too_old(account: Account, rules: Rules, now: int) -> bool:
    """Say whether an account's password has been in use longer than the rules allow."""
    return bool(rules.password_days) and account.password_at + rules.password_days * DAY <= now


def choose_password(
    database: Database,
    identity: Identity,
    password: str,
    *,
    now: int,
    rules: Rules = DEFAULT,
    after_commit: AfterCommit | None = None,
) -> None:
    """Take another password for oneself, who was proved just now; all one's other sessions end. Raises Refused."""
    with database.read() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == identity.id)).one_or_none()
    if row is None or row.demo:
        raise NotFound()
    passwords.check(password, row.name, rules)
    passwords.check_past(password, passwords.past(row.password, row.past_passwords))
    hashed = passwords.hashed(password)
    with database.write(after_commit) as transaction:
        row = transaction.connection.execute(sa.select(table).where(table.c.id == identity.id).with_for_update()).one()
        accounts.put_password(transaction, row, hashed, now, must_change=False)
        sessions.close_all(transaction, identity.id, identity.actor, now, keep=identity.session)
        journal.append(transaction, [accounts.draft(identity, "account.password", identity.id, now, {})])
