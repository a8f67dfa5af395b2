"""Epochs: after a restore from a backup the journal goes on in a new epoch, so that older cursors get a snapshot."""

import sqlalchemy as sa

from operations import journal
from operations.database import Database
from operations.entry import Draft
from operations.policy import SYSTEM, Identity
from operations.tables import journal_head


def new_epoch(database: Database, reason: str, *, now: int, identity: Identity = SYSTEM) -> int:
    """Begin a new epoch and return its number. Heads signed past this point belong to the history left behind."""
    with database.write() as transaction:
        number = journal.head_on(transaction.connection).epoch + 1
        transaction.connection.execute(sa.update(journal_head).values(epoch=number))
        draft = Draft(
            at=now,
            actor=identity.actor,
            action="epoch.started",
            subject_type="epoch",
            subject_id=str(number),
            revision=number,
            reason=reason,
            body={"epoch": number},
        )
        journal.append(transaction, [draft])
    return number
