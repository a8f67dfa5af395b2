"""A date and time as a person writes it 时刻, in the city's time zone."""

from datetime import datetime, tzinfo

FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
MICROSECONDS = 1_000_000


class NoMoment(ValueError):
    """A text that is no date and time."""


def moment(text: str | None, zone: tzinfo) -> int | None:
    """Return the time (UTC microseconds) of a date and time in the city's zone; None for an empty text.

    Raises NoMoment.
    """
    given = (text or "").strip().replace("T", " ").replace("/", "-")
    if not given:
        return None
    for one in FORMATS:
        try:
            return int(datetime.strptime(given, one).replace(tzinfo=zone).timestamp()) * MICROSECONDS
        except (ValueError, OverflowError):
            continue
    raise NoMoment(given)


def shown_moment(at: int, zone: tzinfo) -> str:
    """Return a time (UTC microseconds) as the city's date and time of day."""
    return datetime.fromtimestamp(at / MICROSECONDS, zone).strftime("%Y-%m-%d %H:%M:%S")
