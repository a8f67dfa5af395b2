"""The ledger: sums of a month by owner, what was refused, what was taken along and what became of it."""

from datetime import UTC

import pytest

from config.calendar import Workdays
from operations import journal, ledger, looks, snapshots, taken
from operations.calendar import Calendar
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.grants.admission import Admission, Asking
from operations.grants.requests import Form, Requests
from operations.ledger import Month
from operations.looks import SECOND, Ticket, Whereabouts
from operations.policy import Identity
from operations.scope import Scope
from operations.snapshots import Snapshot
from tests.operations.desk import COMMANDER, OPERATOR, START

pytestmark = pytest.mark.database
CHAIN = ("990101", "990101001")
ASKS = Identity("account", "p1", "zhou", "liaison", Scope(department="police"))
OWNER = Identity("account", "t1", "lin", "liaison", Scope(department="transport"))
OTHER = Identity("account", "f1", "huo", "liaison", Scope(department="fire"))
AUDITOR = Identity("account", "a1", "audit", "audit_admin")
HERE = Whereabouts(CHAIN, "transport")
DAY = 86_400 * SECOND


@pytest.fixture
def ids(database: Database) -> list[str]:
    """Two cameras of transport."""
    items = [
        Item(code=str(n), name=f"gate {n}", owner="transport", chain=CHAIN, url_main="rtsp://127.0.0.1/x", status="on")
        for n in (1, 2)
    ]
    with database.write() as transaction:
        take(transaction, "s", items, complete=True, now=START)
    added = next(one for one in journal.read(database, 0) if one.action == "camera.added")
    assert added.body is not None
    return sorted(added.body["cameras"], key=added.body["cameras"].get)


@pytest.fixture
def granted(database: Database, ids: list[str]) -> str:
    """Both, granted to the police for an hour; the number of the grant."""
    desk = Requests(database, Calendar(Workdays.load(), UTC), zone=UTC, now=lambda: START)
    form = Form(
        purpose="patrol", basis="decree799_20", text="patrol by day", cameras=tuple(ids), needed=(ids[0],), minutes=60
    )
    one = desk.ask(ASKS, form)
    desk.approve(COMMANDER, one.id, "centre")
    return next(iter(desk.approve(OWNER, one.id, "owner:transport").grants.values()))


def test_a_month_tells_each_owner_what_was_asked_looked_at_and_not_needed(
    database: Database, ids: list[str], granted: str
) -> None:
    ticket = Ticket("l1", ids[0], "account:p1", "request", "", START, grant=granted, until_at=START + DAY)
    looks.begin(database, ASKS, ticket, HERE, stream="main", now=START)
    looks.end(database, ["l1"], "left", now=START + 90 * SECOND)
    gate = Admission(database, Calendar(Workdays.load(), UTC), zone=UTC, now=lambda: START)
    gate.deny(OTHER, Asking(ids[1], "patrol"), HERE, "grants.none")
    whole = Month(
        "transport", requests=1, surplus=1, grants=1, unused=1, looks=1, denied=1, seconds={"live": 90}
    )  # fmt: skip
    assert ledger.monthly(database, AUDITOR, START - DAY, START + DAY) == [whole]
    assert ledger.monthly(database, OWNER, START - DAY, START + DAY) == [whole]
    assert ledger.monthly(database, OTHER, START - DAY, START + DAY) == []
    assert ledger.monthly(database, AUDITOR, START - 2 * DAY, START - DAY) == []
    (one,) = ledger.denied(database, OWNER, START - DAY, START + DAY)
    assert (one.actor, one.name, one.code) == (OTHER.actor, "gate 2", "grants.none")
    with pytest.raises(Forbidden):
        ledger.monthly(database, OPERATOR, START, START + DAY)


def test_what_was_taken_is_returned_or_destroyed_once_and_not_while_it_is_held(
    database: Database, ids: list[str], granted: str
) -> None:
    made = Snapshot(ids[0], "request", "", START, "ab" * 32, granted)
    snapshots.note(database, ASKS, made, HERE, now=START)
    (one,) = ledger.kept(database, OWNER, START - DAY, START + DAY)
    assert (one.kind, one.name, one.state, one.kept) == ("snapshot", "gate 1", "held", False)
    assert one.grant.startswith("G") and one.sha256 == "ab" * 32
    with pytest.raises(NotFound):
        taken.settle(database, OTHER, one.id, "destroyed", now=START)
    with pytest.raises(Refused, match="state"):
        taken.settle(database, ASKS, one.id, "lost", now=START)
    with pytest.raises(NotFound):
        taken.publish(database, OTHER, one.id, "报纸，已打码", now=START)
    with pytest.raises(Refused, match="text"):
        taken.publish(database, ASKS, one.id, " ", now=START)
    taken.publish(database, ASKS, one.id, "区政府网站，李明打码", now=START)
    taken.hold(database, COMMANDER, one.id, kept=True, now=START)
    taken.hold(database, COMMANDER, one.id, kept=True, now=START)
    with pytest.raises(Refused, match="kept"):
        taken.settle(database, ASKS, one.id, "destroyed", now=START)
    taken.hold(database, COMMANDER, one.id, kept=False, now=START)
    taken.settle(database, ASKS, one.id, "destroyed", now=START + SECOND)
    with pytest.raises(Refused, match="over"):
        taken.settle(database, ASKS, one.id, "returned", now=START)
    with pytest.raises(Refused, match="over"):
        taken.publish(database, ASKS, one.id, "又一次", now=START)
    (one,) = ledger.kept(database, OWNER, START - DAY, START + DAY)
    assert (one.state, one.state_at, one.state_by) == ("destroyed", START + SECOND, "zhou")
    actions = [one.action for one in journal.read(database, 0) if one.subject_type == "evidence"]
    assert actions == ["evidence.published", "evidence.kept", "evidence.released", "evidence.destroyed"]
    assert one.published_at == START
