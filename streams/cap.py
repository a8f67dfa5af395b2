"""CAP, the Common Alerting Protocol: versions 1.0, 1.1 and 1.2, and the profile of GB/T 35965, as real files have them.

Facts stand in standards, section 4. What the standard requires is required; what real issuers do beside it is taken:
`sent` with a "Z" or without a zone (then in the source's), a colour word for the severity, values as NAME=VALUE.
"""

import re
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import TypeVar
from xml.etree.ElementTree import Element

from msgspec import Struct

from streams.errors import Unreadable
from streams.markup import children, line_of, name_of, parse
from streams.masking import masked, one_line
from streams.moment import moment

NAMESPACES = (
    "urn:oasis:names:tc:emergency:cap:1.2",
    "urn:oasis:names:tc:emergency:cap:1.1",
    "http://www.incident.com/cap/1.0",
)
STATUSES = ("Actual", "Exercise", "System", "Test", "Draft")
KINDS = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES = ("Public", "Restricted", "Private")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
COLOURS = {"red": "Extreme", "orange": "Severe", "yellow": "Moderate", "blue": "Minor"}
MOST_INFOS, MOST_AREAS, MOST_SHAPES, MOST_POINTS, MOST_REFERENCES = 16, 100, 200, 20_000, 100
LONGEST_NAME, LONGEST_LINE, LONGEST_TEXT = 256, 500, 8_000
LARGEST_RADIUS_KM = 20_000.0
GB_35965 = re.compile(r"(\d{6})\d{8}_\d{14}(?:_\d+)?|(\d{6})\d{35}|(\d{6})\d{8}_\d{14}.*")
"""ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N, and the older form of 41 digits in one."""

Point = tuple[float, float]
T = TypeVar("T")


class Reference(Struct, frozen=True):
    """An earlier message: sender, identifier, sent (UTC microseconds, None when it cannot be read)."""

    sender: str
    identifier: str
    sent: int | None = None


class Area(Struct, frozen=True):
    """An area: rings of (lat, lon), circles of (lat, lon, km), codes of (scheme, value)."""

    description: str
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[tuple[float, float, float], ...] = ()
    codes: tuple[tuple[str, str], ...] = ()


class Info(Struct, frozen=True):
    """What is said in one language; `parameters` holds event codes and parameters as (name, value)."""

    language: str
    event: str
    urgency: str
    severity: str
    certainty: str
    colour: str = ""
    effective: int | None = None
    onset: int | None = None
    expires: int | None = None
    issuer: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    areas: tuple[Area, ...] = ()


class Alert(Struct, frozen=True):
    """One message; times in UTC microseconds."""

    identifier: str
    sender: str
    sent: int
    status: str
    kind: str
    scope: str
    references: tuple[Reference, ...] = ()
    infos: tuple[Info, ...] = ()


def read(body: bytes, zone: tzinfo) -> Alert:
    """Return the alert of a document. Raises Unreadable, which names element and line."""
    return alert(parse(body), zone)


def alert(root: Element, zone: tzinfo) -> Alert:
    """Return the alert of an element. Raises Unreadable."""
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    if name_of(root) != "alert" or (namespace and namespace not in NAMESPACES):
        raise Unreadable("cap_not_an_alert", name_of(root)[:60], line=line_of(root))
    identifier, sender = _name(root, "identifier"), _name(root, "sender")
    kind = _choice(root, "msgType", KINDS)
    references = _references(root, zone)
    if not references and kind in ("Update", "Cancel"):
        raise _wrong("missing", "references", root)
    scope = "Public" if namespace == NAMESPACES[2] and not _text(root, "scope") else _choice(root, "scope", SCOPES)
    infos = _many(root, "info", MOST_INFOS, lambda one: _info(one, zone))
    return Alert(
        identifier=identifier,
        sender=sender,
        sent=_required(_time(root, "sent", zone), "sent", root),
        status=_choice(root, "status", STATUSES),
        kind=kind,
        scope=scope,
        references=references,
        infos=infos,
    )


def _info(info: Element, zone: tzinfo) -> Info:
    severity, colour = _severity(info)
    headline, description = _line(info, "headline"), _long(info, "description")
    event = _line(info, "event") or headline
    if not event:
        raise _wrong("missing", "event", info)
    return Info(
        language=_language(info, headline + event + description),
        event=event,
        urgency=_choice(info, "urgency", URGENCIES),
        severity=severity,
        certainty=_certainty(info),
        colour=colour,
        effective=_time(info, "effective", zone),
        onset=_time(info, "onset", zone),
        expires=_time(info, "expires", zone),
        issuer=_line(info, "senderName"),
        headline=headline,
        description=description,
        instruction=_long(info, "instruction"),
        web=_line(info, "web"),
        parameters=tuple(pair for name in ("eventCode", "parameter") for pair in _pairs(info, name)),
        areas=_many(info, "area", MOST_AREAS, _area),
    )


def _severity(info: Element) -> tuple[str, str]:
    """The severity; GB/T 35965 puts the colour in its place."""
    said = _text(info, "severity").lower()
    if said in COLOURS:
        return COLOURS[said], said
    return _choice(info, "severity", SEVERITIES), ""


