"""UUIDv7 (RFC 9562, 5.7): ids that sort by the time they were made."""

import os


def uuid7(at: int) -> str:
    """Return an id for the time `at` (UTC microseconds): 48 bits of milliseconds, 12 of the rest, 62 random."""
    milliseconds, rest = divmod(at, 1_000)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (rest << 12) // 1_000 << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def earliest(at: int) -> str:
    """Return what sorts before every id made at `at` (UTC microseconds) or later."""
    text = f"{at // 1_000 & (1 << 48) - 1:012x}"
    return f"{text[:8]}-{text[8:]}"
