"""Which format a file is in, by what it begins with, and what a zip of files holds; all within bounds.

GDAL is only given paths that stand here: files under names of our own in a folder of our own, so that no name of the
sender's means anything to it.
"""

import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geo import geojson, vector
from geo.crs import System
from geo.problem import Findings
from geo.sheet import Workbook
from geo.vector import GPKG, KML, SHAPEFILE, Source

ENDINGS = (".json", ".geojson", ".gpkg", ".zip", ".shp", ".kml", ".kmz")
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""The files of one shapefile, side by side under one name."""
GEOJSON = "GeoJSON"
MAX_MEMBERS = 2_000
MAX_UNPACKED = 1 << 30
PIECE = 1 << 20
HEAD = 4_096
CPG_MOST = 64
ENTITIES = (b"<!DOCTYPE", b"<!ENTITY", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))


@dataclass(frozen=True)
class Found:
    """A file to read: `label` is the sender's name, `beside` the other files of a shapefile by their endings."""

    path: Path
    label: str
    beside: dict[str, Path]


class _TooMuch(Exception):
    """A zip holds more than it may."""


def read(
    paths: Iterable[Path], layers: Sequence[str], given: System | None, encoding: str, findings: Findings
) -> Workbook:
    """Return the sheets of all the files; what cannot be read is an error in `findings`, never an exception."""
    book = Workbook()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gridwall-")))
        for number, found in enumerate(_found(list(paths), folder, findings)):
            _one(found, folder / f"file{number}", layers, given, encoding, findings, book)
    return book


def _one(
    found: Found,
    stem: Path,
    layers: Sequence[str],
    given: System | None,
    encoding: str,
    findings: Findings,
    book: Workbook,
) -> None:
    """Read one file into the book."""
    kind = _kind(found, findings)
    if kind == GEOJSON:
        sheet = geojson.read(found.path, found.label, given, encoding, findings)
        book.sheets += [sheet] if sheet else []
    elif kind:
        source = _linked(found, kind, stem)
        sheets, choices = vector.read(source, layers, given, encoding, findings)
        book.sheets += sheets
        book.choices += choices


def _linked(found: Found, kind: str, stem: Path) -> Source:
    """The file under a name of ours, with those beside it."""
    ending = {GPKG: ".gpkg", SHAPEFILE: ".shp", KML: ".kml"}[kind]
    path = stem.with_suffix(ending)
    path.symlink_to(found.path.resolve())
    for name, other in found.beside.items():
        if name not in (".shp", ".cpg"):  # texts are decoded by us
            stem.with_suffix(name).symlink_to(other.resolve())
    charset = ""
    if ".cpg" in found.beside and kind == SHAPEFILE:
        charset = found.beside[".cpg"].read_bytes()[:CPG_MOST].decode("ascii", "replace").strip()
    return Source(path, found.label, kind, charset)


def _kind(found: Found, findings: Findings) -> str:
    """The driver for a file, GEOJSON, or "" after an error."""
    try:
        size = found.path.stat().st_size
        with found.path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        findings.error("unreadable", file=str(found.path), reason=error.strerror or type(error).__name__)
        return ""
    if size > geojson.MAX_BYTES:
        findings.error("too_large", file=found.label, mib=size >> 20, most=geojson.MAX_BYTES >> 20)
        return ""
    if head[:4] == b"\0\0\x27\x0a":
        return SHAPEFILE
    if head[:16] == b"SQLite format 3\0":
        return GPKG
    if _is_markup(head):
        return _markup(found, head, findings)
    if found.path.suffix.lower() in PARTS:
        findings.error("part_only", file=found.label)
        return ""
    return GEOJSON


