"""The fewest cameras for a place: right against trying every choice, and quick where it is crowded."""

import math
import random
import time
from itertools import combinations

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from geo import fewest as module
from geo.fewest import Placed, Proposal, Surplus, Views, propose, surplus
from geo.samples import around, samples
from geo.sight import METRES_PER_DEGREE, View, sector
from operations.cameras import near

LON, LAT = 118.25, 35.2
WIDE = 1 / METRES_PER_DEGREE / math.cos(math.radians(LAT))
HIGH = 1 / METRES_PER_DEGREE
LIMIT_S = 0.2


def at(name: str, east: float, north: float, way: float | None, angle: float | None = 90, far: float = 100) -> Placed:
    """A camera so many metres east and north of the middle."""
    return Placed(name, LON + east * WIDE, LAT + north * HIGH, way, angle, far)


def scattered(seed: int, count: int, unknown: float) -> list[Placed]:
    chance = random.Random(seed)
    return [
        at(
            f"{number:02d}",
            chance.uniform(-120, 120),
            chance.uniform(-120, 120),
            None if chance.random() < unknown else chance.uniform(0, 360),
            chance.choice((40, 90, 180, 360)),
            chance.choice((50, 100, 150)),
        )
        for number in range(count)
    ]


def sees(camera: Placed, lon: float, lat: float) -> bool:
    """Whether a point lies in the sector, written anew by angles."""
    assert camera.metres and camera.angle
    east = (lon - camera.lon) * METRES_PER_DEGREE * math.cos(math.radians(camera.lat))
    north = (lat - camera.lat) * METRES_PER_DEGREE
    if math.hypot(east, north) > camera.metres:
        return False
    if camera.direction is None:
        return True
    off = (math.degrees(math.atan2(east, north)) - camera.direction + 180) % 360 - 180
    return abs(off) <= camera.angle / 2


def known(camera: Placed) -> bool:
    return camera.direction is not None or camera.angle == 360


def smallest(covers: list[frozenset[int]], need: int) -> int:
    for count in range(len(covers) + 1):
        if any(len(frozenset().union(*some)) >= need for some in combinations(covers, count)):
            return count
    raise AssertionError("all together are not enough")


def covering(cameras: list[Placed], place: BaseGeometry) -> dict[str, frozenset[int]]:
    points = samples(place, module.POINTS).points.tolist()
    return {one.id: frozenset(i for i, (x, y) in enumerate(points) if sees(one, x, y)) for one in cameras}


def cases() -> list[tuple[int, BaseGeometry, float]]:
    """Small cases: circles, an oblong, a point and two parts, wanted in full, nearly and by half."""
    places = [
        around(LON, LAT, 40),
        around(LON, LAT, 90),
        box(LON - 100 * WIDE, LAT - 10 * HIGH, LON + 100 * WIDE, LAT + 10 * HIGH),
        Point(LON, LAT),
        MultiPolygon([around(LON - 80 * WIDE, LAT, 30), around(LON + 80 * WIDE, LAT, 30)]),
    ]
    return [(seed, places[seed % len(places)], (1.0, 0.95, 0.5)[seed % 3]) for seed in range(60)]


@pytest.mark.parametrize(("seed", "place", "want"), cases())
def test_never_more_than_the_smallest_choice(seed: int, place: BaseGeometry, want: float) -> None:
    cameras = scattered(seed, 4 + seed % 7, (0.0, 0.3)[seed % 2])
    covers = covering(cameras, place)
    total = len(samples(place, module.POINTS).points)
    sure_ids = {one.id for one in cameras if known(one)}
    sure = frozenset().union(*(covers[name] for name in sure_ids))
    both = frozenset().union(*covers.values())
    found = propose(place, Views.of(cameras), want=want)

    firm = [name for name in found.ids if name in sure_ids]
    shown = frozenset().union(*(covers[name] for name in firm))
    assert found.exact and found.enough and len(set(found.ids)) == len(found.ids)
    assert len(firm) == smallest([covers[name] for name in sure_ids], math.ceil(want * len(sure) - 1e-9))
    weaker = [covers[name] - sure for name in covers if name not in sure_ids]
    missing = max(0, math.ceil(want * len(both) - 1e-9) - len(shown))
    assert len(found.unsure) == smallest(weaker, missing)
    assert found.ids == (*firm, *found.unsure)
    may = frozenset().union(*(covers[name] - sure for name in found.unsure))
    assert (found.sure, found.share) == pytest.approx((len(shown) / total, len(shown | may) / total))
    assert found.hidden == pytest.approx(1 - len(both) / total)


