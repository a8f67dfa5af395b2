"""Hand-over at a change of shift 交接班: an open list of what stands, signed by who goes and by who takes over.

Whoever goes opens one for their jurisdiction and signs; another account of the same jurisdiction asks back, or takes
over and signs. The list is kept as it was signed. List and remarks are sealed under the hand-over's own key, both
signatures carry their digest. The duty log 值班日志 beside it is `operations/dutylog.py`.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from config import clock
from operations import journal
from operations.database import AfterCommit, Database
from operations.entry import Draft, path
from operations.errors import NotFound, Refused
from operations.numbers import Numbers
from operations.openlist import OpenList
from operations.policy import Identity, reach
from operations.scope import Scope
from operations.seal import KeyStore, seal
from operations.tables import handover as table
from operations.uuid7 import uuid7
from operations.wording import cleaned

STATES = ("open", "signed", "asked", "taken", "withdrawn")
"""起草 待接班 退问 已交接 已撤回."""
WAITING = ("open", "signed", "asked")
TEXT_MOST = 2_000
TALK_MOST, LISTED_MOST = 20, 30


class Handover(Struct, frozen=True, kw_only=True):
    """One hand-over as it stands; times in UTC microseconds. `digest`: of list and remarks as they were signed."""

    id: str
    number: str
    state: str
    grid: str
    path: str
    department: str
    revision: int
    from_id: str
    from_name: str
    made_at: int
    listed_at: int
    counts: dict[str, int]
    signed_at: int | None = None
    asked_at: int | None = None
    asked_by: str = ""
    to_id: str = ""
    to_name: str = ""
    taken_at: int | None = None
    ended_at: int | None = None
    ended_by: str = ""
    digest: str = ""

    @property
    def waits(self) -> bool:
        """Whether it still has to be taken over."""
        return self.state in WAITING

    @property
    def scope(self) -> Scope:
        """The jurisdiction that is handed over."""
        return Scope(self.grid, self.department)


class Talk(Struct, frozen=True):
    """A question of who takes over, an answer of who goes, or a remark at taking over."""

    by: str
    at: int
    text: str


class Kept(Struct, frozen=True):
    """What is sealed: the list, the remarks, the points to pass on, and what both said about it."""

    list: OpenList
    remarks: str = ""
    points: str = ""
    talk: tuple[Talk, ...] = ()
    salt: str = ""

    def digest(self) -> str:
        """Return the digest both sign: of list, remarks and points; salted, so that it tells nothing of them."""
        signed = msgspec.json.encode((self.salt, self.list, self.remarks, self.points), order="deterministic")
        return hashlib.sha256(signed).hexdigest()


class Shown(Struct, frozen=True):
    """A hand-over with what is sealed in it (None once its key is destroyed); `intact`: it is as it was signed."""

    handover: Handover
    kept: Kept | None

    @property
    def intact(self) -> bool:
        """Whether list and remarks are those that were signed; True also before anybody signed."""
        return not self.handover.digest or (self.kept is not None and self.kept.digest() == self.handover.digest)


class _Body(Struct, frozen=True):
    handover: Handover
    sealed: bytes


Change = Callable[[Handover, Kept, int], tuple[Handover, Kept]]
Chain = Callable[[str], tuple[str, ...]]
_body = msgspec.msgpack.Decoder(_Body)


class Handovers:
    """The commands on hand-overs. `chain(code)`: codes from the root to a grid."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        doorbell: AfterCommit | None = None,
        *,
        zone: tzinfo,
        chain: Chain,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._keys = keys
        self._doorbell = doorbell
        self._zone = zone
        self._chain = chain
        self._now = now

    def listed(self, identity: Identity) -> list[Handover]:
        """Return those of the jurisdiction: what waits first, then the newest."""
        scope = reach(identity, "handover.read")
        waits = sa.case((table.c.state.in_(WAITING), 0), else_=1)
        query = sa.select(table.c.body).where(*_inside(scope)).order_by(waits, table.c.made_at.desc())
        with self._database.read() as connection:
            return [_body.decode(one).handover for one in connection.execute(query.limit(LISTED_MOST)).scalars()]

    def shown(self, identity: Identity, handover_id: str) -> Shown:
        """Return one with its list. Raises NotFound."""
        scope = reach(identity, "handover.read")
        with self._database.read() as connection:
            one = _find(connection, scope, handover_id)
        return Shown(one.handover, self._kept(one))

    def begin(self, identity: Identity, found: OpenList, remarks: str = "", points: str = "") -> Handover:
        """Open one for one's own jurisdiction. Raises Refused while another one of it waits."""
        scope, now = reach(identity, "handover.write"), self._now()
        chain = self._chain(scope.grid) or (scope.grid,) if scope.grid else ()
        kept = Kept(found, _text(remarks), _text(points), salt=os.urandom(16).hex())
        with self._database.write(self._doorbell) as transaction:
            transaction.alone("handover")
            waiting = _waiting(transaction.connection, path(chain), scope.department)
            if waiting is not None:
                raise Refused("handover.one_open", number=waiting.number, who=waiting.from_name)
            numbers = Numbers(transaction, self._zone, now)
            number = "J" + numbers.next("handover/" + scope.grid)
            numbers.store()
            one = Handover(
                id=uuid7(now),
                number=number,
                state="open",
                grid=scope.grid,
                path=path(chain),
                department=scope.department,
                revision=1,
                from_id=identity.id,
                from_name=identity.name,
                made_at=now,
                listed_at=found.at,
                counts=found.counts,
            )
            row, sealed = self._row(one, kept)
            transaction.connection.execute(sa.insert(table).values(row))
            journal.append(transaction, [_draft(identity, one, "handover.opened", now, sealed)])
        return one

    def keep(
        self,
        identity: Identity,
        handover_id: str,
        revision: int,
        remarks: str,
        points: str,
        found: OpenList | None = None,
    ) -> Handover:
        """Keep remarks and points while it is not signed; with `found`, the list as it stands now."""
        remarks, points = _text(remarks), _text(points)

        def step(one: Handover, kept: Kept, _now: int) -> tuple[Handover, Kept]:
            _need(one.from_id == identity.id, "only_from")
            _need(one.state in ("open", "asked"), "not_now")
            listed = found or kept.list
            after = structs.replace(one, listed_at=listed.at, counts=listed.counts, digest="", signed_at=None)
            return after, structs.replace(kept, list=listed, remarks=remarks, points=points)

        return self._step(identity, handover_id, revision, step, "handover.listed" if found else "handover.kept")

    def sign(
        self, identity: Identity, handover_id: str, revision: int, remarks: str, points: str, answer: str = ""
    ) -> Handover:
        """Sign as who goes; after a question with the answer to it. From here on the list stays as it is."""
        remarks, points, answer = _text(remarks), _text(points), _text(answer)

        def step(one: Handover, kept: Kept, now: int) -> tuple[Handover, Kept]:
            _need(one.from_id == identity.id, "only_from")
            _need(one.state in ("open", "asked"), "not_now")
            _need(one.state == "open" or bool(answer), "answer_missing")
            after = _said(structs.replace(kept, remarks=remarks, points=points), identity, now, answer)
            return structs.replace(one, state="signed", signed_at=now, digest=after.digest()), after

        return self._step(identity, handover_id, revision, step, "handover.signed")

    def ask(self, identity: Identity, handover_id: str, revision: int, text: str) -> Handover:
        """Ask back, as who would take over: the other one answers and signs anew."""
        text = _text(text)
        _need(len(text) > 1, "question_missing")

        def step(one: Handover, kept: Kept, now: int) -> tuple[Handover, Kept]:
            _another(one, identity)
            _need(len(kept.talk) < TALK_MOST, "talked_enough")
            after = structs.replace(one, state="asked", asked_at=now, asked_by=identity.name)
            return after, _said(kept, identity, now, text)

        return self._step(identity, handover_id, revision, step, "handover.asked")

    def take(self, identity: Identity, handover_id: str, revision: int, remark: str = "") -> Handover:
        """Take over and sign. Never by the account that hands over; the second of two is told who was first."""
        remark = _text(remark)

        def step(one: Handover, kept: Kept, now: int) -> tuple[Handover, Kept]:
            _another(one, identity)
            _need(kept.digest() == one.digest, "not_as_signed")
            ended = {"taken_at": now, "ended_at": now, "ended_by": identity.name}
            after = structs.replace(one, state="taken", to_id=identity.id, to_name=identity.name, **ended)
            return after, _said(kept, identity, now, remark)

        return self._step(identity, handover_id, revision, step, "handover.taken")

    def withdraw(self, identity: Identity, handover_id: str, revision: int) -> Handover:
        """Withdraw one that nobody took: by who opened it, or by a duty commander when they have gone."""

        def step(one: Handover, kept: Kept, now: int) -> tuple[Handover, Kept]:
            _need(one.from_id == identity.id or identity.role == "duty_commander", "only_from")
            return structs.replace(one, state="withdrawn", ended_at=now, ended_by=identity.name), kept

        return self._step(identity, handover_id, revision, step, "handover.withdrawn")

    def _step(self, identity: Identity, handover_id: str, revision: int, step: Change, action: str) -> Handover:
        scope, now = reach(identity, "handover.write"), self._now()
        with self._database.write(self._doorbell) as transaction:
            one = _find(transaction.connection, scope, handover_id, lock=True)
            _still(one.handover, revision)
            kept = self._kept(one)
            if kept is None:
                raise Refused("handover.key_gone")
            after, said = step(one.handover, kept, now)
            after = structs.replace(after, revision=revision + 1)
            row, sealed = self._row(after, said)
            transaction.connection.execute(sa.update(table).where(table.c.id == after.id).values(row))
            journal.append(transaction, [_draft(identity, after, action, now, sealed)])
        return after

    def _kept(self, one: _Body) -> Kept | None:
        id = one.handover.id
        if not self._keys.find([id]):
            return None
        return msgspec.json.decode(self._keys.open(id, one.sealed), type=Kept)

    def _row(self, one: Handover, kept: Kept) -> tuple[dict[str, Any], bytes]:
        sealed = seal(self._keys.make([one.id])[one.id], one.id, msgspec.json.encode(kept))
        row = {name: getattr(one, name) for name in ("id", "department", "path", "state", "made_at", "signed_at")}
        more = {"from_account": one.from_id, "to_account": one.to_id, "taken_at": one.taken_at}
        return {**row, **more, "body": msgspec.msgpack.encode(_Body(one, sealed))}, sealed


