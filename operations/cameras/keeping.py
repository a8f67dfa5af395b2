"""Taking what sources tell of cameras into the catalogue 并入目录: each record dated, none gone without an entry.

A place somebody gave a camera by hand outlives what the source says of it. States are kept beside the record: only a
change of state is an entry, and many at once are one for each grid and owner, so that whoever may see them does.

A large ledger is worked out before (`plan`), while others write; only keeping it (`carry_out`) is a transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from operations import journal
from operations.cameras.comparing import Known, Taken, compared, encoded, scope, standing
from operations.cameras.item import STATUSES, Item, check
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft, path
from operations.errors import NotFound, Refused
from operations.policy import SYSTEM, Identity, reach, require
from operations.tables import camera as table
from operations.tables import camera_version
from operations.uuid7 import uuid7

TOLD_AT_ONCE = 500
"""Cameras in one entry; more are told in several."""
STATES_AT_ONCE = 5_000
"""States kept in one transaction after a large ledger."""
MOST = 200_000
SIGNALS = ("status", "registered", "picture")
"""The three signals 三种信号: what the catalogue says, whether its device is registered, and what the picture shows."""

Row = dict[str, Any]
Dated = tuple[tuple[str, int, int, None, bytes, str], ...]
LASTING, STATE = ("source", "code"), ("since_at", "status", "status_at")
"""What no record changes, and what only one that was gone begins anew."""
Whose = tuple[str, str, str, str]
"""Grid path and owner before, and after: the scope of an entry."""


class Plan(Struct, frozen=True):
    """What taking a source's items does: everything worked out, nothing written.

    `stamp`: the catalogue of the source it was worked out on, `before`: its cameras. `there`: ids by code afterwards.
    `told`: states by code.
    """

    source: str
    taken: Taken
    stamp: tuple[int, int, int]
    before: dict[str, Known]
    there: dict[str, str]
    new: tuple[Row, ...]
    renewed: tuple[Row, ...]
    returned: tuple[Row, ...]
    dated: Dated
    closed: tuple[str, ...]
    gone: tuple[str, ...]
    drafts: tuple[Draft, ...]
    told: dict[str, str]


def preview(connection: sa.Connection, source: str, items: Sequence[Item], *, complete: bool) -> Taken:
    """Return what `take` would do. Raises Refused for the first item that cannot be kept."""
    _checked(items)
    return compared(known(connection, source), items, complete=complete)


def take(
    transaction: Transaction,
    source: str,
    items: Sequence[Item],
    *,
    complete: bool,
    now: int,
    actor: str = SYSTEM.actor,
) -> Taken:
    """Keep what a source tells of its cameras; of two items of one code the last counts.

    `complete`: the source told all it has, and what it did not name is gone. Raises Refused: nothing was kept.
    """
    made = plan(transaction.connection, source, items, complete=complete, now=now, actor=actor)
    carry_out(transaction, made, now=now)
    return made.taken


def plan(
    connection: sa.Connection, source: str, items: Sequence[Item], *, complete: bool, now: int, actor: str
) -> Plan:
    """Work out what taking the items does, without writing anything. Raises Refused."""
    _checked(items)
    there = known(connection, source)
    named = {one.code: one for one in items}
    taken = compared(there, items, complete=complete)
    new = {code: Known(uuid7(now)) for code in taken.added if code not in there}
    again = {code: there[code] for code in (*taken.added, *taken.changed) if code in there}
    touched = new | again
    rows = {code: _row(source, named[code], one, now) for code, one in touched.items()}
    ids = {code: one.id for code, one in (there | new).items()}
    whose = {code: scope(one, named.get(code)) for code, one in (there | new).items()}
    return Plan(
        source=source,
        taken=taken,
        stamp=_stamp(connection, source),
        before=there,
        there=ids,
        new=tuple(rows[code] for code in new),
        renewed=tuple(_without(rows[code], *LASTING, *STATE) for code, one in again.items() if not one.gone),
        returned=tuple(_without(rows[code], *LASTING) for code, one in again.items() if one.gone),
        dated=tuple(
            (one.id, one.revision + 1, now, None, encoded(standing(one, named[code])), actor)
            for code, one in touched.items()
        ),
        closed=tuple(one.id for one in again.values()),
        gone=tuple(there[code].id for code in taken.gone),
        drafts=tuple(_drafts(source, taken, whose, ids, now, actor)),
        told={code: named[code].status for code in (*taken.changed, *taken.same) if named[code].status != "unknown"},
    )


def keep(
    database: Database, identity: Identity, plan: Plan, *, now: int, after_commit: AfterCommit | None = None
) -> float:
    """Keep a plan: the records all or none, the states after them in parts; returns the longest time in seconds that
    nobody else could write. Raises Forbidden, Refused when the source's cameras were changed since it was worked out.
    """
    require(identity, "camera.import")
    with database.write(after_commit) as transaction:
        carry_out(transaction, structs.replace(plan, told={}), now=now)
    held = transaction.held_seconds
    told = list(plan.told.items())
    for at in range(0, len(told), STATES_AT_ONCE):
        with database.write(after_commit) as transaction:
            signal(transaction, plan.source, "status", dict(told[at : at + STATES_AT_ONCE]), now=now)
        held = max(held, transaction.held_seconds)
    return held


def carry_out(transaction: Transaction, plan: Plan, *, now: int) -> None:
    """Keep a plan, all of it. Raises Refused when the source's cameras were changed since it was worked out."""
    transaction.alone(f"cameras {plan.source}")
    if _stamp(transaction.connection, plan.source) != plan.stamp:
        raise Refused("cameras.source_changed_meanwhile")
    _insert(transaction, plan.new)
    _update(transaction, plan.renewed)
    _update(transaction, plan.returned)
    for part in _parts(plan.gone):
        gone = {"gone_at": now, "changed_at": now}
        transaction.connection.execute(sa.update(table).where(table.c.id.in_(part)).values(gone))
    _date(transaction, plan.dated, (*plan.closed, *plan.gone), now)
    states, _ = _signalled(transaction, plan.source, "status", plan.told, now)
    journal.append(transaction, [*plan.drafts, *states])


