"""Times as sources write them, turned into UTC microseconds. Pure; the source's zone is an argument."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from streams.errors import Unreadable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST = 64
SECONDS_BELOW, MILLISECONDS_BELOW = 10**11, 10**14
"""A bare number below the first is seconds since 1970, below the second milliseconds, else microseconds."""
ISO, EXCEL, EPOCH_NUMBER = "iso", "excel", "epoch"
"""Forms beside the patterns of strptime: ISO 8601, a workbook's days since 1900, seconds and the like since 1970."""
FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 - a serial number has no zone of its own
SERIALS = (15_000.0, 75_000.0)
"""Days of 1941 to 2105; a number outside is no date of a workbook."""
NUMBER = re.compile(r"\d{1,16}(\.\d{1,12})?")
OVER_59 = re.compile(r"(\d{1,2}:\d{2}:)([6-9]\d)(?!\d)")


def moment(value: object, zone: tzinfo, formats: Sequence[str] = (ISO,)) -> int:
    """UTC microseconds of a number or text; a text without a zone is in `zone`. Raises Unreadable."""
    if isinstance(value, str):
        return _from_text(value, zone, formats)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_text(repr(value), zone, formats) if EXCEL in formats else _from_number(value)
    raise Unreadable("time_unreadable")


def joined(parts: Sequence[object], zone: tzinfo, formats: Sequence[str]) -> int:
    """The moment of a date and a time kept in two fields; a time field that holds the date too is enough."""
    texts = [str(part).strip() for part in parts if part not in (None, "")]
    if EXCEL in formats and len(texts) > 1 and all(map(NUMBER.fullmatch, texts)):  # a day and a part of it
        texts = [repr(sum(map(float, texts)))]
    for text in (" ".join(texts), *reversed(texts)):
        try:
            return moment(text, zone, formats)
        except Unreadable:
            continue
    raise Unreadable("time_unreadable")


def _from_number(value: float) -> int:
    size = abs(value)
    if not size < 2**62:  # NaN and infinity too
        raise Unreadable("time_unreadable")
    if size < SECONDS_BELOW:
        return round(value * 1_000_000)
    return round(value * 1_000) if size < MILLISECONDS_BELOW else int(value)


def _from_text(text: str, zone: tzinfo, formats: Sequence[str]) -> int:
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise Unreadable("time_unreadable")
    try:
        return _read(text, zone, formats)
    except Unreadable:
        extra = OVER_59.search(text)
        if extra is None:
            raise
    # 12:07:75, seen in real feeds, is 12:08:15
    return _read(OVER_59.sub(r"\g<1>00", text), zone, formats) + int(extra[2]) * 1_000_000


def _read(text: str, zone: tzinfo, formats: Sequence[str]) -> int:
    for form in formats:
        try:
            if form == EPOCH_NUMBER:
                return _epoch(text)
            found = serial(text) if form == EXCEL else _written(text, form)
            if found.tzinfo is None:
                found = found.replace(tzinfo=zone)
            return (found - EPOCH) // MICROSECOND
        except (ValueError, OverflowError):
            continue
    raise Unreadable("time_unreadable")


def _written(text: str, form: str) -> datetime:
    return datetime.fromisoformat(text) if form == ISO else datetime.strptime(text, form)  # noqa: DTZ007


def serial(text: str) -> datetime:
    """A workbook's number of days as date and time without a zone, rounded to the second. Raises ValueError."""
    if not NUMBER.fullmatch(text) or not SERIALS[0] <= float(text) <= SERIALS[1]:
        raise ValueError(text)
    return FIRST_DAY + timedelta(seconds=round(float(text) * 86_400))


def _epoch(text: str) -> int:
    if not NUMBER.fullmatch(text) or float(text) < 10**8:
        raise ValueError(text)
    return _from_number(float(text) if "." in text else int(text))
