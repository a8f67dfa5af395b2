"""The datum check on real parts: a source that declares the wrong datum is found, and its places put right."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from config.settings import Settings
from config.taxonomy import Taxonomy
from geo import importing
from operations import datums, grids, lease, reception, rederiving, snapshot, sources
from operations.board import Board, apply
from operations.database import Database
from operations.journal import read
from operations.policy import SYSTEM
from operations.report import Report
from operations.seal import KeyStore
from operations.sources import Source
from streams.datum_check import DatumCheck
from streams.demo import city
from streams.demo.stories import HOUR, Stories
from streams.finder import Finder
from streams.normalise import normalise
from streams.rederiver import Rederiver
from streams.stored_grid import to_row
from streams.worker import rules_of
from tests.operations.desk import ZONE
from tests.operations.story import ADMINISTRATOR

NOW = 1_800_000_000_000_000
WORKER = "demo-worker"
TAXONOMY = Taxonomy.load()


class Town:
    """The fictional city with the reports of two of its sources, one of which declares the wrong datum."""

    def __init__(self, settings: Settings, database: Database, items: list[dict[str, Any]]) -> None:
        self.database, self.items = database, items
        self.keys = KeyStore(settings.data / "keys")
        self.rules = rules_of(settings, TAXONOMY)
        self.now = NOW
        self.finder = Finder(database, settings.data / "cache", lambda: self.now)
        self.source = Source(WORKER, "网格员上报", kind="demo", datum="WGS84")
        sources.add(database, SYSTEM, self.source, now=NOW)
        self.token = lease.acquire(database, lease.partition(0), "test", 10**15, NOW)
        self.packet = 0
        self.send(self.read())

    def read(self) -> list[Report]:
        """The reports as intake reads them now."""
        source = sources.get(self.database, WORKER)
        assert source is not None
        found = [normalise(item, source, TAXONOMY, self.now) for item in self.items]
        return [one for one in found if isinstance(one, Report)]

    def send(self, reports: list[Report]) -> reception.Recorded:
        self.packet += 1
        return reception.record(
            self.database, 0, self.token or 0, [(f"{self.packet}-0", reports)], located=self.finder.locate,
            rules=self.rules, keys=self.keys, now=self.now,
        )  # fmt: skip

    def board(self) -> Board:
        return snapshot.load(self.database)

    def change(self, datum: str) -> None:
        self.now += 1_000_000
        source = structs.replace(self.source, datum=datum)
        sources.change(self.database, ADMINISTRATOR, source, now=self.now)


@pytest.fixture(scope="module")
def items() -> list[dict[str, Any]]:
    """What the grid workers first say of each matter of sixteen hours."""
    stories = Stories(city.build(), ZONE)
    return [
        send.item for send in stories.between(NOW - 16 * HOUR, NOW, openings=True)
        if send.source == WORKER and "spoiled" not in send.item["id"]
    ]  # fmt: skip


@pytest.fixture(scope="module")
def map_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("city") / "city.geojson"
    file.write_bytes(city.build().geojson())
    return file


@pytest.fixture
def town(settings: Settings, database: Database, items: list[dict[str, Any]], map_file: Path) -> Iterator[Town]:
    found = importing.read(map_file)
    grids.import_grids(database, SYSTEM, [to_row(grid) for grid in found.grids], found.digest, now=NOW - 1)
    made = Town(settings, database, items)
    yield made
    made.keys.close()


def checked(town: Town) -> bool:
    return DatumCheck(town.database, town.finder, lambda _: None).look(
        sources.get(town.database, WORKER) or town.source, town.board(), town.now
    )


def settled(town: Town, rederiver: Rederiver) -> int:
    """Step until nothing waits; returns how many incidents moved."""
    moved = 0
    while rederiver.waiting:
        moved += rederiver.step(town.now)
    return moved


def test_a_source_in_the_wrong_datum_is_found_once_and_the_reports_tell_so(town: Town) -> None:
    assert checked(town)
    proposal = datums.standing(town.database, WORKER).proposal
    assert proposal is not None
    said = proposal.evidence
    assert (said.declared, said.datum) == ("WGS84", "GCJ02") and said.count >= 50
    assert said.inside_datum > 0.9 * said.count > said.inside_declared
    assert 300 < said.metres < 900
    assert not checked(town), "it waits for a person"


def test_refused_it_is_not_proposed_again_on_the_same_reports(town: Town) -> None:
    checked(town)
    datums.keep(town.database, ADMINISTRATOR, WORKER, now=town.now)
    assert not checked(town)
    town.now += HOUR
    town.items = [item | {"id": f"{item['id']}-later"} for item in town.items]
    town.send(town.read())
    assert checked(town), "on new ones it is"


def test_confirmed_every_place_is_what_it_would_have_been_from_the_start(town: Town) -> None:
    wrong = town.board()
    rederiver = Rederiver(town.database, town.finder, lambda _: None)
    rederiver.begin(wrong)
    assert settled(town, rederiver) == 0
    town.change("GCJ02")
    entries = read(town.database, wrong.seq)
    for entry in entries:
        apply(wrong, entry)
    rederiver.note(wrong, entries)
    moved = settled(town, rederiver)
    right = {one.id: one for one in town.read()}
    places = town.finder.locate(list(right.values()))
    expected = dict(zip(right, places, strict=True))
    board = town.board()
    for one in board.incidents.values():
        place, report = expected[one.report_id], right[one.report_id]
        assert (one.grid, one.nearest) == (place.grid, place.nearest)
        assert report.place is None or (one.lon, one.lat) == (report.place.lon, report.place.lat)
    assert moved == sum(one.lon is not None for one in board.incidents.values()) > 50
    assert not checked(town), "read rightly, nothing speaks for another datum"
    again = town.send(town.read())
    assert again.conflicts == 0 and again.duplicates == len(right), "a report sent again is still the same report"


def test_whoever_was_killed_on_the_way_goes_on_where_it_stopped(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.change("GCJ02")
    monkeypatch.setattr(rederiving, "BATCH", 7)
    killed = Rederiver(town.database, town.finder, lambda _: None)
    killed.begin(town.board())
    done, real, calls = 0, rederiving.rederive, 0

    def dies(*args: Any, **more: Any) -> int:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise KeyboardInterrupt
        return real(*args, **more)

    monkeypatch.setattr(rederiving, "rederive", dies)
    with pytest.raises(KeyboardInterrupt):
        settled(town, killed)
    monkeypatch.setattr(rederiving, "rederive", real)
    done = sum(entry.action == rederiving.ACTION for entry in read(town.database, 0))
    assert done == 21
    following = Rederiver(town.database, town.finder, lambda _: None)
    following.begin(town.board())
    rest = settled(town, following)
    moved = [entry.subject_id for entry in read(town.database, 0) if entry.action == rederiving.ACTION]
    assert len(moved) == len(set(moved)) == done + rest, "each incident moved once"


def test_what_is_reopened_from_outside_the_board_is_looked_at(town: Town) -> None:
    board = town.board()
    one = next(one for one in board.incidents.values() if one.lon is not None)
    rederiver = Rederiver(town.database, town.finder, lambda _: None)
    rederiver.begin(Board())
    town.change("GCJ02")
    body = {"set": {"source": WORKER}}
    changed = [*read(town.database, board.seq)]
    reopened = structs.replace(
        changed[-1], action="incident.reopened", subject_type="incident", subject_id=one.id, body=body
    )
    rederiver.note(Board(), [*changed, reopened])
    assert settled(town, rederiver) == 1
    rederiver.note(Board(), [structs.replace(reopened, body={"set": {"source": "stranger"}})])
    assert settled(town, rederiver) == 0


def test_what_was_accepted_before_and_decided_after_is_read_anew_too(town: Town) -> None:
    late = [item | {"id": f"{item['id']}-late"} for item in town.items[:9]]
    town.items, before = late, town.items
    accepted = town.read()
    rederiver = Rederiver(town.database, town.finder, lambda _: None)
    town.items = before
    town.change("GCJ02")
    board = town.board()
    rederiver.begin(board)
    settled(town, rederiver)
    town.send(accepted)
    entries = read(town.database, board.seq)
    for entry in entries:
        apply(board, entry)
    rederiver.note(board, entries)
    assert settled(town, rederiver) == sum(one.place is not None and one.place.lon is not None for one in accepted)
