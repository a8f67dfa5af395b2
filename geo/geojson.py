"""GeoJSON files (RFC 7946, and the older `crs` member) as polygons in WGS-84, with everything wrong named."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from geo import crs, datum
from geo.crs import Convert, Floats, System, UnknownSystem
from geo.problem import Findings
from geo.sheet import Broken, Feature, Shape, Sheet

MAX_BYTES = 512 << 20
MAX_FEATURES = 200_000


def read(path: Path, label: str, given: System | None, encoding: str, findings: Findings) -> Sheet | None:
    """Return the features of a file, called `label` in what is said; None and an error for an unreadable one.

    `given` is the coordinate system somebody named; without it the file's own applies.
    """
    document = _document(path, label, encoding or "utf-8", findings)
    if document is None:
        return None
    members = [document] if document.get("type") == "Feature" else document.get("features")
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        findings.error("not_geojson", file=label)
        return None
    if len(members) > MAX_FEATURES:
        findings.error("too_many", file=label, count=len(members), most=MAX_FEATURES)
        return None
    if not members:
        findings.error("no_features", file=label)
    system = given or _system(label, document.get("crs"), findings)
    if system is None:
        return None
    return Sheet(label, [_feature(m, system.convert, label, i) for i, m in enumerate(members, 1)], system.name)


def _document(path: Path, label: str, encoding: str, findings: Findings) -> dict[str, Any] | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            findings.error("too_large", file=label, mib=size >> 20, most=MAX_BYTES >> 20)
            return None
        raw = path.read_bytes()
    except OSError as error:
        findings.error("unreadable", file=label, reason=error.strerror or type(error).__name__)
        return None
    try:
        whole = raw.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except (UnicodeDecodeError, LookupError):
        findings.error("encoding", file=label, encoding=encoding)
        return None
    try:
        document = orjson.loads(whole)
    except orjson.JSONDecodeError as error:
        findings.error("broken_json", file=label, line=error.lineno, column=error.colno, reason=error.msg)
        return None
    if not isinstance(document, dict):
        findings.error("not_geojson", file=label)
        return None
    return document


def _system(label: str, member: object, findings: Findings) -> System | None:
    """What makes the file's coordinates WGS-84; None after an error."""
    name = _crs_name(member)
    try:
        return crs.system(name)
    except UnknownSystem:
        findings.error("unknown_crs", file=label, crs=name[:80])
        return None


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
    check_range(raw, points)
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


def check_range(raw: Floats, points: Floats) -> None:
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
