"""Platforms below us 下级平台 (GB/T 28181): who wants in, who is let in, who is there, and how whole its catalogue is.

Keepalives are no entries; coming, going, acceptance and every full query of a catalogue are.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from operations import journal, sources
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import SYSTEM, Identity, require
from operations.sources import DATUMS, Source
from operations.tables import camera
from operations.tables import platform as table

KIND = "gb28181"
WAITING, ACCEPTED, REFUSED = "waiting", "accepted", "refused"
MOST_WAITING = 200
"""Strangers kept; a flood of invented codes fills no table."""
MOST = 2_000
MISSING_SHOWN = 500
NAME_MOST = 60
FACTS_MOST = 40
NOT_FACTS = frozenset({"sn", "cmdtype", "result", "deviceid"})
_CODE = re.compile(r"[0-9]{20}")


class Platform(Struct, frozen=True):
    """One platform or device. Times: UTC microseconds. `announced`: what its last catalogue said it has, None: never.

    `held`: of these we have so many; `synced_at`: the last whole catalogue; `why`: why the last try was not whole.
    """

    code: str
    state: str = WAITING
    name: str = ""
    revision: int = 0
    knocked_at: int = 0
    why_knocked: str = ""
    agent: str = ""
    version: str = ""
    transport: str = ""
    host: str = ""
    port: int = 0
    online: bool = False
    online_at: int | None = None
    until_at: int = 0
    announced: int | None = None
    held: int = 0
    synced_at: int | None = None
    tried_at: int | None = None
    why: str = ""
    missing: str = ""
    changes: str = ""
    quirks: str = ""
    info: str = ""
    resync: int = 0
    changed_at: int = 0

    @property
    def source(self) -> str:
        """The id of the source that its alarms and cameras come from."""
        return source_of(self.code)

    @property
    def whole(self) -> bool:
        """Whether the last catalogue was whole."""
        return self.synced_at is not None and not self.why

    @property
    def facts(self) -> dict[str, str]:
        """What it told of itself: DeviceInfo and DeviceStatus, small-letter names."""
        return dict(msgspec.json.decode(self.info or "{}"))

    @property
    def maker(self) -> str:
        """Who made it, as it says."""
        return self.facts.get("manufacturer", "")

    @property
    def lacking(self) -> list[str]:
        """Codes we knew that the last catalogue did not name, at most MISSING_SHOWN."""
        return list(msgspec.json.decode(self.missing or "[]"))

    @property
    def changed(self) -> dict[str, int]:
        """What the last catalogue changed: added, changed, gone."""
        return dict(msgspec.json.decode(self.changes or "{}"))


class Tally(Struct, frozen=True):
    """What taking a catalogue changed; `missing`: codes known before that it did not name; `held`: distinct items."""

    held: int
    added: int = 0
    changed: int = 0
    gone: int = 0
    missing: tuple[str, ...] = ()


Taker = Callable[[Transaction], Tally]
"""Takes the items of a catalogue into the cameras, inside the transaction."""


_OF_PLATFORMS = "gb-"


def source_of(code: str) -> str:
    """Return the id of a platform's source."""
    return f"{_OF_PLATFORMS}{code}"


def code_of(source: str) -> str:
    """Return the code of the platform whose source this is; "" for another source."""
    return source.removeprefix(_OF_PLATFORMS) if source.startswith(_OF_PLATFORMS) else ""


# ---- reading


def listed(database: Database, identity: Identity) -> list[Platform]:
    """Return all: those that wait first, then by code. Raises Forbidden."""
    require(identity, "platform.read")
    return every(database)


def every(database: Database) -> list[Platform]:
    """The same for our own processes."""
    with database.read() as connection:
        found = connection.execute(sa.select(table).order_by(table.c.state.desc(), table.c.code)).all()
    return [_platform(row) for row in found]


def get(database: Database, identity: Identity, code: str) -> Platform:
    """Return one. Raises Forbidden, NotFound."""
    require(identity, "platform.read")
    with database.read() as connection:
        return _find(connection, code)


# ---- what people decide


