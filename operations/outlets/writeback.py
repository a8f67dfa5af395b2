"""Writing back to the source 回写: from the journal by a cursor of each outlet, into the outbox, in one transaction.

So nothing is lost and nothing is queued twice; what concerns one incident leaves in the order it happened. `say(kind,
code)` is the source's word for a code of ours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec import structs
from sqlalchemy import Connection

from operations import journal
from operations.database import Database, Transaction, select_in
from operations.entry import Entry
from operations.errors import NotFound
from operations.incident import Incident
from operations.orders import rows as orders
from operations.orders.order import Order
from operations.outlets import outbox, rows
from operations.outlets.message import Message
from operations.outlets.outlet import STATUS, Outlet
from operations.scope import WHOLE

AT_ONCE = 500
"""Entries read in one go."""
TELLING = ("step", "stage", "result", "department", "suspended_at", "reply", "follow_up", "merged_into")
"""A change of these is told."""
_incident = msgspec.json.Decoder(Incident)

Say = Callable[[str, str], str]


def behind(database: Database) -> list[Outlet]:
    """Return the outlets that write back and have not read all of the journal."""
    with database.read() as connection:
        seq = journal.head_on(connection).seq
        return [one for one in rows.listed(connection) if one.enabled and one.source and one.cursor < seq]


def step(database: Database, name: str, say: Say, now: int) -> int:
    """Queue what the next entries say of an outlet's source; returns how many messages."""
    with database.write() as transaction:
        try:
            outlet = rows.find(transaction.connection, name, lock=True)
        except NotFound:  # removed meanwhile
            return 0
        entries = journal.read_on(transaction.connection, outlet.cursor, AT_ONCE)
        if not entries:
            return 0
        told = list(_told(transaction.connection, outlet.source, entries, say))
        for incident, message in told:
            _queue(transaction, outlet, incident, message, now)
        rows.store(transaction, structs.replace(outlet, cursor=entries[-1].seq))
    return len(told)


def _queue(transaction: Transaction, outlet: Outlet, incident: Incident, message: Message, now: int) -> None:
    outbox.add(transaction, outlet.name, "incident", incident.id, [message], now)


def _told(
    connection: Connection, source: str, entries: Sequence[Entry], say: Say
) -> Iterator[tuple[Incident, Message]]:
    ended = {one.subject_id: order for one in entries if _ends(one) and (order := _order(connection, one.subject_id))}
    ids = {one.subject_id for one in entries if one.subject_type == "incident"}
    known = _incidents(connection, ids | {one.incident for one in ended.values()})
    for entry in entries:
        order = ended.get(entry.subject_id) if _ends(entry) else None
        incident = known.get(order.incident if order else entry.subject_id)
        if incident is None or incident.source != source:
            continue
        status = _outcome(order, entry, say) if order else _status(entry, say)
        if status:
            yield incident, _message(incident, entry, status)


def _message(incident: Incident, entry: Entry, status: dict[str, str]) -> Message:
    named = {"source": incident.source, "report_id": incident.report_id, "number": incident.number}
    return Message(
        purpose=STATUS,
        at=entry.at,
        seq=entry.seq,
        recipient=incident.report_id,
        name=incident.source,
        incident=incident.id,
        incident_number=incident.number,
        status={**named, "entry": entry.action, **status},
    )


def _status(entry: Entry, say: Say) -> dict[str, str]:
    """What an entry about an incident says that a source wants to know; {} for nothing."""
    changes = (entry.body or {}).get("set", {})
    if entry.subject_type != "incident" or not any(name in changes for name in TELLING):
        return {}
    out: dict[str, str] = {}
    for name in ("step", "stage", "result"):
        if changes.get(name):
            out |= {name: str(changes[name]), f"{name}_word": say(name, str(changes[name]))}
    if "step" not in out and entry.action == "incident.opened":
        out |= {"step": "register", "step_word": say("step", "register")}
    plain = {name: str(changes[name]) for name in ("department", "reply", "follow_up") if changes.get(name)}
    suspended = {"suspended": str(changes["suspended_at"] is not None).lower()} if "suspended_at" in changes else {}
    return out | plain | suspended


def _ends(entry: Entry) -> bool:
    state = (entry.body or {}).get("set", {}).get("state", "open")
    return entry.subject_type == "order" and state in ("done", "cancelled")


def _order(connection: Connection, order_id: str) -> Order | None:
    try:
        found = orders.find(connection, WHOLE, order_id)
    except NotFound:
        return None
    return found if found.incident else None


def _outcome(order: Order, entry: Entry, say: Say) -> dict[str, str]:
    state = str((entry.body or {})["set"]["state"])
    people = ";".join(f"{one.department or one.id}:{one.state}" for one in order.recipients)
    return {"order": order.number, "order_state": state, "order_word": say("order", state), "recipients": people}


def _incidents(connection: Connection, ids: Iterable[str]) -> dict[str, Incident]:
    found = select_in(connection, "SELECT id, body FROM incident WHERE id IN", sorted(ids))
    return {row.id: _incident.decode(row.body) for row in found}
