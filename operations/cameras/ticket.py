"""Health tickets 健康工单: which fault of a camera makes one, for whom, and what is said of it. Pure."""

from collections.abc import Collection
from hashlib import sha256

from msgspec import Struct

from operations.cameras.condition import AWAY, DARK, FAULTY

SOURCE = "camera-health"
"""The source these reports come from."""
KINDS = OFFLINE, PICTURE, OUTAGE = ("offline", "picture", "outage")
TYPES = {OFFLINE: "0801", PICTURE: "0802", OUTAGE: "0801"}
STATES = OPEN, BACK, PAST = ("open", "back", "past")
"""Its camera is away or bad; is back; or the ticket is of no more concern: another stands for its camera, or none."""
MINUTE = 60_000_000


class Rules(Struct, frozen=True, kw_only=True):
    """When a fault makes a ticket: microseconds it has to last, classes of cameras, and the most a day for an owner.

    `departments`: codes of owners that are departments here.
    """

    offline: int
    picture: int
    outage: int
    back: int
    classes: tuple[int, ...]
    most: int
    departments: frozenset[str]
    enabled: bool = True


class Case(Struct, frozen=True, kw_only=True):
    """What a ticket tells: of which camera or point, what is wrong since when (UTC us), and whether it is over.

    `id`: of the report. `kind`: of KINDS. `owner`: as the camera's source names it; `department`: whose ticket it is,
    "" where the owner is none here. `again`: since when it is so once more. `level`, `gone`, `total`: of a mass drop.
    """

    id: str
    kind: str
    name: str
    code: str
    since: int
    owner: str
    department: str
    picture: str = ""
    again: int = 0
    level: str = ""
    gone: int = 0
    total: int = 0
    lon: float | None = None
    lat: float | None = None


def kind_of(condition: str) -> str:
    """Return what kind of ticket a condition makes, "" for none."""
    if condition == AWAY:
        return OFFLINE
    return PICTURE if condition in (DARK, FAULTY) else ""


def department(owner: str, known: Collection[str]) -> str:
    """Return the department a ticket goes to; "": that of its type, as the owner is none here."""
    return owner if owner in known else ""


def subject_of(level: str, name: str) -> str:
    """Return what a ticket of a mass drop is about; that of a camera is about the camera's id."""
    return f"{OUTAGE}:{level}:{name}"


def id_of(subject: str, since: int) -> str:
    """Return the id of the report: the camera, and since when (UTC milliseconds); of a mass drop a digest of it."""
    named = f"{OUTAGE}-{sha256(subject.encode()).hexdigest()[:24]}" if subject.startswith(f"{OUTAGE}:") else subject
    return f"{named}@{since // 1_000}"
