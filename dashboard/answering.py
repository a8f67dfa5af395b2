"""One request of the page of one's orders (回执): the list, one order, a receipt; what it is told is data.

The caller's identity comes from the request, never from what the browser sent.
"""

import difflib
from collections.abc import Callable
from typing import Any

from config.words import Words
from dashboard.asked import Unclear, number, serial_of, text, word
from dashboard.errand import explain
from dashboard.history import known
from dashboard.names import Names
from operations.entry import Entry
from operations.errors import OperationsError, Refused
from operations.orders.dispatch import Dossier, answers_for
from operations.orders.order import Order, Recipient
from operations.orders.receipts import DEEDS, REASONS, possible
from operations.orders.taking_back import HARMLESS
from operations.policy import Identity
from operations.ticking import Clock

Asked = dict[str, Any]
Answer = dict[str, Any]

HISTORY_MOST = 60
"""Entries shown of an order, the newest."""
CLOCKS = {"sign": "signed_at", "arrive": "arrived_at", "close": "done_at"}


def perform(orders: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
    """Carry out `asked` {action, id, recipient, ...} and return {ok, serial, text, ...}; never raises for a refusal."""
    serial = serial_of(asked)
    try:
        command = COMMANDS.get(str(asked.get("action")))
        if command is None:
            raise Unclear("action")
        told = command(orders, identity, names, asked)
    except OperationsError as error:
        told = {"ok": False, "code": error.code, "text": refusal(error, names.words)}
    except Unclear as error:
        told = {"ok": False, "code": "unclear", "text": names.words.text("desk.error.unclear", field=str(error))}
    return {"serial": serial, "ok": True, "text": "", **told}


def refusal(error: OperationsError, words: Words) -> str:
    """Return what an error says; the state an order is in, by its word."""
    if isinstance(error, Refused) and "state" in error.params:
        state = known(words, "orders.state", str(error.params["state"]))
        return words.text(error.code, **error.params | {"state": state})
    return explain(error, words)


# ---- what one sees ---------------------------------------------------------------------------------------------------


def card(order: Order, one: Recipient, names: Names) -> dict[str, Any]:
    """Return what a card says of an order to one of its recipients; `due` is the clock that runs out next."""
    lead = order.lead
    due = due_of(one) if order.is_open else None
    return {
        "id": order.id,
        "recipient": one.id,
        "to": one.name,
        "number": order.number,
        "kind": known(names.words, "orders.kind", order.kind),
        "title": order.title,
        "urgency": order.urgency,
        "order": order.state,
        "state": one.state,
        "role": one.role,
        "lead": lead.name if lead is not None and lead.id != one.id else "",
        "sender": order.sender,
        "from": names.department(order.department),
        "sent_at": order.sent_at,
        "incident": order.incident_number,
        "type": names.type(order.type) if order.type else "",
        "place": names.chain(order.chain[-2:]) if order.incident else "",
        "address": order.address,
        "lon": order.lon,
        "lat": order.lat,
        "amended": order.amended,
        "unread": one.amendments != order.amended,
        "reminders": one.reminders,
        "due": None if due is None else {"name": due.name, "at": due.due_at, "near": due.near_at},
        "deeds": deeds(order, one),
        "reply": order.reply if one.role == "lead" else "",
        "reason": known(names.words, "orders.reason", one.reason) if one.reason else "",
        "by": one.by,
        "changed": order.updated_at,
        **{f"{deed}_at": getattr(one, f"{deed}_at") for deed in DEEDS if deed != "delivered"},
    }


def deeds(order: Order, one: Recipient) -> list[str]:
    """Return what a recipient may answer now; the lead finishes by the consolidated reply."""
    if not order.is_open:
        return []
    found = possible(one)
    if one.role != "lead":
        return found
    replies = one.state not in ("refused", "withdrawn") and order.reply != "sent"
    return [deed for deed in found if deed != "done"] + (["reply"] if replies else [])


def due_of(one: Recipient) -> Clock | None:
    """Return the clock that runs out next."""
    return min((clock for clock in one.clocks if clock.runs), key=lambda clock: clock.due_at, default=None)


def mine_of(order: Order, identity: Identity) -> list[Recipient]:
    """Return the recipients of an order that somebody answers for."""
    return [one for one in order.recipients if answers_for(identity, one)]


def listed(orders: Any, identity: Identity, names: Names, _: Asked) -> Answer:
    """Return one's orders; seeing them here is having received them."""
    found = [delivered(orders, identity, order) for order in orders.mine(identity)]
    return {"rows": [card(order, one, names) for order in found for one in mine_of(order, identity)]}


def delivered(orders: Any, identity: Identity, order: Order) -> Order:
    """Return an order with those recipients marked as delivered that somebody answers for."""
    for one in mine_of(order, identity):
        if one.state == "sent" and order.is_open:
            order = orders.answer(identity, order.id, one.id, "delivered")
    return order


def opened(orders: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
    """Return one order with its text, how that was amended, and what has happened; opening it is having seen it."""
    dossier: Dossier = orders.dossier(identity, word(asked, "id"))
    for one in mine_of(dossier.order, identity):
        unread = one.state in ("sent", "delivered") or one.amendments != dossier.order.amended
        if unread and one.id == asked.get("recipient") and dossier.order.is_open:
            orders.answer(identity, dossier.order.id, one.id, "seen")
            dossier = orders.dossier(identity, dossier.order.id)
    rows = [card(dossier.order, one, names) for one in mine_of(dossier.order, identity)]
    texts = dossier.texts
    return {
        "rows": rows,
        "told": dossier.text,
        "gone": not texts or texts[-1] is None,
        "difference": difference(texts[-2] or "", texts[-1] or "") if len(texts) > 1 else [],
        "recipients": [fellow(one, names) for one in dossier.order.recipients[:HISTORY_MOST]],
        "history": [line(entry, dossier.order, names) for entry in dossier.history[-HISTORY_MOST:]][::-1],
    }


def difference(before: str, after: str) -> list[list[str]]:
    """Return two texts as one: parts that stayed (""), went ("-") and came ("+")."""
    parts: list[list[str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(["", before[a:b]])
            continue
        parts += [[sign, said] for sign, said in (("-", before[a:b]), ("+", after[c:d])) if said]
    return parts


def fellow(one: Recipient, names: Names) -> dict[str, Any]:
    """Return another recipient and how far it is."""
    at = max((getattr(one, f"{deed}_at") or 0 for deed in DEEDS), default=0)
    return {"name": one.name, "role": one.role, "state": one.state, "at": at, "settled": one.settled}


def line(entry: Entry, order: Order, names: Names) -> dict[str, Any]:
    """Return one line of what has happened: when, who, what, and what was written."""
    body = entry.body or {}
    said = body.get("words") or {}
    touched = [one.name for one in order.recipients if one.id in body.get("recipients", {})]
    why = known(names.words, "orders.reason", entry.reason) if entry.reason in REASONS else ""
    return {
        "at": names.moment(entry.at),
        "who": names.actor(entry.actor),
        "for": "、".join(touched[:3]),
        "what": known(names.words, "audit.action", entry.action),
        "more": " · ".join(part for part in (why, str(said.get("reply") or said.get("note") or "")) if part),
    }


# ---- what one answers ------------------------------------------------------------------------------------------------


def receipt(deed: str) -> Callable[[Any, Identity, Names, Asked], Answer]:
    """Return the command that writes a receipt."""

    def written(orders: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
        reason = word(asked, "reason", REASONS) if deed == "refused" else ""
        place = {name: degree(asked, name) for name in ("lon", "lat") if asked.get(name) is not None}
        subject = word(asked, "id"), word(asked, "recipient")
        order = orders.answer(
            identity, *subject, deed, reason=reason, text=text(asked), key=word(asked, "key"), **place
        )
        rows = [card(order, one, names) for one in mine_of(order, identity)]
        told = names.words.text(f"mine.told.{deed}", number=order.number)
        return {"rows": rows, "text": told, "back": deed in HARMLESS}

    return written


def replied(orders: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
    """Send the lead's consolidated reply; with `missing` although others have not finished, and it names them."""
    key, order_id = word(asked, "key"), word(asked, "id")
    waited: list[str] = []
    if asked.get("missing") is True:
        recipients = orders.dossier(identity, order_id).order.recipients
        waited = [one.id for one in recipients if one.role != "lead" and not one.settled]
    order = orders.reply(identity, order_id, text(asked), missing=waited, key=key)
    rows = [card(order, one, names) for one in mine_of(order, identity)]
    return {"rows": rows, "text": names.words.text("mine.told.reply", number=order.number)}


def taken_back(orders: Any, identity: Identity, names: Names, asked: Asked) -> Answer:
    """Take back the receipt that was just written by mistake."""
    order = orders.take_back(identity, word(asked, "id"), word(asked, "recipient"))
    rows = [card(order, one, names) for one in mine_of(order, identity)]
    return {"rows": rows, "text": names.words.text("mine.told.taken_back", number=order.number)}


def degree(asked: Asked, name: str) -> float:
    """Return a coordinate in WGS-84 degrees. Raises Unclear when it is none."""
    value = float(number(asked, name))
    if abs(value) > (180 if name == "lon" else 90):
        raise Unclear(name)
    return value


COMMANDS: dict[str, Callable[[Any, Identity, Names, Asked], Answer]] = {
    "list": listed,
    "open": opened,
    "reply": replied,
    "take_back": taken_back,
    **{deed: receipt(deed) for deed in ("signed", "refused", "arrived", "progress", "done")},
}
