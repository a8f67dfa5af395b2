"""What keeps the three administrators 三员 apart, and anybody from changing what they themselves may do.

GB/T 22239-2019 §8.1.5: system, security and audit administrators are different people.
"""

import sqlalchemy as sa

from operations.database import Transaction
from operations.errors import Refused
from operations.policy import ADMINISTRATORS, Identity
from operations.tables import account, assignment

LAST = "security_admin"
"""The role of which one account must always be left: nobody else could give rights any more."""


def kept(before: str, role: str) -> str:
    """Return which administrator an account ever was, once it holds `role` too. Raises Refused for a second one."""
    if role not in ADMINISTRATORS:
        return before
    if before not in ("", role):
        raise Refused("operations.account_separated", role=role, before=before)
    return role


def check_own(identity: Identity, account_id: str) -> None:
    """Refuse to change one's own role, jurisdiction, rights, or to switch oneself on or off. Raises Refused."""
    if identity.kind == "account" and identity.id == account_id:
        raise Refused("operations.account_own")


def check_last(transaction: Transaction, account_id: str, now: int) -> None:
    """Refuse to take the role from the last security administrator. Raises Refused.

    Those count who hold it without an end and have no other right beside it; two at once wait for one another.
    """
    transaction.alone(LAST)
    connection, columns = transaction.connection, account.c
    if connection.execute(sa.select(columns.role).where(columns.id == account_id)).scalar_one_or_none() != LAST:
        return
    elsewhere = sa.select(assignment.c.account).where(assignment.c.withdrawn_at.is_(None), assignment.c.ends_at > now)
    others = sa.select(sa.func.count()).where(
        columns.role == LAST,
        columns.id != account_id,
        columns.disabled_at.is_(None),
        columns.valid_to.is_(None),
        sa.or_(columns.valid_from.is_(None), columns.valid_from <= now),
        columns.id.not_in(elsewhere),
    )
    if not connection.execute(others).scalar_one():
        raise Refused("operations.account_last")