@pytest.mark.parametrize(("seed", "place", "want"), cases())
def test_what_is_left_out_of_those_asked_for_is_not_missed(seed: int, place: BaseGeometry, want: float) -> None:
    cameras = scattered(seed, 10, (0.0, 0.3)[seed % 2])
    asked = [one.id for one in cameras[: 2 + seed % 8]]
    covers, names = covering(cameras, place), {one.id for one in cameras if known(one)}
    found = surplus(place, Views.of(cameras), [*asked, "nowhere"], want=want)
    assert found.exact and found.unplaced == ("nowhere",)
    assert sorted((*found.without, *found.enough)) == sorted(asked)
    assert set(found.blind) == {name for name in asked if not covers[name]} <= set(found.without)

    all_sure = frozenset().union(*(covers[name] for name in names))
    sure = frozenset().union(*(covers[name] for name in asked if name in names))
    need = min(len(sure), math.ceil(want * len(all_sure) - 1e-9))
    kept = [name for name in found.enough if name in names]
    assert len(kept) == smallest([covers[name] for name in asked if name in names], need)
    wanted = min(
        len(frozenset().union(*(covers[name] for name in asked))),
        math.ceil(want * len(frozenset().union(*covers.values())) - 1e-9),
    )
    assert len(frozenset().union(*(covers[name] for name in found.enough))) >= wanted


def test_the_defaults_are_those_of_the_nearest_cameras() -> None:
    assert (module.FIELD_ANGLE, module.VIEW_DISTANCE) == (near.FIELD_ANGLE, near.VIEW_DISTANCE)
    place = box(LON - WIDE, LAT + 90 * HIGH, LON + WIDE, LAT + 98 * HIGH)
    assert propose(place, Views.of([Placed("a", LON, LAT, 0.0)])).share == 1
    assert propose(place, Views.of([Placed("a", LON, LAT, 0.0, 0.0, 0.0)])).share == 1
    assert propose(place, Views.of([Placed("a", LON, LAT, 50.0)])).share == 0
    assert propose(place, Views.of([Placed("a", LON, LAT, 0.0, None, 80.0)])).share == 0


@pytest.mark.parametrize("way", [0.0, 77.0, 180.0, 359.0])
@pytest.mark.parametrize("angle", [20.0, 90.0, 180.0, 270.0, 358.0, 360.0])
@pytest.mark.parametrize("lat", [-60.0, 0.0, LAT, 80.0])
def test_a_view_is_the_sector_that_the_map_draws(way: float, angle: float, lat: float) -> None:
    """Apart from the arc, which is drawn with corners."""
    drawn = sector(View(LON, lat, way, angle, 100))
    views = Views.of([Placed("a", LON, lat, way, angle, 100.0)])
    wide = 120 / METRES_PER_DEGREE / math.cos(math.radians(lat))
    random_points = np.random.default_rng(1).uniform(-1, 1, (500, 2)) * (wide, 120 * HIGH) + (LON, lat)
    seen = views.seeing(np.array([0]), random_points)[0]
    near_its_edge = shapely.distance(drawn.boundary, shapely.points(random_points)) < 2 * HIGH
    inside = shapely.contains_xy(drawn, random_points)
    assert (seen == inside)[~near_its_edge].all() and inside.any()


def test_a_camera_that_looks_there_goes_before_one_that_may() -> None:
    """The one of unknown direction would do alone; it is named only where nothing else covers."""
    place = around(LON, LAT, 50)
    north, south = at("north", 0, 60, 180, 170, 120), at("south", 0, -60, 0, 170, 120)
    dome = at("dome", 0, 0, None, None, 200)
    both = propose(place, Views.of([dome, north, south]), want=1)
    assert set(both.ids) <= {"north", "south"} and both.unsure == () and both.sure == both.share > 0.95
    alone = propose(place, Views.of([dome]))
    assert (alone.ids, alone.unsure, alone.share, alone.sure) == (("dome",), ("dome",), 1, 0)
    half = at("half", -55, 0, 90, 60, 60)
    mixed = propose(place, Views.of([dome, half]))
    assert mixed.ids == ("half", "dome") and mixed.unsure == ("dome",) and 0 < mixed.sure < mixed.share == 1


def test_a_full_circle_needs_no_direction() -> None:
    found = propose(around(LON, LAT, 50), Views.of([at("round", 0, 0, None, 360), at("told", 0, 1, 5, 360)]))
    assert found == Proposal(("round",), 1.0, 1.0, 0.0, metres=found.metres)


