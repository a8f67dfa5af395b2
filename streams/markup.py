"""XML from strangers, read without trust: no DTD, no entities, nothing from outside, everything bounded.

expat knows few encodings and raises on any GB one (standards, section 0), so bytes become text here: by byte-order
mark, by declaration and by what they are; then the declaration goes and the text is parsed.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from streams.errors import Unreadable

LARGEST = 1024 * 1024
MOST_ELEMENTS = 20_000
MOST_ATTRIBUTES = 32
DEEPEST = 16
DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,200}\?>")
ENCODING = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
UTF8, GB = "utf-8", "gb18030"
KNOWN = {
    "utf-8": UTF8, "utf8": UTF8, "us-ascii": UTF8, "ascii": UTF8, "utf-16": UTF8,  # without zeros it is none
    "gb2312": GB, "gbk": GB, "gb18030": GB, "x-gbk": GB, "cp936": GB, "euc-cn": GB, "gb_2312-80": GB,
    "iso-8859-1": "iso-8859-1", "latin1": "iso-8859-1", "iso-8859-15": "iso-8859-15", "windows-1252": "cp1252",
}  # fmt: skip
ENOUGH = 4  # letters beyond ASCII that make valid UTF-8 no chance


def text_of(body: bytes, largest: int = LARGEST) -> str:
    """Return the text of an XML document. Raises Unreadable: encoding_unknown, encoding_wrong, xml_too_large."""
    if len(body) > largest:
        raise Unreadable("xml_too_large", most=largest)
    for mark, encoding in MARKS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], encoding)
    if body[:4] in (b"<\0?\0", b"<\0a\0", b"<\0f\0"):
        return _decoded(body, "utf-16-le")
    if body[:4] in (b"\0<\0?", b"\0<\0a", b"\0<\0f"):
        return _decoded(body, "utf-16-be")
    return _by_declaration(body)


def _by_declaration(body: bytes) -> str:
    found = ENCODING.match(body)
    named = found[1].decode("ascii").lower() if found else UTF8
    if named not in KNOWN:
        raise Unreadable("encoding_unknown", "encoding", given=named)
    declared = KNOWN[named]
    text = _utf8(body)
    if text is not None and (declared == UTF8 or sum(ord(one) > 127 for one in text) >= ENOUGH or text.isascii()):
        return text
    return _decoded(body, GB if declared == UTF8 else declared)  # wrongly declared: it can only be GB here


def _utf8(body: bytes) -> str | None:
    try:
        return body.decode(UTF8)
    except UnicodeDecodeError:
        return None


def _decoded(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable("encoding_wrong", "encoding", at=error.start) from error


def parse(body: bytes, largest: int = LARGEST, elements: int = MOST_ELEMENTS) -> Element:
    """Return the root element. Raises Unreadable with the line."""
    text = DECLARATION.sub("", text_of(body, largest), count=1)
    target = _Bounded(elements)
    parser: Any = DefusedXMLParser(target=target, forbid_dtd=True)
    target.line = lambda: parser.parser.CurrentLineNumber
    try:
        parser.feed(text)
        root = parser.close()
    except DefusedXmlException as error:
        raise Unreadable("xml_forbidden", "DOCTYPE", line=parser.parser.CurrentLineNumber) from error
    except ParseError as error:
        raise Unreadable("xml_malformed", line=error.position[0]) from error
    except (ValueError, UnicodeEncodeError) as error:  # halves of characters, zeros in the text
        raise Unreadable("xml_malformed", line=1) from error
    if not isinstance(root, Element):
        raise Unreadable("xml_malformed", line=1)
    return root


class _Bounded:
    """Builds the tree and stops where a document is deeper or longer than any warning; keeps each element's line."""

    def __init__(self, most: int) -> None:
        self._tree = TreeBuilder()
        self._most = most
        self._depth = self._count = 0
        self.line: Any = lambda: 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > DEEPEST or self._count > self._most or len(attributes) > MOST_ATTRIBUTES:
            raise Unreadable("xml_too_much", tag.rpartition("}")[2][:60], line=self.line())
        return self._tree.start(tag, {"line": str(self.line()), **_kept(attributes)})

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return self._tree.end(tag)

    def data(self, data: str) -> None:
        self._tree.data(data)

    def close(self) -> Element:
        return self._tree.close()


def _kept(attributes: dict[str, str]) -> dict[str, str]:
    """The few attributes anybody asks for: where a feed's entry points to, and as what."""
    return {name: attributes[name][:2_000] for name in ("href", "rel", "type", "src") if name in attributes}


def line_of(element: Element) -> int:
    """Return the line an element begins in."""
    return int(element.get("line", "0"))


def name_of(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> list[Element]:
    """Return the children of a name, whatever their namespace."""
    return [one for one in element if name_of(one) == name]
