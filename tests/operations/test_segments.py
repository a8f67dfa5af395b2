"""Old prefixes leave the journal as signed files: the board stays, the chain verifies from there, crashes mend."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from operations import comparison, journal, segments, snapshot, tables, verification
from operations.database import Database
from operations.errors import ArchiveDamaged, HistoryLeft, SegmentMissing
from operations.policy import SYSTEM
from operations.retention import destroy_bodies
from operations.segments import Segment
from operations.verification import verify
from tests.operations.desk import COMMANDER, DAY, Desk, report

pytestmark = pytest.mark.database


class Old(Desk):
    """A desk with history: two incidents closed long ago, one still open after them, and newer ones."""

    def grow(self) -> None:
        self.database.snapshot_key = self.keys.snapshot_key()
        self.send(report("A1"), report("A2"))
        for incident in list(self.board().incidents.values()):
            self.commands.close(COMMANDER, incident.id, 1, "resolved", "修好了")
        self.tick(DAY)
        self.send(report("A3"))  # entry 5, stays open
        self.tick(DAY)
        self.send(report("A4"))
        self.tick(400 * DAY)

    def leave(self, folder: Path) -> Segment | None:
        return segments.export(self.database, self.keys, folder, self.now - 300 * DAY, now=self.tick())

    def seqs(self) -> list[int]:
        return [entry.seq for entry in self.entries()]

    def signed(self) -> list[verification.SignedHead]:
        return [self.keys.sign(journal.head(self.database), self.now)]


@pytest.fixture
def old(database: Database, keys: segments.KeyStore) -> Old:
    made = Old(database, keys)
    made.grow()
    return made


def test_what_is_old_and_ended_leaves_and_the_board_stays(old: Old, folder: Path) -> None:
    before, heads, store = snapshot.encode(old.board()), old.signed(), folder / "segments"
    left = old.leave(store)
    assert left is not None and (left.first, left.last) == (1, 4)  # entry 5 opened what is open yet
    assert old.seqs() == [5, 6, 7] and old.entries()[-1].action == "segment.exported"
    assert snapshot.encode(snapshot.load_at(old.database, 6)) == before
    found = verify(old.database, [*heads, *old.signed()])
    assert (found.ok, found.count) == (True, 3), found.faults
    assert verify(old.database, processes=1) == verify(old.database)
    assert comparison.compare(old.database) == []
    checked = segments.check(store / left.file)
    assert (checked.first, checked.seq, checked.hash) == (1, 4, left.hash)
    assert old.leave(store) is None
    assert old.send(report("A1")).duplicates == 1  # its outcome is known still
    with pytest.raises(HistoryLeft):
        snapshot.load_at(old.database, 3)
    with old.database.read() as connection:
        assert connection.execute(sa.select(sa.func.min(tables.journal_body.c.seq))).scalar() == 5


def test_a_history_that_began_in_a_segment_names_the_file(old: Old, folder: Path) -> None:
    before = [one.id for one in old.board().incidents.values() if not one.is_open]
    assert before and not old.commands.dossier(COMMANDER, before[0]).segment
    left = old.leave(folder)
    assert left is not None and old.commands.dossier(COMMANDER, before[0]).segment == left.file
    still_open = next(one.id for one in old.board().incidents.values() if one.is_open)
    assert old.commands.dossier(COMMANDER, still_open).segment == ""


def test_the_next_segment_follows_the_first_and_bodies_destroyed_by_rule_stay_so(old: Old, folder: Path) -> None:
    old.leave(folder)
    for incident in [one for one in old.board().incidents.values() if one.is_open]:
        old.commands.close(COMMANDER, incident.id, 1, "resolved", "")
    destroy_bodies(old.database, SYSTEM, 6, 6, "old", now=old.tick())
    old.tick(400 * DAY)
    left = old.leave(folder)
    assert left is not None and (left.first, left.last) == (5, 10)
    with old.database.read() as connection:
        first, second = segments.listed(connection)
    assert segments.check(folder / second.file).before == first.hash
    assert verify(old.database, old.signed()).ok and old.seqs() == [11]


@pytest.mark.parametrize("step", ["_leave", "_delete"])
def test_a_crash_between_two_steps_is_mended(
    old: Old, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = snapshot.encode(old.board())

    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(segments, step, killed)
        old.leave(folder)
    assert verify(old.database, old.signed()).ok and len(old.seqs()) == (6 if step == "_leave" else 7)
    if step == "_leave":
        assert old.leave(folder) is not None
    else:
        segments.mend(old.database, folder)
    assert old.seqs() == [5, 6, 7] and verify(old.database, old.signed()).ok
    assert snapshot.encode(snapshot.load_at(old.database, 6)) == before


def test_half_deleted_entries_are_still_checked(old: Old, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(segments, "_delete", lambda *_given: None)
        old.leave(folder)
    with old.database.write() as transaction:
        transaction.connection.execute(sa.delete(tables.journal).where(tables.journal.c.seq <= 2))
    assert verify(old.database).ok
    with old.database.write() as transaction:
        transaction.connection.execute(sa.update(tables.journal).where(tables.journal.c.seq == 4).values(actor="z"))
    assert [(fault.seq, fault.kind) for fault in verify(old.database).faults] == [(4, "changed")]


def test_a_beginning_that_no_entry_tells_of_is_a_fault(old: Old) -> None:
    with old.database.write() as transaction:
        row = transaction.connection.execute(sa.select(tables.journal).where(tables.journal.c.seq == 3)).one()
        values = {"last": 3, "first": 1, "hash": row.hash, "file": "x", "sha256": "", "at": 1, "epoch": 1}
        transaction.connection.execute(sa.insert(tables.segment).values(values))
        transaction.connection.execute(sa.delete(tables.journal).where(tables.journal.c.seq <= 3))
    assert [(fault.seq, fault.kind) for fault in verify(old.database).faults] == [(3, "segment")]


def test_a_new_fold_begins_by_folding_the_files_anew(old: Old, folder: Path) -> None:
    left = old.leave(folder)
    before = snapshot.encode(old.board())
    with old.database.write() as transaction:
        transaction.connection.execute(sa.update(tables.snapshot).values(fold_version=0))
    with pytest.raises(HistoryLeft):
        old.board()
    segments.mend(old.database, folder)
    assert left is not None and snapshot.encode(old.board()) == before
    with old.database.write() as transaction:
        transaction.connection.execute(sa.update(tables.snapshot).values(body=b"0" * 40))
    (folder / left.file).rename(folder / "elsewhere.tar")
    with pytest.raises(SegmentMissing):
        segments.mend(old.database, folder)


def test_nothing_leaves_when_the_file_does_not_read_back(
    old: Old, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "_line", lambda row: b'{"seq": 1}\n')
    with pytest.raises(ArchiveDamaged):
        old.leave(folder)
    assert old.seqs() == [1, 2, 3, 4, 5, 6] and verify(old.database).ok


def test_a_changed_file_is_told(old: Old, folder: Path) -> None:
    left = old.leave(folder)
    assert left is not None
    data = bytearray((folder / left.file).read_bytes())
    data[len(data) // 3] ^= 1
    (folder / left.file).write_bytes(bytes(data))
    with pytest.raises(ArchiveDamaged):
        segments.check(folder / left.file)
