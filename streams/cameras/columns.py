"""Which column of a ledger says what 字段对应: files of config/camera_mappings, and which of them fits a file best."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

MAPPINGS = Path(__file__).parents[2] / "config" / "camera_mappings"
CODES, DEGREES = "codes", "degrees"
"""How a column of directions is to be read: DirectionType of GB/T 28181, or degrees clockwise from north."""
CODED = frozenset({"gbDirectionType", "directionType", "DirectionType"})
"""Columns that hold codes whatever stands in them."""


class Columns(Struct, frozen=True):
    """Field of a camera → its columns, the first that is filled counts; `direction`: CODES, DEGREES, or "" to judge by
    what stands in the whole column.
    """

    name: str
    fields: dict[str, tuple[str, ...]]
    direction: str = ""


def mapping(name: str = "usual") -> Columns:
    """Return a mapping of config/camera_mappings by its name. Raises OSError for one that is none."""
    told = tomllib.loads((MAPPINGS / f"{name}.toml").read_text(encoding="utf-8"))
    reading = told.pop("reading", {})
    return Columns(name, {field: tuple(columns) for field, columns in told.items()}, reading.get("direction", ""))


def names() -> list[str]:
    """Return the names of all mappings, the usual one first."""
    return sorted((file.stem for file in MAPPINGS.glob("*.toml")), key=lambda name: (name != "usual", name))


def proposed(present: Collection[str]) -> Columns:
    """Return the mapping that finds most columns of a file, cut to those that are there."""
    there = set(present)
    cut = [narrowed(mapping(name), there) for name in names()]
    return max(cut, key=lambda one: len(one.fields))


def narrowed(one: Columns, there: Collection[str]) -> Columns:
    """Return a mapping without the columns a file does not have."""
    left = {field: tuple(name for name in wanted if name in there) for field, wanted in one.fields.items()}
    return Columns(one.name, {field: wanted for field, wanted in left.items() if wanted}, one.direction)


def chosen(name: str, picked: Mapping[str, str]) -> Columns:
    """Return what somebody chose: field → column, read as the mapping of that name says."""
    fields: dict[str, tuple[str, ...]] = {field: (column,) for field, column in picked.items() if column}
    return Columns(name, fields, mapping(name).direction if name in names() else "")


def coded(one: Columns, rows: Sequence[Mapping[str, object]]) -> bool:
    """Say whether the numbers of a ledger's directions are codes: all of them are 1 to 8, or the column says so."""
    wanted = one.fields.get("direction", ())
    if one.direction:
        return one.direction == CODES
    if wanted and set(wanted) <= CODED:
        return True
    numbers = {text for row in rows for name in wanted if (text := str(row.get(name, "")).strip())[:1].isdigit()}
    return bool(numbers - {"0"}) and numbers <= set("012345678")
