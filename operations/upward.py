"""Reports to the level above 信息报送: the first 首报, continued 续报 and final 终报 one of a graded incident.

A grade makes the first one due; a report that was sent makes the next one due while the incident is open; closing makes
the final one due. One drafts, the commander or a leader signs 签发, and sending is proved by how, to whom and under
which number; or it leaves by the way out its recipient names, and what took it is the proof. What is written is sealed
under the report's own key.
"""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from config import clock
from config.upward import Upward, current
from operations import journal
from operations.database import AfterCommit, Database, Transaction
from operations.entry import Draft, path
from operations.errors import NotFound, Refused
from operations.incident import Incident
from operations.incidents import rows as incidents
from operations.numbers import Numbers
from operations.outlets import outbox
from operations.outlets import rows as outlets
from operations.outlets.message import Message
from operations.outlets.outbox import DELIVERED, SENT, Parcel
from operations.outlets.outlet import REPORT, Outlet
from operations.outlets.recording import Outcome
from operations.policy import SYSTEM, Identity, reach
from operations.scope import WHOLE, Scope
from operations.seal import KeyStore, seal
from operations.tables import upward_report as table
from operations.uuid7 import uuid7
from operations.wording import cleaned

KINDS = ("first", "continued", "final")
STATES = ("due", "draft", "returned", "signed", "sending", "sent", "void")
"""待报, 起草, 退回, 已签发, 正在送出, 已报送, 免报."""
CHANNELS = ("phone", "system", "email", "fax", "paper")
"""Ways somebody writes down; what left by an outlet has OUTLET."""
OUTLET, RECIPIENT = "outlet", "upward"
PARTS = ("facts", "loss", "measures", "next")
"""What is written: 基本情况, 伤亡损失（只写数字）, 处置措施, 下一步."""
TEXT_MOST, NAME_MOST = 2_000, 80
LISTED_MOST = 200
AT_ONCE = 200
MINUTE = 60_000_000
_OPEN = ("due", "draft", "returned", "signed", "sending")
_SIGNED = ("signed", "sending")
_TOOK = (SENT, DELIVERED)


class Proof(Struct, frozen=True):
    """How it was sent: the channel, the number the level above gave it, and (sealed elsewhere) who took it."""

    channel: str
    number: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """One report as it stands; times in UTC microseconds; `told`: 1 near-due was said, 2 overdue."""

    id: str
    number: str
    kind: str
    state: str
    grade: str
    incident: str
    incident_number: str
    department: str
    path: str
    revision: int
    due_at: int
    near_at: int
    made_at: int
    made_by: str = ""
    signed_at: int | None = None
    signed_by: str = ""
    sent_at: int | None = None
    sent_by: str = ""
    proof: Proof | None = None
    told: int = 0

    @property
    def waits(self) -> bool:
        """Whether it still has to be sent."""
        return self.state in _OPEN

    def next_at(self) -> int | None:
        """When its clock says something next."""
        if not self.waits or self.told > 1:
            return None
        return self.due_at if self.told else self.near_at


class _Body(Struct, frozen=True):
    report: Report
    sealed: bytes = b""


class Written(Struct, frozen=True):
    """A report with what was written in it ({} once its key is destroyed) and the incident it is about."""

    report: Report
    words: dict[str, str]
    incident: Incident
    way: str = ""  # how its last message by an outlet stands: waiting, dead ...


_body = msgspec.msgpack.Decoder(_Body)


# ---- what becomes due ------------------------------------------------------------------------------------------------


def required(
    transaction: Transaction, before: Incident, after: Incident, zone: tzinfo, now: int, rules: Upward | None = None
) -> list[Draft]:
    """Write down which reports a change of an incident makes due or needless; return the entries that say so."""
    rules = rules or current()
    if after.grade != before.grade and after.grade in rules.rules:
        return _graded(transaction, after, rules, zone, now)
    if after.grade in rules.rules and before.is_open and not after.is_open and not after.merged_into:
        void = _void(transaction, after.id, now)
        return [*void, _due(transaction, after, "final", rules.rules[after.grade].final_minutes, rules, zone, now)]
    return []


