"""`run.py bench geo`: placing points in grids, beside `geopandas.sjoin` in the same run."""

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from config import clock
from config.settings import Settings
from geo.grid import GENERAL, Grid
from geo.locator import Locator
from geo.shapes import Shapes

COLUMNS, ROWS = 80, 75  # 6,000 grids
PIECES = 26  # pieces of each of a grid's four sides: 104 points a grid, 624,000 and more in all
EXTENT = (118.0, 34.9, 118.8, 35.5)
POINTS = 1_000_000
SINGLE_POINTS = 200_000
OUTSIDE_POINTS = 500
ROUNDS = 3
SEED = 20261


def mesh(columns: int, rows: int, pieces: int, seed: int = SEED) -> list[Grid]:
    """A partition of the extent into columns × rows grids with wiggly borders shared to the last bit."""
    west, south, east, north = EXTENT
    random = np.random.default_rng(seed)
    nodes = np.stack(np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0)), axis=-1)  # (rows+1, columns+1, 2)
    nodes[1:-1, 1:-1] += random.uniform(-0.3, 0.3, (rows - 1, columns - 1, 2))
    scale = np.array([(east - west) / columns, (north - south) / rows])
    across = _sides(nodes[:, :-1], nodes[:, 1:], pieces, random) * scale + (west, south)
    up = _sides(nodes[:-1], nodes[1:], pieces, random) * scale + (west, south)
    grids = []
    for row in range(rows):
        for column in range(columns):
            ring = np.vstack(
                [across[row, column], up[row, column + 1], across[row + 1, column][::-1], up[row, column][::-1]]
            )
            code = f"990101{row + 1:03d}001{column + 1:03d}"
            grids.append(Grid(code, f"网格{code[-9:]}", GENERAL, 4, code[:12], shapely.Polygon(ring), 1000))
    return grids


def _sides(start: NDArray[Any], end: NDArray[Any], pieces: int, random: np.random.Generator) -> NDArray[Any]:
    """Wiggly lines from each start to its end: (..., pieces + 1, 2)."""
    share = np.linspace(0.0, 1.0, pieces + 1)[:, None]
    step = (end - start)[..., None, :]
    wiggle = random.uniform(-0.09, 0.09, (*start.shape[:-1], pieces + 1, 1)) * np.minimum(share, 1 - share) * 2
    line = start[..., None, :] + share * step + wiggle * step[..., ::-1] * (-1.0, 1.0)
    line[..., 0, :], line[..., -1, :] = start, end
    return np.asarray(line)


class Spent(NamedTuple):
    """Seconds something took: by the clock, and of the processor (one thread; what others do adds little to it)."""

    elapsed: float
    worked: float


def spent(action: Callable[[], object]) -> Spent:
    gc.collect()
    elapsed, worked = clock.monotonic(), clock.worked()
    action()
    return Spent(clock.monotonic() - elapsed, clock.worked() - worked)


def best(times: list[Spent]) -> Spent:
    """The shortest of each kind."""
    return Spent(min(one.elapsed for one in times), min(one.worked for one in times))


def run(settings: Settings) -> list[dict[str, Any]]:
    """The table's rows; `settings` are not needed, the grids are made here."""
    del settings
    grids = mesh(COLUMNS, ROWS, PIECES)
    vertices = sum(shapely.get_num_coordinates(grid.polygon) for grid in grids)
    west, south, east, north = EXTENT
    random = np.random.default_rng(SEED + 1)
    lons, lats = random.uniform(west, east, POINTS), random.uniform(south, north, POINTS)

    built: list[Locator] = []
    build = spent(lambda: built.append(Locator.build(grids)))
    locator = built[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "locator.bin"
        locator.save(path, "bench")
        load = best([spent(lambda: Locator.load(path, grids, "bench")) for _ in range(ROUNDS)])
        kept_mib = path.stat().st_size / 2**20

    frame = geopandas.GeoDataFrame(geometry=[grid.polygon for grid in grids], crs="EPSG:4326")
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lons, lats), crs="EPSG:4326")
    rounds = [
        (
            spent(lambda: locator.owners(lons, lats)),
            spent(lambda: geopandas.sjoin(points, frame, predicate="within")),
        )
        for _ in range(ROUNDS)
    ]
    ours, theirs = best([one for one, _ in rounds]), best([other for _, other in rounds])
    joined = geopandas.sjoin(points, frame, predicate="within")
    found = locator.owners(joined.geometry.x.to_numpy(), joined.geometry.y.to_numpy())
    differing = sum(
        locator.codes[rank] != grids[right].code
        for rank, right in zip(found.tolist(), joined["index_right"].tolist(), strict=True)
    )

    pairs = list(zip(lons[:SINGLE_POINTS].tolist(), lats[:SINGLE_POINTS].tolist(), strict=True))
    single = best([spent(lambda: [locator.locate(*pair) for pair in pairs]) for _ in range(ROUNDS)])
    outside = [(lon + 1.0, lat) for lon, lat in pairs[:OUTSIDE_POINTS]]
    unplaced = spent(lambda: [locator.locate(*pair) for pair in outside])
    shapes = spent(lambda: Shapes.build(grids))

    city = f"{len(grids):,} polygons, {vertices:,} vertices"
    how = f"processor time of one thread, best of {ROUNDS}"
    by_clock = theirs.elapsed / ours.elapsed
    return [
        _row("geo.sjoin_ratio", theirs.worked / ours.worked, "×", ">= 10",
             f"geopandas.sjoin(within) over Locator.owners, {city}, {POINTS:,} random points, rounds in turn, {how}; "
             f"{by_clock:.1f} × by the clock; {differing} answers differ"),
        _row("geo.bulk", POINTS / ours.worked, "points/s", "", f"Locator.owners, numpy arrays in and out, {how}"),
        _row("geo.sjoin", POINTS / theirs.worked, "points/s", "", f"geopandas.sjoin of ready GeoDataFrames, {how}"),
        _row("geo.single", single.worked / len(pairs) * 1e6, "µs", "< 20",
             f"Locator.locate, random points, {how}; {single.elapsed / len(pairs) * 1e6:.1f} by the clock"),
        _row("geo.unplaced", unplaced.worked / len(outside) * 1e6, "µs", "", "Locator.locate 1 degree away, nearest"),
        _row("geo.build", build.worked, "s", "< 5", f"Locator.build, {city}; {build.elapsed:.1f} s by the clock"),
        _row("geo.load", load.elapsed, "s", "", f"Locator.load of {kept_mib:.0f} MiB with its checksum, by the clock"),
        _row("geo.shapes", shapes.worked, "s", "", f"Shapes.build, 4 details; {shapes.elapsed:.1f} by the clock"),
    ]  # fmt: skip


def _row(name: str, value: float, unit: str, goal: str, method: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "method": method}
