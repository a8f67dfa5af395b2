"""Replay: pacing as a pure function; the real storm and a synthetic one with the same quirks through the real rules."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest

from config.settings import Settings
from config.taxonomy import Taxonomy
from geo import importing
from geo.locator import Locator
from operations import journal, lease, reception, snapshot, verification
from operations.board import Board
from operations.database import Database
from operations.decision import Rules
from operations.report import Located, Refusal, Report
from operations.seal import KeyStore
from streams import mapping, replay
from streams.courier import Courier, CourierRefused, CourierStopped, Delivered
from streams.normalise import normalise
from streams.replay import SOURCE, Row
from streams.sending import BATCH
from streams.tables import child
from streams.worker import rules_of

NOW = 1_800_000_000_000_000
PARTITION = 3

QUIRKS = [
    # gone before anything else was ever seen of it
    {"seen_utc": "2023-12-07T13:27:31Z", "kind": "gone", "id": "A"},
    {
        "seen_utc": "2023-12-07T13:30:00Z",
        "kind": "new",
        "id": "B",
        "status": "On Scene",
        "title": "HOUSE FIRE - TURNER",
    },
    # the same moment, two incidents; a status that goes backwards
    {"seen_utc": "2023-12-07T13:31:00Z", "kind": "update", "id": "B", "status": "Resource Allocation Pending"},
    {"seen_utc": "2023-12-07T13:31:00Z", "kind": "new", "id": "C", "status": "Out / Completed"},
    # gone is not closed; then it is back
    {"seen_utc": "2023-12-07T13:40:00Z", "kind": "gone", "id": "B"},
    {"seen_utc": "2023-12-07T13:50:00Z", "kind": "reappear", "id": "B", "status": "Finished"},
    {"seen_utc": "2023-12-07T13:55:00Z", "kind": "gone", "id": "C"},
]


def full(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the fixture with the fields that all rows but "gone" have, in the feed's manner."""
    if row["kind"] == "gone":
        return row
    common = {
        "agency": "Fire",
        "type": "HOUSE FIRE",
        "title": "HOUSE FIRE - TURNER",
        "latitude": "-35.275",
        "longitude": "149.126",
        "location": "TURNER",
        "time_of_call": "08 Dec 2023 00:09:36",
        "updated": "08 Dec 2023 00:21:21.077",
    }
    return common | row


class Ground:
    """A migrated database with one partition held, and the worker's way of deciding without its loop."""

    def __init__(self, settings: Settings, database: Database, locator: Locator | None = None) -> None:
        self.database, self.locator = database, locator
        taxonomy = Taxonomy.load()
        self.taxonomy, self.mapped = taxonomy, mapping.load_all(taxonomy).get("canberra")
        self.keys = KeyStore(settings.data / "keys")
        self.rules: Rules = rules_of(settings, taxonomy)
        token = lease.acquire(database, lease.partition(PARTITION), "test", 3_600_000_000, NOW)
        assert token is not None
        self.token, self.packet = token, 0

    def play(self, rows: list[Row]) -> Counter[str]:
        """Everything through mapping, normalising, placing and deciding, in the order of the replay."""
        total: Counter[str] = Counter()

        def deliver(items: list[dict[str, Any]]) -> Delivered:
            return self.take(items, total)

        for _ in replay.play(rows, 1e9, deliver, lambda: 0.0, lambda _seconds: None):
            pass
        return total

    def take(self, items: Sequence[object], total: Counter[str]) -> Delivered:
        """One delivery, as it comes."""
        reports = [normalise(item, SOURCE, self.taxonomy, NOW, self.mapped) for item in items]
        self.packet += 1
        recorded = reception.record(
            self.database,
            PARTITION,
            self.token,
            [(f"{self.packet}-0", reports)],
            located=self.locate,
            rules=self.rules,
            keys=self.keys,
            now=NOW,
        )
        total.update(
            journaled=recorded.journaled,
            duplicates=recorded.duplicates,
            stale=recorded.stale,
            refused=sum(isinstance(report, Refusal) for report in reports),
        )
        return Delivered(len(items), recorded.duplicates, 0)

    def locate(self, reports: list[Report]) -> list[Located]:
        return [self._one(report) for report in reports]

    def _one(self, report: Report) -> Located:
        place = report.place
        if self.locator is None or place is None or place.lon is None or place.lat is None:
            return Located()
        found = self.locator.locate(place.lon, place.lat)
        return Located(found.code, found.chain, found.nearest, found.distance_m)

    def board(self) -> Board:
        return snapshot.load(self.database)


# ---- pacing ----


def test_rows_are_delivered_when_their_time_has_come() -> None:
    rows = [Row(100.0, {"n": 1}), Row(100.0, {"n": 2}), Row(160.0, {"n": 3}), Row(400.0, {"n": 4})]
    now, waits, sent = [0.0], [], []

    def wait(seconds: float) -> None:
        waits.append(round(seconds, 3))
        now[0] += seconds

    def deliver(items: list[dict[str, Any]]) -> Delivered:
        sent.append([item["n"] for item in items])
        now[0] += 1.0  # delivering takes time, which is not waited again
        return Delivered(len(items))

    done = list(replay.play(rows, 20.0, deliver, lambda: now[0], wait))
    assert sent == [[1, 2], [3], [4]]
    assert waits == [2.0, 11.0]
    assert [step for step, _ in done] == [2, 3, 4] and done[-1][1] == Delivered(4)


