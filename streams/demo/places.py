"""Where things happen in the fictional city: leaves with their weight, addresses, and points in them."""

import random
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import shapely

from streams.demo import names
from streams.demo.city import Area, City

HEAVY_TAIL = 1.25
"""Exponent of the Pareto weights of leaves: few places report much, many little (rates.json: 7 % of areas, 24 %)."""
HEAVIEST = 14.0
GROUPS = tuple(f"{n:02d}" for n in range(1, 10))


@dataclass(frozen=True)
class Spot:
    """One leaf with the words for it; `tastes` multiplies the share of each group of types here."""

    leaf: Area
    town: str
    village: str
    road: str
    cross: str
    urban: bool
    tastes: dict[str, float]

    def estate(self, chance: random.Random) -> str:
        """One of the three housing estates of its village."""
        return names.estate(self.leaf.parent, chance.randrange(3))

    def point(self, chance: random.Random) -> tuple[float, float]:
        """A random point inside the leaf, degrees, WGS-84."""
        west, south, east, north = self.leaf.polygon.bounds
        for _ in range(60):
            lon, lat = chance.uniform(west, east), chance.uniform(south, north)
            if shapely.contains_xy(self.leaf.polygon, lon, lat):
                return lon, lat
        inside = self.leaf.polygon.representative_point()
        return inside.x, inside.y


class Places:
    """All spots of a city, drawn by weight."""

    def __init__(self, city: City) -> None:
        self.outline = shapely.union_all([area.polygon for area in city.level("county")])
        self._boundary = shapely.LineString(shapely.get_coordinates(self.outline.convex_hull))
        self.spots = _spots(city)
        self._bounds = list(accumulate(_weight(city.seed, spot) for spot in self.spots))

    def draw(self, chance: random.Random, group: str) -> Spot:
        """A spot by its weight, more likely where this group of types is common."""
        for _ in range(12):
            spot = chance.choices(self.spots, cum_weights=self._bounds)[0]
            if chance.random() < spot.tastes[group] / 3:
                return spot
        return spot

    def draw_near(self, chance: random.Random, centre: tuple[float, float], spread: float) -> Spot:
        """A spot near a point (degrees), for what a storm brings."""
        wanted = chance.gauss(centre[0], spread), chance.gauss(centre[1], spread)
        candidates = chance.sample(self.spots, 40)
        return min(candidates, key=lambda spot: _distance(spot.leaf, wanted))

    def outside(self, chance: random.Random) -> tuple[float, float]:
        """A point a few hundred metres to three kilometres outside the city."""
        there = self._boundary.interpolate(chance.random(), normalized=True)
        away = self.outline.centroid
        push = 1 + chance.uniform(0.02, 0.14)
        return away.x + (there.x - away.x) * push, away.y + (there.y - away.y) * push


@cache
def of(city: City) -> Places:
    """The places of a city, made once."""
    return Places(city)


def _spots(city: City) -> list[Spot]:
    named = {area.code: area.name for area in city.areas}
    tree = shapely.STRtree([road.line for road in city.roads])
    found = []
    for leaf in city.level("grid"):
        centre = leaf.polygon.centroid
        by_distance = sorted(tree.query_nearest(centre.buffer(0.004), all_matches=True).tolist())
        road = city.roads[int(tree.nearest(centre))].name
        others = [city.roads[i].name for i in by_distance if city.roads[i].name != road]
        found.append(
            Spot(
                leaf,
                named[leaf.code[:9]],
                named[leaf.parent],
                road,
                others[0] if others else names.side_street(leaf.parent),
                int(leaf.code[9:12]) < 200,
                _tastes(city.seed, leaf.parent),
            )
        )
    return found


def _tastes(seed: int, village: str) -> dict[str, float]:
    chance = random.Random(f"{seed} tastes {village}")
    tastes = {group: min(3.0, chance.lognormvariate(0.0, 0.55)) for group in GROUPS}
    if int(village[9:12]) >= 200:  # villages: fewer traders and lifts, more land and water
        tastes |= {"04": tastes["04"] * 0.7, "06": tastes["06"] * 0.8}
    return tastes


def _weight(seed: int, spot: Spot) -> float:
    heavy = min(HEAVIEST, random.Random(f"{seed} weight {spot.leaf.code}").paretovariate(HEAVY_TAIL))
    people = spot.leaf.population if spot.leaf.population is not None else 250
    return heavy * (people + 80) * (1.0 if spot.urban else 0.55)


def _distance(leaf: Area, point: tuple[float, float]) -> float:
    west, south, east, north = leaf.polygon.bounds
    return ((west + east) / 2 - point[0]) ** 2 + ((south + north) / 2 - point[1]) ** 2
