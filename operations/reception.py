"""Recording what a worker took from its partitions: everything in one transaction, checked by the fencing tokens.

The deciding is done by `decision`; this is the shell around it: find places, make keys and seal; then, while the
database is locked, read what is known, decide, write, append.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from operations import decision, journal, lease, tables
from operations.database import AfterCommit, Database, Transaction, select_in
from operations.decision import Arrival, Decided, Decider, Item, Rules, Said, Standing
from operations.entry import path
from operations.incident import Incident
from operations.numbers import Numbers
from operations.report import Located, Report
from operations.seal import KeyStore, seal
from operations.ticking import next_at
from operations.uuid7 import uuid7

Locate = Callable[[list[Report]], Sequence[Located]]
Packet = tuple[str, Sequence[Item]]

_INCIDENT_COLUMNS = (
    "id, origin, number, county, step, urgency, type, department, grid, path,"
    " opened_at, acknowledged_at, escalated_at, body, report, received_at, next_at"
)
_OPEN = f"INSERT INTO incident ({_INCIDENT_COLUMNS}) VALUES ({', '.join('?' * 17)})"
_UPDATE = (
    "UPDATE incident SET step = ?, urgency = ?, type = ?, department = ?, grid = ?, path = ?,"
    " acknowledged_at = ?, escalated_at = ?, body = ?, report = ?, next_at = ? WHERE id = ?"
)
_OUTCOME = "INSERT INTO outcome (key, outcome, content, seq, partition) VALUES (?, ?, ?, ?, ?)"
_QUARANTINE = (
    "INSERT INTO quarantine (id, source, report_id, revision, reason, field, key, raw_sha256, size, sealed, state, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)"
)


class Recorded(Struct, frozen=True):
    """What became of a batch; duplicates of packets delivered again after a crash are not counted twice."""

    journaled: int
    duplicates: int
    stale: int
    conflicts: int
    quarantined: int
    last_seq: int
    held_seconds: float
    """How long the transaction kept others from writing."""


class Delivery(Struct, frozen=True):
    """What a worker took from one partition, oldest packet first, and the fencing token under which it did."""

    partition: int
    token: int
    packets: Sequence[Packet]


def record(
    database: Database,
    partition: int,
    lease_token: int,
    packets: Sequence[Packet],
    *,
    located: Locate,
    rules: Rules,
    keys: KeyStore,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Recorded:
    """Decide and record one batch of one partition. Raises LeaseLost; then nothing was written."""
    return record_all(
        database,
        [Delivery(partition, lease_token, packets)],
        located=located,
        rules=rules,
        keys=keys,
        now=now,
        after_commit=after_commit,
    )


def record_all(
    database: Database,
    deliveries: Sequence[Delivery],
    *,
    located: Locate,
    rules: Rules,
    keys: KeyStore,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Recorded:
    """The same for several partitions in one transaction. Raises LeaseLost with the name; nothing was written."""
    arrived = _arrivals(database, deliveries, located, keys, now)
    with database.write(after_commit) as transaction:
        lease.check_all(transaction, {lease.partition(one.partition): one.token for one in deliveries})
        new = _new(transaction, deliveries)
        decided, ends = _decide(transaction, arrived, rules, now, new)
        partitions = [end.partition for end in ends for _ in range(end.outcomes)]
        _store(transaction, decided, keys, now)
        _count(transaction, partitions, decided, ends)
        _append(transaction, partitions, decided)
    return Recorded(
        journaled=decided.count("journaled"),
        duplicates=decided.duplicates,
        stale=decided.count("stale"),
        conflicts=decided.count("conflict"),
        quarantined=decided.count("quarantined"),
        last_seq=transaction.last_seq,
        held_seconds=transaction.held_seconds,
    )


def stream_order(stream_id: str) -> tuple[int, int]:
    """Return the order of stream ids ("milliseconds-number")."""
    milliseconds, _, number = stream_id.partition("-")
    return int(milliseconds or 0), int(number or 0)


def store_incident(transaction: Transaction, incident: Incident, said: Said) -> None:
    """Write an incident's new state (its row is locked by the caller)."""
    transaction.many(_UPDATE, [_update_row(Standing(incident, said))])


def open_incidents(transaction: Transaction, opened: Mapping[str, Standing]) -> None:
    """Write new incidents by origin."""
    transaction.many(_OPEN, [_open_row(origin, standing) for origin, standing in opened.items()])


