"""Reconciliation 对账: per partition, what intake accepted = what was decided + what still waits in the stream."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from msgspec import Struct

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import SYSTEM
from operations.tables import partition as table


class Fault(Struct, frozen=True):
    """A partition whose numbers do not add up: `missing` > 0 reports vanished, < 0 were decided but never accepted."""

    partition: int
    accepted: int
    decided: int
    pending: int

    @property
    def missing(self) -> int:
        """How many reports are not accounted for."""
        return self.accepted - self.decided - self.pending


class Counters(Struct, frozen=True):
    """A partition's counters; decided = journaled + stale + conflict + quarantined + duplicates."""

    decided: int
    journaled: int
    stale: int
    conflict: int
    quarantined: int
    duplicates: int


def counters(database: Database) -> dict[int, Counters]:
    """Return the counters of every partition that decided anything."""
    columns = [table.c[name] for name in Counters.__struct_fields__]
    with database.read() as connection:
        return {row[0]: Counters(*row[1:]) for row in connection.execute(sa.select(table.c.partition, *columns))}


def cursors(database: Database) -> dict[int, str]:
    """Return the stream id up to which each partition is decided."""
    with database.read() as connection:
        rows = connection.execute(sa.select(table.c.partition, table.c.last_stream_id))
        return {row.partition: row.last_stream_id for row in rows}


def check(database: Database, accepted: Mapping[int, tuple[int, int]]) -> list[Fault]:
    """Compare {partition: (accepted, pending)} of the streams with what was decided. Pure reading; may catch a batch
    between its commit and its acknowledgement, so only a fault seen twice running means something (`alarm`)."""
    decided = {number: found.decided for number, found in counters(database).items()}
    found = []
    for number, (taken, pending) in sorted(accepted.items()):
        fault = Fault(number, taken, decided.get(number, 0), pending)
        if fault.missing:
            found.append(fault)
    return found


def alarm(
    database: Database,
    before: Iterable[Fault],
    faults: Iterable[Fault],
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> list[Fault]:
    """Write an entry for partitions off by the same number twice running, and return them."""
    known = {fault.partition: fault.missing for fault in before}
    lasting = [fault for fault in faults if known.get(fault.partition) == fault.missing]
    with database.write(after_commit) as transaction:
        journal.append(transaction, [_draft(fault, now) for fault in lasting])
    return lasting


def _draft(fault: Fault, now: int) -> Draft:
    return Draft(
        at=now,
        actor=SYSTEM.actor,
        action="reconciliation.failed",
        subject_type="partition",
        subject_id=str(fault.partition),
        body={
            "accepted": fault.accepted,
            "decided": fault.decided,
            "pending": fault.pending,
            "missing": fault.missing,
        },
    )
