"""A ledger from its file into the catalogue: compared field by field, all or nothing, secrets in the keys."""

from pathlib import Path

import msgspec
import pytest
import shapely
import sqlalchemy as sa

from config.settings import Settings
from geo.datum import from_wgs84
from operations import grids, journal
from operations.cameras import reading
from operations.cameras.comparing import Change
from operations.database import Database
from operations.errors import Refused
from operations.grids import GridRow
from operations.policy import SYSTEM
from operations.tables import camera, camera_version, journal_body
from streams.cameras import columns, importing
from streams.cameras.importing import Asked, Cancelled, Found
from streams.finder import Finder
from streams.source_secrets import SourceSecrets
from streams.tables import child
from streams.tables import reading as tables

NOW = 1_800_000_000_000_000
HEAD = "国标编码,设备名称,经度,纬度,主码流地址,行政区划"


class Desk:
    """Ledgers of one source against one database."""

    def __init__(self, settings: Settings, database: Database, work: Path) -> None:
        self.database, self.work = database, work
        self.secrets = SourceSecrets(settings.data / "keys", "cameras")
        self.finder = Finder(database, settings.data / "cache", lambda: NOW)
        self.count = 0

    def look(self, *lines: str, complete: bool = False, datum: str = "WGS84", source: str = "s1") -> Found:
        self.count += 1
        file, folder = self.work / f"{self.count}.csv", self.work / f"{self.count}"
        file.write_text("\n".join((HEAD, *lines)) + "\n", encoding="utf-8")
        folder.mkdir()
        (folder / child.SUMMARY).write_bytes(msgspec.json.encode(tables.read(file, folder)))
        asked = Asked(source, datum, columns.proposed(importing.present(folder)), complete)
        return importing.work_out(self.database, self.finder, folder, asked, now=NOW + self.count, actor="a1")

    def keep(self, found: Found) -> None:
        importing.keep(self.database, self.secrets, SYSTEM, found, now=NOW + self.count)

    def id(self, code: str) -> str:
        with self.database.read() as connection:
            found = reading.of_code(connection, "s1", code)
        assert found is not None
        return found.id


@pytest.fixture
def desk(settings: Settings, database: Database, tmp_path: Path) -> Desk:
    return Desk(settings, database, tmp_path)


def test_what_would_change_is_told_field_by_field_before_anything_is_kept(desk: Desk) -> None:
    desk.keep(desk.look("a,东门,118.8,32.05,,", "b,西门,118.8,32.05,,", "c,南门,0,0,,"))
    found = desk.look("a,东大门,118.8,32.06,,", "b,西门,118.8,32.05,,", "d,北门,,,,", complete=True)
    assert [(one.how, one.code, one.name) for one in found.lines] == [
        ("gone", "c", "南门"),
        ("changed", "a", "东大门"),
        ("added", "d", "北门"),
    ]
    assert found.lines[1].changes == (
        Change("lat", 32.05, 32.06),
        Change("name", "东门", "东大门"),
        Change("raw_lat", 32.05, 32.06),
    )
    assert (found.unknown, found.outside) == (1, 2)
    assert desk.look("a,东门,118.8,32.05,,").taken.same == ("a",)


def test_one_faulty_row_and_nothing_is_kept(desk: Desk) -> None:
    found = desk.look("a,东门,118.8,32.05,,", "b,西门,x,32.05,,")
    assert [(one.row, one.column) for one in found.read.faults] == [(3, "经度")]
    with pytest.raises(Refused, match="faulty"):
        desk.keep(found)
    with desk.database.read() as connection:
        assert connection.execute(sa.select(camera.c.id)).all() == []


def test_passwords_lie_in_the_keys_and_nowhere_else(desk: Desk) -> None:
    desk.keep(desk.look("a,东门,118.8,32.05,rtsp://u:geheim@10.0.0.1/1,"))
    first = desk.id("a")
    assert desk.secrets.get(first) == "u:geheim"
    with desk.database.read() as connection:
        for column in (camera.c.record, camera.c.url_main, camera_version.c.record, journal_body.c.body):
            assert all("geheim" not in str(one) for one in connection.execute(sa.select(column)).scalars())
    desk.keep(desk.look("a,东门,118.8,32.05,rtsp://10.0.0.1/1,"))
    assert desk.secrets.get(first) == "u:geheim"
    desk.keep(desk.look("b,西门,118.8,32.05,,", complete=True))
    assert desk.secrets.get(first) == ""


@pytest.mark.parametrize("source", ["", "gb-34020000002000000001", "demo_cameras", " x", "a" * 41, "a\nb"])
def test_a_ledger_takes_nobody_elses_place(desk: Desk, source: str) -> None:
    with pytest.raises(Refused):
        desk.look("a,东门,118.8,32.05,,", source=source)


def test_who_cancels_has_changed_nothing(desk: Desk) -> None:
    found = desk.look("a,东门,118.8,32.05,,")

    def stop(_phase: str, _done: int, _total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        importing.keep(desk.database, desk.secrets, SYSTEM, found, now=NOW, say=stop)
    assert journal.head(desk.database).seq == 0


def test_coordinates_in_another_datum_than_declared_are_doubted(desk: Desk) -> None:
    square = shapely.box(118.8, 32.05, 118.802, 32.052)
    row = GridRow("320102", "一个网格", "general", 1, "", shapely.to_wkb(square), 1)
    grids.import_grids(desk.database, SYSTEM, [row], "digest", now=NOW - 1)
    lines = []
    for number in range(60):
        lon, lat = from_wgs84(118.8005 + number * 1e-5, 32.051, "GCJ02")
        lines.append(f"c{number},路口{number},{lon},{lat},,320102")
    doubt = desk.look(*lines).doubt
    assert doubt is not None
    assert (doubt.declared, doubt.datum, doubt.inside_declared, doubt.inside_datum) == ("WGS84", "GCJ02", 0, 60)
    rightly = desk.look(*lines, datum="GCJ02")
    assert (rightly.doubt, rightly.outside) == (None, 0)
    desk.keep(rightly)
    by_neighbours = desk.look(*(line.removesuffix("320102") for line in lines), source="s2").doubt
    assert by_neighbours is not None
    assert by_neighbours.datum == "GCJ02"
