import json
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box, mapping

from config.words import Words
from geo import datum, geojson, importing, problem
from geo.difference import difference
from geo.grid import DEDICATED, GENERAL, MICRO
from geo.importing import read
from geo.locator import Locator
from geo.mapping import GridMapping
from geo.shapes import Shapes
from streams.stored_grid import from_row, to_row
from tests.geo.cities import general

TOWN, A, B = "990101001", "990101001001", "990101001002"


def feature(code, shape, **properties):
    geometry = shape if shape is None or isinstance(shape, dict) else mapping(shape)
    return {"type": "Feature", "properties": {"code": code, "name": f"格{code}", **properties}, "geometry": geometry}


def city(a=None, b=None, **members):
    """One town of two villages, two degrees of a hundredth each; replace a village to spoil it."""
    return {
        "type": "FeatureCollection",
        "features": [
            feature(TOWN, box(118.0, 35.0, 118.02, 35.01)),
            a or feature(A, box(118.0, 35.0, 118.01, 35.01), population=1200),
            b or feature(B, box(118.01, 35.0, 118.02, 35.01)),
        ],
        **members,
    }


@pytest.fixture
def importer(tmp_path):
    """Writes documents to files and imports them; every problem must have its text in both languages."""

    def run(*documents, how=None, **options):
        paths = []
        for number, document in enumerate(documents):
            path = tmp_path / f"{number}.geojson"
            path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
            paths.append(path)
        imported = read(paths, how, **options)
        for found in imported.problems:
            for lang in ("zh", "en"):
                assert Words(lang).text(found.text_code, **found.parameters())
        return imported

    return run


def names(imported, kind=None):
    return [p.text_code.removeprefix("geo.problems.") for p in imported.problems if kind in (None, p.kind)]


def refused(imported, name):
    """The one error of that name, with nothing imported."""
    assert imported.grids == ()
    assert not imported.ok
    return next(p for p in imported.problems if p.text_code == f"geo.problems.{name}" and p.kind == problem.ERROR)


def test_a_sound_city_by_its_codes(importer):
    imported = importer(city())
    assert imported.problems == ()
    found = {grid.code: (grid.level, grid.parent, grid.population, grid.kind) for grid in imported.grids}
    assert found == {
        TOWN: (2, "", None, GENERAL),
        A: (3, TOWN, 1200, GENERAL),
        B: (3, TOWN, None, GENERAL),
    }
    assert imported.mapping == {"0.geojson": {"code": "code", "name": "name", "population": "population"}}


def test_the_order_of_files_and_features_changes_nothing(importer):
    whole = city()
    parts = [{"type": "FeatureCollection", "features": [one]} for one in whole["features"]]
    random.Random(1).shuffle(parts)
    one, other = importer(whole), importer(*parts)
    assert (one.grids, one.digest) == (other.grids, other.digest)


def test_a_passed_over_level_and_codes_as_numbers(importer):
    leaf = box(118.0, 35.0, 118.02, 35.01)
    imported = importer(city(a=feature(int(A + "001"), leaf), b=feature("990101", leaf.buffer(0.001))))
    assert {grid.code: grid.parent for grid in imported.grids} == {"990101": "", TOWN: "990101", A + "001": TOWN}


@pytest.mark.parametrize(
    "crs", ["EPSG:4490", "EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326"]
)
def test_systems_like_ours_leave_the_numbers_as_they_are(importer, crs):
    imported = importer(city(crs={"type": "name", "properties": {"name": crs}}))
    assert imported.grids == importer(city()).grids


def test_a_projected_file_by_its_crs_member_or_by_hand(importer):
    import pyproj

    to_metres = pyproj.Transformer.from_crs(4326, 4549, always_xy=True)
    plain = city()
    for one in plain["features"]:
        shape = shapely.transform(
            shapely.geometry.shape(one["geometry"]), lambda xy: np.column_stack(to_metres.transform(*xy.T))
        )
        one["geometry"] = mapping(shape)
    right = importer(plain, how=GridMapping(crs="EPSG:4549"))
    assert right.ok
    for ours, theirs in zip(right.grids, importer(city()).grids, strict=True):
        assert shapely.hausdorff_distance(ours.polygon, theirs.polygon) < 1e-8
    member = {**plain, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}}
    assert importer(member).digest == right.digest
    assert refused(importer(plain), "projected").code == TOWN


