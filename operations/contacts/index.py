"""Finding departments, teams and people by name, pinyin or initials, post and department: an index in the process.

20,000 cards are 4 MB of text that one pass of a regular expression crosses in milliseconds on any database, in every
mixture of letters; columns with an index would find only beginnings. The index is made from the tables and follows
the journal: before each search one look at the seq of the last entry about the directory tells whether it is stale,
and then only the cards are read that those entries name.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import sqlalchemy as sa
from msgspec import Struct
from numpy.typing import NDArray
from sqlalchemy import Connection

from config.departments import Department
from operations import departments
from operations.contacts import cards
from operations.contacts.cards import Card, Kind, Person
from operations.contacts.spelling import pattern, sounded, spelled
from operations.contacts.texts import BEGINS, EXACT, NOT, TAGGED, WITHIN, Texts
from operations.database import Database
from operations.orders.draft import Wanted
from operations.policy import Identity, reach
from operations.scope import Scope

KINDS = ("department", "team", "person")
ORDER = (*KINDS, "grid")
TYPED_MOST = 40
WORDS_MOST = 4
HITS_MOST = 300
RELOAD_ABOVE = 2_000
"""Changed cards from which the whole is read again."""
SUBJECTS = "subject_type IN ('person', 'team', 'department')"
"""Of entries about the directory; the partial index `journal_directory` has the same condition."""


class Hit(Struct, frozen=True):
    """One that was found, as a recipient is picked; `post`: of a person, or the kind of a team."""

    kind: str
    id: str
    name: str
    department: str
    department_name: str
    post: str = ""
    grid: str = ""
    account: str = ""

    def wanted(self, role: str = "support") -> Wanted:
        """Return it as a recipient of an order."""
        return Wanted(self.kind, self.id, self.name, self.department, role, self.account, self.grid)


class Line(Struct, frozen=True):
    """What is searched of one card: its name as written and as it sounds, and its tags: post, department, members."""

    hit: Hit
    name: str
    sound: str
    tags: tuple[str, ...]


class Index:
    """The lines in the order they are shown in when all else is equal: departments, teams, people, by sound.

    Few tags are worn by many cards: each word is held against every tag once, and against all names in one pass.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = sorted(lines, key=lambda one: (ORDER.index(one.hit.kind), one.sound, one.hit.id))
        self._names = Texts([one.name for one in self.lines])
        self._sounds = Texts([one.sound for one in self.lines])
        worn: dict[str, list[int]] = {}
        for at, one in enumerate(self.lines):
            for tag in one.tags:
                worn.setdefault(tag, []).append(at)
        self._tags = {tag: (sounded(spelled(tag).pinyin), np.array(wearers)) for tag, wearers in worn.items()}

    def find(self, typed: str, scope: Scope, kinds: Sequence[str], limit: int, department: str = "") -> list[Hit]:
        """Return what holds every word typed, the nearest to the first one first; with no word all of a scope."""
        words = typed[:TYPED_MOST].lower().split()[:WORDS_MOST]
        nearness = self._nearness(words[0]) if words else np.full(len(self.lines), WITHIN, np.uint8)
        for word in words[1:]:
            nearness = np.where(self._nearness(word) == NOT, NOT, nearness)
        ranked = self._ranked(nearness, scope, kinds)
        return list(islice((one for one in ranked if department in ("", one.department)), limit))

    def _ranked(self, nearness: NDArray[np.uint8], scope: Scope, kinds: Sequence[str]) -> Iterator[Hit]:
        for near in (EXACT, BEGINS, WITHIN, TAGGED):
            for at in np.flatnonzero(nearness == near):
                hit = self.lines[at].hit
                if hit.kind in kinds and _seen(scope, hit):
                    yield hit

    def _nearness(self, word: str) -> NDArray[np.uint8]:
        """How near every line is to a word."""
        found = np.full(len(self.lines), NOT, np.uint8)
        letters = pattern(word)
        for tag, (sound, wearers) in self._tags.items():
            if word in tag or (letters is not None and letters.search(sound)):
                found[wearers] = TAGGED
        if letters is not None:
            self._sounds.mark(letters, found, readings=True)
        self._names.mark(re.compile(re.escape(word)), found, readings=False)
        return found


