"""Field mappings of foreign rows and JSON: `config/sources/NAME.toml` says where their fields are in our report.

The same as a dict (of JSON) is what is written on screen and kept in the database; `checked` reads both.

[fields]                          ours = path of theirs; several paths are joined (a date and a time in two fields)
id = "order.no"                   a dot inside a name has a backslash before it
occurred_at = ["order.day", "order.time"]
"place.lon" = "geo.lng"
[time]
formats = ["iso", "%d %b %Y %H:%M:%S"]      tried in this order; without a zone: the source's zone;
                                            "excel": days since 1900 as workbooks count, "epoch": since 1970
[numbers]
strings = true                    coordinates are written as texts
[types] / [urgency]               their words to our codes; "*" for every other word
[revision]
rule = "fields" | "content"       the named fields joined, or a hash of what we read
fields = ["updated"]              for "content": what puts the revisions in order, needed too
[presence]
field = "kind"
gone = ["gone"]                   these words mean: gone from their feed (which is not closed)
[back]                            our codes to their words, for what is written back to them
"step.handle" = "办理中"          step.…, stage.… of a flow, result.… of a closing, order.done or order.cancelled
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from config.taxonomy import URGENCIES, Taxonomy
from streams import allowed
from streams.errors import MappingError, Unreadable
from streams.moment import ISO, joined

FOLDER = Path(__file__).resolve().parent.parent / "config" / "sources"
FIELDS = (
    *("id", "title", "text", "type", "urgency", "occurred_at", "grid_code", "channel", "status", "attachments"),
    *(f"place.{name}" for name in ("lon", "lat", "datum", "accuracy_m", "address")),
    *(f"reporter.{name}" for name in ("name", "phone", "organisation", "address", "relation")),
)
NUMBERS = ("place.lon", "place.lat", "place.accuracy_m")
TEXTS = (*(name for name in FIELDS if name not in NUMBERS and name != "attachments"),)
RULES = ("fields", "content")
ANY_OTHER = "*"
UNORDERED = "0"
"""Stands in where a row says nothing of its order: older than all that do, such as an order nobody has changed yet."""
TABLES = {
    "fields": None,
    "time": {"formats"},
    "numbers": {"strings"},
    "types": None,
    "urgency": None,
    "revision": {"rule", "fields"},
    "presence": {"field", "gone"},
    "back": None,
}
BACK = ("step.", "stage.", "result.", "order.")
DEEPEST_PATH = 8

Path_ = tuple[str, ...]
_DOT = re.compile(r"(?<!\\)\.")


class Mapped(msgspec.Struct, frozen=True):
    """A checked mapping, ready to apply."""

    name: str
    fields: dict[str, tuple[Path_, ...]]
    formats: tuple[str, ...] = (ISO,)
    number_strings: bool = False
    types: dict[str, str] = {}
    urgency: dict[str, str] = {}
    rule: str = "fields"
    revision: tuple[Path_, ...] = ()
    presence: Path_ = ()
    gone: frozenset[str] = frozenset()
    back: dict[str, str] = {}

    def apply(self, given: Mapping[str, object], zone: ZoneInfo, dropped: dict[str, int]) -> dict[str, object]:
        """Our report's fields of their object; what no path names is dropped and counted. Raises Unreadable."""
        flat = {ours: self._value(ours, paths, given, zone) for ours, paths in self.fields.items()}
        report = _nested({ours: value for ours, value in flat.items() if value is not None})
        for table, ours in ((self.types, "type"), (self.urgency, "urgency")):
            if table and isinstance(report.get(ours), str):
                report[ours] = table.get(report[ours], table.get(ANY_OTHER, report[ours]))
        report["revision"] = self._revision(given, report)
        if self.presence:
            report["presence"] = "gone" if _at(given, self.presence) in self.gone else "present"
        self._count(given, dropped)
        return report

    def _value(self, ours: str, paths: tuple[Path_, ...], given: Mapping[str, object], zone: ZoneInfo) -> object:
        values = [value for value in (_at(given, path) for path in paths) if value not in (None, "")]
        if not values:
            return None
        if ours == "occurred_at":
            return _moment(values, zone, self.formats)
        if ours in NUMBERS and self.number_strings:
            return _number(values[0], ours)
        if ours in TEXTS:
            return _joined(values, ours)
        return values[0]

    def _revision(self, given: Mapping[str, object], report: dict[str, Any]) -> str:
        order = " ".join(_word(_at(given, path)) for path in self.revision)
        if self.rule == "fields":
            return order
        digest = sha256(msgspec.json.encode(report, order="sorted")).hexdigest()[:12]
        return f"{order.strip() or UNORDERED} {digest}"

    def _count(self, given: Mapping[str, object], dropped: dict[str, int]) -> None:
        """Count what no path of ours leads into."""
        known = {path for paths in self.fields.values() for path in paths} | {*self.revision, self.presence}
        _count_unread(given, (), known, dropped)