def test_of_equal_ones_the_nearer_then_the_first_by_id() -> None:
    place = around(LON, LAT, 10)
    cameras = [at("a", 0, 30, 0, 360), at("c", 0, -20, 0, 360), at("b", 20, 0, 0, 360), at("d", 0, 60, 0, 360)]
    for seed in range(5):
        random.Random(seed).shuffle(cameras)
        assert propose(place, Views.of(cameras)).ids == ("b",)
        assert propose(place, Views.of([one for one in cameras if one.id != "b"])).ids == ("c",)


def test_in_the_order_of_what_each_adds() -> None:
    place = box(LON - 100 * WIDE, LAT - 5 * HIGH, LON + 100 * WIDE, LAT + 5 * HIGH)
    cameras = [at("small", 80, 0, 0, 360, 35), at("large", -20, 0, 0, 360, 85), at("within", 0, 0, 0, 360, 30)]
    assert propose(place, Views.of(cameras), want=1).ids == ("large", "small")


def test_one_that_lies_in_another_is_not_chosen() -> None:
    inner = [at(f"in{number}", number, 0, 0, 90, 40) for number in range(20)]
    assert propose(around(LON, LAT, 50), Views.of([*inner, at("all", 30, 0, 0, 360, 200)])).ids == ("all",)


def test_what_no_camera_covers_is_said() -> None:
    square = box(LON - 50 * WIDE, LAT - 50 * HIGH, LON + 50 * WIDE, LAT + 50 * HIGH)
    found = propose(square, Views.of([at("half", 0, 0, 0, 180, 300)]))
    assert found.share == pytest.approx(0.5, abs=0.03) and found.hidden == pytest.approx(0.5, abs=0.03)
    assert found.ids == ("half",) and found.enough and found.exact
    away = propose(square, Views.of([at("away", 0, 60, 0, 90, 300)]))
    assert away == Proposal((), 0.0, 0.0, 1.0, metres=away.metres)


def test_more_than_may_be_proposed_is_said() -> None:
    place = MultiPolygon([around(LON + 100 * number * WIDE, LAT, 10) for number in range(6)])
    views = Views.of([at(str(number), 100 * number, 0, 0, 360, 20) for number in range(6)])
    whole, some = propose(place, views), propose(place, views, most=4)
    assert len(whole.ids) == 6 and whole.enough and whole.exact
    assert len(some.ids) == 4 and not some.enough and not some.exact and some.share == pytest.approx(4 / 6, abs=0.05)
    assert propose(place, views, most=0).ids == ()


def test_nothing_to_see_and_nothing_to_see_it_with() -> None:
    none, one = Views.of([]), Views.of([at("a", 0, 0, 0)])
    assert propose(Polygon(), one) == Proposal() and propose(Polygon(), none) == Proposal()
    assert propose(around(LON, LAT, 50), none).hidden == 1
    assert surplus(Polygon(), one, ["a", "x"]) == Surplus((), ("a",), (), ("x",))
    assert surplus(around(LON, LAT, 50), none, []) == Surplus()
    nowhere = Views.of([Placed("a", math.nan, LAT, 0.0), at("b", 0, 0, 0, 360)])
    assert len(nowhere) == 1 and propose(Point(LON, LAT), nowhere).ids == ("b",)


def test_a_point_is_covered_by_one() -> None:
    """Also by the camera that stands there."""
    assert propose(Point(LON, LAT), Views.of([at("there", 0, 0, 123, 10)])).ids == ("there",)
    found = propose(around(LON, LAT, 0), Views.of(scattered(7, 10, 0)))
    assert len(found.ids) == 1 and found.share == 1


def test_a_place_larger_than_all_they_see() -> None:
    cameras = [Placed(str(number), 118 + number / 500, 35.0, 0.0, 360.0, 100.0) for number in range(10)]
    found = propose(box(110, 30, 125, 40), Views.of(cameras))
    assert found.hidden > 0.99 and found.metres > 1_000
    assert propose(box(-180, -90, 180, 90), Views.of(cameras)).hidden > 0.99


@pytest.mark.parametrize("side", [180.0, -180.0])
def test_across_the_date_line(side: float) -> None:
    west = Placed("west", 179.9995, -17.0, 90.0, 170.0, 200.0)
    east = Placed("east", -179.9995, -17.0, 270.0, 170.0, 200.0)
    place = around(side, -17.0, 20)
    for one in (west, east):
        assert propose(place, Views.of([one])).share == 1
    cut = MultiPolygon([box(179.9998, -17.0001, 180, -16.9999), box(-180, -17.0001, -179.9998, -16.9999)])
    assert propose(cut, Views.of([west, east]))[:2] == (("east",), 1.0)


