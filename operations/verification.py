"""Checking the journal: every changed, removed, inserted or reordered entry is found and located."""

import math
import multiprocessing
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import chain, journal, tables
from operations.database import Database, scan
from operations.heads import SignedHead

PAGE = 300
FAULTS_SHOWN = 1_000
UNSIGNED_MOST = 180_000_000  # microseconds the newest signed head may lag behind the newest entry
NEIGHBOURS = 500  # how far around a misplaced entry's own place is looked for
STRETCH = 25_000  # entries one process checks at a time
STRETCHES_MOST = 10_000
ALONE_MOST = 200_000  # up to so many one process is as quick as several, which must start first
PROCESSES_MOST = 8

Progress = Callable[[int, int], None]
"""Told (entries checked, entries in all) now and then."""

Row = tuple[Any, ...]
"""The columns of `journal` (0 seq, 1–12 header, 13 body_digest, 14 prev_hash, 15 hash), then body, salt and sealed."""


class Fault(Struct, frozen=True):
    """What is wrong at `seq`: changed, body_changed, body_missing, missing, reordered, link, head, cut, rewritten,

    unsigned or segment.
    """

    seq: int
    kind: str
    text: str


class Verification(Struct, frozen=True):
    """What a check found; `notes` tell of things that are as they should be but worth knowing (destroyed, epochs)."""

    ok: bool
    count: int
    faults: list[Fault]
    notes: list[Fault]


class Found(Struct):
    """What the check of a stretch found; `bodiless`: entries without a body, which a rule may account for."""

    faults: list[Fault]
    notes: list[Fault]
    bodiless: list[int]
    count: int = 0
    seq: int = 0
    hash: bytes = chain.GENESIS
    at: int = 0


class Base(NamedTuple):
    """Where the journal begins: after the last segment that left it, or at the very first entry."""

    seq: int
    hash: bytes


class Check:
    """The state of one pass over a stretch of the journal, which begins after an entry with a known hash."""

    def __init__(self, seq: int, hash: bytes, intact: bool = True) -> None:
        self.faults: list[Fault] = []
        self.notes: list[Fault] = []
        self.bodiless: list[int] = []
        self.seq, self.hash, self.count, self.at = seq, hash, 0, 0
        self.intact = intact  # the entry before; what follows a bad one need not be told again

    def found(self) -> Found:
        """Return what this pass found, and where it ended."""
        return Found(self.faults, self.notes, self.bodiless, self.count, self.seq, self.hash, self.at)

    def fault(self, seq: int, kind: str, text: str) -> None:
        """Record a fault; past the bound only the first ones are kept."""
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(Fault(seq, kind, text))

    def entry(self, row: Row) -> None:
        """Check one entry against the one before it; one that is in order costs little more than its two digests."""
        seq = row[0]
        if seq == self.seq + 1 and row[14] == self.hash and _fits(seq, row) and _body_fits(row):
            self.hash, self.intact = row[15], True
        else:
            self._diagnose(seq, row)
        self.seq = seq
        self.count += 1
        if type(row[1]) is int:
            self.at = row[1]

    def _diagnose(self, seq: int, row: Row) -> None:
        """Say what is wrong with an entry, or that its body was destroyed by rule."""
        if seq != self.seq + 1:
            self.fault(self.seq + 1, "missing", f"entries {self.seq + 1} to {seq - 1} are missing")
        intact = _fits(seq, row)
        if not intact:
            self._bad_hash(seq, row)
        elif seq == self.seq + 1 and row[14] != self.hash and self.intact:
            self.fault(
                seq, "link", f"entry {seq} does not follow entry {self.seq}: one of them was changed or inserted"
            )
        if row[16] is None:
            self.bodiless.append(seq)
        elif not _body_fits(row):
            self.fault(seq, "body_changed", f"the body of entry {seq} was changed after it was written")
        self.hash, self.intact = row[15] if isinstance(row[15], bytes) else b"", intact

    def _bad_hash(self, seq: int, row: Row) -> None:
        for place in range(max(1, seq - NEIGHBOURS), seq + NEIGHBOURS):
            if place != seq and _fits(place, row):
                self.fault(seq, "reordered", f"entry {seq} was written as entry {place}")
                return
        self.fault(seq, "changed", f"entry {seq} was changed after it was written")


