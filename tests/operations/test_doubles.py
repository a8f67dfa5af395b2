"""Proposed doubles: what is one event and what is not, and the law that keeping them gives what comparing all gives."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from operations.doubles import MINUTE, Doubles, pair, tokens, twins
from operations.errors import NotFound, Refused
from operations.incident import Incident
from operations.policy import Identity
from operations.scope import Scope
from tests.operations.desk import LEAVES, OPERATOR, START, Desk, report

HUNDRED_METRES = 0.0009  # degrees of latitude


def incident(id: str = "a", **values: object) -> Incident:
    given: dict[str, object] = {
        "number": id, "county": "990101", "revision": 1, "type": "0302", "title": "居民楼冒烟", "department": "fire",
        "source": "hotline", "report_id": id, "occurred_at": START, "received_at": START, "opened_at": START,
        "updated_at": START, "lon": 120.0, "lat": 30.0, "grid": "g1",
    } | values  # fmt: skip
    return Incident(id=id, **given)  # type: ignore[arg-type]


OTHER = {"source": "worker", "report_id": "w"}


def same(**values: object) -> bool:
    """Whether another incident with these values is proposed as a double of the plain one."""
    crowd = {"a": incident(), "b": incident("b", **values)}
    found = [twin.incident.id for twin in twins(crowd, "a")]
    assert [twin.incident.id for twin in twins(crowd, "b")] == (["a"] if found else []), "the relation is symmetric"
    return found == ["b"]


def test_another_source_near_in_place_and_time_is_proposed() -> None:
    assert same(**OTHER, lat=30 + HUNDRED_METRES, occurred_at=START + 20 * MINUTE)
    assert same(**OTHER, type="0301", title="居民楼有人看到冒烟"), "another type of the group with a like title"
    assert same(**OTHER, title="垃圾桶起火"), "the same type in other words"


@pytest.mark.parametrize(
    "values",
    [
        {"lat": 30 + 3 * HUNDRED_METRES},
        {"occurred_at": START + 61 * MINUTE},
        {"type": "0401", "title": "流动摊贩占道"},
        {"type": "0303", "title": "燃气表漏气"},
        {"step": "closed"},
        {"lon": None, "lat": None, "grid": ""},
        {"lon": None, "lat": None, "grid": "g2"},
    ],
)
def test_what_is_far_late_different_closed_or_nowhere_is_not(values: dict[str, object]) -> None:
    assert not same(**OTHER, **values)


def test_one_source_numbers_apart_what_is_apart_so_more_is_asked_of_it() -> None:
    assert same(occurred_at=START + 10 * MINUTE)
    assert not same(occurred_at=START + 20 * MINUTE)
    assert not same(title="垃圾桶起火")
    street, elsewhere = "人民路71号附近", "和平街12号附近"
    crowd = {"a": incident(address=street), "b": incident("b", address=elsewhere, lat=30 + HUNDRED_METRES)}
    assert not twins(crowd, "a"), "two addresses that contradict each other"
    crowd["b"] = incident("b", address="人民路86号附近", lat=30 + HUNDRED_METRES)
    assert twins(crowd, "a")


def test_a_place_known_only_as_a_grid_or_vaguely_needs_more_too() -> None:
    nowhere = {"lon": None, "lat": None}
    assert same(**OTHER, **nowhere)
    assert not same(**OTHER, **nowhere, title="垃圾桶起火")
    assert same(**OTHER, accuracy_m=900.0) and not same(**OTHER, accuracy_m=900.0, title="垃圾桶起火")


def test_distance_and_minutes_are_told_and_the_likeliest_comes_first() -> None:
    crowd = {
        "a": incident(),
        "b": incident("b", **OTHER, title="垃圾桶起火"),
        "c": incident("c", **OTHER, lat=30 + HUNDRED_METRES, occurred_at=START - 3 * MINUTE),
    }
    first, second = twins(crowd, "a")
    assert (first.incident.id, second.incident.id) == ("c", "b")
    assert first.metres == pytest.approx(100, abs=1) and first.minutes == -3


def test_chinese_is_compared_by_pairs_of_characters_and_other_scripts_by_words() -> None:
    assert tokens("路灯不亮") == {"路灯", "灯不", "不亮"}
    assert tokens("ＨＯＵＳＥ Fire - TURNER 水") == {"house", "fire", "turner", "水"}
    assert tokens("") == frozenset()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"),
        st.sampled_from(("open", "open", "open", "closed", "gone", "distinct")),
        st.tuples(*[st.integers(0, 3)] * 5),
    ),
    max_size=40,
)


def changed(crowd: dict[str, Incident], id: str, what: str, draw: tuple[int, ...]) -> None:
    place, time, kind, source, other = draw
    if what == "gone":
        crowd.pop(id, None)
    elif what == "distinct" and id in crowd:
        crowd[id] = structs.replace(crowd[id], distinct=(pair(id, "abcdefgh"[other]),))
    else:
        where = (
            {"lon": None, "lat": None} if place == 3 else {"lat": 30 + place * 1.5 * HUNDRED_METRES, "lon": 179.9999}
        )
        crowd[id] = incident(
            id, occurred_at=START + time * 25 * MINUTE, type=("0302", "0302", "0301", "0401")[kind],
            source=f"s{source}", step="closed" if what == "closed" else "register", grid=("", "g1")[other % 2], **where,
        )  # fmt: skip


@given(st.lists(CHANGES, max_size=6))
def test_keeping_them_gives_what_comparing_all_gives(turns: list[list[tuple[str, str, tuple[int, ...]]]]) -> None:
    crowd: dict[str, Incident] = {}
    kept = Doubles()
    for turn in turns:
        before = {id: set(near) for id, near in kept.near.items()}
        for id, what, draw in turn:
            changed(crowd, id, what, draw)
        said = kept.update(crowd, {id for id, _, _ in turn})
        assert kept.near == {id: near for id in crowd if (near := {twin.incident.id for twin in twins(crowd, id)})}
        moved = {id for id in {*before, *kept.near} if before.get(id) != kept.near.get(id)}
        assert moved <= said, "whoever's doubles changed is named"


def test_a_change_among_twenty_thousand_costs_little() -> None:
    crowd = {
        f"{n}": incident(
            f"{n}", lon=120 + n % 141 * 0.002, lat=30 + n // 141 * 0.002, occurred_at=START + n % 50 * 10 * MINUTE
        )
        for n in range(20_000)
    }
    kept = Doubles()
    kept.update(crowd, crowd)
    began = process_time()
    for n in range(200):
        crowd[f"{n}"] = structs.replace(crowd[f"{n}"], title=f"事件 {n}")
        kept.update(crowd, [f"{n}"])
    assert process_time() - began < 200 * 0.005


# ---- saying that two are not the same --------------------------------------------------------------------------------


def test_two_told_apart_are_not_proposed_again_until_it_is_taken_back(desk: Desk) -> None:
    desk.send(report("A"), report("B", source="worker"))
    a, b = (one.id for one in desk.board().incidents.values())
    assert twins(desk.board().incidents, a)
    after = desk.commands.distinct(OPERATOR, a, [b])
    assert after.revision == 2 and not twins(desk.board().incidents, a) and not twins(desk.board().incidents, b)
    entry = desk.entries()[-1]
    assert (entry.action, entry.reason) == ("incident.distinct", "distinct")
    assert b not in repr(entry.body), "who may see one of the two need not learn of the other"
    with pytest.raises(Refused):
        desk.commands.distinct(OPERATOR, a, [b])
    desk.commands.distinct(OPERATOR, a, [b], same=True)
    assert twins(desk.board().incidents, b)


def test_nobody_tells_apart_what_lies_outside_their_scope(desk: Desk) -> None:
    desk.send(report("A"), report("B", source="worker", grid_code=LEAVES[3]))
    a, b = (one.id for one in desk.board().incidents.values())
    town = Identity("account", "t", "town", "operator", Scope(grid=LEAVES[0][:9]))
    with pytest.raises(NotFound):
        desk.commands.distinct(town, a, [b])
    for others in ([], [a], [b] * 9):
        with pytest.raises(Refused):
            desk.commands.distinct(OPERATOR, a, others)
