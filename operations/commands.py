"""What people do to incidents. Each command checks permission, scope and revision and writes one entry.

The second of two who change the same revision gets Conflict with the state as it is now. A note clobbers nothing and is
added whatever the revision. What people write goes into the sealed part; the entry's reason holds a code, except where
the reason itself must outlive the key (looking at sealed data).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct, structs

from config import clock
from config.taxonomy import URGENCIES
from operations import doubles, incidents, journal, segments, warnings
from operations.database import AfterCommit, Database, Transaction
from operations.decision import PLACED_BY_HAND, Standing
from operations.entry import Draft, Entry, path
from operations.errors import Conflict, Refused, Sealed
from operations.incident import Incident, with_urgency
from operations.policy import SYSTEM, Identity, allowed, reach
from operations.reception import store_incident
from operations.report import Located
from operations.seal import KeyStore, seal, unseal
from operations.wording import cleaned

RESULTS = ("resolved", "transferred", "duplicate", "untrue", "withdrawn")
TEXT_MOST = 2_000  # characters
REASON_LEAST = 2
ESCALATED_AT_ONCE = 500
DISTINCT_MOST = 64  # pairs kept of one incident, the latest
SECOND = 1_000_000

Locate = Callable[[float | None, float | None, str], Located]


class Step(Struct, frozen=True):
    """What a command does to an incident: fields to set, the entry's reason, words to seal."""

    action: str
    changes: dict[str, Any]
    reason: str = ""
    words: dict[str, str] = {}


class Dossier(Struct, frozen=True):
    """An incident as it stands, its newest entries, oldest first, and how many earlier ones are left out.

    `segment`: the newest file of entries that left the journal, when the beginning of the history is among them.
    """

    incident: Incident
    history: list[Entry]
    earlier: int
    segment: str = ""


