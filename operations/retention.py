"""Forgetting on schedule: keys destroyed, or whole bodies with their salts; both are entries, the chain stays whole."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import Refused
from operations.incident import Incident
from operations.policy import SYSTEM, Identity, require
from operations.seal import KeyStore
from operations.tables import incident, journal_body, quarantine
from operations.tables import journal as journal_table

AT_ONCE = 500
DAY = 86_400_000_000
RUN = "retention"
"""Subject of the entries of scheduled runs."""
REGULAR_MOST = 2 * DAY
"""Between two runs while the clock goes as it should and the program is not stopped for long."""
NOTICE = 7 * DAY
"""Days between announcing that something is destroyed and doing it."""
_incident = msgspec.json.Decoder(Incident)


class Run(Struct, frozen=True):
    """A scheduled run: when; from when it destroys (0: it did) and how many keys, where it only announced."""

    at: int
    begins: int = 0
    forgets: int = 0


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


def forget(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    before: int,
    rule: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> int:
    """Destroy the keys of incidents closed and quarantined items decided before a time; returns how many."""
    _permit(identity)
    count = 0
    for left in _ended(database, keys, before):
        destroy_keys(database, keys, identity, left, rule, now=now, after_commit=after_commit)
        count += len(left)
    return count


def count(database: Database, keys: KeyStore, before: int) -> int:
    """Return how many keys `forget` would destroy."""
    return sum(len(left) for left in _ended(database, keys, before))


def _ended(database: Database, keys: KeyStore, before: int) -> Iterator[list[str]]:
    """Incidents and quarantined items that ended before a time and still have a key, in parts."""
    for ended in (_closed(database, before), _decided(database, before)):
        for subjects in ended:
            if left := list(keys.find(subjects)):
                yield left


def begins(last: Run | None, now: int) -> int | None:
    """Return from when a scheduled run may destroy anything: not later than `now` is at once, None is not due today.

    What is destroyed stays destroyed, a clock may be wrong: after a step of it, a long stop or an update nothing is
    destroyed before a week of days has passed one by one, which the entries of the runs show.
    """
    if last is None or not 0 <= now - last.at <= REGULAR_MOST:
        return now + NOTICE
    return None if now - last.at < DAY else last.begins


def last_run(database: Database) -> Run | None:
    """Return what the newest entry of a scheduled run says."""
    columns = journal_table.c
    query = sa.select(columns.seq).where(columns.subject_id == RUN).order_by(columns.seq.desc()).limit(1)
    with database.read() as connection:
        seq = connection.execute(query).scalar()
        found = [] if seq is None else journal.read_on(connection, seq - 1, 1)
    return Run(found[0].at, **_said(found[0].body or {})) if found else None


def _said(body: dict[str, Any]) -> dict[str, int]:
    return {name: value for name in ("begins", "forgets") if isinstance(value := body.get(name), int)}


def record(
    database: Database,
    done: dict[str, object],
    *,
    now: int,
    action: str = "retention.ran",
    after_commit: AfterCommit | None = None,
) -> None:
    """Write down what a scheduled run did, or (`retention.announced`) will do, under which settings."""
    draft = Draft(at=now, actor=SYSTEM.actor, action=action, subject_type="retention", subject_id=RUN, body=done)
    with database.write(after_commit) as transaction:
        journal.append(transaction, [draft])


def _closed(database: Database, before: int) -> Iterator[list[str]]:
    """Ids of incidents that are closed since before a time, in parts."""
    query = sa.select(incident.c.id, incident.c.body).where(incident.c.step == "closed", incident.c.opened_at < before)
    for rows in _parts(database, query, incident.c.id):
        yield [row.id for row in rows if (_incident.decode(row.body).closed_at or before) < before]


def _decided(database: Database, before: int) -> Iterator[list[str]]:
    """Ids of items in quarantine that have ended before a time, in parts."""
    ended = sa.select(quarantine.c.id).where(quarantine.c.state != "open", quarantine.c.decided_at < before)
    for rows in _parts(database, ended, quarantine.c.id):
        yield [row.id for row in rows]


def _parts(database: Database, query: sa.Select[Any], key: sa.Column[str]) -> Iterator[Sequence[sa.Row[Any]]]:
    last = ""
    while True:
        with database.read() as connection:
            rows = connection.execute(query.where(key > last).order_by(key).limit(AT_ONCE)).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def finish(database: Database, keys: KeyStore) -> None:
    """Destroy again every key whose destruction is recorded: mends a crash between the two steps.

    A subject about which something was sealed since has another key, which stays.
    """
    gone, since = journal_table.c, journal_table.alias().c
    sealed = sa.join(since.seq.table, journal_body, since.seq == journal_body.c.seq)
    newer = sa.select(since.seq).select_from(sealed)
    newer = newer.where(since.subject_id == gone.subject_id, since.seq > gone.seq, journal_body.c.sealed.is_not(None))
    query = sa.select(gone.subject_id).where(gone.action == "key.destroyed", ~newer.exists())
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
    require(identity, "key.destroy")
