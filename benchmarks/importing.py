"""`run.py bench import`: a city's file of grids read, checked and stored, beside the usual way in the same run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas
import shapely

from benchmarks.geo import mesh, spent
from config import clock
from config.settings import Settings
from geo import importing
from geo.grid import Grid
from geo.mapping import GridMapping
from operations import grids
from operations.database import Database
from operations.policy import SYSTEM
from streams.stored_grid import to_row

COLUMNS, ROWS = 50, 40  # 2,000 grids
PIECES = 100  # pieces of each of a grid's four sides: about 400 points a grid, 800,000 in all
FORMATS = {"GeoPackage": "gpkg", "Shapefile": "shp", "GeoJSON": "geojson", "KML": "kml"}
GOAL_S = 60


def run(settings: Settings) -> list[dict[str, Any]]:
    """The table's rows; `settings` are not needed, the grids are made here and stored in a database of their own."""
    del settings
    made = mesh(COLUMNS, ROWS, PIECES) + _zones()
    vertices = sum(int(shapely.get_num_coordinates(grid.polygon)) for grid in made)
    city = f"{len(made):,} polygons, {vertices:,} vertices, shared borders"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, ending in FORMATS.items():
            path = Path(folder) / f"grids.{ending}"
            _write(made, path)
            rows += _measured(name, path, city)
        rows += _usual(Path(folder) / "grids.gpkg", city)
    return rows


def _zones() -> list[Grid]:
    """Three development zones without a drawing: 2,003 units as in the file this is shaped after."""
    return [Grid(f"990101900001{n:03d}", f"开发区{n}", "general", 4, "", shapely.Polygon(), 0) for n in range(1, 4)]


def _write(made: list[Grid], path: Path) -> None:
    told: dict[str, list[Any]] = {"code": [one.code for one in made], "name": [one.name for one in made]}
    told |= {"people": [one.population for one in made]}
    shapes = [None if one.polygon.is_empty else one.polygon for one in made]
    frame = geopandas.GeoDataFrame(told, geometry=shapes, crs=4326)
    drivers = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".kml": "LIBKML"}
    options = {"COORDINATE_PRECISION": 15} if path.suffix == ".geojson" else {}
    frame.to_file(path, driver=drivers[path.suffix], **options)


def _measured(name: str, path: Path, city: str) -> list[dict[str, Any]]:
    """Seconds of each phase, and of all with storing."""
    marks: list[tuple[str, float]] = []
    how = GridMapping(population="people", code_lengths="6,9,12,15")
    found: list[importing.Imported] = []
    begin = clock.monotonic()
    found.append(importing.read(path, how, tell=lambda phase: marks.append((phase, clock.monotonic()))))
    checked = clock.monotonic() - begin
    assert found[0].ok, [one.text_code for one in found[0].problems][:5]
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/bench.db")
        database.migrate(Path(folder))
        stored = spent(lambda: _store(database, found[0]))
        database.close()
    phases = [f"{one[0]} {other[1] - one[1]:.1f} s" for one, other in pairwise(marks)]
    size = path.stat().st_size / 2**20
    key = f"import.{path.suffix.removeprefix('.')}"
    told = f"{name} of {size:.0f} MiB, {city}: {', '.join(phases)}, stored {stored.elapsed:.1f} s; by the clock, once"
    return [_row(key, checked + stored.elapsed, "s", f"< {GOAL_S}", told)]


def _store(database: Database, found: importing.Imported) -> None:
    grids.import_grids(database, SYSTEM, [to_row(grid) for grid in found.grids], found.digest, now=clock.now())


def _usual(path: Path, city: str) -> list[dict[str, Any]]:
    """Read by geopandas, validity, duplicates, overlaps by an overlay of the file with itself, gaps by a union."""
    steps: dict[str, Callable[[geopandas.GeoDataFrame], object]] = {
        "valid": lambda frame: frame.geometry.is_valid.all(),
        "duplicates": lambda frame: frame["code"].duplicated().any(),
        "overlaps": lambda frame: _overlaps(frame),
        "gaps": lambda frame: len(shapely.get_parts(frame.geometry.union_all()).tolist()),
    }
    frames: list[geopandas.GeoDataFrame] = []
    read = spent(lambda: frames.append(geopandas.read_file(path)))
    frame = frames[0][~frames[0].geometry.isna()]
    times = {name: spent(lambda step=step: step(frame)).elapsed for name, step in steps.items()}  # type: ignore[misc]
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in {"read": read.elapsed, **times}.items())
    return [
        _row("import.usual", read.elapsed + sum(times.values()), "s", "",
             f"geopandas.read_file, is_valid, duplicated, overlay with itself, union_all; {city}: {told}; "
             "GeoPackage, not stored, no parents, no levels")
    ]  # fmt: skip


def _overlaps(frame: geopandas.GeoDataFrame) -> int:
    both = geopandas.overlay(frame[["code", "geometry"]], frame[["code", "geometry"]], keep_geom_type=True)
    return int((both["code_1"] < both["code_2"]).sum())


def _row(name: str, value: float, unit: str, goal: str, method: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "method": method}
