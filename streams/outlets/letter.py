"""A message as it leaves 发出的内容: JSON for programs, text in the recipient's language for people. Pure."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from config.words import Words
from operations.outlets.addresses import Address
from operations.outlets.message import Message
from operations.outlets.outbox import Parcel
from operations.outlets.outlet import REPORT, STATUS, TEST, Outlet


class Letter(Struct, frozen=True):
    """A parcel with what is looked up at the last moment: the address, a person's name, the sealed text."""

    parcel: Parcel
    address: Address
    text: str = ""
    name: str = ""

    @property
    def message(self) -> Message:
        """What was queued."""
        return self.parcel.message


def subject(letter: Letter, words: Words) -> str:
    """Return the one line that says what it is; never more than one line."""
    one = letter.message
    if one.purpose == TEST:
        return words.text("letter.test.subject")
    said = words.text(f"letter.subject.{one.purpose}", number=one.number, title=one.title)
    return " ".join(said.split())[:200]


def plain(letter: Letter, words: Words) -> str:
    """Return the text for people."""
    one = letter.message
    if one.purpose == TEST:
        return words.text("letter.test.text", city=words.city.name or words.text("common.product"))
    facts = [(name, value) for name, value in _facts(one, words) if value]
    lines = [f"{words.text('letter.fact.' + name)}{words.pick('：', ': ')}{value}" for name, value in facts]
    head = words.text(f"letter.head.{one.purpose}", name=letter.name or one.name)
    body = [letter.text] if letter.text and one.purpose != "cancel" else []
    return "\n\n".join([head, "\n".join(lines), *body, words.text("letter.foot", id=letter.parcel.id)])


def document(letter: Letter, outlet: Outlet, words: Words) -> bytes:
    """Return the JSON for programs; the same parcel is always the same document but for what the address book says."""
    one = letter.message
    head: dict[str, Any] = {"id": letter.parcel.id, "type": _type(one), "at": moment(one.at)}
    if one.purpose == TEST:
        return msgspec.json.encode(head | {"text": plain(letter, words)})
    if one.purpose == STATUS:
        return msgspec.json.encode(head | {"seq": one.seq, **one.status})
    needs = outlet.terms.needs
    if one.purpose == REPORT:
        return msgspec.json.encode(head | _report(letter, needs) | {"summary": subject(letter, words)})
    to = {"id": one.recipient, "kind": one.kind, "name": letter.name or one.name, "department": one.department}
    to |= {"role": one.role} | ({needs: getattr(letter.address, needs)} if needs else {})
    order = {
        "id": one.order,
        "number": one.number,
        "kind": one.order_kind,
        "title": one.title,
        "urgency": one.urgency,
        "address": one.address,
        "lon": one.lon,
        "lat": one.lat,
        "amended": one.amended,
        "incident": one.incident_number,
        "warning": one.warning,
        "due": {name: moment(at) for name, at in one.due.items()},
    }
    order = {name: value for name, value in order.items() if value not in ("", None, {}, 0)}
    said = {"recipient": to, "order": order, "text": letter.text, "summary": subject(letter, words)}
    return msgspec.json.encode(head | said)


def _report(letter: Letter, needs: str) -> dict[str, Any]:
    """A report to the level above, for programs."""
    one = letter.message
    to = {"name": one.name} | ({needs: getattr(letter.address, needs)} if needs else {})
    said = {"number": one.number, "title": one.title, "address": one.address, "incident": one.incident_number}
    return {"recipient": to, "report": {**said, "urgency": one.urgency, **one.status}, "text": letter.text}


def moment(at: int) -> str:
    """Return a time in microseconds as RFC 3339 has it."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def _type(one: Message) -> str:
    return {TEST: "test", STATUS: "incident.status", REPORT: "upward.report"}.get(one.purpose, f"order.{one.purpose}")


def _facts(one: Message, words: Words) -> list[tuple[str, str]]:
    due = words.pick("；", "; ").join(
        words.text(f"letter.due.{name}", at=_local(at, words)) for name, at in one.due.items()
    )
    return [
        ("number", one.number),
        ("title", one.title),
        ("urgency", words.text(f"common.urgency.{one.urgency}") if one.urgency else ""),
        ("role", words.text(f"orders.role.{one.role}") if one.role else ""),
        ("address", one.address),
        ("incident", one.incident_number),
        ("due", due),
        *((name, _of_report(name, one.status[name], words)) for name in one.status if one.purpose == REPORT),
    ]


def _of_report(name: str, value: str, words: Words) -> str:
    return value if name == "signed_by" or not value else words.text(f"upward.{name}.{value}")


def _local(at: int, words: Words) -> str:
    return datetime.fromtimestamp(at / 1_000_000, words.city.zone).strftime("%Y-%m-%d %H:%M")
