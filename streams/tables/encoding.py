"""Which encoding a text file is in: byte-order marks, UTF-16 by its zeros, UTF-8, else GB18030 (GBK). Pure."""

import codecs

from streams.tables.finding import TableUnreadable

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LOOKED_AT = 4_096
"""Bytes looked at for the zeros of UTF-16."""
BAD_SHARE = 0.05
"""Of lines in neither encoding; more is another encoding, or no text at all."""


def found(data: bytes) -> tuple[str, bool]:
    """Return (encoding, whether every byte fits it). Raises TableUnreadable for what is no text."""
    for mark, name in MARKS:
        if data.startswith(mark):
            return name, _fits(data, name)
    wide = _wide(data[:LOOKED_AT])
    if wide:
        return wide, _fits(data, wide)
    if b"\0" in data[:LOOKED_AT]:
        raise TableUnreadable("binary")
    if _fits(data, "utf-8"):
        return "utf-8", True
    if not _mostly_utf8(data) and _fits(data, "gb18030"):
        return "gb18030", True
    return _nearest(data), False


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every other byte of commas, digits and line ends is zero."""
    if len(head) < 4:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 8 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 8 and not odd else ""


def _fits(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _mostly_utf8(data: bytes) -> bool:
    """Whether most lines beyond ASCII are UTF-8: a damaged file of it often passes for GB18030, as other characters."""
    lines = [line for line in data.splitlines() if not line.isascii()]
    return 2 * sum(_fits(line, "utf-8") for line in lines) > len(lines)


def _nearest(data: bytes) -> str:
    """The encoding most lines fit: a file written half in each, or cut off inside a character."""
    lines = data.splitlines()
    names = ("utf-8",) if _mostly_utf8(data) else ("utf-8", "gb18030")
    bad = {name: sum(not _fits(line, name) for line in lines) for name in names}
    best = min(bad, key=lambda name: bad[name])
    if bad[best] > max(1, BAD_SHARE * len(lines)) or 2 * bad[best] >= len(lines):
        raise TableUnreadable("encoding")
    return best
