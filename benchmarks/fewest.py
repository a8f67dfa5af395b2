"""`run.py bench fewest`: the fewest cameras for a place among 50,000, beside the union of drawn sectors.

The usual way, in the same run: every camera's sector as a polygon in a tree, those that meet the place cut with it, and
again and again the one that adds most area until as much is covered; nothing tells whether fewer would do. Both take
cameras of unknown direction only for what no other covers.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from config import clock
from config.settings import Settings
from geo.fewest import FIELD_ANGLE, VIEW_DISTANCE, Views, propose, surplus
from geo.samples import around
from geo.sight import View, sector

CAMERAS, GATHERED, CENTRES = 50_000, 2_000, 40
EXTENT = (118.0, 35.0, 118.5, 35.4)
SQUARE = (118.25, 35.2)
QUESTIONS, USUAL_QUESTIONS = 600, 60
RADII = (30, 50, 100, 150, 200, 500)
MOST, WANT = 16, 0.95
SEED = 20267


class Drawn(NamedTuple):
    """Sectors of all cameras, a tree of them, and whose direction is known."""

    sectors: NDArray[Any]
    tree: shapely.STRtree
    known: NDArray[np.bool_]


def run(settings: Settings) -> list[dict[str, Any]]:
    """Return the figures of a city, and of the square in it that 2,000 cameras look at."""
    spots, ways = city()
    begun = clock.worked()
    views = Views(
        [f"{number:036d}" for number in range(CAMERAS)], *spots.T, direction=ways,
        angle=np.full(CAMERAS, FIELD_ANGLE), metres=np.full(CAMERAS, VIEW_DISTANCE),
    )  # fmt: skip
    figures = [_figure("ours: index made", clock.worked() - begun, "s", "once a start, processor time")]
    begun = clock.worked()
    sectors = np.array([drawn(lon, lat, way) for (lon, lat), way in zip(spots.tolist(), ways.tolist(), strict=True)])
    drawn_all = Drawn(sectors, shapely.STRtree(sectors), ~np.isnan(ways))
    figures.append(_figure("drawn sectors: index made", clock.worked() - begun, "s", "the same"))
    chance = random.Random(SEED)
    chosen = chance.choices(spots.tolist(), k=QUESTIONS)
    everywhere = [around(lon, lat, chance.choice(RADII)) for lon, lat in chosen]
    crowded = [
        around(SQUARE[0] + chance.uniform(-0.001, 0.001), SQUARE[1] + chance.uniform(-0.001, 0.001), metres)
        for metres in RADII
        for _ in range(QUESTIONS // len(RADII))
    ]
    for name, places in (("city", everywhere), ("crowded square", crowded)):
        figures += _compared(name, places, views, drawn_all)
    return figures


def city() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where they stand, closer in the centres and closest at one square, and where they look (NaN: unknown)."""
    chance = np.random.default_rng(SEED)
    centres = chance.uniform(EXTENT[:2], EXTENT[2:], (CENTRES, 2))
    spots = centres[chance.integers(0, CENTRES, CAMERAS)] + chance.normal(0, 0.008, (CAMERAS, 2))
    spots[: CAMERAS // 3] = chance.uniform(EXTENT[:2], EXTENT[2:], (CAMERAS // 3, 2))
    spots[:GATHERED] = SQUARE + chance.uniform(-0.0015, 0.0015, (GATHERED, 2))
    ways = chance.uniform(0, 360, CAMERAS)
    ways[chance.random(CAMERAS) < 0.2] = np.nan
    return spots, ways


def drawn(lon: float, lat: float, way: float) -> Polygon:
    """Return a camera's sector, where its direction is unknown the whole circle."""
    whole = way != way
    return sector(View(lon, lat, 0.0 if whole else way, 360.0 if whole else FIELD_ANGLE, VIEW_DISTANCE))


def usual(place: BaseGeometry, drawn_all: Drawn) -> list[int]:
    """Return the ranks chosen by what each adds: those of known direction, then others for the rest."""
    near = np.sort(drawn_all.tree.query(place, predicate="intersects"))
    chosen: list[int] = []
    rest, sure, wanted = place, shapely.union_all([]), 0.0
    for ranks in (near[drawn_all.known[near]], near[~drawn_all.known[near]]):
        cut = _areas(shapely.difference(_areas(shapely.intersection(drawn_all.sectors[ranks], place)), sure))
        sure = shapely.union_all(cut)
        wanted += WANT * sure.area
        while len(chosen) < MOST and place.area - rest.area < wanted - 1e-15 and len(cut):
            gains = shapely.area(shapely.intersection(cut, rest))
            best = int(gains.argmax())
            if gains[best] <= 0:
                break
            chosen.append(int(ranks[best]))
            rest = _areas(shapely.difference(rest, cut[best]))
    return chosen


def _areas(shapes: Any) -> Any:
    """Return shapes without the lines and points left where two only touch, which GEOS cannot cut again."""
    return shapely.buffer(shapes, 0)


def _compared(name: str, places: list[BaseGeometry], views: Views, drawn_all: Drawn) -> list[dict[str, Any]]:
    """Return what questions took both ways, and how often fewer were proposed."""
    took, clocked, asked, proven = [], [], [], 0
    ours = {}
    for number, place in enumerate(places):
        begun, work = clock.monotonic(), clock.worked()
        found = propose(place, views, most=MOST, want=WANT)
        took.append(1000 * (clock.worked() - work))
        clocked.append(1000 * (clock.monotonic() - begun))
        proven += found.exact
        ours[number] = found
        work = clock.worked()
        surplus(place, views, views.ids[:MOST], want=WANT)
        asked.append(1000 * (clock.worked() - work))
    theirs, counts = [], []
    step = max(1, len(places) // USUAL_QUESTIONS)
    for number in range(0, len(places), step):
        work = clock.worked()
        chosen = usual(places[number], drawn_all)
        theirs.append(1000 * (clock.worked() - work))
        if ours[number].enough and len(chosen) < MOST:
            counts.append((len(ours[number].ids), len(chosen)))
    way = f"{len(places)} circles of {RADII[0]}-{RADII[-1]} m, {CAMERAS:,} cameras, {MOST} at most, {WANT:.0%} wanted"
    fewer = (
        f"{len(theirs)} of these circles; where neither needs {MOST}: {sum(one for one, _ in counts)} cameras by ours, "
    )
    fewer += f"{sum(other for _, other in counts)} by this"
    return [
        _figure(f"{name}: questions/s", 1000 * len(took) / sum(took), "", way + ", processor time"),
        _figure(f"{name}: median", sorted(took)[len(took) // 2], "ms", f"{proven / len(took):.0%} proven the fewest"),
        _figure(f"{name}: longest", max(took), "ms", f"processor time; by the clock {max(clocked):.0f} ms", "< 200"),
        _figure(
            f"{name}: longest of what is too many", max(asked), "ms", f"{MOST} asked for, the same places", "< 200"
        ),
        _figure(f"{name}: drawn sectors, questions/s", 1000 * len(theirs) / sum(theirs), "", fewer),
        _figure(f"{name}: drawn sectors, median", sorted(theirs)[len(theirs) // 2], "ms", "the same"),
        _figure(f"{name}: drawn sectors, longest", max(theirs), "ms", "the same"),
    ]


def _figure(name: str, value: float, unit: str, method: str, goal: str = "") -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "method": method}
