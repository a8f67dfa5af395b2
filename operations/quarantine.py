"""Quarantine 隔离: what could not be read or contradicts what came before. Bytes are sealed; every end is an entry.

To repair: open it, send the repaired report through intake like any other, then record `resubmit`. A crash in between
leaves it open; sending it again is a duplicate.
"""

from contextlib import suppress
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import NotFound, Refused, Sealed
from operations.policy import Identity, require
from operations.seal import KeyStore
from operations.tables import outcome
from operations.tables import quarantine as table
from operations.uuid7 import earliest
from operations.wording import cleaned

LIMIT = 200  # items of a page
MOST = 2_000  # items of all pages that are read anew at once
REASON_MOST = 2_000
STATES = ("open", "resubmitted", "discarded")


class Item(Struct, frozen=True):
    """One item; `reason` and `field` are codes, `decision` is the reason it ended with."""

    id: str
    source: str
    report_id: str
    revision: str
    reason: str
    field: str
    raw_sha256: str
    size: int
    state: str
    at: int
    decided_at: int | None
    decided_by: str
    decision: str


class Opened(Struct, frozen=True):
    """An item with what was sealed: the bytes as they came, and the parameters of its reason's text."""

    item: Item
    raw: bytes
    params: dict[str, str]


class Quarantined(Struct, frozen=True):
    """A page of items, newest first; `total` counts all of their state, `next` is the cursor of the page after it."""

    items: list[Item]
    total: int
    next: str | None


_COLUMNS = [table.c[name] for name in Item.__struct_fields__]


def listed(
    database: Database, identity: Identity, *, state: str = "open", before: str = "", limit: int = LIMIT
) -> list[Item]:
    """Return items, newest first; `before`: the last id of the page before."""
    return page(database, identity, state=state, before=before, limit=limit).items


def page(
    database: Database,
    identity: Identity,
    *,
    state: str = "open",
    before: str = "",
    through: str = "",
    limit: int = LIMIT,
) -> Quarantined:
    """Return a page of items, for who has the whole city: what lies here has no place anybody knows.

    `before`: the last id of the page before. `through`: instead begin anew and come down to this id, if that is not
    over MOST items.
    """
    require(identity, "quarantine.read")
    wanted = table.c.state == state
    with database.read() as connection:
        total = _count(connection, wanted)
        if through:
            limit = min(max(limit, _count(connection, wanted & (table.c.id >= through))), MOST)
            before = ""
        query = sa.select(*_COLUMNS).where(wanted)
        if before:
            query = query.where(table.c.id < before)
        rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit + 1)).all()
    items = [Item(*row) for row in rows[:limit]]
    return Quarantined(items, total, items[-1].id if len(rows) > limit else None)


def _count(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(wanted)).scalar_one())


def reasons(database: Database, identity: Identity, source: str, *, since: int) -> dict[str, int]:
    """Return how much of a source's came into quarantine since then, by reason, the most first; gone or not.

    Numbers only, which are a fact about the source.
    """
    require(identity, "source.read")
    wanted = (table.c.source == source) & (table.c.at >= since) & (table.c.id >= earliest(since))
    count = sa.func.count()
    query = sa.select(table.c.reason, count).where(wanted).group_by(table.c.reason).order_by(count.desc()).limit(50)
    with database.read() as connection:
        return {str(reason): int(number) for reason, number in connection.execute(query)}


def get(database: Database, keys: KeyStore, identity: Identity, item_id: str) -> Opened:
    """Return an item opened. Raises NotFound, and Sealed once its key was destroyed."""
    require(identity, "quarantine.read")
    if not (item_id.isascii() and item_id.isprintable()):  # none of ours; a database would not take it
        raise NotFound()
    with database.read() as connection:
        row = connection.execute(sa.select(*_COLUMNS, table.c.sealed).where(table.c.id == item_id)).one_or_none()
    if row is None:
        raise NotFound()
    sealed: dict[str, Any] = msgspec.msgpack.decode(keys.open(item_id, row.sealed))
    return Opened(Item(*row[: len(_COLUMNS)]), sealed["raw"], sealed["params"])


