"""The duty list 责任清单: which department handles which types where, and the item-access rule 准入 that asks it.

What is said of a type goes before what is said of its group; of several leads that of the smallest grid leads. Where
the list says nothing of a type at a place, the taxonomy's department holds it and everybody may be given it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import Connection

from config import taxonomy
from config.departments import Department
from config.taxonomy import Taxonomy
from operations import departments, journal
from operations.database import AfterCommit, Database
from operations.entry import Draft
from operations.errors import NotFound, Refused
from operations.policy import Identity, require
from operations.tables import responsibility as table
from operations.uuid7 import uuid7

PARTS = ("lead", "support")
BASIS_MOST, GRID_MOST = 200, 100
LINES_MOST = 20_000
GAP, UNLISTED, TWO_LEADS, ENDED, UNKNOWN_GRID = "gap", "unlisted", "two_leads", "ended", "unknown_grid"


class Line(Struct, frozen=True, kw_only=True):
    """A department handles a type (four digits) or a group (two) in a grid ("": the whole city), as lead or support."""

    id: str = ""
    department: str
    type: str
    grid: str = ""
    part: str = "lead"
    basis: str = ""
    changed_at: int = 0
    changed_by: str = ""


class Finding(Struct, frozen=True):
    """A gap or conflict of the list: `department` and `other` are codes; `grids` where it is so, at most a few."""

    kind: str
    type: str
    department: str = ""
    other: str = ""
    grids: tuple[str, ...] = ()
    count: int = 0


def listed(connection: Connection) -> list[Line]:
    """Return all lines, by type, grid, part and department."""
    columns = table.c
    query = sa.select(*_columns()).where(columns.ended_at.is_(None))
    query = query.order_by(columns.type, columns.grid, columns.part, columns.department, columns.id)
    return [Line(**row._mapping) for row in connection.execute(query)]


def handlers(connection: Connection, kind: str, chain: Sequence[str]) -> list[Line]:
    """Return who handles a type at a place (codes root to leaf), the lead first: what orders are proposed from."""
    columns = table.c
    query = sa.select(*_columns()).where(
        columns.type.in_((kind, kind[:2])), columns.grid.in_(("", *chain)), columns.ended_at.is_(None)
    )
    found = [Line(**row._mapping) for row in connection.execute(query)]
    nearest = [one for one in found if one.type == kind] or found
    depth = {code: number for number, code in enumerate(("", *chain))}
    return sorted(nearest, key=lambda one: (one.part != "lead", -depth[one.grid], one.department, one.id))


def admits(connection: Connection, department: str, kind: str, chain: Sequence[str]) -> bool:
    """Say whether a department may be given a type at a place 准入: the list names it there, or names nobody."""
    found = handlers(connection, kind, chain)
    return not found or any(one.department == department for one in found)


def take(
    database: Database,
    identity: Identity,
    lines: Sequence[Line],
    *,
    end: Sequence[str] = (),
    now: int,
    after_commit: AfterCommit | None = None,
) -> int:
    """Add lines (without id) or change them, and end those of some ids, all or none; return how many changed.

    Raises Forbidden, NotFound, Refused.
    """
    require(identity, "responsibility.manage")
    if len(lines) + len(end) > LINES_MOST:
        raise Refused("contacts.duty.many", most=LINES_MOST)
    with database.write(after_commit) as transaction:
        transaction.alone("responsibility")
        known = {code for code, one in departments.on(transaction.connection).items() if not one.ended}
        before = {one.id: one for one in listed(transaction.connection)}
        after = dict(before)
        drafts = []
        for key in dict.fromkeys(end):
            gone = after.pop(key, None)
            if gone is None:
                raise NotFound()
            transaction.connection.execute(sa.update(table).where(table.c.id == key).values(ended_at=now))
            drafts.append(_draft(identity, gone, "responsibility.ended", now))
        for one in lines:
            check(one, known)
            old = after.get(one.id) if one.id else None
            if one.id and old is None:
                raise NotFound()
            if old is not None and _said(old) == _said(one):
                continue
            kept = structs.replace(one, id=one.id or uuid7(now), changed_at=now, changed_by=identity.name)
            after[kept.id] = kept
            _write(transaction.connection, kept, new=old is None)
            drafts.append(
                _draft(identity, kept, "responsibility.added" if old is None else "responsibility.changed", now)
            )
        _check_once(after.values())
        journal.append(transaction, drafts)
        return len(drafts)


def check(one: Line, known: Iterable[str]) -> None:
    """Raise Refused for a line that cannot be: the code names what is wrong."""
    _need(one.department in known, "contacts.wrong.department", value=one.department[:40])
    _need(taxonomy.current().known(one.type), "contacts.duty.type", value=one.type[:40])
    _need(one.part in PARTS, "contacts.duty.part", value=one.part[:40])
    _need(len(one.grid) <= GRID_MOST and (not one.grid or one.grid.isprintable()), "contacts.wrong.grid")
    _need(len(one.basis) <= BASIS_MOST and (not one.basis or one.basis.isprintable()), "contacts.duty.basis")


def findings(
    lines: Sequence[Line],
    taxonomy: Taxonomy,
    known: Mapping[str, Department],
    below: Mapping[str, Sequence[str]],
) -> list[Finding]:
    """Return gaps and conflicts. `below`: {grid: grids directly below}, "" holds those at the top.

    `gap`: a type that is listed for some places and nobody leads elsewhere; `unlisted`: one that no line names, so that
    the taxonomy's department holds it.
    """
    grids = {code for parts in below.values() for code in parts}
    return [
        *_conflicts(lines),
        *(Finding(ENDED, one.type, one.department) for one in lines if _is_gone(known.get(one.department))),
        *(
            Finding(UNKNOWN_GRID, one.type, one.department, grids=(one.grid,))
            for one in lines
            if one.grid and one.grid not in grids
        ),
        *_gaps(lines, taxonomy, below),
    ]


# ---- how it is done ----


def _conflicts(lines: Sequence[Line]) -> Iterable[Finding]:
    leads: dict[tuple[str, str], Line] = {}
    for one in lines:
        if one.part == "lead":
            first = leads.setdefault((one.type, one.grid), one)
            if first.department != one.department:
                yield Finding(TWO_LEADS, one.type, first.department, one.department, (one.grid,))


def _gaps(lines: Sequence[Line], taxonomy: Taxonomy, below: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    led: dict[str, set[str]] = {}
    for one in lines:
        if one.part == "lead":
            led.setdefault(one.type, set()).add(one.grid)
    above = {code: top for top, parts in below.items() for code in parts}
    for kind in taxonomy.types.values():
        if kind.code == kind.group:
            continue
        where = led.get(kind.code) or led.get(kind.group)
        if not where:
            yield Finding(UNLISTED, kind.code, kind.department)
        elif "" not in where and (free := _uncovered(where, below, above)):
            yield Finding(GAP, kind.code, kind.department, grids=tuple(free[:5]), count=len(free))


def _uncovered(where: set[str], below: Mapping[str, Sequence[str]], above: Mapping[str, str]) -> list[str]:
    """The largest grids in which nobody leads."""
    open_above: set[str] = {""}
    for code in where:
        while (code := above.get(code, "")) and code not in open_above:
            open_above.add(code)
    return [
        code
        for top in sorted(open_above)
        for code in below.get(top, ())
        if code not in where and code not in open_above
    ]


def _check_once(lines: Iterable[Line]) -> None:
    counted = Counter((one.department, one.type, one.grid) for one in lines)
    twice = next((key for key, count in counted.items() if count > 1), None)
    if twice is not None:
        raise Refused("contacts.duty.twice", department=twice[0], type=twice[1])


def _write(connection: Connection, one: Line, *, new: bool) -> None:
    values = structs.asdict(one)
    if new:
        connection.execute(sa.insert(table).values(values))
    else:
        connection.execute(sa.update(table).where(table.c.id == one.id).values(values))


def _draft(identity: Identity, one: Line, action: str, now: int) -> Draft:
    return Draft(
        at=now,
        actor=identity.actor,
        action=action,
        subject_type="responsibility",
        subject_id=one.id,
        scope_department=one.department,
        scope_department_before=one.department,
        body=_said(one),
    )


def _said(one: Line) -> dict[str, str]:
    return {name: getattr(one, name) for name in ("department", "type", "grid", "part", "basis")}


def _is_gone(one: Department | None) -> bool:
    return one is None or one.ended


def _columns() -> list[sa.Column[object]]:
    return [table.c[name] for name in Line.__struct_fields__]


def _need(holds: bool, code: str, **params: object) -> None:
    if not holds:
        raise Refused(code, **params)
