"""Accounts of people whom an identity provider vouches for: found by issuer and subject, never by name.

Role and jurisdiction follow the provider's claims at every sign-in. A local account is never taken over: whoever has
its name at the provider gets another one here.
"""

import re
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from operations import accounts, journal, separation, sessions
from operations.accounts import Account
from operations.claims import Grant
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import Refused
from operations.tables import account as table
from operations.uuid7 import uuid7

ACTOR = "system:oidc"
NAME_MOST = 30
SHOWN_MOST = 40
NAMESAKES_MOST = 100
SUBJECT_MOST = 255


class Person(Struct, frozen=True):
    """Whom the provider vouches for. `issuer`, `subject`: who it is, for ever; `name`, `shown_name` may change."""

    issuer: str
    subject: str
    name: str = ""
    shown_name: str = ""

    @property
    def external(self) -> str:
        """What the account is found by."""
        return f"{self.issuer}|{self.subject}"


def enter(
    database: Database, person: Person, grant: Grant, *, now: int, after_commit: AfterCommit | None = None
) -> Account:
    """Return the person's account, made or brought up to date. Raises Refused."""
    if not 0 < len(person.subject) <= SUBJECT_MOST or not person.subject.isprintable():
        raise Refused("operations.claims_subject")
    with database.write(after_commit) as transaction:
        transaction.alone("external")  # two first sign-ins of one person make one account
        query = sa.select(table).where(table.c.external == person.external)
        row = transaction.connection.execute(query).one_or_none()
        if row is None:
            _add(transaction, person, grant, now)
        else:
            if not accounts.account_of(row).living(now):
                raise Refused("operations.account_off")
            _update(transaction, row, person, grant, now)
        return accounts.account_of(transaction.connection.execute(query).one())


def _add(transaction: Transaction, person: Person, grant: Grant, now: int) -> None:
    account_id = uuid7(now)
    values = {"name": _free_name(transaction.connection, person), "shown_name": _shown(person), **_granted(grant)}
    kept = {"id": account_id, "external": person.external, "added_at": now}
    kept["administrator"] = separation.kept("", grant.role)
    transaction.connection.execute(sa.insert(table).values({**values, **kept}))
    _record(transaction, "account.added", account_id, {**values, "issuer": person.issuer}, now)


def _update(transaction: Transaction, row: sa.Row[Any], person: Person, grant: Grant, now: int) -> None:
    after = {"shown_name": _shown(person), **_granted(grant)}
    before = {name: getattr(row, name) for name in after}
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return
    if grant.role != row.role:
        separation.check_last(transaction, row.id, now)
        sessions.close_all(transaction, row.id, ACTOR, now)  # another role may ask for a second factor
    values = {**after, "administrator": separation.kept(row.administrator, grant.role), "revision": row.revision + 1}
    transaction.connection.execute(sa.update(table).where(table.c.id == row.id).values(values))
    body = {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}
    _record(transaction, "account.changed", row.id, {**body, "issuer": person.issuer}, now)


def _granted(grant: Grant) -> dict[str, Any]:
    return {"role": grant.role, "scope_grid": grant.scope.grid, "scope_department": grant.scope.department}


def _shown(person: Person) -> str:
    return "".join(one for one in person.shown_name if one.isprintable()).strip()[:SHOWN_MOST]


def _free_name(connection: sa.Connection, person: Person) -> str:
    """The name at the provider as names are here, with a number where somebody has it already."""
    plain = re.sub(r"[^\w.@-]", "", person.name)[:NAME_MOST] or "oidc"
    for number in range(1, NAMESAKES_MOST):
        name = plain if number == 1 else f"{plain}-{number}"
        if connection.execute(sa.select(table.c.id).where(table.c.name == name)).one_or_none() is None:
            return name
    return f"oidc-{uuid7(0)[-12:]}"


def _record(transaction: Transaction, action: str, account_id: str, body: dict[str, Any], now: int) -> None:
    draft = Draft(at=now, actor=ACTOR, action=action, subject_type="account", subject_id=account_id, body=body)
    journal.append(transaction, [draft])
