"""Deciding what becomes of each accepted item: a pure function of the items and what is known already.

Exactly one outcome a key: journaled, stale, conflict or quarantined; whatever comes again is a duplicate of it.
An incident closed by an operator is not reopened by its source: the update is recorded and marked `after_close`.
An incident placed by hand keeps its place. A field changes only when the source changes its own word about it, so that
what an operator set is not undone by a repetition.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from config import flows as files
from config.flows import Flows
from operations.deadlines import NONE, Deadlines
from operations.entry import Draft, path
from operations.incident import Incident, with_urgency
from operations.incidents import flow
from operations.report import Located, Refusal, Report, revision_key
from operations.restated import restated
from operations.uuid7 import uuid7

LONGEST_KEY = 600
AFTER_CLOSE, PLACED_BY_HAND = "after_close", "placed_by_hand"
NOWHERE = Located()

Item = Report | Refusal


class Rules(Struct, frozen=True):
    """What the city configured: departments by type code, county without a grid, time zone, deadlines, flows."""

    department_of: Mapping[str, str]
    default_department: str
    county: str
    zone: tzinfo
    deadlines: Deadlines = NONE
    flows: Callable[[], Flows] = files.current

    def department(self, kind: str) -> str:
        """Return the department that answers for a type."""
        return self.department_of.get(kind, self.default_department)


class Said(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a source said last about its report: told apart from what operators made of it.

    `raw_*` are its coordinates as received, `datum` the one of its source they were read in; "" where the report named
    its own, or has no coordinates.
    """

    revision: str
    type: str
    urgency: str
    title: str
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    grid_code: str = ""
    raw_lon: float | None = None
    raw_lat: float | None = None
    datum: str = ""


class Standing(Struct, frozen=True, gc=False):
    """An incident, and what its source said last."""

    incident: Incident
    said: Said


class Outcome(Struct, frozen=True, gc=False):
    """One key's end; `draft` is the index of the entry that records it."""

    key: str
    outcome: str
    content: bytes
    draft: int


class Quarantined(Struct, frozen=True):
    """One item for quarantine; `raw` and `params` are sealed before they are stored.

    `raw_sha256` is of the bytes received; `raw` are those, or the report restated when they could be read.
    """

    id: str
    key: str
    source: str
    report_id: str
    revision: str
    reason: str
    field: str
    params: dict[str, str]
    raw: bytes
    raw_sha256: str


class Decided(Struct):
    """What a batch comes to."""

    drafts: list[Draft] = []
    outcomes: list[Outcome] = []
    quarantined: list[Quarantined] = []
    opened: dict[str, Standing] = {}  # by origin
    updated: dict[str, Standing] = {}
    duplicates: int = 0

    def count(self, outcome: str) -> int:
        """How many keys ended so."""
        return sum(item.outcome == outcome for item in self.outcomes)


class Arrival(NamedTuple):
    """An item with what was prepared for deciding it: dedupe key, content digest and, of a report, the rest."""

    item: Item
    key: str
    content: bytes
    origin: str = ""
    located: Located = NOWHERE
    subject: str = ""  # id of the incident it belongs to; of a new one when there is none yet
    sealed: bytes = b""  # its `secret`, under the subject's key


def arrival(
    item: Item, origin: str = "", located: Located = NOWHERE, subject: str = "", sealed: bytes = b""
) -> Arrival:
    """Return an item with its keys."""
    return Arrival(item, key_of(item), content_of(item), origin, located, subject, sealed)


def origin_of(source: str, report_id: str) -> str:
    """Return the key of an incident's origin; the length keeps "a/b" + "c" and "a" + "b/c" apart."""
    return _bounded(f"{source}/{len(report_id)}/{report_id}")


def key_of(item: Item) -> str:
    """Return the dedupe key: source + id + revision, or the bytes' hash for what could not be read."""
    if isinstance(item, Refusal):
        return f"?{item.source}/{item.raw_sha256}"
    return _bounded(f"{item.source}/{len(item.id)}/{item.id}/{item.revision}")


def conflict_key(report: Report) -> str:
    """Return the key a report gets when its own key was used for other content."""
    return f"!{report.content_sha256}/{key_of(report)}"


def content_of(item: Item) -> bytes:
    """Return the digest that tells a duplicate from a conflict."""
    return (item.raw_sha256 if isinstance(item, Refusal) else item.content_sha256).encode()


