"""A fictional city 演示城市, drawn by our own seeded generator: grids, river, lake and roads.

Nothing of it is real: no boundary, name list or road was taken from anywhere, and it lies in open sea, so that nobody
can take it for a place (yet inside the box where the Chinese datums are defined, so that conversions are exercised).

Leaf grids are cells around points scattered as densely as people would live (`cells.py`, `plan.py`). Cells are grouped
into villages, villages into towns, the river counting as a distance, and parents are unions of their children:
neighbours fit without gap or overlap at every level.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from streams.demo import names
from streams.demo.cells import Cells, Labels, Points, grouped, lifted, spread_out
from streams.demo.plan import LEAVES, STREETS_AT, Line, Plan

SEED = 990101
ORIGIN = (123.05, 35.55)
"""Longitude, latitude (degrees, WGS-84) of the city's centre: open sea."""
METRES_PER_DEGREE = 111_320.0
RIVER_WIDTH = 1200.0
"""Metres by which the river counts when grids are grouped."""
STREET_WEIGHT = 5.0e6
"""Square metres by which a town is preferred to a street of the centre, so that streets stay compact."""
TOWNS_PER_COUNTY = 40


@dataclass(frozen=True)
class Area:
    """One grid of any level (`county`, `town`, `village`, `grid`); `polygon` in degrees, WGS-84.

    `population` is None where nobody is registered.
    """

    code: str
    name: str
    level: str
    parent: str
    population: int | None
    polygon: BaseGeometry


@dataclass(frozen=True)
class Road:
    """A named main road in degrees, WGS-84; rank 1 is a border of grids, 2 is not."""

    name: str
    rank: int
    line: shapely.LineString


@dataclass(frozen=True)
class City:
    """The whole city: areas of all levels (parents first), roads, river and lake."""

    seed: int
    areas: tuple[Area, ...]
    roads: tuple[Road, ...]
    river: shapely.LineString
    lake: shapely.Polygon

    def level(self, level: str) -> list[Area]:
        """All areas of `county`, `town`, `village` or `grid`, in code order."""
        return [area for area in self.areas if area.level == level]

    def geojson(self) -> bytes:
        """The areas as RFC 7946 GeoJSON (longitude first, outer rings counter-clockwise)."""
        return _dump(_feature(area) for area in self.areas)


@cache
def build(seed: int = SEED, grids: int = LEAVES, detail: int = 2) -> City:
    """Draw the city: `grids` leaves, each border bent into 2**detail pieces (5 gives more than 100 vertices a leaf)."""
    plan = Plan(seed, grids)
    cells = Cells.drawn(plan, detail)
    neighbours = cells.neighbours()
    sided = _sided(plan, cells.centres.tolist())
    village_of = grouped(sided, spread_out(sided, plan.village_count, plan.random), neighbours)
    village_centres = np.array([sided[village_of == village].mean(axis=0) for village in range(plan.village_count)])
    weights = np.array([STREET_WEIGHT if town < len(STREETS_AT) else 0.0 for town in range(plan.town_count)])
    town_of = grouped(village_centres, _sided(plan, plan.nuclei), lifted(neighbours, village_of), weights=weights)
    return City(
        seed,
        tuple(_Register(plan, cells, village_of, town_of).areas()),
        tuple(Road(name, rank, shapely.LineString(_degrees(line))) for name, line, rank in plan.roads),
        shapely.LineString(_degrees(plan.river)),
        shapely.Polygon(_degrees(plan.lake)),
    )


def backdrop(city: City) -> bytes:
    """River, lake and roads as GeoJSON for the map to draw; property `kind` is river, lake or road."""
    lines = [("lake", names.LAKE, 1, city.lake), ("river", names.RIVER, 1, city.river)]
    lines += [("road", road.name, road.rank, road.line) for road in city.roads]
    return _dump(
        {
            "type": "Feature",
            "properties": {"kind": kind, "name": name, "rank": rank},
            "geometry": geometry.__geo_interface__,
        }
        for kind, name, rank, geometry in lines
    )


