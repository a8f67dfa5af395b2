"""Files of rows: what departments' programs write is read, what cannot be is said in a way somebody can act on."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.words import LANGUAGES, Words
from streams.tables import child, reading
from streams.tables.finding import Findings, TableUnreadable
from streams.tables.reading import Summary
from streams.tables.workbook import column_letter
from tests.streams.sheets import HEADER, LINES, bomb, hotline_book, read, sparse, text, workbook


def inside(folder: Path, data: bytes, name: str = "a.csv") -> tuple[Summary, list[dict[str, Any]]]:
    """Read without a child, for what no native code touches: summary and rows."""
    (folder / name).write_bytes(data)
    (folder / reading.ROWS).unlink(missing_ok=True)
    found = reading.read(folder / name, folder)
    return found, [json.loads(row.item.raw) for row in child.rows(folder)]


def codes(found: Summary) -> dict[str, int]:
    return {one.code: one.row for one in found.findings}


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (text().encode("gbk"), "gb18030"),
        (text().encode("utf-8"), "utf-8"),
        (text().encode("utf-8-sig"), "utf-8-sig"),
        (text(delimiter="\t").encode("utf-16"), "utf-16"),
        (text().encode("utf-16-le"), "utf-16-le"),
        (text().encode("utf-16-be"), "utf-16-be"),
        (text((HEADER, *LINES, ("A3", "𠮷野家门口积水", "", "", ""))).encode("gb18030"), "gb18030"),
    ],
)
def test_the_encoding_is_found_and_named(tmp_path: Path, data: bytes, encoding: str) -> None:
    found, rows = inside(tmp_path, data)
    assert found.encoding == encoding
    assert [one.name for one in found.columns] == list(HEADER)
    assert rows[0] == dict(zip(HEADER, LINES[0], strict=True))
    assert rows[1] == dict(zip(HEADER[:3], LINES[1][:3], strict=True))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "，"])
def test_the_delimiter_is_found(tmp_path: Path, mark: str) -> None:
    found, rows = inside(tmp_path, text(delimiter=mark).encode())
    assert (found.delimiter, len(rows)) == (mark, 2)


def test_excels_own_line_about_the_delimiter_is_believed(tmp_path: Path) -> None:
    found, rows = inside(tmp_path, ("sep=;\r\n" + text(delimiter=";")).encode())
    assert (found.delimiter, found.header, len(rows)) == (";", 2, 2)


def test_titles_empty_rows_and_totals_are_no_data(tmp_path: Path) -> None:
    lines = [("十一月工单表", "", "", "", ""), HEADER, LINES[0], ("",) * 5, LINES[1], ("合计", "2", "", "", "")]
    found, rows = inside(tmp_path, text(lines).encode())
    assert [row["工单编号"] for row in rows] == ["A1", "A2"]
    assert (found.header, found.rows) == (2, 2)
    assert codes(found) == {"title_rows": 1, "empty_rows": 0, "total_row": 6}


def test_a_header_over_two_rows_is_joined_without_merged_cells_too(tmp_path: Path) -> None:
    lines = [("工单编号", "位置", "", "标题"), ("", "经度", "纬度", ""), ("A1", "119.1", "34.5", "路灯")]
    found, rows = inside(tmp_path, text(lines).encode())
    assert [one.name for one in found.columns] == ["工单编号", "位置 / 经度", "位置 / 纬度", "标题"]
    assert rows == [{"工单编号": "A1", "位置 / 经度": "119.1", "位置 / 纬度": "34.5", "标题": "路灯"}]


def test_a_first_row_of_data_is_never_taken_for_a_second_header(tmp_path: Path) -> None:
    lines = [("工单编号", "标题", "备注"), ("甲一", "路灯", "无"), ("甲二", "井盖", "无")]
    found, rows = inside(tmp_path, text(lines).encode())
    assert (found.header, len(rows)) == (1, 2)


def test_rows_that_do_not_fit_are_told_by_row_and_column(tmp_path: Path) -> None:
    lines = [("工单编号", "标题"), ("A1", "a", "b"), ("1.25E+15", "c"), ("A3", "d")]
    (tmp_path / "a.csv").write_bytes(text(lines).encode())
    found = reading.read(tmp_path / "a.csv", tmp_path)
    rows = list(child.rows(tmp_path))
    assert [(row.number, row.item.fault) for row in rows] == [(2, "more_cells"), (3, ""), (4, "")]
    told = {one.code: (one.row, one.column) for one in found.findings}
    assert told == {"more_cells": (2, "C"), "digits_lost": (3, "工单编号")}


def test_a_file_cut_off_inside_a_character_costs_its_last_row_only(tmp_path: Path) -> None:
    data = text((HEADER, *LINES * 20)).encode()
    (tmp_path / "a.csv").write_bytes(data + "A9,井".encode()[:-1])
    found = reading.read(tmp_path / "a.csv", tmp_path)
    faults = [row.item.fault for row in child.rows(tmp_path)]
    assert faults == [""] * 40 + ["encoding_broken"]
    assert {"encoding_mixed", "encoding_broken"} <= codes(found).keys()


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    found, rows = inside(tmp_path, text([("编号", "电话", "电话"), ("1", "2", "3")]).encode())
    assert rows == [{"编号": "1", "电话": "2", "电话 (2)": "3"}]
    assert codes(found) == {"same_name": 1}


@pytest.mark.parametrize(
    ("data", "inside_", "ids"),
    [
        (b'[{"id": 1}, {"id": 2}]', "", [1, 2]),
        (b'{"code": 0, "data": {"page": 1, "list": [{"id": 1}, {"id": 2}]}}', "data.list", [1, 2]),
        (b'\xef\xbb\xbf{"id": 1}\n{"id": 2}\n', "lines", [1, 2]),
        (b'{"id": 12345678901234567890}', "", [12345678901234567890]),
        ('[{"id": "工单"}]'.encode("gbk"), "", ["工单"]),
    ],
)
def test_json_in_its_usual_forms(tmp_path: Path, data: bytes, inside_: str, ids: list[object]) -> None:
    found, rows = inside(tmp_path, data, "a.json")
    assert (found.kind, found.inside, [row["id"] for row in rows]) == ("json", inside_, ids)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (bytes(range(256)) * 4, "binary"),
        (b"%PDF-1.7\n", "pdf"),
        (b"<html><table><tr><td>", "web_page"),
        (b'<?xml version="1.0"?><Workbook>', "xml"),
        (b'{"a": [', "json"),
        (("工单编号,标题\n" + '1,"' + "x\n" * 500).encode(), "quote"),
        (bytes(range(128, 256)) * 50, "encoding"),
        (",".join(f"列{n}" for n in range(300)).encode() + b"\n" + b",".join([b"1"] * 300), "columns"),
        (b"1,2,3\n4,5,6\n", "header"),
        ("工单编号,标题\n".encode(), "empty"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(TableUnreadable) as refused:
        inside(tmp_path, data)
    assert refused.value.code == code
    assert all(Words(lang).text(f"files.unreadable.{code}", **refused.value.params) for lang in LANGUAGES)


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 10)
    with pytest.raises(TableUnreadable, match="rows"):
        inside(tmp_path, text([HEADER, *[LINES[0]] * 11]).encode())


# ---- workbooks, in the child -----------------------------------------------------------------------------------------


def test_a_hotlines_workbook(tmp_path: Path) -> None:
    found, rows = read(tmp_path, "a.xlsx", hotline_book())
    first, second = (json.loads(row.item.raw) for row in rows)
    assert (found.header, found.sheet) == (3, "Sheet")
    assert first == {
        "工单编号": "20251122000124",
        "位置 / 经度": "119.16",
        "位置 / 纬度": "34.57",
        "受理时间": "2025-11-22 11:50:00",
        "诉求内容": "路灯不亮",
        "诉求内容 (2)": "旧",
    }
    assert second["受理时间"].startswith("45983.49")
    told = codes(found)
    assert told.keys() == {"title_rows", "header_joined", "same_name", "digits_lost", "total_row", "empty_rows"}
    assert told["digits_lost"] == 5


def test_an_old_workbook_that_is_only_called_so_says_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(TableUnreadable, match="web_page"):
        read(tmp_path, "a.xls", b"<html><head><meta charset=gbk></head><table>")


@pytest.mark.parametrize(("data", "codes"), [(bomb(), {"bomb"}), (sparse(), {"columns", "rows", "memory"})])
def test_bombs_are_refused_without_being_unpacked(tmp_path: Path, data: bytes, codes: set[str]) -> None:
    assert len(data) < 2_000_000
    with pytest.raises(TableUnreadable) as refused:
        read(tmp_path, "a.xlsx", data)
    assert refused.value.code in codes


def test_a_child_that_dies_or_hangs_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(text().encode())
    monkeypatch.setattr(child, "SECONDS", 0.001)
    with pytest.raises(TableUnreadable, match="time"):
        child.examine(tmp_path / "a.csv", tmp_path / "read")
    monkeypatch.setattr(child, "SECONDS", 60)
    monkeypatch.setattr(child, "MODULE", "streams.nothing")
    with pytest.raises(TableUnreadable, match="memory"):
        child.examine(tmp_path / "a.csv", tmp_path / "read")
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_every_finding_has_its_words() -> None:
    findings = Findings()
    for number in range(50):
        findings.add("more_cells", number, "A", count=3)
    told = findings.all()
    assert len(told) == 21 and told[-1].code == "more" and told[-1].params["count"] == "30"
    assert [column_letter(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


# ---- anything at all -------------------------------------------------------------------------------------------------

PLAIN = [text().encode(), text().encode("gbk"), text().encode("utf-16"), b'{"list": [{"id": 1, "a": {"b": [1]}}]}']


@st.composite
def spoiled(draw: st.DrawFn, whole: list[bytes]) -> bytes:
    """A good file with bytes changed, cut out, repeated, or its end gone."""
    data = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        how = draw(st.sampled_from(("set", "cut", "repeat", "insert", "end")))
        if how == "set":
            data[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del data[at : at + draw(st.integers(1, 20))]
        elif how == "repeat":
            data[at:at] = bytes(data[at : at + 10]) * draw(st.integers(1, 50))
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=20))
        else:
            del data[at + 1 :]
        data = data or bytearray(b"x")
    return bytes(data)


@settings(max_examples=150)
@given(data=st.one_of(st.binary(max_size=300), spoiled(PLAIN), st.text(max_size=300).map(str.encode)))
def test_any_text_is_read_or_refused(data: bytes) -> None:
    with TemporaryDirectory() as path:
        for name in ("a.csv", "b.json"):
            try:
                found, _ = inside(Path(path), data, name)
            except TableUnreadable as error:
                assert f"files.unreadable.{error.code}" in Words("zh")
            else:
                assert all(f"files.finding.{one.code}" in Words("zh") for one in found.findings)


BOOK = workbook([HEADER, *LINES])


@settings(max_examples=25)
@given(data=spoiled([BOOK, hotline_book()]))
def test_any_workbook_is_read_or_refused(data: bytes) -> None:
    with TemporaryDirectory() as path:
        try:
            read(Path(path), "a.xlsx", data)
        except TableUnreadable as error:
            assert f"files.unreadable.{error.code}" in Words("zh")
