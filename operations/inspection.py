"""A whole inspection of the journal 日志核验: chain, signed heads, what is kept beside it, the clock's state."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from operations import clock_state, comparison, heads, journal, verification
from operations.clock_state import State
from operations.comparison import Difference
from operations.database import DAMAGE, Database
from operations.entry import Head
from operations.heads import Heads, SignedHead
from operations.seal import KeyStore
from operations.verification import Fault, Progress

DETAIL_MOST = 200
JOURNAL, KEPT = "journal", "kept"


class Unreadable(Struct, frozen=True):
    """What could not even be read: the journal, or what is kept beside it; `detail` as the database tells it."""

    what: str
    detail: str


class Inspection(Struct, frozen=True):
    """What was found. `bad_lines`: of the file of heads, not signed by us; `newest`: the last head that is ours.

    `differences`: tables that do not follow from the journal; they are compared only while the chain is whole.
    """

    at: int
    ok: bool
    count: int = 0
    head: Head | None = None
    newest: SignedHead | None = None
    signed: int = 0
    bad_lines: list[int] = []
    faults: list[Fault] = []
    notes: list[Fault] = []
    compared: bool = False
    differences: list[Difference] = []
    clock: State | None = None
    unreadable: Unreadable | None = None

    @property
    def first(self) -> Fault | None:
        """The first broken entry."""
        return min(self.faults, key=lambda fault: fault.seq, default=None)


class Told(NamedTuple):
    """Who hears what is under way (JOURNAL, KEPT), and how many entries of how many are checked."""

    stage: Callable[[str], None] = lambda _stage: None
    progress: Progress | None = None


def inspect(
    database: Database,
    keys: KeyStore,
    file: Path,
    *,
    now: int,
    copy: Path | None = None,
    told: Told = Told(),  # noqa: B008 frozen
    processes: int | None = None,
) -> Inspection:
    """Inspect everything; `file` holds the signed heads, `copy` those that left this machine; `told` hears how it goes.

    `processes` as `verification.verify`. What is spoilt or cannot be asked is a finding, never an error.
    """
    told.stage(JOURNAL)
    signed = _heads(file, copy, keys)
    database.snapshot_key = keys.snapshot_key()
    newest = max(signed.signed, key=lambda one: (one.epoch, one.seq), default=None)
    try:
        found = verification.verify(database, signed.signed, now=now, processes=processes, progress=told.progress)
        state = clock_state.latest(database)
        head = _head(database)
    except DAMAGE as error:
        return Inspection(now, False, bad_lines=signed.bad_lines, unreadable=_unreadable(JOURNAL, error))
    kept: list[Difference] = []
    unreadable: Unreadable | None = None
    compared = found.ok and not signed.bad_lines
    if compared:
        told.stage(KEPT)
        try:
            kept = comparison.compare(database)
        except DAMAGE as error:
            unreadable = _unreadable(KEPT, error)
    return Inspection(
        now,
        compared and not kept and unreadable is None,
        count=found.count,
        head=head,
        newest=newest,
        signed=len(signed.signed),
        bad_lines=signed.bad_lines,
        faults=found.faults,
        notes=found.notes,
        compared=compared and unreadable is None,
        differences=kept,
        clock=state,
        unreadable=unreadable,
    )


def _heads(file: Path, copy: Path | None, keys: KeyStore) -> Heads:
    """The heads of both; a copy outlives keys and reaches back further, so its other lines are no fault."""
    signed = heads.load(file, keys.public_key())
    if copy is None:
        return signed
    try:
        more = heads.load(copy, keys.public_key()).signed
    except OSError:  # it may only be written to, or lies on a disk that is away
        return signed
    return Heads([*{one.signature: one for one in (*signed.signed, *more)}.values()], signed.bad_lines)


def _head(database: Database) -> Head | None:
    try:
        return journal.head(database)
    except (*DAMAGE, AttributeError):  # spoilt, which the walk has told
        return None


def _unreadable(what: str, error: Exception) -> Unreadable:
    return Unreadable(what, " ".join(str(error).split())[:DETAIL_MOST])
