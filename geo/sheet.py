"""A sheet 图层: one layer of a foreign file, as features with what is wrong with each, before anybody names columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

Shape = Polygon | MultiPolygon
SAMPLES = 3
SAMPLED = 200  # features looked at for samples


class Broken(Exception):
    """A geometry that cannot be made: the name of the problem, its place in WGS-84, and what it says."""

    def __init__(self, name: str, at: tuple[float, float] | None = None, **params: Any) -> None:
        super().__init__(name)
        self.name, self.at, self.params = name, at, params


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as it was read: the `number`th of `file`. `polygon` is None where the geometry is null or broken.

    `fault` says what is broken; `opened` is the first point of a ring that had to be closed; `shown` is what can be
    drawn of a broken one; `dropped` the place of a ring without area that was left out.
    """

    properties: dict[str, Any]
    id: str
    file: str
    number: int
    polygon: Shape | None = None
    opened: tuple[float, float] | None = None
    fault: Broken | None = None
    shown: BaseGeometry | None = None
    dropped: tuple[float, float] | None = None


@dataclass(frozen=True)
class Sheet:
    """One layer: `label` names file and layer for a person."""

    label: str
    features: list[Feature]
    crs: str = ""


@dataclass(frozen=True)
class Choice:
    """A layer that a file has, chosen or not."""

    file: str
    layer: str
    type: str
    count: int
    read: bool


@dataclass
class Workbook:
    """What one import reads: its sheets, and every layer there was."""

    sheets: list[Sheet] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)


def samples(properties: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return {column: a few of its values}, for a person who says which column is what."""
    found: dict[str, list[str]] = {}
    for number, one in enumerate(properties):
        if number == SAMPLED:
            break
        for name, value in one.items():
            kept, said = found.setdefault(name, []), "" if value is None else str(value)[:60]
            if said and said not in kept and len(kept) < SAMPLES:
                kept.append(said)
    return found