@pytest.mark.parametrize("name", ["GCJ02", "GCJ-02", "BD09", "bd09"])
def test_a_datum_is_a_coordinate_system_too(importer, name):
    imported = importer(city(), how=GridMapping(crs=name))
    exact = datum.to_wgs84(118.0, 35.0, name.upper().replace("-", ""))
    corners = shapely.get_coordinates(imported.grids[0].polygon)
    assert np.abs(corners - exact).max(axis=1).min() < 1e-9


def shifted(code, shape):
    moved = shapely.transform(shape, lambda xy: np.column_stack(datum.from_wgs84_many(*xy.T, "GCJ02")))
    return feature(code, moved)


class TestWrongDatum:
    towns = (city()["features"][0],)
    villages = tuple(shifted(f"{TOWN}{n:03d}", box(118 + n / 250, 35, 118 + (n + 1) / 250, 35.01)) for n in range(5))

    def files(self):
        return [{"type": "FeatureCollection", "features": some} for some in (self.towns, self.villages)]

    def test_a_file_that_fits_its_parents_only_as_gcj02_is_refused(self, importer):
        found = refused(importer(*self.files()), "datum")
        assert found.params["datum"] == "GCJ02"
        assert found.params["file"] == "1.geojson"

    def test_somebody_may_insist(self, importer):
        imported = importer(*self.files(), how=GridMapping(crs="EPSG:4326"))
        assert imported.ok
        assert "datum" in names(imported, problem.WARNING)

    def test_a_shift_against_the_version_in_force(self, importer):
        document = {"type": "FeatureCollection", "features": list(self.villages)}
        before = importer(document, how=GridMapping(crs="GCJ02")).grids
        assert refused(importer(document, reference=before), "datum")
        assert importer(document, how=GridMapping(crs="GCJ02"), reference=before).ok


class TestHierarchy:
    def test_by_a_parent_property(self, importer):
        features = [
            feature("S", box(0, 0, 2, 1), 上级编码=""),
            feature("S-1", box(0, 0, 1, 1), 上级编码="S"),
            feature("S-2", box(1, 0, 2, 1), 上级编码="S"),
            feature("S-2-a", box(1, 0, 2, 1), 上级编码="S-2"),
        ]
        imported = importer({"type": "FeatureCollection", "features": features})
        assert [(grid.code, grid.level, grid.parent) for grid in imported.grids] == [
            ("S", 1, ""), ("S-1", 2, "S"), ("S-2", 2, "S"), ("S-2-a", 3, "S-2"),
        ]  # fmt: skip

    def test_by_area_from_several_files_in_any_order(self, importer):
        districts = [feature("D1", box(0, 0, 2, 2)), feature("D2", box(2, 0, 4, 2))]
        suburbs = [feature("S1", box(0, 0, 1, 1)), feature("S2", box(1.5, 0, 2.2, 1)), feature("S3", box(3, 0, 4, 1))]
        documents = [{"type": "FeatureCollection", "features": some} for some in (suburbs, districts)]
        imported = importer(*documents)
        assert {g.code: (g.level, g.parent) for g in imported.grids} == {
            "D1": (1, ""), "D2": (1, ""), "S1": (2, "D1"), "S2": (2, "D1"), "S3": (2, "D2"),
        }  # fmt: skip
        assert names(imported) == ["straddles", "uncovered", "uncovered"]
        assert importer(*reversed(documents)).digest == imported.digest

    def test_a_parent_without_a_shape_is_made_of_its_children(self, importer):
        document = city()
        document["features"][0]["geometry"] = None
        imported = importer(document)
        assert imported.grids[0].polygon.equals(box(118.0, 35.0, 118.02, 35.01))

    def test_kinds_over_the_general_ones(self, importer):
        over = [
            feature("990101001001X01", box(118.001, 35.001, 118.002, 35.002), kind="专属网格"),
            feature("990101001002W01", box(118.011, 35.001, 118.012, 35.002), kind="微网格"),
        ]
        document = city()
        document["features"] += over
        kinds = {grid.code: (grid.kind, grid.parent, grid.level) for grid in importer(document).grids}
        assert kinds["990101001001X01"] == (DEDICATED, A, 3)
        assert kinds["990101001002W01"] == (MICRO, B, 3)

    def test_orphans(self, importer):
        found = refused(importer(city(b=feature("990101002001", box(118.01, 35.0, 118.02, 35.01)))), "orphan")
        assert (found.code, found.params["parent"]) == ("990101002001", "990101002")

    def test_a_parent_against_the_code(self, importer):
        found = refused(importer(city(b=feature(B, box(118.01, 35, 118.02, 35.01), parent="990101009"))), "prefix")
        assert found.params["expected"] == TOWN

    def test_circles(self, importer):
        features = [feature("a", box(0, 0, 1, 1), parent="b"), feature("b", box(1, 0, 2, 1), parent="a")]
        assert refused(importer({"type": "FeatureCollection", "features": features}), "circle").code == "a"

    def test_a_grid_far_from_the_parent_its_code_names(self, importer):
        found = refused(importer(city(b=feature(B, box(118.05, 35.0, 118.06, 35.01)))), "outside_parent")
        assert (found.code, found.lon) == (B, pytest.approx(118.055))

    def test_another_county_is_told(self, importer):
        assert names(importer(city(), default_county="990102")) == ["other_county"]
        assert names(importer(city(), default_county="990101")) == []