def _graded(transaction: Transaction, incident: Incident, rules: Upward, zone: tzinfo, now: int) -> list[Draft]:
    """A first grade makes the first report due; a graver one brings the next report forward."""
    rule = rules.rules[incident.grade]
    known = _of_incident(transaction.connection, incident.id)
    pending = [one for one in known if one.report.waits]
    if not known:
        return [_due(transaction, incident, "first", rule.first_minutes, rules, zone, now)]
    if not pending:
        return [_due(transaction, incident, "continued", rule.first_minutes, rules, zone, now)]
    one = pending[-1]
    soonest = min(one.report.due_at, now + rule.first_minutes * MINUTE)
    changed = structs.replace(one.report, grade=incident.grade, due_at=soonest, near_at=_near(now, soonest, rules))
    return [_stored(transaction, SYSTEM, one, changed, "upward.regraded", now)]


def _due(
    transaction: Transaction, incident: Incident, kind: str, minutes: int, rules: Upward, zone: tzinfo, now: int
) -> Draft:
    numbers = Numbers(transaction, zone, now)
    number = "B" + numbers.next("upward/" + incident.county)
    numbers.store()
    due = now + minutes * MINUTE
    report = Report(
        id=uuid7(now),
        number=number,
        kind=kind,
        state="due",
        grade=incident.grade,
        incident=incident.id,
        incident_number=incident.number,
        department=incident.department,
        path=path(incident.chain),
        revision=1,
        due_at=due,
        near_at=_near(now, due, rules),
        made_at=now,
    )
    transaction.connection.execute(sa.insert(table).values(_row(_Body(report))))
    return _draft(SYSTEM, report, "upward.required", now)


def _near(now: int, due: int, rules: Upward) -> int:
    return now + (due - now) * rules.near_percent // 100


def _void(transaction: Transaction, incident_id: str, now: int) -> list[Draft]:
    """Reports nobody began are needless once the final one is due."""
    waiting = [one for one in _of_incident(transaction.connection, incident_id) if one.report.state == "due"]
    return [
        _stored(transaction, SYSTEM, one, structs.replace(one.report, state="void"), "upward.void", now)
        for one in waiting
        if one.report.kind == "continued"
    ]


# ---- what people do --------------------------------------------------------------------------------------------------


