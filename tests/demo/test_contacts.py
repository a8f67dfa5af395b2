"""The demonstration's address book: written once, somebody always on duty, no gap and no conflict."""

import pytest

from config import departments
from config.taxonomy import Taxonomy
from operations.contacts import cards, dutylist, roster
from operations.database import Database
from operations.scope import WHOLE
from streams.demo import contacts
from tests.operations.desk import DAY, HOUR, START, ZONE

PLACES = (("990101001", "城关街道"), ("990101002", "北塘街道"))


@pytest.mark.database
def test_the_book_is_written_once_and_the_roster_goes_on(database: Database) -> None:
    contacts.furnish(database, PLACES, ZONE, START)
    with database.read() as connection:
        people, lines = cards.living(connection, "person"), dutylist.listed(connection)
        first = roster.planned(connection, WHOLE, START, START + 30 * DAY)
        assert roster.next_on_duty(connection, "fire", "", START) is not None
        town = roster.next_on_duty(connection, "street", "990101002001001", START)
        assert town is not None and town.grid == "990101002"
    assert contacts.plan(database, ZONE, START) == 0
    contacts.furnish(database, PLACES, ZONE, START + DAY)
    with database.read() as connection:
        assert cards.living(connection, "person") == people and dutylist.listed(connection) == lines
        later = roster.planned(connection, WHOLE, START, START + 30 * DAY)
    assert len(later) > len(first)
    assert roster.troubles(later, START + HOUR, START + 7 * DAY) == []
    assert all(one.phone.startswith("000 ") for one in people)
    assert dutylist.findings(lines, Taxonomy.load(), departments.load(), {"": ("990101",)}) == []