class Decider:
    """One batch. `known`: {key: content} of keys that already ended; `standings` by origin; `number(county)`: next."""

    def __init__(
        self,
        known: Mapping[str, bytes],
        standings: Mapping[str, Standing],
        *,
        rules: Rules,
        number: Callable[[str], str],
        now: int,
    ) -> None:
        self._known = dict(known)
        self._standings = dict(standings)
        self._rules = rules
        self._number = number
        self._now = now
        self._again = False
        self.decided = Decided([], [], [], {}, {}, 0)

    def decide(self, arrived: Arrival, *, again: bool = False) -> None:
        """Decide one item, in order of arrival; `again`: its packet was delivered before, so it is no new duplicate."""
        item, key, content = arrived[:3]
        self._again = again
        if self._known.get(key) == content:
            self._duplicate()
        elif isinstance(item, Refusal):
            self._refuse(item, key, content)
        elif key in self._known:
            self._conflict(item, content)
        else:
            self._end(key, self._report(item, arrived), content)

    def _duplicate(self) -> None:
        self.decided.duplicates += not self._again

    def _report(self, report: Report, arrived: Arrival) -> str:
        """Draft what a report does and return its outcome."""
        origin = arrived.origin
        standing = self._standings.get(origin)
        if standing is None:
            self._put(origin, self._open(report, arrived), self.decided.opened)
            return "journaled"
        if revision_key(report.revision) <= revision_key(standing.said.revision):
            self._stale(report, arrived, standing)
            return "stale"
        opened = origin in self.decided.opened
        updated = self._update(report, arrived, standing)
        self._put(origin, updated, self.decided.opened if opened else self.decided.updated)
        return "journaled"

    def _open(self, report: Report, arrived: Arrival) -> Standing:
        incident = opened(arrived.subject, report, arrived.located, self._rules, self._number, self._now)
        body = {"set": incident, "report": _meta(report)}
        self._draft("incident.opened", report, arrived, incident, None, body)
        return Standing(incident, _said(report))

    def _update(self, report: Report, arrived: Arrival, standing: Standing) -> Standing:
        before = standing.incident
        changes = changed(report, arrived.located, standing, self._rules, self._now)
        changes |= self._rules.deadlines.after(before, structs.replace(before, **changes), self._now)
        after = structs.replace(before, **changes)
        self._draft("incident.updated", report, arrived, after, before, {"set": changes, "report": _meta(report)})
        said = structs.replace(standing.said, revision=report.revision) if report.presence == "gone" else _said(report)
        return Standing(after, said)

    def _stale(self, report: Report, arrived: Arrival, standing: Standing) -> None:
        body = {"report": _meta(report), "newer": standing.said.revision}
        self._draft("report.stale", report, arrived, standing.incident, standing.incident, body)

    def _put(self, origin: str, standing: Standing, into: dict[str, Standing]) -> None:
        self._standings[origin] = into[origin] = standing

    def _end(self, key: str, outcome: str, content: bytes) -> None:
        """Give a key its outcome, recorded by the draft made last."""
        self._known[key] = content
        self.decided.outcomes.append(Outcome(key, outcome, content, len(self.decided.drafts) - 1))

    def _draft(
        self,
        action: str,
        report: Report,
        arrived: Arrival,
        after: Incident,
        before: Incident | None,
        body: dict[str, Any],
    ) -> None:
        if after.id != arrived.subject:
            raise RuntimeError(f"sealed for incident {arrived.subject}, but it belongs to {after.id}")
        draft = Draft(
            at=self._now,
            actor=report.written_by or f"source:{report.source}",
            action=action,
            subject_type="incident",
            subject_id=after.id,
            revision=after.revision,
            scope_grid=path(after.chain),
            scope_grid_before=path(before.chain) if before else "",
            scope_department=after.department,
            scope_department_before=before.department if before else "",
            body=body,
            sealed=arrived.sealed,
        )
        self.decided.drafts.append(draft)

    def _conflict(self, report: Report, content: bytes) -> None:
        key = conflict_key(report)
        if key in self._known:
            self._duplicate()
            return
        names = (report.source, report.id, report.revision)
        kept = (restated(report), report.raw_sha256)
        self._quarantine(Quarantined(uuid7(self._now), key, *names, "conflict", "revision", {}, *kept))
        self._end(key, "conflict", content)

    def _refuse(self, item: Refusal, key: str, content: bytes) -> None:
        self._quarantine(
            Quarantined(
                id=uuid7(self._now),
                key=key,
                source=item.source,
                report_id=item.id,
                revision=item.revision,
                reason=item.reason,
                field=item.field,
                params=item.params,
                raw=item.raw,
                raw_sha256=item.raw_sha256,
            )
        )
        self._end(key, "quarantined", content)

    def _quarantine(self, item: Quarantined) -> None:
        draft = Draft(
            at=self._now,
            actor=f"source:{item.source}",
            action="quarantine.added",
            subject_type="quarantine",
            subject_id=item.id,
            body={
                "source": item.source,
                "reason": item.reason,
                "field": item.field,
                "raw_sha256": item.raw_sha256,
                "size": len(item.raw),
            },
        )
        self.decided.drafts.append(draft)
        self.decided.quarantined.append(item)


