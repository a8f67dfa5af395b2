"""The child process that runs GDAL 读文件的子进程: foreign files are parsed here, within limits, and nowhere else.

`python -m geo.native` takes one `Asked` as MessagePack on its standard input and answers one `Answer` on its standard
output. It has no network drivers (`geo.vector` switches all but three formats off), a bound of memory and of processor
time, and nothing to lose: when native code crashes only this process ends.
"""

import re
import resource
import sqlite3
import sys
from contextlib import closing
from typing import Any
from urllib.parse import quote

import msgspec

MEMORY_BYTES = 6 << 30
SECONDS = 120
POLYGONS = ("Polygon", "MultiPolygon", "Unknown", "Geometry", "GeometryCollection")
CURVES = range(8, 13)
"""Codes of WKB for circular strings, compound curves, curve polygons, multicurves, multisurfaces."""
ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of the envelope in the head of a GeoPackage's shape, by the kind that its flags name."""
INDEX = re.compile(r'CREATE VIRTUAL TABLE ("[^"]*"|\w+) USING rtree\s*\(', re.IGNORECASE)
"""The one kind of virtual table a GeoPackage needs; others can read files of this machine (VirtualText)."""
LARGEST_VALUE = 4_000  # characters of a property; no code or name is longer


class Asked(msgspec.Struct, frozen=True):
    """A file by its path, the layers wanted (none: all of polygons), and whether texts are wanted byte for byte.

    `most`: features it may have.
    """

    path: str
    driver: str
    layers: list[str]
    raw: bool
    most: int


class Layer(msgspec.Struct, frozen=True):
    """One layer: `columns` beside `fields`; `shapes` as WKB, None where there is none. Only told of when not `read`."""

    name: str
    type: str
    count: int
    crs: str
    read: bool
    fields: list[str] = []
    columns: list[list[Any]] = []
    shapes: list[bytes | None] = []


class Answer(msgspec.Struct, frozen=True):
    """The layers, or the name of what is wrong with the file."""

    layers: list[Layer] = []
    fault: str = ""
    detail: str = ""


NEEDLESS = ("pandas", "geopandas", "pyarrow")
"""What pyogrio would load at its start if it found it; a second each time."""


def main(arguments: list[str]) -> int:
    """Answer one question, or with `--drivers` name every driver there is."""
    sys.modules.update(dict.fromkeys(NEEDLESS))  # type: ignore[arg-type]  # None: "not there"
    if arguments == ["--drivers"]:
        import pyogrio

        sys.stdout.write(",".join(sorted(pyogrio.list_drivers())))
        return 0
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answered(asked)))
    return 0


def answered(asked: Asked) -> Answer:
    """Return what the file holds."""
    import pyogrio

    try:
        if asked.driver == "GPKG":
            _without_modules(asked.path)
        names = [(str(name), str(kind)) for name, kind in pyogrio.list_layers(asked.path)]
        missing = [name for name in asked.layers if name not in dict(names)]
        if missing:
            return Answer(fault="no_layer", detail=missing[0])
        layers = [_layer(asked, name, kind) for name, kind in names]
    except _Fault as fault:
        return Answer(fault=fault.name, detail=fault.detail)
    except MemoryError:
        return Answer(fault="too_complex")
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        sqlite3.Error,
        ValueError,
        RuntimeError,
    ) as error:
        return Answer(fault="broken_file", detail=" ".join(str(error).split())[:200])
    return Answer(layers)


class _Fault(Exception):
    def __init__(self, name: str, detail: str) -> None:
        super().__init__(name)
        self.name, self.detail = name, detail


def _layer(asked: Asked, name: str, kind: str) -> Layer:
    import pyogrio

    if kind == "None":  # a table without shapes
        return Layer(name, kind, 0, "", False)
    about = pyogrio.read_info(asked.path, layer=name, force_feature_count=True)
    if about["driver"] != asked.driver:
        raise _Fault("broken_file", str(about["driver"]))
    count, crs = int(about["features"]), str(about["crs"] or "")
    plain = kind.removesuffix(" ZM").removesuffix(" Z").removesuffix(" M").removeprefix("2.5D ").removeprefix("3D ")
    wanted = name in asked.layers if asked.layers else plain in POLYGONS and count > 0
    if not wanted:
        return Layer(name, kind, max(count, 0), crs, False)
    if count > asked.most:
        raise _Fault("too_many", str(count))
    if asked.driver == "GPKG" and _curved(asked.path, name):
        raise _Fault("curves", name)
    told, _, shapes, columns = pyogrio.raw.read(
        asked.path, layer=name, encoding="ISO-8859-1" if asked.raw else None, force_2d=True, datetime_as_string=True
    )
    fields = [str(field) for field in told["fields"]]
    values = [[_value(one) for one in column.tolist()] for column in columns]
    return Layer(name, kind, len(shapes), crs, True, fields, values, shapes.tolist())


def _without_modules(path: str) -> None:
    """Refuse a GeoPackage with virtual tables but its index, before GDAL, which knows more modules, sees it."""
    with closing(_opened(path)) as database:
        tables = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND rootpage = 0")
        for name, sql in tables:
            if not INDEX.match(str(sql)):
                raise _Fault("broken_file", f"virtual table {str(name)[:60]}")


def _opened(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)


def _curved(path: str, table: str) -> bool:
    """Whether a layer of a GeoPackage has curves, which GDAL would hand on as straight lines without a word."""
    quoted = table.replace('"', '""')
    with closing(_opened(path)) as database:
        found = database.execute(
            "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (table,)
        ).fetchone()
        if found is None:
            return False
        column = str(found[0]).replace('"', '""')
        heads = database.execute(f'SELECT substr("{column}", 1, 80) FROM "{quoted}" WHERE "{column}" IS NOT NULL')
        return any(_code(bytes(head)) % 1000 in CURVES for (head,) in heads if isinstance(head, bytes))


def _code(head: bytes) -> int:
    """The code of WKB of a shape as a GeoPackage keeps it; 0 for something else."""
    kind = (head[3] >> 1) & 7 if len(head) > 3 else len(ENVELOPES)
    start = 8 + ENVELOPES[kind] if kind < len(ENVELOPES) else len(head)
    order = "little" if head[start : start + 1] == b"\x01" else "big"
    return int.from_bytes(head[start + 1 : start + 5], order)  # type: ignore[arg-type]


def _value(value: Any) -> Any:
    """A property as MessagePack can say it: texts cut, nothing for what is not there."""
    if isinstance(value, str):
        return value[:LARGEST_VALUE]
    if isinstance(value, float):
        return value if value == value else None
    return value if isinstance(value, bool | int | None) else str(value)[:LARGEST_VALUE]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