class Commands:
    """The commands on one database. `locate(lon, lat, grid code)` finds the grid for `place`."""

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        doorbell: AfterCommit | None = None,
        *,
        locate: Locate | None = None,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._keys = keys
        self._doorbell = doorbell
        self._locate = locate
        self._now = now

    def acknowledge(self, identity: Identity, incident_id: str, revision: int) -> Incident:
        """Take note of an incident 签收: the sound stops, its clock for acknowledging ends."""

        def step(incident: Incident, now: int) -> Step:
            _need(incident.is_open, "closed")
            _need(incident.acknowledged_at is None, "acknowledged")
            return Step("incident.acknowledged", {"acknowledged_at": now, "acknowledged_by": identity.name})

        return self._run(identity, "incident.acknowledge", incident_id, revision, step)

    def note(self, identity: Identity, incident_id: str, revision: int, text: str) -> Incident:
        """Add a note, also to a closed incident; `revision` is not compared."""
        words = {"note": _text(text, required=True)}
        return self._run(
            identity, "incident.note", incident_id, None, lambda *_: Step("incident.noted", {}, words=words)
        )

    def urgency(self, identity: Identity, incident_id: str, revision: int, urgency: str, text: str = "") -> Incident:
        """Change the urgency 紧急程度; raised to 特急 it has to be acknowledged anew."""
        _need(urgency in URGENCIES, "unknown_urgency")
        words = _words("note", text)

        def step(incident: Incident, now: int) -> Step:
            _need(incident.is_open, "closed")
            _need(incident.urgency != urgency, "same_urgency")
            return Step("incident.urgency", with_urgency(incident, urgency, now), words=words)

        return self._run(identity, "incident.urgency", incident_id, revision, step)

    def close(self, identity: Identity, incident_id: str, revision: int, result: str, text: str = "") -> Incident:
        """Close with a result; a result other than "resolved" wants a text."""
        _need(result in RESULTS, "unknown_result")
        words = _words("note", text, required=result != "resolved")

        def step(incident: Incident, now: int) -> Step:
            _need(incident.is_open, "closed")
            changes = {"step": "closed", "closed_at": now, "closed_by": identity.name, "result": result}
            return Step("incident.closed", changes, reason=result, words=words)

        return self._run(identity, "incident.close", incident_id, revision, step)

    def reopen(self, identity: Identity, incident_id: str, revision: int, text: str) -> Incident:
        """Open a closed incident again, with a reason; it has to be acknowledged anew."""
        words = _words("note", text, required=True)

        def step(incident: Incident, now: int) -> Step:
            _need(not incident.is_open, "open")
            empty = {"closed_at": None, "closed_by": "", "result": "", "acknowledged_at": None, "acknowledged_by": ""}
            changes = {"step": "register", "reopened_at": now, "escalated_at": None, **empty}
            return Step("incident.reopened", changes, words=words)

        return self._run(identity, "incident.reopen", incident_id, revision, step)

    def place(
        self,
        identity: Identity,
        incident_id: str,
        revision: int,
        lon: float | None = None,
        lat: float | None = None,
        grid: str = "",
    ) -> Incident:
        """Place by hand: at a point (WGS-84 degrees) or in a grid. Its source no longer moves it."""
        _need(grid != "" or (lon is not None and lat is not None), "no_place")
        _need((lon is None and lat is None) or _on_earth(lon, lat), "place_out_of_range")
        _need(self._locate is not None, "no_grids")
        located = self._locate(lon, lat, grid) if self._locate else Located()
        _need(not grid or located.grid == grid, "unknown_grid")

        def step(incident: Incident, now: int) -> Step:
            _need(incident.is_open, "closed")
            _need(reach(identity, "incident.place").covers(located.chain, incident.department), "outside_scope")
            marks = (*(mark for mark in incident.marks if mark != PLACED_BY_HAND), PLACED_BY_HAND)
            point = {} if lon is None else {"lon": lon, "lat": lat, "accuracy_m": None}
            return Step("incident.placed", {**point, **_located(located), "marks": marks})

        return self._run(identity, "incident.place", incident_id, revision, step)

    def distinct(self, identity: Identity, incident_id: str, others: Sequence[str], *, same: bool = False) -> Incident:
        """Say that others are not the same event, so that nobody is asked again; `same` takes it back.

        Clobbers nothing, so no revision is compared. The entry names pairs, not the others' ids: who may see one of the
        two need not learn of the other.
        """
        _need(0 < len(others) <= doubles.SHOWN and incident_id not in others, "no_others")
        scope = reach(identity, "incident.distinct")
        with self._database.read() as connection:
            known = [incidents.find(connection, scope, other).incident.id for other in others]
        pairs = [doubles.pair(incident_id, other) for other in known]

        def step(incident: Incident, now: int) -> Step:
            kept = tuple(one for one in incident.distinct if one not in pairs)
            after = kept if same else (*kept, *pairs)[-DISTINCT_MOST:]
            _need(after != incident.distinct, "nothing_to_tell_apart")
            return Step("incident.distinct", {"distinct": after}, reason="same" if same else "distinct")

        return self._run(identity, "incident.distinct", incident_id, None, step)

    def escalate(self, now: int, seconds: int = 120) -> list[Incident]:
        """Call the duty commander 值班长, once, for each 特急 nobody acknowledged within `seconds`."""
        before = now - seconds * SECOND
        with self._database.read() as connection:
            waiting = incidents.unacknowledged(connection, "critical", before, ESCALATED_AT_ONCE)
        if not waiting:
            return []
        with self._database.write(self._doorbell) as transaction:
            found = [incidents.find(transaction.connection, SYSTEM.scope, key, lock=True) for key in sorted(waiting)]
            due = [standing for standing in found if _is_due(standing.incident, before)]
            step = Step("incident.escalated", {"escalated_at": now})
            return self._write(transaction, SYSTEM, [(standing, step) for standing in due], now)

    def dossier(self, identity: Identity, incident_id: str) -> Dossier:
        """Return an incident with its entries. Who may read texts finds them opened in `body["words"]`."""
        scope = reach(identity, "incident.read")
        with self._database.read() as connection:
            incident = incidents.find(connection, scope, incident_id).incident
            found = journal.of_subject(connection, incident_id)
            earlier = journal.count_of_subject(connection, incident_id) - len(found)
            whole = earlier or (found and found[0][0].action == "incident.opened")
            left = None if whole else segments.last(connection)
        segment = "" if left is None else left.file
        if allowed(identity, "incident.text"):
            return Dossier(incident, [self._with_words(entry, sealed) for entry, sealed in found], earlier, segment)
        return Dossier(incident, [entry for entry, _ in found], earlier, segment)

    def warning(self, identity: Identity, warning_id: str) -> warnings.Dossier:
        """Return a warning with all that it says. Raises NotFound when it is absent or covers nothing in the scope."""
        return warnings.dossier(self._database, reach(identity, "incident.read"), warning_id)

    def history(self, identity: Identity, incident_id: str) -> list[Entry]:
        """Return the entries of an incident's `dossier`."""
        return self.dossier(identity, incident_id).history

    def unseal(self, identity: Identity, incident_id: str, reason: str) -> dict[str, str]:
        """Return what sources sent sealed (text, reporter's name, phone …), newest word first to count.

        The entry holds the reason and the names of what was shown, never what it says.
        """
        scope = reach(identity, "incident.unseal")
        reason = _text(reason, required=True)
        now = self._now()
        with self._database.write(self._doorbell) as transaction:
            incident = incidents.find(transaction.connection, scope, incident_id).incident
            opened = self._opened(incident_id, journal.sealed_of_subject(transaction.connection, incident_id))
            draft = _draft(identity, incident, incident, Step("incident.unsealed", {}, reason), now)
            body = {"fields": sorted(opened), "session": identity.session}
            journal.append(transaction, [structs.replace(draft, body=body)])
        return opened

    def _opened(self, incident_id: str, parts: list[bytes]) -> dict[str, str]:
        """What can be opened of an incident's sealed parts; those of a destroyed key stay shut. Raises Sealed: all."""
        opened: dict[str, str] = {}
        shut: Sealed | None = None
        for part in parts:
            try:
                opened |= _flat(msgspec.json.decode(self._keys.open(incident_id, part)))
            except Sealed as error:
                shut = error
        if shut is not None and not opened:
            raise shut
        return opened

    def _run(
        self,
        identity: Identity,
        permission: str,
        incident_id: str,
        revision: int | None,
        step: Callable[[Incident, int], Step],
    ) -> Incident:
        scope, now = reach(identity, permission), self._now()
        with self._database.write(self._doorbell) as transaction:
            standing = incidents.find(transaction.connection, scope, incident_id, lock=True)
            if revision is not None and standing.incident.revision != revision:
                raise Conflict(standing.incident)
            return self._write(transaction, identity, [(standing, step(standing.incident, now))], now)[0]

    def _write(
        self, transaction: Transaction, identity: Identity, steps: list[tuple[Standing, Step]], now: int
    ) -> list[Incident]:
        drafts, changed = [], []
        for standing, step in steps:
            before = standing.incident
            after = structs.replace(before, **step.changes, revision=before.revision + 1, updated_at=now)
            drafts.append(self._sealed(_draft(identity, before, after, step, now), step.words))
            store_incident(transaction, after, standing.said)
            changed.append(after)
        journal.append(transaction, drafts)
        return changed

    def _sealed(self, draft: Draft, words: dict[str, str]) -> Draft:
        if not words:
            return draft
        key = self._keys.make([draft.subject_id])[draft.subject_id]
        return structs.replace(draft, sealed=seal(key, draft.subject_id, msgspec.json.encode(words)))

    def _with_words(self, entry: Entry, sealed: bytes | None) -> Entry:
        """Open texts and notes, not the reporter; a destroyed key leaves None."""
        if not sealed or entry.body is None:
            return entry
        words: dict[str, Any] | None = None
        key = self._keys.find([entry.subject_id]).get(entry.subject_id)
        if key is not None:
            with suppress(Sealed):  # by a key that was destroyed, before there was another
                opened = msgspec.json.decode(unseal(key, entry.subject_id, sealed))
                words = {name: opened[name] for name in ("text", "note") if name in opened}
        return structs.replace(entry, body={**entry.body, "words": words})


