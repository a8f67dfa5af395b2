"""Free text made harmless: on one line where it must be, phone and ID-card numbers masked. Pure."""

import hmac
import re
from collections.abc import Iterable

from operations.wording import visible

_GAP = "[\\s\\-‐-―.·_\u200b-\u200d]{0,2}+"
_NOT_INSIDE = r"(?<!\d)(?:{})(?!\d)"
_ID_CARD = (
    rf"\d(?:{_GAP}\d){{5}}{_GAP}(?:1{_GAP}[89]|2{_GAP}0)(?:{_GAP}\d){{2}}{_GAP}[01](?:{_GAP}\d){{6}}{_GAP}[\dXxＸｘ]"
)
_OLD_ID_CARD = r"[1-8]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}"
_MOBILE = rf"(?:(?:\+|00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}}"
_LANDLINE = rf"(?:(?:\+|00)86{_GAP}|[(（]?0)\d{{2,3}}[)）]?{_GAP}[2-9]\d{{2,3}}{_GAP}\d{{4}}"
PRIVATE = re.compile(_NOT_INSIDE.format("|".join((_ID_CARD, _OLD_ID_CARD, _MOBILE, _LANDLINE))))
IN_WORDS = re.compile(_NOT_INSIDE.format("|".join((_ID_CARD, _MOBILE, r"0\d{2,3}-[2-9]\d{6,7}"))))
"""What counts in identifiers: less, as serial numbers and times written without a gap look like the other forms."""
TEN_DIGITS = re.compile(rf"\d(?:{_GAP}\d){{9}}")
"""No number of IN_WORDS has fewer."""
ANNOUNCED = re.compile(
    r"((?:电话|手机|联系方式|号码|致电|tel|phone|mobile|call)\D{0,6}?)(\+?\d(?:[\s\-]?\d){6,14})(?!\d)", re.IGNORECASE
)
_CLOSE = "\\d(?:[\\s\\-‐-―.·_()（）\u200b-\u200d]{0,3}+[\\dXxＸｘ]){6,}+"
CLUSTER = re.compile(f"[+(（]?{_CLOSE}")
"""Digits close together: the only places worth a closer look."""
NUMBER = re.compile(_CLOSE)
"""The same, found faster because it begins with a digit."""
WIDE_DIGITS = {ord("０") + digit: str(digit) for digit in range(10)}
DIGIT = re.compile(r"[\dXxＸｘ]")
_ASCII_STARS = str.maketrans(dict.fromkeys("0123456789Xx", "*"))


def one_line(text: str) -> str:
    """The text cleaned, with every run of white space as one space."""
    return " ".join(visible(text).split())


def masked(text: str) -> str:
    """The text with phone numbers and ID-card numbers (身份证号) as stars; other numbers stay."""
    first = NUMBER.search(text)
    if first is None:
        return text
    start = max(0, first.start() - 1)  # the sign or bracket before it belongs to it
    text = text[:start] + CLUSTER.sub(_looked_into, text[start:])
    if NUMBER.search(text) is None:
        return text
    return ANNOUNCED.sub(lambda found: found[1] + _stars(found[2]), text)


def without(text: str, own: Iterable[str]) -> str:
    """The text with every literal occurrence of the reporter's own words as stars; give the longest first."""
    for one in own:
        if one in text:
            text = text.replace(one, "*" * len(one))
    return text


def pseudonym(word: str, key: bytes) -> str:
    """An identifier with each phone or ID-card number in it as "#" and 16 hex digits of its HMAC-SHA-256.

    Without the key nobody can try which number it was; there are few enough of them. Under one key the same word always
    gives the same, and what stands around the number stays, so duplicates are still found and the order of revisions
    is kept.
    """
    if TEN_DIGITS.search(word) is None:
        return word
    plain = word if word.isascii() else word.translate(WIDE_DIGITS)
    found = IN_WORDS.sub(lambda number: "#" + hmac.digest(key, number[0].encode(), "sha256").hex()[:16], plain)
    return word if found == plain else found


def _looked_into(cluster: re.Match[str]) -> str:
    digits = cluster[0]
    if not digits.isascii():
        digits = digits.translate(WIDE_DIGITS)
    return PRIVATE.sub(lambda found: _stars(found[0]), digits)


def _stars(number: str) -> str:
    return number.translate(_ASCII_STARS) if number.isascii() else DIGIT.sub("*", number)
