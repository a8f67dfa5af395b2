"""Segments (分段): old prefixes of the journal leave as signed files, and only once what was written was read back.

A segment is an archive (`operations.archive`): `entries.jsonl.gz`, one entry a line with body, salt and sealed part,
and `board`, the board after its last entry, which becomes the new start. Three steps, each safe to be cut off after:
the file; then, in one transaction, the entry `segment.exported`, the row of `segment` and the snapshot of the board;
then the old entries are deleted from the oldest on. `mend` ends what was begun.
"""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import archive, chain, journal, snapshot, tables, verification
from operations.archive import Manifest
from operations.board import Board, apply
from operations.database import Database, Transaction, scan
from operations.entry import Draft
from operations.errors import ArchiveDamaged, SegmentMissing
from operations.policy import SYSTEM
from operations.seal import KeyStore

KIND = "segment"
GENESIS = chain.GENESIS.hex()
ENTRIES, BOARD = "entries.jsonl.gz", "board"
ENTRIES_MOST = 200_000
"""Entries of one segment."""
DELETED_AT_ONCE = 2_000
LINE_MOST = 64 * 1024 * 1024
COLUMNS = [column.name for column in tables.journal.columns]
BINARY = ("body_digest", "prev_hash", "hash")
_LINE = msgspec.json.Encoder()


class Segment(Struct, frozen=True):
    """A prefix that has left: the entries `first` to `last`, the last one's hash (hex), and in which file they are."""

    first: int
    last: int
    hash: str
    epoch: int
    file: str
    sha256: str
    at: int


def listed(connection: Connection) -> list[Segment]:
    """Return all segments, oldest first."""
    rows = connection.execute(sa.select(tables.segment).order_by(tables.segment.c.last)).all()
    return [Segment(row.first, row.last, row.hash.hex(), row.epoch, row.file, row.sha256, row.at) for row in rows]


def last(connection: Connection) -> Segment | None:
    """Return the segment the journal begins behind."""
    found = listed(connection)
    return found[-1] if found else None


def oldest(connection: Connection) -> int | None:
    """Return the time of the journal's first entry, None of an empty one."""
    columns = tables.journal.c
    return connection.execute(sa.select(columns.at).order_by(columns.seq).limit(1)).scalar()


def end_of(connection: Connection, before: int) -> int:
    """Return the last entry that may leave: older than `before`, and older than all about an incident still open.

    At most `ENTRIES_MOST` at a time; 0: none.
    """
    columns, incident = tables.journal.c, tables.incident.c
    begin = _begin(connection)
    young = connection.execute(sa.select(sa.func.min(columns.seq)).where(columns.at >= before)).scalar()
    about = sa.join(tables.incident, tables.journal, incident.id == columns.subject_id)
    held = sa.select(sa.func.min(columns.seq)).select_from(about).where(incident.step != "closed")
    open_since = connection.execute(held).scalar()
    end = min(journal.head_on(connection).seq, begin + ENTRIES_MOST)
    end = min([end, *(seq - 1 for seq in (young, open_since) if seq is not None)])
    return end if end > begin else 0


def export(database: Database, keys: KeyStore, folder: Path, before: int, *, now: int) -> Segment | None:
    """Let the oldest entries leave that are older than `before`; None when there are none.

    Raises ArchiveDamaged when what was written does not read back: nothing has left then.
    """
    with database.read() as connection:
        end = end_of(connection, before)
        first = _begin(connection) + 1
    if not end:
        return None
    board = snapshot.load_at(database, end)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"journal-{first:012d}-{end:012d}.tar"
    made = _write(database, keys, file, board, first, now)
    checked = check(file)
    if checked != made:
        raise ArchiveDamaged(file=file.name, detail="read back")
    sha256 = _sha256(file)
    left = Segment(first, end, made.hash, made.epoch, file.name, sha256, now)
    with database.write() as transaction:
        _leave(transaction, left, board, database.snapshot_key)
    mend(database, folder)
    return left


def check(file: Path) -> Manifest:
    """Return what a segment holds after checking signature, digests, and every entry and body in it.

    Raises ArchiveDamaged with the first entry that is wrong.
    """
    with _opened(file) as (manifest, staging):
        walk = verification.Check(manifest.first - 1, bytes.fromhex(manifest.before))
        for row in _rows(file, staging / ENTRIES):
            walk.entry(row)
            if walk.faults:
                raise ArchiveDamaged(file=file.name, detail=walk.faults[0].text)
        if (walk.seq, walk.hash.hex()) != (manifest.seq, manifest.hash):
            raise ArchiveDamaged(file=file.name, detail=f"entry {walk.seq}")
    return manifest


def mend(database: Database, folder: Path) -> None:
    """End what was begun: delete entries that have left, and fold the files anew where no snapshot starts the board.

    Raises SegmentMissing when a file is needed for that and not there.
    """
    with database.read() as connection:
        found = last(connection)
        if found is None:
            return
        started = snapshot.started(connection, database.snapshot_key, found.last)
    if not started:
        _rebuild(database, folder)
    _delete(database, found.last)


