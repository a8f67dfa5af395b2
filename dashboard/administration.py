"""The commands that change who and what is known: grids, sources, accounts, tokens. A secret is printed once."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from msgspec import structs

from config import clock
from config.settings import Settings
from config.taxonomy import Taxonomy
from config.words import Words
from dashboard.cameraledger import import_cameras
from dashboard.first_start import permitted
from dashboard.moment import NoMoment, moment
from dashboard.start import signed
from geo import importing
from geo.mapping import GridMapping
from geo.problem import ERROR, NOTE, REPAIRED, WARNING, Problem
from operations import accounts, grids, retention, sources, tokens
from operations.database import Database
from operations.epoch import new_epoch
from operations.policy import SYSTEM
from operations.scope import Scope
from operations.seal import KeyStore
from operations.sources import Source
from operations.tokens import Terms
from streams import mapping
from streams.errors import MappingError
from streams.fetching import FETCHERS
from streams.shelf import Shelf
from streams.stored_grid import from_row, to_row

GRID_FIELDS = (
    "code", "name", "parent", "population", "level", "kind", "valid_from", "valid_to", "crs", "encoding", "repair",
)  # fmt: skip
CONTROL_BYTES = 200_000
OK, REFUSED = 0, 1
MARKS = {ERROR: "✗", WARNING: "!", REPAIRED: "+", NOTE: "·"}
DAY = 86_400_000_000


def import_grids(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Import one whole version from the files; prints what is wrong, and imports nothing when that is an error."""
    mapped = {field: name for field in GRID_FIELDS if (name := getattr(asked, field, None))}
    try:
        start = moment(getattr(asked, "start", ""), settings.zone)
        control = _control(getattr(asked, "control", ""))
    except NoMoment as error:
        print(words.text("versions.no_moment", text=str(error)), file=sys.stderr)
        return REFUSED
    except (OSError, UnicodeDecodeError) as error:
        print(words.text("terminal.control_unreadable", file=asked.control, reason=error), file=sys.stderr)
        return REFUSED
    how = GridMapping(
        **mapped,
        control=control,
        layers=tuple(getattr(asked, "layer", None) or ()),
        time_zone=settings.city_time_zone,
        code_lengths=settings.grid_code_lengths,
        prefix_check=settings.grid_prefix_check,
    )
    with signed(settings) as database:
        current = grids.current(database, clock.now())
        reference = [] if current is None else [from_row(row) for row in current.rows]
        paths = [Path(file) for file in asked.file]
        found = importing.read(paths, how, default_county=settings.county_code, reference=reference)
        for problem in found.problems:
            print(_described(problem, words))
        if not found.ok:
            errors = sum(problem.kind == ERROR for problem in found.problems)
            print(words.text("terminal.grids_refused", count=errors))
            return REFUSED
        rows = [to_row(grid) for grid in found.grids]
        version = grids.import_grids(database, SYSTEM, rows, found.digest, now=clock.now(), valid_from=start)
    key, at = ("terminal.grids_imported", "") if start is None else ("versions.taken_later", asked.start)
    print(words.text(key, count=len(rows), version=version, at=at))
    return OK


def _control(file: str) -> str:
    """The control points of a file."""
    return Path(file).read_bytes()[:CONTROL_BYTES].decode("utf-8-sig") if file else ""


