"""The duty log 值班日志: what happened in a shift, written by who was there. Nothing is edited: a correction is a note.

The text is sealed under the note's own key; `at` is when it happened, `written_at` when somebody wrote it down.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from config import clock
from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft, path
from operations.errors import NotFound, Refused
from operations.handover import Chain
from operations.incidents import rows as incidents
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.seal import KeyStore, seal
from operations.tables import duty_note as table
from operations.tables import incident
from operations.uuid7 import uuid7
from operations.wording import cleaned

KINDS = ("call", "decision", "visit", "equipment", "other")
"""来电 决定 来访 设备 其他."""
TEXT_MOST, LISTED_MOST = 2_000, 500
SECOND = 1_000_000
BACK_MOST = 24 * 3600 * SECOND
"""How far back something may be written down at most, whatever the shift."""


class Note(Struct, frozen=True, kw_only=True):
    """One note. `text` is None once its key is destroyed; `corrects`: id of the note it puts right; `account`: name."""

    id: str
    at: int
    written_at: int
    account: str
    department: str
    path: str
    kind: str
    incident: str = ""
    incident_number: str = ""
    corrects: str = ""
    corrected_by: str = ""
    text: str | None = None

    @property
    def later(self) -> bool:
        """Whether it was written down later than the minute it happened in."""
        return self.written_at - self.at >= 60 * SECOND


class DutyLog:
    """The duty log on one database. `chain(code)`: codes from the root to a grid."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        doorbell: AfterCommit | None = None,
        *,
        chain: Chain,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._keys = keys
        self._doorbell = doorbell
        self._chain = chain
        self._now = now

    def write(
        self,
        identity: Identity,
        text: str,
        kind: str = "other",
        *,
        number: str = "",
        at: int | None = None,
        since: int = 0,
        corrects: str = "",
    ) -> Note:
        """Write a note, now or at an earlier time of the shift that began at `since`. Raises Refused, NotFound."""
        scope, now = reach(identity, "handover.write"), self._now()
        text, at = _text(text), now if at is None else at
        _need(kind in KINDS, "kind_wrong")
        _need(at <= now, "time_ahead")
        _need(at >= max(since, now - BACK_MOST), "time_too_early")
        chain = self._chain(scope.grid) or (scope.grid,) if scope.grid else ()
        with self._database.write(self._doorbell) as transaction:
            connection = transaction.connection
            if corrects:
                corrects = _find(connection, scope, corrects)
            one = Note(
                id=uuid7(now),
                at=at,
                written_at=now,
                account=identity.name,
                department=scope.department,
                path=path(chain),
                kind=kind,
                incident=_incident(connection, scope, cleaned(number)),
                corrects=corrects,
                text=text,
            )
            sealed = seal(self._keys.make([one.id])[one.id], one.id, text.encode())
            connection.execute(sa.insert(table).values({**_row(one), "sealed": sealed}))
            journal.append(transaction, [_draft(identity, one, sealed)])
        return one

    def listed(
        self, identity: Identity, since: int, until: int, *, kind: str = "", text: str = ""
    ) -> tuple[list[Note], bool]:
        """Return the notes of a stretch of time, oldest first, and whether earlier ones of it found no room.

        `text`: only those that hold it. Bounded to the newest `LISTED_MOST`.
        """
        scope = reach(identity, "handover.read")
        columns = table.c
        query = sa.select(table).where(columns.at >= since, columns.at < until, *_inside(scope))
        if kind:
            query = query.where(columns.kind == kind)
        query = query.order_by(columns.at.desc(), columns.id.desc()).limit(LISTED_MOST + 1)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            more, rows = len(rows) > LISTED_MOST, rows[:LISTED_MOST]
            numbers = _numbers(connection, [row.incident for row in rows if row.incident])
            corrections = _corrections(connection, [row.id for row in rows])
        found = [self._note(row, numbers, corrections) for row in reversed(rows)]
        wanted = cleaned(text).casefold()
        return [one for one in found if wanted in (one.text or "").casefold()], more

    def _note(self, row: sa.Row[Any], numbers: dict[str, str], corrections: dict[str, str]) -> Note:
        values = {name: getattr(row, name) for name in Note.__struct_fields__ if name in table.c}
        text = self._keys.open(row.id, row.sealed).decode() if row.sealed and self._keys.find([row.id]) else None
        number = numbers.get(row.incident, "")
        return Note(**values, incident_number=number, corrected_by=corrections.get(row.id, ""), text=text)


def _incident(connection: Connection, scope: Scope, number: str) -> str:
    """Return the id of the newest incident of a number. Raises Refused where there is none in the jurisdiction."""
    if not number:
        return ""
    columns = incident.c
    query = sa.select(columns.id).where(columns.number == number, *incidents.inside(scope))
    found: str | None = connection.execute(query.order_by(columns.opened_at.desc()).limit(1)).scalar()
    if found is None:
        raise Refused("handover.no_incident", number=number[:40])
    return found


def _numbers(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    query = sa.select(incident.c.id, incident.c.number).where(incident.c.id.in_(set(ids)))
    return {row.id: row.number for row in connection.execute(query)}


def _corrections(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    query = sa.select(table.c.corrects, table.c.id).where(table.c.corrects.in_(ids)).order_by(table.c.id)
    return {row.corrects: row.id for row in connection.execute(query)}


def _find(connection: Connection, scope: Scope, note_id: str) -> str:
    if not (note_id.isascii() and note_id.isprintable()):
        raise NotFound()
    found: str | None = connection.execute(sa.select(table.c.id).where(table.c.id == note_id, *_inside(scope))).scalar()
    if found is None:
        raise NotFound()
    return found


def _inside(scope: Scope) -> Sequence[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if scope.grid:
        found.append(("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True))
    if scope.department:
        found.append(table.c.department == scope.department)
    return found


def _row(one: Note) -> dict[str, Any]:
    return {name: value for name, value in structs.asdict(one).items() if name in table.c}


def _draft(identity: Identity, one: Note, sealed: bytes) -> Draft:
    return Draft(
        at=one.written_at,
        actor=identity.actor,
        action="note.corrected" if one.corrects else "note.written",
        subject_type="note",
        subject_id=one.id,
        revision=1,
        scope_grid=one.path,
        scope_grid_before=one.path,
        scope_department=one.department,
        scope_department_before=one.department,
        body={"kind": one.kind, "at": one.at, "incident": one.incident, "corrects": one.corrects},
        sealed=sealed,
    )


def _text(text: str) -> str:
    text = cleaned(text)
    if len(text) > TEXT_MOST:
        raise Refused("operations.text_too_long", most=TEXT_MOST)
    _need(len(text) > 1, "text_missing")
    return text


def _need(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(f"handover.{code}")
