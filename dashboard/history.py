"""The history 经过 of an incident: journal entries in words, with who, when and what."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from config.words import Words
from dashboard import loop_words, order_history
from dashboard.clocks import said
from dashboard.names import Names
from operations.entry import Entry


@dataclass(frozen=True)
class Line:
    """One line of the history: when (microseconds), who, what, and the reason or text that goes with it."""

    at: int
    who: str
    what: str
    more: str = ""


def history(entries: Iterable[Entry], names: Names) -> list[Line]:
    """Return the entries in words, newest first."""
    told = list(entries)
    parties = order_history.parties(told)
    lines = [Line(one.at, names.actor(one.actor), what(one, names, parties), more(one, names)) for one in told]
    return lines[::-1]


def what(entry: Entry, names: Names, parties: order_history.Parties) -> str:
    """Return what an entry did; `parties` are the orders of the incident and their recipients."""
    return order_history.what(entry, names, parties) if entry.subject_type == "order" else done(entry, names)


def done(entry: Entry, names: Names) -> str:
    """Return what an entry about the incident itself did."""
    words = names.words
    values = (entry.body or {}).get("set", {})
    match entry.action:
        case "incident.updated":
            return updated(values, words)
        case "incident.urgency":
            return words.text(
                "desk.history.incident_urgency", urgency=known(words, "common.urgency", values.get("urgency", ""))
            )
        case "incident.closed":
            return words.text("desk.history.incident_closed", result=result(values.get("result", ""), words))
        case "incident.placed" if values.get("grid"):
            return words.text("desk.history.incident_placed", grid=names.grid(values["grid"]))
        case "incident.rederived":
            return rederived(entry, names)
        case "incident.merged" | "incident.split" | "incident.parted" | "incident.absorbed":
            return merged(entry, words)
        case "incident.distinct":
            return words.text(f"desk.history.incident_{'same' if entry.reason == 'same' else 'distinct'}")
        case "incident.placed":
            return words.text("desk.history.incident_placed_outside")
    return plainly(entry, names)


def plainly(entry: Entry, names: Names) -> str:
    """Return what an entry did where its action says all, or a clock said it."""
    if entry.action in loop_words.SAID:
        return loop_words.what(entry, names)
    if entry.action.startswith("clock."):
        return said(entry, names)
    key = "desk.history." + entry.action.replace(".", "_")
    number = (entry.body or {}).get("number", "")
    return names.words.text(key, number=number) if key in names.words else entry.action


def merged(entry: Entry, words: Words) -> str:
    """Return what was merged with what, or taken out again."""
    key = "desk.history." + entry.action.replace(".", "_")
    if entry.action == "incident.absorbed":
        numbers = [str(one) for one in (entry.body or {}).get("numbers", [])]
        return words.text(key, numbers=words.pick("、", ", ").join(numbers))
    return words.text(key, number=entry.reason) + stayed(entry, words)


def stayed(entry: Entry, words: Words) -> str:
    """Return what splitting could not give back, because something followed the merge."""
    return words.text("desk.history.stays_urgency") if (entry.body or {}).get("stays") else ""


def rederived(entry: Entry, names: Names) -> str:
    """Return which datum its source's coordinates were read in anew, and where the incident came to lie."""
    moved = (entry.body or {}).get("datum", {})
    code, datum = str(moved.get("grid", "")), known(names.words, "datums.name", str(moved.get("to", "")))
    key = "incident_rederived" if code else "incident_rederived_outside"
    return names.words.text(f"desk.history.{key}", datum=datum, grid=names.grid(code))


FIELDS = ("type", "title", "address", "urgency", "source_status", "marks", "department", "occurred_at")


def updated(values: dict[str, Any], words: Words) -> str:
    """Return which facts a report changed."""
    changed = [words.text(f"desk.field.{name}") for name in FIELDS if name in values]
    if "lon" in values or "grid" in values:
        changed.append(words.text("desk.field.place"))
    if "gone" in values:
        changed.append(words.text("desk.field.gone" if values["gone"] else "desk.field.back"))
    if not changed:
        return words.text("desk.history.incident_updated_same")
    return words.text(
        "desk.history.incident_updated", fields="、".join(changed) if words.lang == "zh" else ", ".join(changed)
    )


def more(entry: Entry, names: Names) -> str:
    """Return the words that go with an entry: a note or text its reader may see, or why they are not there."""
    if entry.body is None or ("words" in entry.body and entry.body["words"] is None):
        return names.words.text("desk.drawer.destroyed")
    if entry.subject_type == "order":
        return order_history.more(entry, names.words)
    words = entry.body.get("words", {})
    if entry.action == "incident.unsealed":
        return names.words.text("desk.history.reason", reason=entry.reason)
    return str(words.get("note") or words.get("text") or "")


def latest_text(entries: Iterable[Entry]) -> str:
    """Return the matter in the words of the newest report, if its reader may see them."""
    about = [entry for entry in entries if entry.subject_type != "order"]  # an order's text is its own
    told = [(entry.body or {}).get("words") or {} for entry in about]
    return next((str(words["text"]) for words in reversed(told) if words.get("text")), "")


def known(words: Words, key: str, code: str) -> str:
    """Return the text of a code; a code without a text is shown as it is."""
    return words.text(f"{key}.{code}") if f"{key}.{code}" in words else code


def mark(words: Words, code: str) -> str:
    """Return a mark in words: those of intake, and those of the desk."""
    return known(words, "streams.mark" if f"streams.mark.{code}" in words else "desk.mark", code)


def fault(words: Words, code: str) -> str:
    """Return in words why intake could not take something."""
    return known(words, "streams.reason" if f"streams.reason.{code}" in words else "desk.fault", code)


def result(code: str, words: Words) -> str:
    """Return a result in words."""
    return known(words, "desk.result", code)
