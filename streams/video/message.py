"""RTSP on the wire (RFC 2326): requests out, answers and interleaved packets in, from whatever pieces TCP gives."""

from collections.abc import Mapping
from typing import NamedTuple

from streams.video.errors import Malformed

HEAD_MOST = 16_384
BODY_MOST = 65_536
HEADERS_MOST = 100
MAGIC = 0x24
"""A dollar sign begins an interleaved packet (section 10.12)."""


class Answer(NamedTuple):
    """An answer, or with `status` 0 a request of the camera's own; names of headers are lower case."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header, or an empty string."""
        return self.headers.get(name, "")

    @property
    def sequence(self) -> int:
        """The number of the request it answers; -1 when it does not say."""
        word = self.header("cseq")
        return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else -1


class Packet(NamedTuple):
    """An interleaved packet of a channel."""

    channel: int
    payload: bytes


def request(method: str, url: str, sequence: int, headers: Mapping[str, str]) -> bytes:
    """Return a request's bytes. Line breaks in what is given cannot make headers of their own."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {sequence}", "User-Agent: Gridwall"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    clean = (line.replace("\r", "").replace("\n", "") for line in lines)
    return "\r\n".join([*clean, "", ""]).encode("utf-8", "replace")


class Reader:
    """Puts messages together. Holds at most one unfinished message, and that is bounded."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def held(self) -> int:
        """Bytes of the unfinished message."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Answer | Packet]:
        """Return what is complete now, in order. Raises Malformed; the connection is of no use then."""
        data = self._rest + data if self._rest else data
        found: list[Answer | Packet] = []
        at, end = 0, len(data)
        while at < end:
            if data[at] == MAGIC:
                if end - at < 4:
                    break
                stop = at + 4 + (data[at + 2] << 8 | data[at + 3])
                if stop > end:
                    break
                found.append(Packet(data[at + 1], data[at + 4 : stop]))
            else:
                answer, stop = _answer(data, at)
                if stop < 0:
                    break
                if answer is not None:
                    found.append(answer)
            at = stop
        self._rest = data[at:]
        return found


def _answer(data: bytes, at: int) -> tuple[Answer | None, int]:
    """Return the message that starts at `at` and where it ends; -1: not complete. None is an empty line."""
    if data[at] in b"\r\n":  # some cameras send one too many
        return None, at + 1
    if not _may_begin(data[at : at + 5]):
        raise Malformed("the camera sent something that is not RTSP")
    stop = data.find(b"\r\n\r\n", at, at + HEAD_MOST)
    if stop < 0:
        if len(data) - at >= HEAD_MOST:
            raise Malformed("the camera sent something that is not RTSP")
        return None, -1
    lines = data[at:stop].decode("utf-8", "replace").split("\r\n")
    status, reason = _first(lines[0])
    headers = _headers(lines[1:])
    size = _length(headers.get("content-length", "0"))
    stop += 4
    if len(data) < stop + size:
        return None, -1
    return Answer(status, reason, headers, data[stop : stop + size]), stop + size


def _may_begin(head: bytes) -> bool:
    """Say whether bytes may be the beginning of an answer, or of a request of the camera's."""
    return b"RTSP/".startswith(head) or head.replace(b"_", b"A").replace(b" ", b"A").isalpha()


def _first(line: str) -> tuple[int, str]:
    words = line.split(" ", 2)
    if words[0].startswith("RTSP/"):
        if len(words) < 2 or not (words[1].isascii() and words[1].isdigit() and len(words[1]) == 3):
            raise Malformed("the camera sent an answer without a status")
        return int(words[1]), words[2] if len(words) > 2 else ""
    if len(words) == 3 and words[2].startswith("RTSP/"):
        return 0, words[0]
    raise Malformed("the camera sent something that is not RTSP")


def _headers(lines: list[str]) -> dict[str, str]:
    if len(lines) > HEADERS_MOST:
        raise Malformed(f"the camera sent more than {HEADERS_MOST} headers")
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def _length(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 8) or int(word) > BODY_MOST:
        raise Malformed("the camera sent an answer of no or too great a length")
    return int(word)
