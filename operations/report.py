"""A report 上报 as intake hands it over, and the place that was found for it."""

import re
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

_DIGITS = re.compile(r"\d+")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:[.,]([0-9]+))?([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)


class Place(Struct, frozen=True, gc=False):
    """Degrees in WGS-84 (`lon`, `lat`), and as received (`raw_*`, in `datum`)."""

    lon: float | None = None
    lat: float | None = None
    raw_lon: float | None = None
    raw_lat: float | None = None
    datum: str = "WGS84"  # WGS84 | CGCS2000 | GCJ02 | BD09
    accuracy_m: float | None = None
    address: str = ""


class Report(Struct, frozen=True, gc=False):
    """One accepted report. Dedupe key: source + id + revision. Times: UTC microseconds."""

    source: str
    id: str
    revision: str
    type: str  # two-level code of the taxonomy, e.g. "0304"
    title: str  # masked
    occurred_at: int
    received_at: int
    urgency: str = "routine"  # routine 一般 | urgent 紧急 | critical 特急
    text: str = ""  # masked; sealed in the journal
    place: Place | None = None
    grid_code: str = ""
    channel: str = ""
    reporter: dict[str, str] = msgspec.field(default_factory=dict)  # sealed in the journal
    attachments: list[dict[str, object]] = msgspec.field(default_factory=list)
    status: str = ""  # the source's own word, shown as it is
    presence: str = "present"  # present | gone (gone from the feed is not closed)
    marks: tuple[str, ...] = ()
    dropped: dict[str, int] = msgspec.field(default_factory=dict)
    raw_sha256: str = ""
    content_sha256: str = ""  # of the normalised content: tells a duplicate from a conflict
    datum_said: bool = False  # the report itself names the datum of its place, whatever its source declares
    written_by: str = ""  # actor who wrote it down at a desk; empty when the source itself sent it
    department: str = ""  # whose matter it is, said by the program itself; "" the type's; no item from outside says it


class Refusal(Struct, frozen=True):
    """Something a source sent that could not be read; ends in quarantine with its bytes sealed."""

    source: str
    reason: str  # code
    raw: bytes
    raw_sha256: str
    received_at: int
    field: str = ""
    params: dict[str, str] = msgspec.field(default_factory=dict)
    id: str = ""
    revision: str = ""


class Located(Struct, frozen=True, gc=False):
    """Where a report lies: leaf `grid` and its `chain` (root to leaf), or the nearest grid when unplaced."""

    grid: str = ""
    chain: tuple[str, ...] = ()
    nearest: str = ""
    distance_m: float = 0.0


def revision_key(revision: str) -> tuple[tuple[int, ...], str]:
    """Order of revisions: first the numbers in them ("v9" < "v10"; a time of ISO 8601 by its instant), then the text.

    A time without a zone is taken for UTC: a source that leaves the zone away once must always do so.
    """
    numbers = _DIGITS.findall(_TIME.sub(_instant, revision))
    return tuple(int(run[:40]) for run in numbers), revision


def _instant(found: re.Match[str]) -> str:
    """A time as numbers that compare like its instant: year, month, day, hour, minute, second, nanosecond in UTC."""
    minute, second, fraction, zone = (part or "" for part in found.groups())
    try:
        moment = datetime.fromisoformat(f"{minute}{second}{zone.upper()}".replace("t", "T"))
        in_utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # shaped like a time, and none
        return found[0]
    return f"{in_utc:%Y %m %d %H %M %S} {fraction:0<9.9} "
