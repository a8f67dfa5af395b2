"""One item of a request: the bytes as they came, what they decode to, or why they do not. Pure."""

import re
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from operations.report import Refusal
from streams.errors import Unreadable

LARGEST_REPORT = 1024 * 1024
LARGEST_REQUEST = 8 * 1024 * 1024
MOST_ITEMS = 1_000
DEEPEST = 16
KEPT_OF_TOO_LARGE = 64 * 1024
"""Bytes of an oversized item that go to quarantine; its hash covers all of it."""

MOST_TOKENS = 250_000
"""Strings, brackets and commas looked at when a broken array is taken apart: five times those of 1,000 full reports."""
BOM = b"\xef\xbb\xbf"
"""The byte-order mark some programs write before UTF-8; RFC 8259, 8.1 allows us to pass over it."""

NOTHING: Mapping[str, object] = {}
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)
_CLOSES = {b"]": b"[", b"}": b"{"}

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder()


class Item(msgspec.Struct, frozen=True):
    """Bytes of one report in JSON; `defaults` fill what the report does not say (from a CloudEvents envelope)."""

    raw: bytes
    defaults: Mapping[str, object] = NOTHING
    fault: str = ""
    """Why the envelope around it is unusable; the item then ends in quarantine."""
    field: str = ""


def split(body: bytes) -> tuple[list[Item], bool]:
    """The items of a JSON array or of one report, and whether it was an array. Raises Unreadable."""
    body = body.removeprefix(BOM)
    start = body.lstrip()[:1]
    if start == b"{":
        return [Item(body)], False
    if start != b"[":
        raise Unreadable("not_object_or_array")
    return [Item(part) for part in elements(body)], True


def elements(body: bytes) -> list[bytes]:
    """The bytes of each element of a JSON array, at most MOST_ITEMS; one that is no JSON spoils only itself.

    Raises Unreadable when there is no array to take apart.
    """
    try:
        parts = [bytes(part) for part in _ITEMS.decode(body)]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        found = _taken_apart(body)
        if found is None:
            raise Unreadable(why(error)) from error
        parts = found
    if len(parts) > MOST_ITEMS:
        raise Unreadable("too_many_items", count=len(parts), most=MOST_ITEMS)
    return parts


def _taken_apart(body: bytes) -> list[bytes] | None:
    """The elements of an array that is not JSON throughout, by its strings and brackets alone; None when those do not
    fit together, an element is empty, or there are more than MOST_TOKENS."""
    body = body.strip()
    if body[:1] != b"[":
        return None
    opened: list[bytes] = []
    parts, start = [], 1
    for count, token in enumerate(_TOKEN.finditer(body)):
        mark, at = token[0], token.start()
        if mark == b'"' or count == MOST_TOKENS:
            return None
        if mark in (b"[", b"{"):
            opened.append(mark)
        elif mark in _CLOSES and opened.pop() != _CLOSES[mark]:
            return None
        if not opened or (mark == b"," and len(opened) == 1):
            parts.append(body[start:at].strip())
            start = at + 1
        if not opened:
            return parts if start == len(body) and all(parts) else None
    return None


def from_object(value: object) -> Item:
    """An item of a value that is already decoded (a form of our own, a test)."""
    if isinstance(value, Item):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Item(bytes(value))
    try:
        return Item(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError, UnicodeError, msgspec.MsgspecError):
        return Item(repr(type(value)).encode(), fault="not_json")


def decoded(item: Item) -> dict[str, object]:
    """The JSON object of an item; raises Unreadable for its size, depth, charset or form."""
    raw = item.raw
    if item.fault:
        raise Unreadable(item.fault, item.field)
    if len(raw) > LARGEST_REPORT:
        raise Unreadable("too_large", size=len(raw), most=LARGEST_REPORT)
    try:
        value = _VALUE.decode(raw.removeprefix(BOM))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(why(error)) from error
    if not isinstance(value, dict):
        raise Unreadable("not_an_object")
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and depth(value) > DEEPEST:
        raise Unreadable("too_deep", most=DEEPEST)
    return value


def why(error: Exception) -> str:
    """The code of a decoding error."""
    if isinstance(error, UnicodeDecodeError):
        return "not_utf8"
    if isinstance(error, RecursionError):
        return "too_deep"
    return "number_out_of_range" if "out of range" in str(error) else "malformed_json"


def depth(value: object) -> int:
    """Levels of nesting, counted level by level and not deeper than just over DEEPEST."""
    level, levels = [value], 0
    while level and levels <= DEEPEST + 1:
        level = [
            child
            for one in level
            if isinstance(one, (dict, list))
            for child in (one.values() if isinstance(one, dict) else one)
        ]
        levels += 1
    return levels - 1


def refusal(item: Item, source: str, error: Unreadable, now: int) -> Refusal:
    """The item as it goes to quarantine: its bytes (the beginning, when too large), hash, field and reason."""
    kept = item.raw if len(item.raw) <= LARGEST_REPORT else item.raw[:KEPT_OF_TOO_LARGE]
    return Refusal(
        source=source,
        reason=error.code,
        field=error.field,
        params={name: str(value)[:200] for name, value in error.params.items()},
        raw=kept,
        raw_sha256=sha256(item.raw).hexdigest(),
        received_at=now,
    )
