"""Lists of accounts and departments: read as departments send them, shown line by line, taken whole or not at all."""

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from dashboard import access, enlistbook
from dashboard.personnel import DEPARTMENT_COLUMNS, Unfit, columns
from dashboard.uploads import Upload, Uploads
from operations import accounts, departments, journal
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from tests.streams.sheets import workbook

if TYPE_CHECKING:
    from dashboard.server import Server

SECURITY = Identity("account", "s", "security", "security_admin")
ADMIN = Identity("account", "a", "admin", "system_admin")
HEAD = ("账号", "姓名", "角色", "网格编码", "部门", "有效期至")
GOOD = (
    ("zhang", "张三", "值班员", "990101001", "", ""),
    ("li", "李四", "Liaison", "", "消防救援", "2027-12-31"),
)
BAD = (
    ("zhang", "又一个", "值班员", "", "", ""),
    ("wang", "王五", "国王", "", "", ""),
    ("zhao", "赵六", "安全管理员", "", "", ""),
    ("qian", "钱七", "值班员", "99999", "", ""),
    ("sun", "孙八", "值班员", "", "没有的部门", ""),
    ("zhou", "周九", "值班员", "", "", "明年"),
    ("a b", "吴十", "值班员", "", "", ""),
)


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Afterwards nobody asks."""
    mark = access._current.set(access._current.get())
    yield
    access._current.reset(mark)


def sent(settings: Settings, kind: str, name: str, blob: bytes, who: Identity) -> str:
    uploads = Uploads(settings.data / "uploads")
    folder = uploads.begin(clock.now())
    (folder / name).write_bytes(blob)
    uploads.keep(folder, Upload(folder.name, kind, name, len(blob), "digest", who.actor, clock.now()))
    return folder.name


def text(*lines: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


async def test_accounts_come_in_old_encodings_and_leave_with_passwords_once(
    server: "Server", settings: Settings, furnished: Database
) -> None:
    access._current.set(SECURITY)
    book = server.parts.actions.enlistbook
    upload = sent(settings, "accounts", "名单.csv", text(HEAD, *GOOD).encode("gb18030"), SECURITY)
    assert [(one.number, one.state) for one in book.accounts(upload)] == [(2, "new"), (3, "new")]
    taken, made = book.take_accounts(upload, leave_out=False)
    assert [one.name for one in made] == ["zhang", "li"] and len(taken) == 2
    li = accounts.find(furnished, "li")
    assert li is not None and (li.role, li.scope, li.must_change) == ("liaison", Scope("", "fire"), True)
    assert all(accounts.check_password(furnished, one.name, one.password, clock.now()) for one in made)
    entries = journal.read(furnished, 0)
    assert not any(one.password in str(entries) for one in made)
    assert [one.action for one in entries][-3:] == ["account.added", "account.added", "account.enlisted"]
    listed = book.accounts(upload)
    assert [one.state for one in listed] == ["same", "same"]
    with pytest.raises(Refused, match="list_empty"):
        book.take_accounts(upload, leave_out=False)


async def test_nothing_is_taken_while_a_line_is_wrong_unless_it_is_left_out(
    server: "Server", settings: Settings, furnished: Database
) -> None:
    access._current.set(SECURITY)
    book = server.parts.actions.enlistbook
    upload = sent(settings, "accounts", "list.xlsx", workbook([HEAD, *GOOD, *BAD]), SECURITY)
    lines = book.accounts(upload)
    assert [one.why.code for one in lines if one.why] == [
        *("twice", "role", "administrator", "grid", "department", "moment", "operations.account_name"),
    ]
    assert [one.number for one in lines if one.why] == list(range(4, 11))
    with pytest.raises(Refused, match="list_wrong"):
        book.take_accounts(upload, leave_out=False)
    assert accounts.find(furnished, "zhang") is None
    _, made = book.take_accounts(upload, leave_out=True)
    assert [one.name for one in made] == ["zhang", "li"]
    assert all(accounts.find(furnished, name) is None for name in ("wang", "zhao", "qian", "sun", "zhou"))


async def test_a_list_changes_accounts_but_no_administrator(
    server: "Server", settings: Settings, furnished: Database
) -> None:
    accounts.add(furnished, SYSTEM, "zhang", "leader", now=clock.now(), demo=True)
    accounts.add(furnished, SYSTEM, "boss", "audit_admin", now=clock.now(), demo=True)
    access._current.set(SECURITY)
    book = server.parts.actions.enlistbook
    lines = [GOOD[0], ("boss", "", "值班员", "", "", "")]
    upload = sent(settings, "accounts", "list.csv", text(HEAD, *lines).encode(), SECURITY)
    assert [one.state for one in book.accounts(upload)] == ["changed", "wrong"]
    _, made = book.take_accounts(upload, leave_out=True)
    found = accounts.find(furnished, "zhang")
    assert made == [] and found is not None and (found.role, found.scope.grid) == ("operator", "990101001")
    boss = accounts.find(furnished, "boss")
    assert boss is not None and boss.role == "audit_admin"


async def test_departments_are_added_and_renamed(server: "Server", settings: Settings, furnished: Database) -> None:
    access._current.set(ADMIN)
    book = server.parts.actions.enlistbook
    head = ("部门代码", "部门名称", "简称")
    lines = [("forestry", "林业", ""), ("fire", "消防", "消防"), ("police", "公安", "公安"), ("x y", "错", "")]
    upload = sent(settings, "departments", "d.csv", text(head, *lines).encode(), ADMIN)
    assert [one.state for one in book.departments(upload)] == ["new", "changed", "changed", "wrong"]
    with pytest.raises(Refused, match="list_wrong"):
        book.take_departments(upload, leave_out=False)
    assert departments.saved(furnished) == {}
    book.take_departments(upload, leave_out=True)
    assert (
        departments.every(furnished)["fire"].zh == "消防" and departments.every(furnished)["forestry"].short == "林业"
    )


async def test_a_list_places_departments_and_one_without_those_columns_leaves_their_places(
    server: "Server", settings: Settings, furnished: Database
) -> None:
    access._current.set(ADMIN)
    book = server.parts.actions.enlistbook
    head = ("代码", "名称", "英文名", "简称", "上级部门", "进驻方式", "电话", "邮箱")
    lines = [
        ("forestry", "林业", "Forestry", "林业", "消防救援", "随叫", "0000-5550123", "linye@example.org"),
        ("rangers", "护林队", "Rangers", "护林", "forestry", "by turns", "", ""),
        ("a_1", "甲", "", "", "没有的", "", "", ""),
        ("a_2", "乙", "", "", "", "天天", "", ""),
        ("a_3", "丙", "", "", "", "", "打电话", ""),
        ("a_4", "丁", "", "", "丁", "", "", ""),
    ]
    upload = sent(settings, "departments", "d.csv", text(head, *lines).encode(), ADMIN)
    listed = book.departments(upload)
    assert [one.state for one in listed] == ["new", "new", *["wrong"] * 4]
    assert [one.why.code for one in listed if one.why] == [
        *("department", "contacts.wrong.presence", "contacts.wrong.phone", "department"),
    ]
    book.take_departments(upload, leave_out=True)
    placed = departments.every(furnished)["forestry"]
    assert (placed.parent, placed.presence, placed.phone) == ("fire", "on_call", "0000-5550123")
    assert departments.every(furnished)["rangers"].parent == "forestry"
    old = sent(settings, "departments", "d.csv", text(head[:4], ("forestry", "林业局", "F", "林")).encode(), ADMIN)
    book.take_departments(old, leave_out=False)
    after = departments.every(furnished)["forestry"]
    assert (after.zh, after.parent, after.presence) == ("林业局", "fire", "on_call")
    assert (after.phone, after.email) == (placed.phone, placed.email), "columns that are not there say nothing"
    cleared = [("forestry", "林业局", "F", "林", "", "", "", "")]
    empty = sent(settings, "departments", "d.csv", text(head, *cleared).encode(), ADMIN)
    book.take_departments(empty, leave_out=False)
    assert departments.every(furnished)["forestry"].phone == "" == departments.every(furnished)["forestry"].parent


def test_the_form_says_of_a_place_only_what_was_changed_in_it() -> None:
    from dashboard.panels.department_list import FIELDS, asked_for
    from operations.departments import Wanted

    assert tuple(Wanted.__struct_fields__) == FIELDS == tuple(DEPARTMENT_COLUMNS)
    filled = ["fire", "消防", "Fire", "消防", "street", "resident", "0000-5550100", ""]
    typed = ["fire", "消防", "Fire", "消防", None, "resident", " 0000-5550199 ", ""]
    assert asked_for(typed, filled) == Wanted("fire", "消防", "Fire", "消防", "", None, "0000-5550199", None)
    by_hand = asked_for([*typed[:4], None, None, "", ""], None)
    assert by_hand == Wanted("fire", "消防", "Fire", "消防"), "a known code typed by hand wipes nothing"


async def test_only_whoever_may_and_sent_it_reads_a_list(
    server: "Server", settings: Settings, furnished: Database
) -> None:
    book = server.parts.actions.enlistbook
    mine = sent(settings, "accounts", "list.csv", text(HEAD, *GOOD).encode(), SECURITY)
    for who, refusal in (
        (ADMIN, Forbidden),
        (Identity("account", "o", "o", "operator"), Forbidden),
        (Identity("account", "t", "other", "security_admin"), NotFound),
    ):
        access._current.set(who)
        with pytest.raises(refusal):
            book.accounts(mine)
        with pytest.raises(refusal):
            book.take_accounts(mine, leave_out=True)
    access._current.set(SECURITY)
    with pytest.raises(Forbidden):
        book.departments(mine)
    wrong = sent(settings, "accounts", "list.csv", text(("谁", "何时"), ("a", "b")).encode(), SECURITY)
    with pytest.raises(Unfit, match="account_columns"):
        book.accounts(wrong)


def test_headings_are_known_in_both_languages() -> None:
    assert columns(["\ufeffCode ", "Chinese  Name", "?"], DEPARTMENT_COLUMNS) == {
        "code": "\ufeffCode ",
        "zh": "Chinese  Name",
    }
    assert columns(["部门代码", "部门名称*"], DEPARTMENT_COLUMNS) == {"code": "部门代码", "zh": "部门名称*"}


def test_a_password_stands_in_a_spreadsheet_as_it_is() -> None:
    from operations.enlistment import password

    for _ in range(200):
        made = password()
        assert enlistbook.table([[made]]) == f"\ufeff{made}\r\n"
