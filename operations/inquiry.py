"""Asking the journal as an auditor 审计查询: by time, actor, kind of action, subject and reason; newest first.

Order is (at, seq), so that every filter has an index that gives the next page without counting what lies before it.
Sealed parts are never read here, and of bodies that tell of incidents only the names of what was set.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection, Select

from operations import journal, recovery, tables
from operations.database import Database
from operations.entry import Entry
from operations.errors import Forbidden, NotFound
from operations.policy import Identity, allowed

PAGE = 100
PAGE_MOST = 1_000
SUBJECTS_MOST = 20
SEEN_MOST = 200
NOTICED_MOST = 20

GROUPS: dict[str, tuple[str, ...]] = {
    "seen": ("look", "incident.unsealed", "incident.found_by_reporter", "lookup.not_found", "quarantine.unsealed"),
    "signin": ("session", "signin", "oidc", "factor", "link"),
    "refused": ("access",),
    "export": ("export",),
    "account": ("account", "right", "department", "recovery", "view"),
    "directory": ("person", "team", "shift", "responsibility"),
    "device": ("wall", "token", "pairing"),
    "incident": ("incident", "clock.met", "clock.near", "clock.overdue", "clock.escalated", "clock.adjusted", "report"),
    "order": ("order", "delivery"),
    "handover": ("handover", "note", "upward"),
    "warning": ("warning",),
    "quarantine": ("quarantine",),
    "source": ("source", "mapping", "file", "outlet", "platform"),
    "grid": ("grids",),
    "camera": ("camera", "coverage", "outage"),
    "viewing": ("request", "grant", "standing", "delegate", "evidence"),
    "journal": (
        "key",
        "body",
        "epoch",
        "audit",
        "journal",
        "head",
        "heads",
        "clock",
        "reconciliation",
        "segment",
        "backup",
        "retention",
    ),
}
"""{group: actions, whole or their first parts}."""
KINDS = ("account", "wall", "source", "token", "system", "anonymous")

OPEN = frozenset(
    {"account", "action", "audit", "backup", "clock", "department", "export", "head", "journal", "key", "pairing"}
    | {
        "partition",
        "recovery",
        "retention",
        "route",
        "segment",
        "session",
        "source",
        "stranger",
        "token",
        "wall",
        "file",
        "outlet",
    }
    | {"person", "team", "shift", "responsibility"}
)
"""Kinds of subjects whose bodies hold nothing about persons beside the accounts themselves."""
PLAIN = frozenset(
    {"step", "urgency", "revision", "updated_at", "type", "department", "result", "grid", "count", "first", "last"}
    | {
        "rule",
        "level",
        "state",
        "kind",
        "source",
        "fields",
        "number",
        "acknowledged_by",
        "closed_by",
        "session",
        "network",
    }
)
"""What is shown of the bodies of all other subjects; of the rest only the name."""
WITHHELD = "…"

_J = tables.journal.c
Place = tuple[int, int]
"""Where a page ends: (at, seq) of its last entry."""


class Asked(Struct, frozen=True):
    """What to look for; `since` inclusive and `until` exclusive in UTC microseconds; all that is given must hold.

    `actor`: "account:zhang", or only its name; `groups`: of `GROUPS`; `subjects`: ids; `reason`: words of it.
    """

    since: int | None = None
    until: int | None = None
    actor: str = ""
    groups: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    reason: str = ""


class Page(Struct, frozen=True):
    """Entries, newest first, and where the next page begins."""

    entries: list[Entry]
    next: Place | None


class Subject(Struct, frozen=True):
    """Something entries are about: its kind and id, and what people call it."""

    type: str
    id: str
    name: str


def page(
    database: Database,
    identity: Identity,
    asked: Asked,
    after: Place | None = None,
    limit: int = PAGE,
    seq_most: int | None = None,
) -> Page:
    """Return a page of what was asked for, nothing later than `seq_most`. Raises Forbidden."""
    permit(identity, "audit.read")
    limit = min(limit, PAGE_MOST)
    wanted = _conditions(asked) + ([_J.seq <= seq_most] if seq_most is not None else [])
    if after is not None:
        wanted.append(sa.tuple_(_J.at, _J.seq) < sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
    with database.read() as connection:
        found = [_rows(connection, [*wanted, *arm], limit + 1) for arm in _arms(connection, asked)]
    rows = list(heapq.merge(*found, key=lambda row: (row.at, row.seq), reverse=True))
    entries = [bare(journal.from_row(row)) for row in rows[:limit]]
    return Page(entries, (entries[-1].at, entries[-1].seq) if len(rows) > limit else None)


def subjects(database: Database, identity: Identity, text: str) -> list[Subject]:
    """Return what is called or numbered so: incidents by number, accounts and others by name, all by id.

    Raises Forbidden, NotFound.
    """
    permit(identity, "audit.read")
    text = text.strip()
    if not text or not text.isprintable():  # none of ours; a database would not take it
        raise NotFound()
    with database.read() as connection:
        found = [*_named(connection, text), *_told_of(connection, text)]
    once = {(one.type, one.id): one for one in reversed(found)}
    if not once:
        raise NotFound()
    return list(once.values())[::-1][:SUBJECTS_MOST]


def called(database: Database, identity: Identity, entries: Sequence[Entry]) -> dict[str, str]:
    """Return what people call the subjects of entries: {id: number or name}. Raises Forbidden."""
    permit(identity, "audit.read")
    ids = sorted({entry.subject_id for entry in entries})[:PAGE_MOST]
    found: dict[str, str] = {}
    with database.read() as connection:
        for _, table, key, name in _NAMED:
            query = sa.select(table.c[key], table.c[name]).where(table.c[key].in_(ids))
            found |= {str(row[0]): str(row[1]) for row in connection.execute(query) if row[0] != row[1]}
    return found


def seen(database: Database, identity: Identity, subject: Subject) -> list[Entry]:
    """Return who saw what of a subject is sealed; for an account: what it saw. Newest first. Raises Forbidden."""
    permit(identity, "audit.read")
    query = _joined().where(_J.action.in_(GROUPS["seen"])).order_by(_J.at.desc(), _J.seq.desc()).limit(SEEN_MOST)
    if subject.type == "account":
        query = query.where(_J.actor == f"account:{subject.name}")
    else:
        query = query.where(_J.subject_id == subject.id)
    with database.read() as connection:
        return [bare(journal.from_row(row)) for row in connection.execute(query)]


def command_line(database: Database, identity: Identity, *, since: int) -> list[Entry]:
    """Return what the server's own terminal did, or was refused, about accounts, the recovery key's use among it.

    Newest first. Raises Forbidden.
    """
    if not (allowed(identity, "audit.read") or allowed(identity, "account.read")):
        raise Forbidden(permission="audit.read")
    told = (recovery.USED, recovery.REFUSED, recovery.COMMAND)
    query = _joined().where(_J.subject_id == recovery.SUBJECT, _J.action.in_(told), _J.at >= since)
    with database.read() as connection:
        rows = connection.execute(query.order_by(_J.seq.desc()).limit(NOTICED_MOST)).all()
    return [bare(journal.from_row(row)) for row in rows]


def bare(entry: Entry) -> Entry:
    """Return an entry as an auditor may see it: that something was set or seen, not what it was."""
    if entry.body is None or entry.subject_type in OPEN:
        return entry
    body = {name: _bared(name, value) for name, value in entry.body.items() if name != "words"}
    return structs.replace(entry, body=body)


def permit(identity: Identity, wanted: str) -> None:
    """Raise Forbidden unless somebody may do an action."""
    if not allowed(identity, wanted):
        raise Forbidden(permission=wanted)


def _bared(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {str(inner): _bared(str(inner), one) for inner, one in value.items()}
    return value if name in PLAIN else WITHHELD


def _conditions(asked: Asked) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if asked.since is not None:
        wanted.append(_J.at >= asked.since)
    if asked.until is not None:
        wanted.append(_J.at < asked.until)
    if asked.subjects:
        wanted.append(_J.subject_id.in_(asked.subjects))
    if asked.reason:
        wanted += [_J.reason != "", sa.func.lower(_J.reason).contains(asked.reason.lower(), autoescape=True)]
    return wanted


def _arms(connection: Connection, asked: Asked) -> Iterator[list[sa.ColumnElement[bool]]]:
    """One query for each actor, or else for each action: so each has an index that gives its order."""
    actions = _actions(connection, asked.groups) if asked.groups else None
    if actions is not None and not actions:
        return
    if asked.actor:
        among = [_J.action.in_(actions)] if actions is not None else []
        for actor in _actors(asked.actor):
            yield [_J.actor == actor, *among]
    elif asked.subjects or actions is None:
        yield [_J.action.in_(actions)] if actions is not None else []
    else:
        for action in actions:
            yield [_J.action == action]


def _actors(text: str) -> list[str]:
    return [text] if text.partition(":")[0] in KINDS and ":" in text else [f"{kind}:{text}" for kind in KINDS]


def _actions(connection: Connection, groups: Sequence[str]) -> list[str]:
    """The actions there are of some groups: a skip over the index, one step an action."""
    wanted = [one for group in groups for one in GROUPS.get(group, ())]
    found: list[str] = []
    last = ""
    while True:
        query = sa.select(_J.action).where(_J.action > last).order_by(_J.action).limit(1)
        following = connection.execute(query).scalar_one_or_none()
        if following is None:
            return found
        last = str(following)
        if last in wanted or last.partition(".")[0] in wanted:
            found.append(last)


def _rows(connection: Connection, wanted: list[sa.ColumnElement[bool]], limit: int) -> Sequence[sa.Row[Any]]:
    query = _joined().where(*wanted).order_by(_J.at.desc(), _J.seq.desc()).limit(limit)
    return connection.execute(query).all()


def _joined() -> Select[Any]:
    joined = sa.outerjoin(tables.journal, tables.journal_body, _J.seq == tables.journal_body.c.seq)
    return sa.select(tables.journal, tables.journal_body.c.body).select_from(joined)


_NAMED: tuple[tuple[str, sa.Table, str, str], ...] = (
    ("incident", tables.incident, "id", "number"),
    ("account", tables.account, "id", "name"),
    ("source", tables.source, "id", "name"),
    ("wall", tables.wall, "id", "name"),
    ("token", tables.token, "id", "name"),
    ("session", tables.session, "id", "id"),
    ("department", tables.department, "code", "name"),
)
"""(kind, table, column of the id, column of what people call it)"""


def _named(connection: Connection, text: str) -> Iterator[Subject]:
    for kind, table, key, name in _NAMED:
        query = sa.select(table.c[key], table.c[name]).where(sa.or_(table.c[key] == text, table.c[name] == text))
        for row in connection.execute(query.order_by(table.c[key].desc()).limit(SUBJECTS_MOST)):
            yield Subject(kind, str(row[0]), str(row[1]))


def _told_of(connection: Connection, text: str) -> Iterator[Subject]:
    """A subject no table names, such as a session that is gone, is known by its entries."""
    query = (
        sa.select(_J.subject_type)
        .where(_J.subject_id == text, _J.subject_type != "audit")
        .distinct()
        .limit(SUBJECTS_MOST)
    )
    for row in connection.execute(query):
        yield Subject(str(row[0]), text, text)