class TestNeighbours:
    def test_overlap(self, importer):
        found = refused(importer(city(b=feature(B, box(118.009, 35.0, 118.02, 35.01)))), "overlap")
        assert {found.code, found.params["other"]} == {A, B}
        assert found.params["area_m2"] == pytest.approx(
            0.001 * 0.01 * 111_319.49**2 * math.cos(math.radians(35)), rel=0.01
        )
        assert 118.009 < found.lon < 118.01
        assert 35.0 < found.lat < 35.01

    def test_a_small_overlap_may_be_imported(self, importer):
        imported = importer(city(b=feature(B, box(118.00999, 35.0, 118.02, 35.01))))
        assert imported.ok
        assert names(imported) == ["small_overlap"]
        assert Locator.build(imported.grids).locate(118.009995, 35.005).code == A

    def test_rounding_is_not_mentioned(self, importer):
        imported = importer(city(b=feature(B, box(118.0099999999, 35.0, 118.02, 35.01))))
        assert imported.problems == ()

    @pytest.mark.parametrize("inner", [box(118.0, 35.0, 118.01, 35.01), box(118.002, 35.002, 118.008, 35.008)])
    def test_a_double_and_a_level_in_a_level(self, importer, inner):
        assert refused(importer(city(b=feature(B, inner))), "nested").params["percent"] == pytest.approx(100)

    def test_gaps_are_told_with_their_size(self, importer):
        hole = box(118.004, 35.004, 118.005, 35.005)
        imported = importer(city(a=feature(A, box(118.0, 35.0, 118.01, 35.01).difference(hole))))
        assert imported.ok
        assert names(imported) == ["gap"]
        assert imported.problems[0].params["area_m2"] == pytest.approx(hole.area * 111_319.49**2 * 0.819, rel=0.01)
        assert Locator.build(imported.grids).locate(118.0045, 35.0045).code == TOWN

    def test_a_parent_that_is_not_filled(self, importer):
        imported = importer(city(b=feature(B, box(118.015, 35.0, 118.02, 35.01))))
        assert names(imported) == ["uncovered"]
        assert imported.problems[0].params["percent"] == pytest.approx(25)


def ring(*points):
    return {"type": "Polygon", "coordinates": [list(points)]}


NEAR = [[118.01, 35.0], [118.02, 35.0], [118.02, 35.01], [118.01, 35.01]]