def accept(
    database: Database,
    identity: Identity,
    code: str,
    *,
    name: str,
    datum: str,
    revision: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Platform:
    """Let a platform in, or change what it is called and its datum. Raises Forbidden, NotFound, Refused."""
    require(identity, "platform.manage")
    name = name.strip()
    if not 0 < len(name) <= NAME_MOST or not name.isprintable():
        raise Refused("platforms.wrong", field="name")
    if datum not in DATUMS:
        raise Refused("platforms.wrong", field="datum")
    with database.read() as connection:
        _unchanged(_find(connection, code), revision)
    _as_source(database, code, name, datum, now, after_commit)
    with database.write(after_commit) as transaction:
        before = _locked(transaction, code, revision)
        after = structs.replace(before, state=ACCEPTED, name=name)
        action = "platform.changed" if before.state == ACCEPTED else "platform.accepted"
        body = {"name": name, "datum": datum, "host": before.host, "agent": before.agent}
        return _store(transaction, after, _draft(identity, action, after, now, body), now)


def _as_source(
    database: Database, code: str, name: str, datum: str, now: int, after_commit: AfterCommit | None
) -> None:
    """Have a source for its alarms, in its datum."""
    known = sources.get(database, source_of(code))
    wanted = Source(id=source_of(code), name=name, kind=KIND, datum=datum)
    if known is None:
        sources.add(database, SYSTEM, wanted, now=now, after_commit=after_commit)
    elif (known.name, known.datum) != (name, datum):
        wanted = structs.replace(known, name=name, datum=datum)
        sources.change(database, SYSTEM, wanted, now=now, after_commit=after_commit)


def refuse(
    database: Database,
    identity: Identity,
    code: str,
    *,
    revision: int,
    now: int,
    reason: str = "",
    after_commit: AfterCommit | None = None,
) -> Platform:
    """Let a platform in no longer; what it told us stays. Raises Forbidden, NotFound, Refused."""
    require(identity, "platform.manage")
    with database.write(after_commit) as transaction:
        before = _locked(transaction, code, revision)
        after = structs.replace(before, state=REFUSED, online=False)
        return _store(transaction, after, _draft(identity, "platform.refused", after, now, {}, reason), now)


def forget(
    database: Database, identity: Identity, code: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Drop one that waits or was refused; it may knock again. Raises Forbidden, NotFound, Refused."""
    require(identity, "platform.manage")
    with database.write(after_commit) as transaction:
        before = _find(transaction.connection, code, lock=True)
        if before.state == ACCEPTED:
            raise Refused("platforms.accepted", code=code)
        transaction.connection.execute(sa.delete(table).where(table.c.code == code))
        journal.append(transaction, [_draft(identity, "platform.forgotten", before, now, {})])


def set_quirks(
    database: Database,
    identity: Identity,
    code: str,
    quirks: dict[str, Any],
    *,
    revision: int,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Platform:
    """Set how a platform has to be treated; the caller has checked the values. Raises Forbidden, NotFound, Refused."""
    require(identity, "platform.manage")
    with database.write(after_commit) as transaction:
        before = _locked(transaction, code, revision)
        after = structs.replace(before, quirks=msgspec.json.encode(quirks).decode())
        return _store(transaction, after, _draft(identity, "platform.changed", after, now, {"quirks": quirks}), now)


def note(
    database: Database,
    identity: Identity,
    code: str,
    action: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Platform:
    """Note a new password or a wanted catalogue (platform.password_set, platform.resync). Raises NotFound."""
    require(identity, "platform.manage")
    with database.write(after_commit) as transaction:
        before = _find(transaction.connection, code, lock=True)
        asked = before.resync + 1 if action == "platform.resync" else before.resync
        after = structs.replace(before, resync=asked)
        return _store(transaction, after, _draft(identity, action, after, now, {}), now)


# ---- what happens


def knocked(
    database: Database,
    code: str,
    *,
    why: str,
    agent: str,
    host: str,
    transport: str,
    now: int,
    after_commit: AfterCommit | None = None,
) -> bool:
    """Note who wanted in and was not let; a stranger waits from then on. Returns whether it is one that is new."""
    if not _CODE.fullmatch(code):
        return False
    with database.write(after_commit) as transaction:
        connection = transaction.connection
        seen: dict[str, Any] = {
            "knocked_at": now,
            "why_knocked": why,
            "agent": agent,
            "host": host,
            "transport": transport,
        }
        if connection.execute(sa.select(table.c.code).where(table.c.code == code)).one_or_none() is not None:
            kept = {"knocked_at": now, "why_knocked": why} if why == "password" else seen
            connection.execute(sa.update(table).where(table.c.code == code).values(kept))
            return False
        waiting = sa.select(sa.func.count()).select_from(table).where(table.c.state == WAITING)
        if int(connection.execute(waiting).scalar_one()) >= MOST_WAITING:
            return False
        made = Platform(code, WAITING, revision=1, **seen)
        connection.execute(sa.insert(table).values(structs.asdict(made) | {"online": 0}))
        body = {"host": host, "agent": agent}
        journal.append(transaction, [_draft(SYSTEM, "platform.knocked", made, now, body)])
    return True


def entered(
    database: Database,
    code: str,
    *,
    transport: str,
    host: str,
    port: int,
    until_at: int,
    agent: str,
    version: str,
    now: int,
    after_commit: AfterCommit | None = None,
) -> bool:
    """Note a registration and return whether the platform came on line by it, which alone is an entry."""
    with database.write(after_commit) as transaction:
        before = _found(transaction.connection, code)
        if before is None:
            return False
        values = {"transport": transport, "host": host, "port": port, "until_at": until_at, "why_knocked": ""}
        values |= {"agent": agent or before.agent, "version": version or before.version}
        if not before.online:
            values |= {"online": 1, "online_at": now}
        transaction.connection.execute(sa.update(table).where(table.c.code == code).values(values))
        if not before.online:
            journal.append(transaction, [_draft(SYSTEM, "platform.online", before, now, {"host": host})])
        return not before.online


def moved(database: Database, code: str, host: str, port: int) -> None:
    """Keep a platform's newest address: NAT may change it at any time."""
    with database.write() as transaction:
        there = sa.update(table).where(table.c.code == code)
        transaction.connection.execute(there.values(host=host, port=port))


def left(database: Database, code: str, why: str, *, now: int, after_commit: AfterCommit | None = None) -> None:
    """Note that a platform is off line: unregistered, silent or expired."""
    with database.write(after_commit) as transaction:
        before = _found(transaction.connection, code)
        if before is None or not before.online:
            return
        values: dict[str, Any] = {"online": 0, "online_at": now}
        if why != "silent":
            values["until_at"] = 0
        transaction.connection.execute(sa.update(table).where(table.c.code == code).values(values))
        journal.append(transaction, [_draft(SYSTEM, "platform.offline", before, now, {"why": why})])


def told(database: Database, code: str, facts: dict[str, str]) -> None:
    """Keep what a platform told of itself beside what it told before."""
    with database.write() as transaction:
        before = _found(transaction.connection, code)
        if before is None:
            return
        news = {name: value for name, value in facts.items() if name not in NOT_FACTS}
        kept = dict(sorted((before.facts | news).items())[:FACTS_MOST])
        there = sa.update(table).where(table.c.code == code)
        transaction.connection.execute(there.values(info=msgspec.json.encode(kept).decode()))


def synced(
    database: Database,
    code: str,
    take: Taker,
    *,
    announced: int | None,
    whole: bool,
    why: str,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Tally:
    """Take what a full query brought, and say how whole it is: in one transaction with the cameras."""
    with database.write(after_commit) as transaction:
        before = _found(transaction.connection, code)
        if before is None:
            raise NotFound()
        tally = take(transaction)
        changes = {"added": tally.added, "changed": tally.changed, "gone": tally.gone}
        values: dict[str, Any] = {
            "announced": announced,
            "held": tally.held,
            "tried_at": now,
            "why": "" if whole else why,
            "missing": msgspec.json.encode(tally.missing[:MISSING_SHOWN]).decode(),
            "changes": msgspec.json.encode(changes).decode(),
        }
        if whole:
            values["synced_at"] = now
        transaction.connection.execute(sa.update(table).where(table.c.code == code).values(values))
        body = {"announced": announced, "held": tally.held, "whole": whole, "why": values["why"], **changes}
        body["missing"] = len(tally.missing)
        journal.append(transaction, [_draft(SYSTEM, "platform.synced", before, now, body)])
    return tally


def known_codes(connection: Connection, code: str) -> list[str]:
    """Return the codes of the cameras that a platform told of and that are there."""
    query = sa.select(camera.c.code).where(camera.c.source == source_of(code), camera.c.gone_at.is_(None))
    return [str(row[0]) for row in connection.execute(query.order_by(camera.c.code))]


# ---- rows


def _platform(row: sa.Row[Any]) -> Platform:
    values = row._asdict()
    return Platform(**{**values, "online": bool(values["online"])})


def _found(connection: Connection, code: str) -> Platform | None:
    query = sa.select(table).where(table.c.code == code).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _platform(row)


def _find(connection: Connection, code: str, *, lock: bool = False) -> Platform:
    query = sa.select(table).where(table.c.code == code)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound()
    return _platform(row)


def _unchanged(one: Platform, revision: int) -> Platform:
    if one.revision != revision:
        raise Refused("platforms.changed_meanwhile", code=one.code)
    return one


def _locked(transaction: Transaction, code: str, revision: int) -> Platform:
    return _unchanged(_find(transaction.connection, code, lock=True), revision)


def _store(transaction: Transaction, after: Platform, draft: Draft, now: int) -> Platform:
    after = structs.replace(after, revision=after.revision + 1, changed_at=now)
    values = structs.asdict(after) | {"online": int(after.online)}
    transaction.connection.execute(sa.update(table).where(table.c.code == after.code).values(values))
    journal.append(transaction, [structs.replace(draft, revision=after.revision)])
    return after


def _draft(identity: Identity, action: str, one: Platform, now: int, body: dict[str, Any], reason: str = "") -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="platform",
        subject_id=one.code,
        revision=one.revision,
        reason=reason,
        body={"title": one.name or one.code, **body},
    )


def network_set(
    database: Database, identity: Identity, network: str, *, now: int, after_commit: AfterCommit | None = None
) -> None:
    """Note that a network has a new password, or none any more. Raises Forbidden."""
    require(identity, "platform.manage")
    with database.write(after_commit) as transaction:
        made = Draft(
            at=now,
            actor=identity.actor,
            action="platform.network_set",
            subject_type="platform",
            subject_id=network[:40],
            body={"title": network[:40]},
        )
        journal.append(transaction, [made])
