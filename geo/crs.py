"""Coordinate systems 坐标系 of files: what is said of one, made a function to WGS-84."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError, ProjError

from geo import datum

PLAIN = ("OGC:CRS84", "EPSG:4326", "EPSG:4979", "EPSG:4490")  # longitude and latitude as we keep them
DATUM_NAMES = {"GCJ-02": datum.GCJ02, "BD-09": datum.BD09, "BD09LL": datum.BD09, "WGS-84": datum.WGS84}
LONGEST = 20_000  # characters of a description
FILES = re.compile(r"\+(?:init|nadgrids|geoidgrids|grids|file)=|@", re.IGNORECASE)
AREA_MARGIN = 1.0  # degrees beyond the area a system is meant for, before we speak of it
ZONES = range(25, 46)  # of CGCS2000, 3 degrees wide: EPSG 4513 to 4533 with the zone's number before the easting

Floats = NDArray[np.float64]
Convert = Callable[[Floats], Floats]
Box = tuple[float, float, float, float]


class UnknownSystem(Exception):
    """Nobody knows this coordinate system."""


@dataclass(frozen=True)
class System:
    """How a file's coordinates become WGS-84; `area` (west, south, east, north) is where the system is meant for."""

    name: str
    convert: Convert
    area: Box | None = None


def system(name: str) -> System:
    """Return the system by an EPSG code, WKT, PROJ string, URN or one of our datums. Raises UnknownSystem."""
    known = DATUM_NAMES.get(name.strip().upper(), name.strip().upper().replace("-", ""))
    if known in datum.DATUMS:
        return System(known, lambda points: np.column_stack(datum.to_wgs84_many(points[:, 0], points[:, 1], known)))
    if len(name) > LONGEST or (name.lstrip().startswith("+") and FILES.search(name)):
        raise UnknownSystem(name)
    try:
        found = pyproj.CRS.from_user_input(name)
        said = found.to_string() if len(found.to_string()) < 40 else found.name
        if any(found == pyproj.CRS.from_user_input(plain) for plain in PLAIN) or _is_cgcs2000(found):
            return System(said, np.asarray)
        transformer = pyproj.Transformer.from_crs(found, "EPSG:4326", always_xy=True)
    except (CRSError, ProjError):
        raise UnknownSystem(name) from None
    box = _area(found)
    return System(said, lambda points: np.column_stack(transformer.transform(points[:, 0], points[:, 1])), box)


def _is_cgcs2000(found: pyproj.CRS) -> bool:
    """The .prj of a shapefile says it by name, which pyproj does not take as equal to the EPSG's."""
    return bool(found.is_geographic) and re.sub(r"\W|_", "", found.name).upper() in (
        "GCSCHINAGEODETICCOORDINATESYSTEM2000", "CHINAGEODETICCOORDINATESYSTEM2000", "CGCS2000", "GCSWGS1984", "WGS84",
        "WGS1984",
    )  # fmt: skip


def _area(found: pyproj.CRS) -> Box | None:
    """Where a system is meant for; a .prj does not say it, but the system it describes has a number that does."""
    area = found.area_of_use
    if area is None:
        named = found.to_authority(min_confidence=70)
        area = None if named is None else pyproj.CRS.from_authority(*named).area_of_use
    return None if area is None else (area.west, area.south, area.east, area.north)


def strayed(found: System, points: Floats) -> bool:
    """Say whether most points (n, 2) lie outside of where the system is meant for: its description then lies."""
    if found.area is None or not len(points):
        return False
    west, south, east, north = found.area
    lon, lat = points[:, 0], points[:, 1]
    across = (lon >= west - AREA_MARGIN) & (lon <= east + AREA_MARGIN)
    if west > east:
        across = (lon >= west - AREA_MARGIN) | (lon <= east + AREA_MARGIN)
    inside = across & (lat >= south - AREA_MARGIN) & (lat <= north + AREA_MARGIN)
    return bool(inside.mean() < 0.5)


def likely(x: float, y: float) -> str:
    """Return the CGCS2000 zone that a plane coordinate names by its easting's first digits; "" if none."""
    zone = int(x // 1_000_000)
    return f"EPSG:{4488 + zone}" if zone in ZONES and 0 < y < 6_500_000 else ""
