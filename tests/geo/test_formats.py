"""Every format, written by pyogrio in the test: what comes in, what is told, and what a broken file does."""

import io
import json
import random
import sqlite3
import struct
import zipfile
from contextlib import closing

import geopandas
import pytest
import shapely
from shapely.geometry import Point, box

from config.words import Words
from geo import formats, geojson, importing, letters, problem
from geo.mapping import GridMapping

TOWN = "990101001"
COUNTRY = [
    (f"{TOWN}{n:03d}", f"云岭村第{n}网格", box(118 + n * 0.01, 35.0, 118.01 + n * 0.01, 35.01)) for n in range(1, 7)
]


def frame(rows=COUNTRY, crs=4490, **columns):
    told = {"网格编码": [row[0] for row in rows], "网格名称": [row[1] for row in rows], **columns}
    return geopandas.GeoDataFrame(told, geometry=[row[2] for row in rows], crs=crs)


def shapefile(folder, made=None, *, encoding="gb18030", drop=(".cpg",), name="grids"):
    """A shapefile as Chinese desks send it: texts in GBK and nothing that says so."""
    path = folder / f"{name}.shp"
    (frame() if made is None else made).to_file(path, encoding=encoding)
    for ending in drop:
        path.with_suffix(ending).unlink(missing_ok=True)
    return path


def zipped(path, folder, *, inside="网格/", extra=None):
    made = folder / f"{path.stem}.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in sorted(path.parent.glob(f"{path.stem}.*")):
            if one.suffix != ".zip":
                archive.write(one, f"{inside}{one.name}")
        for name, body in (extra or {}).items():
            archive.writestr(name, body)
    return made


def read(path, **how):
    """An import; every finding has its text."""
    found = importing.read(path, GridMapping(**how))
    for one in found.problems:
        for lang in ("zh", "en"):
            assert Words(lang).text(one.text_code, **one.parameters())
    return found


def names(found, kind=None):
    return [one.text_code.removeprefix("geo.problems.") for one in found.problems if kind in (None, one.kind)]


def assert_whole(found):
    assert found.ok, found.problems
    assert [(grid.code, grid.name) for grid in found.grids] == [(code, name) for code, name, _ in COUNTRY]
    for grid, (_, _, shape) in zip(found.grids, COUNTRY, strict=True):
        assert grid.polygon.symmetric_difference(shape).area < 1e-6 * shape.area


def test_a_geopackage_with_several_layers(tmp_path):
    path = tmp_path / "city.gpkg"
    frame(COUNTRY[:3]).to_file(path, layer="东片")
    frame(COUNTRY[3:]).to_file(path, layer="西片")
    frame([("x", "y", Point(118, 35))]).to_file(path, layer="点")
    found = read(path)
    assert_whole(found)
    assert {(one.layer, one.read) for one in found.choices} == {("东片", True), ("西片", True), ("点", False)}
    assert len(read(path, layers=("东片",)).grids) == 3
    assert names(read(path, layers=("南片",))) == ["no_layer"]


def test_a_geopackage_of_points_only(tmp_path):
    frame([("x", "y", Point(118, 35))]).to_file(tmp_path / "p.gpkg")
    assert names(read(tmp_path / "p.gpkg")) == ["no_polygons"]


@pytest.mark.parametrize(("encoding", "cut"), [("gb18030", None), ("utf-8", 3)])
def test_a_shapefile_without_a_word_about_its_letters(tmp_path, encoding, cut):
    """Ten bytes are three Chinese letters in UTF-8: the names of columns come cut."""
    made = frame()
    made = made.rename(columns={name: name[:cut] for name in ("网格编码", "网格名称")})
    assert_whole(read(zipped(shapefile(tmp_path, made, encoding=encoding), tmp_path)))


def test_a_shapefile_beside_its_parts_and_named_by_all_of_them(tmp_path):
    path = shapefile(tmp_path)
    assert_whole(read(path))
    assert_whole(read(sorted(tmp_path.glob("grids.*"))))


def test_a_cpg_that_lies_is_told(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".cpg").write_text("UTF-8")
    found = read(path)
    assert_whole(found)
    assert names(found) == ["encoding_lies"]


def test_an_encoding_that_is_named_wins(tmp_path):
    made = frame([(COUNTRY[0][0], "雲嶺網格", COUNTRY[0][2])]).set_axis(["code", "name", "geometry"], axis=1)
    path = shapefile(tmp_path, encoding="big5", made=made.set_geometry("geometry"))
    assert read(path, encoding="big5").grids[0].name == "雲嶺網格"
    assert names(read(path, encoding="no-such"), problem.ERROR) == ["encoding"]


