"""Map shapes: every level of grids as GeoJSON, simplified without gaps for each depth of zoom, compressed once.

Neighbours are simplified together (`shapely.coverage_simplify`), so a shared border stays one line. Rings follow
RFC 7946: the outer one counter-clockwise, holes clockwise.
"""

import gzip
import hashlib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geo import cache
from geo.grid import GENERAL, Grid, digest

log = logging.getLogger(__name__)

VERSION = 1
DETAIL_ZOOMS = (10, 12, 14, 16)  # detail 0 serves zooms to 10, detail 1 to 12, and so on; 3 serves the deepest
TILE_PIXELS = 256
PIXELS = 0.75  # corners smaller than this are taken off
DIGITS = 6  # of a degree: 0.1 m
GZIP_LEVEL = 6


class Shape(msgspec.Struct, frozen=True):
    """One level at one detail as bytes to send: `gzipped` and its strong ETag. `plain()` is for who takes no gzip."""

    gzipped: bytes
    digest: str

    def plain(self) -> bytes:
        """The GeoJSON itself."""
        return gzip.decompress(self.gzipped)

    def etag(self, *, gzipped: bool = True) -> str:
        """The strong ETag (RFC 9110, 8.8.3) of the compressed or the plain bytes: they differ, so their tags do."""
        return f'"{self.digest}-gzip"' if gzipped else f'"{self.digest}"'


class _Saved(msgspec.Struct):
    version: int
    digest: str
    shapes: list[tuple[int, int, Shape]]


class Shapes:
    """All levels and details of one version of the grids; `levels` and `deepest` say what there is."""

    def __init__(self, shapes: dict[tuple[int, int], Shape]) -> None:
        self._shapes = shapes
        self.levels = tuple(sorted({level for level, _ in shapes}))
        self.deepest = self.levels[-1] if self.levels else 0

    @classmethod
    def build(cls, grids: Iterable[Grid]) -> "Shapes":
        """The shapes of the general grids that have one."""
        drawn = (grid for grid in grids if grid.kind == GENERAL and not grid.polygon.is_empty)
        general = sorted(drawn, key=lambda grid: grid.code)
        shapes = {}
        for level in sorted({grid.level for grid in general}):
            same = [grid for grid in general if grid.level == level]
            coverage, labels = _coverage(same), _labels(same)
            for detail in reversed(range(len(DETAIL_ZOOMS))):  # each from the finer one: the fewer points, the quicker
                coverage = shapely.coverage_simplify(coverage, tolerance(detail))
                shapes[level, detail] = _shape(same, rounded(coverage), labels)
        return cls(shapes)

    @classmethod
    def open(cls, grids: Sequence[Grid], folder: Path) -> "Shapes":
        """The shapes of these grids from `folder`; built, and saved there, if they are not there or not whole."""
        name = digest(grids)
        path = folder / f"shapes-{name[:16]}.bin"
        found = cls.load(path, name)
        if found is None:
            found = cls.build(grids)
            try:
                found.save(path, name)
                cache.sweep(path, "shapes-*.bin")
            except OSError as error:
                log.warning("the map shapes could not be kept at %s: %s", path, error)
        return found

    def save(self, path: Path, name: str) -> None:
        """Keep the shapes at `path` under the digest of their grids; raises OSError."""
        shapes = [(level, detail, shape) for (level, detail), shape in self._shapes.items()]
        cache.write(path, msgspec.msgpack.encode(_Saved(VERSION, name, shapes)))

    @classmethod
    def load(cls, path: Path, name: str) -> "Shapes | None":
        """The shapes kept at `path`; None unless they are whole, of this version, and of the grids with this digest."""
        blob = cache.read(path)
        if blob is None:
            return None
        try:
            saved = msgspec.msgpack.decode(blob, type=_Saved)
        except msgspec.DecodeError:
            return None
        if (saved.version, saved.digest) != (VERSION, name):
            return None
        return cls({(level, detail): shape for level, detail, shape in saved.shapes})

    def get(self, level: int, detail: int) -> Shape | None:
        """One level at one detail (held between the coarsest and the finest); None for a level there is not."""
        return self._shapes.get((level, min(max(detail, 0), len(DETAIL_ZOOMS) - 1)))


def tolerance(detail: int) -> float:
    """The side, in degrees, of the largest corner that may be taken off at this detail."""
    return PIXELS * 360.0 / (TILE_PIXELS << DETAIL_ZOOMS[detail])


def rounded(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """The shapes with DIGITS digits, their rings in RFC 7946 order."""
    short = shapely.transform(shapes, lambda points: np.round(points, DIGITS))
    result: NDArray[np.object_] = shapely.orient_polygons(short, exterior_cw=False)
    return result


def _coverage(grids: Sequence[Grid]) -> NDArray[np.object_]:
    """The polygons as a coverage: where borders do not match to the last digit they are cleaned, for the map only."""
    shapes = np.array([grid.polygon for grid in grids], dtype=object)
    if shapely.coverage_is_valid(shapes):
        return shapes
    cleaned: NDArray[np.object_] = shapely.coverage_clean(shapes)  # type: ignore[attr-defined]  # stubs are of 2.1
    lost = shapely.is_empty(cleaned)
    cleaned[lost] = shapes[lost]
    return cleaned


def _labels(grids: Sequence[Grid]) -> NDArray[np.float64]:
    """A point inside each grid, (n, 2), where its label stands."""
    points = shapely.point_on_surface(np.array([grid.polygon for grid in grids], dtype=object))
    return np.round(shapely.get_coordinates(points), DIGITS)


def collection(grids: Sequence[Grid], shapes: NDArray[np.object_], labels: NDArray[np.float64] | None = None) -> bytes:
    """GeoJSON of these grids with these shapes; `labels` are points inside them, found when not given."""
    points = _labels(grids) if labels is None else labels
    features = [
        {
            "type": "Feature",
            "id": grid.code,
            "properties": {
                "code": grid.code,
                "name": grid.name,
                "level": grid.level,
                "parent": grid.parent,
                "population": grid.population,
                "cx": cx,
                "cy": cy,
            },
            "geometry": orjson.Fragment(geometry),
        }
        for grid, geometry, (cx, cy) in zip(grids, shapely.to_geojson(shapes).tolist(), points.tolist(), strict=True)
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def _shape(grids: Sequence[Grid], shapes: NDArray[np.object_], labels: NDArray[np.float64]) -> Shape:
    plain = collection(grids, shapes, labels)
    return Shape(gzip.compress(plain, GZIP_LEVEL, mtime=0), hashlib.sha256(plain).hexdigest()[:32])
