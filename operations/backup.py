"""Backups (备份): database, files and configuration at one moment in one archive, the keys apart in another.

Order matters: signed heads are read before the database and the keys after it, so that every head fits the copy and
every sealed part in it has its key.
"""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy import Connection

from operations import archive, journal
from operations.archive import Manifest, Writer
from operations.database import Database
from operations.entry import Draft
from operations.errors import CopyFailed
from operations.migrations import copies
from operations.policy import SYSTEM
from operations.seal import KeyStore

FOLDERS = ("attachments", "uploads", "sources", "segments", "tiles")
"""Folders of the data folder that go into a backup; logs, caches, copies and the engine's data do not."""
FILES = ("backdrop.geojson", "oidc.toml")
SQLITE, POSTGRESQL, KEYS = "sqlite", "postgresql", "keys"
DATABASE = {SQLITE: "gridwall.db", POSTGRESQL: "gridwall.dump"}
FAILED = "keeping.copy_failed"
KEY_DATABASE = "keys.db"
_ADDRESS = re.compile(rb"^[ \t]*(database_url|redis_url)[ \t]*=.*$", re.MULTILINE)
_VERSION = re.compile(r"\d+(\.\d+)*")


def take(database: Database, keys: KeyStore, data: Path, target: Path, *, now: int) -> Manifest:
    """Write the archive of everything but the keys, while the program runs; it is an entry of the journal.

    Raises CopyFailed, OSError.
    """
    heads = _lines(data / "heads.jsonl")
    with TemporaryDirectory(prefix=".backup-", dir=target.parent) as staging, archive.writing(target) as writer:
        kind = POSTGRESQL if database.file is None else SQLITE
        copy = Path(staging) / DATABASE[kind]
        manifest = _copied(database, copy, Manifest(archive.FORMAT, kind, now, _public(keys)))
        writer.file(copy.name, copy)
        writer.content("heads.jsonl", heads)
        if configured := _bytes(data / "config.toml"):
            writer.content("config.toml", _ADDRESS.sub(b"", configured))
        for name in FILES:
            writer.file(name, data / name)
        for folder in FOLDERS:
            _add_folder(writer, data / folder, folder)
        made = writer.close(manifest, keys.signature)
    with database.write() as transaction:
        journal.append(transaction, [_draft(made, now)])
    return made


def take_keys(keys: KeyStore, folder: Path, target: Path, *, now: int) -> Manifest:
    """Write the archive of the keys; whoever has both archives can read everything."""
    with TemporaryDirectory(prefix=".backup-", dir=target.parent) as staging, archive.writing(target) as writer:
        copy = Path(staging) / KEY_DATABASE
        keys.copy(copy)
        writer.file(KEY_DATABASE, copy)
        _add_folder(writer, folder, "")
        return writer.close(Manifest(archive.FORMAT, KEYS, now, _public(keys)), keys.signature)


def version(program: str) -> str:
    """Return the version of pg_dump or pg_restore. Raises CopyFailed."""
    path = shutil.which(program)
    if path is None:
        raise CopyFailed("keeping.tool_missing", program=program)
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = _VERSION.search(said)
    return found.group() if found else ""


def _copied(database: Database, copy: Path, manifest: Manifest) -> Manifest:
    """Copy the database; the manifest then says which moment of it."""
    if database.file is not None:
        copies.copy_file(database.file, copy)
        with closing(Database(f"sqlite:///{copy}")) as copied, copied.read() as connection:
            described = _described(connection, manifest)
        _fold_in(copy)
        return described
    with _shared_moment(database) as (connection, name):
        described = _described(connection, manifest)
        options = ("--format=custom", f"--file={copy}", f"--snapshot={name}")
        copies.run("pg_dump", database.engine.url, *options, code=FAILED)
    with database.read() as connection:
        server = str(connection.execute(sa.text("SHOW server_version")).scalar_one()).split()[0]
    return replace(described, server=server, tool=version("pg_dump"))


@contextmanager
def _shared_moment(database: Database) -> Iterator[tuple[Connection, str]]:
    """A read whose snapshot pg_dump may share."""
    with database.read() as connection:
        yield connection, str(connection.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one())


def _described(connection: Connection, manifest: Manifest) -> Manifest:
    head = journal.head_on(connection)
    schema = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    return replace(manifest, seq=head.seq, hash=head.hash, epoch=head.epoch, schema=str(schema))


def _fold_in(copy: Path) -> None:
    """One file, not three: reading it has opened a write-ahead log beside it."""
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _add_folder(writer: Writer, folder: Path, name: str) -> None:
    """Add what lies in a folder, links and the key database's own files left out."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        skipped = not name and inside.startswith(KEY_DATABASE)
        if path.is_file() and not path.is_symlink() and not skipped:
            writer.file(f"{name}/{inside}" if name else inside, path)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _lines(path: Path) -> bytes:
    """A file of lines up to its last whole one."""
    data = _bytes(path)
    return data[: data.rfind(b"\n") + 1]


def _public(keys: KeyStore) -> str:
    return keys.public_key().public_bytes_raw().hex()


def _draft(made: Manifest, now: int) -> Draft:
    return Draft(
        at=now,
        actor=SYSTEM.actor,
        action="backup.made",
        subject_type="backup",
        subject_id=str(made.made_at),
        body={"seq": made.seq, "hash": made.hash, "files": len(made.files)},
    )
