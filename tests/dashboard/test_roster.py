"""Rosters of duties: encodings, separators and headers as departments send them; every fault with its line."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard import roster
from operations.duties import Duty, wrong_with

CODES = ("110", "120")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_a_file_is_read_in_its_encoding_and_separator(encoding: str, comma: str) -> None:
    lines = [
        "网格编码,职务,姓名,值班电话",
        "110,网格长,王建国,0371-60001234",
        "",
        "110,兼职,李梅",
        "120,责任部门,街道办,",
    ]
    read = roster.read("\r\n".join(lines).replace(",", comma).encode(encoding), CODES)
    assert read.faults == []
    assert read.duties == {
        "110": [Duty("leader", "王建国", "0371-60001234"), Duty("part_time", "李梅")],
        "120": [Duty("department", "街道办")],
    }


@pytest.mark.parametrize(
    ("line", "kind"),
    [("999,leader,x,", "code"), ("110,king,x,", "role"), ("110,leader,,", "name"), ("110,leader,x,abc", "phone")],
)
def test_every_fault_is_said_with_its_line(line: str, kind: str) -> None:
    read = roster.read(f"code,role,name,phone\n110,leader,y,110\n{line}\n".encode(), CODES)
    assert [(fault.line, fault.kind) for fault in read.faults] == [(3, kind)]


@pytest.mark.parametrize("blob", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00\x00", "编码\n1".encode()])
def test_a_file_without_the_columns_says_so(blob: bytes) -> None:
    assert [fault.kind for fault in roster.read(blob, CODES).faults] == ["columns"]


def test_lines_as_they_are_typed() -> None:
    read = roster.of_lines("网格长，王建国，0371-60001234\n\n post , 值班室 ", "110")
    assert (read.faults, [card.duties for card in read.cards]) == (
        [],
        [(Duty("leader", "王建国", "0371-60001234"), Duty("post", "值班室"))],
    )
    assert roster.of_lines("", "110").cards[0].duties == ()
    assert [(fault.line, fault.kind) for fault in roster.of_lines("\n谁，x", "110").faults] == [(2, "role")]


@example(b"a\rb")
@example(b"x" * 200_000)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_no_bytes_break_it(blob: bytes) -> None:
    read = roster.read(b"code,role,name,phone\n" + blob, CODES)
    assert all(wrong_with(duty) == "" for duties in read.duties.values() for duty in duties)