@pytest.mark.parametrize("lat", [85.0, -85.0, 89.0])
def test_far_north_and_south(lat: float) -> None:
    place = around(20.0, lat, 50)
    far = 70 / METRES_PER_DEGREE / math.cos(math.radians(lat))
    cameras = [Placed("a", 20.0 - far, lat, 90.0, 120.0, 150.0), Placed("b", 20.0 + 3 * far, lat, 270.0, 120.0, 100.0)]
    found = propose(place, Views.of(cameras))
    assert found.ids == ("a",) and found.share > 0.95


def test_the_warning_names_what_is_more_than_needed() -> None:
    place = around(LON, LAT, 40)
    whole, same = at("whole", 0, 0, 0, 360), at("same", 5, 0, 0, 360, 120)
    part, away = at("part", 0, 0, 0, 90), at("away", 0, 90, 0, 90)
    views = Views.of([whole, same, part, away])
    assert surplus(place, views, ["part", "same", "away"]) == Surplus(("part", "away"), ("same",), ("away",))
    assert surplus(place, views, ["part"]) == Surplus((), ("part",))
    assert surplus(place, views, ["away", "away"]) == Surplus(("away",), (), ("away",))


def test_out_of_work_it_says_so_and_still_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    narrow = [
        at(str(number), *(chance.uniform(-100, 100) for _ in range(3)), 60, 80)  # looking about north
        for number in range(60)
    ]
    views, place = Views.of(narrow), around(LON, LAT, 60)
    right = propose(place, views)
    assert right.exact and len(right.ids) > 2
    monkeypatch.setattr(module, "WORK", 10)
    found = propose(place, views)
    assert not found.exact and found.enough and len(found.ids) >= len(right.ids)


def crowd(name: str) -> tuple[Views, list[BaseGeometry]]:
    """50,000 cameras of a city and places where it is hard: the same always."""
    chance = np.random.default_rng(sum(map(ord, name)))
    count = 50_000
    lon, lat = chance.uniform(118, 118.5, count), chance.uniform(35, 35.4, count)
    if name == "centres":
        middles, of = chance.uniform((118, 35), (118.5, 35.4), (40, 2)), chance.integers(0, 40, count)
        lon, lat = (middles[of] + chance.normal(0, 0.006, (count, 2))).T
    if name == "streets":
        along, across = chance.random(count), chance.integers(0, 60, count) / 60
        turned = chance.random(count) < 0.5
        lon, lat = 118 + 0.5 * np.where(turned, across, along), 35 + 0.4 * np.where(turned, along, across)
    gathered = {"square": 2_000, "everyone": count}.get(name, 0)
    lon[:gathered] = LON + chance.uniform(-150, 150, gathered) * WIDE
    lat[:gathered] = LAT + chance.uniform(-150, 150, gathered) * HIGH
    way = np.where(chance.random(count) < 0.3, np.nan, chance.uniform(0, 360, count))
    views = Views(
        [f"{number:06d}" for number in range(count)], lon, lat,
        direction=way, angle=chance.uniform(40, 90, count), metres=chance.choice([50, 80, 100, 150], count),
    )  # fmt: skip
    spots = np.column_stack([lon, lat])[:: count // 20][:20] if not gathered else [(LON, LAT)]
    places = [around(x, y, metres) for x, y in spots for metres in (0, 50, 100, 150, 200, 1000)]
    return views, [*places, box(LON - 100 * WIDE, LAT - 100 * HIGH, LON + 100 * WIDE, LAT + 100 * HIGH),
                   box(117, 34, 119, 36)]  # fmt: skip


@pytest.mark.parametrize("name", ["even", "centres", "streets", "square", "everyone"])
def test_the_longest_question_to_50_000_cameras_is_short(name: str) -> None:
    views, places = crowd(name)
    asked = views.ids[:64]
    longest = 0.0
    for place in places:
        began = time.thread_time()
        found = propose(place, views)
        between = time.thread_time()
        surplus(place, views, asked)
        longest = max(longest, between - began, time.thread_time() - between)
        assert len(found.ids) <= 16 and 0 <= found.sure <= found.share <= 1 - found.hidden + 1e-9
    assert longest < LIMIT_S
