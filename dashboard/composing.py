"""Composing an order 拟单: what is proposed for an incident, who can be picked, and the draft it stands for.

Everything asked comes from a browser and is judged anew; who asks comes from the request.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from config import departments, order_texts
from config.deadlines import Limits
from config.taxonomy import URGENCIES
from config.words import Words
from dashboard.asked import Asked, Unclear, number, text, word
from dashboard.names import Names
from operations.contacts.index import Hit
from operations.incident import Incident
from operations.orders.dispatch import OrderDraft, Wanted
from operations.orders.proposal import PAST, Proposal, Proposed

KINDS = ("order", "joint", "whistle")
"""What the desk sends: 交办, 联动, 吹哨; a call 叫应 is sent for a warning."""
CLOCKS = ("sign", "arrive", "close")
PICKED_MOST = 500
FOUND_MOST = 8
Pick = dict[str, str]


def free() -> dict[str, Any]:
    """Return what the composer opens with for an order that stands free: nobody, no text, the usual deadlines."""
    nobody: dict[str, Any] = {"texts": [], "to": [], "offered": []}
    return {"kind": "order", "urgency": "routine", "title": "", "minutes": usual()} | nobody


def proposed(one: Incident, proposal: Proposal, names: Names) -> dict[str, Any]:
    """Return what the composer opens with for an incident: kind, urgency, title, texts and deadlines, who is picked
    beforehand and who is offered beside them.
    """
    return {
        "kind": "joint" if one.urgency == "critical" else "order",
        "urgency": one.urgency,
        "title": (one.title or names.types.get(one.type, one.type))[:80],
        "texts": texts(one, names),
        "minutes": {name: proposal.minutes.get(name, 0) for name in CLOCKS},
        "to": [picked(each, names.words) for each in proposal.recipients if each.picked],
        "offered": [picked(each, names.words) for each in proposal.recipients if not each.picked],
    }


@functools.cache
def usual() -> dict[str, int]:
    """Return the deadlines of the configuration where no incident is known, in minutes; 0 where there is none."""
    found = Limits.load().of("", "routine", "")
    return {name: found[name].seconds // 60 if name in found else 0 for name in CLOCKS}


def texts(one: Incident, names: Names) -> list[dict[str, str]]:
    """Return the texts to pick from, what suits the type best first, filled with the incident's place."""
    where = one.address or names.chain(one.chain[-2:]) or names.words.text("desk.compose.place_unknown")
    type_name = names.types.get(one.type, one.type)
    values = {"number": str(one.number), "place": where, "title": one.title or type_name, "type": type_name}
    lang = names.words.lang
    suiting = order_texts.suiting(order_texts.load(), one.type)
    return [{"name": each.name, "label": each.label(lang), "text": each.filled(lang, values)} for each in suiting]


def picked(one: Proposed, words: Words) -> Pick:
    """Return somebody who is proposed, as the composer shows them, with the reasons in words."""
    wanted = one.wanted
    known = departments.current().get(wanted.department)
    office = known.name(words.lang) if known else wanted.department
    return {
        "kind": wanted.kind,
        "id": wanted.id,
        "name": wanted.name,
        "shown": f"{office} {wanted.name}" if wanted.kind == "person" else wanted.name,
        "department": wanted.department,
        "department_name": office,
        "grid": wanted.grid,
        "account": wanted.account,
        "role": wanted.role,
        "why": words.text("desk.compose.and").join(reason(code, one, words) for code in one.reasons),
    }


def reason(code: str, one: Proposed, words: Words) -> str:
    """Return a reason why somebody is proposed, in words."""
    if code == PAST:
        return words.text("desk.compose.reason.past", n=one.times)
    return words.text(f"desk.compose.reason.{code}")


def found(hits: Iterable[Hit]) -> list[dict[str, str]]:
    """Return those that were found in the address book, as the picker shows them and as the order will call them."""
    return [
        {
            "kind": one.kind,
            "id": one.id,
            "name": one.wanted().name,
            "shown": one.name,
            "department": one.department,
            "department_name": one.department_name,
            "post": one.post,
            "grid": one.grid,
            "account": one.account,
        }
        for one in hits
    ]


def drafted(asked: Asked) -> OrderDraft:
    """Return the order a filled composer stands for. Raises Unclear with the field's name."""
    asked_for = asked.get("to")
    if not isinstance(asked_for, list) or not 0 < len(asked_for) <= PICKED_MOST:
        raise Unclear("to")
    return OrderDraft(
        title=text(asked, "title"),
        text=text(asked, "text"),
        recipients=tuple(wanted(one) for one in asked_for),
        incident=word(asked, "incident") if asked.get("incident") else "",
        kind=word(asked, "kind", KINDS),
        urgency=word(asked, "urgency", URGENCIES),
        sign_minutes=minutes(asked, "sign"),
        arrive_minutes=minutes(asked, "arrive"),
        close_minutes=minutes(asked, "close"),
        key=word(asked, "key"),
    )


def wanted(one: Any) -> Wanted:
    """Return one recipient as it was picked."""
    if not isinstance(one, dict):
        raise Unclear("to")
    return Wanted(
        word(one, "kind", ("department", "team", "person")),
        word(one, "id"),
        name=text(one, "name"),
        department=text(one, "department"),
        role=word(one, "role", ("lead", "support")),
        account=text(one, "account"),
        grid=text(one, "grid"),
    )


def minutes(asked: Mapping[str, Any], name: str) -> int:
    """Return a deadline in minutes, 0 where none was set."""
    return int(number(dict(asked), name)) if asked.get(name) else 0
