"""Import of grids 网格导入 from files: all or nothing, with a list of what is wrong and where.

One import is one whole version of the city's grids, in as many files as there are. An error means that nothing is
imported; a warning is told and imported. The rules and thresholds are in `docs/grids.md`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo import control, crs, datum, faults, formats, hierarchy, mapping, repair
from geo.crs import Floats, System, UnknownSystem
from geo.faults import Shape
from geo.grid import GENERAL, Grid, digest
from geo.mapping import GridMapping
from geo.problem import Findings, Problem
from geo.sheet import Choice, Feature, samples

PHASES = ("read", "grids", "areas", "done")
SUSPECT_LEAST = 3  # so many grids must fit better under another datum before we speak of it
EXACT_CODE = 2.0**53  # a larger number kept as a decimal one has lost its last digits
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
    given = _system(how, findings)
    if findings.fatal:
        return Imported((), tuple(findings.problems()), "", used)
    book = formats.read([paths] if isinstance(paths, Path) else paths, how.layers, given, how.encoding, findings)
    tell("grids")
    for sheet in book.sheets:
        guessed = how.guessed(feature.properties for feature in sheet.features)
        used[sheet.label] = guessed.named()
        columns |= samples(feature.properties for feature in sheet.features)
        for feature in sheet.features:
            draft = _draft(feature, guessed, findings)
            drafts += [draft] if draft is not None else []
            drawn += _drawn(feature, draft, guessed)
    lost = {code for code, _ in drawn} - {draft.grid.code for draft in drafts}
    drafts = _single(drafts, findings) if how.repair else drafts
    _check_codes(drafts, default_county, how, findings)
    grids = _placed(drafts, lost, how, findings)
    tell("areas")
    grids = _checked(grids, drafts, bool(lost), how, list(reference), findings)
    if not grids and not findings.fatal:
        findings.error("no_features", file=", ".join(used))
    kept = () if findings.fatal else tuple(sorted(grids, key=lambda grid: grid.code))
    tell("done")
    name = digest(kept) if kept else ""
    return Imported(kept, tuple(findings.problems()), name, used, tuple(book.choices), columns, drawn)


def _system(how: GridMapping, findings: Findings) -> System | None:
    """The coordinate system that somebody named or gave points for; None for the files' own, or after an error."""
    try:
        if how.control:
            return control.system(how.control, how.control_most_m, findings)
        return crs.system(how.crs) if how.crs else None
    except UnknownSystem:
        if not how.control:
            findings.error("unknown_crs", file="", crs=how.crs[:80])
        return None


def _drawn(feature: Feature, draft: _Draft | None, how: GridMapping) -> list[tuple[str, BaseGeometry]]:
    """What can be drawn of a feature, under its code."""
    shape = (
        draft.grid.polygon if draft is not None else feature.polygon if feature.polygon is not None else feature.shown
    )
    code = mapping.text(feature.properties.get(how.code)) or feature.id
    return [] if shape is None or shape.is_empty else [(code, shape)]


def _checked(
    grids: list[Grid],
    drafts: Sequence[_Draft],
    lost: bool,
    how: GridMapping,
    reference: Sequence[Grid],
    findings: Findings,
) -> list[Grid]:
    """The grids with their neighbours mended and checked, and those without a drawing made of their children.

    With an error in the codes or shapes only overlaps are looked for, so that a person learns of them at once too.
    """
    complete = not findings.fatal
    unique = list({grid.code: grid for grid in grids}.values())
    drawn = [grid for grid in unique if grid.kind == GENERAL and not grid.polygon.is_empty]
    mended: dict[str, Grid] = {}
    for level in sorted({grid.level for grid in drawn}):
        same = [grid for grid in drawn if grid.level == level]
        if how.repair:
            same = repair.neighbours(same, _bounds(how), findings)
            mended |= {grid.code: grid for grid in same}
        faults.neighbours(same, how.overlap_share, how.rounding_m2, findings, gaps=complete and not lost)
    if not complete:
        return unique
    result = _dissolved([mended.get(grid.code, grid) for grid in unique], findings)
    if not findings.fatal:
        _check_parents(result, drafts, how, reference, findings)
    return result


def _bounds(how: GridMapping) -> repair.Bounds:
    return repair.Bounds(how.overlap_share, how.snap_m)


def _single(drafts: Sequence[_Draft], findings: Findings) -> list[_Draft]:
    """Without grids that are said twice in all they have."""
    kept: dict[str, list[_Draft]] = {}
    for draft in drafts:
        same = kept.setdefault(draft.grid.code, [])
        if any(_same(draft, other) for other in same):
            at = None if draft.grid.polygon.is_empty else faults.place(draft.grid.polygon)
            findings.repaired("double_dropped", draft.grid.code, at, file=draft.file)
        else:
            same.append(draft)
    return [draft for same in kept.values() for draft in same]


def _same(one: _Draft, other: _Draft) -> bool:
    if replace(one.grid, polygon=other.grid.polygon) != other.grid or one.said_parent != other.said_parent:
        return False
    return bool(shapely.equals_exact(one.grid.polygon.normalize(), other.grid.polygon.normalize()))


def _draft(feature: Feature, how: GridMapping, findings: Findings) -> _Draft | None:
    said = feature.properties
    code = mapping.text(said.get(how.code)) or feature.id
    if not code:
        findings.error("no_code", file=feature.file, number=feature.number, names=", ".join(list(said)[:12]))
        return None
    if isinstance(raw := said.get(how.code), float) and abs(raw) > EXACT_CODE:
        findings.error("rounded_code", code, value=f"{raw:.6e}", file=feature.file)
        return None
    if feature.fault is not None:
        fault = feature.fault
        findings.error(fault.name, code, fault.at, file=feature.file, number=feature.number, **fault.params)
        return None
    shape = _shape(feature, code, how, findings)
    if feature.polygon is not None and shape is None:
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