def signal(transaction: Transaction, source: str, which: str, told: Mapping[str, str], *, now: int) -> int:
    """Keep one of the SIGNALS of cameras, by their codes; return how many changed, told by grid and owner."""
    drafts, count = _signalled(transaction, source, which, told, now)
    journal.append(transaction, drafts)
    return count


def place(
    database: Database,
    identity: Identity,
    id: str,
    lon: float,
    lat: float,
    chain: tuple[str, ...],
    *,
    revision: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> None:
    """Put a camera where it is, by hand. Raises Forbidden, NotFound, Refused when it was changed meanwhile."""
    within = reach(identity, "camera.place")
    if not -180 <= lon <= 180 or not -90 <= lat <= 90:
        raise Refused("cameras.item_wrong", code=id, field="lon")
    with database.write(after_commit) as transaction:
        query = sa.select(table).where(table.c.id == id, table.c.gone_at.is_(None)).with_for_update()
        row = transaction.connection.execute(query).one_or_none()
        if row is None or not within.covers(tuple(row.path.split("/")), row.owner):
            raise NotFound()
        if row.revision != revision:
            raise Refused("cameras.changed_meanwhile")
        item = structs.replace(msgspec.json.decode(bytes(row.record), type=Item), lon=lon, lat=lat, chain=chain)
        values = {"lon": lon, "lat": lat, "path": path(chain), "placed": 1, "revision": revision + 1, "changed_at": now}
        transaction.connection.execute(sa.update(table).where(table.c.id == id).values(values))
        _date(transaction, [(id, revision + 1, now, None, encoded(item), identity.actor)], [id], now)
        whose = row.path, row.owner, path(chain), row.owner
        body = {"code": row.code, "lon": lon, "lat": lat}
        draft = _draft(identity.actor, "camera.placed", "camera", id, body, now, whose)
        journal.append(transaction, [structs.replace(draft, revision=revision + 1)])


def known(connection: sa.Connection, source: str) -> dict[str, Known]:
    """Return what is kept of a source's cameras, by code; those that are gone too."""
    columns = table.c
    wanted = (columns.code, columns.id, columns.revision, columns.record, columns.placed, columns.gone_at)
    query = sa.select(*wanted, columns.owner, columns.path, columns.lon, columns.lat).where(columns.source == source)
    return {
        row.code: Known(
            row.id,
            row.revision,
            bytes(row.record),
            bool(row.placed),
            row.gone_at is not None,
            row.owner,
            row.path,
            row.lon,
            row.lat,
        )
        for row in connection.execute(query)
    }


def _checked(items: Sequence[Item]) -> None:
    for one in items:
        check(one)
    if len(items) > MOST:
        raise Refused("cameras.many", most=MOST)


def _stamp(connection: sa.Connection, source: str) -> tuple[int, int, int]:
    """What differs as soon as a record of the source was changed."""
    columns = table.c
    told = sa.func.count(), sa.func.sum(columns.revision), sa.func.count(columns.gone_at)
    count, revisions, gone = connection.execute(sa.select(*told).where(columns.source == source)).one()
    return count, int(revisions or 0), gone


def _row(source: str, item: Item, known: Known, now: int) -> Row:
    told = item.record
    for name in ("chain", "details", "raw_lon", "raw_lat", "datum"):
        del told[name]
    counts = standing(known, item)
    told |= {"id": known.id, "source": source, "record": encoded(item), "lon": counts.lon, "lat": counts.lat}
    told |= {"path": path(counts.chain), "sign": int(item.sign), "restricted": int(item.restricted)}
    told |= {"status": item.status, "status_at": now, "since_at": now, "changed_at": now, "gone_at": None}
    return {**told, "revision": known.revision + 1}


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _insert(transaction: Transaction, rows: Sequence[Row]) -> None:
    names = list(next(iter(rows), {}))
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    transaction.many(f"INSERT INTO camera ({columns}) VALUES ({marks})", [tuple(row.values()) for row in rows])


def _update(transaction: Transaction, rows: Sequence[Row]) -> None:
    names = [name for name in next(iter(rows), {}) if name != "id"]
    setting = ", ".join(f'"{name}" = ?' for name in names)
    values = [(*(row[name] for name in names), row["id"]) for row in rows]
    transaction.many(f"UPDATE camera SET {setting} WHERE id = ?", values)


def _date(transaction: Transaction, rows: Sequence[tuple[Any, ...]], closed: Sequence[str], now: int) -> None:
    """End the versions in force of `closed`, and begin new ones."""
    columns = camera_version.c
    for part in _parts(closed):
        last = columns.camera.in_(part), columns.valid_to.is_(None)
        transaction.connection.execute(sa.update(camera_version).where(*last).values(valid_to=now))
    names = "camera, revision, valid_from, valid_to, record, actor"
    transaction.many(f"INSERT INTO camera_version ({names}) VALUES (?, ?, ?, ?, ?, ?)", rows)


def _signalled(
    transaction: Transaction, source: str, which: str, told: Mapping[str, str], now: int
) -> tuple[list[Draft], int]:
    """Keep a signal; return what is to be told of it, and how many changed."""
    if which not in SIGNALS or (which == "status" and not set(told.values()) <= set(STATUSES)):
        raise ValueError(which)
    columns = table.c
    wanted = columns.code, columns.id, columns[which].label("value"), columns.path, columns.owner
    before: dict[str, sa.Row[Any]] = {}
    for part in _parts(list(told)):
        query = sa.select(*wanted).where(columns.source == source, columns.code.in_(part), columns.gone_at.is_(None))
        before |= {row.code: row for row in transaction.connection.execute(query)}
    changed = {code: told[code] for code in sorted(before) if before[code].value != told[code]}
    values = [(value, now, before[code].id) for code, value in changed.items()]
    transaction.many(f"UPDATE camera SET {which} = ?, {which}_at = ? WHERE id = ?", values)
    whose = {code: (before[code].path, before[code].owner) * 2 for code in changed}
    drafts = []
    for of, part in _grouped(changed, whose):
        body = {"signal": which, "cameras": {before[code].id: changed[code] for code in part}}
        drafts.append(_draft(SYSTEM.actor, "camera.signalled", "camera_source", source, body, now, of))
    return drafts, len(changed)


def _drafts(
    source: str, taken: Taken, whose: Mapping[str, Whose], ids: Mapping[str, str], now: int, actor: str
) -> Iterator[Draft]:
    for how, codes in (("added", taken.added), ("changed", taken.changed), ("retired", taken.gone)):
        for of, part in _grouped(codes, whose):
            body = {"cameras": {ids[code]: code for code in part}}
            yield _draft(actor, f"camera.{how}", "camera_source", source, body, now, of)


def _grouped(codes: Iterable[str], whose: Mapping[str, Whose]) -> Iterator[tuple[Whose, Sequence[str]]]:
    """Codes of one scope together, as many as one entry holds."""
    found: dict[Whose, list[str]] = defaultdict(list)
    for code in codes:
        found[whose[code]].append(code)
    for of, together in found.items():
        for part in _parts(together):
            yield of, part


def _draft(actor: str, action: str, kind: str, id: str, body: dict[str, Any], now: int, whose: Whose) -> Draft:
    before, owner_before, after, owner = whose
    return Draft(
        at=now,
        actor=actor,
        action=action,
        subject_type=kind,
        subject_id=id,
        scope_grid=after,
        scope_grid_before=before,
        scope_department=owner,
        scope_department_before=owner_before,
        body=body,
    )


def _parts(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[at : at + TOLD_AT_ONCE] for at in range(0, len(values), TOLD_AT_ONCE)]