def read_standings(transaction: Transaction, column: str, values: Sequence[str]) -> list[tuple[str, Standing]]:
    """Return (origin, standing) of the incidents whose `column` ("origin" or "id") is one of `values`, rows locked."""
    rows = transaction.select_in(f"SELECT origin, body, report FROM incident WHERE {column} IN", values, lock=True)
    return [(row.origin, Standing(_incident.decode(row.body), _said.decode(row.report))) for row in rows]


_incident = msgspec.json.Decoder(Incident)
_said = msgspec.json.Decoder(Said)


Arrived = list[tuple[int, list[tuple[str, list[Arrival]]]]]  # per partition: packets, each its stream id and items


def _arrivals(database: Database, deliveries: Sequence[Delivery], located: Locate, keys: KeyStore, now: int) -> Arrived:
    """The items with all that can be prepared before anything is locked, the keys' fsync above all."""
    items = [item for delivery in deliveries for _, packed in delivery.packets for item in packed]
    prepared = iter(_prepared(database, [item for item in items if isinstance(item, Report)], located, keys, now))
    return [
        (
            delivery.partition,
            [
                (
                    stream_id,
                    [next(prepared) if isinstance(one, Report) else decision.arrival(one) for one in packed],
                )
                for stream_id, packed in delivery.packets
            ],
        )
        for delivery in deliveries
    ]


def _prepared(database: Database, reports: list[Report], located: Locate, keys: KeyStore, now: int) -> list[Arrival]:
    """The reports with their places, and with what is secret in them sealed for the incidents they belong to."""
    if not reports:
        return []
    origins = [decision.origin_of(one.source, one.id) for one in reports]
    subjects = _subjects(database, origins, now)
    secrets = [decision.secret(one) for one in reports]
    key_of = keys.make(subjects[origin] for origin, secret in zip(origins, secrets, strict=True) if secret)
    arrivals = []
    for report, origin, place, secret in zip(reports, origins, located(reports), secrets, strict=True):
        subject = subjects[origin]
        sealed = seal(key_of[subject], subject, secret) if secret else b""
        arrivals.append(decision.arrival(report, origin, place, subject, sealed))
    return arrivals


def _subjects(database: Database, origins: Sequence[str], now: int) -> dict[str, str]:
    """{origin: id of its incident}, a new id where there is none; stays so while our lease holds the partition."""
    with database.read() as connection:
        query = "SELECT origin, id FROM incident WHERE origin IN"
        known = {row.origin: row.id for row in select_in(connection, query, sorted(set(origins)))}
    return known | {origin: uuid7(now) for origin in dict.fromkeys(origins) if origin not in known}


class _End(Struct, frozen=True):
    """What one delivery came to: outcomes, duplicates in packets that are new, and the last of those."""

    partition: int
    outcomes: int
    duplicates: int
    last_stream_id: str


def _decide(
    transaction: Transaction, arrived: Arrived, rules: Rules, now: int, new: dict[int, list[str]]
) -> tuple[Decided, list[_End]]:
    """What all items come to, and each delivery's share. `new`: stream ids that were not delivered before."""
    items = [item for _, packets in arrived for _, packed in packets for item in packed]
    numbers = Numbers(transaction, rules.zone, now)
    decider = Decider(
        _known(transaction, items), _standings(transaction, items), rules=rules, number=numbers.next, now=now
    )
    decided, ends = decider.decided, []
    for partition, packets in arrived:
        fresh = new[partition]
        outcomes, duplicates = len(decided.outcomes), decided.duplicates
        for stream_id, packed in packets:
            again = stream_id not in fresh
            for item in packed:
                decider.decide(item, again=again)
        counts = (len(decided.outcomes) - outcomes, decided.duplicates - duplicates)
        ends.append(_End(partition, *counts, fresh[-1] if fresh else ""))
    numbers.store()
    return decided, ends


def _known(transaction: Transaction, items: Sequence[Arrival]) -> dict[str, bytes]:
    """{key: content} of keys that ended before, also of the conflicts with them."""
    query = "SELECT key, content FROM outcome WHERE key IN"
    known = {row.key: row.content for row in transaction.select_in(query, sorted({item.key for item in items}))}
    contested = {
        decision.conflict_key(one.item)
        for one in items
        if isinstance(one.item, Report) and known.get(one.key, one.content) != one.content
    }
    return known | {row.key: row.content for row in transaction.select_in(query, sorted(contested))}


