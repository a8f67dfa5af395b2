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


def test_reporters_are_forgotten_after_their_days_and_the_run_is_an_entry(settings: Settings, desk: Desk) -> None:
    desk.send(report("A1"), report("A2"))
    closed, left_open = desk.board().incidents
    desk.commands.close(COMMANDER, closed, 1, "resolved", "")
    retainer = Retainer(settings, desk.database, desk.rung.append)
    retainer.step(desk.tick(89 * DAY))
    assert desk.keys.find([closed, left_open]).keys() == {closed, left_open}
    retainer.step(desk.tick(DAY // 2))
    assert len(ran(desk)) == 1  # once a day
    retainer.step(desk.tick(2 * DAY))
    assert desk.keys.find([closed, left_open]).keys() == {left_open}
    assert [(one["forgotten"], one["segments"], one["forget_days"]) for one in ran(desk)] == [(0, [], 90), (1, [], 90)]
    assert desk.rung[-1] == journal.head(desk.database).seq


def test_with_0_days_nothing_is_forgotten_by_itself(settings: Settings, desk: Desk) -> None:
    desk.send(report("A1"))
    (key,) = desk.board().incidents
    desk.commands.close(COMMANDER, key, 1, "resolved", "")
    never = dataclasses.replace(settings, forget_days=0)
    Retainer(never, desk.database, desk.rung.append).step(desk.tick(300 * DAY))
    assert desk.keys.find([key]) and ran(desk)[0]["forgotten"] == 0


def test_old_entries_leave_once_a_month_of_them_has_come_together(settings: Settings, desk: Desk) -> None:
    desk.send(report("A1"))
    (key,) = desk.board().incidents
    desk.commands.close(COMMANDER, key, 1, "resolved", "")
    retainer = Retainer(settings, desk.database, desk.rung.append)
    retainer.step(desk.tick(12 * MONTH + 20 * DAY))
    assert desk.entries()[0].seq == 1
    retainer.step(desk.tick(12 * DAY))
    assert desk.entries()[0].seq == 3 and len(list(settings.segment_folder.glob("journal-*.tar"))) == 1
    assert ran(desk)[-1]["segments"] == ["journal-000000000001-000000000002.tar"]
    assert verification.verify(desk.database).ok


@pytest.mark.parametrize(("name", "wrong"), [("journal_months", 5), ("forget_days", -1)])
def test_less_than_the_law_wants_is_refused(tmp_path: Path, name: str, wrong: int) -> None:
    with pytest.raises(SettingsError, match=name):
        load(tmp_path, environ={}, **{name: wrong})