STANDARD = Mapped("standard", {})
"""Our own form needs no mapping; `standard.toml` writes the same down as an example to start from."""


def load(path: Path, taxonomy: Taxonomy) -> Mapped:
    """Read and check one mapping; raises MappingError that names the file, the key and what is allowed."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingError(f"{path}: there is no such mapping") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise MappingError(f"{path}: cannot be read: {error}") from error
    return checked(data, taxonomy, path.stem, str(path))


def checked(data: Mapping[str, Any], taxonomy: Taxonomy, name: str, where: str) -> Mapped:
    """Return the mapping a dict holds; raises MappingError that names `where`, the key and what is allowed."""
    return _Reader(name, where, dict(data)).mapped(taxonomy)


def steps(path: str) -> Path_:
    """Return the steps of a written path: parted by dots, a dot inside a name has a backslash before it."""
    return tuple(part.replace("\\.", ".") for part in _DOT.split(path))


def written(path: Path_) -> str:
    """Return a path as it is written in a mapping; the inverse of `steps`."""
    return ".".join(step.replace(".", "\\.") for step in path)


class Mappings(NamedTuple):
    """Every mapping by the name of its file; of one that is wrong, what is wrong: it costs its own sources only."""

    good: dict[str, Mapped]
    wrong: dict[str, MappingError]

    def get(self, name: str) -> Mapped:
        """The mapping of that name; raises MappingError when it is wrong or not there."""
        if name in self.wrong:
            raise self.wrong[name]
        if name not in self.good:
            raise MappingError(f"there is no mapping {name!r}; there are: {', '.join(sorted(filter(None, self.good)))}")
        return self.good[name]


def load_all(taxonomy: Taxonomy, own: Path | None = None) -> Mappings:
    """Read all mappings of `config/sources`; those of one's `own` folder (DATA/sources) go before them."""
    folders = [FOLDER] if own is None else [FOLDER, own]
    files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    found = Mappings({"": STANDARD}, {})
    for name, path in files.items():
        try:
            found.good[name] = load(path, taxonomy)
        except MappingError as error:
            found.wrong[name] = error
    found.good["standard"] = STANDARD
    return found


