"""Lists of people, teams, shifts and duties 名单: rows of a file against what is known. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from msgspec import structs

from config import taxonomy
from dashboard.moment import shown_moment
from dashboard.personnel import (
    CHANGED,
    NEW,
    SAME,
    WRONG,
    Known,
    Line,
    Reason,
    Row,
    Unfit,
    columns,
    department_code,
    grid_code,
    lines_of,
    moment_of,
)
from operations.contacts import cards, dutylist, roster
from operations.contacts.cards import Card, Person, Team
from operations.contacts.dutylist import Line as Duty
from operations.contacts.roster import Shift
from operations.errors import OperationsError

NAMES = ("姓名", "名称", "名字", "name", "person")
DEPARTMENT = ("部门", "部门代码", "所属部门", "单位", "责任部门", "department", "department code")
GRID = ("网格编码", "网格", "辖区", "辖区编码", "区域", "grid", "grid code", "grid_code")
PHONE = ("电话", "手机", "手机号", "联系电话", "联系方式", "值班电话", "phone", "tel", "mobile")
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {
        "name": NAMES,
        "post": ("岗位", "职务", "职责", "post", "title"),
        "department": DEPARTMENT,
        "grid": GRID,
        "phone": PHONE,
        "email": ("邮箱", "电子邮箱", "email", "e-mail", "mail"),
        "account": ("账号", "账号名", "account", "account name"),
    },
    "team": {
        "name": ("队伍", "队伍名称", *NAMES, "team"),
        "kind": ("类别", "队伍类别", "类型", "kind", "type"),
        "department": DEPARTMENT,
        "grid": GRID,
        "phone": PHONE,
        "members": ("成员", "人员", "members"),
    },
    "shift": {
        "department": DEPARTMENT,
        "post": ("值班岗位", "岗位", "班次", "post"),
        "name": ("值班人", "值班人员", *NAMES),
        "rank": ("顺位", "顺序", "rank", "order"),
        "grid": GRID,
        "from": ("开始时间", "开始", "起", "from", "begins"),
        "to": ("结束时间", "结束", "止", "to", "until", "ends"),
    },
    "duty": {
        "type": ("事件类型", "类型", "类型代码", "type", "type code"),
        "department": DEPARTMENT,
        "grid": GRID,
        "part": ("主协办", "角色", "办理方式", "part", "role"),
        "basis": ("依据", "法定依据", "basis"),
    },
}
NEEDED = {
    "person": ("name", "department"),
    "team": ("name", "department"),
    "shift": ("department", "post", "name", "from", "to"),
    "duty": ("type", "department"),
}
PART_OF = {"主办": "lead", "牵头": "lead", "lead": "lead", "": "lead", "协办": "support", "配合": "support"} | {
    "support": "support"
}
Made = Card | Shift | Duty


@dataclass(frozen=True)
class Listed(Line):
    """A line with what it would add or change."""

    made: Made | None = None


@dataclass(frozen=True)
class Standing:
    """What a list is held against: what there is, and {account name: id}."""

    known: Known
    people: Sequence[Person] = ()
    teams: Sequence[Team] = ()
    shifts: Sequence[Shift] = ()
    duties: Sequence[Duty] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)

    @property
    def living(self) -> set[str]:
        """Codes of the departments that have not ended."""
        return {code for code, one in self.known.departments.items() if not one.ended}


def read(kind: str, rows: Iterable[Row], names: Iterable[str], standing: Standing) -> list[Line]:
    """Return what each line of a list would do. Raises Unfit when columns are missing."""
    found = columns(names, COLUMNS[kind])
    if not set(NEEDED[kind]) <= found.keys():
        raise Unfit(f"{kind}_columns")
    seen: set[object] = set()
    each = _READERS[kind]

    def line(number: int, values: dict[str, str]) -> Line:
        cells = tuple(values.get(one, "") for one in COLUMNS[kind])
        try:
            state, made, key = each(values, standing)
            if key in seen:
                raise Unfit("twice", value=values.get("name") or values.get("type", ""))
            seen.add(key)
        except Unfit as error:
            return Listed(number, WRONG, cells, error.reason)
        except OperationsError as error:
            return Listed(number, WRONG, cells, Reason(error.code, error.params))
        return Listed(number, state, cells, made=made)

    return lines_of(rows, found, line)


def card_cells(card: Card, wanted: Iterable[str], accounts: Mapping[str, str]) -> list[str]:
    """Return a card as a line of a list; `accounts`: {id: name}."""
    return [
        accounts.get(card.account, "") if name == "account" and isinstance(card, Person) else getattr(card, name)
        for name in wanted
    ]


def shift_cells(one: Shift, people: Mapping[str, Person], zone: tzinfo) -> list[str]:
    """Return a shift as a line of a list."""
    name = people[one.person].name if one.person in people else ""
    times = (shown_moment(one.starts_at, zone), shown_moment(one.ends_at, zone))
    return [one.department, one.post, name, str(one.rank), one.grid, *times]


Read = tuple[str, Made, object]


def _card(values: Mapping[str, str], standing: Standing, kind: cards.Kind) -> Read:
    department = department_code(values["department"], standing.known)
    if not department:
        raise Unfit("department", value="")
    same = [one for one in _listed(standing, kind) if (one.department, one.name) == (department, values["name"])]
    if len(same) > 1:
        same = [one for one in same if one.phone == values.get("phone")]
        if len(same) != 1:
            raise Unfit("person_unclear", value=values["name"])
    given: dict[str, Any] = {
        name: values[name] for name in cards.FIELDS[kind] if name in values and name not in ("account", "grid")
    }
    given |= {"department": department, "grid": grid_code(values.get("grid", ""), standing.known)}
    if kind == "person" and "account" in values:
        given["account"] = _account(values["account"], standing)
    before = same[0] if same else None
    if before is not None and "grid" not in values:
        given["grid"] = before.grid
    made: Card
    if before is not None:
        made = structs.replace(before, **given)
    else:
        made = Person(**given) if kind == "person" else Team(**given)
    cards.check(made, standing.living)
    state = NEW if before is None else SAME if made == before else CHANGED
    return state, made, (department, made.name, made.phone if before is None else before.id)


def _listed(standing: Standing, kind: cards.Kind) -> Sequence[Card]:
    return standing.people if kind == "person" else standing.teams


def _person(values: Mapping[str, str], standing: Standing) -> Read:
    return _card(values, standing, "person")


def _team(values: Mapping[str, str], standing: Standing) -> Read:
    return _card(values, standing, "team")


def _shift(values: Mapping[str, str], standing: Standing) -> Read:
    department = department_code(values["department"], standing.known)
    named = [one for one in standing.people if one.name == values["name"]]
    own = [one for one in named if one.department == department] or named
    if len(own) != 1:
        raise Unfit("person_unclear" if own else "person_unknown", value=values["name"])
    begins, ends = (moment_of(values[name], standing.known.zone) for name in ("from", "to"))
    rank = values.get("rank") or "1"
    if not (rank.isascii() and rank.isdecimal() and len(rank) < 3):
        raise Unfit("rank", value=rank)
    made = Shift(
        department=department,
        grid=grid_code(values.get("grid", ""), standing.known),
        post=values["post"],
        person=own[0].id,
        rank=int(rank),
        starts_at=begins or 0,
        ends_at=ends or 0,
    )
    roster.check(made, standing.living, {one.id for one in standing.people})
    key = (made.department, made.grid, made.post, made.person, made.rank, made.starts_at, made.ends_at)
    known = {
        (one.department, one.grid, one.post, one.person, one.rank, one.starts_at, one.ends_at)
        for one in standing.shifts
    }
    return (SAME if key in known else NEW), made, key


def _duty(values: Mapping[str, str], standing: Standing) -> Read:
    department = department_code(values["department"], standing.known)
    part = PART_OF.get(values.get("part", "").lower(), values.get("part", ""))
    made = Duty(
        department=department,
        type=_type(values["type"]),
        grid=grid_code(values.get("grid", ""), standing.known),
        part=part,
        basis=values.get("basis", ""),
    )
    dutylist.check(made, standing.living)
    key = (made.department, made.type, made.grid)
    before = next((one for one in standing.duties if (one.department, one.type, one.grid) == key), None)
    if before is None:
        return NEW, made, key
    same = (before.part, before.basis) == (made.part, made.basis)
    return (SAME if same else CHANGED), structs.replace(before, part=made.part, basis=made.basis), key


def _type(given: str) -> str:
    """A type or group by its code or by its name in either language."""
    types = taxonomy.current().types
    if given in types:
        return given
    named = [code for code, one in types.items() if given in (one.zh, one.en)]
    if len(named) != 1:
        raise Unfit("type", value=given)
    return named[0]


def _account(name: str, standing: Standing) -> str:
    if name and name not in standing.accounts:
        raise Unfit("account_unknown", value=name)
    return standing.accounts[name] if name else ""


_READERS: dict[str, Callable[[Mapping[str, str], Standing], Read]] = {
    "person": _person,
    "team": _team,
    "shift": _shift,
    "duty": _duty,
}
