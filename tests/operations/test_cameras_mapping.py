"""Cameras on the map: gathered by squares, bounded, within a scope alone, and followed by what entries touch."""

import random
from collections.abc import Mapping

import msgspec
import pytest

from operations.cameras import charting, keeping, mapping
from operations.cameras.item import Item
from operations.cameras.mapping import LIVE, STATES, Chart, Spot
from operations.database import Database
from operations.scope import NOWHERE, WHOLE, Scope

NOW = 1_790_000_000_000_000
WORLD = (-180.0, -85.0, 180.0, 85.0)
HERE = (118.0, 35.0, 120.0, 37.0)


def spot(id: str = "a", lon: float = 119.0, lat: float = 36.0, state: str = "live", **told: object) -> Spot:
    some: dict[str, object] = {
        "name": f"camera {id}", "path": "c/t/g", "owner": "police", "direction": None, "field_angle": None,
        "view_distance": None, "streams": True,
    }  # fmt: skip
    return Spot(id=id, lon=lon, lat=lat, state=STATES.index(state), **(some | told))  # type: ignore[arg-type]


def many(count: int, spread: float = 0.2) -> list[Spot]:
    chance = random.Random(1)
    place = lambda middle: middle + chance.uniform(-spread, spread)  # noqa: E731
    return [
        spot(str(n), place(119), place(36), "off" if n % 10 == 0 else "live", path=f"c/t{n % 7}/g{n % 70}")
        for n in range(count)
    ]


def test_many_are_gathered_and_none_is_lost() -> None:
    seen = Chart(many(5_000)).seen(WHOLE, HERE, 11)
    assert seen.total == 5_000 == sum(one.count for one in seen.gathered) + len(seen.singles)
    lost = sum(one.not_live for one in seen.gathered) + sum(one.state != LIVE for one in seen.singles)
    assert lost == 500 == seen.total - seen.states[LIVE]


def test_near_they_are_shown_one_by_one_unless_there_are_too_many() -> None:
    some = Chart(many(mapping.SINGLES_MOST))
    assert len(some.seen(WHOLE, HERE, mapping.NEAR_ZOOM).singles) == mapping.SINGLES_MOST
    assert some.seen(WHOLE, HERE, 8).gathered
    assert Chart(many(mapping.SINGLES_MOST + 1, 0.001)).seen(WHOLE, HERE, mapping.NEAR_ZOOM).gathered


def test_no_answer_is_larger_than_squares_allow_whatever_is_asked() -> None:
    seen = Chart(many(20_000)).seen(WHOLE, WORLD, 24)
    assert seen.total == 20_000 and len(seen.gathered) + len(seen.singles) <= mapping.SQUARES_MOST
    assert len(msgspec.json.encode(seen)) < 200_000


def test_a_sign_stands_in_the_middle_of_its_square_whoever_pans() -> None:
    chart = Chart(many(2_000))
    one, other = (chart.seen(WHOLE, box, 10).gathered for box in (HERE, (118.0, 35.0, 121.0, 38.0)))
    assert one == other
    apart = 360 * mapping.SQUARE / (256 * 2**10) * (1 - 2 * mapping.HELD)
    lons = sorted({round(found.lon, 3) for found in one})
    rows = {lat: [f.lon for f in one if abs(f.lat - lat) < 1e-9] for lat in {f.lat for f in one}}
    assert lons and all(abs(a - b) >= apart * 0.99 for row in rows.values() for a in row for b in row if a != b)


def test_only_those_within_the_box_and_the_scope_are_told() -> None:
    chart = Chart([spot("in"), spot("out", lon=121.0), spot("other", path="c/u/g"), spot("theirs", owner="street")])
    told = lambda scope: {one.id for one in chart.seen(scope, HERE, 16).singles}  # noqa: E731
    assert told(WHOLE) == {"in", "other", "theirs"}
    assert told(Scope("t")) == {"in", "theirs"} and told(Scope("t", "police")) == {"in"}
    assert told(NOWHERE) == set() and chart.seen(NOWHERE, HERE, 16).states == [0] * len(STATES)


def test_the_key_of_a_scope_does_not_tell_of_changes_elsewhere() -> None:
    before = Chart([spot("a"), spot("b", path="c/u/g")])
    after = before.changed({"b": spot("b", path="c/u/g", state="off")})
    assert before.key(Scope("t")) == after.key(Scope("t"))
    assert before.key(Scope("u")) != after.key(Scope("u")) and before.key(WHOLE) != after.key(WHOLE)
    assert Chart().key(WHOLE) == Chart().key(NOWHERE) and not len(Chart())


@pytest.mark.parametrize(
    "change",
    [
        {"a": spot("a", state="dark", lon=118.5)},
        {"a": None},
        {"new": spot("new"), "b": spot("b", path="x/y")},
        {"nowhere": None},
    ],
)
def test_a_changed_chart_is_the_chart_of_what_is_there_now(change: Mapping[str, Spot | None]) -> None:
    there = {one.id: one for one in (spot("a"), spot("b", lon=119.5), spot("c", path="c/u/g"))}
    chart = Chart(there.values())
    before = chart.key(WHOLE)
    now = Chart(one for one in (there | change).values() if one is not None)
    changed = chart.changed(change)
    assert changed.key(WHOLE) == now.key(WHOLE) and changed.key(Scope("u")) == now.key(Scope("u"))
    assert sorted(one.id for one in changed.seen(WHOLE, HERE, 18).singles) == sorted(
        one.id for one in now.seen(WHOLE, HERE, 18).singles
    )
    assert chart.key(WHOLE) == before, "another's chart was changed"


def item(code: str, **told: object) -> Item:
    some = {"lon": 119.0, "lat": 36.0, "chain": ("c", "t", "g"), "status": "on", "owner": "police"}
    return Item(code=code, **(some | told))  # type: ignore[arg-type]


@pytest.mark.database
def test_the_catalogue_is_followed_by_what_entries_touch(database: Database) -> None:
    with database.write() as transaction:
        keeping.take(transaction, "s", [item("1"), item("2", lon=None, lat=None)], complete=True, now=NOW)
    with database.read() as connection:
        first = charting.touched(connection, -1)
        everything = charting.spots(connection, NOW)
        again = charting.touched(connection, first.seq)
    assert len(everything) == 1 and again == (first.seq, frozenset())
    (one,) = everything.values()
    assert one is not None and STATES[one.state] == "live"

    with database.write() as transaction:
        keeping.signal(transaction, "s", "status", {"1": "off"}, now=NOW + 1)
    with database.read() as connection:
        found = charting.touched(connection, first.seq)
        assert found.ids == {one.id}
        changed = charting.spots(connection, NOW + 1, found.ids)[one.id]
    assert changed is not None and STATES[changed.state] == "off"

    with database.write() as transaction:
        keeping.take(transaction, "s", [item("2")], complete=True, now=NOW + 2)
    with database.read() as connection:
        last = charting.touched(connection, found.seq)
        assert last.ids is not None and len(last.ids) == 2
        spots = charting.spots(connection, NOW + 2, last.ids)
    assert spots[one.id] is None and [one for one in spots.values() if one is not None]


@pytest.mark.database
def test_a_journal_that_begins_anew_is_read_from_the_beginning(database: Database) -> None:
    with database.read() as connection:
        assert charting.touched(connection, 1_000_000).ids is None
