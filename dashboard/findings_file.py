"""What is wrong with grids, as files to take away 检查结果文件: a table for Excel and points for a map program."""

import base64
import csv
import io
from collections.abc import Sequence
from typing import Any

import orjson

from config.words import Words
from geo.problem import Problem

MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's own encoding."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell must not begin with: a spreadsheet would reckon with it."""
COLUMNS = ("kind", "sort", "code", "said", "lon", "lat")


def table(problems: Sequence[Problem], words: Words) -> dict[str, Any]:
    """Return the findings as CSV, as `dcc.Download` wants a file."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([words.text(f"findings.column.{name}") for name in COLUMNS])
    for one in problems:
        writer.writerow([_cell(value) for value in _values(one, words)])
    return _file(f"{words.text('findings.file')}.csv", "text/csv", (MARK + out.getvalue()).encode())


def points(problems: Sequence[Problem], words: Words) -> dict[str, Any]:
    """Return the findings as GeoJSON points; one without a place has no geometry."""
    features = []
    for one in problems:
        told = dict(zip(COLUMNS, _values(one, words), strict=True))
        lon, lat = told.pop("lon"), told.pop("lat")
        where = None if lon is None else {"type": "Point", "coordinates": [lon, lat]}
        features.append({"type": "Feature", "properties": told, "geometry": where})
    body = orjson.dumps({"type": "FeatureCollection", "features": features})
    return _file(f"{words.text('findings.file')}.geojson", "application/geo+json", body)


def _values(one: Problem, words: Words) -> tuple[Any, ...]:
    sort = words.text(f"findings.sort.{one.text_code.removeprefix('geo.problems.')}")
    said = words.text(one.text_code, **one.parameters())
    return words.text(f"findings.kind.{one.kind}"), sort, one.code, said, one.lon, one.lat


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _file(name: str, kind: str, body: bytes) -> dict[str, Any]:
    return {"filename": name, "type": kind, "base64": True, "content": base64.b64encode(body).decode()}
