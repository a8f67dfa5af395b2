"""GeoJSON files (RFC 7946, and the older `crs` member) as polygons in WGS-84, with everything wrong named."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError, ProjError
from shapely.geometry import MultiPolygon, Polygon

from geo import datum
from geo.problem import Findings

MAX_BYTES = 512 << 20
MAX_FEATURES = 200_000
PLAIN = ("OGC:CRS84", "EPSG:4326", "EPSG:4979", "EPSG:4490")  # longitude and latitude as we keep them
DATUM_NAMES = {"GCJ-02": datum.GCJ02, "BD-09": datum.BD09, "BD09LL": datum.BD09, "WGS-84": datum.WGS84}

Floats = NDArray[np.float64]
Convert = Callable[[Floats], Floats]
Shape = Polygon | MultiPolygon


class Broken(Exception):
    """A geometry that cannot be made: the name of the problem, its place in WGS-84, and what it says."""

    def __init__(self, name: str, at: tuple[float, float] | None = None, **params: Any) -> None:
        super().__init__(name)
        self.name, self.at, self.params = name, at, params


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as it was read: the `number`th of `file`. `polygon` is None where the geometry is null or broken.

    `fault` says what is broken; `opened` is the first point of a ring that had to be closed.
    """

    properties: dict[str, Any]
    id: str
    file: str
    number: int
    polygon: Shape | None = None
    opened: tuple[float, float] | None = None
    fault: Broken | None = None


def read(path: Path, crs: str, encoding: str, findings: Findings) -> list[Feature]:
    """All features of a file; an unreadable one gives none and an error."""
    document = _document(path, encoding, findings)
    if document is None:
        return []
    members = [document] if document.get("type") == "Feature" else document.get("features")
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        findings.error("not_geojson", file=path.name)
        return []
    if len(members) > MAX_FEATURES:
        findings.error("too_many", file=path.name, count=len(members), most=MAX_FEATURES)
        return []
    if not members:
        findings.error("no_features", file=path.name)
    convert = _converter(path, crs, document.get("crs"), findings)
    return [] if convert is None else [_feature(m, convert, path.name, i) for i, m in enumerate(members, 1)]


def _document(path: Path, encoding: str, findings: Findings) -> dict[str, Any] | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            findings.error("too_large", file=path.name, mib=size >> 20, most=MAX_BYTES >> 20)
            return None
        raw = path.read_bytes()
    except OSError as error:
        findings.error("unreadable", file=str(path), reason=error.strerror or type(error).__name__)
        return None
    try:
        whole = raw.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except (UnicodeDecodeError, LookupError):
        findings.error("encoding", file=path.name, encoding=encoding)
        return None
    try:
        document = orjson.loads(whole)
    except orjson.JSONDecodeError as error:
        findings.error("broken_json", file=path.name, line=error.lineno, column=error.colno, reason=error.msg)
        return None
    if not isinstance(document, dict):
        findings.error("not_geojson", file=path.name)
        return None
    return document


def _converter(path: Path, crs: str, member: object, findings: Findings) -> Convert | None:
    """What makes the file's coordinates WGS-84; None after an error."""
    name = crs or _crs_name(member)
    known = DATUM_NAMES.get(name.upper(), name.upper().replace("-", ""))
    if known in datum.DATUMS:
        return lambda points: np.column_stack(datum.to_wgs84_many(points[:, 0], points[:, 1], known))
    try:
        system = pyproj.CRS.from_user_input(name)
        if any(system == pyproj.CRS.from_user_input(plain) for plain in PLAIN):
            return np.asarray
        transformer = pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    except (CRSError, ProjError):
        findings.error("unknown_crs", file=path.name, crs=name)
        return None
    return lambda points: np.column_stack(transformer.transform(points[:, 0], points[:, 1]))


def _crs_name(member: object) -> str:
    if member is None:
        return datum.WGS84
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return name if isinstance(name, str) else "?"


def _feature(member: dict[str, Any], convert: Convert, file: str, number: int) -> Feature:
    said, own = member.get("properties"), member.get("id")
    properties = said if isinstance(said, dict) else {}
    name = own if isinstance(own, str) else "" if own is None else str(own)
    try:
        polygon, opened = _polygon(member.get("geometry"), convert)
    except Broken as broken:
        return Feature(properties, name, file, number, fault=broken)
    return Feature(properties, name, file, number, polygon, opened)


def _polygon(geometry: object, convert: Convert) -> tuple[Shape | None, tuple[float, float] | None]:
    """(the shape, the first point of a ring that had to be closed); no shape where the geometry is null or empty."""
    if geometry is None:
        return None, None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        raise Broken("wrong_type", type=str(kind)[:40])
    parts = geometry.get("coordinates")
    parts = [parts] if kind == "Polygon" else parts
    if not isinstance(parts, list) or not all(isinstance(part, list) for part in parts):
        raise Broken("bad_position")
    made, opened = [], None
    for part in parts:
        rings = [_ring(ring, convert) for ring in part]
        opened = next((_at(points) for points, was_open in rings if was_open), opened)
        if rings:
            made.append(shapely.Polygon(rings[0][0], [points for points, _ in rings[1:]]))
    if not made:
        return None, None
    return (made[0] if len(made) == 1 else shapely.MultiPolygon(made)), opened


def _ring(ring: object, convert: Convert) -> tuple[Floats, bool]:
    """(closed points in WGS-84, whether it had to be closed)."""
    raw = _positions(ring)
    if not np.isfinite(raw).all():
        raise Broken("bad_position")
    points = convert(raw)
    _check_range(raw, points)
    opened = bool((points[0] != points[-1]).any())
    if opened:
        points = np.vstack([points, points[:1]])
    if len(np.unique(points, axis=0)) < 3:
        raise Broken("short_ring", _at(points))
    return points, opened


def _positions(ring: object) -> Floats:
    if not isinstance(ring, list) or not ring:
        raise Broken("bad_position")
    try:
        points = np.asarray([position[:2] for position in ring])
    except (ValueError, TypeError, KeyError):
        raise Broken("bad_position") from None
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "if":
        raise Broken("bad_position")
    return points.astype(np.float64)


def _check_range(raw: Floats, points: Floats) -> None:
    bad = ~(np.isfinite(points).all(axis=1) & (np.abs(points) <= (180.0, 90.0)).all(axis=1))
    if bad.any():
        x, y = raw[int(bad.argmax())].tolist()
        if max(abs(x), abs(y)) > 360:
            raise Broken("projected", x=x, y=y)
        raise Broken("swapped" if abs(x) <= 90 < abs(y) <= 180 else "out_of_range", x=x, y=y)
    if np.ptp(points[:, 0]) > 180:
        raise Broken("antimeridian", _at(points))


def _at(points: Floats) -> tuple[float, float]:
    return float(points[0, 0]), float(points[0, 1])