def verify(
    database: Database,
    signed_heads: Iterable[SignedHead] = (),
    *,
    now: int | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Walk the whole journal and hold it against the signed heads (already checked for their signatures).

    With `now` it must also be covered by them: without heads a cut tail could not be seen. A long journal is checked by
    several `processes` (as many as there are cores, at most 8), each a stretch at a time.
    """
    waiting = sorted(signed_heads, key=lambda signed: signed.seq)
    with database.read() as connection:
        base, epochs, total = _base(connection), _epochs(connection), _last(connection)
    told = _Told(progress, max(total - base.seq, 0))
    cores = min(os.cpu_count() or 1, PROCESSES_MOST) if processes is None else processes
    bounds = _bounds(base.seq, total) if cores > 1 and (processes or total - base.seq > ALONE_MOST) else []
    parts = _in_parallel(database.url, base, bounds, waiting, epochs, cores, told) if bounds else []
    with database.read() as connection:  # after the others, so that it knows of every body destroyed meanwhile
        start = bounds[-1] if bounds else None
        check = _begun(connection, base, start)
        _walk(connection, check, (start, None), _between(waiting, start, None), epochs, told, last=True)
        parts.append(check.found())
        whole = _joined(parts, _destroyed(connection))
        _proven(connection, whole, base)
        _head(connection, whole)
        if now is not None:
            _covered(connection, whole, waiting, now)
    return Verification(not whole.faults, whole.count, whole.faults, whole.notes)


class _Told:
    """Counts entries checked and says so."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def more(self, count: int) -> None:
        """Count entries."""
        self._done += count
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)


def _bounds(first: int, last: int) -> list[int]:
    """The last entries of the stretches for others; what is after them is checked where everything is joined."""
    stretches = min(math.ceil((last - first) / STRETCH), STRETCHES_MOST) if last > first else 0
    size = math.ceil((last - first) / stretches) if stretches else 0
    return [first + size * number for number in range(1, stretches)]


def _in_parallel(
    url: str,
    base: Base,
    bounds: list[int],
    heads: list[SignedHead],
    epochs: dict[int, int],
    processes: int,
    told: _Told,
) -> list[Found]:
    """What other processes found, in order. They begin anew: a copy of a process with threads would not be safe."""
    starts = [None, *bounds[:-1]]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        asked = {
            pool.submit(check_stretch, url, base, start, end, _between(heads, start, end), epochs): number
            for number, (start, end) in enumerate(zip(starts, bounds, strict=True))
        }
        found: dict[int, Found] = {}
        for done in as_completed(asked):
            found[asked[done]] = done.result()
            told.more(found[asked[done]].count)
    return [found[number] for number in range(len(bounds))]


def check_stretch(
    url: str, base: Base, start: int | None, end: int, heads: list[SignedHead], epochs: dict[int, int]
) -> Found:
    """Check the entries after `start` (None: from the first) up to `end`; runs in a process of its own."""
    with closing(Database(url)) as database, database.read() as connection:
        check = _begun(connection, base, start)
        _walk(connection, check, (start, end), heads, epochs, _Told(None, 0), last=False)
        return check.found()


def _between(heads: list[SignedHead], start: int | None, end: int | None) -> list[SignedHead]:
    """The heads of a stretch."""
    seqs = [head.seq for head in heads]
    return heads[
        0 if start is None else bisect_right(seqs, start) : len(heads) if end is None else bisect_right(seqs, end)
    ]