def _still(one: Handover, revision: int) -> None:
    """Raise Refused where it is no longer what whoever asks saw."""
    if one.state == "taken":
        raise Refused("handover.taken_by", number=one.number, who=one.to_name)
    if one.state == "withdrawn":
        raise Refused("handover.withdrawn_by", number=one.number, who=one.ended_by)
    if one.revision != revision:
        raise Refused("handover.changed", number=one.number)


def _another(one: Handover, identity: Identity) -> None:
    _need(one.from_id != identity.id, "not_oneself")
    _need(one.state == "signed", "not_signed")


def _said(kept: Kept, identity: Identity, now: int, text: str) -> Kept:
    return structs.replace(kept, talk=(*kept.talk, Talk(identity.name, now, text))) if text else kept


def _waiting(connection: Connection, path: str, department: str) -> Handover | None:
    query = sa.select(table.c.body).where(
        table.c.state.in_(WAITING), table.c.path == path, table.c.department == department
    )
    body = connection.execute(query.limit(1)).scalar()
    return None if body is None else _body.decode(body).handover


def last_taken(connection: Connection, scope: Scope) -> int | None:
    """Return when a hand-over of exactly this jurisdiction was taken last."""
    end = "/" + scope.grid if scope.grid else ""
    query = sa.select(sa.func.max(table.c.taken_at)).where(
        table.c.state == "taken",
        table.c.department == scope.department,
        ("/" + table.c.path).endswith(end, autoescape=True) if end else table.c.path == "",
    )
    found: int | None = connection.execute(query).scalar()
    return found


