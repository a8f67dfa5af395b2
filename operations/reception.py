"""Recording what a worker took from one partition: everything in one transaction, checked by the fencing token.

The deciding is done by `decision`; this is the shell around it: read what is known, decide, seal, write, append.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from operations import decision, journal, lease, tables
from operations.database import AfterCommit, Database, Transaction
from operations.decision import Decided, Decider, Item, Rules, Said, Standing
from operations.entry import Draft, path
from operations.incident import Incident
from operations.report import Located, Refusal, Report
from operations.seal import KeyStore, seal

Locate = Callable[[list[Report]], Sequence[Located]]
Packet = tuple[str, Sequence[Item]]

_INCIDENT_COLUMNS = (
    "id, origin, number, county, step, urgency, type, department, grid, path,"
    " opened_at, acknowledged_at, escalated_at, body, report"
)
_OPEN = f"INSERT INTO incident ({_INCIDENT_COLUMNS}) VALUES ({', '.join('?' * 15)})"
_UPDATE = (
    "UPDATE incident SET step = ?, urgency = ?, type = ?, department = ?, grid = ?, path = ?,"
    " acknowledged_at = ?, escalated_at = ?, body = ?, report = ? WHERE id = ?"
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
    """Decide and record one batch of stream packets, oldest first. Raises LeaseLost; then nothing was written."""
    places = _places(packets, located)
    with database.write(after_commit) as transaction:
        lease.check(transaction, lease.partition(partition), lease_token)
        last = _last_stream_id(transaction, partition)
        new = [packet for packet in packets if stream_order(packet[0]) > stream_order(last)]
        decided = _decide(transaction, packets, places, rules, now)
        _store(transaction, partition, decided, keys, now)
        _count(transaction, partition, decided, new)
        return Recorded(
            journaled=decided.count("journaled"),
            duplicates=sum(len(items) for _, items in new) - len(decided.outcomes) if new else 0,
            stale=decided.count("stale"),
            conflicts=decided.count("conflict"),
            quarantined=decided.count("quarantined"),
            last_seq=transaction.last_seq,
        )


def stream_order(stream_id: str) -> tuple[int, int]:
    """Return the order of stream ids ("milliseconds-number")."""
    milliseconds, _, number = stream_id.partition("-")
    return int(milliseconds or 0), int(number or 0)


def store_incident(transaction: Transaction, incident: Incident, said: Said) -> None:
    """Write an incident's new state (its row is locked by the caller)."""
    transaction.many(_UPDATE, [_update_row(Standing(incident, said))])


def read_standings(transaction: Transaction, column: str, values: Sequence[str]) -> list[tuple[str, Standing]]:
    """Return (origin, standing) of the incidents whose `column` ("origin" or "id") is one of `values`, rows locked."""
    rows = transaction.select_in(f"SELECT origin, body, report FROM incident WHERE {column} IN", values, lock=True)
    return [(row.origin, Standing(_incident.decode(row.body), _said.decode(row.report))) for row in rows]


_incident = msgspec.json.Decoder(Incident)
_said = msgspec.json.Decoder(Said)


def _places(packets: Sequence[Packet], located: Locate) -> dict[int, Located]:
    """{id of the report object: where it lies}, found outside the transaction."""
    reports = [item for _, items in packets for item in items if isinstance(item, Report)]
    return {id(report): place for report, place in zip(reports, located(reports), strict=True)} if reports else {}


def _decide(
    transaction: Transaction, packets: Sequence[Packet], places: dict[int, Located], rules: Rules, now: int
) -> Decided:
    items = [item for _, packed in packets for item in packed]
    numbers = _Numbers(transaction, rules, now)
    decider = Decider(
        _known(transaction, items), _standings(transaction, items), rules=rules, number=numbers.next, now=now
    )
    for item in items:
        decider.decide(item, places.get(id(item), decision.NOWHERE))
    numbers.store()
    return decider.decided


def _known(transaction: Transaction, items: Sequence[Item]) -> dict[str, bytes]:
    keys = {decision.key_of(item) for item in items}
    query = "SELECT key, content FROM outcome WHERE key IN"
    known = {row.key: row.content for row in transaction.select_in(query, keys)}
    contested = [
        decision.conflict_key(item)
        for item in items
        if not isinstance(item, Refusal)
        and known.get(decision.key_of(item), b"") not in (b"", decision.content_of(item))
    ]
    return known | {row.key: row.content for row in transaction.select_in(query, contested)}


