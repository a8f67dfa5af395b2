"""The cameras of a map's view: within the asker's reach, followed at once, and one refusal for every wrong view."""

from pathlib import Path

import pytest

from dashboard.cameramap import Cameramap
from operations.cameras import keeping, voids
from operations.cameras.coverage import DARK, Covered, Tally
from operations.cameras.item import Item
from operations.cameras.mapping import STATES
from operations.database import Database
from operations.scope import WHOLE, Scope

NOW = 1_790_000_000_000_000
HERE = (118.0, 35.0, 120.0, 37.0)


def take(database: Database, **status: str) -> None:
    items = [
        Item(code=code, lon=119.0, lat=36.0, chain=("c", f"t{code}"), status=state, owner="police")
        for code, state in status.items()
    ]
    with database.write() as transaction:
        keeping.take(transaction, "s", items, complete=True, now=NOW)


@pytest.mark.database
def test_it_follows_the_catalogue_and_answers_within_a_scope(database: Database) -> None:
    cameras = Cameramap(database)
    cameras.look()
    empty = cameras.key(WHOLE)
    take(database, a="on", b="on")
    cameras.look()
    both, theirs = cameras.key(WHOLE), cameras.key(Scope("ta"))
    assert both != empty and b'"total":2' in cameras.seen(WHOLE, HERE, 16)
    assert b'"total":1' in cameras.seen(Scope("ta"), HERE, 16)

    take(database, a="on", b="off")
    cameras.look()
    assert cameras.key(WHOLE) != both and cameras.key(Scope("ta")) == theirs
    assert f'"states":[1,0,{int(STATES.index("off") == 2)}'.encode() in cameras.seen(WHOLE, HERE, 16)
    take(database, a="on")
    cameras.look()
    assert b'"total":1' in cameras.seen(WHOLE, HERE, 16)


@pytest.mark.database
def test_a_camera_where_none_may_be_is_shown_to_who_keeps_it_and_not_to_who_asks(database: Database) -> None:
    named = {"a": "人民路东口", "b": "公共浴室"}
    items = [Item(code=code, name=name, lon=119.0, lat=36.0, chain=("c",)) for code, name in named.items()]
    with database.write() as transaction:
        keeping.take(transaction, "s", items, complete=True, now=NOW)
    cameras = Cameramap(database)
    cameras.look()
    kept, asked = (cameras.seen(WHOLE, HERE, 16, closed=closed).decode() for closed in (True, False))
    assert '"total":2' in kept and "公共浴室" in kept
    assert '"total":1' in asked and "人民路东口" in asked and "公共浴室" not in asked


@pytest.mark.database
def test_grids_told_to_have_no_live_camera_are_counted_for_who_reaches_them(database: Database) -> None:
    chains = ("a", "a1"), ("b", "b1")
    covered = [Covered(chain[-1], chain, True, DARK, Tally(1, 0, 0), "", 0) for chain in chains]
    cameras = Cameramap(database)
    for now in (NOW, NOW + 2):
        voids.step(database, covered, patience=1, now=now)
    cameras.look()
    before = cameras.key(WHOLE)
    assert (cameras.voids(WHOLE), cameras.voids(Scope("b"))) == (2, 1)
    assert b'"voids":2' in cameras.seen(WHOLE, HERE, 16)
    voids.step(database, [], patience=1, now=NOW + 3)
    cameras.look()
    assert cameras.voids(WHOLE) == 0 and cameras.key(WHOLE) != before and b'"voids":0' in cameras.seen(WHOLE, HERE, 16)


@pytest.mark.database
def test_the_end_of_maintenance_is_a_change_though_no_entry_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(database, a="on")
    with database.write() as transaction:
        transaction.connection.exec_driver_sql(f"UPDATE camera SET maintenance_until = {NOW + 10}")
    cameras = Cameramap(database)
    monkeypatch.setattr("dashboard.cameramap.clock.now", lambda: NOW)
    cameras.look()
    assert b'"states":[0,0,0,0,0,1]' in cameras.seen(WHOLE, HERE, 16)
    monkeypatch.setattr("dashboard.cameramap.clock.now", lambda: NOW + 11)
    cameras.look()
    assert b'"states":[1,0,0,0,0,0]' in cameras.seen(WHOLE, HERE, 16)


async def test_a_catalogue_that_cannot_be_read_does_not_end_the_process(tmp_path: Path) -> None:
    cameras = Cameramap(Database(f"sqlite:///{tmp_path / 'none.db'}"))
    await cameras.start()
    assert cameras.fault and cameras.key(WHOLE) == cameras.key(Scope("x"))
    await cameras.stop()
