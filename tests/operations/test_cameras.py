"""The catalogue of cameras: what a source tells is kept, dated and journaled; none is gone without an entry."""

import pytest
import sqlalchemy as sa
from msgspec import structs

from operations.cameras import keeping, reading
from operations.cameras.item import Item
from operations.cameras.keeping import Taken, place, signal, take
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.journal import read as entries
from operations.policy import Identity
from operations.scope import CONFIGURATION, NOWHERE, WHOLE, Scope
from operations.tables import camera, journal, journal_body

pytestmark = pytest.mark.database

CHAIN = ("990101", "990101001")
DOOR = Item(code="99010100001320000001", name="东门", owner="police", lon=120.1, lat=30.1, chain=CHAIN, status="on")
ROAD = Item(code="99010100001320000002", name="路口", owner="police", chain=CHAIN)
OPERATOR = Identity("account", "o1", "operator", "operator", WHOLE)


def told(database: Database, items: list[Item], *, complete: bool = True, now: int = 1, source: str = "s1") -> Taken:
    with database.write() as transaction:
        return take(transaction, source, items, complete=complete, now=now)


def actions(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(journal.c.action).order_by(journal.c.seq)).scalars())


def kept(database: Database, code: str) -> reading.Camera:
    with database.read() as connection:
        found = reading.of_code(connection, "s1", code)
    assert found is not None
    return found


def test_what_is_new_changed_the_same_or_gone_is_said_and_written(database: Database) -> None:
    assert told(database, [DOOR, ROAD], now=1).added == (DOOR.code, ROAD.code)
    other = structs.replace(DOOR, name="东大门")
    found = told(database, [other], now=2)
    assert found == Taken((), (DOOR.code,), (), (ROAD.code,))
    assert actions(database) == ["camera.added", "camera.changed", "camera.retired"]
    with database.read() as connection:
        versions = reading.history(connection, WHOLE, kept(database, DOOR.code).id)
    assert [(one.item.name, one.valid_from, one.valid_to) for one in versions] == [("东大门", 2, None), ("东门", 1, 2)]


def test_the_same_again_changes_nothing_and_writes_nothing(database: Database) -> None:
    told(database, [DOOR, ROAD])
    before = actions(database)
    assert told(database, [ROAD, DOOR], now=2) == Taken((), (), (DOOR.code, ROAD.code), ())
    assert actions(database) == before


def test_what_a_part_does_not_name_is_not_gone_and_what_comes_back_is_the_same_camera(database: Database) -> None:
    told(database, [DOOR, ROAD])
    id = kept(database, ROAD.code).id
    assert told(database, [DOOR], complete=False, now=2).gone == ()
    assert told(database, [DOOR], now=3).gone == (ROAD.code,)
    with database.read() as connection:
        assert reading.whereabouts(connection, id) is None
    assert told(database, [DOOR, ROAD], now=4).added == (ROAD.code,)
    assert kept(database, ROAD.code).id == id
    assert kept(database, ROAD.code).gone_at is None