def _standings(transaction: Transaction, items: Sequence[Item]) -> dict[str, Standing]:
    origins = {decision.origin_of(item.source, item.id) for item in items if not isinstance(item, Refusal)}
    return dict(read_standings(transaction, "origin", sorted(origins)))


def _store(transaction: Transaction, partition: int, decided: Decided, keys: KeyStore, now: int) -> None:
    sealing = {draft.subject_id for draft, secret in zip(decided.drafts, decided.secrets, strict=True) if secret}
    key_of = keys.make([*sealing, *(item.id for item in decided.quarantined)])
    drafts = [
        structs.replace(draft, sealed=seal(key_of[draft.subject_id], draft.subject_id, secret)) if secret else draft
        for draft, secret in zip(decided.drafts, decided.secrets, strict=True)
    ]
    transaction.many(_OPEN, [_open_row(origin, standing) for origin, standing in decided.opened.items()])
    transaction.many(_UPDATE, [_update_row(standing) for standing in decided.updated.values()])
    transaction.many(_QUARANTINE, [_quarantine_row(item, key_of[item.id], now) for item in decided.quarantined])
    _append(transaction, partition, decided, drafts)


def _append(transaction: Transaction, partition: int, decided: Decided, drafts: list[Draft]) -> None:
    first = transaction.last_seq
    entries = journal.append(transaction, drafts)
    seqs = [entry.seq for entry in entries] or [first]
    rows = [(item.key, item.outcome, item.content, seqs[item.draft], partition) for item in decided.outcomes]
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
        incident.id,
    )


def _quarantine_row(item: decision.Quarantined, key: bytes, now: int) -> tuple[object, ...]:
    sealed = seal(key, item.id, msgspec.msgpack.encode({"raw": item.raw, "params": item.params}))
    names = (item.source, item.report_id, item.revision, item.reason, item.field)
    plain = tuple(name.replace("\0", "") for name in names)
    return (item.id, *plain, item.key, item.raw_sha256, len(item.raw), sealed, now)


def _last_stream_id(transaction: Transaction, partition: int) -> str:
    transaction.many("INSERT INTO partition (partition) VALUES (?) ON CONFLICT DO NOTHING", [(partition,)])
    query = sa.select(tables.partition.c.last_stream_id).where(tables.partition.c.partition == partition)
    return str(transaction.connection.execute(query.with_for_update()).scalar_one())


def _count(transaction: Transaction, partition: int, decided: Decided, new: Sequence[Packet]) -> None:
    """Add to the partition's counters what was not delivered before: they must equal what intake accepted."""
    columns = tables.partition.c
    arrived = sum(len(items) for _, items in new)
    values = {
        columns.decided: columns.decided + arrived,
        columns.duplicates: columns.duplicates + arrived - len(decided.outcomes),
        columns.journaled: columns.journaled + decided.count("journaled"),
        columns.stale: columns.stale + decided.count("stale"),
        columns.conflict: columns.conflict + decided.count("conflict"),
        columns.quarantined: columns.quarantined + decided.count("quarantined"),
    }
    if new:
        values[columns.last_stream_id] = sa.literal(new[-1][0])
    transaction.connection.execute(sa.update(tables.partition).where(columns.partition == partition).values(values))


class _Numbers:
    """Numbers people can say, counted per county and day inside the transaction."""

    def __init__(self, transaction: Transaction, rules: Rules, now: int) -> None:
        self._transaction = transaction
        local = datetime.fromtimestamp(now / 1e6, UTC).astimezone(rules.zone)
        self._day, self._shown = f"{local:%Y%m%d}", f"{local:%m%d}"
        self._last: dict[str, int] = {}

    def next(self, county: str) -> str:
        """Return the county's next number of the day: "1122-0031"."""
        if county not in self._last:
            self._last[county] = self._load(county)
        self._last[county] += 1
        return f"{self._shown}-{self._last[county]:04d}"

    def store(self) -> None:
        """Write the counters back."""
        rows = [(last, county, self._day) for county, last in self._last.items()]
        self._transaction.many("UPDATE day_number SET last = ? WHERE county = ? AND day = ?", rows)

    def _load(self, county: str) -> int:
        statement = "INSERT INTO day_number (county, day) VALUES (?, ?) ON CONFLICT DO NOTHING"
        self._transaction.many(statement, [(county, self._day)])
        table = tables.day_number
        query = sa.select(table.c.last).where(table.c.county == county, table.c.day == self._day)
        return int(self._transaction.connection.execute(query.with_for_update()).scalar_one())
