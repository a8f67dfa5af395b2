"""Grid versions: kept whole, journaled by digest, in force from a time on; withdrawn, gone back to, begun once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from operations import grids
from operations.errors import Forbidden, NotFound, Refused
from operations.grids import GridRow
from operations.policy import SYSTEM
from tests.operations.desk import HOUR, OPERATOR, START, Desk

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
    assert [(entry.action, entry.body) for entry in desk.entries()] == [
        ("grids.imported", {"version": 1, "digest": "d1", "count": 2, "valid_from": START}),
        ("grids.in_force", {"version": 1, "digest": "d1", "valid_from": START}),
        ("grids.imported", {"version": 2, "digest": "d2", "count": 1, "valid_from": START}),
        ("grids.in_force", {"version": 2, "digest": "d2", "valid_from": START}),
    ]


def test_the_same_again_is_no_new_version(desk: Desk) -> None:
    for _ in range(2):
        assert grids.import_grids(desk.database, SYSTEM, ROWS, "d1", now=START) == 1
    assert len(desk.entries()) == 2


def test_of_two_administrators_at_once_the_second_looks_again(desk: Desk) -> None:
    def take(name: str) -> int:
        return grids.import_grids(desk.database, SYSTEM, ROWS[:1], name, now=START, against=0)

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(take, name) for name in ("d1", "d2")]
        failed = [one.exception() for one in asked]
    (refused,) = (one for one in failed if one is not None)
    assert isinstance(refused, Refused) and (refused.code, refused.params) == (
        "operations.grids_changed",
        {"version": 1},
    )
    stored = grids.current(desk.database)
    assert stored is not None and len(grids.editions(desk.database)) == 1
    assert grids.import_grids(desk.database, SYSTEM, ROWS[:1], stored.digest, now=START, against=0) == 1, (
        "a double click"
    )
    assert grids.import_grids(desk.database, SYSTEM, ROWS, "d3", now=START, against=1) == 2


def test_all_or_nothing(desk: Desk) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"):
        grids.import_grids(desk.database, SYSTEM, [*ROWS, ROWS[0]], "d1", now=START)
    with pytest.raises(Refused):
        grids.import_grids(desk.database, SYSTEM, [], "d1", now=START)
    with pytest.raises(Forbidden):
        grids.import_grids(desk.database, OPERATOR, ROWS, "d1", now=START)
    assert (grids.current_id(desk.database), desk.entries()) == (0, [])


def actions(desk: Desk) -> list[tuple[str, str]]:
    return [(entry.action, entry.subject_id) for entry in desk.entries()]


def test_a_later_version_begins_by_itself_and_is_told_once(desk: Desk) -> None:
    database, later = desk.database, START + HOUR
    grids.import_grids(database, SYSTEM, ROWS, "d1", now=START)
    assert grids.import_grids(database, SYSTEM, ROWS[:1], "d2", now=START, valid_from=later) == 2
    assert [grids.current_id(database, at) for at in (START, later - 1, later)] == [1, 1, 2]
    assert grids.begin(database, now=later - 1) == []
    with ThreadPoolExecutor(4) as keepers:  # several keepers whose leases overlap
        told = list(keepers.map(lambda _: grids.begin(database, now=later), range(4)))
    assert sorted(told, key=len) == [[], [], [], [2]]
    assert actions(desk)[2:] == [("grids.imported", "2"), ("grids.in_force", "2")]
    assert grids.current_id(database, START) == 2  # a clock that lags does not go back
    assert grids.import_grids(database, SYSTEM, ROWS, "d1", now=START) == 3  # nor can it import into the past
    assert grids.current_id(database, START) == grids.current_id(database, later + HOUR) == 3


def test_a_version_can_be_withdrawn_before_it_begins_and_not_after(desk: Desk) -> None:
    database, later = desk.database, START + HOUR
    grids.import_grids(database, SYSTEM, ROWS, "d1", now=START)
    grids.import_grids(database, SYSTEM, ROWS[:1], "d2", now=START, valid_from=later)
    with pytest.raises(Forbidden):
        grids.withdraw(database, OPERATOR, 2, now=START)
    with pytest.raises(NotFound):
        grids.withdraw(database, SYSTEM, 9, now=START)
    for number, at in ((1, START), (2, later)):
        with pytest.raises(Refused):
            grids.withdraw(database, SYSTEM, number, now=at)
    grids.withdraw(database, SYSTEM, 2, now=START + 1)
    with pytest.raises(Refused):
        grids.withdraw(database, SYSTEM, 2, now=START + 2)
    assert grids.begin(database, now=later) == [] and grids.current_id(database, later) == 1
    assert actions(desk)[-1] == ("grids.withdrawn", "2")


def test_going_back_is_a_new_version_with_the_same_grids(desk: Desk) -> None:
    database = desk.database
    grids.import_grids(database, SYSTEM, ROWS, "d1", now=START)
    grids.import_grids(database, SYSTEM, ROWS[:1], "d2", now=START + 1)
    with pytest.raises(Refused):
        grids.restore(database, SYSTEM, 2, now=START + 2)
    assert grids.restore(database, SYSTEM, 1, now=START + 2) == 3
    found = grids.current(database)
    assert found is not None and (found.id, found.digest, found.rows) == (3, "d1", ROWS)


def test_a_time_in_the_past_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="past"):
        grids.import_grids(desk.database, SYSTEM, ROWS, "d1", now=START, valid_from=START)
    assert desk.entries() == []