def _inside(scope: Scope) -> Sequence[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if scope.grid:
        found.append(("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True))
    if scope.department:
        found.append(table.c.department == scope.department)
    return found


def _find(connection: Connection, scope: Scope, handover_id: str, *, lock: bool = False) -> _Body:
    if not (handover_id.isascii() and handover_id.isprintable()):
        raise NotFound()
    query = sa.select(table.c.body).where(table.c.id == handover_id, *_inside(scope))
    body = connection.execute(query.with_for_update() if lock else query).scalar()
    if body is None:
        raise NotFound()
    return _body.decode(body)


def _draft(identity: Identity, one: Handover, action: str, now: int, sealed: bytes) -> Draft:
    body: dict[str, Any] = {"number": one.number, "state": one.state, "from": one.from_name, "counts": one.counts}
    if one.digest:
        body |= {"digest": one.digest, "signed_at": one.signed_at}
    if one.to_name:
        body |= {"to": one.to_name, "taken_at": one.taken_at}
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="handover",
        subject_id=one.id,
        revision=one.revision,
        scope_grid=one.path,
        scope_grid_before=one.path,
        scope_department=one.department,
        scope_department_before=one.department,
        reason=one.number,
        body=body,
        sealed=sealed,
    )


def _text(text: str) -> str:
    text = cleaned(text)
    if len(text) > TEXT_MOST:
        raise Refused("operations.text_too_long", most=TEXT_MOST)
    return text


def _need(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(f"handover.{code}")
