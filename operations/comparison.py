"""Holding what was kept against what it follows from: snapshots, incidents and counters against the journal."""

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import snapshot, tables
from operations.board import Board
from operations.database import Database
from operations.incident import Incident

FOLD_MOST = 300_000  # entries folded anew before the newest snapshot; a longer journal begins at an older snapshot
_ENDED = ("journaled", "stale", "conflict", "quarantined")
_incident = msgspec.json.Decoder(Incident)


class Difference(Struct, frozen=True):
    """`kind`: snapshot_bad or snapshot_differs (`place`: its seq), incidents (`place`: how many; `example`: one of

    them), outcomes (`place`: the partition).
    """

    kind: str
    place: int
    example: str = ""


def compare(database: Database) -> list[Difference]:
    """Fold the journal and return where something kept says otherwise. The journal itself must be whole."""
    with database.read() as connection:
        board, found = _refolded(connection, database.snapshot_key)
        snapshot.fold(connection, board, None)
        return [*found, *_incidents(connection, board), *_outcomes(connection)]


def _refolded(connection: Connection, key: bytes) -> tuple[Board, list[Difference]]:
    """The board as the newest snapshot should hold it, and whether it does."""
    seq = snapshot.newest(connection)
    if not seq:
        return Board(), []
    kept = snapshot.stored(connection, key, seq)
    found = [] if kept is not None else [Difference("snapshot_bad", seq)]
    if _bodies_destroyed(connection):  # by rule; what they did is in the snapshots alone
        return kept or snapshot.nearest(connection, key, seq), found
    board = snapshot.nearest(connection, key, max(seq - FOLD_MOST, snapshot.begins_after(connection)))
    snapshot.fold(connection, board, seq)
    if kept is not None and kept != board:
        found.append(Difference("snapshot_differs", seq))
    return board, found


def _bodies_destroyed(connection: Connection) -> bool:
    query = sa.select(tables.journal.c.seq).where(tables.journal.c.action == "body.destroyed").limit(1)
    return connection.execute(query).first() is not None


def _incidents(connection: Connection, board: Board) -> list[Difference]:
    """The open incidents of the board and those of the table must be the same, in every field."""
    table = tables.incident
    rows = connection.execute(sa.select(table.c.id, table.c.body).where(table.c.step != "closed"))
    left = {key: incident for key, incident in board.incidents.items() if incident.is_open}
    wrong: list[str] = []
    for incident_id, body in rows:
        if left.pop(incident_id, None) != _read(body):
            wrong.append(incident_id)
    wrong += left
    return [Difference("incidents", len(wrong), wrong[0])] if wrong else []


def _read(body: bytes) -> Incident | bytes:
    """The incident of a row; what cannot be read equals none."""
    try:
        return _incident.decode(body)
    except msgspec.MsgspecError:
        return body


def _outcomes(connection: Connection) -> list[Difference]:
    """Every key that was decided has one row, so the rows of a partition number what its counters say."""
    outcome, partition = tables.outcome.c.partition, tables.partition.c
    count = sa.select(outcome, sa.func.count()).group_by(outcome)
    counted = {row[0]: row[1] for row in connection.execute(count)}
    total = sum((partition[name] for name in _ENDED), sa.literal(0))
    said = {row[0]: row[1] for row in connection.execute(sa.select(partition.partition, total))}
    wrong = sorted(number for number in counted.keys() | said.keys() if counted.get(number, 0) != said.get(number, 0))
    return [Difference("outcomes", number) for number in wrong]
