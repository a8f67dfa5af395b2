"""Lists of accounts 账号名单 and of departments: rows of a file against what is known, line by line. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from config.departments import Department
from dashboard.moment import NoMoment, moment
from operations import accounts, appointments, departments
from operations.appointments import Post
from operations.departments import Wanted
from operations.errors import OperationsError
from operations.policy import ADMINISTRATORS, PEOPLE
from operations.roll import Person
from operations.scope import Scope

NEW, CHANGED, SAME, WRONG = "new", "changed", "same", "wrong"
STATES = (NEW, CHANGED, SAME, WRONG)
ACCOUNT_COLUMNS = {
    "name": ("账号", "账号名", "用户名", "登录名", "工号", "account", "account name", "name", "login", "user"),
    "shown_name": ("姓名", "显示名", "真实姓名", "shown name", "shown_name", "full name", "display name"),
    "role": ("角色", "岗位", "role"),
    "grid": ("辖区", "辖区编码", "网格编码", "网格", "grid", "grid code", "grid_code", "jurisdiction"),
    "department": ("部门", "部门代码", "所属部门", "department", "department code"),
    "from": ("开始时间", "生效时间", "有效期起", "from", "valid from", "valid_from"),
    "to": ("结束时间", "到期时间", "有效期至", "有效期止", "until", "to", "valid to", "valid_to"),
}
DEPARTMENT_COLUMNS = {
    "code": ("代码", "部门代码", "编码", "code", "department code"),
    "zh": ("名称", "部门名称", "部门", "中文名", "name", "chinese name", "department"),
    "en": ("英文名", "英文名称", "english", "english name", "en"),
    "short": ("简称", "short", "short name"),
    "parent": ("上级部门", "上级", "上级部门代码", "parent", "parent department"),
    "presence": ("进驻方式", "进驻", "presence"),
    "phone": ("电话", "值班电话", "联系电话", "phone", "tel"),
    "email": ("邮箱", "电子邮箱", "email", "e-mail", "mail"),
}
PRESENCE_OF = {"": "", "常驻": "resident", "轮驻": "rotating", "随叫": "on_call"} | {
    "resident": "resident",
    "rotating": "rotating",
    "by turns": "rotating",
    "on_call": "on_call",
    "on call": "on_call",
}
Row = tuple[int, Mapping[str, str]]


@dataclass(frozen=True)
class Reason:
    """Why a line is wrong: a text's code under `import.wrong`, or one of `operations`, with its parameters."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One line of a list: what it would do, the cells as they were read, and what to take over."""

    number: int
    state: str
    cells: tuple[str, ...]
    why: Reason | None = None
    post: Post | None = None
    person: Person | None = None
    wanted: Wanted | None = None


@dataclass(frozen=True)
class Known:
    """What lists are held against; `roles`: {name in any language: role}, `grids`: {code: name}."""

    people: Sequence[Person]
    grids: Mapping[str, str]
    departments: Mapping[str, Department]
    roles: Mapping[str, str]
    zone: tzinfo


class Unfit(Exception):
    """A line that cannot be taken; carries its reason."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.reason = Reason(code, params)


def columns(names: Iterable[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return {our field: the file's name of it}, by headings in either language."""
    plain = {_plain(name): name for name in names}
    return {field: plain[word] for field, words in wanted.items() for word in reversed(words) if word in plain}


def account_lines(rows: Iterable[Row], names: Iterable[str], known: Known) -> list[Line]:
    """Return what each line of a list of accounts would do. Raises Unfit when the columns are not there."""
    found = columns(names, ACCOUNT_COLUMNS)
    if not {"name", "role"} <= found.keys():
        raise Unfit("account_columns")
    people, seen = {one.name: one for one in known.people}, set[str]()

    def line(number: int, values: dict[str, str]) -> Line:
        cells = tuple(values.get(one, "") for one in ACCOUNT_COLUMNS)
        name = values["name"]
        try:
            accounts.check_name(name)
            if name in seen:
                raise Unfit("twice", value=name)
            seen.add(name)
            post = _post(values, known)
            appointments.check(post)
            person = people.get(name)
            if person is not None and person.role in ADMINISTRATORS:
                raise Unfit("administrator")
        except Unfit as error:
            return Line(number, WRONG, cells, error.reason)
        except OperationsError as error:
            return Line(number, WRONG, cells, Reason(error.code, error.params))
        return Line(number, _state(person, post), cells, None, post, person)

    return lines_of(rows, found, line)


