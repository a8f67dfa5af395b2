"""The week before the first start of the demo: what a city that has been running for a while has in its journal.

Trend, heat and load would be empty for a week otherwise. The reports are those the same generator would have sent, read
by the same rules (`normalise`) and decided by the same reception (`operations.reception`) as all others, with the time
at which they would have come; the demo's operators acknowledge and close them likewise. Only the HTTP door and the
engine are left out: a door stamps the time of receipt and must not let a sender choose it. It happens once, before the
first live report, for sources of kind `demo` only.

A 特急 of the past comes in as 紧急 and is raised and acknowledged in one transaction: nobody could acknowledge it in
time, and it would call the duty commander.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from msgspec import convert, structs

from config.taxonomy import Taxonomy
from operations import journal, lease, reception
from operations.database import Database
from operations.decision import Rules
from operations.entry import Draft, path
from operations.incident import Incident
from operations.report import Refusal, Report
from operations.seal import KeyStore
from operations.sources import Source
from streams.demo import duty
from streams.demo.stories import HOUR, MINUTE, Send, Stories
from streams.finder import Finder
from streams.normalise import normalise

DAYS = 7
COARSE, FINE = 60 * MINUTE, 10 * MINUTE
"""Time told in one transaction: before the last day, and in it."""
WITH_UPDATES = 3 * HOUR
"""Only this late do updates and repeats come too; before, the first report of each incident says enough."""
WITH_TEXT = 24 * HOUR
PARTITION = 99
"""A partition of its own: no stream feeds it, so reconciliation of the sixteen others is not touched."""
OWNER = "demo-history"
TOLD = 10
"""How often progress is told."""
LEASE_US = 2 * HOUR

Deed = tuple[Incident, str, dict[str, object]]


class Ground(NamedTuple):
    """What history is written on."""

    database: Database
    keys: KeyStore
    finder: Finder
    rules: Rules
    sources: dict[str, Source]


class History:
    """Writes the past up to a moment, step by step."""

    def __init__(self, ground: Ground, stories: Stories, end: int, ring: Callable[[int], None]) -> None:
        self._ground, self._stories, self._end, self._ring = ground, stories, end, ring
        self._taxonomy = Taxonomy.load()
        self._open: dict[str, tuple[Incident, duty.Plan]] = {}
        self._grave: set[str] = set()
        self._start = end - DAYS * 24 * HOUR

    def write(self, now: int, stopped: Callable[[], bool], tell: Callable[[float], None]) -> bool:
        """Write everything; `tell` hears the share that is done. False when stopped before the end."""
        name = lease.partition(PARTITION)
        token = lease.acquire(self._ground.database, name, OWNER, LEASE_US, now)
        if token is None:
            return False
        updates_from = self._end - WITH_UPDATES
        early = self._stories.between(self._start, updates_from, openings=True)
        told = 0
        sends = _Sends(chain(early, self._stories.between(updates_from, self._end)))
        for until in self._moments():
            if stopped():
                return False
            self._receive(list(sends.until(until)), until, token)
            self._work(until)
            share = (until - self._start) * TOLD // (self._end - self._start)
            if share > told:
                told = share
                tell(share / TOLD)
        lease.release(self._ground.database, name, token)
        return True

    def _moments(self) -> Iterator[int]:
        """The ends of the spans told in one transaction each."""
        until = self._start
        while until < self._end:
            until = min(self._end, until + (COARSE if until < self._end - WITH_TEXT else FINE))
            yield until

    def _receive(self, sends: list[Send], until: int, token: int) -> None:
        items = [self._read(send) for send in sends]
        if not items:
            return
        before = journal.head(self._ground.database).seq
        reception.record(
            self._ground.database,
            PARTITION,
            token,
            [(f"{until // 1000}-0", items)],
            located=self._ground.finder.locate,
            rules=self._ground.rules,
            keys=self._ground.keys,
            now=until,
            after_commit=self._ring,
        )
        for entry in journal.read(self._ground.database, before):
            if entry.action == "incident.opened" and entry.body is not None:
                opened = convert(entry.body["set"], Incident)
                if opened.source in self._ground.sources:
                    self._open[opened.id] = opened, self._plan(opened)

    def _read(self, send: Send) -> Report | Refusal:
        item = send.item
        if send.at < self._end - WITH_TEXT:  # nobody reads old texts; their keys need not be kept
            item = {name: value for name, value in item.items() if name != "text"}
        if item["urgency"] == "critical":
            self._grave.add(item["id"])
            item = item | {"urgency": "urgent"}
        return normalise(item, self._ground.sources[send.source], self._taxonomy, send.at)

    def _work(self, until: int) -> None:
        """Acknowledge and close what the demo's operators would have by then, all in one transaction."""
        brief = until < self._end - WITH_TEXT  # days ago only the closing matters
        deeds = [deed for kept in self._open.values() for deed in self._deeds(*kept, until, brief=brief)]
        if not deeds:
            return
        ids = sorted({incident.id for incident, _, _ in deeds})
        with self._ground.database.write(self._ring) as transaction:
            standings = {
                standing.incident.id: standing for _, standing in reception.read_standings(transaction, "id", ids)
            }
            drafts = []
            for incident, action, changes in deeds:
                standing = standings[incident.id]
                before = standing.incident
                after = structs.replace(before, **changes, revision=before.revision + 1, updated_at=until)
                ticked = self._ground.rules.deadlines.after(before, after, min(until, after.closed_at or until))
                changes, after = changes | ticked, structs.replace(after, **ticked)
                standings[incident.id] = structs.replace(standing, incident=after)
                drafts.append(_draft(before, after, action, changes, until))
            for standing in standings.values():
                reception.store_incident(transaction, standing.incident, standing.said)
                self._keep(standing.incident)
            journal.append(transaction, drafts)

    def _plan(self, incident: Incident) -> duty.Plan:
        grave = incident.report_id in self._grave
        return duty.plan(structs.replace(incident, urgency="critical") if grave else incident)

    def _deeds(self, incident: Incident, planned: duty.Plan, until: int, *, brief: bool) -> Iterator[Deed]:
        """What was done by `until`. The gravest are raised to 特急 and acknowledged in one breath (see the module)."""
        acknowledge_at = incident.received_at + round(planned.acknowledge_s * duty.SECOND)
        close_at = incident.received_at + round(planned.close_s * duty.SECOND)
        raised = incident.report_id in self._grave and incident.urgency != "critical"
        if raised:
            yield incident, "incident.urgency", {"urgency": "critical"}
        if incident.acknowledged_at is None and (raised or (acknowledge_at <= until and not brief)):
            seen = {"acknowledged_at": min(acknowledge_at, until), "acknowledged_by": planned.name}
            yield incident, "incident.acknowledged", seen
        if close_at <= until:
            closed = {"step": "closed", "closed_at": close_at, "closed_by": planned.name, "result": planned.result}
            yield incident, "incident.closed", closed

    def _keep(self, incident: Incident) -> None:
        _, planned = self._open.pop(incident.id)
        if incident.is_open:
            self._open[incident.id] = incident, planned


class _Sends:
    """Reads a stream of sends up to one moment after the other."""

    def __init__(self, sends: Iterator[Send]) -> None:
        self._sends = sends
        self._next = next(sends, None)

    def until(self, moment: int) -> Iterator[Send]:
        while self._next is not None and self._next.at < moment:
            yield self._next
            self._next = next(self._sends, None)


def _draft(before: Incident, after: Incident, action: str, changes: dict[str, object], at: int) -> Draft:
    return Draft(
        at=at,
        actor=duty.identity(after.closed_by or after.acknowledged_by or duty.NAMES[0]).actor,
        action=action,
        subject_type="incident",
        subject_id=after.id,
        revision=after.revision,
        scope_grid=path(after.chain),
        scope_grid_before=path(before.chain),
        scope_department=after.department,
        scope_department_before=before.department,
        reason=after.result if action == "incident.closed" else "",
        body={"set": {**changes, "revision": after.revision, "updated_at": after.updated_at}},
    )