@pytest.mark.parametrize(
    ("name", "geometry"),
    [
        ("wrong_type", {"type": "Point", "coordinates": [118.0, 35.0]}),
        ("wrong_type", {"type": "LineString", "coordinates": NEAR}),
        ("wrong_type", {"type": "GeometryCollection", "geometries": []}),
        ("wrong_type", {"coordinates": []}),
        ("wrong_type", {"type": ["Polygon"], "coordinates": []}),
        ("bad_position", {"type": "Polygon"}),
        ("bad_position", {"type": "Polygon", "coordinates": 7}),
        ("bad_position", {"type": "Polygon", "coordinates": [[]]}),
        ("bad_position", {"type": "Polygon", "coordinates": NEAR}),
        ("bad_position", {"type": "MultiPolygon", "coordinates": [NEAR]}),
        ("bad_position", ring([118.0], [118.1], [118.2])),
        ("bad_position", ring(["118.0", "35.0"], ["118.1", "35.0"], ["118.1", "35.1"])),
        ("bad_position", ring([118.0, None], [118.1, 35.0], [118.1, 35.1])),
        ("bad_position", ring([True, False], [True, True], [False, True])),
        ("bad_position", ring({"0": 1}, [118.1, 35.0], [118.1, 35.1])),
        ("bad_position", ring([[118.0], 35.0], [118.1, 35.0], [118.1, 35.1])),
        ("short_ring", ring(NEAR[0], NEAR[1], NEAR[0])),
        ("short_ring", ring(*[NEAR[0]] * 5)),
        ("empty", ring(NEAR[0], NEAR[1], [118.03, 35.0], NEAR[0])),
        ("swapped", ring(*[position[::-1] for position in NEAR])),
        ("out_of_range", ring([190.0, 35.0], *NEAR)),
        ("projected", ring([39500000.0, 3900000.0], [39500100.0, 3900000.0], [39500100.0, 3900100.0])),
        ("antimeridian", ring([179.0, 35.0], [-179.0, 35.0], [-179.0, 36.0], [179.0, 36.0], [179.0, 35.0])),
        ("self_crossing", ring(NEAR[0], NEAR[2], NEAR[1], NEAR[3], NEAR[0])),
    ],
)
def test_broken_shapes_are_refused_by_name(importer, name, geometry):
    assert refused(importer(city(b=feature(B, geometry))), name).code == B


def test_a_bow_tie_says_where_it_crosses(importer):
    found = refused(importer(city(b=feature(B, ring(NEAR[0], NEAR[2], NEAR[1], NEAR[3], NEAR[0])))), "self_crossing")
    assert (found.lon, found.lat) == (pytest.approx(118.015), pytest.approx(35.005))


@pytest.mark.parametrize(
    "geometry",
    [
        ring(NEAR[0], [118.015, 35.0], [118.012, 35.005], [118.018, 35.005], [118.015, 35.0], *NEAR[1:], NEAR[0]),
        ring(*NEAR[:3], [118.025, 35.015], *NEAR[2:], NEAR[0]),  # a spike
        ring(NEAR[0], NEAR[0], *NEAR[1:], [118.015, 35.01], NEAR[3], [118.01, 35.005], NEAR[0]),
    ],
)
def test_what_can_be_mended_without_a_change_of_area_is(importer, geometry):
    imported = importer(city(b=feature(B, geometry)))
    assert imported.ok
    assert shapely.is_valid(imported.grids[2].polygon)
    assert set(names(imported)) <= {"self_touching", "gap", "uncovered"}


def test_an_open_ring_a_third_dimension_and_either_ring_order(importer):
    opened = ring(*[[*position, 12.5] for position in reversed(NEAR)])
    imported = importer(city(b=feature(B, opened)))
    assert names(imported) == ["unclosed"]
    assert imported.grids[2].polygon.equals(box(118.01, 35.0, 118.02, 35.01))


def test_several_parts(importer):
    parts = MultiPolygon(
        [
            box(118.01, 35.0, 118.013, 35.01),
            box(118.013, 35.0, 118.02, 35.01).difference(box(118.0, 35.0, 118.015, 35.001)),
        ]
    )
    assert "self_touching" in names(importer(city(b=feature(B, parts))))  # they share an edge: one part, drawn as two
    apart = MultiPolygon([box(118.01, 35.0, 118.013, 35.01), box(118.014, 35.0, 118.02, 35.01)])
    assert importer(city(b=feature(B, apart))).ok


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("broken_json", b""),
        ("broken_json", b'{"type": "FeatureCollection", "features": [{"type"'),
        ("broken_json", b'{"type": "FeatureCollection", "features": [NaN]}'),
        ("broken_json", b"[" * 100_000),
        ("encoding", json.dumps({"name": "网格"}, ensure_ascii=False).encode("gb18030")),
        ("encoding", b"\xff\xfe" + "{}".encode("utf-16-le")),
        ("not_geojson", b"[]"),
        ("not_geojson", b"17"),
        ("not_geojson", b'{"type": "Topology", "objects": {}}'),
        ("not_geojson", b'{"type": "FeatureCollection"}'),
        ("not_geojson", b'{"type": "FeatureCollection", "features": [1]}'),
        ("no_features", b'{"type": "FeatureCollection", "features": []}'),
        ("unknown_crs", b'{"type": "FeatureCollection", "features": [{}], "crs": {"type": "link"}}'),
        ("unknown_crs", b'{"type": "FeatureCollection", "features": [{}], "crs": {"properties": {"name": "MARS"}}}'),
        ("no_code", b'{"type": "FeatureCollection", "features": [{"properties": null}]}'),
        ("no_code", b'{"type": "Feature", "properties": {"colour": "red"}, "geometry": null}'),
    ],
)
def test_broken_files_are_refused_by_name(importer, name, document):
    assert refused(importer(document), name)