def read(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    item_id: str,
    reason: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Opened:
    """Return an item opened for a person to read; the reading is an entry with its reason."""
    reason = _words(reason, required=True)
    opened = get(database, keys, identity, item_id)
    with database.write(after_commit) as transaction:
        journal.append(transaction, [_seen(identity, item_id, reason, now)])
    return opened


def for_retry(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    source_id: str,
    reason: str,
    *,
    most: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> list[Opened]:
    """Return the newest items of a source that wait, opened for its mapping to be tried on; one entry with the reason.

    For the program alone: whoever asked is told verdicts and numbers, never what is in them. One whose key was
    destroyed is left out.
    """
    reason = _words(reason, required=True)
    require(identity, "quarantine.retry")
    wanted = (table.c.state == "open") & (table.c.source == source_id)
    query = sa.select(*_COLUMNS, table.c.sealed).where(wanted).order_by(table.c.id.desc()).limit(most)
    with database.read() as connection:
        rows = connection.execute(query).all()
    found = []
    for row in rows:
        with suppress(Sealed):
            sealed: dict[str, Any] = msgspec.msgpack.decode(keys.open(row.id, row.sealed))
            found.append(Opened(Item(*row[: len(_COLUMNS)]), sealed["raw"], sealed["params"]))
    if found:
        draft = structs.replace(_draft(identity, found[0].item.id, "retried", reason, now), body={"count": len(found)})
        with database.write(after_commit) as transaction:
            journal.append(transaction, [draft])
    return found


def resubmit(
    database: Database,
    identity: Identity,
    item_id: str,
    reason: str,
    *,
    now: int,
    action: str = "quarantine.repair",
    after_commit: AfterCommit | None = None,
) -> None:
    """Record that the item was accepted by intake: repaired, or (`action` "quarantine.retry") by another mapping.

    Raises Forbidden, NotFound, Refused when it has ended already.
    """
    require(identity, action)
    _end(database, identity, item_id, "resubmitted", reason, now, after_commit)


def discard(
    database: Database,
    identity: Identity,
    item_id: str,
    reason: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Discard an item with a reason; its key's outcome becomes "discarded"."""
    require(identity, "quarantine.repair")
    _end(database, identity, item_id, "discarded", reason, now, after_commit)


def _end(
    database: Database,
    identity: Identity,
    item_id: str,
    state: str,
    reason: str,
    now: int,
    after_commit: AfterCommit | None,
) -> None:
    reason = _words(reason, required=state == "discarded")
    with database.write(after_commit) as transaction:
        query = sa.select(table.c.key, table.c.state).where(table.c.id == item_id).with_for_update()
        row = transaction.connection.execute(query).one_or_none()
        if row is None:
            raise NotFound()
        if row.state != "open":
            raise Refused("operations.quarantine_ended", state=row.state)
        values = {"state": state, "decided_at": now, "decided_by": identity.name, "decision": reason}
        transaction.connection.execute(sa.update(table).where(table.c.id == item_id).values(values))
        if state == "discarded":
            transaction.connection.execute(sa.update(outcome).where(outcome.c.key == row.key).values(outcome=state))
        journal.append(transaction, [_draft(identity, item_id, state, reason, now)])


def _words(reason: str, *, required: bool) -> str:
    reason = cleaned(reason)
    if required and not reason:
        raise Refused("operations.text_missing")
    if len(reason) > REASON_MOST:
        raise Refused("operations.text_too_long", most=REASON_MOST)
    return reason


def _seen(identity: Identity, item_id: str, reason: str, now: int) -> Draft:
    """The entry of a look at what is sealed: that the content was seen."""
    body = {"fields": ["content"], "session": identity.session}
    return structs.replace(_draft(identity, item_id, "unsealed", reason, now), body=body)


def _draft(identity: Identity, item_id: str, state: str, reason: str, now: int) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=f"quarantine.{state}",
        subject_type="quarantine",
        subject_id=item_id,
        reason=reason,
    )
