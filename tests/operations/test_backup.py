"""A backup taken while the desk works is restored elsewhere: the same board, a whole chain; a bad one is refused."""

import io
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from operations import backup, heads, journal, reconciliation, snapshot, tables
from operations.archive import Manifest
from operations.database import Database
from operations.errors import ArchiveDamaged, OperationsError, RestoreRefused
from operations.outlets import outbox
from operations.outlets.keeping import Outlets
from operations.policy import SYSTEM
from operations.restore import Restored, restore
from operations.seal import KeyStore
from operations.verification import verify
from tests.operations.desk import COMMANDER, Desk, report


class Shop:
    """A working installation, and an empty place to restore it to."""

    def __init__(self, desk: Desk, folder: Path, elsewhere: str) -> None:
        self.desk, self.data, self.url = desk, folder, elsewhere
        self.new, self.file, self.keys_file = folder / "new", folder / "b.tar", folder / "k.tar"
        desk.database.snapshot_key = desk.keys.snapshot_key()
        (folder / "uploads").mkdir()
        (folder / "uploads" / "plan.pdf").write_bytes(b"plan")
        (folder / "oidc.toml").write_bytes(b"[roles]")
        (folder / "config.toml").write_text('port = 8051\ndatabase_url = "postgresql://u:secret@db/x"\n', "utf-8")

    def back_up(self) -> None:
        backup.take(self.desk.database, self.desk.keys, self.data, self.file, now=self.desk.tick())
        backup.take_keys(self.desk.keys, self.data / "keys", self.keys_file, now=self.desk.tick())

    def restore(self, keys: bool = True) -> Restored:
        return restore(self.file, self.keys_file if keys else None, self.new, self.url, now=self.desk.tick())

    def tampered(self, name: str, change: bytes) -> None:
        """Write the archive again with one file replaced."""
        with tarfile.open(self.file) as old:
            members = [(member.name, old.extractfile(member).read()) for member in old]  # type: ignore[union-attr]
        with tarfile.open(self.file, "w") as fresh:
            for found, data in members:
                info = tarfile.TarInfo(found)
                data = change if found == name else data
                info.size = len(data)
                fresh.addfile(info, io.BytesIO(data))


@pytest.fixture
def shop(desk: Desk, folder: Path, database_url: str) -> Iterator[Shop]:
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        yield Shop(desk, folder, f"sqlite:///{folder}/new/gridwall.db")
        return
    server = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = f"{url.database}_new"
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield Shop(desk, folder, url.set(database=name).render_as_string(hide_password=False))
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.mark.database
def test_restored_elsewhere_the_board_is_the_same_and_the_chain_whole(shop: Shop) -> None:
    desk = shop.desk
    desk.send(report("A1"), report("A2"), report("A3"))
    desk.commands.close(COMMANDER, desk.incident().id, 1, "resolved", "修好了")
    with desk.database.write() as transaction:
        transaction.connection.execute(sa.insert(tables.session).values(hash=b"1", account="wang"))
    snapshot.save(desk.database, desk.board())
    desk.send(report("A4"))
    heads.append(shop.data / "heads.jsonl", desk.keys.sign(journal.head(desk.database), desk.now))
    before = desk.board()
    shop.back_up()
    desk.send(report("A5"))  # comes too late for it

    done = shop.restore()
    assert (done.verification.ok, done.manifest.seq, done.epoch) == (True, before.seq, 2)
    with closing(Database(shop.url)) as database, closing(KeyStore(shop.new / "keys")) as keys:
        database.snapshot_key = keys.snapshot_key()
        assert snapshot.encode(snapshot.load_at(database, before.seq)) == snapshot.encode(before)
        signed = heads.load(shop.new / "heads.jsonl", keys.public_key())
        assert signed.signed and not signed.bad_lines
        later = desk.keys.sign(journal.head(desk.database), desk.now)  # of the history that was left behind
        assert verify(database, [*signed.signed, later]).ok
        with database.read() as connection:
            assert connection.execute(sa.select(tables.session.c.closed_at)).scalar_one() is not None
        assert reconciliation.check(database, {0: (0, 0)}) == []
        assert keys.open(desk.incident().id, sealed_of(database, desk.incident().id))
    assert (shop.new / "uploads" / "plan.pdf").read_bytes() == b"plan"
    assert (shop.new / "oidc.toml").read_bytes() == b"[roles]"
    configured = (shop.new / "config.toml").read_text("utf-8")
    assert "8051" in configured and "secret" not in configured
    assert {path.stat().st_mode & 0o777 for path in (shop.file, shop.keys_file)} == {0o600}
    assert desk.entries()[-2].action == "backup.made"


@pytest.mark.database
def test_what_waits_is_not_sent_from_the_copy_until_somebody_says_so(shop: Shop) -> None:
    outlets = Outlets(shop.desk.database)
    outlets.add(SYSTEM, "sms", "webhook", {"url": "https://sms.example.org/"}, now=shop.desk.now)
    outlets.add(SYSTEM, "old", "file", {}, now=shop.desk.now)
    outlets.switch(SYSTEM, "old", enabled=False, now=shop.desk.now)
    outlets.test(SYSTEM, "sms", "110", now=shop.desk.now)
    shop.back_up()
    assert [one.name for one in outbox.due(shop.desk.database, shop.desk.now)] == ["sms"]
    assert shop.restore().outlets == ["sms"]
    with closing(Database(shop.url)) as database:
        assert outbox.due(database, shop.desk.now) == []
        Outlets(database).switch(SYSTEM, "sms", enabled=True, now=shop.desk.now)
        assert [one.name for one in outbox.due(database, shop.desk.now)] == ["sms"]