def add_source(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Add a source and its first token; one that would be read by a mapping that is wrong or not there is refused."""
    try:
        _mapping_known(asked.mapping, settings)
    except MappingError as error:
        print(error, file=sys.stderr)
        return REFUSED
    added = Source(
        id=asked.id,
        name=asked.name,
        kind=asked.kind,
        datum=asked.datum,
        time_zone=asked.time_zone or settings.city_time_zone,
        rate_limit=asked.rate_limit,
        mapping=asked.mapping,
    )
    with signed(settings) as database:
        now = clock.now()
        sources.add(database, SYSTEM, added, now=now)
        if added.kind in (*FETCHERS, "file"):
            print(words.text("terminal.source_added_fetched", id=added.id, name=added.name))
            return OK
        made = tokens.add(database, SYSTEM, added.id, "intake", now=now, source_id=added.id)
    return _show_once(words.text("terminal.source_added", id=added.id, name=added.name), made, words)


def _mapping_known(name: str, settings: Settings) -> None:
    """Raise MappingError unless a mapping of that name is there, of a file or saved on screen, and right."""
    taxonomy = Taxonomy.load()
    shelf = Shelf(mapping.load_all(taxonomy, settings.data / "sources"), taxonomy)
    with signed(settings) as database:
        shelf.look(database)
    shelf.get(name)


def add_user(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Add an account with a password made here."""
    scope = Scope(asked.grid, asked.department)
    with signed(settings) as database:
        if not _grid_known(database, asked.grid, words):
            return REFUSED
        if not permitted(database, settings, "user add", asked.name, words, asked.recovery_key_file):
            return REFUSED
        made = accounts.add(database, SYSTEM, asked.name, asked.role, now=clock.now(), scope=scope)
    return _show_once(words.text("terminal.user_added", name=asked.name, role=asked.role), made, words)


def add_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Add a token for a program that reads."""
    scope = Scope(asked.grid, asked.department)
    with signed(settings) as database:
        if not _grid_known(database, asked.grid, words):
            return REFUSED
        now = clock.now()
        ends = now + asked.days * DAY if asked.days else None
        terms = Terms(tuple(asked.may), tuple(asked.network), ends)
        made = tokens.add(database, SYSTEM, asked.name, asked.scope, now=now, scope=scope, terms=terms)
    return _show_once(words.text("terminal.token_added", name=asked.name), made, words)


def rotate_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Give the living token of that name or id another secret; the old one holds for some hours more."""
    with signed(settings) as database:
        now = clock.now()
        found = [
            one.id
            for one in tokens.listed(database)
            if one.state(now) in ("active", "rotating") and asked.name in (one.id, one.name)
        ]
        if len(found) != 1:
            key = "terminal.token_several" if found else "terminal.token_unknown"
            print(words.text(key, name=asked.name, ids=", ".join(found)), file=sys.stderr)
            return REFUSED
        made = tokens.rotate(database, SYSTEM, found[0], hours=asked.hours, now=now)
    return _show_once(words.text("terminal.token_rotated", name=asked.name, hours=asked.hours), made, words)


def source_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Give a source another token; those it had end with it."""
    with signed(settings) as database:
        source = _source(database, asked.id, words)
        if source is None:
            return REFUSED
        old = _living(database, source.id)
        made = tokens.add(database, SYSTEM, source.id, "intake", now=clock.now(), source_id=source.id)
        _revoke(database, old)
        if not source.enabled:
            sources.change(database, SYSTEM, structs.replace(source, enabled=True), now=clock.now())
    return _show_once(words.text("terminal.source_token", id=source.id, count=len(old)), made, words)


def revoke_source(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """End a source's tokens and switch it off."""
    with signed(settings) as database:
        source = _source(database, asked.id, words)
        if source is None:
            return REFUSED
        if source.enabled:
            sources.change(database, SYSTEM, structs.replace(source, enabled=False), now=clock.now())
        old = _living(database, source.id)
        _revoke(database, old)
    print(words.text("terminal.source_revoked", id=source.id, count=len(old)))
    return OK


def disable_user(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Switch an account off."""
    with signed(settings) as database:
        if not permitted(database, settings, "user disable", asked.name, words, asked.recovery_key_file):
            return REFUSED
        found = accounts.find(database, asked.name)
        if found is None or found.disabled_at is not None:
            print(words.text("terminal.user_unknown", name=asked.name), file=sys.stderr)
            return REFUSED
        accounts.disable(database, SYSTEM, asked.name, now=clock.now())
    print(words.text("terminal.user_disabled", name=asked.name))
    return OK


def revoke_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """End every living token of that name or id; a name may have been given twice."""
    with signed(settings) as database:
        found = [
            one.id for one in tokens.listed(database) if one.revoked_at is None and asked.name in (one.id, one.name)
        ]
        if not found:
            print(words.text("terminal.token_unknown", name=asked.name), file=sys.stderr)
            return REFUSED
        _revoke(database, found)
    print(words.text("terminal.token_revoked", name=asked.name, count=len(found)))
    return OK


def forget(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Destroy the keys of what ended more than so many days ago."""
    with signed(settings) as database, closing(KeyStore(settings.data / "keys")) as keys:
        now, days = clock.now(), int(asked.days)
        rule = f"{days} days after its end"
        count = retention.forget(database, keys, SYSTEM, now - days * DAY, rule, now=now)
    print(words.text("terminal.forgotten", count=count, days=days))
    return OK


def restored(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Begin a new epoch after the database was restored from a backup."""
    with signed(settings) as database:
        number = new_epoch(database, asked.reason, now=clock.now())
    print(words.text("terminal.restored", number=number))
    return OK


def _source(database: Database, source_id: str, words: Words) -> Source | None:
    found = sources.get(database, source_id)
    if found is None:
        print(words.text("terminal.source_unknown", id=source_id), file=sys.stderr)
    return found


def _living(database: Database, source_id: str) -> list[str]:
    """Ids of a source's tokens that still open the door."""
    return [one.id for one in tokens.listed(database) if one.source == source_id and one.revoked_at is None]


def _revoke(database: Database, ids: Sequence[str]) -> None:
    for token_id in ids:
        tokens.revoke(database, SYSTEM, token_id, now=clock.now())


def _grid_known(database: Database, code: str, words: Words) -> bool:
    """Say whether a scope's grid exists; before the first import any is taken."""
    current = grids.current(database, clock.now()) if code else None
    if current is None or not current.rows or any(row.code == code for row in current.rows):
        return True
    print(words.text("terminal.grid_unknown", code=code), file=sys.stderr)
    return False


def _show_once(told: str, secret: str, words: Words) -> int:
    """The secret stands alone on the last line, so that a script can take it."""
    print(told)
    print(words.text("terminal.once"))
    print(secret)
    return OK


def _described(problem: Problem, words: Words) -> str:
    mark = MARKS[problem.kind]
    place = "" if problem.lon is None else f" ({problem.lon:.6f}, {problem.lat:.6f})"
    return f"{mark} {words.text(problem.text_code, **problem.parameters())}{place}"


COMMANDS: dict[str, Callable[[argparse.Namespace, Settings, Words], int]] = {
    command.__name__: command
    for command in (
        *(import_grids, import_cameras, add_source, source_token, revoke_source, add_user, disable_user),
        *(add_token, rotate_token, revoke_token, forget, restored),
    )
}
