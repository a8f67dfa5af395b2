"""One message of the reports' WebSocket: its id, by which it is acknowledged, and the items it carries. Pure.

{"id": …, "report": {...}}    or    {"id": …, "reports": [...]}
"""

import re
from collections.abc import Mapping

import msgspec

from streams.errors import Unreadable
from streams.item import BOM, LARGEST_REQUEST, Item, elements, split, why

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAME = msgspec.json.Decoder(str)
_ID: msgspec.json.Decoder[str | int] = msgspec.json.Decoder(str | int)
_MEMBER = re.compile(rb'\s*("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*:\s*(.*)', re.DOTALL)


def members(data: bytes) -> Mapping[str, bytes]:
    """The members of a message by name; what is no JSON inside one of them spoils only that one. Raises Unreadable."""
    data = data.removeprefix(BOM).strip()
    if len(data) > LARGEST_REQUEST:
        raise Unreadable("request_too_large", most=LARGEST_REQUEST)
    try:
        return {name: bytes(value) for name, value in _MEMBERS.decode(data).items()}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        if data[:1] != b"{" or data[-1:] != b"}":
            raise Unreadable(why(error)) from error
    return dict(_member(part) for part in elements(b"[" + data[1:-1] + b"]"))


def _member(part: bytes) -> tuple[str, bytes]:
    found = _MEMBER.fullmatch(part)
    if found is None:
        raise Unreadable("malformed_json")
    try:
        return _NAME.decode(found[1]), found[2]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(why(error)) from error


def name(found: Mapping[str, bytes]) -> str | int:
    """The message's id. Raises Unreadable."""
    if "id" not in found:
        raise Unreadable("missing", "id")
    try:
        return _ID.decode(found["id"])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(why(error), "id") from error


def items(found: Mapping[str, bytes]) -> list[Item]:
    """The reports of the message, one that cannot be read beside those that can. Raises Unreadable."""
    if "report" in found:
        return [Item(found["report"])]
    if "reports" not in found:
        raise Unreadable("missing", "reports")
    return split(found["reports"])[0]
