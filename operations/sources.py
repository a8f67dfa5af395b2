"""The directory of sources 来源: who may send, in which datum and time zone, how fast, read by which mapping."""

import re
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import SYSTEM, Identity, require
from operations.tables import source as table
from operations.tables import source_cursor as cursor

DATUMS = ("WGS84", "CGCS2000", "GCJ02", "BD09")
KINDS = (
    "http",
    "websocket",
    "redis_stream",
    "desk",
    "demo",
    "replay",
    "http_pull",
    "database",
    "websocket_pull",
    "file",
    "folder",
    "cap_pull",
    "gb28181",
    "health",
)
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class Source(Struct, frozen=True):
    """One source. `rate_limit`: reports per second, 0 = none; `silent_after_s`: 0 = the city's setting.

    `settings`: how it is pulled, as JSON of its kind, without secrets; "" for one that pushes.

    `added_at` (UTC microseconds) is set when it is added and stays. `digest_datum` is the first datum it had, in which
    reports are told from their repetitions; "" while there was no other.
    """

    id: str
    name: str
    kind: str = "http"
    datum: str = "WGS84"
    time_zone: str = "Asia/Shanghai"
    rate_limit: float = 0.0
    mapping: str = ""
    settings: str = ""
    silent_after_s: int = 0
    enabled: bool = True
    added_at: int = 0
    digest_datum: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of times it sends without one."""
        return ZoneInfo(self.time_zone)


def add(
    database: Database, identity: Identity, source: Source, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Add a source. Raises Refused when something about it is wrong or the id is taken."""
    _check(identity, source)
    with database.write(after_commit) as transaction:
        if _find(transaction.connection, source.id) is not None:
            raise Refused("operations.source_exists", id=source.id)
        transaction.connection.execute(sa.insert(table).values({**_values(source), "added_at": now}))
        shown = {"name": source.name, "kind": source.kind}
        journal.append(transaction, [_draft(identity, "source.added", source.id, now, {"set": shown, **_rest(source)})])


def change(
    database: Database, identity: Identity, source: Source, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Change a source, all fields but its id. Raises NotFound."""
    _check(identity, source)
    with database.write(after_commit) as transaction:
        before = _find(transaction.connection, source.id)
        if before is None:
            raise NotFound()
        shown = {"name": source.name, "kind": source.kind}
        if not source.enabled:  # nobody tries to reach it any more
            shown["lost"] = ""
            transaction.connection.execute(sa.update(cursor).where(cursor.c.source == source.id).values(lost=""))
        values = _values(source)
        if before.datum != source.datum:
            values["digest_datum"] = before.digest_datum or before.datum
            shown["proposed"] = ""
        transaction.connection.execute(sa.update(table).where(table.c.id == source.id).values(values))
        body = {"set": shown, **_rest(source)}
        journal.append(transaction, [_draft(identity, "source.changed", source.id, now, body)])


def mark(
    database: Database, source_id: str, *, silent: bool, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Record that a source fell silent, or was heard again: only these transitions are entries."""
    action = "source.silent" if silent else "source.heard"
    with database.write(after_commit) as transaction:
        journal.append(transaction, [_draft(SYSTEM, action, source_id, now, {"set": {"silent": silent}})])


def get(database: Database, source_id: str) -> Source | None:
    """Return a source, or None."""
    with database.read() as connection:
        return _find(connection, source_id)


def listed(database: Database) -> list[Source]:
    """Return all sources by id."""
    with database.read() as connection:
        return [_source(row) for row in connection.execute(sa.select(table).order_by(table.c.id))]


def _find(connection: Connection, source_id: str) -> Source | None:
    row = connection.execute(sa.select(table).where(table.c.id == source_id)).one_or_none()
    return None if row is None else _source(row)


def _source(row: sa.Row[tuple[object, ...]]) -> Source:
    values = row._asdict()
    return Source(**{**values, "enabled": bool(values["enabled"])})


def _values(source: Source) -> dict[str, object]:
    """What `add` and `change` write: everything but when it was added, and what follows from a change."""
    values = {**structs.asdict(source), "enabled": int(source.enabled)}
    del values["added_at"], values["digest_datum"]
    return values


def _rest(source: Source) -> dict[str, object]:
    names = ("datum", "time_zone", "rate_limit", "mapping", "settings", "silent_after_s", "enabled")
    return {name: getattr(source, name) for name in names}


def _check(identity: Identity, source: Source) -> None:
    require(identity, "source.manage")
    rules = {
        "id": _ID.fullmatch(source.id) is not None,
        "name": 0 < len(source.name) <= 60,
        "kind": source.kind in KINDS,
        "datum": source.datum in DATUMS,
        "time_zone": source.time_zone in available_timezones(),
        "rate_limit": 0 <= source.rate_limit <= 1e6,
        "silent_after_s": 0 <= source.silent_after_s <= 31 * 86_400,
    }
    for field, holds in rules.items():
        if not holds:
            raise Refused("operations.source_wrong", field=field, value=str(getattr(source, field)))


def _draft(identity: Identity, action: str, source_id: str, now: int, body: dict[str, object]) -> Draft:
    return Draft(at=now, actor=identity.actor, action=action, subject_type="source", subject_id=source_id, body=body)
