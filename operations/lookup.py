"""Looking up one reporter 按来电号码查一件: the newest case of a telephone number, with a reason, by an entry.

Reporters are not indexed: the newest cases of the jurisdiction are opened one by one, so many and no more, and one is
told. It is no way to list what somebody has reported: one case an answer, and few answers an hour.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection

from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft, path
from operations.errors import Refused, Sealed
from operations.incident import Incident
from operations.incidents.rows import inside
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.seal import KeyStore, unseal
from operations.tables import incident as table
from operations.tables import journal as entries
from operations.tables import journal_body
from operations.uuid7 import uuid7
from operations.wording import cleaned

DAYS, CASES_MOST, AT_ONCE = 30, 5_000, 250
DAY, HOUR = 86_400_000_000, 3_600_000_000
TIMES_MOST = 10
"""Look-ups one person may make in an hour."""
DIGITS_LEAST, DIGITS_MOST = 7, 15
REASON_LEAST, REASON_MOST = 2, 500
FOUND, NOT_FOUND = "incident.found_by_reporter", "lookup.not_found"
_incident = msgspec.json.Decoder(Incident)


class Looked(Struct, frozen=True):
    """What came of it: the newest case, or None among the `count` newest of `DAYS` days that were looked at."""

    incident: Incident | None
    count: int


def reporter(
    database: Database,
    keys: KeyStore,
    identity: Identity,
    phone: str,
    reason: str,
    *,
    now: int,
    after_commit: AfterCommit | None = None,
) -> Looked:
    """Return the newest case a telephone number reported. Raises Forbidden, Refused."""
    scope = reach(identity, "incident.unseal")
    wanted, reason = digits(phone), cleaned(reason)
    if not DIGITS_LEAST <= len(wanted) <= DIGITS_MOST:
        raise Refused("lookup.phone_wrong", least=DIGITS_LEAST)
    if not REASON_LEAST <= len(reason) <= REASON_MOST:
        raise Refused("operations.text_missing")
    with database.read() as connection:
        if _times(connection, identity, now) >= TIMES_MOST:
            raise Refused("lookup.too_often", most=TIMES_MOST)
        found, count = _scan(connection, keys, scope, wanted, now)
    with database.write(after_commit) as transaction:
        journal.append(transaction, [_draft(identity, found, count, reason, now)])
    return Looked(found, count)


def digits(phone: str) -> str:
    """Return a number's digits without the country's code, as two writings of one number have them."""
    plain = re.sub(r"\D", "", phone)
    return re.sub(r"^(00)?86(?=1\d{10}$)", "", plain)


def _times(connection: Connection, identity: Identity, now: int) -> int:
    columns = entries.c
    query = sa.select(sa.func.count()).select_from(entries).where(columns.actor == identity.actor)
    query = query.where(columns.at > now - HOUR, columns.action.in_((FOUND, NOT_FOUND)))
    return int(connection.execute(query).scalar_one())


def _scan(connection: Connection, keys: KeyStore, scope: Scope, wanted: str, now: int) -> tuple[Incident | None, int]:
    query = sa.select(table.c.id, table.c.body).where(table.c.received_at > now - DAYS * DAY, *inside(scope))
    rows = connection.execute(query.order_by(table.c.received_at.desc()).limit(CASES_MOST)).all()
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        told = dict(_phones(connection, keys, [row.id for row in part]))
        for number, row in enumerate(part):
            if wanted in told.get(row.id, ()):
                return _incident.decode(row.body), start + number + 1
    return None, len(rows)


def _phones(connection: Connection, keys: KeyStore, ids: Sequence[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield (incident, its reporters' numbers); what is sealed under a destroyed key stays shut."""
    joined = sa.join(entries, journal_body, entries.c.seq == journal_body.c.seq)
    query = sa.select(entries.c.subject_id, journal_body.c.sealed).select_from(joined)
    query = query.where(entries.c.subject_id.in_(ids), journal_body.c.sealed.is_not(None))
    known = keys.find(ids)
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        phone = _phone(known.get(row.subject_id), row.subject_id, row.sealed)
        if phone:
            found.setdefault(row.subject_id, set()).add(phone)
    yield from found.items()


def _phone(key: bytes | None, subject: str, sealed: bytes) -> str:
    if key is None:
        return ""
    try:
        opened: dict[str, Any] = msgspec.json.decode(unseal(key, subject, sealed))
    except Sealed:
        return ""
    said = opened.get("reporter")
    return digits(str(said.get("phone", ""))) if isinstance(said, dict) else ""


def _draft(identity: Identity, found: Incident | None, count: int, reason: str, now: int) -> Draft:
    """The entry: why, how many were looked at, which case it was; never the number."""
    chain = path(found.chain) if found else ""
    return Draft(
        at=now,
        actor=identity.actor,
        action=FOUND if found else NOT_FOUND,
        subject_type="incident" if found else "lookup",
        subject_id=found.id if found else uuid7(now),
        revision=found.revision if found else 0,
        scope_grid=chain,
        scope_grid_before=chain,
        scope_department=found.department if found else "",
        scope_department_before=found.department if found else "",
        reason=reason,
        body={"looked_at": count, "days": DAYS, "session": identity.session},
    )