class Directory:
    """The index of one process, made at the first search and brought up to date before each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._seq = -1
        self._lines: dict[tuple[str, str], Line] = {}
        self._departments: dict[str, Department] = {}
        self._index = Index(())

    def find(
        self, identity: Identity, text: str, kinds: Sequence[str] = KINDS, limit: int = 20, department: str = ""
    ) -> list[Hit]:
        """Return what somebody may see of the directory, or of one department, nearest to `text`. Raises Forbidden."""
        scope = reach(identity, "directory.read")
        return self.current().find(text, scope, kinds, min(limit, HITS_MOST), department)

    def current(self) -> Index:
        """Return the index as the directory stands."""
        with self._lock:
            with self._database.read() as connection:
                seq = last_seq(connection)
                if seq != self._seq:
                    self._follow(connection, seq)
            return self._index

    def _follow(self, connection: Connection, seq: int) -> None:
        changed = _changed(connection, self._seq) if 0 <= self._seq < seq else None
        if changed is None:
            self._departments = departments.on(connection)
            self._lines = {}
            for one in self._departments.values():
                if not one.ended:
                    self._lines["department", one.code] = _department_line(one)
            for kind in ("team", "person"):
                self._put(cards.sounding(connection, kind))
        else:
            for kind, card_id in changed:
                self._lines.pop((kind, card_id), None)
                card = cards.find(connection, kind, card_id)
                self._put([] if card.ended_at is not None else [(card, spelled(card.name).pinyin)])
        self._index, self._seq = Index(self._lines.values()), seq

    def _put(self, found: Iterable[tuple[Card, str]]) -> None:
        for card, sound in found:
            self._lines[cards.kind_of(card), card.id] = _line(card, sound, self._departments.get(card.department))


def _seen(scope: Scope, hit: Hit) -> bool:
    """Departments are everybody's to call; people and teams as far as a scope sees them."""
    return hit.kind == "department" or cards.visible(scope, hit.department, hit.grid)


def last_seq(connection: Connection) -> int:
    """Return the seq of the last entry about the directory, 0 before the first."""
    return int(connection.execute(sa.text(f"SELECT max(seq) FROM journal WHERE {SUBJECTS}")).scalar() or 0)


def _changed(connection: Connection, after: int) -> list[tuple[Kind, str]] | None:
    """The cards that changed after a seq; None when the whole is to be read again."""
    query = f"SELECT DISTINCT subject_type, subject_id FROM journal WHERE {SUBJECTS} AND seq > :after LIMIT :most"
    rows = connection.execute(sa.text(query), {"after": after, "most": RELOAD_ABOVE}).all()
    if len(rows) == RELOAD_ABOVE or any(row.subject_type == "department" for row in rows):
        return None
    return [(row.subject_type, row.subject_id) for row in rows]


def _line(card: Card, sound: str, department: Department | None) -> Line:
    post = card.post if isinstance(card, Person) else card.kind
    named = card.department if department is None else department.zh
    account = card.account if isinstance(card, Person) else ""
    hit = Hit(cards.kind_of(card), card.id, card.name, card.department, named, post, card.grid, account)
    members = "" if isinstance(card, Person) else card.members
    tags = [post, named, members, *(() if department is None else (department.en, department.short))]
    return line_of(hit, sound, tags)


def _department_line(one: Department) -> Line:
    return line_of(
        Hit("department", one.code, one.zh, one.code, one.zh), spelled(one.zh).pinyin, (one.en, one.short, one.code)
    )


def line_of(hit: Hit, sound: str, tags: Iterable[str]) -> Line:
    """Return the line of something with a name: how the name is read, and what else it is found by."""
    kept = dict.fromkeys(one.lower() for one in tags if one)
    return Line(hit, hit.name.lower(), sounded(sound), tuple(kept))