def test_a_name_cut_in_the_middle_of_a_letter_loses_that_letter_only():
    whole = "云岭村第一网格"
    raw = whole.encode("gb18030")[:-1]
    assert letters.detected([raw]).name == "gb18030"
    assert letters.decoded(raw, "gb18030") == whole[:-1]


def test_a_projected_shapefile_without_its_index_and_with_height(tmp_path):
    made = frame().to_crs(4549)
    made.geometry = shapely.force_3d(made.geometry, 12.0)
    assert_whole(read(shapefile(tmp_path, made, drop=(".shx", ".cpg"))))


def test_plane_coordinates_without_a_prj_ask_for_the_system(tmp_path):
    path = shapefile(tmp_path, frame().to_crs(4527), drop=(".prj", ".cpg"))  # zone 39 before the easting
    found = read(path)
    assert names(found, problem.ERROR) == ["no_crs"]
    assert found.problems[0].params["likely"] == "EPSG:4527"
    assert_whole(read(path, crs="EPSG:4527"))
    assert_whole(read(path, crs="+proj=tmerc +lon_0=117 +x_0=39500000 +ellps=GRS80 +units=m"))


def test_degrees_without_a_prj_are_taken_for_wgs84_and_told(tmp_path):
    found = read(shapefile(tmp_path, drop=(".prj", ".cpg")))
    assert_whole(found)
    assert "crs_assumed" in names(found, problem.WARNING)


def test_a_prj_that_lies_is_told(tmp_path):
    path = shapefile(tmp_path, frame().to_crs(4549))
    other = shapefile(tmp_path, frame().to_crs(4528), name="other")  # its zone's number before the easting
    path.with_suffix(".prj").write_bytes(other.with_suffix(".prj").read_bytes())
    assert names(read(path), problem.ERROR) == ["wrong_crs"]


def test_kml_and_kmz(tmp_path):
    path = tmp_path / "grids.kml"
    frame().rename(columns={"网格名称": "Name"}).to_file(path, driver="LIBKML")
    assert_whole(read(path))
    with zipfile.ZipFile(tmp_path / "grids.kmz", "w") as archive:
        archive.write(path, "doc.kml")
    assert_whole(read(tmp_path / "grids.kmz"))


def test_a_kml_that_declares_entities_is_not_read(tmp_path):
    path = tmp_path / "bomb.kml"
    laughs = "".join(f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" * 1}">' for n in range(1, 10))
    path.write_text(f'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY l0 "lol">{laughs}]><kml><name>&l9;</name></kml>')
    assert names(read(path)) == ["entities"]


def test_a_file_that_points_elsewhere_is_no_grid_file(tmp_path):
    path = tmp_path / "vrt.kml"
    inside = '<OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
    path.write_text(f"<OGRVRTDataSource>{inside}</OGRVRTDataSource>")
    assert names(read(path)) == ["not_kml"]
    path.write_text(f"<OGRVRTDataSource><!-- <kml -->{inside}</OGRVRTDataSource>")
    assert names(read(path)) == ["broken_file"]


def test_curves_are_refused(tmp_path):
    path = tmp_path / "curves.gpkg"
    frame(COUNTRY[:1]).to_file(path, layer="g")
    arc = struct.pack("<BII", 1, 10, 1) + struct.pack("<BII6d", 1, 8, 3, 118.0, 35.0, 118.1, 35.0, 118.0, 35.0)
    with closing(sqlite3.connect(path)) as database, database:
        for trigger in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger[0]}"')
        database.execute("UPDATE g SET geom = ?", (b"GP\0\1" + struct.pack("<i", 4490) + arc,))
    assert names(read(path)) == ["curves"]


def test_a_code_kept_as_a_rounded_number_is_told(tmp_path):
    path = tmp_path / "n.gpkg"
    made = frame(COUNTRY[:1])
    made["网格编码"] = [9.9010100100100112e19]
    made.to_file(path)
    assert names(read(path), problem.ERROR) == ["rounded_code"]


@pytest.mark.parametrize("name", ["../x.shp", "/etc/x.shp", "a/../../x.shp", "C:\\x.shp", "..\\x.shp"])
def test_a_zip_with_names_that_climb_is_not_unpacked(tmp_path, name):
    path = zipped(shapefile(tmp_path), tmp_path, extra={name: b"x"})
    assert names(read(path)) == ["unsafe_zip"]
    assert not list(tmp_path.parent.glob("x.shp"))


def test_a_zip_bomb_is_refused_by_what_it_says_and_by_what_comes_out(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "MAX_UNPACKED", 1 << 20)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b" " * (4 << 20))
    assert names(read(path)) == ["zip_bomb"]
    raw = path.read_bytes()
    size = (4 << 20).to_bytes(4, "little")
    path.write_bytes(raw.replace(size, (1000).to_bytes(4, "little")))
    assert names(read(path)) in (["zip_bomb"], ["broken_zip"])


