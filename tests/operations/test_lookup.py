"""Looking up one reporter: one case, with a reason, by an entry without the number; nobody else's, and not often."""

import pytest

from operations import journal, lookup
from operations.errors import Forbidden, Refused
from operations.policy import Identity
from operations.scope import Scope
from tests.operations.desk import COMMANDER, LEAVES, OPERATOR, Desk, report

pytestmark = pytest.mark.database
PHONE = "13812345678"


def asked(desk: Desk, phone: str = PHONE, who: Identity = COMMANDER, reason: str = "回访漏记电话") -> lookup.Looked:
    """A look-up at the desk's time."""
    return lookup.reporter(desk.database, desk.keys, who, phone, reason, now=desk.tick())


def told(desk: Desk) -> None:
    """Three cases: two of one number, one of another."""
    mine = {"name": "张三", "phone": "+86 138-1234-5678"}
    desk.send(report("A1", reporter=mine), report("A2", reporter={"name": "李四", "phone": "13900000000"}))
    desk.send(report("A3", reporter=mine, received_at=desk.now + 1))


def test_the_newest_case_alone_is_told_and_the_entry_has_no_number(desk: Desk) -> None:
    told(desk)
    found = asked(desk)
    assert found.incident is not None and found.incident.report_id == "A3" and found.count == 1
    entry = journal.read(desk.database, 0)[-1]
    assert (entry.action, entry.subject_id, entry.reason) == (lookup.FOUND, found.incident.id, "回访漏记电话")
    assert "1381234" not in repr(entry) and "张三" not in repr(entry)


def test_what_is_not_there_says_among_how_many(desk: Desk) -> None:
    told(desk)
    found = asked(desk, "13700000000")
    assert (found.incident, found.count) == (None, 3)
    assert journal.read(desk.database, 0)[-1].action == lookup.NOT_FOUND


def test_rights_reason_jurisdiction_and_destroyed_keys(desk: Desk) -> None:
    told(desk)
    with pytest.raises(Forbidden):
        asked(desk, who=OPERATOR)
    with pytest.raises(Refused):
        asked(desk, reason=" ")
    with pytest.raises(Refused, match="phone_wrong"):
        asked(desk, "123")
    town = Identity("account", "c2", "town", "duty_commander", Scope(LEAVES[2][:9]))
    assert asked(desk, who=town) == lookup.Looked(None, 0)
    desk.keys.destroy([one.id for one in desk.board().incidents.values()])
    assert asked(desk).incident is None


def test_few_an_hour(desk: Desk) -> None:
    told(desk)
    for _ in range(lookup.TIMES_MOST):
        asked(desk)
    with pytest.raises(Refused, match="too_often"):
        asked(desk, "13700000000")
