"""Turns one item of a source into a Report, or a Refusal that says which field is wrong and why. Pure, no clock.

Nothing is repaired silently: what is doubtful is marked on the report, what cannot be understood goes to quarantine
with a suggestion where there is one.
"""

import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import inf, isfinite

import msgspec
from msgspec import structs

from config.taxonomy import UNKNOWN, Taxonomy
from geo.datum import to_wgs84
from operations.report import Place, Refusal, Report
from operations.sources import Source
from operations.wording import HIDDEN, cleaned
from streams import allowed
from streams.errors import Unreadable
from streams.item import decoded, from_object, refusal
from streams.mapping import STANDARD, Mapped
from streams.masking import masked, one_line, pseudonym, without
from streams.moment import ISO, joined, moment

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
SKEW_AFTER = 5 * MINUTE
FUTURE_AFTER = DAY
LATE_AFTER = HOUR
EARLIEST = 946_684_800_000_000
"""2000-01-01: an older time is a clock that was never set (1970, 1980 GPS), not a fact."""

LONGEST = {"id": 128, "revision": 128, "title": 200, "channel": 60, "status": 100, "address": 300, "grid_code": 32}
LONGEST_REPORTER = 200
OWN_WORDS = ("name", "phone", "address")
"""Of the reporter: starred wherever the same report repeats them."""
LONGEST_LINK = 2_000
MOST_ATTACHMENTS = 20
DATUMS = {"WGS84": "WGS84", "CGCS2000": "CGCS2000", "GCJ02": "GCJ02", "BD09": "BD09", "BD09LL": "BD09"}
URGENCIES = {
    **{word: word for word in ("routine", "urgent", "critical")},
    "一般": "routine",
    "紧急": "urgent",
    "特急": "critical",
}
LARGEST_SIZE = 2**63
"""Bytes of an attachment; also the largest whole number the journal can hold."""
DIGEST = msgspec.msgpack.Encoder()

log = logging.getLogger(__name__)


def normalise(
    item: object, source: Source, taxonomy: Taxonomy, now: int, mapping: Mapped = STANDARD, *, digest_key: bytes = b""
) -> Report | Refusal:
    """The report of an item, or its refusal; never raises. `item` is an Item, JSON bytes or a decoded object.

    `digest_key`: of the digests that stand for numbers in identifiers; every door gives the installation's.
    """
    item = from_object(item)
    try:
        given = decoded(item)
        dropped: dict[str, int] = {}
        if mapping is not STANDARD:
            given = mapping.apply(given, source.zone, dropped)
        if item.defaults:
            given = {**item.defaults, **{name: value for name, value in given.items() if value is not None}}
        return _report(given, dropped, item.raw, source, taxonomy, now, digest_key)
    except Unreadable as error:
        return refusal(item, source.id, error, now)
    except Exception as error:  # noqa: BLE001 - process edge: the unforeseen costs one item, not its request
        log.error("source %s: an item failed unexpectedly: %s", source.id, type(error).__name__)
        return refusal(item, source.id, Unreadable("internal"), now)


def _report(
    given: Mapping[str, object],
    dropped: dict[str, int],
    raw: bytes,
    source: Source,
    taxonomy: Taxonomy,
    now: int,
    digest_key: bytes,
) -> Report:
    marks: list[str] = []
    allowed.count(dropped, given, allowed.REPORT)
    reporter = _reporter(given.get("reporter"), dropped)
    own = _own(reporter)
    key, revision = (_known_as(given, name, reporter, digest_key) for name in ("id", "revision"))
    grid_code = _word(given, "grid_code")
    code = _type(given.get("type"), taxonomy, marks)
    urgency = _urgency(given.get("urgency"), code, taxonomy, marks)
    text = without(masked(cleaned(_text(given, "text"))), own)
    presence = _presence(given.get("presence"))
    title = _title(given, own, marks) if presence == "present" else _line(given, "title", own) or key
    title = title or _untitled(text, taxonomy.get(code).zh, marks)
    occurred_at = _occurred(given.get("occurred_at"), source, now, marks)
    place = _place(given.get("place"), source, own, dropped, marks)
    channel, status = _line(given, "channel", own), _line(given, "status", own)
    attachments = _attachments(given.get("attachments"), dropped)
    first_read = _first_read(place, given, source)
    content = (
        *(source.id, key, revision, code, urgency, title, text, given.get("occurred_at"), first_read, grid_code),
        *(channel, status, presence, reporter, attachments),
    )
    return Report(
        source=source.id,
        id=key,
        revision=revision,
        type=code,
        title=title,
        occurred_at=occurred_at,
        received_at=now,
        urgency=urgency,
        text=text,
        place=place,
        grid_code=grid_code,
        datum_said=_datum_said(given),
        channel=channel,
        reporter=reporter,
        attachments=attachments,
        status=status,
        presence=presence,
        marks=tuple(marks) if presence == "present" else (),  # "gone" says nothing more, and need not
        dropped=dropped,
        raw_sha256=sha256(raw).hexdigest(),
        content_sha256=sha256(DIGEST.encode(content)).hexdigest(),
    )


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise Unreadable("not_text", name)