def test_files_that_cannot_be_read(tmp_path, importer, monkeypatch):
    assert refused(read(tmp_path / "absent.geojson"), "unreadable").params["file"] == str(tmp_path / "absent.geojson")
    assert refused(read(tmp_path), "unreadable")
    monkeypatch.setattr(geojson, "MAX_BYTES", 0)
    assert refused(importer(city()), "too_large")
    monkeypatch.undo()
    monkeypatch.setattr(geojson, "MAX_FEATURES", 2)
    assert refused(importer(city()), "too_many").params["count"] == 3


def test_a_file_in_the_old_chinese_encoding_when_that_is_said(importer):
    raw = json.dumps(city(), ensure_ascii=False).encode("gb18030")
    assert refused(importer(raw), "encoding")
    assert importer(raw, how=GridMapping(encoding="gb18030")).grids[0].name == f"格{TOWN}"
    assert refused(importer(raw, how=GridMapping(encoding="no-such")), "encoding")
    assert importer(b"\xef\xbb\xbf" + json.dumps(city()).encode()).ok


def test_fields_that_make_no_sense_are_told_and_left_out(importer):
    spoiled = feature(
        A, box(118.0, 35.0, 118.01, 35.01), population="many", kind="圆", level="top", valid_from="soon", name=None
    )
    imported = importer(city(a=spoiled))
    assert imported.ok
    assert sorted(names(imported)) == ["date", "level", "no_name", "population", "unknown_kind"]
    assert {p.code for p in imported.problems} == {A}
    assert imported.grids[1].population is None


@pytest.mark.parametrize("people", [-1, 1.5, 1e12, "1e400", "nan"])
def test_no_such_number_of_people(importer, people):
    assert "population" in names(importer(city(a=feature(A, box(118.0, 35.0, 118.01, 35.01), population=people))))


def test_fields_by_hand_and_dates_in_the_citys_zone(importer):
    document = city()
    for one in document["features"]:
        one["properties"] = {"X": one["properties"]["code"], "Y": "n", "Z": "1,200", "from": "2026-01-01", "code": "no"}
    how = GridMapping(code="X", name="Y", population="Z", valid_from="from")
    grid = importer(document, how=how).grids[0]
    assert (grid.code, grid.name, grid.population) == (TOWN, "n", 1200)
    assert grid.valid_from == 1_767_196_800_000_000  # midnight of 2026-01-01 in Shanghai


def test_a_period_that_ends_before_it_begins(importer):
    spoiled = feature(A, box(118.0, 35.0, 118.01, 35.01), valid_from="2026-02-01", valid_to="2026-01-01")
    assert refused(importer(city(a=spoiled)), "validity").code == A


@pytest.mark.parametrize("code", ["A/1", "/", "A\n1", "A\u200b1"])
def test_a_code_that_would_break_a_chain(importer, code):
    assert refused(importer(city(b=feature(code, box(118.01, 35.0, 118.02, 35.01)))), "bad_code")


def test_duplicate_codes(importer):
    found = refused(importer(city(b=feature(A, box(118.01, 35.0, 118.02, 35.01)))), "duplicate_code")
    assert (found.code, found.params["count"]) == (A, 2)


