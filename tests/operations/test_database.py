"""When the database is busy, full, older, newer or being migrated by two at once: a clear answer, nothing lost."""

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from config import clock
from operations import journal, migrations
from operations.database import Database
from operations.entry import Draft
from operations.errors import CopyFailed, DatabaseAway, DatabaseFull, DatabaseLocked, SchemaNewer
from operations.migrations import copies
from operations.policy import SYSTEM
from operations.tables import metadata
from operations.turnstile import Turnstile
from operations.verification import verify
from tests.operations.desk import START, Desk, report

DRAFT = Draft(at=START, actor=SYSTEM.actor, action="x.y", subject_type="x", subject_id="1")


@pytest.mark.database
def test_the_migrations_make_the_tables_we_use(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.database
def test_migrating_again_changes_nothing(database: Database, folder: Path) -> None:
    database.migrate(folder / "copies")
    assert not (folder / "copies").exists()


@pytest.mark.database
def test_a_newer_schema_is_refused_untouched(database: Database, folder: Path) -> None:
    with database.write() as transaction:
        transaction.connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaNewer) as told:
        database.migrate(folder / "copies")
    assert told.value.params["found"] == "9999"
    assert not (folder / "copies").exists()


@pytest.mark.database
def test_an_older_schema_is_copied_before_it_is_migrated(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send(report())
    monkeypatch.setattr(migrations, "SCRIPTS", older_and_newer(folder))
    desk.database.migrate(folder / "copies")
    [copy] = (folder / "copies").iterdir()
    with restored(desk.database, copy) as kept:
        assert (len(journal.read(kept, 0)), verify(kept).ok) == (1, True)
    assert version(desk.database) == "9998_test"


@pytest.mark.database
def test_without_pg_dump_postgresql_is_migrated_only_when_its_keeper_copies_it(
    desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version(desk.database)
    monkeypatch.setattr(migrations, "SCRIPTS", older_and_newer(folder))
    monkeypatch.setenv("PATH", str(folder))
    if desk.database.file is None:
        with pytest.raises(CopyFailed):
            desk.database.migrate(folder / "copies")
        assert version(desk.database) == before
    desk.database.migrate(folder / "copies", own_copies=True)
    assert version(desk.database) == "9998_test"


@pytest.mark.database
def test_an_empty_database_needs_no_copy(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as transaction:
        metadata.drop_all(transaction.connection)
        transaction.connection.execute(sa.text("DROP TABLE alembic_version"))
    monkeypatch.setenv("PATH", str(folder))
    database.migrate(folder / "copies")
    assert journal.head(database).seq == 0


def test_a_copy_that_fails_says_why_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pg_dump = folder / "pg_dump"
    pg_dump.write_text('#!/bin/sh\necho "$@ $PGPASSWORD" >"$0.told"\necho server version mismatch >&2\nexit 1\n')
    pg_dump.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(CopyFailed) as told:
        copies.of_server(sa.make_url("postgresql+psycopg://me:secret@host:5433/city"), folder / "copies", "x")
    assert told.value.params["detail"] == "server version mismatch"
    assert list((folder / "copies").iterdir()) == []
    arguments, password = Path(f"{pg_dump}.told").read_text(encoding="utf-8").strip().rsplit(" ", 1)
    assert arguments.endswith("--dbname=postgresql://me@host:5433/city")
    assert (password, "secret" in arguments) == ("secret", False)


def test_only_the_newest_copies_stay(desk: Desk, folder: Path) -> None:
    assert desk.database.file is not None
    for number in range(copies.KEPT + 2):
        made = copies.of_file(desk.database.file, folder / "copies", f"copy-{number:02d}")
        os.utime(made, (number, number))
    names = sorted(path.name for path in (folder / "copies").iterdir())
    assert names == [f"copy-{number:02d}.db" for number in range(2, copies.KEPT + 2)]


def version(database: Database) -> str:
    """The schema's version."""
    with database.read() as connection:
        return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one())


@contextmanager
def restored(database: Database, copy: Path) -> Iterator[Database]:
    """A copy as a database of its own; a PostgreSQL dump is played back into one beside the original."""
    if database.file is not None:
        kept = Database(f"sqlite:///{copy}")
    else:
        url = database.engine.url
        beside = url.set(database=f"{url.database}_restored")
        on_server(url, f"DROP DATABASE IF EXISTS {beside.database}", f"CREATE DATABASE {beside.database}")
        address = beside.set(drivername="postgresql").render_as_string(hide_password=False)
        subprocess.run(["pg_restore", f"--dbname={address}", str(copy)], check=True, capture_output=True)
        kept = Database(beside.render_as_string(hide_password=False))
    try:
        yield kept
    finally:
        kept.close()
        if database.file is None:
            on_server(url, f"DROP DATABASE {beside.database}")


def on_server(url: sa.URL, *statements: str) -> None:
    """Run statements outside a transaction."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def older_and_newer(folder: Path) -> Path:
    """The real migrations followed by one more, in a folder of their own."""
    scripts = folder / "migrations"
    shutil.copytree(migrations.SCRIPTS, scripts)
    newest = max((scripts / "versions").glob("[0-9]*.py")).name.split("_")[0]
    body = f'revision = "9998_test"\ndown_revision = "{newest}"\n\ndef upgrade():\n    pass\n'
    (scripts / "versions" / "9998_test.py").write_text(body, encoding="utf-8")
    return scripts


def test_two_that_start_at_once_migrate_once(folder: Path) -> None:
    url = f"sqlite:///{folder / 'new.db'}"

    def start(_number: int) -> int:
        database = Database(url)
        database.migrate(folder / "copies")
        seq = journal.head(database).seq
        database.close()
        return seq

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(start, range(3))) == [0, 0, 0]


def test_a_locked_database_says_so_and_keeps_everything(database: Database) -> None:
    impatient = Database(database.url, busy_timeout_s=0.05)
    with database.write() as transaction:
        journal.append(transaction, [DRAFT])
        with pytest.raises(DatabaseLocked), impatient.write():
            pass
    with impatient.write() as transaction:
        journal.append(transaction, [DRAFT])
    impatient.close()
    assert journal.head(database).seq == 2


def test_a_foreign_lock_says_so_too(database: Database, folder: Path) -> None:
    impatient = Database(database.url, busy_timeout_s=0.05)
    foreign = sqlite3.connect(folder / "gridwall.db", isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked), impatient.write():
        pass
    foreign.execute("ROLLBACK")
    foreign.close()
    impatient.close()


def test_a_full_disk_says_so_and_the_journal_stays_whole(desk: Desk) -> None:
    desk.send(report("A1"))
    with desk.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    @sa.event.listens_for(desk.database.engine, "checkout")
    def _small(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(DatabaseFull):
        desk.send(*(report(f"B{number}") for number in range(500)))
    sa.event.remove(desk.database.engine, "checkout", _small)
    desk.database.engine.dispose()
    assert (len(desk.entries()), verify(desk.database).ok) == (1, True)
    assert desk.send(*(report(f"B{number}") for number in range(500))).journaled == 500


def test_a_database_that_is_not_there_says_so(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'absent' / 'gridwall.db'}")
    with pytest.raises(DatabaseAway), database.read():
        pass
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseAway), away.read():
        pass
    away.close()


@pytest.mark.database
def test_an_error_does_not_carry_what_was_looked_for(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as told, database.read() as connection:
        connection.execute(sa.text("SELECT 1 FROM no_such_table WHERE name = :name"), {"name": "typed by mistake"})
    assert "typed by mistake" not in str(told.value)


def test_every_commit_is_durable(database: Database) -> None:
    with database.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_a_busy_writer_does_not_pass_one_that_waits(folder: Path) -> None:
    turns: list[str] = []
    started, done = threading.Event(), threading.Event()
    file = folder / "x.db"

    def busy() -> None:
        turnstile = Turnstile(file, 10)
        while not done.is_set():
            with turnstile.turn():
                turns.append("worker")
                started.set()
                spin_until(lambda: waiting.is_set() or done.is_set())

    waiting = threading.Event()
    worker = threading.Thread(target=busy)
    worker.start()
    started.wait(5)
    threading.Timer(0.02, waiting.set).start()
    with Turnstile(file, 10).turn():
        turns.append("command")
        done.set()
    worker.join()
    assert turns.index("command") <= 2


def spin_until(holds: Callable[[], bool]) -> None:
    """Wait for something another thread does."""
    deadline = clock.monotonic() + 5
    while not holds() and clock.monotonic() < deadline:
        threading.Event().wait(0.001)


def test_a_database_that_is_gone_is_not_made_anew_and_empty(folder: Path) -> None:
    database = Database(f"sqlite:///{folder}/a b#c?d.db")
    with pytest.raises(DatabaseAway), database.read():
        pass
    assert database.file is not None and not database.file.exists()
    database.migrate(folder / "copies")
    assert not (folder / "copies").exists()
    database.close()
    database.file.rename(folder / "away.db")
    with pytest.raises(DatabaseAway), database.write():
        pass
    assert not database.file.exists()
    database.close()