def test_speed_must_be_above_zero() -> None:
    with pytest.raises(replay.ReplayUnreadable, match="above 0"):
        list(replay.play([Row(0.0, {})], 0.0, lambda _items: Delivered(), lambda: 0.0, lambda _seconds: None))


def test_a_file_is_read_in_the_order_of_its_clock(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [{"seen_utc": f"2023-12-07T13:{minute}:00Z", "id": str(minute)} for minute in (40, 20, 30)]
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    assert [row.item["id"] for row in replay.read(file)] == ["20", "30", "40"]


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "1"}', '{"seen_utc": "yesterday"}'])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"seen_utc": "2023-12-07T13:27:31Z"}\n' + line, encoding="utf-8")
    with pytest.raises(replay.ReplayUnreadable, match="line 2"):
        replay.read(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(replay.ReplayUnreadable, match=r"nothing\.jsonl"):
        replay.read(tmp_path / "nothing.jsonl")


# ---- the courier ----


class _Door(BaseHTTPRequestHandler):
    answers: ClassVar[list[tuple[int, dict[str, str]]]] = []
    seen: ClassVar[list[tuple[str, list[dict[str, Any]]]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append((self.headers["authorization"], body))
        status, headers = self.answers.pop(0) if self.answers else (202, {})
        answer = json.dumps({"accepted": len(body), "duplicates": 0, "quarantined": []}).encode()
        self.send_response(status)
        for name, value in (headers | {"content-length": str(len(answer))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def door() -> Iterator[ThreadingHTTPServer]:
    _Door.answers, _Door.seen = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_courier_waits_as_long_as_it_is_told(door: ThreadingHTTPServer) -> None:
    waits: list[float] = []
    _Door.answers = [(503, {"retry-after": "3"}), (429, {"retry-after": "60"}), (202, {})]

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return True

    courier = Courier("127.0.0.1", door.server_port, wait)
    assert courier.deliver("secret", [{"id": "1"}, {"id": "2"}]) == Delivered(2)
    courier.close()
    assert waits == [3.0, 10.0]
    assert [token for token, _ in _Door.seen] == ["Bearer secret"] * 3


def test_trouble_of_the_door_is_waited_out(door: ThreadingHTTPServer) -> None:
    waits: list[float] = []
    _Door.answers = [(500, {}), (502, {}), (500, {})]

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return True

    courier = Courier("127.0.0.1", door.server_port, wait)
    assert courier.deliver("secret", [{"id": "1"}]) == Delivered(1)
    courier.close()
    assert waits == sorted(set(waits)), "each pause is longer than the one before"


def test_large_deliveries_go_in_parts(door: ThreadingHTTPServer) -> None:
    courier = Courier("127.0.0.1", door.server_port, lambda _seconds: True)
    assert courier.deliver("secret", [{"id": str(n)} for n in range(1100)]).accepted == 1100
    courier.close()
    assert [len(items) for _, items in _Door.seen] == [500, 500, 100]


def test_a_wrong_token_is_not_tried_again(door: ThreadingHTTPServer) -> None:
    _Door.answers = [(401, {})]
    courier = Courier("127.0.0.1", door.server_port, lambda _seconds: True)
    with pytest.raises(CourierRefused, match="401"):
        courier.deliver("wrong", [{"id": "1"}])
    courier.close()


def test_a_closed_door_is_tried_until_told_to_stop(free_port: int) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) < 4

    with pytest.raises(CourierStopped):
        Courier("127.0.0.1", free_port, wait).deliver("secret", [{"id": "1"}])
    assert waits == sorted(waits) and waits[-1] <= 10


# ---- the same quirks without the data ----


@pytest.mark.database
def test_quirks_of_the_feed_end_as_they_should(settings: Settings, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "quirks.jsonl"
    file.write_text("\n".join(json.dumps(full(row)) for row in QUIRKS), encoding="utf-8")
    ground = Ground(settings, database)
    rows = replay.read(file)
    assert ground.play(rows) == Counter(journaled=7, duplicates=0, stale=0, refused=0)
    by_id = {incident.report_id: incident for incident in ground.board().incidents.values()}
    assert by_id["A"].gone and by_id["A"].is_open and by_id["A"].title == "A"
    assert not by_id["B"].gone and by_id["B"].source_status == "Finished" and by_id["B"].reports == 4
    assert by_id["C"].gone and by_id["C"].is_open
    assert by_id["C"].source_status == "Out / Completed" and by_id["C"].title == "HOUSE FIRE - TURNER"
    assert by_id["C"].lon == 149.126 and by_id["C"].type == "0302"
    entries = [entry.body or {} for entry in journal.read(database, 0) if entry.subject_id == by_id["B"].id]
    statuses = [body["report"]["status"] for body in entries]
    assert statuses == ["On Scene", "Resource Allocation Pending", "", "Finished"]
    before = ground.board()
    assert ground.play(rows) == Counter(journaled=0, duplicates=7, stale=0, refused=0)
    assert ground.board() == before


# ---- the real storm ----


@pytest.fixture(scope="module")
def storm(real_data: Path) -> list[Row]:
    return replay.read(real_data / "canberra-storm" / "events.jsonl")


@pytest.fixture(scope="module")
def suburbs(real_data: Path) -> importing.Imported:
    folder = real_data / "canberra-storm"
    return importing.read([folder / "act_districts_D.geojson", folder / "act_localities_G.geojson"])


@pytest.mark.real
def test_suburbs_and_districts_are_imported_as_they_come(suburbs: importing.Imported) -> None:
    assert suburbs.ok and Counter(grid.level for grid in suburbs.grids) == {1: 19, 2: 119}


@pytest.mark.real
def test_the_suburb_in_the_title_is_the_grid(storm: list[Row], suburbs: importing.Imported) -> None:
    names = {grid.code: grid.name for grid in suburbs.grids}
    locator = Locator.build(suburbs.grids)
    rows = [row.item for row in storm if "latitude" in row.item]
    found = [locator.locate(float(row["longitude"]), float(row["latitude"])) for row in rows]
    located = [(row["title"].rsplit(" - ", 1)[1], place) for row, place in zip(rows, found, strict=True) if place.code]
    right = sum(title in {names[code] for code in place.chain} for title, place in located)
    assert len(located) > 0.98 * len(rows)
    assert right / len(located) >= 0.99


@pytest.mark.real
def test_the_storm_is_journaled_once_and_repeating_it_changes_nothing(
    settings: Settings, database: Database, storm: list[Row], suburbs: importing.Imported
) -> None:
    ground = Ground(settings, database, Locator.build(suburbs.grids))
    distinct = {(row.item["id"], row.item["seen_utc"], row.item["kind"]) for row in storm}
    assert ground.play(storm) == Counter(journaled=len(distinct), duplicates=0, stale=0, refused=0)
    board = ground.board()
    last: dict[str, Row] = {}
    statuses: dict[str, list[str]] = defaultdict(list)
    for row in storm:
        last[row.item["id"]] = row
        statuses[row.item["id"]] += [row.item["status"]] if "status" in row.item else []
    assert len(board.incidents) == len(last)
    for incident in board.incidents.values():
        assert incident.is_open, "gone from the feed is not closed"
        assert incident.gone == (last[incident.report_id].item["kind"] == "gone")
        assert incident.source_status == (statuses[incident.report_id] or [""])[-1]
    assert any(incident.gone for incident in board.incidents.values())
    assert ground.play(storm) == Counter(journaled=0, duplicates=len(distinct), stale=0, refused=0)
    assert ground.board() == board
    assert verification.verify(database, []).ok


@pytest.mark.real
def test_the_storm_as_a_file_ends_with_the_same_incidents(
    settings: Settings, database: Database, real_data: Path, storm: list[Row], suburbs: importing.Imported
) -> None:
    ground, total = Ground(settings, database, Locator.build(suburbs.grids)), Counter[str]()
    found = child.examine(real_data / "canberra-storm" / "events.jsonl", settings.data / "read")
    rows = [row.item for row in child.rows(settings.data / "read")]
    assert (found.rows, found.findings, len(rows)) == (len(storm), [], len(storm))
    for start in range(0, len(rows), BATCH):
        ground.take(rows[start : start + BATCH], total)
    distinct = {(row.item["id"], row.item["seen_utc"], row.item["kind"]) for row in storm}
    assert total == Counter(journaled=len(distinct), duplicates=0, stale=0, refused=0)
    board = ground.board()
    assert ground.play(storm) == Counter(journaled=0, duplicates=len(distinct), stale=0, refused=0)
    assert ground.board() == board, "what the replay's door brings is known word for word"


@pytest.mark.real
def test_returning_ids_and_statuses_that_go_back_are_in_the_journal(
    settings: Settings, database: Database, storm: list[Row]
) -> None:
    ground = Ground(settings, database)
    ground.play(storm)
    presence: dict[str, list[str]] = defaultdict(list)
    statuses: dict[str, list[str]] = defaultdict(list)
    for entry in _entries(database):
        if entry.subject_type == "incident" and entry.body:
            presence[entry.subject_id].append(entry.body["report"]["presence"])
            statuses[entry.subject_id].append(entry.body["report"]["status"])
    returned = sum(list(pairwise(chain)).count(("gone", "present")) for chain in presence.values())
    backwards = sum(
        before == "On Scene" and after == "Resource Allocation Pending"
        for chain in statuses.values()
        for before, after in pairwise(chain)
    )
    assert sum(row.item["kind"] == "reappear" for row in storm) == 69
    assert returned == 68, "of one the recording does not have the going"
    assert backwards > 0


def _entries(database: Database) -> Iterator[Any]:
    after = 0
    while found := journal.read(database, after):
        yield from found
        after = found[-1].seq
