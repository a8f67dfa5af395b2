"""A grid as it is stored: between geo's shapes and operations' rows."""

from typing import cast

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
    """Return the grid that a row keeps."""
    return Grid(
        code=row.code,
        name=row.name,
        kind=row.kind,
        level=row.level,
        parent=row.parent,
        polygon=cast(Polygon | MultiPolygon, shapely.from_wkb(row.wkb)),
        population=row.population,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
