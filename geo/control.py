"""Control points 控制点: a city's local plane system made WGS-84 by points known in both.

Local systems are maps like every other, turned, moved and scaled: 3 points or more fix that. The fit is made on a
transverse Mercator plane through the middle of the points, where an area of a city's size is true to scale.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from geo.crs import System, UnknownSystem
from geo.problem import Findings

LEAST, MOST = 3, 500
AFFINE_LEAST = 4
SPLIT = re.compile(r"[\s,;，；、]+")
FARTHEST_DEGREES = 5.0
"""Control points further apart than this are not of one city."""
OUTLIER = 3.0
"""A point is named as the wrong one when leaving it out makes the largest residual this many times smaller."""

Floats = NDArray[np.float64]


class WrongPoints(Exception):
    """Control points that cannot be read: the name of the problem and what it says."""

    def __init__(self, name: str, **params: Any) -> None:
        super().__init__(name)
        self.name, self.params = name, params


@dataclass(frozen=True)
class Fit:
    """Local (x, y) → plane: `matrix` (2, 3); `residuals` in metres, one a point."""

    matrix: Floats
    residuals: Floats

    @property
    def worst(self) -> int:
        """The point with the largest residual."""
        return int(np.argmax(self.residuals))


def parse(text: str) -> tuple[Floats, str]:
    """Return points (n, 4) as x, y, longitude, latitude, and "similarity" or "affine". Raises WrongPoints.

    One point a line, four numbers; a first line "affine" asks for six parameters instead of four.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip() and not line.startswith("#")]
    kind = "similarity"
    if lines and lines[0].casefold() in ("affine", "similarity"):
        kind = lines.pop(0).casefold()
    if len(lines) > MOST:
        raise WrongPoints("control_few", count=len(lines), least=LEAST)
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = [float(one) for one in SPLIT.split(line) if one]
        except ValueError:
            row = []
        if len(row) != 4 or not np.isfinite(row).all() or abs(row[2]) > 180 or abs(row[3]) > 85:
            raise WrongPoints("control_line", number=number, line=line[:60])
        rows.append(row)
    least = AFFINE_LEAST if kind == "affine" else LEAST
    if len(rows) < least:
        raise WrongPoints("control_few", count=len(rows), least=least)
    return np.array(rows), kind


def fit(points: Floats, plane: Floats, kind: str) -> Fit:
    """Return the least-squares fit of local points (n, 2) to the plane (n, 2). Raises WrongPoints when undetermined."""
    middle = points.mean(axis=0)
    x, y = (points - middle).T
    scale = float(np.max(np.hypot(x, y))) or 1.0
    one, zero = np.ones_like(x), np.zeros_like(x)
    if kind == "affine":
        east = np.column_stack([x, y, one, zero, zero, zero])
        north = np.column_stack([zero, zero, zero, x, y, one])
    else:
        east = np.column_stack([x, -y, one, zero])
        north = np.column_stack([y, x, zero, one])
    design = np.vstack([east, north])
    weights = np.where(np.abs(design).max(axis=0) > 1.0, scale, 1.0)
    found, _, rank, _ = np.linalg.lstsq(design / weights, np.concatenate([plane[:, 0], plane[:, 1]]), rcond=1e-9)
    if rank < design.shape[1]:
        raise WrongPoints("control_flat")
    values = found / weights
    if kind == "affine":
        matrix = np.array([values[:3], values[3:]])
    else:
        a, b, c, d = values.tolist()
        matrix = np.array([[a, -b, c], [b, a, d]])
    matrix[:, 2] -= matrix[:, :2] @ middle
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return Fit(matrix, np.hypot(*(moved - plane).T))


def outlier(points: Floats, plane: Floats, kind: str) -> int | None:
    """Return the one point without which the others fit far better; None if there is none such."""
    least = AFFINE_LEAST if kind == "affine" else LEAST
    if len(points) <= least:
        return None
    whole = float(fit(points, plane, kind).residuals.max())
    rest = []
    for number in range(len(points)):
        kept = np.arange(len(points)) != number
        try:
            rest.append(float(fit(points[kept], plane[kept], kind).residuals.max()))
        except WrongPoints:
            rest.append(np.inf)
    best = int(np.argmin(rest))
    return best if rest[best] * OUTLIER < whole else None


def system(text: str, most_m: float, findings: Findings) -> System:
    """Return the system that control points make, its residuals noted. Raises UnknownSystem after an error."""
    try:
        rows, kind = parse(text)
        local, degrees = rows[:, :2], rows[:, 2:]
        if float(np.ptp(degrees, axis=0).max()) > FARTHEST_DEGREES:
            raise WrongPoints("control_far", most=FARTHEST_DEGREES)
        lon, lat = degrees.mean(axis=0).tolist()
        proj = pyproj.Proj(proj="tmerc", lon_0=lon, lat_0=lat, k=1, x_0=0, y_0=0, ellps="GRS80")
        plane = np.column_stack(proj(degrees[:, 0], degrees[:, 1]))
        found = fit(local, plane, kind)
        _told(found, local, plane, kind, degrees, most_m, findings)
    except WrongPoints as wrong:
        findings.error(wrong.name, **wrong.params)
        raise UnknownSystem(wrong.name) from None

    def convert(points: Floats) -> Floats:
        moved = points @ found.matrix[:, :2].T + found.matrix[:, 2]
        return np.column_stack(proj(moved[:, 0], moved[:, 1], inverse=True))

    west, south = (degrees.min(axis=0) - 1.0).tolist()
    east, north = (degrees.max(axis=0) + 1.0).tolist()
    return System(kind, convert, (west, south, east, north))


def _told(
    found: Fit, local: Floats, plane: Floats, kind: str, degrees: Floats, most_m: float, findings: Findings
) -> None:
    """Say how well the points fit; refuse them where one residual is too large."""
    worst, root = found.worst, float(np.sqrt(np.mean(found.residuals**2)))
    at = (float(degrees[worst, 0]), float(degrees[worst, 1]))
    said: dict[str, Any] = {
        "kind": kind,
        "count": len(local),
        "rms_m": root,
        "worst": worst + 1,
        "worst_m": float(found.residuals[worst]),
    }
    if said["worst_m"] <= most_m:
        findings.note("control_fits", "", at, **said)
        return
    wrong = outlier(local, plane, kind)
    if wrong is not None:
        raise WrongPoints("control_outlier", number=wrong + 1, most_m=most_m, **said)
    raise WrongPoints("control_misfit", most_m=most_m, **said)
