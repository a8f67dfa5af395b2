"""GeoPackage, Shapefile and KML as sheets: read by GDAL in a child process, then checked as every other file.

Nothing of GDAL runs here. The child (`geo.native`) knows no drivers but those three, gets a path that we made
ourselves, and is ended after a time; what it answers is bytes to be doubted like the file itself.
"""

import functools
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from config import parent
from config.settings import ROOT, child_environment
from geo import crs, letters
from geo.crs import System, UnknownSystem
from geo.geojson import MAX_FEATURES, check_range
from geo.native import Answer, Asked, Layer
from geo.problem import Findings
from geo.sheet import Broken, Choice, Feature, Sheet

GPKG, SHAPEFILE, KML = "GPKG", "ESRI Shapefile", "LIBKML"
DRIVERS = (GPKG, SHAPEFILE, KML)
CHILD = (sys.executable, "-m", "geo.native")
SECONDS = 180
POLYGON, MULTIPOLYGON = 3, 6  # type ids of GEOS
KML_FIELDS = (
    "id", "description", "timestamp", "begin", "end", "altitudemode", "tessellate", "extrude", "visibility",
    "draworder", "icon", "snippet",
)  # fmt: skip
"""What LIBKML adds to every placemark; none of it is a grid's."""


@dataclass(frozen=True)
class Source:
    """A file of ours to be read: `label` is the sender's name of it, `charset` what stands in its .cpg."""

    path: Path
    label: str
    driver: str
    charset: str = ""


def read(
    source: Source, layers: Sequence[str], given: System | None, encoding: str, findings: Findings
) -> tuple[list[Sheet], list[Choice]]:
    """Return the sheets of the wanted layers (all of polygons, when none is named) and which layers there are."""
    answer = _asked(source, layers)
    if answer.fault:
        _complain(source, answer, findings)
        return [], []
    choices = [Choice(source.label, one.name, one.type, one.count, one.read) for one in answer.layers]
    wanted = [one for one in answer.layers if one.read]
    if not wanted:
        findings.error(
            "no_polygons", file=source.label, layers=", ".join(f"{c.layer} ({c.type})" for c in choices)[:300]
        )
    sheets = []
    for layer in wanted:
        label = source.label if len(wanted) == 1 else f"{source.label}/{layer.name}"
        if source.driver == SHAPEFILE:
            layer = _lettered(layer, label, encoding or source.charset, findings)
        if source.driver == KML:
            layer = _without(layer)
        sheet = _sheet(layer, label, given, findings)
        if sheet is not None:
            sheets.append(sheet)
    return sheets, choices


def _complain(source: Source, answer: Answer, findings: Findings) -> None:
    if answer.fault == "too_many":
        findings.error("too_many", file=source.label, count=int(answer.detail), most=MAX_FEATURES)
    else:
        detail = answer.detail.replace(str(source.path), source.label)  # the sender knows no path of ours
        findings.error(answer.fault, file=source.label, detail=detail)


def _asked(source: Source, layers: Sequence[str]) -> Answer:
    """What the child says of a file; a fault when it ends without an answer."""
    named = list(layers) if source.driver != SHAPEFILE else []
    asked = Asked(str(source.path), source.driver, named, source.driver == SHAPEFILE, MAX_FEATURES)
    try:
        done = subprocess.run(
            CHILD,
            input=msgspec.msgpack.encode(asked),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env=_environment(),
            timeout=SECONDS,
            preexec_fn=parent.die_with_me(),
            check=True,
        )
        return msgspec.msgpack.decode(done.stdout, type=Answer)
    except subprocess.TimeoutExpired:
        return Answer(fault="too_complex")
    except (subprocess.CalledProcessError, msgspec.MsgspecError):
        return Answer(fault="broken_file", detail="")


@functools.cache
def _environment() -> dict[str, str]:
    """Every driver but ours switched off, so that no file is taken for something that points elsewhere."""
    every = subprocess.run([*CHILD, "--drivers"], capture_output=True, cwd=ROOT, text=True, check=True, timeout=SECONDS)
    others = ",".join(sorted(set(every.stdout.split(",")) - set(DRIVERS)))
    return child_environment() | {
        "GDAL_SKIP": others,
        "OGR_SKIP": others,
        "CPL_CURL_ENABLE_VSIMEM": "NO",
        "GDAL_HTTP_MAX_RETRY": "0",
        "SHAPE_RESTORE_SHX": "YES",
        "OGR_SQLITE_LOAD_EXTENSIONS": "NO",
        "OGR_GEOMETRY_ACCEPT_UNCLOSED_RING": "YES",
        "GDAL_NUM_THREADS": "1",
    }