def _is_markup(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"<"


def _markup(found: Found, head: bytes, findings: Findings) -> str:
    """KML, unless it declares a document type: that is where entity bombs are built."""
    if b"<kml" not in head.replace(b"\0", b"") and b":kml" not in head:
        findings.error("not_kml", file=found.label)
        return ""
    with found.path.open("rb") as file:
        rest = b""
        while piece := file.read(PIECE):
            if any(word in rest + piece for word in ENTITIES):
                findings.error("entities", file=found.label)
                return ""
            rest = piece[-64:]
    return KML


def _found(paths: Sequence[Path], folder: Path, findings: Findings) -> list[Found]:
    """The files to read: zips unpacked, the parts of a shapefile put together."""
    result: list[Found] = []
    for number, path in enumerate(paths):
        if _is_zip(path):
            result += _unpacked(path, folder / f"zip{number}", findings)
        elif path.suffix.lower() in PARTS and path.suffix.lower() != ".shp" and _has_main(path, paths):
            continue
        else:
            result.append(Found(path, path.name, _beside(path)))
    return result


def _has_main(path: Path, paths: Sequence[Path]) -> bool:
    return any(one.suffix.lower() == ".shp" and one.with_suffix("") == path.with_suffix("") for one in paths)


def _beside(path: Path) -> dict[str, Path]:
    """The other files of a shapefile; ending and case as they come."""
    if path.suffix.lower() != ".shp" or not path.parent.is_dir():
        return {}
    near = (one for one in path.parent.iterdir() if one.stem.casefold() == path.stem.casefold())
    return {one.suffix.lower(): one for one in near if one.suffix.lower() in PARTS and one.is_file()}


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


def _unpacked(path: Path, folder: Path, findings: Findings) -> list[Found]:
    """What a zip (or KMZ) holds of use; nothing and an error when it is not in order."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = _members(archive)
            folder.mkdir()
            kept = _written(archive, names, folder)
    except _TooMuch:
        findings.error("zip_bomb", file=path.name, most=MAX_UNPACKED >> 20, members=MAX_MEMBERS)
        return []
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        findings.error("broken_zip", file=path.name, reason=type(error).__name__)
        return []
    unsafe = [name for name in names if not _safe(name)]
    if unsafe:
        findings.error("unsafe_zip", file=path.name, member=ascii(unsafe[0])[:80])
        return []
    mains = [name for name in kept if PurePosixPath(name).suffix.lower() != "" and _main(name)]
    if not mains:
        findings.error("empty_zip", file=path.name, endings=", ".join(ENDINGS))
    return [_of_zip(path.name, name, kept) for name in sorted(mains)]


def _main(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (".shp", ".gpkg", ".kml", ".json", ".geojson")


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """{name in letters: member}, of files; raises _TooMuch by what the zip itself declares."""
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) > MAX_MEMBERS or sum(one.file_size for one in members) > MAX_UNPACKED:
        raise _TooMuch
    return {_named(one): one for one in members if "__MACOSX" not in one.filename}


def _named(member: zipfile.ZipInfo) -> str:
    """The name as the sender saw it: zips of Chinese desks have GBK names that are read as code page 437."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return member.filename


def _safe(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return bool(parts) and ".." not in parts and not name.startswith(("/", "\\")) and ":" not in name


def _written(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo], folder: Path) -> dict[str, Path]:
    """{name: where it lies now}, under names of our own; raises _TooMuch when more comes out than was declared."""
    kept: dict[str, Path] = {}
    left = MAX_UNPACKED
    for number, (name, member) in enumerate(names.items()):
        ending = PurePosixPath(name).suffix.lower()
        if ending not in (*PARTS, *ENDINGS) or not _safe(name) or stat.S_ISLNK(member.external_attr >> 16):
            continue
        path = folder / f"{number}{ending}"
        with archive.open(member) as source, path.open("xb") as target:
            while piece := source.read(PIECE):
                left -= len(piece)
                if left < 0:
                    raise _TooMuch
                target.write(piece)
        kept[name] = path
    return kept


def _of_zip(zip_name: str, name: str, kept: dict[str, Path]) -> Found:
    """One file of a zip with what stands beside it there."""
    pure = PurePosixPath(name)
    beside = {}
    if pure.suffix.lower() == ".shp":
        same = str(pure.with_suffix("")).casefold()
        near = ((PurePosixPath(other), path) for other, path in kept.items())
        beside = {o.suffix.lower(): path for o, path in near if str(o.with_suffix("")).casefold() == same}
        beside = {ending: path for ending, path in beside.items() if ending in PARTS}
    return Found(kept[name], f"{zip_name}/{pure.name}", beside)
