"""What was taken along 截图与导出: returned, destroyed, or masked and published; or held for a case 法定保留."""

from typing import Any

import sqlalchemy as sa

from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import NotFound, need
from operations.grants.request import TEXT_LEAST, TEXT_MOST
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.tables import evidence as table

HELD, RETURNED, DESTROYED = "held", "returned", "destroyed"
OVER = (RETURNED, DESTROYED)


def settle(
    database: Database, identity: Identity, id: str, state: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Confirm that it was returned or destroyed. Raises Forbidden, NotFound, Refused."""
    need(state in OVER, "taken.state")
    scope = reach(identity, "evidence.settle")
    with database.write(after_commit) as transaction:
        row = _row(transaction, identity, scope, id)
        need(row.state == HELD, "taken.over")
        need(state != DESTROYED or not row.held, "taken.kept")
        change = {"state": state, "state_at": now, "state_by": identity.name}
        transaction.connection.execute(sa.update(table).where(table.c.id == id).values(change))
        journal.append(transaction, [_draft(row, f"evidence.{state}", identity, now)])


def publish(
    database: Database, identity: Identity, id: str, text: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Confirm that it was masked before it is published: where, and who masked it (Decree 799, article 22).

    Raises Forbidden, NotFound, Refused.
    """
    need(TEXT_LEAST <= len(text.strip()) <= TEXT_MOST, "grants.text", least=TEXT_LEAST, most=TEXT_MOST)
    scope = reach(identity, "evidence.settle")
    with database.write(after_commit) as transaction:
        row = _row(transaction, identity, scope, id)
        need(row.state == HELD, "taken.over")
        transaction.connection.execute(sa.update(table).where(table.c.id == id).values(published_at=now))
        journal.append(transaction, [_draft(row, "evidence.published", identity, now, text.strip())])


def hold(
    database: Database, identity: Identity, id: str, *, kept: bool, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Hold something for a case, so that nobody destroys it, or let go of it. Raises Forbidden, NotFound, Refused."""
    scope = reach(identity, "evidence.hold")
    with database.write(after_commit) as transaction:
        row = transaction.connection.execute(sa.select(table).where(table.c.id == id).with_for_update()).one_or_none()
        if row is None or not scope.covers(tuple(row.path.split("/")), row.department):
            raise NotFound()
        need(row.state != DESTROYED, "taken.over")
        if bool(row.held) == kept:
            return
        transaction.connection.execute(sa.update(table).where(table.c.id == id).values(held=int(kept)))
        journal.append(transaction, [_draft(row, "evidence.kept" if kept else "evidence.released", identity, now)])


def _row(transaction: Transaction, identity: Identity, scope: Scope, id: str) -> "sa.Row[Any]":
    """Return one's own, or one of cameras within one's scope."""
    row = transaction.connection.execute(sa.select(table).where(table.c.id == id).with_for_update()).one_or_none()
    mine = row is not None and row.actor == identity.actor
    if row is None or not (mine or scope.covers(tuple(row.path.split("/")), row.department)):
        raise NotFound()
    return row


def _draft(row: "sa.Row[Any]", action: str, identity: Identity, now: int, text: str = "") -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="evidence",
        subject_id=row.id,
        scope_grid=row.path,
        scope_department=row.department,
        reason=text,
        body={"camera": row.camera, "sha256": row.sha256, "kind": row.kind},
    )