def _begin(connection: Connection) -> int:
    found = last(connection)
    return 0 if found is None else found.last


def _write(database: Database, keys: KeyStore, file: Path, board: Board, first: int, now: int) -> Manifest:
    with TemporaryDirectory(prefix=".segment-", dir=file.parent) as staging, archive.writing(file) as writer:
        entries = Path(staging) / ENTRIES
        with database.read() as connection, gzip.open(entries, "wb", compresslevel=6) as out:
            last_row: tuple[Any, ...] = ()
            before = b""
            for rows in scan(connection, verification.statement(first - 1, board.seq), verification.PAGE):
                for row in rows:
                    before = before or row[14]
                    out.write(_line(row))
                    last_row = row
            epoch = journal.head_on(connection).epoch
        writer.file(ENTRIES, entries)
        writer.content(BOARD, snapshot.encode(board))
        public = keys.public_key().public_bytes_raw().hex()
        manifest = Manifest(
            archive.FORMAT, KIND, now, public, board.seq, last_row[15].hex(), epoch, first=first, before=before.hex()
        )
        return writer.close(manifest, keys.signature)


def _leave(transaction: Transaction, left: Segment, board: Board, key: bytes) -> None:
    """The entry, the row and the snapshot, in one transaction."""
    connection, table = transaction.connection, tables.snapshot
    connection.execute(sa.delete(tables.segment).where(tables.segment.c.last == left.last))
    values = msgspec.structs.asdict(left) | {"hash": bytes.fromhex(left.hash)}
    connection.execute(sa.insert(tables.segment).values(values))
    connection.execute(sa.delete(table).where(table.c.seq == left.last))
    snapshot.insert(connection, board, key)
    draft = Draft(
        at=left.at,
        actor=SYSTEM.actor,
        action="segment.exported",
        subject_type="segment",
        subject_id=str(left.last),
        body={"first": left.first, "last": left.last, "hash": left.hash, "file": left.file, "sha256": left.sha256},
    )
    journal.append(transaction, [draft])


def _delete(database: Database, end: int) -> None:
    """Delete what has left, from the oldest on, a few at a time: nobody waits for it."""
    tables_of = (tables.journal_body, tables.journal)
    while True:
        with database.read() as connection:
            oldest = connection.execute(sa.select(sa.func.min(tables.journal.c.seq))).scalar()
        if oldest is None or oldest > end:
            break
        upto = min(oldest + DELETED_AT_ONCE - 1, end)
        with database.write() as transaction:
            for table in tables_of:
                transaction.connection.execute(sa.delete(table).where(table.c.seq <= upto))
    with database.write() as transaction:
        for table in (tables.journal_body, tables.snapshot):
            below = table.c.seq <= end if table is tables.journal_body else table.c.seq < end
            transaction.connection.execute(sa.delete(table).where(below))


def _rebuild(database: Database, folder: Path) -> None:
    """Fold every segment from the first on; for a new version of the fold, or where the snapshot was spoilt."""
    board = Board()
    with database.read() as connection:
        found = listed(connection)
    for segment in found:
        file = folder / segment.file
        if not file.exists() or _sha256(file) != segment.sha256:
            raise SegmentMissing(file=file)
        with _opened(file) as (_, staging):
            for row in _rows(file, staging / ENTRIES):
                apply(board, journal.from_values(row))
    with database.write() as transaction:
        table = tables.snapshot
        transaction.connection.execute(sa.delete(table).where(table.c.seq == board.seq))
        snapshot.insert(transaction.connection, board, database.snapshot_key)


@contextmanager
def _opened(file: Path) -> Iterator[tuple[Manifest, Path]]:
    """A segment unpacked beside itself, its signature and digests checked."""
    if not file.exists():
        raise SegmentMissing(file=file)
    with TemporaryDirectory(prefix=".segment-", dir=file.parent) as staging:
        manifest = archive.unpack(file, Path(staging))
        if manifest.kind != KIND or {*manifest.files} != {ENTRIES, BOARD}:
            raise ArchiveDamaged(file=file.name, detail=manifest.kind)
        yield manifest, Path(staging)


def _line(row: tuple[Any, ...]) -> bytes:
    told = dict(zip([*COLUMNS, "body", "salt", "sealed"], row, strict=True))
    told |= {name: told[name].hex() for name in (*BINARY, "salt", "sealed") if told[name] is not None}
    told["body"] = None if told["body"] is None else bytes(told["body"]).decode()
    return _LINE.encode(told) + b"\n"


def _rows(file: Path, entries: Path) -> Iterator[tuple[Any, ...]]:
    """The entries of a segment as rows of the tables."""
    try:
        with gzip.open(entries, "rb") as lines:
            while line := lines.readline(LINE_MOST):
                told = msgspec.json.decode(line)
                body = None if told["body"] is None else told["body"].encode()
                binary = {name: bytes.fromhex(told[name]) for name in BINARY}
                kept = [None if told[name] is None else bytes.fromhex(told[name]) for name in ("salt", "sealed")]
                yield (*(binary.get(name, told[name]) for name in COLUMNS), body, *kept)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ArchiveDamaged(file=file.name, detail=str(error)) from error


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
