"""Snapshots of the board, so that starting and going back in time fold only what came after the nearest one.

A snapshot saves time and is never believed: its bytes begin with a digest keyed by `Database.snapshot_key`, which lies
outside the database. One whose digest does not fit, or that cannot be read, is told in the log and passed over for an
older one, in the end for the whole journal.
"""

import hmac
import logging
import zlib
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import journal
from operations.board import Acknowledgement, Board, SourceState, apply, recount
from operations.buckets import Buckets, Cell, Kind
from operations.cameras.fallen import Fallen
from operations.cameras.sampled import Sampled
from operations.database import Database
from operations.driven import Driven
from operations.errors import HistoryLeft
from operations.grants.asked import Asked, Decided
from operations.grants.held import Granted
from operations.incident import Incident
from operations.orders.order import Order
from operations.pictured import Pictured
from operations.tables import segment
from operations.tables import snapshot as table
from operations.warning import WarningState

FOLD_VERSION = (
    9  # raise it whenever `board.apply` or the bytes change; older snapshots are then ignored and folded anew
)
EVERY = 10_000  # entries
PAGE = 2_000  # entries read at once: few enough that the garbage collector has little to walk
NEWEST_KEPT = 3
SPREAD = 500_000  # of older ones, one in so many entries stays
DIGEST_BYTES = 32  # HMAC-SHA256

log = logging.getLogger(__name__)

_Cell = tuple[int, int, int, int]  # chain, kind, slot, count: chain and kind by their place in the tables


class Image(Struct, frozen=True):
    """A board as it is stored; open counts are not in it, they follow from the incidents."""

    seq: int
    at: int
    floors: tuple[int, int]
    epoch: int
    chains: list[tuple[str, ...]]
    kinds: list[Kind]
    incidents: list[Incident]
    closed: list[str]
    sources: dict[str, SourceState]
    open_quarantine: int
    walls: dict[str, int]
    outlets: dict[str, str]
    outages: dict[str, Fallen]
    sampled: Sampled
    warnings: dict[str, WarningState]
    orders: list[Order]
    ended_orders: list[str]
    driven: dict[str, Driven]
    pictured: dict[str, Pictured]
    asked: dict[str, Asked]
    decided: list[Decided]
    granted: dict[str, Granted]
    received_minutes: list[_Cell]
    received_hours: list[_Cell]
    closed_minutes: list[_Cell]
    acknowledged: list[Acknowledgement]


def save(database: Database, board: Board) -> None:
    """Store a snapshot of the whole board; old ones thin out."""
    with database.write() as transaction:
        connection = transaction.connection
        connection.execute(sa.delete(table).where(table.c.seq == board.seq))
        insert(connection, board, database.snapshot_key)
        _thin(connection)


def insert(connection: Connection, board: Board, key: bytes) -> None:
    """Store a snapshot inside a transaction that is open."""
    body = sealed(encode(board), key)
    values = {"seq": board.seq, "fold_version": FOLD_VERSION, "at": board.at, "body": body}
    connection.execute(sa.insert(table).values(values))


def load(database: Database) -> Board:
    """Return the whole board at the journal's end: the newest snapshot and the entries after it."""
    return load_at(database, None)


def load_at(database: Database, seq: int | None) -> Board:
    """Return the whole board as it was after `seq` (None: at the end)."""
    with database.read() as connection:
        board = nearest(connection, database.snapshot_key, seq)
        fold(connection, board, seq)
    return board


def fold(connection: Connection, board: Board, seq: int | None) -> None:
    """Fold the entries after the board's own up to `seq` (None: to the end) into it."""
    while seq is None or board.seq < seq:
        limit = PAGE if seq is None else min(PAGE, seq - board.seq)
        entries = journal.read_on(connection, board.seq, limit)
        if not entries:
            break
        for entry in entries:
            apply(board, entry)


def due(database: Database, seq: int) -> bool:
    """Say whether the newest snapshot lies `EVERY` entries or more behind `seq`."""
    with database.read() as connection:
        return seq - newest(connection) >= EVERY


def encode(board: Board) -> bytes:
    """Return the board as bytes."""
    chains: dict[tuple[str, ...], int] = {}
    kinds: dict[Kind, int] = {}

    def cells(buckets: Buckets) -> list[_Cell]:
        return [
            (
                chains.setdefault(cell.chain, len(chains)),
                kinds.setdefault(cell.kind, len(kinds)),
                cell.slot,
                cell.number,
            )
            for cell in buckets.cells()
        ]

    received_minutes, received_hours = cells(board.received_minutes), cells(board.received_hours)
    closed_minutes = cells(board.closed_minutes)
    image = Image(
        seq=board.seq,
        at=board.at,
        floors=board.floors,
        epoch=board.epoch,
        chains=list(chains),
        kinds=list(kinds),
        incidents=list(board.incidents.values()),
        closed=list(board.closed),
        sources=board.sources,
        open_quarantine=board.open_quarantine,
        walls=board.walls,
        outlets=board.outlets,
        outages=board.outages,
        sampled=board.sampled,
        warnings=board.warnings,
        orders=list(board.orders.values()),
        ended_orders=list(board.ended_orders),
        driven=board.driven,
        pictured=board.pictured,
        asked=board.asked,
        decided=board.decided,
        granted=board.granted,
        received_minutes=received_minutes,
        received_hours=received_hours,
        closed_minutes=closed_minutes,
        acknowledged=board.acknowledged,
    )
    return zlib.compress(msgspec.msgpack.encode(image), 1)