def _shape(feature: Feature, code: str, how: GridMapping, findings: Findings) -> Shape | None:
    """The shape, sound and where that is wanted mended; None where there is none, or after an error."""
    if feature.opened is not None:
        (findings.repaired if how.repair else findings.warning)("unclosed", code, feature.opened)
    if feature.polygon is None:
        return None
    shape = repair.polygon(feature.polygon, code, _bounds(how), findings) if how.repair else feature.polygon
    return faults.sound(shape, code, findings)


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
    return bool(codes) and all(how.codes.level(code) for code in codes)


def _placed(drafts: Sequence[_Draft], lost: Collection[str], how: GridMapping, findings: Findings) -> list[Grid]:
    """The grids with their parents and levels."""
    general = [draft for draft in drafts if draft.grid.kind == GENERAL]
    coded = _coded(drafts, how)
    prefixes = hierarchy.by_code([draft.grid.code for draft in general], how.codes) if coded else {}
    said_any = any(draft.said_parent is not None for draft in general)
    if coded and (how.prefix_check or not said_any):
        parents = dict(prefixes)
    elif said_any:
        parents = {draft.grid.code: draft.said_parent or "" for draft in general}
    else:
        parents = _parents_by_area(general)
    for draft in drafts:
        grid, said = draft.grid, draft.said_parent
        if grid.kind != GENERAL:
            parents[grid.code] = said or hierarchy.by_prefix(grid.code, set(prefixes) or set(parents))
        elif coded and how.prefix_check and said and said != parents[grid.code]:
            findings.error("prefix", grid.code, parent=said, expected=parents[grid.code])
    levels = hierarchy.depths(parents, {draft.grid.code: draft.grid.kind for draft in drafts}, findings, lost)
    result = []
    for draft in drafts:
        code = draft.grid.code
        level = how.codes.level(code) if coded else draft.grid.level
        result.append(replace(draft.grid, parent=parents[code], level=level or levels[code]))
    return result


def _parents_by_area(drafts: Sequence[_Draft]) -> dict[str, str]:
    """Every file, or every said level, is a layer; the layer of the larger grids is above."""
    layers: dict[tuple[int, str], dict[str, Shape]] = {}
    for draft in drafts:
        if draft.grid.polygon.is_empty:
            continue
        key = (draft.grid.level, "") if draft.grid.level else (0, draft.file)
        layers.setdefault(key, {})[draft.grid.code] = draft.grid.polygon
    ordered = sorted(
        layers.items(), key=lambda one: (one[0][0], -float(np.median(shapely.area(list(one[1].values())))), one[0][1])
    )
    found = {draft.grid.code: "" for draft in drafts}
    for layer in hierarchy.by_area([shapes for _, shapes in ordered]):
        found |= layer
    return found


def _dissolved(grids: list[Grid], findings: Findings) -> list[Grid]:
    """Grids that came without a geometry made the union of their children, the deepest first.

    One whose children have none either, or that has no children, stays a unit without a drawing.
    """
    by_code = {grid.code: grid for grid in grids}
    below: dict[str, list[str]] = {}
    for grid in grids:
        below.setdefault(grid.parent, []).append(grid.code)
    bare = sorted((grid for grid in grids if grid.polygon.is_empty), key=lambda grid: (-grid.level, grid.code))
    for grid in bare:
        children = [by_code[code] for code in below.get(grid.code, ()) if by_code[code].kind == GENERAL]
        shapes = [child.polygon for child in children if not child.polygon.is_empty]
        union = _union(shapes) if grid.kind == GENERAL and shapes else None
        if isinstance(union, Polygon | MultiPolygon) and not union.is_empty:
            by_code[grid.code] = replace(grid, polygon=union)
        elif len(bare) == len(grids):
            findings.error("empty", grid.code)
        else:
            findings.warning("undrawn", grid.code)
    return list(by_code.values())


def _union(shapes: Sequence[Shape]) -> BaseGeometry:
    matched = bool(shapely.coverage_is_valid(shapes))
    return shapely.coverage_union_all(shapes) if matched else shapely.union_all(shapes)


def _check_parents(
    grids: Sequence[Grid], drafts: Sequence[_Draft], how: GridMapping, reference: Sequence[Grid], findings: Findings
) -> None:
    drawn = [grid for grid in grids if grid.kind == GENERAL and not grid.polygon.is_empty]
    _check_place(drawn, reference, findings)
    if not _suspect_datum(drawn, drafts, how, reference, findings):
        faults.parents(drawn, how.parent_share, how.rounding_m2, findings)


def _check_place(grids: Sequence[Grid], reference: Sequence[Grid], findings: Findings) -> None:
    """Tell a file that lies wholly elsewhere than the version in force: its coordinate system may be the wrong one."""
    known = [grid.polygon for grid in reference if not grid.polygon.is_empty]
    if not known or not grids:
        return
    here, there = (shapely.box(*shapely.total_bounds(shapes)) for shapes in ([grid.polygon for grid in grids], known))
    if not here.intersects(there):
        km = here.distance(there) * faults.METRES_PER_DEGREE / 1000
        findings.warning("elsewhere", "", faults.place(here), km=km)


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
