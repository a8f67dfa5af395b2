"""Whether a ledger's coordinates are in another datum than declared 坐标系核对, as the intake asks of its sources.

Witnesses are the grid or town a camera's civil code or name speaks of, and the place of the same camera as another
source has it. Nothing is changed by it: it is a doubt for whoever imports.
"""

from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from shapely.geometry import Point
from sqlalchemy import Connection

from geo import offset
from geo.gazetteer import Gazetteer
from geo.grid import Grid
from geo.offset import METRES_A_DEGREE, Finding, Shape, Witness
from operations.cameras.item import Item
from operations.tables import camera

Doubt = Finding
MOST = 2_000
"""Cameras that are asked."""
NEAR_METRES = 150.0
"""How far two sources may have the same camera apart."""


def doubt(
    connection: Connection, items: Sequence[Item], source: str, declared: str, grids: Mapping[str, Grid]
) -> Doubt | None:
    """Return what speaks for another datum than the declared one, None when nothing does."""
    placed = [one for one in items if one.lon is not None]
    asked = placed[:: max(1, len(placed) // MOST)][:MOST]
    shapes: dict[str, Shape] = {code: one.polygon for code, one in grids.items() if not one.polygon.is_empty}
    witnesses = list(_named(asked, grids))
    others = _elsewhere(connection, [one.code for one in asked], source)
    shapes |= others
    witnesses += [_witness(one, f"@{one.code}") for one in asked if f"@{one.code}" in others]
    return offset.find(witnesses, declared, shapes)


def _named(items: Sequence[Item], grids: Mapping[str, Grid]) -> Iterator[Witness]:
    places = Gazetteer(grids.values())
    for one in items:
        named = _coded(one.civil_code, grids) or places.find(one.name)
        if named:
            yield _witness(one, named)


def _coded(code: str, grids: Mapping[str, Grid]) -> str:
    """The grid of a civil code, which may be written shorter or longer by pairs of noughts."""
    bare = code.rstrip("0")
    full = (code, *(bare + "0" * (length - len(bare)) for length in (6, 9, 12) if length >= len(bare)))
    return next((one for one in full if len(one) >= 6 and one in grids), "")


def _witness(one: Item, named: str) -> Witness:
    assert one.raw_lon is not None and one.raw_lat is not None
    return Witness(one.raw_lon, one.raw_lat, named)


def _elsewhere(connection: Connection, codes: Sequence[str], source: str) -> dict[str, Shape]:
    """A small disc around each camera that another source has too, by `@code`."""
    columns = camera.c
    found: dict[str, Shape] = {}
    for at in range(0, len(codes), 500):
        query = sa.select(columns.code, columns.lon, columns.lat).where(columns.code.in_(codes[at : at + 500]))
        query = query.where(columns.source != source, columns.gone_at.is_(None), columns.lon.is_not(None))
        for code, lon, lat in connection.execute(query):
            found[f"@{code}"] = Point(lon, lat).buffer(NEAR_METRES / METRES_A_DEGREE)
    return found