def _lettered(layer: Layer, label: str, encoding: str, findings: Findings) -> Layer:
    """The layer with its bytes made letters: by the encoding that is named, else by what the bytes look like."""
    texts = [one for one in layer.fields] + [v for column in layer.columns for v in column if isinstance(v, str)]
    raw = [one.encode("latin-1", "replace") for one in texts]
    found = letters.detected(raw, encoding)
    if found.unknown:
        findings.error("encoding", file=label, encoding=encoding)
    elif encoding and found.name != letters.plain(encoding):
        findings.warning("encoding_lies", file=label, said=encoding, encoding=found.name)
    elif not encoding and found.name not in ("ascii", "utf-8"):
        findings.note("encoding_found", file=label, encoding=found.name)

    def decoded(value: Any) -> Any:
        return letters.decoded(value.encode("latin-1", "replace"), found.name) if isinstance(value, str) else value

    columns = [[decoded(value) for value in column] for column in layer.columns]
    return msgspec.structs.replace(layer, fields=[decoded(name) for name in layer.fields], columns=columns)


def _sheet(layer: Layer, label: str, given: System | None, findings: Findings) -> Sheet | None:
    """The features of a layer in WGS-84; None after an error."""
    shapes, opened, faults = _shapes(layer)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    system = given or _system(layer, label, coordinates, findings)
    if system is None:
        return None
    finite = np.isfinite(coordinates).all(axis=1)
    moved = np.full_like(coordinates, np.nan)
    moved[finite] = system.convert(coordinates[finite])
    if crs.strayed(system, moved[finite]):
        x, y = coordinates[0].tolist()
        findings.error("wrong_crs", file=label, crs=system.name, x=x, y=y, likely=crs.likely(x, y) or "?")
        return None
    starts = np.searchsorted(owner, np.arange(len(shapes) + 1))
    features = []
    shapes = shapely.set_coordinates(shapes, np.where(np.isfinite(moved), moved, 0.0))
    for number, shape in enumerate(shapes.tolist()):
        span = slice(starts[number], starts[number + 1])
        fault = faults[number] or _fault(coordinates[span], moved[span])
        properties = _properties(layer, number)
        at = tuple(moved[starts[number]].tolist()) if opened[number] and span.stop > span.start else None
        polygon = None if fault is not None or shape is None or shape.is_empty else shape
        features.append(Feature(properties, "", label, number + 1, polygon, at, fault))
    if not features:
        findings.error("no_features", file=label)
    return Sheet(label, features, system.name)


def _shapes(layer: Layer) -> tuple[NDArray[np.object_], NDArray[np.bool_], list[Broken | None]]:
    """The geometries, which of them had an open ring, and what is wrong with those that cannot be made."""
    raw = np.array([*layer.shapes, None], dtype=object)[:-1]
    there = np.array([one is not None for one in layer.shapes], dtype=bool)
    strict = shapely.from_wkb(raw, on_invalid="ignore")
    opened = there & shapely.is_missing(strict)
    shapes = strict.copy()
    shapes[opened] = shapely.from_wkb(raw[opened], on_invalid="fix")
    faults: list[Broken | None] = [None] * len(shapes)
    kinds = shapely.get_type_id(shapes)
    for number in np.flatnonzero(there).tolist():
        if kinds[number] == -1:
            faults[number] = Broken("short_ring")
        elif kinds[number] not in (POLYGON, MULTIPOLYGON):
            faults[number] = Broken("wrong_type", type=shapes[number].geom_type)
            shapes[number] = None
    return shapely.force_2d(shapes), opened & ~shapely.is_missing(shapes), faults


def _system(layer: Layer, label: str, coordinates: NDArray[np.float64], findings: Findings) -> System | None:
    if not layer.crs:
        far = np.abs(coordinates[np.isfinite(coordinates).all(axis=1)])
        if len(far) and float(np.median(far.max(axis=1))) > 360:
            x, y = coordinates[0].tolist()
            findings.error("no_crs", file=label, x=x, y=y, likely=crs.likely(x, y) or "EPSG:4549")
            return None
        findings.warning("crs_assumed", file=label)
        return crs.system("WGS84")
    try:
        return crs.system(layer.crs)
    except UnknownSystem:
        findings.error("unknown_crs", file=label, crs=" ".join(layer.crs.split())[:80])
        return None


def _fault(raw: NDArray[np.float64], moved: NDArray[np.float64]) -> Broken | None:
    if not len(raw):
        return None
    if not np.isfinite(raw).all():
        return Broken("bad_position")
    try:
        check_range(raw, moved)
    except Broken as broken:
        return broken
    return None


def _properties(layer: Layer, number: int) -> dict[str, Any]:
    return {name: column[number] for name, column in zip(layer.fields, layer.columns, strict=True)}


def _without(layer: Layer) -> Layer:
    """A layer of KML with the columns that somebody filled."""
    both = zip(layer.fields, layer.columns, strict=True)
    kept = [(name, column) for name, column in both if name.casefold() not in KML_FIELDS and any(column)]
    return msgspec.structs.replace(layer, fields=[name for name, _ in kept], columns=[column for _, column in kept])