def sealed_of(database: Database, subject: str) -> bytes:
    with database.read() as connection:
        return journal.sealed_of_subject(connection, subject)[0]


def test_without_the_keys_all_but_the_sealed_is_there(shop: Shop) -> None:
    desk = shop.desk
    desk.send(report("A1"))
    snapshot.save(desk.database, desk.board())
    shop.back_up()
    assert shop.restore(keys=False).verification.ok
    with closing(Database(shop.url)) as database, closing(KeyStore(shop.new / "keys")) as keys:
        database.snapshot_key = keys.snapshot_key()
        assert snapshot.load(database).incidents == desk.board().incidents
        with database.read() as connection:
            assert snapshot.stored(connection, keys.snapshot_key(), 1) is not None
        with pytest.raises(OperationsError, match="key_gone"):
            keys.open(desk.incident().id, sealed_of(database, desk.incident().id))
    with tarfile.open(shop.file) as archive:
        assert not [name for name in archive.getnames() if "key" in name]


def untouched(shop: Shop) -> bool:
    """Nothing was restored."""
    return not shop.new.exists() or not list(shop.new.iterdir())


@pytest.mark.parametrize("left", [0, 1, 700, 20_000, -512, -3_000])
def test_a_cut_archive_is_refused(shop: Shop, left: int) -> None:
    shop.desk.send(report("A1"))
    shop.back_up()
    data = shop.file.read_bytes().rstrip(b"\0") if left < 0 else shop.file.read_bytes()
    shop.file.write_bytes(data[:left])
    with pytest.raises(ArchiveDamaged):
        shop.restore()
    assert untouched(shop)


@pytest.mark.parametrize("name", ["uploads/plan.pdf", "heads.jsonl", "manifest.json", "manifest.sig", "database"])
def test_a_changed_archive_is_refused(shop: Shop, name: str) -> None:
    shop.desk.send(report("A1"))
    shop.back_up()
    kind = "sqlite" if shop.url.startswith("sqlite") else "postgresql"
    shop.tampered(backup.DATABASE[kind] if name == "database" else name, b"{}")
    with pytest.raises(ArchiveDamaged):
        shop.restore()
    assert untouched(shop)


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out"])
def test_a_file_that_would_leave_the_folder_is_refused(shop: Shop, name: str) -> None:
    with tarfile.open(shop.file, "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(ArchiveDamaged):
        shop.restore()
    assert untouched(shop) and not (shop.data / "out").exists()


@pytest.mark.database
def test_what_is_not_empty_is_not_overwritten(shop: Shop) -> None:
    shop.back_up()
    shop.new.mkdir()
    (shop.new / "notes.txt").touch()
    with pytest.raises(RestoreRefused, match="folder_not_empty"):
        shop.restore()
    (shop.new / "notes.txt").unlink()
    shop.url = shop.desk.database.url  # the one that is at work
    with pytest.raises(RestoreRefused, match="database_not_empty"):
        shop.restore()
    assert untouched(shop)


def test_keys_of_another_installation_are_refused(shop: Shop, tmp_path: Path) -> None:
    shop.back_up()
    shop.keys_file.unlink()
    with closing(KeyStore(tmp_path / "keys")) as others:
        backup.take_keys(others, tmp_path / "keys", shop.keys_file, now=1)
    with pytest.raises(RestoreRefused, match="keys_of_another"):
        shop.restore()
    shop.file, shop.keys_file = shop.keys_file, shop.file
    with pytest.raises(RestoreRefused, match="archives_swapped"):
        shop.restore()
    assert untouched(shop)


@pytest.mark.database
def test_a_broken_chain_is_restored_and_told(shop: Shop) -> None:
    shop.desk.send(report("A1"), report("A2"))
    with shop.desk.database.write() as transaction:
        transaction.connection.execute(sa.update(tables.journal).where(tables.journal.c.seq == 2).values(actor="z"))
    shop.back_up()
    assert [(fault.seq, fault.kind) for fault in shop.restore().verification.faults] == [(2, "changed")]


@pytest.mark.database
def test_the_copy_is_of_one_moment_while_others_write(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, told = shop.desk, []
    described = backup._described

    def writing(connection: sa.Connection, manifest: Manifest) -> Manifest:
        found = described(connection, manifest)
        told.append(desk.send(report(f"B{len(told)}")))
        return found

    desk.send(report("A1"))
    monkeypatch.setattr(backup, "_described", writing)
    shop.back_up()
    done = shop.restore()
    assert told and done.verification.ok and done.verification.count == done.manifest.seq == 1


def test_a_key_made_while_the_database_is_copied_is_in_the_keys(shop: Shop) -> None:
    shop.desk.send(report("A1"))
    shop.back_up()
    with tarfile.open(shop.keys_file) as archive:
        archive.extractall(shop.data / "looked", filter="data")
    with closing(sqlite3.connect(shop.data / "looked" / "keys.db")) as copied:
        assert copied.execute("SELECT count(*) FROM subject_key").fetchone() == (1,)
    manifest = msgspec.json.decode((shop.data / "looked" / "manifest.json").read_bytes())
    assert sorted(manifest["files"]) == ["head.key", "head.pub", "keys.db"]
