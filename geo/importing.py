"""Import of grids 网格导入 from files: all or nothing, with a list of what is wrong and where.

One import is one whole version of the city's grids, in as many files as there are. An error means that nothing is
imported; a warning is told and imported. The rules and thresholds are in `docs/grids.md`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo import crs, datum, faults, formats, hierarchy, mapping
from geo.crs import Floats, System, UnknownSystem
from geo.faults import Shape
from geo.grid import GENERAL, Grid, digest
from geo.mapping import GridMapping
from geo.problem import Findings, Problem
from geo.sheet import Choice, Feature, samples

PHASES = ("read", "grids", "areas", "done")
SUSPECT_LEAST = 3  # so many grids must fit better under another datum before we speak of it
SUSPECT_LOSS = 0.005  # of the area, that must lie outside before another datum is tried


@dataclass(frozen=True)
class Imported:
    """`grids` is empty when there was an error; `digest` names the set; `mapping` is {file: {field: property}}.

    For a person who looks at it: `choices` are the layers there were, `columns` {property: samples}, `drawn` every
    shape by its code, also of a file that is refused.
    """

    grids: tuple[Grid, ...]
    problems: tuple[Problem, ...]
    digest: str
    mapping: Mapping[str, Mapping[str, str]]
    choices: tuple[Choice, ...] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    drawn: Sequence[tuple[str, BaseGeometry]] = ()

    @property
    def ok(self) -> bool:
        """True if the grids may be used."""
        return bool(self.grids)


@dataclass(slots=True)
class _Draft:
    """A grid on its way: its parent and level may not be known yet."""

    grid: Grid
    file: str
    said_parent: str | None  # None where its file names no parents


def read(
    paths: Path | Sequence[Path],
    how: GridMapping | None = None,
    *,
    default_county: str = "",
    reference: Iterable[Grid] = (),
    tell: Callable[[str], None] = lambda phase: None,
) -> Imported:
    """The grids of one or several files, and everything wrong with them; never raises for what is in the files.

    `default_county` is this city's county code: other codes are told. `reference` is the version in force: a whole file
    that is shifted against it, as by a wrong datum, is told. `tell` hears which of PHASES begins.
    """
    how, findings = how or GridMapping(), Findings()
    drafts: list[_Draft] = []
    used: dict[str, dict[str, str]] = {}
    columns: dict[str, list[str]] = {}
    drawn: list[tuple[str, BaseGeometry]] = []
    tell("read")
    book = formats.read([paths] if isinstance(paths, Path) else paths, how.layers, *_system(how, findings), findings)
    tell("grids")
    for sheet in book.sheets:
        guessed = how.guessed(feature.properties for feature in sheet.features)
        used[sheet.label] = guessed.named()
        columns |= samples(feature.properties for feature in sheet.features)
        for feature in sheet.features:
            draft = _draft(feature, guessed, findings)
            drafts += [draft] if draft is not None else []
            drawn += _drawn(feature, draft, guessed)
    _check_codes(drafts, default_county, how, findings)
    grids: list[Grid] = []
    if not findings.fatal:
        grids = _dissolved(_placed(drafts, how, findings), findings)
    if grids and not findings.fatal:
        tell("areas")
        _check_areas(grids, drafts, how, list(reference), findings)
    if not grids and not findings.fatal:
        findings.error("no_features", file=", ".join(used))
    kept = () if findings.fatal else tuple(sorted(grids, key=lambda grid: grid.code))
    tell("done")
    name = digest(kept) if kept else ""
    return Imported(kept, tuple(findings.problems()), name, used, tuple(book.choices), columns, drawn)


def _system(how: GridMapping, findings: Findings) -> tuple[System | None, str]:
    """The coordinate system somebody named, and the encoding."""
    try:
        return (crs.system(how.crs) if how.crs else None), how.encoding
    except UnknownSystem:
        findings.error("unknown_crs", file="", crs=how.crs[:80])
        return None, how.encoding


def _drawn(feature: Feature, draft: _Draft | None, how: GridMapping) -> list[tuple[str, BaseGeometry]]:
    """What can be drawn of a feature, under its code."""
    shape = (
        draft.grid.polygon if draft is not None else feature.polygon if feature.polygon is not None else feature.shown
    )
    code = mapping.text(feature.properties.get(how.code)) or feature.id
    return [] if shape is None or shape.is_empty else [(code, shape)]


def _draft(feature: Feature, how: GridMapping, findings: Findings) -> _Draft | None:
    said = feature.properties
    code = mapping.text(said.get(how.code)) or feature.id
    if not code:
        findings.error("no_code", file=feature.file, number=feature.number, names=", ".join(list(said)[:12]))
        return None
    if feature.fault is not None:
        fault = feature.fault
        findings.error(fault.name, code, fault.at, file=feature.file, number=feature.number, **fault.params)
        return None
    if feature.opened is not None:
        findings.warning("unclosed", code, feature.opened)
    shape = feature.polygon
    if shape is not None:
        shape = faults.sound(shape, code, findings)
        if shape is None:
            return None
    name = mapping.text(said.get(how.name))
    if not name:
        findings.warning("no_name", code)
    grid = Grid(
        code=code,
        name=name or code,
        kind=_kind(said.get(how.kind), code, findings),
        level=_number(said.get(how.level), code, findings),
        parent="",
        polygon=shape if shape is not None else shapely.Polygon(),
        population=_population(said.get(how.population), code, findings),
        valid_from=_moment(said.get(how.valid_from), how, code, findings),
        valid_to=_moment(said.get(how.valid_to), how, code, findings),
    )
    if grid.valid_from is not None and grid.valid_to is not None and grid.valid_from >= grid.valid_to:
        findings.error("validity", code)
    return _Draft(grid, feature.file, mapping.text(said.get(how.parent)) if how.parent else None)


def _kind(value: object, code: str, findings: Findings) -> str:
    word = mapping.text(value)
    kind = mapping.KIND_WORDS.get(word.casefold())
    if kind is None:
        findings.warning("unknown_kind", code, value=word)
    return kind or GENERAL


def _number(value: object, code: str, findings: Findings) -> int:
    word = mapping.text(value)
    if word and not (word.isascii() and word.isdigit() and 0 < int(word) < 10):
        findings.warning("level", code, value=word)
        return 0
    return int(word or 0)


def _population(value: object, code: str, findings: Findings) -> int | None:
    try:
        return mapping.population(value)
    except ValueError:
        findings.warning("population", code, value=mapping.text(value))
        return None


def _moment(value: object, how: GridMapping, code: str, findings: Findings) -> int | None:
    try:
        return mapping.moment(value, how.time_zone)
    except ValueError:
        findings.warning("date", code, value=mapping.text(value))
        return None


def _check_codes(drafts: Sequence[_Draft], default_county: str, how: GridMapping, findings: Findings) -> None:
    files: dict[str, list[str]] = {}
    for draft in drafts:
        files.setdefault(draft.grid.code, []).append(draft.file)
    for code, where in files.items():
        if "/" in code or not code.isprintable():
            findings.error("bad_code", code)
        if len(where) > 1:
            findings.error("duplicate_code", code, count=len(where), files=", ".join(sorted(set(where))))
    if default_county and _coded(drafts, how):
        length = len(default_county)
        for county, count in sorted(Counter(code[:length] for code in files).items()):
            if county != default_county:
                findings.warning("other_county", county, count=count, expected=default_county)


def _coded(drafts: Iterable[_Draft], how: GridMapping) -> bool:
    """Whether every general grid has a code of the 6 + 3 + 3 + 3 kind."""
    codes = [draft.grid.code for draft in drafts if draft.grid.kind == GENERAL]
    return bool(codes) and all(hierarchy.code_level(code, how.code_lengths) for code in codes)


def _placed(drafts: Sequence[_Draft], how: GridMapping, findings: Findings) -> list[Grid]:
    """The grids with their parents and levels."""
    general = [draft for draft in drafts if draft.grid.kind == GENERAL]
    coded = _coded(drafts, how)
    prefixes = hierarchy.by_code([draft.grid.code for draft in general], how.code_lengths) if coded else {}
    if coded:
        parents = dict(prefixes)
    elif any(draft.said_parent is not None for draft in general):
        parents = {draft.grid.code: draft.said_parent or "" for draft in general}
    else:
        parents = _parents_by_area(general)
    for draft in drafts:
        grid, said = draft.grid, draft.said_parent
        if grid.kind != GENERAL:
            parents[grid.code] = said or hierarchy.by_prefix(grid.code, set(prefixes) or set(parents))
        elif coded and said and said != parents[grid.code]:
            findings.error("prefix", grid.code, parent=said, expected=parents[grid.code])
    levels = hierarchy.depths(parents, {draft.grid.code: draft.grid.kind for draft in drafts}, findings)
    result = []
    for draft in drafts:
        code = draft.grid.code
        level = hierarchy.code_level(code, how.code_lengths) if coded else draft.grid.level
        result.append(replace(draft.grid, parent=parents[code], level=level or levels[code]))
    return result


def _parents_by_area(drafts: Sequence[_Draft]) -> dict[str, str]:
    """Every file, or every said level, is a layer; the layer of the larger grids is above."""
    layers: dict[tuple[int, str], dict[str, Shape]] = {}
    for draft in drafts:
        key = (draft.grid.level, "") if draft.grid.level else (0, draft.file)
        layers.setdefault(key, {})[draft.grid.code] = draft.grid.polygon
    ordered = sorted(
        layers.items(), key=lambda one: (one[0][0], -float(np.median(shapely.area(list(one[1].values())))), one[0][1])
    )
    found: dict[str, str] = {}
    for layer in hierarchy.by_area([shapes for _, shapes in ordered]):
        found |= layer
    return found


def _dissolved(grids: list[Grid], findings: Findings) -> list[Grid]:
    """Grids that came without a geometry made the union of their children, the deepest first."""
    by_code = {grid.code: grid for grid in grids}
    below: dict[str, list[str]] = {}
    for grid in grids:
        below.setdefault(grid.parent, []).append(grid.code)
    for grid in sorted(grids, key=lambda grid: -grid.level):
        if grid.polygon.is_empty:
            shapes = [by_code[code].polygon for code in below.get(grid.code, ()) if by_code[code].kind == GENERAL]
            matched = bool(shapely.coverage_is_valid(shapes))
            union = shapely.coverage_union_all(shapes) if matched else shapely.union_all(shapes)
            if not isinstance(union, shapely.Polygon | shapely.MultiPolygon) or union.is_empty:
                findings.error("empty", grid.code)
            else:
                by_code[grid.code] = replace(grid, polygon=union)
    return list(by_code.values())


def _check_areas(
    grids: Sequence[Grid], drafts: Sequence[_Draft], how: GridMapping, reference: Sequence[Grid], findings: Findings
) -> None:
    general = [grid for grid in grids if grid.kind == GENERAL]
    if not _suspect_datum(general, drafts, how, reference, findings):
        faults.parents(general, how.parent_share, how.rounding_m2, findings)
    for level in sorted({grid.level for grid in general}):
        same = [grid for grid in general if grid.level == level]
        faults.neighbours(same, how.overlap_share, how.rounding_m2, findings)


def _suspect_datum(
    grids: Sequence[Grid], drafts: Sequence[_Draft], how: GridMapping, reference: Sequence[Grid], findings: Findings
) -> bool:
    """Whether a file fits its parents, or the version in force, far better when taken for GCJ-02 or BD-09.

    An error, unless the coordinate system was given by hand: then a warning, for somebody has decided it.
    """
    file_of = {draft.grid.code: draft.file for draft in drafts}
    here, known = {grid.code: grid for grid in grids}, {grid.code: grid.polygon for grid in reference}
    pairs: dict[str, list[tuple[Shape, Shape]]] = {}
    for grid in grids:
        above = here.get(grid.parent)
        outer = known.get(grid.code) or (above.polygon if above and file_of[above.code] != file_of[grid.code] else None)
        if outer is not None:
            pairs.setdefault(file_of[grid.code], []).append((grid.polygon, outer))
    suspected = False
    for file, both in sorted(pairs.items()):
        found = _better_datum(both)
        if found:
            suspected = True
            tell = findings.warning if how.crs else findings.error
            tell("datum", "", faults.place(both[0][0]), file=file, datum=found, count=len(both))
    return suspected


def _better_datum(pairs: Sequence[tuple[Shape, Shape]]) -> str:
    """The datum under which four fifths of what lies outside comes to lie inside; "" if there is none."""
    inner, outer = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    lost = 1.0 - float(faults.shares(inner, outer).mean())
    if len(pairs) < SUSPECT_LEAST or lost < SUSPECT_LOSS:
        return ""
    losses = {}
    for name in (datum.GCJ02, datum.BD09):
        losses[name] = 1.0 - float(faults.shares(_moved(inner, name), outer).mean())
    best = min(losses, key=lambda name: losses[name])
    return best if losses[best] < lost / 5 else ""


def _moved(shapes: Sequence[Shape], name: str) -> Sequence[Shape]:
    """The shapes taken for coordinates of that datum, in WGS-84."""

    def move(points: Floats) -> Floats:
        return np.column_stack(datum.to_wgs84_many(points[:, 0], points[:, 1], name))

    return list(shapely.transform(np.array(shapes, dtype=object), move))
