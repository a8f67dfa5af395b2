import json
from itertools import pairwise

import pytest
import shapely
import shapely.ops

from streams.demo import city, names
from streams.demo.city import City

LEVELS = ("county", "town", "village", "grid")
PARENT_LENGTH = {"county": 0, "town": 6, "village": 9, "grid": 12}


@pytest.fixture(scope="module", params=[(city.SEED, 1900, 2), (7, 900, 0), (12, 2600, 1)], ids=str)
def drawn(request: pytest.FixtureRequest) -> City:
    seed, grids, detail = request.param
    return city.build(seed, grids, detail)


def test_neighbours_fit_at_every_level(drawn: City) -> None:
    for level in LEVELS:
        polygons = [area.polygon for area in drawn.level(level)]
        assert all(shapely.is_valid(polygons)), level
        assert shapely.coverage_is_valid(polygons), level


def test_parents_are_exactly_their_children(drawn: City) -> None:
    for parent_level, level in pairwise(LEVELS):
        children: dict[str, list[city.Area]] = {}
        for area in drawn.level(level):
            children.setdefault(area.parent, []).append(area)
        for parent in drawn.level(parent_level):
            members = children[parent.code]
            union = shapely.coverage_union_all([child.polygon for child in members])
            assert shapely.normalize(union) == shapely.normalize(parent.polygon)
            assert parent.population == sum(child.population or 0 for child in members)


def test_codes_are_unique_and_begin_with_their_parents(drawn: City) -> None:
    assert len({area.code for area in drawn.areas}) == len(drawn.areas)
    for area in drawn.areas:
        assert area.parent == area.code[: PARENT_LENGTH[area.level]]
        assert area.code.isdigit() and area.code.startswith("9901")


def test_sub_district_and_village_numbers_say_what_they_are(drawn: City) -> None:
    """GB/T 28181-2022 E.3: 001-099 street, 100-199 town; 001-199 居委会, 200-399 村委会."""
    for town in drawn.level("town"):
        assert town.name.endswith("街道" if int(town.code[6:9]) < 100 else "镇")
    for village in drawn.level("village"):
        assert village.name.endswith("社区" if int(village.code[9:12]) < 200 else "村")


def test_the_standard_city_has_its_size() -> None:
    drawn = city.build()
    assert [len(drawn.level(level)) for level in LEVELS] == [1, 12, 120, 1900]
    assert 1_000_000 < (drawn.level("county")[0].population or 0) < 2_000_000
    assert any(area.population is None for area in drawn.level("grid"))
    assert len({area.name for area in drawn.areas}) > 0.98 * len(drawn.areas)


def test_the_same_seed_draws_the_same_bytes() -> None:
    first = city.build(5, 700, 1).geojson()
    city.build.cache_clear()
    assert city.build(5, 700, 1).geojson() == first
    assert city.build(6, 700, 1).geojson() != first


def test_geojson_is_as_rfc_7946_wants_it() -> None:
    collection = json.loads(city.build().geojson())
    assert set(collection) == {"type", "features"}
    for feature in collection["features"][::97]:
        polygon = shapely.geometry.shape(feature["geometry"])
        assert isinstance(polygon, shapely.Polygon) and polygon.exterior.is_ccw
        lon, lat = feature["geometry"]["coordinates"][0][0]
        assert 122.5 < lon < 123.6 and 35.2 < lat < 35.9


def test_more_detail_gives_a_hundred_vertices_a_leaf() -> None:
    leaves = city.build(3, 600, 5).level("grid")
    assert shapely.get_num_coordinates([leaf.polygon for leaf in leaves]).mean() > 100


def test_backdrop_has_water_and_named_roads() -> None:
    features = json.loads(city.backdrop(city.build()))["features"]
    kinds = {feature["properties"]["kind"] for feature in features}
    assert kinds == {"river", "lake", "road"}
    roads = [feature["properties"]["name"] for feature in features if feature["properties"]["kind"] == "road"]
    assert len(set(roads)) == len(roads) and set(names.ROADS) <= set(roads)


def test_borders_follow_the_river() -> None:
    """Where the mirrored pairs lie, leaves do not straddle the water."""
    drawn = city.build()
    leaves = [area.polygon for area in drawn.level("grid")]
    crossed = [leaf for leaf in leaves if leaf.intersection(drawn.river).length > 0.0005]
    cut = [
        leaf
        for leaf in crossed
        if min(part.area for part in shapely.ops.split(leaf, drawn.river).geoms) > 0.2 * leaf.area
    ]
    assert len(cut) < 25
