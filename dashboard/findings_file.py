"""What is wrong with grids, as files to take away 检查结果文件: a table for Excel and points for a map program."""

import base64
import csv
import io
from collections.abc import Sequence
from typing import Any

import orjson

from config.words import Words
from dashboard.spreadsheet import MARK, harmless
from geo.problem import Problem

COLUMNS = ("kind", "sort", "code", "said", "lon", "lat")


def table(problems: Sequence[Problem], words: Words) -> dict[str, Any]:
    """Return the findings as CSV, as `dcc.Download` wants a file."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([words.text(f"findings.column.{name}") for name in COLUMNS])
    for one in problems:
        kind, sort, code, said, lon, lat = _values(one, words)
        writer.writerow([*map(harmless, (kind, sort, code, said)), lon, lat])
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


def _file(name: str, kind: str, body: bytes) -> dict[str, Any]:
    return {"filename": name, "type": kind, "base64": True, "content": base64.b64encode(body).decode()}
