"""Finding cameras 查找摄像机 by name, pinyin, initials and code, by what they are and where: an index in the process.

50,000 names with their readings are some megabytes that one pass of a regular expression crosses in milliseconds on
any database. The index is made at the first search and follows the journal: what entries since then name is read
again. What it answers is ids; whoever shows a camera reads its row, within the reach of whoever asks.
"""

import re
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import sqlalchemy as sa
from msgspec import Struct
from numpy.typing import NDArray
from sqlalchemy import Connection

from operations.cameras.charting import touched
from operations.cameras.condition import condition
from operations.cameras.sound import sound
from operations.contacts.spelling import pattern
from operations.contacts.texts import NOT, WITHIN, Texts
from operations.database import Database
from operations.scope import Scope
from operations.tables import camera as table

TYPED_MOST, WORDS_MOST = 80, 4
AT_ONCE = 500
FACETS = ("owner", "point_class", "source", "condition")
"""What a list is narrowed by, beside a branch of a tree."""

Mask = NDArray[np.bool_]
T = TypeVar("T")


class Line(NamedTuple):
    """What is searched and counted of one camera that is there."""

    id: str
    name: str
    code: str
    path: str
    owner: str
    source: str
    point_class: int
    civil_code: str
    group: str
    parent: str
    status: str
    registered: str
    picture: str
    maintenance_until: int

    def condition(self, now: int) -> str:
        """Return its state as one word."""
        return condition(self, now)


_COLUMNS = [table.c[name] for name in Line._fields]


class Asked(Struct, frozen=True):
    """What is wanted: words of a name or code, and for each of FACETS one value ("": any)."""

    text: str = ""
    owner: str = ""
    point_class: str = ""
    source: str = ""
    condition: str = ""


class Found(Struct, frozen=True):
    """Ids of a page of what was found, the nearest first, and of how many in all; `facets`: values with their counts,
    of what lies within reach."""

    ids: list[str]
    total: int
    facets: dict[str, dict[str, int]]


class Index:
    """All cameras that are there, by name. Immutable."""

    def __init__(self, lines: Iterable[Line], sounds: dict[str, str] | None = None) -> None:
        known = {} if sounds is None else sounds
        self.lines = sorted(lines, key=lambda one: (one.name, one.code, one.id))
        self.sounds = {one.name: known[one.name] if one.name in known else sound(one.name) for one in self.lines}
        self._names = Texts([one.name.lower() for one in self.lines])
        self._codes = Texts([one.code.lower() for one in self.lines])
        self._read = Texts([self.sounds[one.name] for one in self.lines])
        self._where = Column([(one.path, one.owner) for one in self.lines])
        self._scopes: dict[Scope, Mask] = {}
        self._columns = {name: self.column(name) for name in FACETS if name != "condition"}
        self._kept: dict[str, tuple[int, Any]] = {}

    def __len__(self) -> int:
        return len(self.lines)

    def kept(self, name: str, make: Callable[[], T], stamp: int = 0) -> T:
        """Return what is worked out of the index once, and again for another stamp."""
        if name not in self._kept or self._kept[name][0] != stamp:
            self._kept[name] = stamp, make()
        return cast(T, self._kept[name][1])

    def conditions(self, now: int) -> "Column":
        """Return the states of all lines."""
        return Column([one.condition(now) for one in self.lines])

    def column(self, name: str) -> "Column":
        """Return one field of all lines."""
        return Column([str(getattr(one, name)) for one in self.lines])

    def inside(self, scope: Scope) -> Mask:
        """Return which of them a scope covers; the same as `reading.within` says of their rows."""
        if scope not in self._scopes:
            if len(self._scopes) > 200:
                self._scopes = {}
            self._scopes[scope] = self._where.where(lambda at: scope.covers(tuple(at[0].split("/")), at[1]))
        return self._scopes[scope]

    def nearness(self, text: str) -> NDArray[np.uint8]:
        """Return how near each is to all of the words typed."""
        words = text[:TYPED_MOST].lower().split()[:WORDS_MOST]
        near = np.full(len(self.lines), WITHIN, np.uint8)
        for number, word in enumerate(words):
            found = self._near(word)
            near = found if number == 0 else np.where(found == NOT, NOT, near)
        return near

    def find(
        self, asked: Asked, scope: Scope, conditions: "Column", *, within: Mask | None = None, after: int = 0, most: int
    ) -> Found:
        """Return a page of what fits, the nearest first; `within`: those of a branch."""
        reached = self.inside(scope)
        columns = {**self._columns, "condition": conditions}
        there = reached if within is None else reached & within
        facets = {name: column.counts(reached) for name, column in columns.items()}
        for name, column in columns.items():
            if wanted := getattr(asked, name):
                there = there & column.equal(wanted)
        near = np.where(there, self.nearness(asked.text), NOT)
        order = np.flatnonzero(near != NOT)
        order = order[np.argsort(near[order], kind="stable")]
        return Found([self.lines[at].id for at in order[after : after + most]], len(order), facets)

    def _near(self, word: str) -> NDArray[np.uint8]:
        found = np.full(len(self.lines), NOT, np.uint8)
        letters = pattern(word)
        if letters is not None and len(word) == 1:
            self._read.mark_syllables(word, found)
        elif letters is not None and not word.isdecimal():  # numbers are found as they are written
            self._read.mark(letters, found, readings=True)
        written = re.compile(re.escape(word))
        self._names.mark(written, found, readings=False)
        self._codes.mark(written, found, readings=False)
        return found


class Column:
    """Values of all lines, each different one once."""

    def __init__(self, values: Iterable[Any]) -> None:
        numbers: dict[Any, int] = {}
        self.at = np.array([numbers.setdefault(one, len(numbers)) for one in values], np.int64)
        self.values = list(numbers)

    def where(self, fits: Any) -> Mask:
        """Return at which lines a value fits."""
        held = np.array([bool(fits(one)) for one in self.values], bool)
        return held[self.at] if len(held) else np.zeros(0, bool)

    def equal(self, value: Any) -> Mask:
        """Return at which lines a value stands."""
        return self.where(lambda one: one == value)

    def counts(self, there: Mask) -> dict[Any, int]:
        """Return how often each value stands where `there` is."""
        found = np.bincount(self.at[there], minlength=len(self.values))
        return {value: int(count) for value, count in zip(self.values, found, strict=True) if count}


class Finder:
    """The index of one process, brought up to date before each question."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._seq = -1
        self._lines: dict[str, Line] = {}
        self._index = Index(())

    def current(self) -> Index:
        """Return the index as the catalogue stands."""
        with self._lock:
            with self._database.read() as connection:
                self._follow(connection)
            return self._index

    def _follow(self, connection: Connection) -> None:
        seq, ids = touched(connection, self._seq)
        if ids is None or self._seq < 0:
            self._lines = {one.id: one for one in _lines(connection)}
        elif ids:
            self._lines = {id: one for id, one in self._lines.items() if id not in ids}
            self._lines |= {one.id: one for one in _lines(connection, ids)}
        if ids is None or ids or self._seq < 0:
            self._index = Index(self._lines.values(), self._index.sounds)
        self._seq = seq


def _lines(connection: Connection, ids: Iterable[str] | None = None) -> list[Line]:
    query = sa.select(*_COLUMNS).where(table.c.gone_at.is_(None))
    if ids is None:
        return [Line(*row) for row in connection.execute(query)]
    wanted = sorted(ids)
    parts = [wanted[at : at + AT_ONCE] for at in range(0, len(wanted), AT_ONCE)]
    return [Line(*row) for part in parts for row in connection.execute(query.where(table.c.id.in_(part)))]
