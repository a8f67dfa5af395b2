"""Bringing the schema up to date: under a lock, after a copy, refusing what a newer Gridwall wrote."""

import fcntl
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
from operations.migrations import copies

ADVISORY_LOCK = 0x67726964
SCRIPTS = Path(__file__).parent


def migrate(engine: Engine, file: Path | None, backup_dir: Path, *, own_copies: bool = False) -> None:
    """Upgrade to the newest schema, after a copy of what is there: of the SQLite `file`, or of the PostgreSQL database
    unless its keeper makes `own_copies`. Raises SchemaNewer, CopyFailed; then nothing was changed.
    """
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
            name = f"before-{scripts.get_current_head()}-{clock.now()}"
            if file is not None:
                copies.of_file(file, backup_dir, name)
            elif not own_copies:
                copies.of_server(engine.url, backup_dir, name)
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


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
