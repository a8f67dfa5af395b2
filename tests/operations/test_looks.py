"""Looks: no ticket without a right and a reason, one use each, an entry before and after, ended from outside."""

import pytest
import sqlalchemy as sa

from operations import journal, looks
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.looks import LOST_AFTER, SECOND, Ticket, Whereabouts
from operations.policy import ANONYMOUS, Identity
from operations.scope import Scope
from operations.tables import incident as incident_table
from tests.operations.desk import COMMANDER, LEADER, OPERATOR, START

pytestmark = pytest.mark.database
KEY = b"k" * 32
HERE = Whereabouts(("990101", "990101001"), "police")
SOUTH = Identity("account", "s1", "south", "operator", Scope("990102"))
FIRE = Identity("account", "f1", "fire", "liaison", Scope(department="fire"))


NORTH = Identity("account", "n1", "north", "operator", Scope("990101"))


def incident(database: Database, id: str, path: str = "990101/990101001") -> None:
    """Put the row of an incident there, of which a look may say that it is why."""
    with database.write() as transaction:
        made = {"id": id, "origin": id, "path": path, "body": b"", "report": b""}
        transaction.connection.execute(sa.insert(incident_table).values(made))


def _ticket(identity: Identity = OPERATOR, camera: str = "c1", now: int = START) -> Ticket:
    given = looks.issue(KEY, identity, camera, HERE, "patrol", now=now)
    return looks.opened(KEY, identity, camera, given, now=now)


def _begun(database: Database, now: int = START) -> str:
    ticket = _ticket(now=now)
    looks.begin(database, OPERATOR, ticket, HERE, stream="main", now=now)
    return ticket.look


def _told(database: Database) -> list[tuple[str, str, object]]:
    read = journal.read(database, 0)
    return [(one.actor, one.action, (one.body or {}).get("how", "")) for one in read if one.subject_type == "look"]


def test_a_ticket_is_refused_to_whom_the_camera_is_out_of_reach_as_if_it_were_none(database: Database) -> None:
    for identity in (SOUTH, FIRE):
        for place in (HERE, None):
            with pytest.raises(NotFound):
                looks.issue(KEY, identity, "c1", place, "patrol", now=START)
    for role in ("audit_admin", "system_admin", "grid_worker", "token_read", "source"):
        with pytest.raises(Forbidden):
            looks.issue(KEY, Identity("account", "x", "x", role), "c1", HERE, "patrol", now=START)
    with pytest.raises(Forbidden):
        looks.issue(KEY, ANONYMOUS, "c1", HERE, "patrol", now=START)


@pytest.mark.parametrize(("why", "incident"), [("", ""), ("curious", ""), ("incident", ""), ("patrol", "i1")])
def test_nobody_looks_without_a_reason(why: str, incident: str) -> None:
    with pytest.raises(Refused):
        looks.issue(KEY, OPERATOR, "c1", HERE, why, incident=incident, now=START)


def test_a_ticket_is_one_persons_for_one_camera_and_a_short_time() -> None:
    given = looks.issue(KEY, OPERATOR, "c1", HERE, "incident", incident="i1", now=START)
    assert looks.opened(KEY, OPERATOR, "c1", given, now=START + 30 * SECOND).incident == "i1"
    wrong = [
        (KEY, OPERATOR, "c1", given, START + 31 * SECOND),
        (KEY, OPERATOR, "c2", given, START),
        (KEY, LEADER, "c1", given, START),
        (b"other" * 8, OPERATOR, "c1", given, START),
        *(
            (KEY, OPERATOR, "c1", bad, START)
            for bad in ("", ".", "x.y", given[:-2] + "AA", "A" + given, "é.é", given * 20)
        ),
    ]
    for key, identity, camera, ticket, now in wrong:
        with pytest.raises(Refused):
            looks.opened(key, identity, camera, ticket, now=now)


def test_a_ticket_is_good_in_the_browser_that_asked_for_it_and_tells_nothing_of_its_secret() -> None:
    given = looks.issue(KEY, OPERATOR, "c1", HERE, "patrol", proof="secret", now=START)
    assert looks.opened(KEY, OPERATOR, "c1", given, proof="secret", now=START).camera == "c1"
    assert "secret" not in str(looks.read(KEY, given, now=START))
    for proof in ("", "secret2"):
        with pytest.raises(Refused):
            looks.opened(KEY, OPERATOR, "c1", given, proof=proof, now=START)


def test_a_look_is_an_entry_with_who_where_and_why_and_a_ticket_is_good_for_one(database: Database) -> None:
    ticket = _ticket()
    looks.begin(database, OPERATOR, ticket, HERE, stream="sub", now=START)
    (entry,) = [one for one in journal.read(database, 0) if one.subject_type == "look"]
    assert (entry.actor, entry.subject_id, entry.scope_grid) == (OPERATOR.actor, ticket.look, "990101/990101001")
    assert entry.body == {"camera": "c1", "stream": "sub", "why": "patrol", "incident": ""}
    with pytest.raises(Refused):
        looks.begin(database, OPERATOR, ticket, HERE, stream="main", now=START)
    with pytest.raises(NotFound):  # the camera moved meanwhile
        looks.begin(database, SOUTH, _ticket(OPERATOR), HERE, stream="main", now=START)
    assert looks.end(database, [ticket.look], "left", now=START + SECOND) == 1
    assert looks.end(database, [ticket.look], "left", now=START + SECOND) == 0
    assert [action for _, action, _ in _told(database)] == ["look.began", "look.ended"]


def test_the_incident_somebody_names_is_one_and_within_reach(database: Database) -> None:
    incident(database, "i1")

    def begin(identity: Identity, named: str) -> None:
        given = looks.issue(KEY, identity, "c1", HERE, "incident", incident=named, now=START)
        ticket = looks.opened(KEY, identity, "c1", given, now=START)
        looks.begin(database, identity, ticket, HERE, stream="sub", now=START)

    begin(OPERATOR, "i1")
    for named in ("i2", "事件", "\0"):
        with pytest.raises(NotFound):
            begin(OPERATOR, named)
    with database.write() as transaction:
        transaction.connection.execute(sa.update(incident_table).values(path="990102/990102001"))
    with pytest.raises(NotFound):
        begin(NORTH, "i1")


def test_a_look_is_ended_from_outside_by_whom_it_concerns_and_its_server_learns_it(database: Database) -> None:
    look = _begun(database)
    with pytest.raises(Forbidden):
        looks.close(database, OPERATOR, [look], now=START)
    elsewhere = Identity("account", "d2", "south chief", "duty_commander", Scope("990102"))
    assert looks.close(database, elsewhere, [look], now=START) == 0
    assert looks.over(database, [look, "none"]) == {}
    assert looks.close(database, COMMANDER, [look], now=START + SECOND) == 1
    assert looks.over(database, [look, "none"]) == {look: "closed"}
    assert _told(database)[-1] == (COMMANDER.actor, "look.ended", "closed")


def test_a_look_whose_process_is_gone_ends_when_it_was_last_known_as_uncertain(database: Database) -> None:
    look = _begun(database)
    looks.seen(database, [look], now=START + 10 * SECOND)
    assert looks.sweep(database, now=START + 10 * SECOND + LOST_AFTER) == 0
    assert looks.sweep(database, now=START + 11 * SECOND + LOST_AFTER) == 1
    last = journal.read(database, 0)[-1]
    assert last.body is not None and (last.body["to"], last.body["how"]) == (START + 10 * SECOND, "uncertain")
    assert looks.sweep(database, now=START + 99 * LOST_AFTER) == 0