def _certainty(info: Element) -> str:
    if _text(info, "certainty").lower() == "very likely":  # as 1.0 had it
        return "Likely"
    return _choice(info, "certainty", CERTAINTIES)


def _language(info: Element, words: str) -> str:
    """The language as declared, else as it looks: the default of CAP, en-US, is seldom meant by who writes Chinese."""
    declared = _text(info, "language")[:20]
    if declared:
        return declared
    return "zh" if any("\u4e00" <= one <= "\u9fff" for one in words) else "en"


def _area(area: Element) -> Area:
    return Area(
        description=_line(area, "areaDesc"),
        polygons=_many(area, "polygon", MOST_SHAPES, _polygon),
        circles=_many(area, "circle", MOST_SHAPES, _circle),
        codes=tuple(_pairs(area, "geocode")),
    )


def _polygon(element: Element) -> tuple[Point, ...]:
    words = (element.text or "").split()
    if not 4 <= len(words) <= MOST_POINTS:
        raise _wrong("cap_polygon", "polygon", element)
    points = tuple(_point(word, element) for word in words)
    return points if points[0] == points[-1] else (*points, points[0])


def _circle(element: Element) -> tuple[float, float, float]:
    words = (element.text or "").split()
    try:
        radius = float(words[1])
    except (IndexError, ValueError) as error:
        raise _wrong("cap_circle", "circle", element) from error
    if len(words) != 2 or not 0 <= radius <= LARGEST_RADIUS_KM:
        raise _wrong("cap_circle", "circle", element)
    return (*_point(words[0], element), radius)


def _point(word: str, element: Element) -> Point:
    """One "lat,lon": the reverse of GeoJSON. Numbers out of range with the other order in range look swapped."""
    try:
        lat, lon = (float(part) for part in word.split(","))
    except ValueError as error:
        raise _wrong("cap_point", name_of(element), element) from error
    if not (abs(lat) <= 90 and abs(lon) <= 180):  # also what is not a number
        swapped = abs(lon) <= 90 and abs(lat) <= 180
        raise _wrong("place_swapped" if swapped else "place_out_of_range", name_of(element), element)
    return lat, lon


def _pairs(parent: Element, name: str) -> list[tuple[str, str]]:
    found = []
    for element in children(parent, name):
        value_name, value = _line(element, "valueName"), _line(element, "value")
        if not value_name and element.text and "=" in element.text:  # as 1.0 had it
            value_name, _, value = one_line(element.text)[:LONGEST_LINE].partition("=")
        if value_name or value:
            found.append((value_name[:LONGEST_NAME], value))
    return found


def _references(root: Element, zone: tzinfo) -> tuple[Reference, ...]:
    words = _text(root, "references").split()
    if len(words) > MOST_REFERENCES:
        raise _wrong("cap_too_many", "references", root)
    return tuple(_reference(word, zone, root) for word in words)


def _reference(word: str, zone: tzinfo, root: Element) -> Reference:
    parts = word.split(",")
    if len(parts) != 3 or not all(parts[:2]) or len(word) > 3 * LONGEST_NAME:
        raise _wrong("cap_reference", "references", root)
    try:
        return Reference(parts[0], parts[1], moment(parts[2], zone))
    except Unreadable:
        return Reference(parts[0], parts[1])


def _many(parent: Element, name: str, most: int, make: Callable[[Element], T]) -> tuple[T, ...]:
    found = children(parent, name)
    if len(found) > most:
        raise _wrong("cap_too_many", name, parent)
    return tuple(make(one) for one in found)


def _text(parent: Element, name: str) -> str:
    found = children(parent, name)
    return (found[0].text or "").strip() if found else ""


def _line(parent: Element, name: str) -> str:
    return masked(one_line(_text(parent, name)))[:LONGEST_LINE]


def _long(parent: Element, name: str) -> str:
    lines = (one_line(line) for line in _text(parent, name).splitlines())
    return masked("\n".join(lines).strip())[:LONGEST_TEXT]


def _name(root: Element, name: str) -> str:
    """An identifier or sender: no spaces, commas or marks, or it could not be referred to."""
    found = _text(root, name)
    if not found:
        raise _wrong("missing", name, root)
    if len(found) > LONGEST_NAME or re.search(r"[\s,<&\x00-\x1f]", found):
        raise _wrong("cap_name", name, root)
    return found


def _choice(parent: Element, name: str, allowed: Sequence[str]) -> str:
    found = _text(parent, name)
    if not found:
        raise _wrong("missing", name, parent)
    for one in allowed:
        if found.lower() == one.lower():
            return one
    raise _wrong("not_allowed", name, parent)


def _time(parent: Element, name: str, zone: tzinfo) -> int | None:
    found = _text(parent, name)
    if not found:
        return None
    try:
        return moment(found, zone)
    except Unreadable as error:
        raise _wrong("time_unreadable", name, parent) from error


def _required(value: int | None, name: str, parent: Element) -> int:
    if value is None:
        raise _wrong("missing", name, parent)
    return value


def _wrong(code: str, name: str, element: Element) -> Unreadable:
    """What is wrong, with the element and the line where it, or what holds it, begins."""
    found = children(element, name)
    return Unreadable(code, name, line=line_of(found[0] if found else element))
