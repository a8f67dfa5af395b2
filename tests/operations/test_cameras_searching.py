"""Finding cameras: by name, sound and code, within reach, narrowed, in trees, and following the catalogue."""

import pytest
from msgspec import structs

from operations.cameras import keeping, reading, tree
from operations.cameras.item import Item
from operations.cameras.searching import Asked, Finder, Found, Index, Line
from operations.cameras.sound import sound
from operations.database import Database
from operations.scope import CONFIGURATION, WHOLE, Scope

CROSSING = Line(
    id="1",
    name="重庆路解放街口东侧0012",
    code="99010100001320000012",
    path="990101/990101001/990101001001",
    owner="police",
    source="s1",
    point_class=1,
    civil_code="",
    group="east/traffic",
    parent="",
    status="on",
    registered="",
    picture="good",
    maintenance_until=0,
)
GATE = CROSSING._replace(
    id="2", name="新华公园北门", code="99010200001320000002", path="990102/990102001", owner="parks"
)
MARKET = CROSSING._replace(
    id="3",
    name="Harbour market A7",
    code="A-7",
    path="",
    owner="parks",
    source="s2",
    civil_code="990102",
    group="",
    status="off",
    point_class=3,
)


def found(typed: str, scope: Scope = WHOLE, **narrowed: str) -> Found:
    index = Index([CROSSING, GATE, MARKET])
    return index.find(Asked(typed, **narrowed), scope, index.conditions(1), most=10)


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("", ["3", "2", "1"]),
        ("重庆路", ["1"]),
        ("公园 北门", ["2"]),
        ("公园 重庆", []),
        ("xhgy", ["2"]),
        ("xinhuagongyuan", ["2"]),
        ("zqljf", ["1"]),
        ("cqljf", ["1"]),
        ("gy", ["2"]),
        ("x", ["1", "2"]),
        ("0012", ["1"]),
        ("9901", ["2", "1"]),
        ("a-7", ["3"]),
        ("HARBOUR", ["3"]),
        ("harb a7", ["3"]),
        (".*", []),
        ("(", []),
        ("'", []),
        ("\0", []),
    ],
)
def test_a_camera_is_found_by_what_it_is_called_and_how_that_sounds(typed: str, ids: list[str]) -> None:
    assert sorted(found(typed).ids) == sorted(ids)


def test_the_nearest_stands_first() -> None:
    other = GATE._replace(id="4", name="北新华公园")
    index = Index([other, GATE])
    assert index.find(Asked("xinhua"), WHOLE, index.conditions(1), most=10).ids == ["2", "4"]


def test_signs_have_no_sound_and_readings_are_few() -> None:
    assert sound("（）——") == ""
    assert sound("重长重长重长").count(" ") <= 4


@pytest.mark.parametrize(
    ("scope", "ids"),
    [
        (Scope("990101001"), ["1"]),
        (Scope("9901010"), []),
        (Scope(department="parks"), ["2", "3"]),
        (Scope("990102", "police"), []),
        (CONFIGURATION, []),
    ],
)
def test_nobody_finds_or_counts_what_is_out_of_reach(scope: Scope, ids: list[str]) -> None:
    seen = found("", scope)
    assert sorted(seen.ids) == ids and seen.total == len(ids)
    assert sum(seen.facets["owner"].values()) == sum(seen.facets["condition"].values()) == len(ids)


def test_a_list_is_narrowed_and_shown_in_pages() -> None:
    assert found("", owner="parks", condition="off").ids == ["3"]
    assert found("", point_class="1", source="s2").ids == []
    index = Index([CROSSING, GATE, MARKET])
    pages = [index.find(Asked(), WHOLE, index.conditions(1), after=at, most=2).ids for at in (0, 2, 4)]
    assert [len(one) for one in pages] == [2, 1, 0] and len({*pages[0], *pages[1]}) == 3


def test_a_tree_counts_what_is_within_reach_and_leaves_out_the_steps_all_share() -> None:
    index = Index([CROSSING, GATE, MARKET])
    live = index.conditions(1).equal("live")

    def branches(axis: str, key: str = "", scope: Scope = WHOLE) -> list[tuple[str, int, int, bool]]:
        listed = tree.branches(index, axis, key, index.inside(scope), live)
        return [(one.key, one.total, one.live, one.more) for one in listed]

    assert branches(tree.CIVIL) == [("99/9901/990101", 1, 1, False), ("99/9901/990102", 2, 1, False)]
    assert branches(tree.CIVIL, scope=Scope("990101")) == [("99/9901/990101", 1, 1, False)]
    assert branches(tree.GROUP) == [("east", 2, 2, True), ("?", 1, 0, False)]
    assert branches(tree.GROUP, "east") == [("east/traffic", 2, 2, False)]
    assert branches(tree.GRID, "990101") == [("990101/990101001", 1, 1, True)]
    assert branches(tree.GRID, "nowhere") == []
    held = tree.below(index, tree.GRID, "990102")
    assert index.find(Asked(), WHOLE, index.conditions(1), within=held, most=9).ids == ["2"]


@pytest.mark.parametrize(
    ("civil", "code", "steps"),
    [
        ("", "99010100001320000012", ("99", "9901", "990101")),
        ("99010203", "x", ("99", "9901", "990102", "99010203")),
        ("9901", "x", ("99", "9901")),
        ("990000", "x", ("99",)),
        ("990101001002", "x", ("99", "9901", "990101", "99010100", "990101001002")),
        ("", "A-7", ("?",)),
        ("东城", "A-7", ("?",)),
    ],
)
def test_divisions_come_from_the_civil_code_else_from_the_cameras_own(
    civil: str, code: str, steps: tuple[str, ...]
) -> None:
    assert tree.way(tree.CIVIL, CROSSING._replace(civil_code=civil, code=code)) == steps


@pytest.mark.database
def test_the_index_follows_the_catalogue(database: Database) -> None:
    door = Item(code="c1", name="东门", owner="police", chain=("990101",), status="on")
    finder = Finder(database)

    def told(items: list[Item], now: int) -> None:
        with database.write() as transaction:
            keeping.take(transaction, "s1", items, complete=True, now=now)

    def names(typed: str = "", **narrowed: str) -> list[str]:
        index = finder.current()
        ids = index.find(Asked(typed, **narrowed), WHOLE, index.conditions(9), most=9).ids
        with database.read() as connection:
            return [one.item.name for one in reading.of(connection, WHOLE, [*ids, "none", "no\0ne"])]

    assert names() == []
    told([door], 1)
    assert names("dm") == ["东门"]
    same = finder.current()
    assert finder.current() is same
    told([structs.replace(door, name="西门"), structs.replace(door, code="c2", name="南门")], 2)
    assert names("dm") == [] and sorted(names()) == ["南门", "西门"]
    with database.write() as transaction:
        keeping.signal(transaction, "s1", "status", {"c1": "off"}, now=3)
    assert names(condition="off") == ["西门"]
    told([], 4)
    assert names() == []