def _line(given: Mapping[str, object], name: str, own: Sequence[str]) -> str:
    """One masked line, cut to its longest length."""
    text = _text(given, name)
    return without(masked(one_line(text)), own)[: LONGEST[name]] if text else ""


def _word(given: Mapping[str, object], name: str, *, required: bool = False) -> str:
    """An identifier: text or whole number, kept exactly; hidden characters and over-length are refused."""
    value = given.get(name)
    if type(value) is int:
        value = str(value)
    if value is None or value == "":
        if required:
            raise Unreadable("missing", name)
        return ""
    if not isinstance(value, str):
        raise Unreadable("not_text", name)
    if len(value) > LONGEST[name]:
        raise Unreadable("too_long", name, most=LONGEST[name])
    if HIDDEN.search(value) is not None or value != value.strip():
        raise Unreadable("hidden_characters", name)
    return value


def _known_as(given: Mapping[str, object], name: str, reporter: dict[str, str], digest_key: bytes) -> str:
    """An identifier that names nobody; where a number in it had to go, the original is sealed with the reporter."""
    word = _word(given, name, required=name == "id")
    shown = pseudonym(word, digest_key)
    if shown != word:
        reporter[f"source_{name}"] = word
    return shown


def _title(given: Mapping[str, object], own: Sequence[str], marks: list[str]) -> str:
    title = without(masked(one_line(_text(given, "title"))), own)
    if len(title) > LONGEST["title"]:
        marks.append("title_cut")
        title = title[: LONGEST["title"] - 1] + "…"
    return title


def _untitled(text: str, kind: str, marks: list[str]) -> str:
    """Where there is only a text, what kind of matter it is: a title is open for ever, a text is sealed."""
    if not text:
        raise Unreadable("missing", "title")
    marks.append("untitled")
    return kind


def _type(value: object, taxonomy: Taxonomy, marks: list[str]) -> str:
    code = str(value).zfill(4) if type(value) is int else value
    if isinstance(code, str) and taxonomy.known(code):
        return code
    if code is not None and not isinstance(code, str):
        raise Unreadable("not_text", "type")
    marks.append("unknown_type")
    return UNKNOWN


def _urgency(value: object, code: str, taxonomy: Taxonomy, marks: list[str]) -> str:
    """The urgency said, else the type's; an unknown word is marked."""
    if value is None or value == "":
        return taxonomy.get(code).urgency_default
    if not isinstance(value, str):
        raise Unreadable("not_text", "urgency")
    known = URGENCIES.get(value.strip())
    if known is None:
        marks.append("unknown_urgency")
        return taxonomy.get(code).urgency_default
    return known


def _occurred(value: object, source: Source, now: int, marks: list[str]) -> int:
    """When it happened. A time that cannot be (1970, next year) is marked and the time of receipt stands in for it."""
    if value is None or value == "":
        marks.append("undated")
        return now
    try:
        zone = source.zone
        at = joined(value, zone, (ISO,)) if isinstance(value, list) else moment(value, zone)
    except Unreadable as error:
        raise Unreadable(error.code, "occurred_at") from error
    if at < EARLIEST:
        marks.append("epoch")
        return now
    if at > now + FUTURE_AFTER:
        marks.append("future")
        return now
    if at > now + SKEW_AFTER:
        marks.append("skew")
    elif at < now - LATE_AFTER:
        marks.append("late")
    return at