def test_the_list_is_bounded_and_counts_the_rest(importer, monkeypatch):
    monkeypatch.setattr(problem, "MAX_PROBLEMS", 3)
    features = [feature(f"{n}", None) for n in range(10)]
    imported = importer({"type": "FeatureCollection", "features": features})
    assert names(imported) == ["empty", "empty", "empty", "more"]
    assert imported.problems[-1].params == {"count": 7}


def test_every_problem_has_a_text_in_both_languages():
    source = "".join(path.read_text() for path in Path(importing.__file__).parent.glob("*.py"))
    used = set(re.findall(r'(?:\.error|\.warning|\.repaired|\.note|Broken|_Fault|WrongPoints)\(\s*"(\w+)"', source))
    used |= set(re.findall(r'fault="(\w+)"', source)) | {"out_of_range", "more", "datum", "unclosed"}
    for lang in ("zh", "en"):
        assert set(Words(lang).under("geo.problems")) == set(Words(lang).under("findings.sort")) == used


@pytest.mark.real
def test_the_real_suburbs_and_districts(real_data):
    folder = real_data / "canberra-storm"
    files = [folder / "act_localities_G.geojson", folder / "act_districts_D.geojson"]
    imported = read(files)
    assert names(imported, problem.ERROR) == []
    assert len(imported.grids) == 138
    parents = {
        grid.name: next(g.name for g in imported.grids if g.code == grid.parent)
        for grid in imported.grids
        if grid.parent
    }
    assert parents["FORREST"] == "CANBERRA CENTRAL"
    assert {"small_overlap", "gap", "straddles", "uncovered"} == set(names(imported))
    assert read(list(reversed(files))).digest == imported.digest


def test_a_zone_or_share_that_cannot_be_is_refused_when_it_is_made():
    with pytest.raises(ValueError, match="share"):
        GridMapping(overlap_share=3)


def test_the_polygons_of_a_reference_may_be_anything(importer):
    assert importer(city(), reference=[general(A, Polygon())]).ok


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
positions = st.lists(st.one_of(scalars, st.sampled_from([118.0, 118.01, 118.02, 35.0, 35.01])), max_size=4)
junk = st.recursive(
    st.one_of(scalars, positions, st.lists(positions, min_size=3, max_size=7)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["type", "coordinates", "geometry", "properties", "code", "name"]), inner),
        st.builds(
            lambda kind, parts: {"type": kind, "coordinates": parts},
            st.sampled_from(["Polygon", "MultiPolygon"]),
            inner,
        ),
    ),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk, st.sampled_from(["feature", "geometry", "properties", "crs", "features"]))
def test_no_json_breaks_the_import(importer, value, where):
    document = city()
    if where in ("crs", "features"):
        document[where] = value
    elif where == "feature":
        document["features"][1] = value
    else:
        document["features"][1][where] = value
    imported = importer(document)
    assert imported.ok or problem.ERROR in {found.kind for found in imported.problems}


def test_a_development_zone_without_a_drawing_stays_a_unit(importer):
    zone, inner = "990101901", "990101901001"
    document = city()
    document["features"] += [feature(zone, None), feature(inner, None)]
    imported = importer(document)
    assert imported.ok and names(imported) == ["undrawn", "undrawn"]
    found = {grid.code: grid for grid in imported.grids}
    assert found[zone].polygon.is_empty and found[inner].parent == zone
    stored = [from_row(to_row(grid)) for grid in imported.grids]
    locator = Locator.build(stored)
    assert locator.chains[inner] == (zone, inner) and inner not in locator.codes
    assert locator.locate(118.005, 35.005).code == A
    without = [grid for grid in stored if grid.code != inner]
    assert len(difference(stored, without)) == 1
    assert Shapes.build(stored).levels == (2, 3)


@pytest.mark.parametrize("check", [True, False])
def test_a_parent_property_against_the_code_by_setting(importer, check):
    document = city(b=feature(B, box(118.01, 35.0, 118.02, 35.01), parent=A), a=feature(A, SQUARE, parent=TOWN))
    document["features"][0]["properties"]["parent"] = ""
    imported = importer(document, how=GridMapping(prefix_check=check))
    assert ("prefix" in names(imported, problem.ERROR)) == check
    if not check:
        assert "outside_parent" in names(imported)


SQUARE = box(118.0, 35.0, 118.01, 35.01)
