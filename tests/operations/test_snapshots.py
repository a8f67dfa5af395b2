"""Snapshots: not without right, reach and reason, not of an old frame, and each an entry with the picture's digest."""

import pytest
import sqlalchemy as sa
from msgspec import structs

from operations import journal, snapshots
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.looks import Whereabouts
from operations.policy import Identity
from operations.scope import Scope
from operations.snapshots import FRESH, Snapshot
from operations.tables import evidence
from tests.operations.desk import OPERATOR, START
from tests.operations.test_looks import incident

pytestmark = pytest.mark.database
HERE = Whereabouts(("990101", "990101001"), "police")
AUDITOR = Identity("account", "a1", "audit", "audit_admin", Scope())
TAKEN = Snapshot("c1", "incident", "i1", START - 1, "ab" * 32, "g1")


def test_a_snapshot_is_an_entry_with_its_reason_and_digest(database: Database) -> None:
    with pytest.raises(NotFound):
        snapshots.note(database, OPERATOR, TAKEN, HERE, now=START)
    incident(database, "i1")
    snapshots.note(database, OPERATOR, TAKEN, HERE, now=START)
    (entry,) = journal.read(database, 0)
    assert (entry.action, entry.actor, entry.scope_grid) == ("look.snapshot", OPERATOR.actor, "990101/990101001")
    assert entry.scope_department == "police"
    body = {"camera": "c1", "why": "incident", "incident": "i1", "frame_at": START - 1, "sha256": "ab" * 32}
    assert entry.body == {**body, "grant": "g1"}
    with database.read() as connection:
        (row,) = connection.execute(sa.select(evidence))
    assert (row.id, row.kind, row.camera, row.grant_id) == (entry.subject_id, "snapshot", "c1", "g1")
    assert (row.actor, row.sha256, row.department) == (OPERATOR.actor, "ab" * 32, "police")


def test_nobody_takes_one_without_right_reach_or_reason(database: Database) -> None:
    for identity, place, refusal in ((AUDITOR, HERE, Forbidden), (OPERATOR, None, NotFound)):
        with pytest.raises(refusal):
            snapshots.note(database, identity, TAKEN, place, now=START)
    for why, named in (("curious", ""), ("incident", ""), ("patrol", "i1")):
        with pytest.raises(Refused, match="why_wrong"):
            taken = structs.replace(TAKEN, why=why, incident=named)
            snapshots.note(database, OPERATOR, taken, HERE, now=START)
    assert journal.read(database, 0) == []


def test_a_frame_of_more_than_ten_seconds_ago_is_no_picture_of_now() -> None:
    snapshots.fresh(START - FRESH, START)
    with pytest.raises(Refused, match="old"):
        snapshots.fresh(START - FRESH - 1, START)
