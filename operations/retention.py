"""Forgetting on schedule: keys destroyed, or whole bodies with their salts; both are entries, the chain stays whole."""

from collections.abc import Sequence

import sqlalchemy as sa

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import Forbidden, Refused
from operations.policy import Identity, allowed
from operations.seal import KeyStore
from operations.tables import journal as journal_table
from operations.tables import journal_body

AT_ONCE = 500


def destroy_keys(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    subjects: Sequence[str],
    rule: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Destroy the keys of up to 500 subjects (incident or quarantine ids) under a rule. The entries come first."""
    _permit(identity)
    if not rule or len(subjects) > AT_ONCE:
        raise Refused("operations.destruction_wrong", most=AT_ONCE)
    with database.write(after_commit) as transaction:
        journal.append(transaction, [_key_draft(identity, subject, rule, now) for subject in subjects])
    keys.destroy(subjects)


def finish(database: Database, keys: KeyStore, after: int = 0) -> None:
    """Destroy again every key whose destruction is recorded after seq `after`: mends a crash between the two steps."""
    columns = journal_table.c
    query = sa.select(columns.subject_id).where(columns.action == "key.destroyed", columns.seq > after)
    with database.read() as connection:
        keys.destroy(list(connection.execute(query).scalars()))


def destroy_bodies(
    database: Database,
    identity: Identity,
    first: int,
    last: int,
    rule: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Destroy the bodies and salts of entries `first` to `last`; they must lie before a kept snapshot of the board."""
    _permit(identity)
    with database.write(after_commit) as transaction:
        head = journal.head_on(transaction.connection)
        if not rule or not 0 < first <= last <= head.seq:
            raise Refused("operations.destruction_wrong", most=AT_ONCE)
        draft = Draft(
            at=now,
            actor=identity.actor,
            action="body.destroyed",
            subject_type="journal",
            subject_id=f"{first}-{last}",
            reason=rule,
            body={"first": first, "last": last, "rule": rule},
        )
        transaction.connection.execute(sa.delete(journal_body).where(journal_body.c.seq.between(first, last)))
        journal.append(transaction, [draft])


def _key_draft(identity: Identity, subject: str, rule: str, now: int) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action="key.destroyed",
        subject_type="key",
        subject_id=subject,
        reason=rule,
        body={"rule": rule},
    )


def _permit(identity: Identity) -> None:
    if not allowed(identity, "key.destroy"):
        raise Forbidden(permission="key.destroy")