def test_too_many_members_and_nothing_of_use(tmp_path, monkeypatch):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.txt", b"")
    assert names(read(path)) == ["empty_zip"]
    monkeypatch.setattr(formats, "MAX_MEMBERS", 3)
    assert names(read(path)) == ["zip_bomb"]


def test_a_part_alone_and_too_large_a_file(tmp_path, monkeypatch):
    path = shapefile(tmp_path)
    alone = tmp_path / "alone"
    alone.mkdir()
    moved = path.with_suffix(".dbf").rename(alone / "grids.dbf")
    assert names(read(moved)) == ["part_only"]
    monkeypatch.setattr(geojson, "MAX_BYTES", 10)
    assert names(read(path)) == ["too_large"]


def test_too_many_features_are_refused_before_they_are_read(tmp_path, monkeypatch):
    from geo import vector

    monkeypatch.setattr(vector, "MAX_FEATURES", 3)
    frame().to_file(tmp_path / "g.gpkg")
    assert names(read(tmp_path / "g.gpkg")) == ["too_many"]


def test_a_child_that_crashes_or_hangs_takes_nobody_along(tmp_path, monkeypatch):
    from geo import vector

    frame().to_file(tmp_path / "g.gpkg")
    vector._environment()
    monkeypatch.setattr(vector, "CHILD", ("/bin/sh", "-c", "kill -SEGV $$"))
    assert names(read(tmp_path / "g.gpkg")) == ["broken_file"]
    monkeypatch.setattr(vector, "CHILD", ("/bin/sh", "-c", "exec sleep 60"))
    monkeypatch.setattr(vector, "SECONDS", 0.1)
    assert names(read(tmp_path / "g.gpkg")) == ["too_complex"]


def mutated(raw, seed):
    """Bytes changed, cut, doubled."""
    dice, made = random.Random(seed), bytearray(raw)
    for _ in range(dice.randint(1, 12)):
        at = dice.randrange(len(made))
        way = dice.randrange(4)
        if way == 0:
            made[at] = dice.randrange(256)
        elif way == 1:
            made[at : at + 4] = dice.choice(
                [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"]
            )
        elif way == 2:
            del made[at : at + dice.randrange(1, 64)]
        else:
            made[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 32)))
        if not made:
            made += b"\0"
    return bytes(made)


@pytest.mark.parametrize("ending", ["gpkg", "shp", "kml", "zip", "geojson"])
@pytest.mark.parametrize("seed", range(4))
def test_a_mutated_file_comes_to_findings_and_never_to_a_crash(tmp_path, ending, seed):
    if ending in ("shp", "zip"):
        path = shapefile(tmp_path)
        path = zipped(path, tmp_path) if ending == "zip" else path
    else:
        path = tmp_path / f"grids.{ending}"
        frame(crs=4326).to_file(path, **({"driver": "LIBKML"} if ending == "kml" else {}))
    path.write_bytes(mutated(path.read_bytes(), seed))
    found = read(path)
    assert found.ok or names(found, problem.ERROR)


def test_geojson_in_a_zip(tmp_path):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("g.geojson", json.dumps(json.loads(frame(crs=4326).to_json())))
    (tmp_path / "g.zip").write_bytes(body.getvalue())
    assert_whole(read(tmp_path / "g.zip"))


def test_a_geopackage_that_would_read_other_files_is_refused(tmp_path):
    path, secret = tmp_path / "g.gpkg", tmp_path / "secret.txt"
    secret.write_text("alpha\tbeta\nhush\t1\n")
    frame().to_file(path, layer="grids")
    virtual = f"CREATE VIRTUAL TABLE other USING VirtualText('{secret}', 'UTF-8', 1, POINT, NONE, TAB)"
    with closing(sqlite3.connect(path)) as database:
        assert_whole(read(path))  # its own index is a virtual table too
        database.execute("PRAGMA writable_schema = ON")
        row = ("table", "other", "other", 0, virtual)
        database.execute("INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?)", row)
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('other', 'attributes', 'other')"
        )
        database.commit()
    found = read(path)
    assert names(found) == ["broken_file"] and "virtual table other" in str(found.problems[0].params)


def test_what_is_told_of_a_broken_file_names_the_senders_file_only(tmp_path):
    path = tmp_path / "mine.kml"
    path.write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><NetworkLink><Link><href>/etc/passwd</href></Link></NetworkLink></kml>'
    )
    found = read(path)
    assert names(found) == ["broken_file"]
    assert "mine.kml" in found.problems[0].params["detail"] and "/tmp" not in found.problems[0].params["detail"]
