"""The plan of the fictional city, in metres from its centre: outline, towns, water, roads, how densely people live."""

import math
import random

import shapely

from streams.demo import names

Point = tuple[float, float]
Line = list[Point]

LEAVES = 1900
RADIUS = 18_000.0
"""Mean radius of the city in metres."""
STREETS_AT: Line = [(-1500.0, 1300.0), (1700.0, 1500.0), (1500.0, -2900.0), (-1900.0, -2700.0)]
"""Four sub-districts share the city's centre, two on each side of the river."""
CENTRE_SHARE, TOWN_SHARE, COUNTRY_SHARE = 0.42, 0.26, 0.32
CENTRE_SPREAD, TOWN_SPREAD = 2600.0, 900.0


class Plan:
    """Where people live, where water and roads run; drawn from the seed alone."""

    def __init__(self, seed: int, grids: int) -> None:
        self.seed, self.grids = seed, grids
        self.random = random.Random(seed)
        scale = grids / LEAVES
        self.village_count = round(120 * scale**0.75)
        self.town_count = max(len(STREETS_AT) + 2, round(12 * scale**0.5))
        self.outline = self._outline()
        self.shape = shapely.Polygon(self.outline)
        shapely.prepare(self.shape)
        self.nuclei = self._nuclei()
        self.river = self._river()
        self.lake = self._lake()
        self.roads = self._roads()

    def inside(self, x: float, y: float) -> bool:
        """Whether a point lies in the city."""
        return bool(shapely.contains_xy(self.shape, x, y))

    def side(self, x: float, y: float) -> int:
        """1 north of the river, -1 south of it."""
        return 1 if y > river_northing(x) else -1

    def size(self, x: float, y: float) -> float:
        """Wanted width of a leaf at a point, metres."""
        density = COUNTRY_SHARE / self.shape.area + _hill(x, y, CENTRE_SHARE, CENTRE_SPREAD)
        towns = self.nuclei[len(STREETS_AT) :]
        for cx, cy in towns:
            density += _hill(x - cx, y - cy, TOWN_SHARE / len(towns), TOWN_SPREAD)
        return 1 / math.sqrt(self.grids * density)

    def home(self) -> Point:
        """A random point, as likely as people live there; it may fall outside the outline."""
        draw, towns = self.random.random(), self.nuclei[len(STREETS_AT) :]
        if draw < CENTRE_SHARE:
            return self.random.gauss(0.0, CENTRE_SPREAD), self.random.gauss(0.0, CENTRE_SPREAD)
        if draw < CENTRE_SHARE + TOWN_SHARE:
            x, y = self.random.choice(towns)
            return self.random.gauss(x, TOWN_SPREAD), self.random.gauss(y, TOWN_SPREAD)
        return self._anywhere()

    def _anywhere(self) -> Point:
        west, south, east, north = self.shape.bounds
        return self.random.uniform(west, east), self.random.uniform(south, north)

    def _outline(self) -> Line:
        waves = [
            (k, self.random.uniform(0.03, 0.16) / k**0.5, self.random.uniform(0, math.tau)) for k in (2, 3, 4, 5, 7)
        ]

        def radius(angle: float) -> float:
            return RADIUS * (1 + sum(size * math.cos(k * angle + phase) for k, size, phase in waves))

        angles = [math.tau * i / 720 for i in range(720)]
        return [(1.2 * radius(a) * math.cos(a), 0.9 * radius(a) * math.sin(a)) for a in angles]

    def _nuclei(self) -> Line:
        """Centres of streets and towns; each town is the candidate farthest from those before it."""
        found = list(STREETS_AT)
        inner = self.shape.buffer(-2800)
        while len(found) < self.town_count:
            candidates = [self._anywhere() for _ in range(80)]
            allowed = [
                point for point in candidates if shapely.contains_xy(inner, *point) and math.hypot(*point) > 6500
            ]
            if allowed:
                found.append(max(allowed, key=lambda point: min(math.dist(point, other) for other in found)))
        return found

    def _river(self) -> Line:
        run = [(float(x), river_northing(x)) for x in range(-30_000, 30_001, 250)]
        kept = [i for i, point in enumerate(run) if self.inside(*point)]
        return run[kept[0] - 1 : kept[-1] + 2]

    def _lake(self) -> Line:
        cx, cy = STREETS_AT[1][0] + 2600, STREETS_AT[1][1] + 1500
        steps = [math.tau * i / 48 for i in range(48)]
        sizes = [620 * (1 + 0.22 * math.sin(2 * a + 1) + 0.1 * math.sin(5 * a)) for a in steps]
        return [(cx + 1.5 * r * math.cos(a), cy + r * math.sin(a)) for a, r in zip(steps, sizes, strict=True)]

    def _roads(self) -> list[tuple[str, Line, int]]:
        """Name, line and rank (1 is a border of grids, 2 is not) of each main road, the ring first."""
        angles = [math.tau * i / 90 for i in range(91)]
        ring = [
            ((4300 + 350 * math.sin(2 * a)) * math.cos(a), -400 + (3900 + 300 * math.cos(3 * a)) * math.sin(a))
            for a in angles
        ]
        towns = self.nuclei[len(STREETS_AT) :]
        lines = [
            (ring, 1),
            (self._crossing(0.0, 250.0), 1),
            (self._crossing(math.pi / 2, -300.0), 1),
            (self._crossing(math.pi / 2 + 0.06, 1750.0, 6500.0), 2),
            (self._crossing(0.05, 2300.0, 6500.0), 2),
            (self._crossing(-0.06, -4100.0, 6500.0), 2),
            ([(x, y + 420) for x, y in self.river if abs(x) < 7000], 2),
            *((_spoke(town), 2) for town in towns),
        ]
        return [(name, line, rank) for name, (line, rank) in zip(names.roads(len(lines)), lines, strict=True)]

    def _crossing(self, angle: float, offset: float, reach: float = 30_000.0) -> Line:
        """A gently bent road through the city at an angle, `offset` metres beside the centre, cut at the outline."""
        line: Line = []
        for t in range(-int(reach), int(reach) + 1, 400):
            bend = offset + 600 * math.sin(t / 4200 + offset) + 250 * math.sin(t / 1700)
            x, y = t * math.cos(angle) - bend * math.sin(angle), t * math.sin(angle) + bend * math.cos(angle)
            if self.inside(x, y):
                line.append((x, y))
        return line


def river_northing(x: float) -> float:
    """The river's northing at an easting, metres."""
    u = x / RADIUS
    return 1000.0 * (-3.2 + 2.6 * math.sin(2.3 * u - 0.4) + 0.9 * math.sin(5.1 * u + 1.0) + 0.3 * math.sin(17 * u))


def _hill(dx: float, dy: float, share: float, spread: float) -> float:
    return share * math.exp(-(dx * dx + dy * dy) / (2 * spread**2)) / (math.tau * spread**2)


def _spoke(town: Point) -> Line:
    """A road from the ring to a town's centre and a little beyond."""
    distance = math.hypot(*town)
    ux, uy = town[0] / distance, town[1] / distance
    count = max(8, int(distance / 500))
    start = 4200 / distance
    steps = [start + (1.06 - start) * i / count for i in range(count + 1)]
    return [
        (town[0] * t - uy * 480 * math.sin(6 * (t - start)), town[1] * t + ux * 480 * math.sin(6 * (t - start)))
        for t in steps
    ]
