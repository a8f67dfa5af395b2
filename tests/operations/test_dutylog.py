"""The duty log: written now or late with both times, never edited, sealed, and inside its jurisdiction alone."""

import pytest

from operations import shiftwork
from operations.database import Database
from operations.dutylog import DutyLog
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.scope import Scope
from operations.seal import KeyStore
from tests.operations.desk import COMMANDER, DAY, HOUR, LEADER, LEAVES, MINUTE, OPERATOR, ZONE, Desk, report
from tests.operations.test_handover import chain

pytestmark = pytest.mark.database

TOWN = Identity("account", "t1", "town", "operator", Scope(LEAVES[0][:9]))


@pytest.fixture
def log(database: Database, keys: KeyStore, desk: Desk) -> DutyLog:
    """The commands, with the clock of the desk."""
    return DutyLog(database, keys, desk.rung.append, chain=chain, now=desk.tick)


def texts(log: DutyLog, who: Identity, desk: Desk, **wanted: str) -> list[str | None]:
    """What somebody reads of the last hours."""
    return [one.text for one in log.listed(who, desk.now - 12 * HOUR, desk.now + MINUTE, **wanted)[0]]


def test_a_note_has_both_times_and_stands_in_the_order_of_what_happened(log: DutyLog, desk: Desk) -> None:
    begun = desk.now - 4 * HOUR
    log.write(OPERATOR, "市民来电反映停电", "call")
    late = log.write(COMMANDER, "决定启用备用电源", "decision", at=desk.now - HOUR, since=begun)
    assert late.later and late.written_at - late.at > HOUR
    found, more = log.listed(OPERATOR, begun, desk.now + 1)
    assert ([one.account for one in found], more) == (["commander", "operator"], False)
    assert texts(log, OPERATOR, desk, kind="call") == ["市民来电反映停电"]
    assert texts(log, OPERATOR, desk, text="备用") == ["决定启用备用电源"]


def test_no_note_is_from_the_future_or_of_another_shift(log: DutyLog, desk: Desk) -> None:
    for at, since, code in (
        (desk.now + HOUR, 0, "time_ahead"),
        (desk.now - 2 * HOUR, desk.now - HOUR, "time_too_early"),
        (desk.now - 2 * DAY, 0, "time_too_early"),
    ):
        with pytest.raises(Refused, match=code):
            log.write(OPERATOR, "补记", at=at, since=since)
    with pytest.raises(Refused, match="text_missing"):
        log.write(OPERATOR, "  ")
    with pytest.raises(Forbidden):
        log.write(LEADER, "领导写")


def test_a_correction_is_a_note_that_names_the_old_one(log: DutyLog, desk: Desk) -> None:
    old = log.write(OPERATOR, "三人受伤")
    new = log.write(COMMANDER, "更正：两人受伤", corrects=old.id)
    found, _ = log.listed(OPERATOR, 0, desk.now + 1)
    assert [(one.id, one.text, one.corrected_by) for one in found] == [
        (old.id, "三人受伤", new.id), (new.id, "更正：两人受伤", ""),
    ]  # fmt: skip
    assert [entry.action for entry in desk.entries()] == ["note.written", "note.corrected"]


def test_another_jurisdiction_finds_nothing(log: DutyLog, desk: Desk) -> None:
    city = log.write(OPERATOR, "全市的")
    log.write(TOWN, "街道的")
    assert texts(log, TOWN, desk) == ["街道的"] and texts(log, OPERATOR, desk) == ["全市的", "街道的"]
    for key in (city.id, "none", "\x00"):
        with pytest.raises(NotFound):
            log.write(TOWN, "更正", corrects=key)
    desk.send(report("A1", grid_code=LEAVES[2]))
    number = desk.incident().number
    assert log.write(OPERATOR, "关于它", number=number).incident == desk.incident().id
    for wrong in (number, "9999-9999"):
        with pytest.raises(Refused, match="no_incident"):
            log.write(TOWN, "关于它", number=wrong)


def test_a_note_is_sealed_under_its_own_key(log: DutyLog, desk: Desk, database: Database, keys: KeyStore) -> None:
    one = log.write(OPERATOR, "张某来访")
    assert "张某" not in "".join(str(entry.body) + entry.reason for entry in desk.entries())
    with database.read() as connection:
        row = connection.exec_driver_sql("SELECT sealed FROM duty_note").scalar_one()
    assert "张某".encode() not in bytes(row)
    keys.destroy([one.id])
    assert texts(log, OPERATOR, desk) == [None]


def test_a_shift_counts_what_was_done_in_it_and_where(desk: Desk, database: Database) -> None:
    desk.send(report("A1"), report("A2"), report("A3", grid_code=LEAVES[2]))
    first = desk.incident()
    desk.commands.acknowledge(OPERATOR, first.id, first.revision)
    shift = shiftwork.running(database, OPERATOR, ZONE, desk.now)
    assert shift.basis == shiftwork.MIDNIGHT and shift.since < desk.now
    found = shiftwork.figures(database, OPERATOR, shift.since, desk.now + 1)
    assert (found.received, found.seen, found.ended, found.acknowledged, found.closed) == (3, 1, 0, 1, 0)
    assert shiftwork.figures(database, TOWN, shift.since, desk.now + 1).received == 2
    assert shiftwork.figures(database, OPERATOR, desk.now + 1, desk.now + 2).received == 0
    assert not found.bounded