def test_sources_do_not_touch_each_others_cameras(database: Database) -> None:
    told(database, [DOOR])
    assert told(database, [ROAD], source="s2").gone == ()
    assert kept(database, DOOR.code).gone_at is None


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("code", {"code": ""}),
        ("url_main", {"url_main": "rtsp://admin:secret@10.0.0.1/1"}),
        ("direction", {"direction": 361.0}),
        ("lon", {"lon": 120.0}),
        ("point_class", {"point_class": 7}),
        ("status", {"status": "maybe"}),
        ("name", {"name": "长" * 121}),
    ],
)
def test_one_wrong_item_and_nothing_is_kept(database: Database, field: str, change: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        told(database, [DOOR, structs.replace(ROAD, **change)])
    assert refused.value.params["field"] == field
    assert actions(database) == []
    with database.read() as connection:
        assert connection.execute(sa.select(camera.c.id)).all() == []


def test_only_a_change_of_state_is_an_entry_and_many_are_one(database: Database) -> None:
    told(database, [DOOR, ROAD])
    with database.write() as transaction:
        assert signal(transaction, "s1", "status", {DOOR.code: "off", ROAD.code: "off", "x": "on"}, now=2) == 2
        assert signal(transaction, "s1", "status", {DOOR.code: "off"}, now=3) == 0
    assert actions(database) == ["camera.added", "camera.signalled"]
    assert kept(database, DOOR.code).status_at == 2
    told(database, [structs.replace(DOOR, status="on"), ROAD], now=4)
    assert kept(database, DOOR.code).status == "on"
    assert actions(database)[2:] == ["camera.signalled"]


def test_a_place_given_by_hand_outlives_the_source(database: Database) -> None:
    told(database, [ROAD])
    id = kept(database, ROAD.code).id
    place(database, OPERATOR, id, 120.2, 30.2, CHAIN, revision=1, now=2)
    with pytest.raises(Refused):
        place(database, OPERATOR, id, 120.3, 30.3, CHAIN, revision=1, now=3)
    told(database, [structs.replace(ROAD, lon=121.0, lat=31.0, name="新名")], now=4)
    found = kept(database, ROAD.code)
    assert (found.lon, found.lat, found.chain, found.item.name, found.placed) == (120.2, 30.2, CHAIN, "新名", True)
    with database.read() as connection:
        dated = [one.item for one in reading.history(connection, WHOLE, id)]
    assert [(one.name, one.lon, one.chain) for one in dated] == [
        ("新名", 120.2, CHAIN),
        ("路口", 120.2, CHAIN),
        ("路口", None, CHAIN),
    ]


def test_entries_are_seen_by_whoever_may_see_the_cameras(database: Database) -> None:
    river = structs.replace(ROAD, code="river", owner="water", chain=("990101", "990101002"))
    told(database, [DOOR, river, structs.replace(ROAD, chain=())])
    told(database, [structs.replace(DOOR, owner="water"), river], now=2)
    with database.write() as transaction:
        signal(transaction, "s1", "status", {river.code: "off"}, now=3)

    def seen(scope: Scope) -> list[str]:
        return [one.action.removeprefix("camera.") for one in entries(database, 0, scope=scope)]

    assert seen(Scope("990101001")) == ["added", "changed"]
    assert seen(Scope("990101002")) == ["added", "signalled"]
    assert seen(Scope("990101001", "police")) == ["added", "changed"]
    assert seen(Scope(department="police")) == ["added", "added", "changed", "retired"]
    assert seen(Scope("990101003")) == []


def test_a_plan_worked_out_on_an_older_catalogue_is_refused_whole(database: Database) -> None:
    told(database, [DOOR])
    with database.read() as connection:
        made = keeping.plan(connection, "s1", [ROAD], complete=True, now=2, actor="a1")
    told(database, [structs.replace(DOOR, name="别人改的")], now=2)
    before = actions(database)
    with pytest.raises(Refused, match="source_changed_meanwhile"), database.write() as transaction:
        keeping.carry_out(transaction, made, now=3)
    assert actions(database) == before
    assert kept(database, DOOR.code).gone_at is None


def test_who_may_not_reach_a_camera_finds_none(database: Database) -> None:
    told(database, [DOOR])
    id = kept(database, DOOR.code).id
    elsewhere, whose = Scope("990101002"), Scope(department="water")
    with database.read() as connection:
        assert reading.get(connection, Scope("990101001"), id) is not None
        assert reading.get(connection, Scope(department="police"), id) is not None
        assert reading.get(connection, elsewhere, id) is reading.get(connection, whose, id) is None
        assert reading.history(connection, elsewhere, id) == reading.every(connection, elsewhere) == []
        assert [one.id for one in reading.every(connection, WHOLE)] == [id]
    far = structs.replace(OPERATOR, scope=elsewhere)
    with pytest.raises(NotFound):
        place(database, far, id, 120.2, 30.2, CHAIN, revision=1, now=2)
    with pytest.raises(Forbidden):
        place(database, structs.replace(OPERATOR, role="leader"), id, 120.2, 30.2, CHAIN, revision=1, now=2)


def test_many_cameras_stand_in_several_entries(database: Database) -> None:
    many = [Item(code=f"c{number}") for number in range(keeping.TOLD_AT_ONCE + 1)]
    told(database, many)
    assert actions(database) == ["camera.added"] * 2
    with database.read() as connection:
        bodies = connection.execute(sa.select(journal_body.c.body)).scalars().all()
    assert [body.count(b'"c') - 1 for body in bodies] == [keeping.TOLD_AT_ONCE, 1]


def test_what_lies_out_of_reach_takes_no_room_among_the_most(database: Database) -> None:
    river = [
        structs.replace(DOOR, code=f"a{number}", owner="water", chain=("990101", "990101002")) for number in range(9)
    ]
    gates = [structs.replace(DOOR, code=f"b{number}") for number in range(3)]
    told(database, [*river, *gates])
    box = (120.0, 30.0, 120.2, 30.2)
    with database.read() as connection:
        for scope, those in ((Scope("990101001"), "b"), (Scope(department="water"), "a"), (Scope("990101002"), "a")):
            listed = reading.every(connection, scope, most=3)
            assert len(listed) == 3
            assert {one.item.code[0] for one in (*listed, *reading.inside(connection, scope, box, 3))} == {those}
            after = reading.every(connection, scope, after=listed[1].id, most=3)
            assert after[0].id == listed[2].id
        for none in (Scope("99010100"), Scope("990101%"), Scope("990101001", "water"), CONFIGURATION, NOWHERE):
            assert reading.every(connection, none) == reading.inside(connection, none, box, 99) == []
        assert reading.get(connection, WHOLE, "no\x00ne") is None


def test_those_with_pictures_come_first_within_the_scope(database: Database) -> None:
    road = structs.replace(ROAD, chain=("990101",))
    told(database, [DOOR, road, structs.replace(road, code="3", name="西_路", url_sub="rtsp://10.0.0.1/3")])

    def names(scope: Scope = WHOLE) -> list[str]:
        with database.read() as connection:
            return [one.item.name for one in reading.filmed(connection, scope, 10)]

    assert names() == ["西_路", "东门", "路口"]
    assert names(Scope("990101001")) == ["东门"] and names(Scope(department="fire")) == []