def opened(
    subject: str, report: Report, located: Located, rules: Rules, number: Callable[[str], str], now: int
) -> Incident:
    """Return the incident a first report opens; `subject` is its id."""
    county = located.grid[:6] if len(located.grid) == 15 and located.grid.isdigit() else rules.county
    incident = Incident(
        id=subject,
        number=number(county),
        county=county,
        revision=1,
        type=report.type,
        urgency=report.urgency,
        title=report.title,
        department=report.department or rules.department(report.type),
        source=report.source,
        report_id=report.id,
        channel=report.channel,
        source_status=report.status,
        gone=report.presence == "gone",
        occurred_at=report.occurred_at,
        received_at=report.received_at,
        opened_at=now,
        updated_at=now,
        marks=report.marks,
        clocks=rules.deadlines.started(report.type, report.urgency, report.received_at),
        initiator=report.written_by,
        **_position(report, located),
    )
    moved = flow.told(rules.flows(), incident, report.source, report.status, now)
    if not moved:
        return incident
    after = structs.replace(incident, **moved)
    return structs.replace(after, **rules.deadlines.after(incident, after, now))


def changed(report: Report, located: Located, standing: Standing, rules: Rules, now: int) -> dict[str, Any]:
    """Return the incident's fields that a newer report changes.

    A feed that no longer lists an incident ("gone") says nothing about it, not even that it is closed.
    """
    incident = standing.incident
    if report.presence == "gone":
        fields: dict[str, Any] = {"gone": True, "source_status": report.status or incident.source_status}
    else:
        fields = _present(report, located, standing, rules, now)
    different = {name: value for name, value in fields.items() if getattr(incident, name) != value}
    return different | {"revision": incident.revision + 1, "reports": incident.reports + 1, "updated_at": now}


def _present(report: Report, located: Located, standing: Standing, rules: Rules, now: int) -> dict[str, Any]:
    incident, said = standing.incident, standing.said
    marks = incident.marks + tuple(mark for mark in report.marks if mark not in incident.marks)
    fields: dict[str, Any] = {"source_status": report.status, "gone": False}
    if incident.is_open:
        fields |= _words(report, standing, rules, now)
        if report.status != incident.source_status:
            fields |= flow.told(rules.flows(), incident, report.source, report.status, now)
        if _moved(report, said) and PLACED_BY_HAND not in incident.marks:
            fields |= _position(report, located)
    elif AFTER_CLOSE not in marks:
        marks += (AFTER_CLOSE,)
    fields["marks"] = marks
    return fields


def _words(report: Report, standing: Standing, rules: Rules, now: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    said = standing.said
    if report.title != said.title:
        fields["title"] = report.title
    if report.urgency != said.urgency:
        fields |= with_urgency(standing.incident, report.urgency, now)
    if report.type != said.type:
        fields |= {"type": report.type, "department": report.department or rules.department(report.type)}
    return fields


def _moved(report: Report, said: Said) -> bool:
    now = _said(report)
    return (now.lon, now.lat, now.address, now.grid_code) != (said.lon, said.lat, said.address, said.grid_code)


def _position(report: Report, located: Located) -> dict[str, Any]:
    place = report.place
    return {
        "address": place.address if place else "",
        "lon": place.lon if place else None,
        "lat": place.lat if place else None,
        "accuracy_m": place.accuracy_m if place else None,
        "grid": located.grid,
        "chain": located.chain,
        "nearest": located.nearest,
        "distance_m": located.distance_m,
    }


def _said(report: Report) -> Said:
    place = report.place
    where = (place.address, place.lon, place.lat) if place else ("", None, None)
    said = Said(report.revision, report.type, report.urgency, report.title, *where, report.grid_code)
    if place is None or place.lon is None:
        return said
    datum = "" if report.datum_said else place.datum
    return structs.replace(said, raw_lon=place.raw_lon, raw_lat=place.raw_lat, datum=datum)


def _meta(report: Report) -> dict[str, Any]:
    """What an entry says of the report behind it: no personal data, no free text."""
    named: dict[str, Any] = {"datum_said": True} if report.datum_said else {}
    return named | {
        "source": report.source,
        "id": report.id,
        "revision": report.revision,
        "occurred_at": report.occurred_at,
        "received_at": report.received_at,
        "status": report.status,
        "presence": report.presence,
        "marks": report.marks,
        "dropped": report.dropped,
        "raw_sha256": report.raw_sha256,
        "datum": report.place.datum if report.place else "",
        "raw_lon": report.place.raw_lon if report.place else None,
        "raw_lat": report.place.raw_lat if report.place else None,
    }


def secret(report: Report) -> bytes:
    """Return what is sealed of a report: text, reporter, attachments; empty when there is none of them."""
    parts = {"text": report.text, "reporter": report.reporter, "attachments": report.attachments}
    said = {name: value for name, value in parts.items() if value}
    return msgspec.json.encode(said) if said else b""


def _bounded(key: str) -> str:
    plain = len(key) <= LONGEST_KEY and "\0" not in key  # PostgreSQL stores no NUL
    return key if plain else "#" + hashlib.sha256(key.encode()).hexdigest()
