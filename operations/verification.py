"""Checking the journal: every changed, removed, inserted or reordered entry is found and located."""

from collections.abc import Iterable, Sequence
from typing import Any

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

Row = tuple[Any, ...]
"""The columns of `journal` (0 seq, 1–12 header, 13 body_digest, 14 prev_hash, 15 hash), then body, salt and sealed."""


class Fault(Struct, frozen=True):
    """What is wrong at `seq`: changed, body_changed, body_missing, missing, reordered, link, head, cut, rewritten, or

    unsigned.
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


class _Check:
    """The state of one pass over the journal."""

    def __init__(self, connection: Connection, destroyed: dict[int, str]) -> None:
        self.connection = connection
        self.destroyed = destroyed
        self.faults: list[Fault] = []
        self.notes: list[Fault] = []
        self.seq, self.hash, self.count, self.at = 0, chain.GENESIS, 0, 0
        self.intact = True  # the entry before; what follows a bad one need not be told again

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
            self._no_body(seq)
        elif not _body_fits(row):
            self.fault(seq, "body_changed", f"the body of entry {seq} was changed after it was written")
        self.hash, self.intact = row[15] if isinstance(row[15], bytes) else b"", intact

    def _bad_hash(self, seq: int, row: Row) -> None:
        for place in range(max(1, seq - NEIGHBOURS), seq + NEIGHBOURS):
            if place != seq and _fits(place, row):
                self.fault(seq, "reordered", f"entry {seq} was written as entry {place}")
                return
        self.fault(seq, "changed", f"entry {seq} was changed after it was written")

    def _no_body(self, seq: int) -> None:
        if seq in self.destroyed:
            self.notes.append(Fault(seq, "destroyed", f"destroyed under rule {self.destroyed[seq]}"))
        else:
            self.fault(seq, "body_missing", f"the body of entry {seq} is missing and no rule says so")


def verify(database: Database, signed_heads: Iterable[SignedHead] = (), *, now: int | None = None) -> Verification:
    """Walk the whole journal and hold it against the signed heads (already checked for their signatures).

    With `now` it must also be covered by them: without heads a cut tail could not be seen.
    """
    with database.read() as connection:
        check = _Check(connection, _destroyed(connection))
        waiting = sorted(signed_heads, key=lambda signed: signed.seq)
        epochs = _epochs(connection)
        position = 0
        for rows in scan(connection, _WHOLE, PAGE):
            for row in rows:
                check.entry(row)
                while position < len(waiting) and waiting[position].seq <= check.seq:
                    _against(check, waiting[position], epochs)
                    position += 1
        for signed in waiting[position:]:
            _cut(check, signed, epochs)
        _head(check)
        if now is not None:
            _covered(check, waiting, now)
    return Verification(not check.faults, check.count, check.faults, check.notes)


_COLUMNS = ", ".join(f"journal.{column.name}" for column in tables.journal.columns)
_WHOLE = (
    f"SELECT {_COLUMNS}, journal_body.body, journal_body.salt, journal_body.sealed"
    " FROM journal LEFT JOIN journal_body ON journal_body.seq = journal.seq ORDER BY journal.seq"
)


def _destroyed(connection: Connection) -> dict[int, str]:
    """{seq: rule} for bodies whose destruction is itself an entry."""
    query = sa.select(tables.journal.c.seq).where(tables.journal.c.action == "body.destroyed")
    found: dict[int, str] = {}
    for seq in connection.execute(query).scalars().all():
        try:
            entries = journal.read_on(connection, seq - 1, 1)
        except (TypeError, ValueError):  # spoilt itself, which the walk tells
            continue
        for entry in entries:
            body = entry.body or {}
            rule = str(body.get("rule", ""))
            found |= dict.fromkeys(range(body.get("first", 0), body.get("last", -1) + 1), rule)
    return found


def _epochs(connection: Connection) -> dict[int, int]:
    """{epoch: seq of the entry that began it}."""
    query = sa.select(tables.journal.c.seq, tables.journal.c.revision)
    rows = connection.execute(query.where(tables.journal.c.action == "epoch.started")).all()
    return {row.revision: row.seq for row in rows}


def _left_behind(signed: SignedHead, epochs: dict[int, int]) -> bool:
    """Say whether a restore took this head's entries out of the history: a later epoch began before it."""
    return any(epoch > signed.epoch and seq <= signed.seq for epoch, seq in epochs.items())


def _against(check: _Check, signed: SignedHead, epochs: dict[int, int]) -> None:
    if _left_behind(signed, epochs):
        check.notes.append(Fault(signed.seq, "epoch", f"head of epoch {signed.epoch} left behind by a restore"))
    elif signed.seq == check.seq and signed.hash != check.hash.hex():
        check.fault(signed.seq, "rewritten", f"entry {signed.seq} is not the one that was signed at {signed.at}")


def _cut(check: _Check, signed: SignedHead, epochs: dict[int, int]) -> None:
    if _left_behind(signed, epochs):
        check.notes.append(Fault(signed.seq, "epoch", f"head of epoch {signed.epoch} left behind by a restore"))
    else:
        check.fault(
            check.seq + 1, "cut", f"the journal ends at {check.seq}, but {signed.seq} was signed at {signed.at}"
        )


_HEAD = sa.text("SELECT seq, hash FROM journal_head")


def _head(check: _Check) -> None:
    rows = check.connection.execute(_HEAD).all()
    if not rows:
        check.fault(check.seq, "head", "the journal's head is missing")
    elif len(rows) > 1 or (rows[0].seq, rows[0].hash) != (check.seq, check.hash):
        text = f"the head says {rows[0].seq}, the journal ends at {check.seq} or with another hash"
        check.fault(check.seq, "head", text)


def _covered(check: _Check, signed: Sequence[SignedHead], now: int) -> None:
    """A head is signed each minute that brings entries; one that lags behind them was taken away, or never made."""
    newest = max((head.at for head in signed), default=None)
    if check.seq and (now if newest is None else check.at) - (check.at if newest is None else newest) > UNSIGNED_MOST:
        check.fault(check.seq, "unsigned", f"no signed head covers entry {check.seq}")


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
