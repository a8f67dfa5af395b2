"""Who looks and who looked: within one's reach, by camera, person, post and incident, a page at a time."""

import pytest
import sqlalchemy as sa

from operations import looked, looks
from operations.database import Database
from operations.errors import Forbidden
from operations.looked import PAGE, Asked
from operations.looks import SECOND, Ticket, Whereabouts
from operations.policy import Identity
from operations.scope import Scope
from operations.tables import account
from operations.tables import look as table
from tests.operations.desk import COMMANDER, OPERATOR, START
from tests.operations.test_looks import incident

pytestmark = pytest.mark.database
AUDITOR = Identity("account", "a1", "auditor", "audit_admin")
NORTH = Whereabouts(("990101", "990101001"), "police")
SOUTH = Whereabouts(("990102",), "fire")
SOUTHERN = Identity("account", "c2", "south", "duty_commander", Scope("990102"))


def _look(database: Database, id: str, camera: str = "gate", *, at: int = START, place: Whereabouts = NORTH) -> None:
    ticket = Ticket(id, camera, "account:o1", "incident" if id == "i" else "patrol", "i1" if id == "i" else "", at)
    looks.begin(database, OPERATOR, ticket, place, stream="main", now=at)


def _ids(found: list[looked.Look]) -> list[str]:
    return [one.id for one in found]


def test_who_looks_now_is_told_within_the_reach_of_whoever_asks_and_to_nobody_else(database: Database) -> None:
    _look(database, "a")
    _look(database, "b", at=START + SECOND, place=SOUTH)
    assert _ids(looked.living(database, AUDITOR)) == ["b", "a"]
    assert _ids(looked.living(database, COMMANDER)) == ["b", "a"]
    assert _ids(looked.living(database, SOUTHERN)) == ["b"]
    assert _ids(looked.past(database, SOUTHERN, Asked()).looks) == ["b"]
    assert _ids(looked.every(database, SOUTHERN, Asked(camera="gate"))) == ["b"]
    for role in ("operator", "system_admin", "security_admin", "wall", "grid_worker"):
        stranger = Identity("account", "x", "x", role)
        for ask in (lambda who: looked.living(database, who), lambda who: looked.past(database, who, Asked())):
            with pytest.raises(Forbidden):
                ask(stranger)
    looks.close(database, SOUTHERN, ["a", "b"], now=START + 2 * SECOND)
    assert _ids(looked.living(database, AUDITOR)) == ["a"]
    (closed,) = looked.past(database, SOUTHERN, Asked()).looks
    assert (closed.ended_how, closed.ended_at) == ("closed", START + 2 * SECOND)


def test_past_looks_are_found_by_camera_person_post_incident_and_time(database: Database) -> None:
    with database.write() as transaction:
        made = {"id": "o1", "name": OPERATOR.name, "role": "operator", "shown_name": "王小明"}
        transaction.connection.execute(sa.insert(account).values(made))
    _look(database, "a")
    incident(database, "i1")
    _look(database, "i", camera="bridge", at=START + SECOND)
    (shown,) = looked.past(database, AUDITOR, Asked(incident="i1")).looks
    assert (shown.id, shown.who, shown.role, shown.why, shown.name) == ("i", "王小明", "operator", "incident", "bridge")
    for asked, wanted in [
        (Asked(camera="gate"), ["a"]),
        (Asked(who="小明"), ["i", "a"]),
        (Asked(who="operator"), ["i", "a"]),
        (Asked(who="100%"), []),
        (Asked(since=START + 1), ["i"]),
        (Asked(incident="i2"), []),
    ]:
        assert (
            _ids(looked.past(database, AUDITOR, asked).looks) == wanted == _ids(looked.every(database, AUDITOR, asked))
        )


def test_pages_follow_each_other_without_a_gap_also_within_one_moment(database: Database) -> None:
    common = {"camera": "gate", "stream": "main", "actor": "wall:w", "why": "wall", "incident": "", "path": "990101"}
    common |= {"department": "", "seen_at": START, "ended_at": START, "ended_how": "uncertain"}
    rows = [{**common, "id": f"l{n:03d}", "began_at": START + n // 40} for n in range(2 * PAGE + 7)]
    with database.write() as transaction:
        transaction.connection.execute(sa.insert(table), rows)
    found: list[str] = []
    after = None
    for wanted in (PAGE, PAGE, 7):
        page = looked.past(database, AUDITOR, Asked(), after)
        assert len(page.looks) == wanted and page.looks[0].ended_how == "uncertain"
        found, after = found + _ids(page.looks), page.next
    assert after is None and found == [row["id"] for row in reversed(rows)]
