"""What the panels of the auditor's page share: a line of the log in words, opened to body and hashes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from dash import html

from config.words import Words
from dashboard.history import known
from dashboard.moment import shown_moment
from operations.entry import Entry

SUBJECT_ASK = "audit-subject-ask"
ASKED = "audit-asked"
LOG, SUBJECT, LOOKS, VERIFY, EXPORT = "log", "subject", "looks", "verify", "export"
TABS = (LOG, SUBJECT, LOOKS, VERIFY, EXPORT)
SHORT = 8
"""Characters of an id that nobody has given a name."""
BODY_MOST = 4_000


@dataclass(frozen=True)
class Row:
    """One line: when, who, what, about what, why, from where; and what it opens to as (label, text)."""

    seq: int
    when: str
    who: str
    actor: str
    what: str
    group: str
    subject: str
    subject_id: str
    reason: str
    origin: str
    more: tuple[tuple[str, str], ...]


def rows(entries: Iterable[Entry], called: Mapping[str, str], words: Words) -> list[Row]:
    """Return the lines of entries; `called` tells what people call the subjects: {id: number or name}."""
    return [row(entry, called, words) for entry in entries]


def row(entry: Entry, called: Mapping[str, str], words: Words) -> Row:
    """Return the line of one entry."""
    body = entry.body or {}
    return Row(
        seq=entry.seq,
        when=shown_moment(entry.at, words.city.zone),
        who=who(entry.actor, words),
        actor=entry.actor,
        what=what(entry, words),
        group=entry.action.partition(".")[0],
        subject=subject(entry, called, words),
        subject_id=entry.subject_id,
        reason=reason(entry, words),
        origin=" · ".join(str(part) for part in (body.get("network") or body.get("address"), session(entry)) if part),
        more=more(entry, words),
    )


def who(actor: str, words: Words) -> str:
    """Return who acted, in words: a person's name alone, everybody else with what they are."""
    kind, _, name = actor.partition(":")
    if kind == "account":
        return name
    said = known(words, "audit.kind", kind)
    return said if kind == "system" or not name else f"{said} {name}"


def what(entry: Entry, words: Words) -> str:
    """Return what was done; an entry that stands for several says how many."""
    said = known(words, "audit.action", entry.action)
    body = entry.body or {}
    fields = body.get("fields")
    if isinstance(fields, list) and fields:
        names = words.pick("、", ", ").join(known(words, "desk.reveal", str(name)) for name in fields)
        said = words.text("audit.saw", what=said, fields=names)
    count = body.get("count", 1)
    return f"{said} ×{count}" if isinstance(count, int) and count > 1 else said


def subject(entry: Entry, called: Mapping[str, str], words: Words) -> str:
    """Return what an entry is about: its kind, and its number or name, else the beginning of its id."""
    kind = known(words, "audit.kind", entry.subject_type)
    name = called.get(entry.subject_id, "") or short(entry.subject_id)
    if entry.subject_type in ("export", "audit", "journal") and f"audit.thing.{entry.subject_id}" in words:
        name = words.text(f"audit.thing.{entry.subject_id}")
    elif entry.subject_type == "action":
        name = known(words, "policy.action", entry.subject_id)
    return kind if entry.subject_id == entry.subject_type else f"{kind} {name}".strip()


def short(id: str) -> str:
    """Return an id as far as it is worth reading: of a UUID, whose beginning is a time, the end."""
    return f"…{id[-SHORT:]}" if len(id) == 36 and id.count("-") == 4 else id


def reason(entry: Entry, words: Words) -> str:
    """Return why: the words a person gave, or those of a code."""
    return known(words, "audit.reason", entry.reason) if entry.reason else ""


def session(entry: Entry) -> str:
    """Return the session an entry belongs to, "" when nothing tells."""
    found = entry.subject_id if entry.subject_type == "session" else str((entry.body or {}).get("session") or "")
    return short(found)


def more(entry: Entry, words: Words) -> tuple[tuple[str, str], ...]:
    """Return what a line opens to: number, code, ids, scope, body and hashes."""
    scope = " → ".join(dict.fromkeys(part for part in (entry.scope_grid_before, entry.scope_grid) if part))
    told = "" if entry.body is None else msgspec.json.format(msgspec.json.encode(entry.body), indent=2).decode()
    facts = (
        ("seq", str(entry.seq)),
        ("code", entry.action),
        ("actor", entry.actor),
        ("id", entry.subject_id),
        ("revision", str(entry.revision or "")),
        ("grid", scope),
        ("department", entry.scope_department),
        ("body", words.text("audit.destroyed") if entry.body is None else told[:BODY_MOST]),
        ("body_digest", entry.body_digest),
        ("prev_hash", entry.prev_hash),
        ("hash", entry.hash),
    )
    return tuple((words.text(f"audit.fact.{name}"), text) for name, text in facts if text and text != "{}")


# ---- looks -----------------------------------------------------------------------------------------------------------


def listing(found: Sequence[Row], words: Words, empty: str) -> html.Div:
    """Return the lines under their heads, or why there are none."""
    if not found:
        return html.Div(empty, className="desk-empty")
    heads = [html.Span(words.text(f"audit.head.{name}")) for name in ("when", "who", "what", "subject", "reason")]
    head = html.Div([*heads, html.Span(words.text("audit.head.origin"))], className="audit-line audit-head")
    return html.Div([head, *(line(one, words) for one in found)], className="audit-list")


def line(one: Row, words: Words) -> html.Details:
    """Return one line that opens to body and hashes, with the ways on to its subject and its actor."""
    cells = [one.when, one.who, one.what, one.subject, one.reason, one.origin]
    spans = [html.Span(text, title=text, className="cut") for text in cells]
    ways = [
        html.Button(
            words.text(f"audit.about_{name}"), type="button", className="desk-button", **{"data-audit-subject": key}
        )
        for name, key in (("subject", one.subject_id), ("actor", one.actor))
        if key
    ]
    facts = [part for label, text in one.more for part in (html.Dt(label), html.Dd(text))]
    opened = html.Div([html.Div(ways, className="desk-line"), html.Dl(facts)], className="audit-more")
    return html.Details(
        [html.Summary(spans, className="audit-line"), opened], className=f"audit-row {one.group}", key=str(one.seq)
    )
