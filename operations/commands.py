"""What people do to incidents. Each command checks permission, scope and revision and writes one entry.

The second of two who change the same revision gets Conflict with the state as it is now. A note clobbers nothing and is
added whatever the revision. What people write goes into the sealed part; the entry's reason holds a code, except where
the reason itself must outlive the key (looking at sealed data).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, tzinfo
from typing import Any

import msgspec
from msgspec import Struct, structs

from config import clock
from config import flows as files
from config.flows import Flows
from config.taxonomy import URGENCIES
from operations import doubles, journal, segments, upward, warnings
from operations.database import AfterCommit, Database, Transaction
from operations.deadlines import NONE, Deadlines
from operations.decision import PLACED_BY_HAND, Standing
from operations.entry import Draft, Entry, path
from operations.errors import Conflict, Refused, Sealed
from operations.incident import WHOLE_AGAIN, Incident, with_urgency
from operations.incidents import flow as flowing
from operations.incidents import merging, supervision
from operations.incidents import rows as incidents
from operations.incidents.loop import Admits, Loop
from operations.incidents.moves import RESULTS
from operations.incidents.step import Step
from operations.incidents.step import words as _words
from operations.incidents.step import written as _text
from operations.orders import reading
from operations.orders.words import with_words
from operations.policy import SYSTEM, Identity, allowed, reach
from operations.reception import store_incident
from operations.report import Located
from operations.scope import WHOLE
from operations.seal import KeyStore, seal, unseal

ESCALATED_AT_ONCE = 500
DISTINCT_MOST = 64  # pairs kept of one incident, the latest
SECOND = 1_000_000

Locate = Callable[[float | None, float | None, str], Located]


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
        zone: tzinfo = UTC,
        deadlines: Deadlines = NONE,
        flows: Callable[[], Flows] = files.current,
        admits: Admits | None = None,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._keys = keys
        self._doorbell = doorbell
        self._locate = locate
        self._zone = zone
        self._deadlines = deadlines
        self._now = now
        self.loop = Loop(self, database, flows=flows, admits=admits)

    def acknowledge(self, identity: Identity, incident_id: str, revision: int) -> Incident:
        """Take note of an incident 签收: the sound stops, its clock for acknowledging ends."""

        def step(incident: Incident, now: int) -> Step:
            _need(incident.is_open, "closed")
            _need(incident.acknowledged_at is None, "acknowledged")
            return Step("incident.acknowledged", {"acknowledged_at": now, "acknowledged_by": identity.name})

        return self.run(identity, "incident.acknowledge", incident_id, revision, step)

    def note(self, identity: Identity, incident_id: str, revision: int, text: str) -> Incident:
        """Add a note, also to a closed incident; `revision` is not compared."""
        words = {"note": _text(text, required=True)}
        return self.run(
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

        return self.run(identity, "incident.urgency", incident_id, revision, step)

    def close(self, identity: Identity, incident_id: str, revision: int, result: str, text: str = "") -> Incident:
        """Close at once, where its flow allows that, with a result; one other than "resolved" wants a text."""
        _need(result in RESULTS, "unknown_result")
        words = _words("note", text, required=result != "resolved")

        def step(incident: Incident, now: int) -> Step:
            _need(incident.is_open, "closed")
            waives = allowed(identity, "incident.approve")
            own = self.loop.of(incident)
            changes = flowing.closing(own, incident, result, now, identity.name, waives=waives, text=bool(words))
            return Step("incident.closed", changes, reason=result, words=words)

        return self.run(identity, "incident.close", incident_id, revision, step)

    def reopen(self, identity: Identity, incident_id: str, revision: int, text: str) -> Incident:
        """Open a closed incident again, with a reason; it has to be acknowledged anew."""
        words = _words("note", text, required=True)

        def step(incident: Incident, now: int) -> Step:
            _need(not incident.is_open, "open")
            _need(not incident.merged_into, "merged")
            empty = {"closed_at": None, "closed_by": "", "result": "", "acknowledged_at": None, "acknowledged_by": ""}
            begun = flowing.reopened(self.loop.of(incident), now)
            changes = {**begun, "reopened_at": now, "escalated_at": None, **empty}
            return Step("incident.reopened", changes, words=words)

        return self.run(identity, "incident.reopen", incident_id, revision, step)

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

        return self.run(identity, "incident.place", incident_id, revision, step)

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

        return self.run(identity, "incident.distinct", incident_id, None, step)

    def merge(
        self, identity: Identity, incident_id: str, revision: int, parts: Sequence[str], text: str = ""
    ) -> Incident:
        """Make other open incidents part of this one; return it. What they become of it can be undone by `split`."""
        words = _words("note", text)

        def steps(found: dict[str, Incident], now: int) -> dict[str, Step]:
            whole = found[incident_id]
            changes = merging.joined(whole, [found[key] for key in parts], now, identity.name)
            into = {"merged_into": whole.id}
            made = {
                key: Step(
                    "incident.merged",
                    changes[key],
                    whole.number,
                    words,
                    into | {"undo": msgspec.to_builtins(merging.undo_of(whole, found[key], changes[whole.id]))},
                )
                for key in parts
            }
            numbers = [found[key].number for key in parts]
            return made | {whole.id: Step("incident.absorbed", changes[whole.id], more={"numbers": numbers})}

        return self._several(identity, "incident.merge", {**dict.fromkeys(parts), incident_id: revision}, steps)[
            incident_id
        ]

    def split(self, identity: Identity, incident_id: str, text: str = "") -> tuple[Incident, list[str]]:
        """Take an incident out of the one it is part of; return it, and codes of what stays as it became meanwhile.

        Nothing but this is done to a part, so no revision is compared.
        """
        words, scope = _words("note", text), reach(identity, "incident.merge")
        with self._database.read() as connection:
            part = incidents.find(connection, scope, incident_id).incident
            _need(part.merged_into != "", "not_merged")
            whole = incidents.find(connection, scope, part.merged_into).incident
            rest = [incidents.find(connection, WHOLE, key).incident for key in whole.merged if key != incident_id]
            entries = [entry for entry, _ in journal.of_subject(connection, incident_id)]
        told = next(entry.body or {} for entry in reversed(entries) if entry.action == "incident.merged")
        undo = msgspec.convert(told["undo"], merging.Undo)
        stays: list[str] = []

        def steps(found: dict[str, Incident], now: int) -> dict[str, Step]:
            changes, left = merging.parted(found[whole.id], found[incident_id], undo, rest)
            stays.extend(left)
            more = {"stays": list(left)}
            return {
                incident_id: Step("incident.split", changes[incident_id], whole.number, words, more),
                whole.id: Step("incident.parted", changes[whole.id], part.number, more=more),
            }

        both = dict.fromkeys((incident_id, whole.id))
        return self._several(identity, "incident.merge", both, steps)[incident_id], stays

    def link(self, identity: Identity, incident_id: str, other_id: str, *, away: bool = False) -> Incident:
        """Link two incidents, or (`away`) part them; clobbers nothing, so no revision is compared."""

        def steps(found: dict[str, Incident], now: int) -> dict[str, Step]:
            changes = merging.linked(found[incident_id], found[other_id], away=away)
            action = "incident.unlinked" if away else "incident.linked"
            return {key: Step(action, fields) for key, fields in changes.items()}

        _need(incident_id != other_id, "no_others")
        return self._several(identity, "incident.link", {incident_id: None, other_id: None}, steps)[incident_id]

    def _several(
        self,
        identity: Identity,
        permission: str,
        seen: Mapping[str, int | None],
        steps: Callable[[dict[str, Incident], int], dict[str, Step]],
    ) -> dict[str, Incident]:
        """Change several incidents {id: the revision that was seen} in one transaction; return them as they became."""
        scope, now = reach(identity, permission), self._now()
        with self._database.write(self._doorbell) as transaction:
            standings = {
                key: incidents.find(transaction.connection, scope, key, lock=True) for key in sorted(seen)
            }  # in one order, so that two who lock several wait for one another and never for ever
            for key, revision in seen.items():
                if revision is not None and standings[key].incident.revision != revision:
                    raise Conflict(standings[key].incident)
            made = steps({key: standing.incident for key, standing in standings.items()}, now)
            written = self.write(transaction, identity, [(standings[key], step) for key, step in made.items()], now)
        return {one.id: one for one in written}

    def supervise(self, identity: Identity, incident_id: str, text: str) -> Incident:
        """Put an incident under supervision 督办, with the reason: it gets a clock of its own."""
        words = _words("note", text, required=True)
        return self.run(
            identity,
            "incident.supervise",
            incident_id,
            None,
            lambda one, now: Step("incident.supervised", supervision.begun(one, now), words=words),
        )

    def unsupervise(self, identity: Identity, incident_id: str, text: str = "") -> Incident:
        """End its supervision; its card goes with it."""
        words = _words("note", text)
        return self.run(
            identity,
            "incident.supervise",
            incident_id,
            None,
            lambda one, _now: Step("incident.unsupervised", supervision.ended(one), words=words),
        )

    def card(self, identity: Identity, incident_id: str, card: str, text: str) -> Incident:
        """Give a yellow or red card, or take it back (""), with the reason."""
        words = _words("note", text, required=True)
        return self.run(
            identity,
            "incident.supervise",
            incident_id,
            None,
            lambda one, _now: Step("incident.carded", supervision.carded(one, card), card, words),
        )

    def explain(self, identity: Identity, incident_id: str, clock: str, code: str, text: str = "") -> Incident:
        """Say why a clock was late, by a code and in words; "other" wants words."""
        words = _words("note", text, required=code == "other")
        return self.run(
            identity,
            "incident.explain",
            incident_id,
            None,
            lambda one, _now: Step(
                "incident.explained", supervision.explained(one, clock, code), code, words, {"clock": clock}
            ),
        )

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
            return self.write(transaction, SYSTEM, [(standing, step) for standing in due], now)

    def dossier(self, identity: Identity, incident_id: str) -> Dossier:
        """Return an incident with its entries and those of its orders, as far as whoever asks sees these. Who may read
        texts finds them opened in `body["words"]`.
        """
        scope = reach(identity, "incident.read")
        with self._database.read() as connection:
            incident = incidents.find(connection, scope, incident_id).incident
            found = journal.of_subject(connection, incident_id)
            earlier = journal.count_of_subject(connection, incident_id) - len(found)
            whole = earlier or (found and found[0][0].action == "incident.opened")
            left = None if whole else segments.last(connection)
            ordered = reading.of_incident(connection, scope, incident_id)
        segment = "" if left is None else left.file
        entries = sorted([*found, *ordered], key=lambda one: one[0].seq)
        if allowed(identity, "incident.text"):
            return Dossier(incident, [self._with_words(entry, sealed) for entry, sealed in entries], earlier, segment)
        return Dossier(incident, [entry for entry, _ in entries], earlier, segment)

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

    def run(
        self,
        identity: Identity,
        permission: str,
        incident_id: str,
        revision: int | None,
        step: Callable[[Incident, int], Step],
    ) -> Incident:
        """Change one incident by a step. Raises Forbidden, NotFound, Conflict, and what the step refuses."""
        scope, now = reach(identity, permission), self._now()
        with self._database.write(self._doorbell) as transaction:
            standing = incidents.find(transaction.connection, scope, incident_id, lock=True)
            if revision is not None and standing.incident.revision != revision:
                raise Conflict(standing.incident)
            return self.write(transaction, identity, [(standing, step(standing.incident, now))], now)[0]

    def write(
        self, transaction: Transaction, identity: Identity, steps: list[tuple[Standing, Step]], now: int
    ) -> list[Incident]:
        """Write what steps change of incidents whose rows are locked: the one place every command passes."""
        drafts, changed = [], []
        for standing, step in steps:
            before = standing.incident
            after = structs.replace(before, **step.changes, revision=before.revision + 1, updated_at=now)
            if ticked := self._deadlines.after(before, after, now):
                step = structs.replace(step, changes=step.changes | ticked)
                after = structs.replace(after, **ticked)
            drafts.append(self._sealed(_draft(identity, before, after, step, now), step.words))
            store_incident(transaction, after, standing.said)
            drafts += upward.required(transaction, before, after, self._zone, now)
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
        if entry.subject_type == "order":
            return with_words(self._keys, entry, sealed)
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
    if step.action in WHOLE_AGAIN:
        return {**step.more, "set": msgspec.to_builtins(after)}
    return {**step.more, "set": {**step.changes, "revision": after.revision, "updated_at": after.updated_at}}


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


def _need(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(f"operations.{code}")
