"""Lists of people, teams, shifts and duties: read as departments send them, shown line by line, taken whole or not."""

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.settings import Settings
from dashboard import access
from dashboard.uploads import Upload, Uploads
from operations import journal
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import Identity
from tests.streams.sheets import workbook

if TYPE_CHECKING:
    from dashboard.server import Server

ADMIN = Identity("account", "a", "admin", "system_admin")
COMMANDER = Identity("account", "c", "commander", "duty_commander")
PEOPLE = (
    ("姓名", "职务", "所属部门", "网格编码", "手机"),
    ("张三", "值班员", "消防救援", "", "13800000001"),
    ("李四", "带班领导", "fire", "990101001", "13800000002"),
)
WRONG = (
    ("张三", "又一个", "公安局", "", ""),
    ("", "值班员", "fire", "", ""),
    ("王五", "值班员", "fire", "没有的网格", ""),
    ("赵六", "值班员", "fire", "", "打这个"),
    ("张三", "值班员", "fire", "", "13800000001"),
)
ROSTER = (
    ("部门", "值班岗位", "值班人", "顺位", "开始时间", "结束时间"),
    ("消防救援", "值班", "张三", "1", "2027-01-31 08:00", "2027-01-31 20:00"),
    ("消防救援", "值班", "李四", "2", "2027/01/31 08:00", "2027-01-31 20:00"),
)
DUTIES = (("类型", "部门", "主协办"), ("治安", "公安", "主办"), ("0203", "街道（镇）", "协办"))


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


def text(lines: object) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)  # type: ignore[arg-type]
    return out.getvalue().encode("gb18030")


async def test_lists_are_previewed_taken_whole_and_the_same_again_changes_nothing(
    server: "Server", settings: Settings, furnished: Database
) -> None:
    access._current.set(ADMIN)
    book = server.parts.actions.contacts
    wrong = sent(settings, "person", "错.xlsx", workbook([*PEOPLE, *WRONG]), ADMIN)
    lines = book.read("person", wrong)
    assert [(one.number, one.state) for one in lines] == [
        (2, "new"),
        (3, "new"),
        *((at, "wrong") for at in range(4, 9)),
    ]
    codes = [one.why.code for one in lines if one.why]
    assert codes == ["department", "contacts.wrong.name", "grid", "contacts.wrong.phone", "twice"]
    with pytest.raises(Refused, match="list_wrong"):
        book.take("person", wrong, leave_out=False)
    assert book.find("", ("person",)) == []

    good = sent(settings, "person", "人员.csv", text(PEOPLE), ADMIN)
    book.take("person", good, leave_out=False)
    assert [one.name for one in book.find("ls")] == ["李四"]
    assert [one.state for one in book.read("person", good)] == ["same", "same"]
    moved = sent(settings, "person", "改.csv", text([("姓名", "部门", "岗位"), ("张三", "fire", "副班")]), ADMIN)
    assert [one.state for one in book.read("person", moved)] == ["changed"]
    book.take("person", moved, leave_out=False)
    assert ["张三", "副班", "fire", "", "13800000001", "", ""] in book.exported("person"), (
        "the phone was not listed, and stays"
    )

    duties = sent(settings, "duty", "清单.csv", text(DUTIES), ADMIN)
    book.take("duty", duties, leave_out=False)
    assert book.exported("duty") == [["02", "police", "", "lead", ""], ["0203", "street", "", "support", ""]]
    assert [one.state for one in book.read("duty", duties)] == ["same", "same"]

    access._current.set(COMMANDER)
    shifts = sent(settings, "shift", "值班表.csv", text(ROSTER), COMMANDER)
    book.take("shift", shifts, leave_out=False)
    with pytest.raises(Refused, match="list_empty"):
        book.take("shift", shifts, leave_out=False)
    assert "张三" not in str(journal.read(furnished, 0)) and "138" not in str(
        [one.body for one in journal.read(furnished, 0) if one.subject_type == "person"]
    )


async def test_lists_are_for_who_manages_them_and_sent_them(server: "Server", settings: Settings) -> None:
    book = server.parts.actions.contacts
    mine = sent(settings, "person", "人员.csv", text(PEOPLE), ADMIN)
    for who, refusal in ((COMMANDER, Forbidden), (Identity("account", "b", "other", "system_admin"), NotFound)):
        access._current.set(who)
        with pytest.raises(refusal):
            book.take("person", mine, leave_out=False)
    access._current.set(COMMANDER)
    for kind in ("person", "team", "duty"):
        with pytest.raises(Forbidden):
            book.exported(kind)
    with pytest.raises(Forbidden):
        book.keep(object())
