"""The survey 检查: an import that is only looked at, in a process of its own, so that the pages stay quick.

`python -m geo.survey FOLDER` reads FOLDER/task and writes FOLDER/phase while it works and FOLDER/found when it is done.
Whoever started it asks the folder; nothing else is shared.
"""

import resource
import sys
from pathlib import Path
from typing import Any

import msgspec
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geo import importing
from geo.grid import Grid
from geo.importing import Imported
from geo.mapping import GridMapping
from geo.problem import Problem
from geo.sheet import Choice

TASK, PHASE, FOUND, SHAPES = "task", "phase", "found", "shapes"
SECONDS = 900
MEMORY_BYTES = 8 << 30


class Shaped(msgspec.Struct, frozen=True):
    """A grid with its polygon as WKB."""

    code: str
    name: str
    kind: str
    level: int
    parent: str
    wkb: bytes
    population: int | None = None
    valid_from: int | None = None
    valid_to: int | None = None


class Task(msgspec.Struct, frozen=True):
    """What is to be looked at, and how; `reference` are the grids in force."""

    paths: list[str]
    how: dict[str, Any]
    county: str
    reference: list[Shaped]


class Found(msgspec.Struct, frozen=True):
    """What came of it: `importing.Imported` as bytes, but for what is drawn, which stands in SHAPES."""

    grids: list[Shaped]
    problems: list[Problem]
    digest: str
    mapping: dict[str, dict[str, str]]
    choices: list[Choice]
    columns: dict[str, list[str]]


def main(folder: Path) -> int:
    """Do the task of a folder."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    task = msgspec.msgpack.decode((folder / TASK).read_bytes(), type=Task)
    imported = importing.read(
        [Path(path) for path in task.paths],
        msgspec.convert(task.how, GridMapping),
        default_county=task.county,
        reference=[grid(one) for one in task.reference],
        tell=lambda phase: write(folder / PHASE, phase.encode()),
    )
    write(folder / SHAPES, msgspec.msgpack.encode([(code, shapely.to_wkb(shape)) for code, shape in imported.drawn]))
    write(folder / FOUND, msgspec.msgpack.encode(found(imported)))
    return 0


def found(imported: Imported) -> Found:
    """Return an import as bytes."""
    columns = {name: list(values) for name, values in imported.columns.items()}
    used = {label: dict(names) for label, names in imported.mapping.items()}
    grids = [shaped(one) for one in imported.grids]
    return Found(grids, list(imported.problems), imported.digest, used, list(imported.choices), columns)


def imported(found: Found) -> Imported:
    """Return the import that `found` was made of, without what is drawn."""
    grids = tuple(grid(one) for one in found.grids)
    return Imported(grids, tuple(found.problems), found.digest, found.mapping, tuple(found.choices), found.columns)


def shaped(one: Grid) -> Shaped:
    """Return a grid as bytes."""
    values = {name: getattr(one, name) for name in Shaped.__struct_fields__ if name != "wkb"}
    return Shaped(wkb=shapely.to_wkb(one.polygon), **values)


def grid(one: Shaped) -> Grid:
    """Return the grid again."""
    values = {name: getattr(one, name) for name in Shaped.__struct_fields__ if name != "wkb"}
    shape = shapely.from_wkb(one.wkb)
    assert isinstance(shape, Polygon | MultiPolygon)
    return Grid(polygon=shape, **values)


def write(path: Path, raw: bytes) -> None:
    """Write a file so that who reads it finds all of it or the one before."""
    made = path.with_suffix(".new")
    made.write_bytes(raw)
    made.replace(path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