class Reports:
    """The commands on reports upwards."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        doorbell: AfterCommit | None = None,
        *,
        zone: tzinfo,
        now: Callable[[], int] = clock.now,
        rules: Upward | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._doorbell = doorbell
        self._zone = zone
        self._now = now
        self._rules = rules or current()

    def listed(self, identity: Identity, incident_id: str = "") -> list[Report]:
        """Return those of the jurisdiction: what waits first, the soonest due before; then the newest."""
        scope = reach(identity, "upward.read")
        columns = table.c
        query = sa.select(columns.body).where(*_inside(scope))
        if incident_id:
            query = query.where(columns.incident == incident_id)
        waits = sa.case((columns.state.in_(_OPEN), 0), else_=1)
        query = query.order_by(waits, sa.case((waits == 0, columns.due_at), else_=-columns.made_at))
        with self._database.read() as connection:
            found = connection.execute(query.limit(LISTED_MOST)).scalars().all()
        return [_body.decode(one).report for one in found]

    def written(self, identity: Identity, report_id: str) -> Written:
        """Return one with what was written in it. Raises NotFound."""
        scope = reach(identity, "upward.read")
        with self._database.read() as connection:
            one = _find(connection, scope, report_id)
            incident = incidents.find(connection, WHOLE, one.report.incident).incident
            ways = [parcel.state for parcel in outbox.of_subject(connection, report_id)]
        return Written(one.report, _opened(self._keys, one), incident, ways[-1] if ways else "")

    def begin(self, identity: Identity, incident_id: str, kind: str = "continued") -> Report:
        """Make a report of one's own accord, due in an hour. Raises Refused, NotFound."""
        scope, now = reach(identity, "upward.write"), self._now()
        _need(kind in KINDS, "upward.kind_wrong")
        with self._database.write(self._doorbell) as transaction:
            incident = incidents.find(transaction.connection, scope, incident_id, lock=True).incident
            waiting = [one for one in _of_incident(transaction.connection, incident_id) if one.report.waits]
            _need(not waiting, "upward.waiting")
            drafted = _due(transaction, incident, kind, 60, self._rules, self._zone, now)
            journal.append(transaction, [drafted])
            return _find(transaction.connection, WHOLE, drafted.subject_id).report

    def write(self, identity: Identity, report_id: str, revision: int, words: dict[str, str]) -> Report:
        """Keep a draft; one that was signed wants signing again. Raises Refused, also when it changed meanwhile."""
        said = {name: _text(words.get(name, "")) for name in PARTS}
        _need(len(said["facts"]) > 1, "upward.facts_missing")
        return self._step(identity, "upward.write", report_id, revision, _drafted, "upward.drafted", said)

    def sign(self, identity: Identity, report_id: str, revision: int) -> Report:
        """Sign it 签发, so that it may be sent."""

        def step(one: Report, who: Identity, now: int) -> Report:
            _need(one.state == "draft", "upward.not_now")
            return structs.replace(one, state="signed", signed_at=now, signed_by=who.name)

        return self._step(identity, "upward.sign", report_id, revision, step, "upward.signed")

    def send_back(self, identity: Identity, report_id: str, revision: int, text: str) -> Report:
        """Give a draft back with what is to be changed."""
        note = _text(text)
        _need(len(note) > 1, "upward.note_missing")

        def step(one: Report, who: Identity, now: int) -> Report:
            _need(one.state in ("draft", "signed"), "upward.not_now")
            return structs.replace(one, state="returned", signed_at=None, signed_by="")

        return self._step(identity, "upward.sign", report_id, revision, step, "upward.returned", {"note": note})

    def sent(
        self, identity: Identity, report_id: str, revision: int, channel: str, *, to: str = "", number: str = ""
    ) -> Report:
        """Write down that it was sent, and the proof: how, who took it, under which number."""
        _need(channel in CHANNELS, "upward.channel_wrong")
        to, number = cleaned(to)[:NAME_MOST], cleaned(number)[:NAME_MOST]
        _need(bool(to or number), "upward.proof_missing")

        def step(one: Report, who: Identity, now: int) -> Report:
            _need(one.state in _SIGNED, "upward.not_signed")
            return structs.replace(one, state="sent", sent_at=now, sent_by=who.name, proof=Proof(channel, number))

        return self._step(identity, "upward.write", report_id, revision, step, "upward.sent", {"to": to})

    @property
    def outlet(self) -> str:
        """The name of the way out that signed reports leave by, "" where they are sent by hand."""
        return self._rules.outlet

    def send(self, identity: Identity, report_id: str, revision: int) -> Report:
        """Send a signed report by the way out its recipient names; it counts as sent once that has taken it.

        Raises Refused, NotFound.
        """
        scope, now = reach(identity, "upward.write"), self._now()
        with self._database.write(self._doorbell) as transaction:
            one = _find(transaction.connection, scope, report_id, lock=True)
            if one.report.revision != revision:
                raise Refused("upward.changed", number=one.report.number)
            _need(one.report.state == "signed", "upward.not_signed")
            outlet = self._way(transaction)
            incident = incidents.find(transaction.connection, WHOLE, one.report.incident).incident
            name = self._rules.zh if outlet.terms.language == "zh" else self._rules.en
            outbox.add(transaction, outlet.name, "upward", report_id, [_message(one.report, incident, name, now)], now)
            after = structs.replace(one.report, state="sending", sent_by=identity.name)
            journal.append(transaction, [_stored(transaction, identity, one, after, "upward.sending", now)])
            return _find(transaction.connection, WHOLE, report_id).report

    def _way(self, transaction: Transaction) -> Outlet:
        """The way out. Raises Refused where there is none, it is switched off, or it lacks the address it needs."""
        rules = self._rules
        _need(rules.outlet != "", "upward.no_outlet")
        try:
            outlet = outlets.find(transaction.connection, rules.outlet, lock=True)
        except NotFound:
            raise Refused("upward.outlet_gone", name=rules.outlet) from None
        if not outlet.enabled or outlet.source:
            raise Refused("outlets.off", name=outlet.title)
        _need(not outlet.terms.needs or bool(getattr(rules, outlet.terms.needs)), "upward.address_missing")
        return outlet

    def _step(
        self,
        identity: Identity,
        permission: str,
        report_id: str,
        revision: int,
        step: Callable[[Report, Identity, int], Report],
        action: str,
        words: dict[str, str] | None = None,
    ) -> Report:
        scope, now = reach(identity, permission), self._now()
        with self._database.write(self._doorbell) as transaction:
            one = _find(transaction.connection, scope, report_id, lock=True)
            if one.report.revision != revision:
                raise Refused("upward.changed", number=one.report.number)
            after = step(one.report, identity, now)
            kept, sealed = one, b""
            if words:
                known = _opened(self._keys, one)
                said = msgspec.json.encode({**known, **words})
                sealed = seal(self._keys.make([report_id])[report_id], report_id, said)
                kept = structs.replace(one, sealed=sealed)
            drafts = [_stored(transaction, identity, kept, after, action, now, sealed)]
            if after.state == "sent":
                outbox.drop(transaction, report_id, now)
                drafts += _following(transaction, after, self._zone, now, self._rules)
            journal.append(transaction, drafts)
            return _find(transaction.connection, WHOLE, report_id).report


