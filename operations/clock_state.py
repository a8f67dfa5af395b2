"""Whether this machine's clock follows a reference 时钟同步: only changes of it are entries (`clock.state`).

GB/T 22239-2019 §8.1.5.4: audit records want the one time of a whole system.
"""

import sqlalchemy as sa
from msgspec import Struct

from operations import journal, tables
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.policy import SYSTEM

ACTION = "clock.state"
UNKNOWN, UNSYNCHRONISED, EXACT, NEAR, FAR = "unknown", "unsynchronised", "exact", "near", "far"
"""What a clock can be: followed by nobody knows whom, by nobody, or with an error below 0.1 s, below 1 s, or more."""
EXACT_MOST_US, NEAR_MOST_US = 100_000, 1_000_000

_J = tables.journal.c


class State(Struct, frozen=True):
    """The state of a machine's clock and since when (UTC microseconds) it is so."""

    state: str
    at: int


def state_of(synchronised: bool | None, error_us: int) -> str:
    """Return the state of a clock; `synchronised` None: the kernel does not tell; `error_us`: its estimated error."""
    if synchronised is None:
        return UNKNOWN
    if not synchronised:
        return UNSYNCHRONISED
    return EXACT if error_us < EXACT_MOST_US else NEAR if error_us < NEAR_MOST_US else FAR


def latest(database: Database, machine: str = "") -> State | None:
    """Return what was last written down, of one machine or of any."""
    query = sa.select(_J.reason, _J.at).where(_J.action == ACTION).order_by(_J.at.desc(), _J.seq.desc()).limit(1)
    if machine:
        query = query.where(_J.subject_id == machine)
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else State(row.reason, row.at)


def mark(
    database: Database, machine: str, state: str, offset_us: int, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Record that a machine's clock is in another state now; `offset_us` is what the kernel tells of its error."""
    draft = Draft(
        at=now,
        actor=SYSTEM.actor,
        action=ACTION,
        subject_type="clock",
        subject_id=machine,
        reason=state,
        body={"state": state, "error_us": offset_us},
    )
    with database.write(after_commit) as transaction:
        journal.append(transaction, [draft])