class _Register:
    """Gives counties, towns, villages and leaves their codes, names, kinds and populations."""

    def __init__(self, plan: Plan, cells: Cells, village_of: Labels, town_of: Labels) -> None:
        self.plan, self.centres = plan, cells.centres
        self.names = names.Names(plan.seed)
        self.polygons = shapely.orient_polygons([shapely.Polygon(_degrees(ring)) for ring in cells.rings])
        self.hectares = shapely.area([shapely.Polygon(ring) for ring in cells.rings]) / 10_000
        self.cells_of = [np.flatnonzero(village_of == village) for village in range(plan.village_count)]
        self.villages_of = [np.flatnonzero(town_of == town).tolist() for town in range(plan.town_count)]
        self.village_centres = np.array([self.centres[members].mean(axis=0) for members in self.cells_of])

    def areas(self) -> list[Area]:
        """All areas, parents before children, numbered from north to south and west to east."""
        towns = _surveyed([town for town, members in enumerate(self.villages_of) if members], self._town_centre)
        counties = math.ceil(len(towns) / TOWNS_PER_COUNTY)
        share = math.ceil(len(towns) / counties)
        return [area for i in range(counties) for area in self._county(i, towns[i * share : (i + 1) * share])]

    def _county(self, index: int, towns: list[int]) -> list[Area]:
        code = f"9901{index + 1:02d}"
        serial: Counter[bool] = Counter()
        found: list[list[Area]] = []
        for i, town in enumerate(towns):
            street = town < len(STREETS_AT) or (self.plan.town_count > TOWNS_PER_COUNTY and i % 3 == 0)
            serial[street] += 1
            found.append(self._town(town, f"{code}{serial[street] + (0 if street else 99):03d}", street))
        return _with_parent(code, names.DISTRICTS[index % len(names.DISTRICTS)], "county", "", found)

    def _town(self, town: int, code: str, street: bool) -> list[Area]:
        serial: Counter[bool] = Counter()
        found: list[list[Area]] = []
        for village in _surveyed(self.villages_of[town], lambda v: self.village_centres[v]):
            community = street or math.dist(self.village_centres[village], self.plan.nuclei[town]) < 1500
            serial[community] += 1
            found.append(
                self._village(village, f"{code}{serial[community] + (0 if community else 199):03d}", community)
            )
        return _with_parent(code, self.names.street() if street else self.names.town(), "town", code[:6], found)

    def _village(self, village: int, code: str, community: bool) -> list[Area]:
        name = self.names.community() if community else self.names.village()
        members = _surveyed(self.cells_of[village].tolist(), lambda cell: self.centres[cell])
        leaves = [[self._leaf(cell, code, serial, name, community)] for serial, cell in enumerate(members, 1)]
        return _with_parent(code, name, "village", code[:9], leaves)

    def _leaf(self, cell: int, village: str, serial: int, village_name: str, community: bool) -> Area:
        """A leaf; in communities one in twenty is a school, market, park…, most of those without residents."""
        chance = self.plan.random
        people: int | None = round(min(float(self.hectares[cell]) * 160, 780 * chance.lognormvariate(0.0, 0.35)))
        name = f"{village_name}{serial:02d}网格"
        if community and chance.random() < 0.05:
            place = chance.choice(names.PREMISES)
            name = f"{village_name}{serial:02d}网格（{place}）"
            people = None if place in names.WITHOUT_RESIDENTS else round((people or 0) * 0.3)
        return Area(f"{village}{serial:03d}", name, "grid", village, people, self.polygons[cell])

    def _town_centre(self, town: int) -> Points:
        return np.asarray(self.village_centres[self.villages_of[town]].mean(axis=0))


def _with_parent(code: str, name: str, level: str, parent: str, children: list[list[Area]]) -> list[Area]:
    """The parent of the given families (each with its own head first), followed by all of them."""
    heads = [family[0] for family in children]
    union = shapely.orient_polygons(shapely.coverage_union_all([head.polygon for head in heads]))
    people = sum(head.population or 0 for head in heads)
    return [Area(code, name, level, parent, people, union), *(area for family in children for area in family)]


def _surveyed(indices: Iterable[int], centre: Callable[[int], Points]) -> list[int]:
    """Indices in the order surveyors number by: rows from the north, west to east inside a row."""
    where = {i: centre(i) for i in indices}
    return sorted(where, key=lambda i: (-round(where[i][1] / 1500), where[i][0], i))


def _sided(plan: Plan, points: Line) -> Points:
    """Points with the side of the river as a third coordinate, metres."""
    return np.array([(x, y, plan.side(x, y) * RIVER_WIDTH) for x, y in points])


def _degrees(line: Line) -> Line:
    """Metres from the centre to degrees, rounded to 7 places (1 cm)."""
    east = METRES_PER_DEGREE * math.cos(math.radians(ORIGIN[1]))
    return [(round(ORIGIN[0] + x / east, 7), round(ORIGIN[1] + y / METRES_PER_DEGREE, 7)) for x, y in line]


def _feature(area: Area) -> dict[str, Any]:
    properties = {name: getattr(area, name) for name in ("code", "name", "parent", "population")}
    properties["kind"] = "综合"
    return {"type": "Feature", "properties": properties, "geometry": area.polygon.__geo_interface__}


def _dump(features: Iterable[dict[str, Any]]) -> bytes:
    collection = {"type": "FeatureCollection", "features": list(features)}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()