def _begun(connection: Connection, base: Base, start: int | None) -> Check:
    """The state after the entry `start`, from that entry alone; None: before the first."""
    if start is None:
        first = connection.exec_driver_sql(f"{_ROWS} ORDER BY journal.seq LIMIT 1").first() if base.seq else None
        if first is not None and first[0] <= base.seq:  # what has left is not all deleted yet
            return Check(first[0] - 1, first[14])
        return Check(*base)
    row = connection.exec_driver_sql(f"{_ROWS} WHERE journal.seq <= {start} ORDER BY journal.seq DESC LIMIT 1").first()
    if row is None:
        return Check(*base)
    return Check(row[0], row[15] if isinstance(row[15], bytes) else b"", _fits(row[0], tuple(row)))


def _walk(
    connection: Connection,
    check: Check,
    bounds: tuple[int | None, int | None],
    heads: list[SignedHead],
    epochs: dict[int, int],
    told: _Told,
    *,
    last: bool,
) -> None:
    """Check the entries between two seqs, and the signed heads among them; after the `last` ones a head is cut off."""
    position = 0
    for rows in scan(connection, statement(*bounds), PAGE):
        for row in rows:
            check.entry(row)
            while position < len(heads) and heads[position].seq <= check.seq:
                _against(check, heads[position], epochs)
                position += 1
        told.more(len(rows))
    for signed in heads[position:]:
        (_cut if last else _against)(check, signed, epochs)


def _joined(parts: list[Found], destroyed: list[tuple[int, int, str]]) -> Found:
    """All stretches as one; an entry without a body is a fault unless a rule says so."""
    whole = Found([], [], [], parts[-1].count, parts[-1].seq, parts[-1].hash, parts[-1].at)
    whole.count = sum(part.count for part in parts)
    whole.at = next((part.at for part in reversed(parts) if part.at), 0)
    for part in parts:
        whole.faults += part.faults
        whole.notes += part.notes
        for seq in part.bodiless:
            rule = next((rule for first, last, rule in destroyed if first <= seq <= last), None)
            if rule is not None:
                whole.notes.append(Fault(seq, "destroyed", f"destroyed under rule {rule}"))
            else:
                text = f"the body of entry {seq} is missing and no rule says so"
                whole.faults.append(Fault(seq, "body_missing", text))
    whole.faults.sort(key=lambda fault: fault.seq)
    whole.notes.sort(key=lambda note: note.seq)
    del whole.faults[FAULTS_SHOWN:]
    return whole


_COLUMNS = ", ".join(f"journal.{column.name}" for column in tables.journal.columns)
_ROWS = (
    f"SELECT {_COLUMNS}, journal_body.body, journal_body.salt, journal_body.sealed"
    " FROM journal LEFT JOIN journal_body ON journal_body.seq = journal.seq"
)


def statement(start: int | None, end: int | None) -> str:
    """Return the query for the entries after `start` up to `end` with their bodies, in order."""
    limits = [f"journal.seq > {start}"] if start is not None else []
    limits += [f"journal.seq <= {end}"] if end is not None else []
    where = f" WHERE {' AND '.join(limits)}" if limits else ""
    return f"{_ROWS}{where} ORDER BY journal.seq"


def _base(connection: Connection) -> Base:
    """Where the chain begins: behind the last segment that left."""
    row = connection.execute(sa.select(tables.segment).order_by(tables.segment.c.last.desc()).limit(1)).first()
    return Base(0, chain.GENESIS) if row is None else Base(row.last, row.hash)


def _last(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.max(tables.journal.c.seq))).scalar() or 0


def _proven(connection: Connection, whole: Found, base: Base) -> None:
    """The segment the journal begins behind left by an entry of the journal itself, which the chain covers."""
    if not base.seq:
        return
    columns = tables.journal.c
    left = connection.execute(sa.select(columns.hash).where(columns.seq == base.seq)).scalar()
    query = sa.select(columns.seq).where(columns.action == "segment.exported", columns.subject_id == str(base.seq))
    seqs = connection.execute(query).scalars().all()
    told = [entry for seq in seqs for entry in journal.read_on(connection, seq - 1, 1)]
    proven = any((entry.body or {}).get("hash") == base.hash.hex() for entry in told)
    if not proven or left not in (None, base.hash):
        whole.faults.insert(0, Fault(base.seq, "segment", f"no entry says that a segment up to {base.seq} left"))


