"""View limits: who may add and who may loosen them, what is refused, one entry each, and what the rules forbid."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from config.access import Access
from operations import journal
from operations.cameras import keeping, limits, reading
from operations.cameras.item import Item
from operations.cameras.limits import FORBIDDEN, MASKED, RESTRICTED, Limit, Mask, Wish
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from operations.scope import Scope

pytestmark = pytest.mark.database

HERE = ("990101", "990101001")
DOOR = Item(code="c1", name="东门", owner="police", chain=HERE)
COMMANDER = Identity("account", "d", "duty", "duty_commander", Scope("990101"))
LIAISON = Identity("account", "l", "li", "liaison", Scope("", "police"))
STRANGER = Identity("account", "w", "wa", "liaison", Scope("", "water"))
ADMIN = Identity("account", "a", "admin", "system_admin")
OPERATOR = Identity("account", "o", "op", "operator")
BOX: Mask = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.5))
OTHER: Mask = ((0.6, 0.6), (0.9, 0.6), (0.9, 0.9))
HIDDEN = Wish(kind=MASKED, why="居民楼窗户", masks=(BOX,))


@pytest.fixture
def door(database: Database) -> str:
    with database.write() as transaction:
        keeping.take(transaction, "s1", [DOOR], complete=True, now=1)
        found = reading.of_code(transaction.connection, "s1", "c1")
    assert found is not None
    return found.id


def put(database: Database, door: str, wish: Wish, revision: int = 0, identity: Identity = COMMANDER) -> Limit:
    return limits.put(database, identity, door, wish, revision=revision, now=7 + revision)


def kept(database: Database, door: str) -> Limit | None:
    with database.read() as connection:
        return limits.of(connection, [door, "none", "no\0ne"]).get(door)


def test_a_limit_is_kept_changed_and_taken_away_with_an_entry_each(database: Database, door: str) -> None:
    made = put(database, door, HIDDEN)
    assert made == kept(database, door) and (made.kind, made.masks, made.revision) == (MASKED, (BOX,), 1)
    consented = Wish(kind=RESTRICTED, why="军事单位", consent="军同字〔2026〕3 号", by="某部 王参谋", masks=(BOX,))
    changed = put(database, door, consented, 1)
    assert changed == kept(database, door) and changed.revision == 2 and not changed.barred
    limits.clear(database, COMMANDER, door, reason="单位已搬走", revision=2, now=9)
    assert kept(database, door) is None
    entries = [one for one in journal.read(database, 0) if one.action.endswith("limited")]
    assert [one.action for one in entries] == ["camera.limited", "camera.limited", "camera.unlimited"]
    assert {one.scope_department for one in entries} == {"police"} and {one.subject_id for one in entries} == {door}
    assert entries[1].reason == "军事单位" and entries[2].reason == "单位已搬走"
    body: dict[str, Any] = entries[1].body or {}
    assert (body["kind"], body["before"], body["by"]) == (RESTRICTED, MASKED, "某部 王参谋")
    assert body["masks"] == [[list(corner) for corner in BOX]]


def test_restricted_without_consent_and_forbidden_are_barred(database: Database, door: str) -> None:
    assert not put(database, door, HIDDEN).barred
    assert put(database, door, Wish(kind=RESTRICTED, why="涉密单位", masks=(BOX,)), 1).barred
    assert put(database, door, Wish(kind=FORBIDDEN, why="旅馆客房"), 2).barred


def test_nobody_overwrites_what_another_has_just_changed(database: Database, door: str) -> None:
    put(database, door, HIDDEN)
    for change in (
        lambda: put(database, door, HIDDEN, 0),
        lambda: limits.clear(database, COMMANDER, door, reason="没有必要", revision=0, now=9),
    ):
        with pytest.raises(Refused, match="changed_meanwhile"):
            change()
    limits.clear(database, ADMIN, door, reason="没有必要", revision=1, now=9)
    with pytest.raises(Refused, match=r"limits\.none"):
        limits.clear(database, ADMIN, door, reason="没有必要", revision=0, now=9)


def test_the_owners_liaison_adds_and_tightens_and_does_not_loosen(database: Database, door: str) -> None:
    put(database, door, HIDDEN, identity=LIAISON)
    more = structs.replace(HIDDEN, masks=(BOX, OTHER))
    put(database, door, more, 1, identity=LIAISON)
    for looser in (HIDDEN, Wish(kind=RESTRICTED, why="重点单位", masks=(BOX,))):
        with pytest.raises(Refused, match="loosened"):
            put(database, door, looser, 2, identity=LIAISON)
    with pytest.raises(Forbidden):
        limits.clear(database, LIAISON, door, reason="没有必要", revision=2, now=9)
    put(database, door, HIDDEN, 2)
    put(database, door, Wish(kind=FORBIDDEN, why="旅馆客房"), 3, identity=LIAISON)
    with pytest.raises(Refused, match="loosened"):
        put(database, door, HIDDEN, 4, identity=LIAISON)
    assert (found := kept(database, door)) is not None and found.kind == FORBIDDEN


def test_who_may_not_and_what_is_out_of_reach(database: Database, door: str) -> None:
    with pytest.raises(Forbidden):
        put(database, door, HIDDEN, identity=OPERATOR)
    for identity in (STRANGER, Identity("account", "x", "x", "duty_commander", Scope("990102"))):
        with pytest.raises(NotFound):
            put(database, door, HIDDEN, identity=identity)
    for id in ("none", "no\0ne"):
        with pytest.raises(NotFound):
            put(database, id, HIDDEN)
    assert not any(one.action == "camera.limited" for one in journal.read(database, 0))


CROSSED: Mask = ((0.1, 0.1), (0.5, 0.5), (0.5, 0.1), (0.1, 0.5))


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish(kind="secret", why="原因"), "kind_wrong"),
        (Wish(kind=MASKED, why="原因"), "masks_missing"),
        (Wish(kind=FORBIDDEN, why="原因", masks=(BOX,)), "masks_elsewhere"),
        (Wish(kind=RESTRICTED, why="原因", consent="3 号"), "consent_wrong"),
        (Wish(kind=RESTRICTED, why="原因", by="王参谋"), "consent_wrong"),
        (Wish(kind=RESTRICTED, why="原因", consent="3" * 201, by="王参谋"), "consent_wrong"),
        (Wish(kind=FORBIDDEN, why="原因", consent="3 号", by="王参谋"), "consent_elsewhere"),
        (Wish(kind=MASKED, why=" ", masks=(BOX,)), "reason_missing"),
        (Wish(kind=MASKED, why="原因", masks=(BOX,) * 17), "masks_many"),
        (Wish(kind=MASKED, why="原因", masks=(BOX[:2],)), "corners"),
        (Wish(kind=MASKED, why="原因", masks=(BOX * 7,)), "corners"),
        (Wish(kind=MASKED, why="原因", masks=(((0.0, 0.0), (1.1, 0.0), (0.5, 0.5)),)), "outside"),
        (Wish(kind=MASKED, why="原因", masks=(((0.0, 0.0), (float("nan"), 0.0), (0.5, 0.5)),)), "outside"),
        (Wish(kind=MASKED, why="原因", masks=(CROSSED,)), "crossed"),
        (Wish(kind=MASKED, why="原因", masks=((*BOX, BOX[0]),)), "crossed"),
        (Wish(kind=MASKED, why="原因", masks=(((0.1, 0.1), (0.101, 0.1), (0.1, 0.101)),)), "small"),
    ],
)
def test_what_is_refused_before_anything_is_written(wish: Wish, code: str) -> None:
    with pytest.raises(Refused, match=code):
        limits.checked(wish)


CORNERS = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda at: (at[0] / 8, at[1] / 8))


@given(st.lists(CORNERS, min_size=3, max_size=7).map(tuple))
def test_a_mask_that_is_taken_has_no_hole(corners: Mask) -> None:
    """Against shapely: what is taken is a simple polygon; what is simple and large enough is taken."""
    import shapely

    shape = shapely.Polygon(corners)
    fine = shape.is_valid and len(set(corners)) == len(corners) and shape.area >= limits.AREA_LEAST
    try:
        limits.checked(structs.replace(HIDDEN, masks=(corners,)))
        taken = True
    except Refused:
        taken = False
    assert not (taken and not fine), "a polygon with a hole was taken"
    assert taken == fine


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        (Wish(kind=MASKED, why="w", masks=(BOX,)), Wish(kind=MASKED, why="w", masks=(OTHER, BOX)), False),
        (Wish(kind=MASKED, why="w", masks=(BOX, OTHER)), Wish(kind=MASKED, why="w", masks=(BOX,)), True),
        (Wish(kind=MASKED, why="w", masks=(BOX,)), Wish(kind=RESTRICTED, why="w"), True),
        (Wish(kind=RESTRICTED, why="w"), Wish(kind=RESTRICTED, why="w", consent="1", by="b"), True),
        (Wish(kind=RESTRICTED, why="w", consent="1", by="b"), Wish(kind=RESTRICTED, why="w"), False),
        (Wish(kind=RESTRICTED, why="w", consent="1", by="b"), Wish(kind=MASKED, why="w", masks=(BOX,)), True),
        (Wish(kind=FORBIDDEN, why="w"), Wish(kind=RESTRICTED, why="w"), True),
        (Wish(kind=MASKED, why="w", masks=(BOX,)), Wish(kind=FORBIDDEN, why="w"), False),
    ],
)
def test_what_loosens(before: Wish, after: Wish, looser: bool) -> None:
    was = Limit(**structs.asdict(before), camera="c", revision=1, changed_at=1, changed_by="account:a")
    assert limits.loosens(was, after) is looser
    assert not limits.loosens(None, after)


def test_names_and_positions_that_the_rules_forbid() -> None:
    access = Access.load()
    assert limits.by_rules(access, "某宾馆三楼客房走廊", "") == "private_rooms"
    assert limits.by_rules(access, "人民路口", "0110101") == ""
    by_position = structs.replace(access.forbidden[0], code="quarters", words=(), positions=("0190",))
    access = structs.replace(access, forbidden=(by_position,))
    assert limits.by_rules(access, "", "0190123") == "quarters" and limits.by_rules(access, "客房", "") == ""
