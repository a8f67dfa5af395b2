"""A worker and an operator on one database, driven by hand: reports in, commands, entries out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from operations import deadlines, journal, lease, reception, snapshot
from operations.board import Board
from operations.commands import Commands
from operations.database import Database
from operations.decision import Rules
from operations.entry import Entry
from operations.firing import Firing
from operations.incident import Incident
from operations.incidents import rows as incidents
from operations.policy import Identity
from operations.reception import Recorded
from operations.report import Located, Place, Refusal, Report
from operations.scope import WHOLE
from operations.seal import KeyStore

START = 1_800_000_000_000_000  # 2027-01-15 08:00 UTC
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = ZoneInfo("Asia/Shanghai")
DEADLINES = deadlines.of(ZONE)
RULES = Rules({"0101": "fire", "0304": "police", "0501": "environment"}, "centre", "990101", ZONE, DEADLINES)
LEAVES = tuple(f"990101{town:03d}{village:03d}001" for town in (1, 2) for village in (1, 2))

COMMANDER = Identity("account", "c1", "commander", "duty_commander")
OPERATOR = Identity("account", "o1", "operator", "operator")
LEADER = Identity("account", "l1", "leader", "leader")


def chain(leaf: str) -> tuple[str, ...]:
    """County, town, village, grid."""
    return (leaf[:6], leaf[:9], leaf[:12], leaf)


def locate(reports: Sequence[Report]) -> list[Located]:
    """By the grid code the report names; none is unplaced."""
    return [locate_one(None, None, report.grid_code) for report in reports]


def locate_one(_lon: float | None, _lat: float | None, grid: str) -> Located:
    """The grid named, if there is one."""
    return Located(grid, chain(grid)) if grid in LEAVES else Located("", (), LEAVES[0], 120.5)


def report(id: str = "A1", revision: str = "1", **values: object) -> Report:
    """A report with a content digest that follows from its values."""
    given: dict[str, object] = {
        "type": "0304",
        "title": "路口红灯不亮",
        "text": "某某路口红灯不亮，请尽快处理。",
        "urgency": "routine",
        "grid_code": LEAVES[0],
        "occurred_at": START - MINUTE,
        "received_at": START,
        "place": Place(113.5, 34.7, 113.506, 34.699, "GCJ02", 12.0, "某某路 1 号"),
        "reporter": {"name": "张*", "phone": "138****0000"},
        "source": "hotline",
    } | values
    content = {name: value for name, value in given.items() if name != "received_at"}
    digest = hashlib.sha256(repr((id, revision, sorted(content.items()))).encode()).hexdigest()
    return Report(id=id, revision=revision, content_sha256=digest, raw_sha256=digest, **given)  # type: ignore[arg-type]


def refusal(raw: bytes = b'{"title": NaN}', **values: object) -> Refusal:
    """Something that could not be read."""
    digest = hashlib.sha256(raw).hexdigest()
    given: dict[str, object] = {"source": "hotline", "reason": "not_json", "received_at": START} | values
    return Refusal(raw=raw, raw_sha256=digest, **given)  # type: ignore[arg-type]


@dataclass
class Desk:
    """`now` moves on by a second with every call; `rung` are the seqs the doorbell heard."""

    database: Database
    keys: KeyStore
    now: int = START
    stream: int = 0
    token: int = 0
    rung: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.commands = Commands(
            self.database, self.keys, self.rung.append, locate=locate_one, deadlines=DEADLINES, now=self.tick
        )
        self.firing = Firing(self.database, DEADLINES, self.rung.append)

    def tick(self, by: int = SECOND) -> int:
        """Let time pass and return it."""
        self.now += by
        return self.now

    def send(self, *items: Report | Refusal, stream_id: str = "") -> Recorded:
        """Record items as one packet of partition 0; a stream id given again is a packet delivered again."""
        self.stream += 1
        if not self.token:
            self.token = lease.acquire(self.database, lease.partition(0), "worker", 10**15, self.now) or 0
        packet = (stream_id or f"{self.stream}-0", list(items))
        return reception.record(
            self.database,
            0,
            self.token,
            [packet],
            located=locate,
            rules=RULES,
            keys=self.keys,
            now=self.tick(),
            after_commit=self.rung.append,
        )

    def incident(self, number: int = 0) -> Incident:
        """The n-th incident opened, from the board."""
        return list(self.board().incidents.values())[number]

    def stored(self, incident_id: str) -> Incident:
        """An incident as its row holds it."""
        with self.database.read() as connection:
            return incidents.find(connection, WHOLE, incident_id).incident

    def board(self) -> Board:
        """The board folded from the journal."""
        return snapshot.load(self.database)

    def entries(self) -> list[Entry]:
        """The whole journal."""
        return journal.read(self.database, 0)
