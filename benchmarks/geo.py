"""`run.py bench geo`: placing points in grids, beside `geopandas.sjoin` in the same run."""

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from config.settings import Settings
from geo.grid import GENERAL, Grid
from geo.locator import Locator
from geo.shapes import Shapes

COLUMNS, ROWS = 80, 75  # 6,000 grids
PIECES = 26  # pieces of each of a grid's four sides: 104 points a grid, 624,000 and more in all
EXTENT = (118.0, 34.9, 118.8, 35.5)
POINTS = 1_000_000
SINGLE_POINTS = 200_000
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


def best(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest of some rounds, in seconds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        begin = perf_counter()
        action()
        times.append(perf_counter() - begin)
    return min(times)


def run(settings: Settings) -> list[dict[str, Any]]:
    """The table's rows; `settings` are not needed, the grids are made here."""
    del settings
    grids = mesh(COLUMNS, ROWS, PIECES)
    vertices = sum(shapely.get_num_coordinates(grid.polygon) for grid in grids)
    west, south, east, north = EXTENT
    random = np.random.default_rng(SEED + 1)
    lons, lats = random.uniform(west, east, POINTS), random.uniform(south, north, POINTS)

    begin = perf_counter()
    locator = Locator.build(grids)
    build_s = perf_counter() - begin
    with tempfile.TemporaryDirectory() as folder:
        locator.save(Path(folder) / "locator.bin", "bench")
        load_s = best(lambda: Locator.load(Path(folder) / "locator.bin", grids, "bench"))
        kept_mib = (Path(folder) / "locator.bin").stat().st_size / 2**20
    ours_s = best(lambda: locator.owners(lons, lats))

    frame = geopandas.GeoDataFrame(geometry=[grid.polygon for grid in grids], crs="EPSG:4326")
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lons, lats), crs="EPSG:4326")
    theirs_s = best(lambda: geopandas.sjoin(points, frame, predicate="within"), rounds=2)
    joined = geopandas.sjoin(points, frame, predicate="within")
    found = locator.owners(joined.geometry.x.to_numpy(), joined.geometry.y.to_numpy())
    differing = sum(
        locator.codes[rank] != grids[right].code
        for rank, right in zip(found.tolist(), joined["index_right"].tolist(), strict=True)
    )

    single = list(zip(lons[:SINGLE_POINTS].tolist(), lats[:SINGLE_POINTS].tolist(), strict=True))
    single_s = best(lambda: [locator.locate(lon, lat) for lon, lat in single])
    outside = [(lon + 1.0, lat) for lon, lat in single[:500]]
    outside_s = best(lambda: [locator.locate(lon, lat) for lon, lat in outside], rounds=1)
    shapes_s = best(lambda: Shapes.build(grids), rounds=1)

    city = f"{len(grids):,} polygons, {vertices:,} vertices"
    return [
        _row("geo.sjoin_ratio", theirs_s / ours_s, "×", ">= 10", f"owners() against geopandas.sjoin(within), {city}, "
             f"{POINTS:,} random points, best of {ROUNDS} and of 2, same process; {differing} answers differ"),
        _row("geo.bulk", POINTS / ours_s, "points/s", "", f"Locator.owners, numpy arrays in and out, {city}"),
        _row("geo.sjoin", POINTS / theirs_s, "points/s", "", "geopandas.sjoin, its points and index made beforehand"),
        _row("geo.single", single_s / SINGLE_POINTS * 1e6, "µs", "< 20", f"Locator.locate, {SINGLE_POINTS:,} points"),
        _row("geo.unplaced", outside_s / len(outside) * 1e6, "µs", "", "Locator.locate 1 degree outside, nearest grid"),
        _row("geo.build", build_s, "s", "< 5", f"Locator.build, {city}"),
        _row("geo.load", load_s, "s", "", f"Locator.load of the {kept_mib:.0f} MiB kept on disk, checksum included"),
        _row("geo.shapes", shapes_s, "s", "", f"Shapes.build, one level at 4 details, {city}"),
    ]  # fmt: skip


def _row(name: str, value: float, unit: str, goal: str, method: str) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "method": method}
