"""Standing in for one who is away: within the house, for a time, written down as such, and never for the applicant."""

from datetime import UTC

import pytest

from config.calendar import Workdays
from operations import accounts, journal
from operations.calendar import Calendar
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from operations.errors import NotFound, Refused
from operations.grants.delegates import DAY, Delegates
from operations.grants.requests import Form, Requests
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from tests.operations.desk import START

pytestmark = pytest.mark.database
CALENDAR = Calendar(Workdays.load(), UTC)


def somebody(database: Database, name: str, role: str, department: str = "") -> Identity:
    accounts.add(
        database, SYSTEM, name, role, now=START, scope=Scope(department=department), password="Long-Enough-3021!"
    )
    found = accounts.find(database, name)
    assert found is not None
    return found.identity


def test_a_colleague_decides_for_one_who_is_away_until_it_is_taken_back(database: Database) -> None:
    police = somebody(database, "zhou", "liaison", "police")
    away, near = somebody(database, "wang", "duty_commander"), somebody(database, "qian", "leader")
    other = somebody(database, "huo", "liaison", "fire")
    items = [Item(code="1", name="gate", url_main="rtsp://127.0.0.1/x", chain=("990101",), status="on")]
    with database.write() as transaction:
        take(transaction, "s", items, complete=True, now=START)
    added = next(one for one in journal.read(database, 0) if one.action == "camera.added")
    assert added.body is not None
    requests = Requests(database, CALENDAR, zone=UTC, now=lambda: START)
    delegates = Delegates(database, CALENDAR, zone=UTC, now=lambda: START)
    form = Form(purpose="patrol", basis="decree799_20", text="by day", cameras=tuple(added.body["cameras"]), minutes=60)
    one = requests.ask(police, form)
    assert requests.inbox(near) == [], "a leader is not the centre's post"
    assert delegates.colleagues(away) == [(near.id, "qian")]
    with pytest.raises(NotFound):
        delegates.give(away, other.id, START, START + DAY)
    for until in (START, START + 32 * DAY):
        with pytest.raises(Refused, match="delegate_time"):
            delegates.give(away, near.id, START, until)
    given = delegates.give(away, near.id, START, START + DAY)
    with pytest.raises(Refused, match="delegate_one"):
        delegates.give(away, near.id, START, START + DAY)
    assert [each.id for each in delegates.listed(near)] == [given.id]
    assert [each.id for each, _ in requests.inbox(near)] == [one.id]
    decided = requests.approve(near, one.id, "centre")
    assert (decided.seats[0].name, decided.seats[0].for_name) == ("qian", "wang")
    entry = next(each for each in journal.read(database, 0) if each.action == "request.approved")
    assert entry.actor == near.actor and entry.body is not None and entry.body["for"] == "wang"

    again = requests.ask(police, form)
    with pytest.raises(NotFound):
        delegates.end(near, given.id)
    delegates.end(away, given.id)
    assert requests.inbox(near) == [] and delegates.listed(away) == []
    mine = requests.ask(away, form)
    delegates.give(away, near.id, START, START + DAY)
    waiting = [each.id for each, _ in requests.inbox(near)]
    assert waiting == [again.id] and mine.id not in waiting, "nobody decides for whoever asks"
