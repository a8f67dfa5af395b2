"""What goes from the relay through the web process to a tile: a length, then a message.

A picture's message is a head of 24 bytes (kind, sequence, 1/90000 s, UTC microseconds of its arrival) and boxes, or a
whole JPEG where parts of the picture are masked; a word's message is its kind and JSON. `assets/video/tile.js` reads
the same.
"""

import struct
from typing import NamedTuple

import orjson

BEGINNING, PICTURE, KEY_PICTURE, WORD, JPEG = 0, 1, 2, 3, 4
"""Kinds of message."""
HEAD = struct.Struct(">B3xIQQ")
_LENGTH = struct.Struct(">I")
LENGTH = _LENGTH.size
LONGEST = 9 * 1024 * 1024


class Message(NamedTuple):
    """A message ready to be written, its length before it; `at`: when it came (seconds that never step back)."""

    kind: int
    framed: bytes
    at: float


def picture(kind: int, boxes: bytes, *, sequence: int, ticks: int, wall: int, at: float) -> Message:
    """Return a beginning's or a frame's message."""
    head = HEAD.pack(kind, sequence & 0xFFFFFFFF, ticks, wall)
    return Message(kind, b"".join((_LENGTH.pack(len(head) + len(boxes)), head, boxes)), at)


def word(at: float, **said: object) -> Message:
    """Return a message of words."""
    body = bytes((WORD,)) + orjson.dumps(said)
    return Message(WORD, _LENGTH.pack(len(body)) + body, at)


def length(head: bytes) -> int:
    """Return how long the message is that follows."""
    return int(_LENGTH.unpack(head)[0])
