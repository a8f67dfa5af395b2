"""Bringing the schema up to date: under a lock, after a copy, refusing what a newer Gridwall wrote."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from config import clock
from operations.errors import SchemaNewer

ADVISORY_LOCK = 0x67726964
COPIES_KEPT = 10
SCRIPTS = Path(__file__).parent


def migrate(engine: Engine, file: Path | None, backup_dir: Path) -> None:
    """Upgrade to the newest schema. A SQLite `file` is copied first; PostgreSQL copies are its keeper's duty."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    with _locked(engine, file), engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        if found == scripts.get_current_head():
            return
        if found is not None:
            _refuse_unknown(scripts, found)
            if file is not None:
                copy(file, backup_dir, f"before-{scripts.get_current_head()}-{clock.now()}")
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def copy(file: Path, backup_dir: Path, name: str) -> Path:
    """Copy a live SQLite file by its backup interface and return the copy's path; only the newest copies stay."""
    backup_dir.mkdir(parents=True, exist_ok=True)
    target = backup_dir / f"{name}.db"
    partial = target.with_suffix(".partial")
    with _closing(file) as source, _closing(partial) as sink:
        source.backup(sink)
    partial.rename(target)
    for old in sorted(backup_dir.glob("*.db"), key=lambda path: path.stat().st_mtime)[:-COPIES_KEPT]:
        old.unlink()
    return target


@contextmanager
def _closing(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file)
    try:
        yield connection
    finally:
        connection.close()


def _refuse_unknown(scripts: ScriptDirectory, found: str) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if found not in known:
        raise SchemaNewer(found=found, known=str(scripts.get_current_head()))


@contextmanager
def _locked(engine: Engine, file: Path | None) -> Iterator[None]:
    """One migration at a time: a file lock beside SQLite, an advisory lock in PostgreSQL."""
    if file is None:
        with engine.connect() as connection:
            _advisory(connection, "pg_advisory_lock")
            try:
                yield
            finally:
                _advisory(connection, "pg_advisory_unlock")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(file.name + "-migrate").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _advisory(connection: Connection, function: str) -> None:
    connection.execute(text(f"SELECT {function}(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()
