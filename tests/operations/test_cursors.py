"""How far a pulled source was read, and when it is out of reach: one entry for each turn."""

import pytest
from msgspec import structs

from config import clock
from operations import cursors, journal, quarantine, sources, tables
from operations.board import Board, apply
from operations.database import Database
from operations.errors import Forbidden
from operations.policy import SYSTEM, Identity
from operations.sources import Source
from operations.uuid7 import earliest, uuid7
from tests.operations.desk import LEADER, OPERATOR, Desk, refusal

SYSTEM_ADMIN = Identity("account", "s1", "admin", "system_admin")

pytestmark = pytest.mark.database
HOUR = 3_600_000_000


def folded(database: Database) -> Board:
    board = Board()
    for entry in journal.read(database, 0):
        apply(board, entry)
    return board


def test_a_cursor_and_being_lost_do_not_touch_each_other(database: Database) -> None:
    assert cursors.get(database, "a") == cursors.Cursor()
    cursors.keep(database, "a", "7", now=1)
    assert cursors.mark(database, "a", "timeout", now=2)
    cursors.keep(database, "a", "8", now=3)
    assert cursors.get(database, "a") == cursors.Cursor("8", 3, "timeout", 2)


def test_only_turns_are_entries_and_switching_off_ends_it(database: Database) -> None:
    source = Source("a", "A", kind="http_pull")
    sources.add(database, SYSTEM, source, now=1)
    told = [cursors.mark(database, "a", lost, now=2) for lost in ("timeout", "status", "", "", "busy")]
    assert told == [True, False, True, False, True]
    assert [entry.action for entry in journal.read(database, 0)][1:] == ["source.lost", "source.found", "source.lost"]
    assert folded(database).sources["a"].lost == "busy"
    sources.change(database, SYSTEM, structs.replace(source, enabled=False), now=3)
    assert folded(database).sources["a"].lost == "" and cursors.get(database, "a").lost == ""
    assert tables.source_cursor.name == "source_cursor"


def test_reasons_of_quarantine_are_counted_for_one_source_since_a_time(desk: Desk) -> None:
    now = clock.now()
    for number in range(3):
        desk.send(refusal(b"%d" % number))
    source = quarantine.listed(desk.database, OPERATOR)[0].source
    since = min(item.at for item in quarantine.listed(desk.database, OPERATOR))
    assert quarantine.reasons(desk.database, SYSTEM_ADMIN, source, since=since) == {"not_json": 3}
    assert quarantine.reasons(desk.database, SYSTEM_ADMIN, "other", since=since) == {}
    assert quarantine.reasons(desk.database, SYSTEM_ADMIN, source, since=now + 9_000 * HOUR) == {}
    with pytest.raises(Forbidden):
        quarantine.reasons(desk.database, LEADER, source, since=since)


def test_an_id_sorts_after_the_earliest_of_its_time() -> None:
    at = clock.now()
    assert earliest(at) <= uuid7(at) < earliest(at + HOUR)
