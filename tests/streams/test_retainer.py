"""Retention on schedule: once a day, written down, no more than the settings say, and at least six months stay."""

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.settings import Settings, SettingsError, load
from operations import journal, verification
from operations.database import Database
from operations.seal import KeyStore
from streams.retainer import DAY, MONTH, Retainer
from tests.operations.desk import COMMANDER, Desk, report

pytestmark = pytest.mark.database


@pytest.fixture
def desk(settings: Settings, database: Database) -> Iterator[Desk]:
    with closing(KeyStore(settings.data / "keys")) as keys:
        yield Desk(database, keys)


def ran(desk: Desk) -> list[dict[str, object]]:
    """What the runs wrote down."""
    return [entry.body or {} for entry in desk.entries() if entry.action == "retention.ran"]


def announced(desk: Desk) -> list[dict[str, object]]:
    """What the runs said they will do."""
    return [entry.body or {} for entry in desk.entries() if entry.action == "retention.announced"]


def closed(desk: Desk) -> str:
    """The id of an incident with a reporter, closed at the desk's time."""
    desk.send(report("A1"))
    (key,) = desk.board().incidents
    desk.commands.close(COMMANDER, key, 1, "resolved", "")
    return key


def daily(desk: Desk, retainer: Retainer, days: int) -> None:
    """Let so many days pass one by one."""
    for _ in range(days):
        retainer.step(desk.tick(DAY))


def test_reporters_are_forgotten_after_their_days_and_the_run_is_an_entry(settings: Settings, desk: Desk) -> None:
    desk.send(report("A1"), report("A2"))
    ended, left_open = desk.board().incidents
    desk.commands.close(COMMANDER, ended, 1, "resolved", "")
    retainer = Retainer(settings, desk.database, desk.rung.append)
    daily(desk, retainer, 89)
    assert desk.keys.find([ended, left_open]).keys() == {ended, left_open}
    runs = len(ran(desk))
    retainer.step(desk.tick(DAY // 2))
    assert len(ran(desk)) == runs  # once a day
    retainer.step(desk.tick(DAY))
    assert desk.keys.find([ended, left_open]).keys() == {left_open}
    (done,) = [one for one in ran(desk) if one["forgotten"]]
    assert (done["forgotten"], done["segments"], done["forget_days"]) == (1, [], 90)
    assert desk.rung[-1] == journal.head(desk.database).seq


def test_the_first_start_announces_a_week_before_what_it_destroys(
    settings: Settings, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    key = closed(desk)
    retainer = Retainer(settings, desk.database, desk.rung.append)
    retainer.step(desk.tick(400 * DAY))  # of a program that destroyed nothing by itself until then
    assert desk.keys.find([key]) and desk.entries()[0].seq == 1
    (told,) = announced(desk)
    assert (told["forgets"], told["begins"], told["forget_days"]) == (1, desk.now + 7 * DAY, 90)
    assert "1 incidents will be destroyed" in caplog.text
    daily(desk, retainer, 6)
    assert desk.keys.find([key]) and len(announced(desk)) == 7
    daily(desk, retainer, 1)
    assert not desk.keys.find([key])


def test_a_clock_that_jumps_destroys_nothing(settings: Settings, desk: Desk) -> None:
    key = closed(desk)
    retainer = Retainer(settings, desk.database, desk.rung.append)
    daily(desk, retainer, 10)
    retainer.step(desk.tick(365 * DAY))  # forward
    daily(desk, retainer, 3)
    retainer.step(desk.tick(-367 * DAY))  # set right again: the announcement lies in what is to come
    daily(desk, retainer, 30)
    assert desk.keys.find([key])
    assert desk.entries()[0].seq == 1


def test_with_0_days_nothing_is_forgotten_by_itself(settings: Settings, desk: Desk) -> None:
    key = closed(desk)
    never = Retainer(dataclasses.replace(settings, forget_days=0), desk.database, desk.rung.append)
    never.step(desk.tick(300 * DAY))
    daily(desk, never, 8)
    assert desk.keys.find([key]) and ran(desk)[0]["forgotten"] == 0 == announced(desk)[0]["forgets"]


def test_old_entries_leave_once_a_month_of_them_has_come_together(settings: Settings, desk: Desk) -> None:
    closed(desk)
    retainer = Retainer(settings, desk.database, desk.rung.append)
    retainer.step(desk.tick(12 * MONTH + 20 * DAY))
    daily(desk, retainer, 10)
    assert desk.entries()[0].seq == 1
    daily(desk, retainer, 2)
    assert desk.entries()[0].seq == 3 and len(list(settings.segment_folder.glob("journal-*.tar"))) == 1
    assert [one["segments"] for one in ran(desk) if one["segments"]] == [["journal-000000000001-000000000002.tar"]]
    assert verification.verify(desk.database).ok


def test_what_cannot_be_written_is_told_and_tried_again(settings: Settings, desk: Desk) -> None:
    closed(desk)
    settings.segment_folder.parent.mkdir(parents=True, exist_ok=True)
    settings.segment_folder.write_text("a file is in the way")
    retainer = Retainer(settings, desk.database, desk.rung.append)
    retainer.step(desk.tick(14 * MONTH))
    daily(desk, retainer, 8)
    assert desk.entries()[0].seq == 1 and "exists" in str(ran(desk)[-1]["failed"])
    settings.segment_folder.unlink()
    daily(desk, retainer, 1)
    assert desk.entries()[0].seq == 3 and "failed" not in ran(desk)[-1]


@pytest.mark.parametrize(("name", "wrong"), [("journal_months", 5), ("forget_days", -1)])
def test_less_than_the_law_wants_is_refused(tmp_path: Path, name: str, wrong: int) -> None:
    with pytest.raises(SettingsError, match=name):
        load(tmp_path, environ={}, **{name: wrong})