def _standings(transaction: Transaction, items: Sequence[Arrival]) -> dict[str, Standing]:
    origins = {item.origin for item in items if item.origin}
    return dict(read_standings(transaction, "origin", sorted(origins)))


def _store(transaction: Transaction, decided: Decided, keys: KeyStore, now: int) -> None:
    open_incidents(transaction, decided.opened)
    transaction.many(_UPDATE, [_update_row(standing) for standing in decided.updated.values()])
    key_of = keys.make(item.id for item in decided.quarantined)
    transaction.many(_QUARANTINE, [_quarantine_row(item, key_of[item.id], now) for item in decided.quarantined])


def _append(transaction: Transaction, partitions: list[int], decided: Decided) -> None:
    """The last step: the entries, and the outcomes, which need their seqs."""
    seqs = journal.append(transaction, decided.drafts)
    rows = [
        (item.key, item.outcome, item.content, seqs[item.draft], partition)
        for item, partition in zip(decided.outcomes, partitions, strict=True)
    ]
    rows.sort()  # by key: neighbours go into the same pages
    transaction.many(_OUTCOME, rows)


def _open_row(origin: str, standing: Standing) -> tuple[object, ...]:
    incident = standing.incident
    return (
        incident.id,
        origin,
        incident.number,
        incident.county,
        incident.step,
        incident.urgency,
        incident.type,
        incident.department,
        incident.grid,
        path(incident.chain),
        incident.opened_at,
        incident.acknowledged_at,
        incident.escalated_at,
        msgspec.json.encode(incident),
        msgspec.json.encode(standing.said),
        incident.received_at,
        next_at(incident.clocks),
    )


def _update_row(standing: Standing) -> tuple[object, ...]:
    incident = standing.incident
    return (
        incident.step,
        incident.urgency,
        incident.type,
        incident.department,
        incident.grid,
        path(incident.chain),
        incident.acknowledged_at,
        incident.escalated_at,
        msgspec.json.encode(incident),
        msgspec.json.encode(standing.said),
        next_at(incident.clocks),
        incident.id,
    )


def _quarantine_row(item: decision.Quarantined, key: bytes, now: int) -> tuple[object, ...]:
    sealed = seal(key, item.id, msgspec.msgpack.encode({"raw": item.raw, "params": item.params}))
    names = (item.source, item.report_id, item.revision, item.reason, item.field)
    plain = tuple(name.replace("\0", "") for name in names)
    return (item.id, *plain, item.key, item.raw_sha256, len(item.raw), sealed, now)


_PARTITIONS = (
    sa.select(tables.partition.c.partition, tables.partition.c.last_stream_id)
    .where(tables.partition.c.partition.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(tables.partition.c.partition)
    .with_for_update()
)


def _new(transaction: Transaction, deliveries: Sequence[Delivery]) -> dict[int, list[str]]:
    """{partition: stream ids of packets that were not delivered before}; holds the partitions' rows."""
    numbers = sorted(delivery.partition for delivery in deliveries)
    transaction.many("INSERT INTO partition (partition) VALUES (?) ON CONFLICT DO NOTHING", [(n,) for n in numbers])
    rows = transaction.connection.execute(_PARTITIONS, {"numbers": numbers})
    last = {row.partition: stream_order(row.last_stream_id) for row in rows}
    return {
        one.partition: [stream_id for stream_id, _ in one.packets if stream_order(stream_id) > last[one.partition]]
        for one in deliveries
    }


_COUNTED = ("journaled", "stale", "conflict", "quarantined")
_COUNT = (
    "UPDATE partition SET decided = decided + ?, duplicates = duplicates + ?, "
    + ", ".join(f"{name} = {name} + ?" for name in _COUNTED)
    + " WHERE partition = ?"
)


def _count(transaction: Transaction, partitions: list[int], decided: Decided, ends: list[_End]) -> None:
    """Add to the partitions' counters, each item once however often its packet came: they must equal what intake
    accepted."""
    ended = Counter((number, item.outcome) for number, item in zip(partitions, decided.outcomes, strict=True))
    rows = []
    for end in ends:
        counts = [ended[end.partition, name] for name in _COUNTED]
        rows.append((end.outcomes + end.duplicates, end.duplicates, *counts, end.partition))
    transaction.many(_COUNT, rows)
    moved = [(end.last_stream_id, end.partition) for end in ends if end.last_stream_id]
    transaction.many("UPDATE partition SET last_stream_id = ? WHERE partition = ?", moved)
