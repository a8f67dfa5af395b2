"""Snapshots of the board, so that starting and going back in time fold only what came after the nearest one."""

import zlib
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import journal
from operations.board import Acknowledgement, Board, SourceState, apply, recount
from operations.buckets import Buckets, Cell, Kind
from operations.database import Database
from operations.incident import Incident
from operations.tables import snapshot as table

FOLD_VERSION = 1  # raise it whenever `board.apply` changes; older snapshots are then ignored and folded anew
EVERY = 10_000  # entries
PAGE = 2_000  # entries read at once: few enough that the garbage collector has little to walk
NEWEST_KEPT = 3
SPREAD = 500_000  # of older ones, one in so many entries stays

_Cell = tuple[int, int, int, int]  # chain, kind, slot, count: chain and kind by their place in the tables


class Image(Struct, frozen=True):
    """A board as it is stored; open counts are not in it, they follow from the incidents."""

    seq: int
    at: int
    epoch: int
    chains: list[tuple[str, ...]]
    kinds: list[Kind]
    incidents: list[Incident]
    closed: list[str]
    sources: dict[str, SourceState]
    open_quarantine: int
    walls: dict[str, int]
    received_minutes: list[_Cell]
    received_hours: list[_Cell]
    closed_minutes: list[_Cell]
    acknowledged: list[Acknowledgement]


def save(database: Database, board: Board) -> None:
    """Store a snapshot of the whole board; old ones thin out."""
    body = encode(board)
    with database.write() as transaction:
        connection = transaction.connection
        connection.execute(sa.delete(table).where(table.c.seq == board.seq))
        values = {"seq": board.seq, "fold_version": FOLD_VERSION, "at": board.at, "body": body}
        connection.execute(sa.insert(table).values(values))
        _thin(connection)


def load(database: Database) -> Board:
    """Return the whole board at the journal's end: the newest snapshot and the entries after it."""
    return load_at(database, None)


def load_at(database: Database, seq: int | None) -> Board:
    """Return the whole board as it was after `seq` (None: at the end)."""
    with database.read() as connection:
        board = _nearest(connection, seq)
        while seq is None or board.seq < seq:
            limit = PAGE if seq is None else min(PAGE, seq - board.seq)
            entries = journal.read_on(connection, board.seq, limit)
            if not entries:
                break
            for entry in entries:
                apply(board, entry)
    return board


def due(database: Database, seq: int) -> bool:
    """Say whether the newest snapshot lies `EVERY` entries or more behind `seq`."""
    with database.read() as connection:
        query = sa.select(sa.func.max(table.c.seq)).where(table.c.fold_version == FOLD_VERSION)
        return seq - (connection.execute(query).scalar() or 0) >= EVERY


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
        epoch=board.epoch,
        chains=list(chains),
        kinds=list(kinds),
        incidents=list(board.incidents.values()),
        closed=list(board.closed),
        sources=board.sources,
        open_quarantine=board.open_quarantine,
        walls=board.walls,
        received_minutes=received_minutes,
        received_hours=received_hours,
        closed_minutes=closed_minutes,
        acknowledged=board.acknowledged,
    )
    return zlib.compress(msgspec.msgpack.encode(image), 1)


def decode(body: bytes) -> Board:
    """Return the board of a snapshot's bytes."""
    image: Image = msgspec.msgpack.decode(zlib.decompress(body), type=Image)
    board = Board(seq=image.seq, at=image.at, epoch=image.epoch)
    for incident in image.incidents:  # one object per chain, as when folding
        structs.force_setattr(incident, "chain", board.chains.setdefault(incident.chain, incident.chain))
        board.incidents[incident.id] = incident
    board.closed = dict.fromkeys(image.closed)
    board.sources = image.sources
    board.open_quarantine, board.walls = image.open_quarantine, image.walls
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


def _nearest(connection: Connection, seq: int | None) -> Board:
    query = sa.select(table.c.body).where(table.c.fold_version == FOLD_VERSION)
    if seq is not None:
        query = query.where(table.c.seq <= seq)
    body: Any = connection.execute(query.order_by(table.c.seq.desc()).limit(1)).scalar()
    return Board() if body is None else decode(body)


def _thin(connection: Connection) -> None:
    """Keep the newest few and, of the older, the first in every stretch of `SPREAD` entries."""
    seqs = list(connection.execute(sa.select(table.c.seq).order_by(table.c.seq.desc())).scalars())
    first_of: dict[int, int] = {}
    for seq in seqs:
        first_of[seq // SPREAD] = seq
    kept = {*seqs[:NEWEST_KEPT], *first_of.values()}
    connection.execute(sa.delete(table).where(table.c.seq.not_in(kept)))
