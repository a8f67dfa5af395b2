"""Cells of CSV files: none is a formula, no code becomes a number, everything else stays as it is."""

import pytest

from dashboard.spreadsheet import cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", " =1", *(f"{sign}1" for sign in "＝＋－＠"), "990101001001001"],
)
def test_what_a_spreadsheet_would_reckon_with_stands_behind_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "told"),
    [("东湖街道", "东湖街道"), ("", ""), (None, ""), (-1, -1), (-1.5, "-1.5"), (2.0, "2"), ("99", "99")],
)
def test_everything_else_stays(value: object, told: object) -> None:
    assert cell(value) == told