def department_lines(rows: Iterable[Row], names: Iterable[str], known: Mapping[str, Department]) -> list[Line]:
    """Return what each line of a list of departments would do. Raises Unfit when the columns are not there."""
    found = columns(names, DEPARTMENT_COLUMNS)
    if not {"code", "zh"} <= found.keys():
        raise Unfit("department_columns")
    after, seen = dict(known), set[str]()

    def line(number: int, values: dict[str, str]) -> Line:
        cells = tuple(values.get(one, "") for one in DEPARTMENT_COLUMNS)
        try:
            if values["code"] in seen:
                raise Unfit("twice", value=values["code"])
            seen.add(values["code"])
            wanted = _department(values, after)
            departments.check(wanted, {code: one for code, one in after.items() if code != wanted.code})
        except Unfit as error:
            return Line(number, WRONG, cells, error.reason)
        except OperationsError as error:
            return Line(number, WRONG, cells, Reason(error.code, error.params))
        before = known.get(wanted.code)
        after[wanted.code] = wanted.whole if before is None else wanted.over(before)
        same = before is not None and before == after[wanted.code]
        return Line(number, SAME if same else CHANGED if before else NEW, cells, wanted=wanted)

    return lines_of(rows, found, line)


def lines_of(rows: Iterable[Row], found: Mapping[str, str], line: Callable[[int, dict[str, str]], Line]) -> list[Line]:
    """Return what each line that says anything would do."""
    read = ((number, {field: row.get(name, "").strip() for field, name in found.items()}) for number, row in rows)
    return [line(number, values) for number, values in read if any(values.values())]


def _department(values: Mapping[str, str], known: Mapping[str, Department]) -> Wanted:
    """What a line says; of its place a column that is not there says nothing, an empty cell that there is none."""
    parent, presence = values.get("parent"), values.get("presence")
    if parent is not None:
        parent = named_department(parent, known)
    if presence is not None:
        presence = PRESENCE_OF.get(presence.lower(), presence)
    names = {name: values.get(name, "") for name in ("code", "zh", "en", "short")}
    return Wanted(**names, parent=parent, presence=presence, phone=values.get("phone"), email=values.get("email"))


def _state(person: Person | None, post: Post) -> str:
    if person is None:
        return NEW
    before = Post(person.role, person.scope, person.valid_from, person.valid_to, person.shown_name)
    return SAME if before == post else CHANGED


def _post(values: Mapping[str, str], known: Known) -> Post:
    role = known.roles.get(values.get("role", "").lower(), "")
    if not role:
        raise Unfit("role", value=values.get("role", ""))
    if role not in PEOPLE:
        raise Unfit("administrator")
    scope = Scope(grid_code(values.get("grid", ""), known), department_code(values.get("department", ""), known))
    begins, ends = (moment_of(values.get(name, ""), known.zone) for name in ("from", "to"))
    return Post(role, scope, begins, ends, values.get("shown_name", ""))


def grid_code(given: str, known: Known) -> str:
    """Return the code of a grid given by code or by a name that is only one's. Raises Unfit."""
    if not given or given in known.grids:
        return given
    named = [code for code, name in known.grids.items() if name == given]
    if len(named) > 1:
        raise Unfit("grid_unclear", value=given)
    if not named:
        raise Unfit("grid", value=given)
    return named[0]


def department_code(given: str, known: Known) -> str:
    """Return the code of a living department given by any of its names. Raises Unfit."""
    return named_department(given, known.departments)


def named_department(given: str, known: Mapping[str, Department]) -> str:
    """Return the code of a living department of `known` given by any of its names, "" of none. Raises Unfit."""
    if not given:
        return ""
    wanted = given.lower()
    hits = [one for one in known.values() if wanted in (one.code, one.zh.lower(), one.en.lower(), one.short.lower())]
    living = [one for one in hits if not one.ended]
    if len(living) != 1:
        raise Unfit("department", value=given)
    return living[0].code


def moment_of(given: str, zone: tzinfo) -> int | None:
    """Return a time as it was written in the city's zone. Raises Unfit."""
    try:
        return moment(given, zone)
    except NoMoment:
        raise Unfit("moment", value=given) from None


def _plain(name: str) -> str:
    return " ".join(name.replace("\ufeff", "").replace("*", "").lower().split())
