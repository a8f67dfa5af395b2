"""A ledger from its file into the catalogue 台账导入: looked at, compared, and only then kept, all or nothing.

`say(phase, done, total)` hears how far it is and may raise Cancelled; until the records are kept nothing has happened.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from operations import platforms
from operations.cameras import comparing, keeping
from operations.cameras.comparing import Change, Taken
from operations.cameras.item import Item
from operations.cameras.keeping import Plan
from operations.database import AfterCommit, Database
from operations.errors import Refused
from operations.policy import Identity
from streams.cameras import datum, ledger
from streams.cameras.columns import Columns
from streams.cameras.datum import Doubt
from streams.cameras.ledger import FAULTS_MOST, Fault, Read
from streams.finder import Finder
from streams.source_secrets import SourceSecrets
from streams.tables import child

READ, PLACE, COMPARE, KEEP, SECRETS = PHASES = ("read", "place", "compare", "keep", "secrets")
AT_ONCE = 1_000
"""Cameras between two words on how far it is."""
LINES_MOST = 300
SOURCE_MOST = 40
DEMO = "demo_cameras"

Say = Callable[[str, int, int], None]


class Cancelled(Exception):
    """Whoever asked for it does not want it any more; nothing was kept."""


class Asked(Struct, frozen=True):
    """How a ledger is to be taken: whose it is, the datum of its coordinates, its columns, whether it is complete."""

    source: str
    datum: str
    columns: Columns
    complete: bool = False


class Line(Struct, frozen=True):
    """One camera that would be added, changed (field by field) or gone."""

    how: str
    code: str
    name: str
    changes: tuple[Change, ...] = ()


class Found(Struct):
    """What taking a ledger would do. `plan` is None while it has faults; `unknown`: cameras without a place,
    `outside`: in no grid; `doubt`: what speaks for another datum; `secrets`: by code.
    """

    read: Read
    plan: Plan | None = None
    lines: tuple[Line, ...] = ()
    unknown: int = 0
    outside: int = 0
    doubt: Doubt | None = None

    @property
    def taken(self) -> Taken:
        """Codes added, changed, the same and gone."""
        return Taken() if self.plan is None else self.plan.taken


def quiet(_phase: str, _done: int, _total: int) -> None:
    """Say nothing."""


def work_out(
    database: Database, finder: Finder, folder: Path, asked: Asked, *, now: int, actor: str, say: Say = quiet
) -> Found:
    """Return what taking an examined file (`folder`) would do. Raises Refused."""
    check_source(asked.source)
    numbered = list(rows(folder, say))
    read = ledger.read([one for one in numbered if one[1]], asked.columns, asked.datum)
    unread = [Fault(number, "", "", "", "row") for number, row in numbered if not row]
    read.faults = sorted([*unread, *read.faults], key=lambda one: one.row)[:FAULTS_MOST]
    found = Found(read)
    found.unknown = sum(one.lon is None for one in read.items)
    read.items = _placed(read.items, finder, say)
    found.outside = sum(one.lon is not None and not one.chain for one in read.items)
    say(COMPARE, 0, 1)
    with database.read() as connection:
        found.doubt = datum.doubt(connection, read.items, asked.source, asked.datum, finder.shapes())
        if not read.faults:
            found.plan = keeping.plan(
                connection, asked.source, read.items, complete=asked.complete, now=now, actor=actor
            )
    found.lines = _lines(found)
    say(COMPARE, 1, 1)
    return found


def keep(
    database: Database,
    secrets: SourceSecrets,
    identity: Identity,
    found: Found,
    *,
    now: int,
    say: Say = quiet,
    after_commit: AfterCommit | None = None,
) -> None:
    """Keep what was found: the records, then the states, then the secrets. Raises Refused; nothing was kept."""
    plan = found.plan
    if plan is None:
        raise Refused("cameras.faulty", count=len(found.read.faults))
    say(KEEP, 0, 1)
    keeping.keep(database, identity, plan, now=now, after_commit=after_commit)
    told = {plan.there[code]: secret for code, secret in found.read.secrets.items()}
    secrets.put_many(told | dict.fromkeys(plan.gone, ""))


def rows(folder: Path, say: Say = quiet) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the flat rows of an examined file with their numbers; an empty one for a row that cannot be read."""
    summary = child.known(folder)
    total = summary.rows if summary else 0
    for count, (number, item) in enumerate(child.rows(folder)):
        if count % AT_ONCE == 0:
            say(READ, count, total)
        try:
            row = None if item.fault else msgspec.json.decode(item.raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            row = None
        yield number, ledger.flat(row) if isinstance(row, dict) else {}


def present(folder: Path, most: int = 200) -> list[str]:
    """Return the columns of an examined file, as its first rows have them."""
    found: dict[str, None] = {}
    for count, (_, row) in enumerate(rows(folder)):
        if count >= most:
            break
        found |= dict.fromkeys(row)
    return list(found)


def check_source(source: str) -> None:
    """Raise Refused for a name that is no source of ledgers; a platform's cameras are told by the platform alone."""
    if not 1 <= len(source) <= SOURCE_MOST or not source.isprintable() or source != source.strip():
        raise Refused("cameras.source_wrong", most=SOURCE_MOST)
    if source == DEMO or source.startswith(platforms.source_of("")):
        raise Refused("cameras.source_taken", source=source)


def _placed(items: Sequence[Item], finder: Finder, say: Say) -> list[Item]:
    found: list[Item] = []
    for at in range(0, len(items), AT_ONCE):
        say(PLACE, at, len(items))
        part = items[at : at + AT_ONCE]
        chains = finder.chains([(one.lon, one.lat) for one in part])
        found += [structs.replace(one, chain=chain) for one, chain in zip(part, chains, strict=True)]
    return found


def _lines(found: Found) -> tuple[Line, ...]:
    """The first so many of what would change: what is gone before all else."""
    if found.plan is None:
        return ()
    named = {one.code: one for one in found.read.items}
    before, taken = found.plan.before, found.plan.taken
    lines = [Line("gone", code, comparing.name(before[code])) for code in taken.gone[:LINES_MOST]]
    lines += [
        Line("changed", code, named[code].name, comparing.changes(before[code], named[code]))
        for code in taken.changed[: LINES_MOST - len(lines)]
    ]
    lines += [Line("added", code, named[code].name) for code in taken.added[: LINES_MOST - len(lines)]]
    return tuple(lines)
