"""Snapshots: the newest that fits is loaded, others are ignored, old ones thin out."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from operations import snapshot, tables
from operations.board import Board
from operations.epoch import new_epoch
from operations.seal import KeyStore
from tests.operations.desk import Desk, report

pytestmark = pytest.mark.database


def seqs(desk: Desk) -> list[int]:
    """Seqs of the stored snapshots."""
    with desk.database.read() as connection:
        return list(connection.execute(sa.select(tables.snapshot.c.seq).order_by(tables.snapshot.c.seq)).scalars())


def test_another_fold_version_is_ignored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.send(report("A1"))
    wrong = Board(seq=1, open_quarantine=99)
    snapshot.save(desk.database, wrong)
    assert desk.board().open_quarantine == 99
    monkeypatch.setattr(snapshot, "FOLD_VERSION", snapshot.FOLD_VERSION + 1)
    board = desk.board()
    assert (board.open_quarantine, len(board.incidents)) == (0, 1)


def test_time_travel_takes_the_nearest_before(desk: Desk) -> None:
    for number in range(6):
        desk.send(report(f"A{number}"))
        if number % 2:
            snapshot.save(desk.database, desk.board())
    assert [len(snapshot.load_at(desk.database, seq).incidents) for seq in range(7)] == list(range(7))


def test_old_ones_thin_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "SPREAD", 4)
    for number in range(12):
        desk.send(report(f"A{number}"))
        snapshot.save(desk.database, desk.board())
    assert seqs(desk) == [1, 4, 8, 10, 11, 12]


def test_one_is_due_every_so_many_entries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "EVERY", 3)
    for number in range(4):
        desk.send(report(f"A{number}"))
    assert (snapshot.due(desk.database, 2), snapshot.due(desk.database, 3)) == (False, True)
    snapshot.save(desk.database, desk.board())
    assert not snapshot.due(desk.database, 6)


def test_the_epoch_is_part_of_the_board(desk: Desk) -> None:
    new_epoch(desk.database, "restored", now=desk.tick())
    snapshot.save(desk.database, desk.board())
    assert desk.board().epoch == 2


def spoil(desk: Desk, seq: int, body: bytes) -> None:
    """Put other bytes into a stored snapshot."""
    with desk.database.write() as transaction:
        update = sa.update(tables.snapshot).where(tables.snapshot.c.seq == seq)
        transaction.connection.execute(update.values(body=body))


@pytest.mark.parametrize("body", [b"", b"\0", b"\0" * 100, snapshot.sealed(b"\0", b""), snapshot.sealed(b"\0", b"key")])
def test_a_spoiled_snapshot_is_passed_over(desk: Desk, body: bytes) -> None:
    desk.database.snapshot_key = b"key"
    for number in range(3):
        desk.send(report(f"A{number}"))
        snapshot.save(desk.database, desk.board())
    good = desk.board()
    spoil(desk, 3, body)
    assert desk.board() == good
    spoil(desk, 2, body)
    spoil(desk, 1, body)
    assert desk.board() == good


def test_a_snapshot_somebody_else_made_is_not_believed(desk: Desk) -> None:
    """Whoever can write the database, but does not hold the key, cannot put another picture on the wall."""
    desk.database.snapshot_key = b"key"
    desk.send(report("A1"))
    snapshot.save(desk.database, desk.board())
    image = snapshot.encode(Board(seq=1, open_quarantine=99))
    for forged in (snapshot.sealed(image, b""), snapshot.sealed(image, b"guess")):
        spoil(desk, 1, forged)
        assert (desk.board().open_quarantine, len(desk.board().incidents)) == (0, 1)


def test_derived_keys_stay_the_same_and_are_the_folders_own(folder: Path) -> None:
    stores = [KeyStore(folder / name) for name in ("keys", "keys", "other")]
    made = [(store.snapshot_key(), store.digest_key()) for store in stores]
    for store in stores:
        store.close()
    assert made[0] == made[1]
    assert len({key for pair in made for key in pair}) == 4