def _opened(keys: KeyStore, one: _Body) -> dict[str, str]:
    """What was written; {} once its key is destroyed."""
    if not one.sealed or not keys.find([one.report.id]):
        return {}
    found: dict[str, str] = msgspec.json.decode(keys.open(one.report.id, one.sealed))
    return found


def _following(
    transaction: Transaction, sent: Report, zone: tzinfo, now: int, rules: Upward | None = None
) -> Sequence[Draft]:
    """A report that was sent makes the next continued one due, while the incident is open."""
    rules = rules or current()
    rule = rules.rules.get(sent.grade)
    incident = incidents.find(transaction.connection, WHOLE, sent.incident).incident
    if rule is None or not rule.continued_minutes or not incident.is_open or sent.kind == "final":
        return []
    return [_due(transaction, incident, "continued", rule.continued_minutes, rules, zone, now)]


def _drafted(one: Report, who: Identity, now: int) -> Report:
    _need(one.state in ("due", "draft", "returned", "signed"), "upward.not_now")
    return structs.replace(one, state="draft", made_by=who.name, signed_at=None, signed_by="")


# ---- by a way out ----------------------------------------------------------------------------------------------------


def _message(report: Report, incident: Incident, name: str, now: int) -> Message:
    """What the way out is given; what people wrote is looked up when it is sent."""
    return Message(
        purpose=REPORT,
        at=now,
        recipient=RECIPIENT,
        name=name,
        number=report.number,
        title=incident.title,
        urgency=incident.urgency,
        incident=incident.id,
        incident_number=incident.number,
        address=incident.address,
        status={"kind": report.kind, "grade": report.grade, "signed_by": report.signed_by},
    )


def leaving(connection: Connection, keys: KeyStore, report_id: str) -> dict[str, str]:
    """Return what was written in a report that is on its way; {} where it is not, or its key is destroyed."""
    try:
        one = _find(connection, WHOLE, report_id)
    except NotFound:
        return {}
    return _opened(keys, one) if one.report.state == "sending" else {}


def conveyed(
    transaction: Transaction, ended: Sequence[tuple[Parcel, Outcome]], now: int, *, zone: tzinfo
) -> list[Draft]:
    """Write down which reports a way out has taken, with the proof, and what that makes due; see `recording.record`."""
    drafts: list[Draft] = []
    for parcel, outcome in ended:
        if parcel.subject_type != "upward" or outcome.state not in _TOOK:
            continue
        one = _find(transaction.connection, WHOLE, parcel.subject_id, lock=True)
        if one.report.state != "sending":
            continue
        proof = Proof(OUTLET, f"{parcel.channel} {parcel.id}")
        after = structs.replace(one.report, state="sent", sent_at=now, proof=proof)
        drafts.append(_stored(transaction, SYSTEM, one, after, "upward.sent", now))
        drafts += _following(transaction, after, zone, now)
    return drafts


