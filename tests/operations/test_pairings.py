"""Pairing: codes people can read, claims nobody can use before, one winner, and bounds on what strangers can fill."""

import pytest
import sqlalchemy as sa

from operations import journal, pairings, walls
from operations.database import Database
from operations.errors import Refused
from operations.pairings import ALPHABET, LENGTH, OPEN_MOST, OPEN_OF_ONE_ADDRESS, VALID, Pairing
from operations.policy import Identity
from operations.tables import pairing
from operations.walls import Plan
from tests.operations.desk import START

pytestmark = pytest.mark.database
ADMIN, SECURITY = (Identity("account", name, name, f"{name}_admin") for name in ("system", "security"))


def begun(database: Database, given: str = "", now: int = START, address: str = "10.0.0.9") -> tuple[Pairing, str]:
    return pairings.begin(database, given, now=now, agent="Chromium\0" + "x" * 500, address=address)


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(pairing)).scalar_one())


def test_a_code_has_no_look_alikes_and_is_read_however_it_is_typed(database: Database) -> None:
    waiting, _ = begun(database)
    assert len(waiting.code) == LENGTH and set(waiting.code) <= set(ALPHABET)
    assert not set(ALPHABET) & set("0O1IL2Z5S8B6GQUV")
    wide = "".join(chr(ord(one) + 0xFEE0) for one in waiting.code)
    for typed in (waiting.code.lower(), pairings.shown(waiting.code), " ".join(waiting.code), wide, f"-{waiting.code}"):
        assert pairings.find(database, ADMIN, typed, now=START).code == waiting.code


def test_a_screen_keeps_its_code_for_ten_minutes_and_then_shows_another(database: Database) -> None:
    waiting, claim = begun(database)
    pairings.note_size(database, claim, "1920×1080")
    again, same = begun(database, claim, START + VALID - 1)
    assert (again.code, same) == (waiting.code, claim)
    assert pairings.waits(database, claim, START + VALID - 1) and not pairings.waits(database, claim, START + VALID)
    fresh, same = begun(database, claim, START + VALID)
    assert same == claim and fresh.code != waiting.code and fresh.size == "1920×1080"
    with pytest.raises(Refused, match="pairing_unknown"):
        pairings.find(database, ADMIN, waiting.code, now=START + VALID)
    with pytest.raises(Refused, match="pairing_gone"):
        pairings.confirm(database, ADMIN, waiting.code, Plan("x"), now=START + VALID)


def test_a_claim_is_nothing_before_and_the_wall_afterwards(database: Database) -> None:
    waiting, claim = begun(database)
    assert walls.identify(database, claim, START) is None
    wall_id = pairings.confirm(database, ADMIN, waiting.code, Plan("hall"), now=START)
    found = walls.identify(database, claim, START)
    assert found is not None and found.id == wall_id
    assert not pairings.waits(database, claim, START) and count(database) == 0
    (entry,) = journal.read(database, 0)
    assert (entry.action, entry.actor) == ("wall.paired", "account:system")
    assert claim not in str(entry.body) and waiting.code not in str(entry.body)


def test_a_screen_cannot_choose_its_claim(database: Database) -> None:
    _, claim = begun(database, "chosen by somebody else")
    assert claim != "chosen by somebody else"


def test_of_two_administrators_with_one_code_one_wins_and_the_other_is_told(database: Database) -> None:
    waiting, _ = begun(database)
    for who in (ADMIN, SECURITY):
        pairings.find(database, who, waiting.code, now=START)
    pairings.confirm(database, ADMIN, waiting.code, Plan("one"), now=START)
    with pytest.raises(Refused, match="pairing_gone"):
        pairings.confirm(database, SECURITY, waiting.code, Plan("two"), now=START)
    assert [one.name for one in walls.listed(database, ADMIN)] == ["one"]


def test_a_name_that_is_taken_spends_no_code(database: Database) -> None:
    for name in ("hall", "hall 2"):
        waiting, _ = begun(database)
        if name != "hall":
            with pytest.raises(Refused, match="wall_exists"):
                pairings.confirm(database, ADMIN, waiting.code, Plan("hall"), now=START)
        pairings.confirm(database, ADMIN, waiting.code, Plan(name), now=START)


def test_a_wrong_code_is_an_entry_that_does_not_tell_it(database: Database) -> None:
    with pytest.raises(Refused, match="pairing_unknown"):
        pairings.find(database, ADMIN, "ACDEFHJK", now=START)
    (entry,) = journal.read(database, 0)
    assert (entry.action, entry.actor, entry.body) == ("wall.code_wrong", "account:system", {})


def test_one_address_can_only_have_so_many_screens_wait(database: Database) -> None:
    claims = [begun(database)[1] for _ in range(OPEN_OF_ONE_ADDRESS)]
    with pytest.raises(Refused, match="pairing_crowded"):
        begun(database)
    assert begun(database, claims[0])[1] == claims[0], "who waits already goes on"
    assert begun(database, address="10.0.0.8")
    for host in range(OPEN_OF_ONE_ADDRESS):
        begun(database, address=f"2001:db8::{host + 1:x}")
    with pytest.raises(Refused, match="pairing_crowded"):
        begun(database, address="2001:db8::ffff")
    assert begun(database, now=START + VALID), "and when the old ones are over there is room"


def test_the_table_of_those_that_wait_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairings, "OPEN_MOST", 5)
    assert OPEN_MOST == 200
    claims = [begun(database, now=START + number, address=str(number))[1] for number in range(8)]
    assert count(database) == 5
    assert not pairings.waits(database, claims[0], START + 8) and pairings.waits(database, claims[-1], START + 8)
    begun(database, now=START + 3 * VALID)
    assert count(database) == 1, "those long over are gone"
