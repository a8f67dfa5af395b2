"""What entries about orders say 交办经过, in words: which order, which recipients, what they did and wrote."""

from collections.abc import Iterable, Mapping
from typing import Any

from config.words import Words
from dashboard.clocks import said
from dashboard.names import Names
from operations.entry import Entry

Parties = Mapping[tuple[str, str], str]
"""(order id, recipient id) → what the recipient is called; (order id, "") → the order's number."""
NAMED = 3
"""Recipients named in one line; of more only how many."""


def parties(entries: Iterable[Entry]) -> Parties:
    """Return what orders and their recipients are called, by the entries that brought them."""
    found: dict[tuple[str, str], str] = {}
    for entry in entries:
        body = entry.body or {}
        if entry.subject_type != "order":
            continue
        values = body.get("set", {})
        if "number" in values:
            found[entry.subject_id, ""] = values["number"]
        fresh = [*values.get("recipients", ()), *body.get("recipients", {}).values()]
        found |= {(entry.subject_id, one["id"]): one.get("name", "") for one in fresh if "id" in one}
    return found


def what(entry: Entry, names: Names, known: Parties) -> str:
    """Return what an entry about an order did."""
    words = names.words
    who, many = _who(entry, names, known)
    values = {"number": known.get((entry.subject_id, ""), ""), "what": deed(entry, names), "who": who, "count": many}
    return words.text(f"order_history.{'who' if who else 'many' if many else 'line'}", **values)


def deed(entry: Entry, names: Names) -> str:
    """Return what was done, without to whom."""
    words = names.words
    name = entry.action.removeprefix("order.")
    body = entry.body or {}
    if name.startswith("clock."):
        return _rung(entry, names)
    if name == "phone":
        heard = str(body.get("deed", ""))
        told = words.text("order_history.called") if heard == "called" else _deed(heard, words)
        return words.text("order_history.by_phone", deed=told)
    if name == "ruled":
        return words.text(f"order_history.{'must' if entry.reason == 'must' else 'released'}")
    return words.text("order_history.undone") if entry.reason == "undone" else _deed(name, words)


def _rung(entry: Entry, names: Names) -> str:
    """Return what a clock said, and who was called in the place of whoever had not signed."""
    recipients = (entry.body or {}).get("recipients", {}).values()
    called = [str(one.get("name", "")) for one in recipients if one.get("instead_of")]
    told = said(entry, names)
    if not called:
        return told
    return names.words.text("order_history.called_next", told=told, who=names.words.pick("、", ", ").join(called))


def more(entry: Entry, words: Words) -> str:
    """Return the words that go with it: what was written, who answered the telephone, the reason of a refusal."""
    said: Mapping[str, Any] = (entry.body or {}).get("words") or {}
    parts = [str(said[name]) for name in ("text", "note", "reply") if said.get(name)]
    if said.get("answered_by"):
        parts.insert(0, words.text("order_history.answered_by", who=said["answered_by"]))
    if f"orders.reason.{entry.reason}" in words:
        parts.insert(0, words.text("order_history.reason", reason=words.text(f"orders.reason.{entry.reason}")))
    return words.pick("；", "; ").join(parts + _ways(entry, words))


def _ways(entry: Entry, words: Words) -> list[str]:
    """By which ways out recipients were told, each named once."""
    told = [fields.get("ways", {}) for fields in (entry.body or {}).get("recipients", {}).values()]
    said = (f"{name} {words.text(f'orders.way.{state}')}" for ways in told for name, state in ways.items())
    return list(dict.fromkeys(said))


def _who(entry: Entry, names: Names, known: Parties) -> tuple[str, int]:
    """The recipients an entry is about by name, where they are few, and how many they are."""
    body = entry.body or {}
    ids = [body["recipient"]] if "recipient" in body else _about(body.get("recipients", {}))
    ids = ids or [one["id"] for one in body.get("set", {}).get("recipients", ())]
    if len(ids) > NAMED or entry.action in ("order.amended", "order.cancelled"):
        return "", len(ids)
    called = [_called(entry.subject_id, one, names, known) for one in ids]
    return names.words.pick("、", ", ").join(called), len(ids)


def _about(recipients: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Those an entry is about: where one took it, the others called for the same part are withdrawn beside it."""
    kept = [key for key, fields in recipients.items() if fields.get("state") != "withdrawn"]
    return kept or list(recipients)


def _called(order_id: str, recipient: str, names: Names, known: Parties) -> str:
    kind, _, code = recipient.partition(":")
    return names.department(code) if kind == "department" else known.get((order_id, recipient)) or code


def _deed(name: str, words: Words) -> str:
    key = f"order_history.deed.{name}"
    return words.text(key) if key in words else name
