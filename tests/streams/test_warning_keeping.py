"""Warnings in force move to the grids that come into force, and run out, without anybody's doing."""

import time
from random import Random

import pytest

from operations import grids, journal, snapshot, sources, warnings
from operations.database import Database
from operations.policy import SYSTEM
from operations.sources import Source
from operations.warning import WarningState
from streams import cap
from streams.cap import Area
from streams.ground import Ground
from streams.warning_area import placed, shape_of
from streams.warning_keeping import WarningKeeping
from streams.warnings import message
from tests.dashboard.conftest import CITY
from tests.streams.bulletins import HOUR, document

NOW = 1_800_000_000_000_000
SHAPE = "<polygon>30.001,120.001 30.001,120.009 30.009,120.009 30.009,120.001 30.001,120.001</polygon>"
CODE = "<geocode><valueName>CN-ADMIN</valueName><value>990101002</value></geocode>"


def take(database: Database, name: str, **words: str) -> None:
    source = Source("qxt", "气象预警")
    if sources.get(database, "qxt") is None:
        sources.add(database, SYSTEM, source, now=NOW)
    read = cap.read(document(name, sent=NOW, expires=NOW + HOUR, **words), source.zone)
    where = placed(read, Ground(database).coverage(NOW))
    warnings.record(database, message(read, where, "qxt", NOW), now=NOW)


def board(database: Database) -> dict[str, WarningState]:
    return {one.identifier: one for one in snapshot.load(database).warnings.values()}


@pytest.mark.database
def test_grids_that_come_later_place_what_is_in_force(database: Database) -> None:
    take(database, "shape", where=SHAPE)
    take(database, "code", where=CODE)
    take(database, "99010100000000_20260722093000_1", where="")
    take(database, "words", where="")
    assert {one.where for one in board(database).values()} == {"unknown"}
    keeping = WarningKeeping(database, lambda _seq: None)
    keeping.step(NOW)
    grids.import_grids(database, SYSTEM, CITY, "digest", now=NOW)
    keeping.step(NOW + 1)
    found = {name: (one.where, one.codes) for name, one in board(database).items()}
    assert found == {
        "shape": ("covered", ("990101001",)),
        "code": ("covered", ("990101002",)),
        "99010100000000_20260722093000_1": ("covered", ("990101",)),
        "words": ("unknown", ()),
    }
    actions = [entry.action for entry in journal.read(database, 0)]
    assert actions.count("warning.placed") == 3
    keeping.step(NOW + 2)
    assert [entry.action for entry in journal.read(database, 0)] == actions
    keeping.step(NOW + HOUR)
    assert board(database) == {}


def test_polygons_that_cross_themselves_are_mended_and_tangles_end_soon() -> None:
    bow = ((0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0))
    mended = shape_of([Area("", polygons=(bow,))])
    assert mended is not None and mended.is_valid and 0.4 < mended.area < 0.6
    random = Random(1)
    tangles = tuple(tuple((random.random(), random.random()) for _ in range(many)) for many in (60, 300, 15_000))
    began = time.thread_time()
    whole = shape_of([Area("", polygons=tuple((*one, one[0]) for one in tangles))])
    assert whole is not None and whole.is_valid and whole.area > 0.9
    assert time.thread_time() - began < 5


def comb(teeth: int, *, turned: bool) -> tuple[tuple[float, float], ...]:
    """A comb over the unit square, its teeth upright or lying; two of them cross at every tooth of both."""
    points = [(0.0, 0.0)]
    for at in (number / teeth for number in range(teeth)):
        points += [(at, 1.0), (at + 0.4 / teeth, 1.0), (at + 0.4 / teeth, 0.05), (at + 0.9 / teeth, 0.05)]
    points += [(1.0, 0.0), (0.0, 0.0)]
    return tuple((y, x) if turned else (x, y) for x, y in points)


def test_polygons_that_lie_across_each_other_end_soon_and_neighbours_stay_as_drawn() -> None:
    began = time.thread_time()
    across = shape_of([Area("", polygons=(comb(1_000, turned=False), comb(1_000, turned=True)))])
    assert across is not None and across.area == pytest.approx(1, abs=0.01)
    assert time.thread_time() - began < 5
    squares = tuple(((x, y), (x, y + 1.0), (x + 1, y + 1), (x + 1, y), (x, y)) for x in range(12) for y in range(12))
    joined = shape_of([Area("", polygons=(*squares, ((20.0, 0.0), (21, 0), (20, 1), (20, 0))))])
    assert joined is not None and joined.area == pytest.approx(144.5)