class _Reader:
    """Checks one mapping; every complaint names where it stands and the key."""

    def __init__(self, name: str, where: str, data: dict[str, Any]) -> None:
        self.name = name
        self.where = where
        self.data = data

    def mapped(self, taxonomy: Taxonomy) -> Mapped:
        self._known_keys()
        fields = {ours: self._paths(f"fields.{ours}", value) for ours, value in self._flat_fields().items()}
        for needed in ("id", "title"):
            if needed not in fields and not (needed == "title" and "text" in fields):
                raise self._wrong(f"fields.{needed}", "is missing")
        rule = self._one_of("revision.rule", self._get("revision", "rule", "fields"), RULES)
        revision = self._paths("revision.fields", self._get("revision", "fields", []))
        if rule == "content" and not revision:
            raise self._wrong(
                "revision.fields", 'is needed by rule "content": without it no order of revisions is known'
            )
        return Mapped(
            name=self.name,
            fields=fields,
            formats=tuple(self._texts("time.formats", self._get("time", "formats", [ISO]))),
            number_strings=self._flag("numbers.strings", self._get("numbers", "strings", False)),
            types=self._table("types", taxonomy.known, "a code of taxonomy.toml"),
            urgency=self._table("urgency", URGENCIES.__contains__, "routine, urgent or critical"),
            rule=rule,
            revision=revision,
            presence=self._presence(),
            gone=frozenset(self._texts("presence.gone", self._get("presence", "gone", []))),
            back=self._back(),
        )

    def _back(self) -> dict[str, str]:
        words = self.data.get("back", {})
        for key, word in words.items():
            if not key.startswith(BACK):
                raise self._wrong(f"back.{key}", f"must begin with one of {', '.join(BACK)}")
            if not isinstance(word, str) or not word or len(word) > 60:
                raise self._wrong(f"back.{key}", "must be a word of theirs")
        return dict(words)

    def _known_keys(self) -> None:
        for table, keys in self.data.items():
            if table not in TABLES:
                raise self._wrong(table, f"is not known; allowed: {', '.join(TABLES)}")
            if not isinstance(keys, dict):
                raise self._wrong(table, "must be a table")
            for key in keys.keys() - (TABLES[table] or keys.keys()):
                raise self._wrong(f"{table}.{key}", f"is not known; allowed: {', '.join(sorted(TABLES[table] or ()))}")

    def _flat_fields(self) -> dict[str, Any]:
        """`place.lon` may be written quoted or as a sub-table."""
        flat: dict[str, Any] = {}
        for name, value in self.data.get("fields", {}).items():
            flat |= {f"{name}.{key}": path for key, path in value.items()} if isinstance(value, dict) else {name: value}
        for name in flat:
            if name not in FIELDS:
                raise self._wrong(f"fields.{name}", f"is not a field of ours; allowed: {', '.join(FIELDS)}")
        return flat

    def _paths(self, key: str, value: object) -> tuple[Path_, ...]:
        paths = [value] if isinstance(value, str) else value
        if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
            raise self._wrong(key, 'must be a path such as "order.no", or a list of paths')
        found = tuple(steps(path) for path in paths)
        if any(len(path) > DEEPEST_PATH or not all(path) for path in found):
            raise self._wrong(key, f"has an empty step or more than {DEEPEST_PATH} steps")
        return found

    def _presence(self) -> Path_:
        paths = self._paths("presence.field", self._get("presence", "field", []))
        if len(paths) > 1:
            raise self._wrong("presence.field", "must be one path")
        return paths[0] if paths else ()

    def _table(self, table: str, known: Callable[[str], bool], allowed_text: str) -> dict[str, str]:
        for word, ours in self.data.get(table, {}).items():
            if not isinstance(ours, str) or not known(ours):
                raise self._wrong(f"{table}.{word}", f"is {ours!r}; allowed: {allowed_text}")
        return dict(self.data.get(table, {}))

    def _texts(self, key: str, value: object) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._wrong(key, "must be a list of texts")
        return value

    def _flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(key, "must be true or false")
        return value

    def _one_of(self, key: str, value: object, words: tuple[str, ...]) -> str:
        if value not in words:
            raise self._wrong(key, f"is {value!r}; allowed: {', '.join(words)}")
        return str(value)

    def _get(self, table: str, key: str, default: object) -> object:
        return self.data.get(table, {}).get(key, default)

    def _wrong(self, key: str, problem: str) -> MappingError:
        return MappingError(f"{self.where}: {key} {problem}", key=key, problem=problem)


def _at(given: object, path: Path_) -> Any:
    """The value at a path; a step into a list is its index. None where there is nothing."""
    for step in path:
        if isinstance(given, dict):
            given = given.get(step)
        elif isinstance(given, list) and step.isdecimal() and int(step) < len(given):
            given = given[int(step)]
        else:
            return None
    return given


def _moment(values: list[Any], zone: ZoneInfo, formats: tuple[str, ...]) -> int:
    try:
        return joined(values, zone, formats)
    except Unreadable as error:
        raise Unreadable(error.code, "occurred_at", given=str(values)[:100]) from error


def _number(value: object, ours: str) -> object:
    """A number written as text; a decimal comma is refused, not guessed."""
    if not isinstance(value, str):
        return value
    try:
        return float(value.strip())
    except ValueError:
        raise Unreadable("not_a_number", ours, given=value[:50]) from None


def _joined(values: list[Any], ours: str) -> str:
    if any(isinstance(value, (dict, list)) for value in values):
        raise Unreadable("not_text", ours)
    return " ".join(_word(value) for value in values)


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for ours, value in flat.items():
        outer, _, inner = ours.partition(".")
        if inner:
            report.setdefault(outer, {})[inner] = value
        else:
            report[outer] = value
    return report


def _count_unread(given: Mapping[str, object], at: Path_, known: set[Path_], dropped: dict[str, int]) -> None:
    for name, value in given.items():
        path = (*at, name)
        if path in known:
            continue
        if isinstance(value, dict) and any(one[: len(path)] == path for one in known):
            _count_unread(value, path, known, dropped)
        elif not any(one[: len(path)] == path for one in known):
            label = allowed.name_class(name[:100])
            dropped[label] = dropped.get(label, 0) + 1
