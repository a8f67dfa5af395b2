"""The datum check: never proposes on honest data, finds a really shifted source; by simulation over two cities."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.datum import BD09, CGCS2000, GCJ02, WGS84, from_wgs84, to_wgs84
from geo.gazetteer import Gazetteer
from geo.grid import GENERAL, Grid
from geo.offset import LEAST, Finding, Witness, find
from tests.geo.cities import general

SAMPLES = 1_000
ERRORS = 0.1
"""Share of reports that name a wrong grid."""
TO_CHINA = (-36.0, 66.0)
"""Degrees by which Canberra is moved to Henan, where the datums differ."""


class Ground:
    """Polygons by code with points in them, in WGS-84."""

    def __init__(self, polygons: dict[str, shapely.Polygon], seed: int, points: int = 4_000) -> None:
        self.polygons = polygons
        draw = random.Random(seed)
        codes = draw.choices(list(polygons), [shapely.area(one) ** 0.3 for one in polygons.values()], k=points)
        self.pool = [(code, *inside(polygons[code], draw)) for code in codes]

    def witnesses(self, draw: random.Random, count: int, datum: str, blur: float = 0.0) -> list[Witness]:
        """Honest reports in a datum; of some the name is wrong; `blur`: degrees of error of each point."""
        found = []
        for code, lon, lat in draw.choices(self.pool, k=count):
            named = draw.choice(self.pool)[0] if draw.random() < ERRORS else code
            point = from_wgs84(lon + draw.gauss(0, blur), lat + draw.gauss(0, blur), datum)
            found.append(Witness(*point, named))
        return found


def inside(polygon: shapely.Polygon, draw: random.Random) -> tuple[float, float]:
    west, south, east, north = polygon.bounds
    for _ in range(200):
        lon, lat = draw.uniform(west, east), draw.uniform(south, north)
        if shapely.contains_xy(polygon, lon, lat):
            return lon, lat
    middle = polygon.representative_point()
    return middle.x, middle.y


@pytest.fixture(scope="module")
def city() -> Ground:
    """The fictional city: grids, villages and towns, as addresses name all of them."""
    from streams.demo import city

    drawn = city.build()
    return Ground({area.code: area.polygon for area in drawn.areas if area.level != "county"}, 1)


@pytest.fixture(scope="module")
def canberra(real_data: Path) -> Ground:
    """The suburbs of Canberra, moved to where the datums differ."""
    features = json.loads((real_data / "canberra-storm/act_localities_G.geojson").read_text("utf-8"))["features"]
    shapes = {str(n): shapely.from_geojson(json.dumps(one["geometry"])) for n, one in enumerate(features)}
    moved = {code: shapely.transform(one, lambda points: points + TO_CHINA) for code, one in shapes.items()}
    return Ground(moved, 2)


def share_found(ground: Ground, really: str, declared: str, samples: int, counts: tuple[int, int]) -> float:
    draw = random.Random(f"{really} {declared}")
    found = 0
    for _ in range(samples):
        told = find(ground.witnesses(draw, draw.randint(*counts), really), declared, ground.polygons)
        assert told is None or (told.datum, told.declared) == (really, declared), "it never names a third datum"
        found += told is not None
    return found / samples


@pytest.mark.parametrize("datum", [WGS84, CGCS2000, GCJ02, BD09])
def test_it_never_proposes_on_honest_data(city: Ground, datum: str) -> None:
    assert share_found(city, WGS84 if datum == CGCS2000 else datum, datum, SAMPLES // 2, (LEAST, 500)) == 0


@pytest.mark.parametrize(
    ("really", "declared"), [(GCJ02, WGS84), (GCJ02, CGCS2000), (BD09, WGS84), (WGS84, GCJ02), (BD09, GCJ02)]
)
def test_it_finds_a_source_that_is_really_shifted(city: Ground, really: str, declared: str) -> None:
    assert share_found(city, really, declared, 300, (LEAST, 120)) > 0.99


@pytest.mark.real
@pytest.mark.parametrize("datum", [WGS84, GCJ02])
def test_it_never_proposes_on_honest_suburbs(canberra: Ground, datum: str) -> None:
    assert share_found(canberra, datum, datum, SAMPLES, (LEAST, 500)) == 0


@pytest.mark.real
def test_it_finds_shifted_suburbs_which_are_larger_with_more_reports(canberra: Ground) -> None:
    assert share_found(canberra, GCJ02, WGS84, 200, (150, 500)) > 0.99


def test_random_errors_are_no_offset(city: Ground) -> None:
    draw = random.Random(5)
    for blur in (0.002, 0.005, 0.02):
        for _ in range(100):
            assert find(city.witnesses(draw, 300, WGS84, blur), WGS84, city.polygons) is None


def test_an_offset_that_is_no_datum_is_not_called_one(city: Ground) -> None:
    draw = random.Random(6)
    for lon, lat in ((0.03, 0.0), (0.0, 0.03), (-0.006, 0.004)):
        told = [Witness(one.lon + lon, one.lat + lat, one.grid) for one in city.witnesses(draw, 300, WGS84)]
        assert find(told, WGS84, city.polygons) is None


def test_it_says_how_many_how_far_and_where_to(city: Ground) -> None:
    told = find(city.witnesses(random.Random(7), 200, GCJ02), WGS84, city.polygons)
    assert isinstance(told, Finding) and told.total == 200
    assert told.inside_datum > 170 > told.inside_declared
    lon, lat = 123.05, 35.55
    back = to_wgs84(lon, lat, GCJ02)
    far = 111_195 * np.hypot((back[0] - lon) * np.cos(np.radians(lat)), back[1] - lat)
    assert told.metres == pytest.approx(far, rel=0.1)
    assert 180 < told.bearing < 360, "GCJ-02 lies east of the truth, so points move west"


def test_too_few_and_unknown_grids_say_nothing(city: Ground) -> None:
    witnesses = city.witnesses(random.Random(8), LEAST, GCJ02)
    assert find(witnesses, WGS84, city.polygons) is not None
    assert find(witnesses[:-1], WGS84, city.polygons) is None
    assert find([one._replace(grid="nowhere") for one in witnesses], WGS84, city.polygons) is None
    assert find([], WGS84, {}) is None


def test_outside_china_the_datums_are_one(city: Ground) -> None:
    south = np.array([0.0, -70.0])
    away = {code: shapely.transform(one, lambda points: points + south) for code, one in city.polygons.items()}
    ground = Ground(away, 9)
    assert find(ground.witnesses(random.Random(9), 400, GCJ02), WGS84, away) is None


# ---- names -----------------------------------------------------------------------------------------------------------

SQUARE = shapely.box(0, 0, 1, 1)


def named(code: str, name: str, level: int) -> Grid:
    return Grid(code, name, GENERAL, level, "", SQUARE)


def test_the_smallest_area_a_text_names_counts_and_doubtful_names_do_not() -> None:
    places = Gazetteer([
        named("1", "东湖街道", 2), named("2", "湖滨社区", 3), named("3", "第一网格", 4), named("4", "第一网格", 4),
        named("5", "ASH", 3), named("6", "Ashfield", 3), general("7", SQUARE, name="城"),
    ])  # fmt: skip
    assert places.find("东湖街道湖滨社区 3 号楼") == "2"
    assert places.find("东湖街道人民路") == "1"
    assert places.find("湖滨社区第一网格") == "2", "two grids have that name"
    assert places.find("FIRE - ASHFIELD") == "6" and places.find("ash, 2617") == "5"
    assert places.find("城东路") == "" and places.find("") == "" and places.find("washing") == ""
