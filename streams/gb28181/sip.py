"""SIP messages 信令报文: read from what came, written for what goes, framed in a stream. Pure, bounded, lenient.

RFC 3261 where it matters to GB/T 28181; devices write headers in any case, with bare line feeds, and names in GB bytes.
"""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from streams.errors import Unreadable

LARGEST = 256 * 1024
"""Bytes of one message: of a datagram at most 64 KiB, in a stream what a Catalog answer may need."""
LARGEST_HEAD = 16 * 1024
MOST_HEADERS = 64
COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
    "o": "event", "s": "subject", "e": "content-encoding", "k": "supported", "u": "allow-events",
}  # fmt: skip
_REQUEST = re.compile(r"([A-Z]{1,20}) (\S{1,512}) SIP/2\.0", re.IGNORECASE)
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.{0,200}))?", re.IGNORECASE)
_END = re.compile(rb"\r?\n[ \t]{0,8}\r?\n")
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]{0,8}:[ \t]{0,8}([0-9]{1,9})[ \t]{0,8}\r?$", re.I | re.M)
_USER = re.compile(r"sips?:([^@;>\s]{1,64})@", re.IGNORECASE)
_TAG = re.compile(r";\s{0,8}tag\s{0,8}=\s{0,8}([^;\s>]{1,128})", re.IGNORECASE)
_PARAMETER = re.compile(r"""([A-Za-z][\w-]{0,31})\s{0,8}=\s{0,8}(?:"([^"]{0,512})"|([^",\s]{0,512}))""")


class Message(Struct, frozen=True):
    """One request (`method`, `uri`) or answer (`status`, `reason`); headers as (small-letter name, value) in order."""

    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    method: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""

    def get(self, name: str) -> str:
        """Return a header's first value, "" when it is not there."""
        return next((value for one, value in self.headers if one == name), "")

    def every(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for one, value in self.headers if one == name]

    @property
    def sender(self) -> str:
        """The user of From: the code of who sent it."""
        return user_of(self.get("from"))

    @property
    def branch(self) -> str:
        """The branch of the topmost Via, by which an answer finds its request."""
        found = re.search(r";\s{0,8}branch\s{0,8}=\s{0,8}([^;,\s]{1,200})", self.get("via"), re.IGNORECASE)
        return found[1] if found else ""

    @property
    def sequence(self) -> int:
        """The number of CSeq; 0 when there is none."""
        found = re.match(r"\s{0,8}([0-9]{1,10})\b", self.get("cseq"))
        return int(found[1]) if found else 0

    @property
    def expires(self) -> int | None:
        """Seconds of Expires, of the header or the contact's parameter; None when it says none."""
        found = re.fullmatch(r"\s{0,8}([0-9]{1,10})\s{0,8}", self.get("expires"))
        found = found or re.search(r";\s{0,8}expires\s{0,8}=\s{0,8}([0-9]{1,10})", self.get("contact"), re.IGNORECASE)
        return int(found[1]) if found else None


def user_of(address: str) -> str:
    """Return the user of a SIP address, "" when there is none."""
    found = _USER.search(address)
    return found[1] if found else ""


def tag_of(address: str) -> str:
    """Return the tag of From or To, "" when there is none."""
    found = _TAG.search(address)
    return found[1] if found else ""


def parameters(text: str) -> dict[str, str]:
    """Return name → value of an Authorization or WWW-Authenticate header, names in small letters."""
    return {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(text[:4096])}


def parse(data: bytes) -> Message:
    """Return the message of a datagram or frame. Raises Unreadable: sip_too_large, sip_malformed."""
    if len(data) > LARGEST:
        raise Unreadable("sip_too_large", most=LARGEST)
    data = data.lstrip(b"\r\n")
    found = _END.search(data, 0, LARGEST_HEAD + 4)
    if found is None and len(data) > LARGEST_HEAD:
        raise Unreadable("sip_malformed", "head")
    head, body = (data[: found.start()], data[found.end() :]) if found else (data, b"")
    lines = head.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    headers = _headers(lines[1:])
    body = _body(body, headers)
    first = lines[0].strip()
    if asked := _REQUEST.fullmatch(first):
        return Message(headers, body, method=asked[1].upper(), uri=asked[2])
    if answered := _STATUS.fullmatch(first):
        return Message(headers, body, status=int(answered[1]), reason=answered[2] or "")
    raise Unreadable("sip_malformed", "start")


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and found:  # folded
            name, value = found[-1]
            found[-1] = name, f"{value} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name:
            continue  # what is no header is passed over, as devices write odd lines
        found.append((COMPACT.get(name, name), value.strip()))
        if len(found) > MOST_HEADERS:
            raise Unreadable("sip_malformed", "headers")
    return tuple(found)


def _body(body: bytes, headers: tuple[tuple[str, str], ...]) -> bytes:
    said = next((value for name, value in headers if name == "content-length"), "")
    if not said.isascii() or not said.isdecimal():
        return body
    if int(said[:10]) > len(body):
        raise Unreadable("sip_malformed", "content-length")  # cut short: half a body is no body
    return body[: int(said[:10])]


class Framer:
    """Takes messages out of a stream by Content-Length; feed it, and it gives those that are whole."""

    def __init__(self, most: int = LARGEST) -> None:
        self._held = bytearray()
        self._most = most

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete now. Raises Unreadable when the stream cannot be followed on."""
        self._held += data
        whole: list[bytes] = []
        while (one := self._next()) is not None:
            whole.append(one)
        return whole

    def _next(self) -> bytes | None:
        held = self._held
        skip = len(held) - len(held.lstrip(b"\r\n"))  # keep-alives between messages
        del held[:skip]
        found = _END.search(held, 0, LARGEST_HEAD + 4)
        if found is None:
            if len(held) > LARGEST_HEAD:
                raise Unreadable("sip_malformed", "head")
            return None
        said = _LENGTH.search(held, 0, found.start() + 2)
        size = found.end() + (int(said[1]) if said else 0)
        if size > self._most:
            raise Unreadable("sip_too_large", most=self._most)
        if len(held) < size:
            return None
        one = bytes(held[:size])
        del held[:size]
        return one


def encode(message: Message) -> bytes:
    """Return the bytes of a message; its Content-Length is made here."""
    first = (
        f"{message.method} {message.uri} SIP/2.0" if message.method else f"SIP/2.0 {message.status} {message.reason}"
    )
    lines = [first, *(f"{_written(name)}: {_safe(value)}" for name, value in message.headers)]
    return ("\r\n".join([*lines, f"Content-Length: {len(message.body)}", "", ""])).encode() + message.body


def _written(name: str) -> str:
    special = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate", "x-gb-ver": "X-GB-Ver"}
    return special.get(name) or "-".join(part.capitalize() for part in name.split("-"))


def _safe(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def answer(
    request: Message,
    status: int,
    reason: str,
    *,
    tag: str = "",
    extra: Mapping[str, str] | Iterable[tuple[str, str]] = (),
) -> Message:
    """Return the answer to a request: its Via, From, To (with our tag), Call-ID and CSeq, and `extra` headers."""
    kept = [("via", value) for value in request.every("via")]
    to = request.get("to")
    if tag and not tag_of(to):
        to = f"{to};tag={tag}"
    kept += [("from", request.get("from")), ("to", to)]
    kept += [("call-id", request.get("call-id")), ("cseq", request.get("cseq"))]
    added = extra.items() if isinstance(extra, Mapping) else extra
    return Message((*kept, *added), status=status, reason=reason)