def _place(
    value: object, source: Source, own: Sequence[str], dropped: dict[str, int], marks: list[str]
) -> Place | None:
    """The place in WGS-84 beside its raw value; None when nothing is said of it."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unreadable("not_an_object", "place")
    allowed.count(dropped, value, allowed.PLACE)
    address = _line(value, "address", own)
    lon, lat = _degrees(value, "lon"), _degrees(value, "lat")
    if lon is None and lat is None:
        return Place(address=address) if address else None
    if lon is None or lat is None:
        raise Unreadable("missing", "place.lon" if lon is None else "place.lat")
    datum = _datum(value.get("datum"), source)
    if lon == 0 and lat == 0:  # a device without a fix
        marks.append("zero_place")
        return Place(raw_lon=lon, raw_lat=lat, datum=datum, address=address)
    _check_range(lon, lat)
    wgs_lon, wgs_lat = (lon, lat) if datum in ("WGS84", "CGCS2000") else to_wgs84(lon, lat, datum)
    return Place(wgs_lon, wgs_lat, lon, lat, datum, _accuracy(value.get("accuracy_m")), address)


def _datum_said(given: Mapping[str, object]) -> bool:
    """Whether the report itself names the datum of its coordinates."""
    place = given.get("place")
    return isinstance(place, dict) and place.get("lon") is not None and place.get("datum") is not None


def _first_read(place: Place | None, given: Mapping[str, object], source: Source) -> Place | None:
    """The place as it was read under the source's first datum: another one since makes no other report of it."""
    first = source.digest_datum
    if place is None or place.raw_lon is None or place.raw_lat is None or not first or _datum_said(given):
        return place
    if place.lon is None:
        return structs.replace(place, datum=first)
    lon, lat = (place.raw_lon, place.raw_lat)
    if first not in ("WGS84", "CGCS2000"):
        lon, lat = to_wgs84(lon, lat, first)
    return structs.replace(place, lon=lon, lat=lat, datum=first)


def _degrees(place: Mapping[str, object], name: str) -> float | None:
    value = place.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Unreadable("not_a_number", f"place.{name}")
    try:
        degrees = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        degrees = inf
    if not isfinite(degrees):
        raise Unreadable("number_out_of_range", f"place.{name}")
    return degrees


def _check_range(lon: float, lat: float) -> None:
    """Out of range is never guessed right: quarantined, with the likely value as a suggestion."""
    if abs(lon) <= 180 and abs(lat) <= 90:
        return
    if abs(lon) <= 90 and abs(lat) <= 180:
        raise Unreadable("place_swapped", "place", lon=lat, lat=lon)
    name, value, most = ("place.lat", lat, 90) if abs(lat) > 90 else ("place.lon", lon, 180)
    suggestion = value
    while abs(suggestion) > most:
        suggestion /= 10
    raise Unreadable("place_out_of_range", name, given=value, **{name.removeprefix("place."): round(suggestion, 7)})


def _datum(value: object, source: Source) -> str:
    if value is None:
        return source.datum
    known = DATUMS.get(value.upper().replace("-", "").replace("_", "")) if isinstance(value, str) else None
    if known is None:
        raise Unreadable("unknown_datum", "place.datum", allowed=", ".join(sorted(set(DATUMS.values()))))
    return known


def _accuracy(value: object) -> float | None:
    """Metres, or None when it is not a usable number."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e7
    return float(value) if usable else None  # type: ignore[arg-type]


def _reporter(value: object, dropped: dict[str, int]) -> dict[str, str]:
    """Who reported: few fields, short texts. Sealed from here on; never shown without a reason."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable("not_an_object", "reporter")
    allowed.count(dropped, value, allowed.REPORTER)
    found: dict[str, str] = {}
    for name in allowed.REPORTER_ORDER:
        text = value.get(name)
        if type(text) is int:
            text = str(text)
        if isinstance(text, str):
            found[name] = one_line(text)[:LONGEST_REPORTER]
        elif text is not None:
            raise Unreadable("not_text", f"reporter.{name}")
    return found


def _own(reporter: Mapping[str, str]) -> list[str]:
    """The words that may stand nowhere in clear, longest first; a single character hides nobody."""
    words = [reporter[name] for name in OWN_WORDS if len(reporter.get(name, "")) > 1]
    return sorted(words, key=len, reverse=True)


def _attachments(value: object, dropped: dict[str, int]) -> list[dict[str, object]]:
    """Metadata and links only; nothing is ever fetched. What is unusable is dropped and counted."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable("not_a_list", "attachments")
    kept = [one for one in map(_attachment, value[:MOST_ATTACHMENTS]) if one is not None]
    for one in value[:MOST_ATTACHMENTS]:
        if isinstance(one, dict):
            allowed.count(dropped, one, allowed.ATTACHMENT)
    if len(kept) < len(value):
        dropped["attachment"] = dropped.get("attachment", 0) + len(value) - len(kept)
    return kept


def _attachment(value: object) -> dict[str, object] | None:
    if not isinstance(value, dict):
        return None
    kept: dict[str, object] = {}
    for name in ("name", "media_type", "sha256"):
        if isinstance(value.get(name), str):
            kept[name] = masked(one_line(value[name]))[:LONGEST_REPORTER]
    url, size = value.get("url"), value.get("size")
    if isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= LONGEST_LINK:
        kept["url"] = cleaned(url)
    if type(size) is int and 0 <= size < LARGEST_SIZE:
        kept["size"] = size
    return kept if "url" in kept or "name" in kept else None


def _presence(value: object) -> str:
    if value is None or value == "present":
        return "present"
    if value == "gone":
        return "gone"
    raise Unreadable("not_allowed", "presence", allowed="present, gone")