def _draft(identity: Identity, before: Incident, after: Incident, step: Step, now: int) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=step.action,
        subject_type="incident",
        subject_id=after.id,
        revision=after.revision,
        scope_grid=path(after.chain),
        scope_grid_before=path(before.chain),
        scope_department=after.department,
        scope_department_before=before.department,
        reason=step.reason,
        body=_body(before, after, step),
    )


def _body(before: Incident, after: Incident, step: Step) -> dict[str, Any]:
    """Reopening carries the whole incident: it may have left the board."""
    if after is before:
        return {}
    if step.action == "incident.reopened":
        return {"set": msgspec.to_builtins(after)}
    return {"set": {**step.changes, "revision": after.revision, "updated_at": after.updated_at}}


def _located(located: Located) -> dict[str, Any]:
    return {
        "grid": located.grid,
        "chain": located.chain,
        "nearest": located.nearest,
        "distance_m": located.distance_m,
    }


def _on_earth(lon: float | None, lat: float | None) -> bool:
    """Say whether it is a point in degrees; NaN and infinity are none."""
    return lon is not None and lat is not None and abs(lon) <= 180 and abs(lat) <= 90


def _is_due(incident: Incident, before: int) -> bool:
    waiting = incident.acknowledged_at is None and incident.escalated_at is None
    return incident.is_open and incident.urgency == "critical" and waiting and incident.waiting_since < before


def _flat(opened: dict[str, Any]) -> dict[str, str]:
    """A report's sealed part as one level of texts; operators' notes are not part of the original."""
    flat = {"text": opened["text"]} if "text" in opened else {}
    flat |= {str(name): str(value) for name, value in opened.get("reporter", {}).items()}
    names = [str(item.get("url") or item.get("name") or "") for item in opened.get("attachments", [])]
    return flat | ({"attachments": "\n".join(names)} if names else {})


def _words(name: str, text: str, *, required: bool = False) -> dict[str, str]:
    text = _text(text, required=required)
    return {name: text} if text else {}


def _text(text: str, *, required: bool) -> str:
    text = cleaned(text)
    if len(text) > TEXT_MOST:
        raise Refused("operations.text_too_long", most=TEXT_MOST)
    _need(not required or len(text) >= REASON_LEAST, "text_missing")
    return text


def _need(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(f"operations.{code}")
