"""A grid as it is stored: between geo's shapes and operations' rows."""

import shapely
from shapely import MultiPolygon, Polygon

from geo.grid import Grid
from operations.grids import GridRow


def to_row(grid: Grid) -> GridRow:
    """Return the row that keeps a grid; its polygon as WKB."""
    return GridRow(
        code=grid.code,
        name=grid.name,
        kind=grid.kind,
        level=grid.level,
        parent=grid.parent,
        wkb=shapely.to_wkb(grid.polygon),
        population=grid.population,
        valid_from=grid.valid_from,
        valid_to=grid.valid_to,
    )


def from_row(row: GridRow) -> Grid:
    """Return the grid that a row keeps. Its polygon may be empty; raises ValueError when it is none."""
    return Grid(
        code=row.code,
        name=row.name,
        kind=row.kind,
        level=row.level,
        parent=row.parent,
        polygon=_polygon(row),
        population=row.population,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _polygon(row: GridRow) -> Polygon | MultiPolygon:
    try:
        found = shapely.from_wkb(row.wkb)
    except shapely.errors.ShapelyError as error:
        raise ValueError(f"grid {row.code}: {error}") from error
    if not isinstance(found, Polygon | MultiPolygon):
        raise ValueError(f"grid {row.code}: no polygon")
    return found