def decode(body: bytes) -> Board:
    """Return the board of a snapshot's bytes."""
    image: Image = msgspec.msgpack.decode(zlib.decompress(body), type=Image)
    board = Board(seq=image.seq, at=image.at, floors=image.floors, epoch=image.epoch)
    for incident in image.incidents:  # one object per chain, as when folding
        structs.force_setattr(incident, "chain", board.chains.setdefault(incident.chain, incident.chain))
        board.incidents[incident.id] = incident
    board.closed = dict.fromkeys(image.closed)
    board.sources = image.sources
    board.outlets, board.outages, board.sampled = image.outlets, image.outages, image.sampled
    board.open_quarantine, board.walls, board.warnings = image.open_quarantine, image.walls, image.warnings
    board.orders = {one.id: one for one in image.orders}
    board.ended_orders = dict.fromkeys(image.ended_orders)
    board.driven, board.pictured = image.driven, image.pictured
    board.asked, board.decided, board.granted = image.asked, image.decided, image.granted
    board.acknowledged = image.acknowledged
    board.received_minutes = _buckets(image, image.received_minutes)
    board.received_hours = _buckets(image, image.received_hours)
    board.closed_minutes = _buckets(image, image.closed_minutes)
    recount(board)
    return board


def _buckets(image: Image, cells: list[_Cell]) -> Buckets:
    buckets = Buckets()
    for chain, kind, slot, number in cells:
        buckets.add(*Cell(image.chains[chain], image.kinds[kind], slot, number))
    return buckets


def nearest(connection: Connection, key: bytes, seq: int | None) -> Board:
    """Return the board of the newest good snapshot at or before `seq` (None: of all); an empty one if there is none.

    Raises HistoryLeft when the entries it would be folded from are in a segment.
    """
    query = sa.select(table.c.seq).where(table.c.fold_version == FOLD_VERSION)
    if seq is not None:
        query = query.where(table.c.seq <= seq)
    for found in connection.execute(query.order_by(table.c.seq.desc())).scalars().all():
        board = stored(connection, key, found)
        if board is not None:
            return board
        log.warning("the snapshot of entry %d is damaged or not ours; it is passed over", found)
    begin = begins_after(connection)
    if begin:
        raise HistoryLeft(seq=begin)
    return Board()


def begins_after(connection: Connection) -> int:
    """Return the last entry that left the journal in a segment; 0 when it is whole."""
    return connection.execute(sa.select(sa.func.max(segment.c.last))).scalar() or 0


def started(connection: Connection, key: bytes, begin: int) -> bool:
    """Say whether the board can be had from a snapshot at or after entry `begin`, where the journal begins."""
    query = sa.select(table.c.seq).where(table.c.seq >= begin).order_by(table.c.seq)
    return any(stored(connection, key, seq) is not None for seq in connection.execute(query).scalars().all())


def stored(connection: Connection, key: bytes, seq: int) -> Board | None:
    """Return the board of the snapshot of entry `seq`; None when it cannot be trusted or read."""
    query = sa.select(table.c.body).where(table.c.seq == seq, table.c.fold_version == FOLD_VERSION)
    try:
        body: Any = connection.execute(query).scalar_one()
        if not hmac.compare_digest(sealed(body[DIGEST_BYTES:], key), body):
            return None
        board = decode(body[DIGEST_BYTES:])
    except (zlib.error, msgspec.MsgspecError, LookupError, ValueError, TypeError, sa.exc.NoResultFound):
        return None
    return board if board.seq == seq else None


def newest(connection: Connection) -> int:
    """Return the seq of the newest snapshot, good or not; 0 when there is none."""
    query = sa.select(sa.func.max(table.c.seq)).where(table.c.fold_version == FOLD_VERSION)
    return connection.execute(query).scalar() or 0


def sealed(body: bytes, key: bytes) -> bytes:
    """Return a snapshot's bytes behind their keyed digest."""
    return hmac.digest(key, body, "sha256") + body


def seal_again(connection: Connection, key: bytes) -> None:
    """Put every snapshot behind a new key; for a restore without the old ones, which has checked the archive."""
    for seq, body in connection.execute(sa.select(table.c.seq, table.c.body)).all():
        fresh = sealed(body[DIGEST_BYTES:], key)
        connection.execute(sa.update(table).where(table.c.seq == seq).values(body=fresh))


def _thin(connection: Connection) -> None:
    """Keep the newest few and, of the older, the first in every stretch of `SPREAD` entries."""
    seqs = list(connection.execute(sa.select(table.c.seq).order_by(table.c.seq.desc())).scalars())
    first_of: dict[int, int] = {}
    for seq in seqs:
        first_of[seq // SPREAD] = seq
    kept = {*seqs[:NEWEST_KEPT], *first_of.values()}
    connection.execute(sa.delete(table).where(table.c.seq.not_in(kept)))
