"""Restoring (恢复) a backup into an empty data folder and database: checked first, then moved into place."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct
from sqlalchemy import Connection

from operations import archive, backup, heads, snapshot, tables, verification
from operations.archive import Manifest
from operations.backup import DATABASE, KEYS, POSTGRESQL, SQLITE
from operations.database import Database
from operations.epoch import new_epoch
from operations.errors import RestoreRefused
from operations.heads import SignedHead
from operations.migrations import copies
from operations.outlets import rows
from operations.outlets.keeping import Outlets
from operations.policy import SYSTEM
from operations.seal import KeyStore
from operations.verification import Verification

STAGING = ".restoring"
LOCK = "gridwall.lock"
OLD_HEADS = "heads-before-restore.jsonl"


class Restored(Struct, frozen=True):
    """What was restored, what the check of its journal found, the epoch begun, and the outlets switched off."""

    manifest: Manifest
    verification: Verification
    epoch: int
    outlets: list[str]


def restore(
    file: Path, keys_file: Path | None, data: Path, url: str, *, now: int, engine_empty: bool = True
) -> Restored:
    """Restore archives into the folder `data` and the database `url`, both empty.

    `engine_empty`: the engine begins anew, so what it once accepted is no longer reckoned against it. Raises
    RestoreRefused, ArchiveDamaged, CopyFailed; the folder is then as it was. What is cut off later leaves the folder
    `unfinished`: nothing starts on it.
    """
    _refuse_used(data)
    with _staged(data) as staging:
        (staging / "data").mkdir(mode=0o700)
        (staging / "keys").mkdir(mode=0o700)
        manifest = archive.unpack(file, staging / "data")
        if keys_file is not None:
            _refuse_foreign(manifest, archive.unpack(keys_file, staging / "keys"))
        _place_database(manifest, staging / "data", data, url)
        for path in (staging / "data").iterdir():
            shutil.move(path, data / path.name)
        shutil.move(staging / "keys", data / "keys")
        return _begun(manifest, data, url, now=now, engine_empty=engine_empty, with_keys=keys_file is not None)


def refuse_unfinished(data: Path) -> None:
    """Raise RestoreRefused where a restore was cut off: sessions live on, and no epoch tells the old entries apart."""
    if (data / STAGING).exists():
        raise RestoreRefused("keeping.restore_unfinished", folder=data)


def _refuse_used(data: Path) -> None:
    used = [path.name for path in data.iterdir() if path.name != LOCK] if data.is_dir() else []
    if used:
        raise RestoreRefused("keeping.folder_not_empty", folder=data, name=min(used))


@contextmanager
def _staged(data: Path) -> Iterator[Path]:
    """A folder inside the target, on the same disk; gone when all is done, or when nothing was moved yet."""
    staging = data / STAGING
    staging.mkdir(mode=0o700, parents=True)
    try:
        yield staging
    except BaseException:
        if {path.name for path in data.iterdir()} <= {STAGING, LOCK}:
            shutil.rmtree(staging)
        raise
    shutil.rmtree(staging)


def _refuse_foreign(manifest: Manifest, keys: Manifest) -> None:
    if manifest.kind == KEYS or keys.kind != KEYS:
        raise RestoreRefused("keeping.archives_swapped")
    if manifest.key != keys.key:
        raise RestoreRefused("keeping.keys_of_another")


def _place_database(manifest: Manifest, staged: Path, data: Path, url: str) -> None:
    """Put the database where the settings say, which must be of its kind and empty."""
    kind = SQLITE if sa.make_url(url).get_backend_name() == "sqlite" else POSTGRESQL
    if manifest.kind == KEYS:
        raise RestoreRefused("keeping.archives_swapped")
    if manifest.kind != kind:
        raise RestoreRefused("keeping.another_kind", archive=manifest.kind, settings=kind)
    copy = staged / DATABASE[kind]
    if kind == SQLITE:
        target = Path(str(sa.make_url(url).database))
        if target.exists():
            raise RestoreRefused("keeping.database_not_empty")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(copy, target)
        return
    with closing(Database(url)) as database:
        _refuse_server(manifest, database)
        options = ("--no-owner", "--exit-on-error", "--single-transaction", str(copy))
        copies.run("pg_restore", database.engine.url, *options, code=backup.FAILED)
    copy.unlink()


def _refuse_server(manifest: Manifest, database: Database) -> None:
    """PostgreSQL restores into an empty database of the same or a newer release, with tools that can read the copy."""
    with database.read() as connection:
        if sa.inspect(connection).get_table_names():
            raise RestoreRefused("keeping.database_not_empty")
        server = str(connection.execute(sa.text("SHOW server_version")).scalar_one())
    if _release(server) < _release(manifest.server):
        raise RestoreRefused("keeping.server_older", archive=manifest.server, here=server)
    tool = backup.version("pg_restore")
    if _release(tool) < _release(manifest.tool):
        raise RestoreRefused("keeping.tool_older", archive=manifest.tool, here=tool)


def _release(version: str) -> int:
    return int(version.split(".")[0].split()[0] or 0)


def _begun(manifest: Manifest, data: Path, url: str, *, now: int, engine_empty: bool, with_keys: bool) -> Restored:
    """Check the chain as it came, then begin: newest tables, a new epoch, nobody signed in."""
    with closing(Database(url)) as database, closing(KeyStore(data / "keys")) as keys:
        database.snapshot_key = keys.snapshot_key()
        database.migrate(data / "copies", own_copies=True)
        found = verification.verify(database, _heads(manifest, data))
        with database.write() as transaction:
            _end_sessions(transaction.connection, now)
            if engine_empty:
                transaction.connection.execute(sa.update(tables.partition).values(decided=0))
            if not with_keys:
                snapshot.seal_again(transaction.connection, database.snapshot_key)
        if not with_keys and (data / "heads.jsonl").exists():
            (data / "heads.jsonl").rename(data / OLD_HEADS)
        epoch = new_epoch(database, f"restored from the backup of entry {manifest.seq}", now=now)
        silenced = _silenced(database, now)
    return Restored(manifest, found, epoch, silenced)


def _silenced(database: Database, now: int) -> list[str]:
    """Switch the ways out off: what waited in the backup may have been sent since, and a rehearsal calls nobody."""
    with database.read() as connection:
        names = [outlet.name for outlet in rows.listed(connection) if outlet.enabled]
    for name in names:
        Outlets(database).switch(SYSTEM, name, enabled=False, now=now)
    return names


def _heads(manifest: Manifest, data: Path) -> list[SignedHead]:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(manifest.key))
    return heads.load(data / "heads.jsonl", key).signed


def _end_sessions(connection: Connection, now: int) -> None:
    """Whoever was signed in signs in again; links not yet used and screens waiting to be paired end too."""
    session, one_time = tables.session, tables.one_time
    connection.execute(sa.update(session).where(session.c.closed_at.is_(None)).values(closed_at=now))
    connection.execute(sa.update(one_time).where(one_time.c.used_at.is_(None)).values(used_at=now))
    connection.execute(sa.delete(tables.pairing))
