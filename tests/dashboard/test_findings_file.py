"""The findings as files."""

import base64
import csv
import io

import orjson

from dashboard import findings_file
from dashboard.panels.faults_shell import counts, meant, rows
from geo.problem import ERROR, WARNING, Problem
from tests.dashboard.panel_board import WORDS

FOUND = [
    Problem(ERROR, "=1+1", "geo.problems.no_name", 118.0, 35.0),
    Problem(WARNING, "A", "geo.problems.overlap", params={"other": "B", "area_m2": 2.0, "percent": 3.0, "most": 1.0}),
]


def body(file: dict[str, str]) -> bytes:
    return base64.b64decode(file["content"])


def test_the_table_opens_in_excel_and_reckons_nothing() -> None:
    raw = body(findings_file.table(FOUND, WORDS))
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert len(lines) == 3 and lines[1][2] == "'=1+1" and lines[1][4:] == ["118.0", "35.0"]


def test_points_have_a_place_or_none() -> None:
    told = orjson.loads(body(findings_file.points(FOUND, WORDS)))
    assert [one["geometry"] for one in told["features"]] == [{"type": "Point", "coordinates": [118.0, 35.0]}, None]


def test_findings_are_counted_filtered_and_name_whom_they_mean() -> None:
    assert [(one.kind, one.name, one.count) for one in counts(FOUND)] == [
        (ERROR, "no_name", 1),
        (WARNING, "overlap", 1),
    ]
    assert (
        [one.number for one in rows(FOUND, WORDS, "warning")]
        == [1]
        == [one.number for one in rows(FOUND, WORDS, "warning.overlap")]
    )
    assert meant(FOUND[1]) == ["A", "B"]
