"""The duty list: who may be given which type where, and the gaps and conflicts that are told."""

import pytest

from config import departments
from config.taxonomy import Taxonomy
from operations import journal
from operations.contacts import dutylist
from operations.contacts.dutylist import Line
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from tests.operations.desk import COMMANDER, LEAVES, START, chain

ADMIN = Identity("account", "a", "admin", "system_admin")
TOWNS = LEAVES[0][:9], LEAVES[3][:9]
LIST = (
    Line(department="police", type="02"),
    Line(department="street", type="0203", grid=TOWNS[0], basis="县发〔2026〕3 号"),
    Line(department="police", type="0203", grid=TOWNS[0], part="support"),
)


@pytest.mark.database
def test_a_type_goes_before_its_group_and_silence_admits_all(database: Database) -> None:
    dutylist.take(database, ADMIN, LIST, now=START)
    with database.read() as connection:

        def may(department: str, kind: str, leaf: str) -> bool:
            return dutylist.admits(connection, department, kind, chain(leaf))

        assert may("police", "0201", LEAVES[0]) and not may("fire", "0201", LEAVES[0])
        assert may("street", "0203", LEAVES[0]) and may("police", "0203", LEAVES[0])
        assert not may("fire", "0203", LEAVES[0]) and not may("street", "0203", LEAVES[3])
        assert may("fire", "0501", LEAVES[0]), "the list says nothing of it"
        assert [one.department for one in dutylist.handlers(connection, "0203", chain(LEAVES[0]))] == [
            "street",
            "police",
        ]


@pytest.mark.database
def test_the_list_is_changed_whole_or_not_at_all(database: Database) -> None:
    assert dutylist.take(database, ADMIN, LIST, now=START) == 3
    with database.read() as connection:
        kept = dutylist.listed(connection)
    assert dutylist.take(database, ADMIN, kept, now=START) == 0, "the same again changes nothing"
    good = Line(department="fire", type="03")
    for bad, code in (
        (Line(department="none", type="03"), "department"),
        (Line(department="fire", type="9999"), "duty.type"),
        (Line(department="fire", type="03", part="boss"), "duty.part"),
        (Line(department="police", type="02", part="support"), "duty.twice"),
    ):
        with pytest.raises(Refused, match=code):
            dutylist.take(database, ADMIN, [good, bad], now=START)
    with pytest.raises(NotFound):
        dutylist.take(database, ADMIN, [], end=["nobody"], now=START)
    with pytest.raises(Forbidden):
        dutylist.take(database, COMMANDER, [good], now=START)
    dutylist.take(database, ADMIN, [], end=[kept[0].id], now=START)
    with database.read() as connection:
        assert len(dutylist.listed(connection)) == 2
    assert [one.action for one in journal.read(database, 0)][-1] == "responsibility.ended"


def test_gaps_and_conflicts_are_told() -> None:
    below = {"": ("990101",), "990101": TOWNS}
    lines = [
        Line(department="street", type="0203", grid=TOWNS[0]),
        Line(department="police", type="0201"),
        Line(department="justice", type="0201"),
        Line(department="vanished", type="03"),
        Line(department="fire", type="04", grid="nowhere"),
    ]
    found = dutylist.findings(lines, Taxonomy.load(), departments.load(), below)
    told = {(one.kind, one.type): one for one in found}
    assert told["gap", "0203"].grids == (TOWNS[1],)
    assert (told["two_leads", "0201"].department, told["two_leads", "0201"].other) == ("police", "justice")
    assert ("ended", "03") in told and ("unknown_grid", "04") in told
    assert ("unlisted", "0101") in told and ("unlisted", "0201") not in told
    whole = [
        Line(department="police", type=one.code) for one in Taxonomy.load().types.values() if one.code == one.group
    ]
    assert dutylist.findings(whole, Taxonomy.load(), departments.load(), below) == []
