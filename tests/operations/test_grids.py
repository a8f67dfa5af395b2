"""Grid versions: kept whole, journaled by digest, the newest is current."""

import pytest

from operations import grids
from operations.errors import Forbidden, Refused
from operations.grids import GridRow
from operations.policy import SYSTEM
from tests.operations.desk import OPERATOR, START, Desk

pytestmark = pytest.mark.database
ROWS = [
    GridRow("990101", "示范县", "general", 1, "", b"\x01", 5000, None, None),
    GridRow("990101001", "城关镇", "general", 2, "990101", b"\x02", None, 1, 2),
]


def test_a_version_is_kept_whole(desk: Desk) -> None:
    assert (grids.current(desk.database), grids.current_id(desk.database)) == (None, 0)
    assert grids.import_grids(desk.database, SYSTEM, ROWS, "d1", now=START) == 1
    assert grids.import_grids(desk.database, SYSTEM, ROWS[:1], "d2", now=START) == 2
    current, first = grids.current(desk.database), grids.version(desk.database, 1)
    assert current is not None and (current.id, current.digest, current.rows) == (2, "d2", ROWS[:1])
    assert first is not None and first.rows == ROWS
    assert grids.version(desk.database, 9) is None
    assert [entry.body for entry in desk.entries()] == [
        {"version": 1, "digest": "d1", "count": 2},
        {"version": 2, "digest": "d2", "count": 1},
    ]


def test_the_same_again_is_no_new_version(desk: Desk) -> None:
    for _ in range(2):
        assert grids.import_grids(desk.database, SYSTEM, ROWS, "d1", now=START) == 1
    assert len(desk.entries()) == 1


def test_all_or_nothing(desk: Desk) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"):
        grids.import_grids(desk.database, SYSTEM, [*ROWS, ROWS[0]], "d1", now=START)
    with pytest.raises(Refused):
        grids.import_grids(desk.database, SYSTEM, [], "d1", now=START)
    with pytest.raises(Forbidden):
        grids.import_grids(desk.database, OPERATOR, ROWS, "d1", now=START)
    assert (grids.current_id(desk.database), desk.entries()) == (0, [])