def _destroyed(connection: Connection) -> list[tuple[int, int, str]]:
    """(first, last, rule) of bodies whose destruction is itself an entry."""
    query = sa.select(tables.journal.c.seq).where(tables.journal.c.action == "body.destroyed")
    found: list[tuple[int, int, str]] = []
    for seq in connection.execute(query).scalars().all():
        try:
            entries = journal.read_on(connection, seq - 1, 1)
        except (TypeError, ValueError):  # spoilt itself, which the walk tells
            continue
        for entry in entries:
            body = entry.body or {}
            found.append((body.get("first", 0), body.get("last", -1), str(body.get("rule", ""))))
    return found


def _epochs(connection: Connection) -> dict[int, int]:
    """{epoch: seq of the entry that began it}."""
    query = sa.select(tables.journal.c.seq, tables.journal.c.revision)
    rows = connection.execute(query.where(tables.journal.c.action == "epoch.started")).all()
    return {row.revision: row.seq for row in rows}


def _left_behind(signed: SignedHead, epochs: dict[int, int]) -> bool:
    """Say whether a restore took this head's entries out of the history: a later epoch began before it."""
    return any(epoch > signed.epoch and seq <= signed.seq for epoch, seq in epochs.items())


def _against(check: Check, signed: SignedHead, epochs: dict[int, int]) -> None:
    if _left_behind(signed, epochs):
        check.notes.append(Fault(signed.seq, "epoch", f"head of epoch {signed.epoch} left behind by a restore"))
    elif signed.seq == check.seq and signed.hash != check.hash.hex():
        check.fault(signed.seq, "rewritten", f"entry {signed.seq} is not the one that was signed at {signed.at}")


def _cut(check: Check, signed: SignedHead, epochs: dict[int, int]) -> None:
    if _left_behind(signed, epochs):
        check.notes.append(Fault(signed.seq, "epoch", f"head of epoch {signed.epoch} left behind by a restore"))
    else:
        check.fault(
            check.seq + 1, "cut", f"the journal ends at {check.seq}, but {signed.seq} was signed at {signed.at}"
        )


_HEAD = sa.text("SELECT seq, hash FROM journal_head")


def _head(connection: Connection, whole: Found) -> None:
    rows = connection.execute(_HEAD).all()
    if not rows:
        whole.faults.append(Fault(whole.seq, "head", "the journal's head is missing"))
    elif len(rows) > 1 or (rows[0].seq, rows[0].hash) != (whole.seq, whole.hash):
        text = f"the head says {rows[0].seq}, the journal ends at {whole.seq} or with another hash"
        whole.faults.append(Fault(whole.seq, "head", text))


def _covered(connection: Connection, whole: Found, signed: Sequence[SignedHead], now: int) -> None:
    """A head is signed each minute that brings entries; one that lags behind them was taken away, or never made."""
    if not whole.seq:
        return
    newest = max((head.at for head in signed), default=None)
    if newest is None:
        first = connection.execute(sa.select(sa.func.min(tables.journal.c.at))).scalar()
        lag = now - first if isinstance(first, int) else 0
    else:
        lag = whole.at - newest
    if lag > UNSIGNED_MOST:
        whole.faults.append(Fault(whole.seq, "unsigned", f"no signed head covers entry {whole.seq}"))


def _fits(seq: int, row: Row) -> bool:
    """Say whether an entry has the hash it is stored with; values of a wrong kind never do."""
    try:
        return bool(chain.entry_hash(seq, row[1:13], row[13], row[14]) == row[15])
    except (TypeError, AttributeError, ValueError):
        return False


def _body_fits(row: Row) -> bool:
    try:
        return bool(chain.body_digest(row[17], row[16], row[18]) == row[13])
    except (TypeError, AttributeError, ValueError):
        return False