# ---- its clock -------------------------------------------------------------------------------------------------------


def fire(database: Database, now: int, after_commit: AfterCommit | None = None) -> list[Report]:
    """Say of each report once that it is near-due and once that it is overdue; late, after a stop, but once."""
    query = sa.select(table.c.body).where(table.c.next_at <= now).order_by(table.c.next_at).limit(AT_ONCE)
    with database.read() as connection:
        if connection.execute(query.limit(1)).first() is None:
            return []
    said = []
    with database.write(after_commit) as transaction:
        drafts = []
        for body in transaction.connection.execute(query.with_for_update(skip_locked=True)).scalars():
            one = _body.decode(body)
            late = now >= one.report.due_at
            after = structs.replace(one.report, told=2 if late else 1)
            drafts.append(_stored(transaction, SYSTEM, one, after, f"upward.{'overdue' if late else 'near'}", now))
            said.append(after)
        journal.append(transaction, drafts)
    return said


# ---- rows ------------------------------------------------------------------------------------------------------------


def _inside(scope: Scope) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if scope.grid:
        found.append(("/" + table.c.path + "/").contains(f"/{scope.grid}/", autoescape=True))
    if scope.department:
        found.append(table.c.department == scope.department)
    return found


def _find(connection: Connection, scope: Scope, report_id: str, *, lock: bool = False) -> _Body:
    if not (report_id.isascii() and report_id.isprintable()):
        raise NotFound()
    query = sa.select(table.c.body).where(table.c.id == report_id, *_inside(scope))
    body = connection.execute(query.with_for_update() if lock else query).scalar()
    if body is None:
        raise NotFound()
    return _body.decode(body)


def _of_incident(connection: Connection, incident_id: str) -> list[_Body]:
    query = sa.select(table.c.body).where(table.c.incident == incident_id).order_by(table.c.made_at, table.c.id)
    return [_body.decode(one) for one in connection.execute(query).scalars()]


def _row(one: _Body) -> dict[str, Any]:
    report = one.report
    same = ("id", "incident", "kind", "number", "state", "grade", "department", "path", "revision", "due_at")
    more = ("made_at", "made_by", "signed_at", "signed_by", "sent_at")
    values = {name: getattr(report, name) for name in (*same, *more)}
    return {**values, "next_at": report.next_at(), "body": msgspec.msgpack.encode(one)}


def _stored(
    transaction: Transaction,
    identity: Identity,
    before: _Body,
    after: Report,
    action: str,
    now: int,
    sealed: bytes = b"",
) -> Draft:
    """Write a report as it is now and return the entry that says so."""
    report = structs.replace(after, revision=before.report.revision + 1)
    row = _row(structs.replace(before, report=report))
    transaction.connection.execute(sa.update(table).where(table.c.id == report.id).values(row))
    return _draft(identity, report, action, now, sealed)


def _draft(identity: Identity, report: Report, action: str, now: int, sealed: bytes = b"") -> Draft:
    proof = {} if report.proof is None else {"channel": report.proof.channel, "number": report.proof.number}
    late = {"late_s": (now - report.due_at) // 1_000_000} if now > report.due_at and action != "upward.required" else {}
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="upward",
        subject_id=report.id,
        revision=report.revision,
        scope_grid=report.path,
        scope_grid_before=report.path,
        scope_department=report.department,
        scope_department_before=report.department,
        reason=report.incident_number,
        body={
            "incident": report.incident,
            "number": report.number,
            "kind": report.kind,
            "grade": report.grade,
            "due_at": report.due_at,
            **proof,
            **late,
        },
        sealed=sealed,
    )


def _text(text: str) -> str:
    text = cleaned(text)
    if len(text) > TEXT_MOST:
        raise Refused("operations.text_too_long", most=TEXT_MOST)
    return text


def _need(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(code)
