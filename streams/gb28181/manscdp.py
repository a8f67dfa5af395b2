"""MANSCDP 监控报警联网设备控制描述协议: bodies of MESSAGE and NOTIFY, read without trust and written. Pure.

Bytes become text by the device's charset (GB/T 28181-2022 6.10: GB 18030; 2016: GB 2312; many send UTF-8), spoilt
bytes by replacement; tags count in any case (standards, sections 0 and 1.2).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from msgspec import Struct

from streams.errors import Unreadable
from streams.markup import DECLARATION, parse

LARGEST = 256 * 1024
LONGEST = 1_024
AUTO = "auto"
CHARSETS = (AUTO, "gb18030", "utf-8")
ROOTS = ("control", "query", "notify", "response")
_DECLARED = re.compile(rb"""<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""", re.IGNORECASE)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
MANSCDP = "Application/MANSCDP+xml"


class Document(Struct, frozen=True):
    """One body: its root (small letters), CmdType, SN, DeviceID, and the tree."""

    root: str
    command: str
    sn: str
    device: str
    tree: Any

    def text(self, *path: str) -> str:
        """Return the text at a path of tags below the root, "" where there is none."""
        return text_at(self.tree, *path)

    def lists(self, tag: str) -> Iterator[Element]:
        """Return the `Item`s of a list such as DeviceList."""
        for one in named(self.tree, tag):
            yield from named(one, "Item")


def named(element: Element, tag: str) -> list[Element]:
    """Return the children of a name, in any case, whatever their namespace."""
    wanted = tag.lower()
    return [one for one in element if isinstance(one.tag, str) and one.tag.rpartition("}")[2].lower() == wanted]


def text_at(element: Element, *path: str) -> str:
    """Return the stripped text at a path of tags, at most LONGEST; "" where there is none."""
    for tag in path:
        found = named(element, tag)
        if not found:
            return ""
        element = found[0]
    return (element.text or "").strip()[:LONGEST]


def flat(element: Element) -> dict[str, str]:
    """Return {small-letter tag: text} of an Item, those inside its Info too; the first of a name counts."""
    found: dict[str, str] = {}
    for one in element:
        name = one.tag.rpartition("}")[2].lower()
        if name == "info" and len(one):
            for inner in one:
                found.setdefault(inner.tag.rpartition("}")[2].lower(), (inner.text or "").strip()[:LONGEST])
        elif len(found) < 96:
            found.setdefault(name, (one.text or "").strip()[:LONGEST])
    return found


def decoded(body: bytes, charset: str = AUTO) -> str:
    """Return the text of a body without its declaration; spoilt bytes become "�", never an error."""
    if charset == AUTO:
        try:
            text = body.decode("utf-8")
            named_gb = (found := _DECLARED.search(body[:300])) is not None and found[1].lower().startswith(b"gb")
            if named_gb and sum(ord(one) > 127 for one in text) in (1, 2, 3):
                text = body.decode("gb18030", "replace")  # too few letters to believe UTF-8 against what it declares
        except UnicodeDecodeError:
            text = body.decode("gb18030", "replace")
    else:
        text = body.decode(charset, "replace")
    return DECLARATION.sub("", text.lstrip("\ufeff"), count=1)


def read(body: bytes, charset: str = AUTO) -> Document:
    """Return the document of a body. Raises Unreadable: xml_*, manscdp_unknown."""
    if len(body) > LARGEST:
        raise Unreadable("xml_too_large", most=LARGEST)
    text = _FORBIDDEN.sub("�", decoded(body, charset)).strip()
    text = _BARE.sub("&amp;", text)  # names such as "A&B" come unescaped from many vendors
    tree = parse(text.encode(), LARGEST * 4)
    root = tree.tag.rpartition("}")[2].lower()
    if root not in ROOTS:
        raise Unreadable("manscdp_unknown", root[:60])
    device = text_at(tree, "DeviceID")
    return Document(root, text_at(tree, "CmdType").lower(), text_at(tree, "SN")[:20], device[:32], tree)


def write(root: str, command: str, sn: int | str, device: str, inner: str = "", *, charset: str = "gb18030") -> bytes:
    """Return a body; `inner` is XML that is already escaped."""
    named_as = "UTF-8" if charset == "utf-8" else "GB18030"
    text = (
        f'<?xml version="1.0" encoding="{named_as}"?>\r\n<{root}>\r\n<CmdType>{command}</CmdType>\r\n<SN>{sn}</SN>\r\n'
        f"<DeviceID>{escape(device)}</DeviceID>\r\n{inner}</{root}>\r\n"
    )
    return text.encode("utf-8" if charset == "utf-8" else "gb18030")


def element(name: str, value: object) -> str:
    """Return one written element."""
    return f"<{name}>{escape(str(value))}</{name}>\r\n"


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Return a dateTime of a device, in the city's zone where it says none; None when it is none."""
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "T"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def number(text: str) -> float | None:
    """Return a finite number, None when it is none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) < 1e9 else None
