"""The commands that change who and what is known: grids, sources, accounts, tokens. A secret is printed once."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import shapely
from shapely import MultiPolygon, Polygon

from config import clock
from config.settings import Settings
from config.words import Words
from dashboard.start import migrate
from geo import importing
from geo.grid import Grid
from geo.mapping import GridMapping
from geo.problem import ERROR, Problem
from operations import accounts, grids, heads, journal, sources, tokens
from operations.database import Database
from operations.grids import GridRow
from operations.policy import SYSTEM
from operations.scope import Scope
from operations.seal import KeyStore
from operations.sources import Source

GRID_FIELDS = ("code", "name", "parent", "population", "level", "kind", "crs", "encoding")
OK, REFUSED = 0, 1


def import_grids(files: Sequence[str], mapped: Mapping[str, Any], settings: Settings, words: Words) -> int:
    """Import one whole version from the files; prints what is wrong, and imports nothing when that is an error."""
    how = GridMapping(**mapped, time_zone=settings.city_time_zone)
    with _database(settings) as database:
        current = grids.current(database)
        reference = [] if current is None else [_grid(row) for row in current.rows]
        paths = [Path(file) for file in files]
        found = importing.read(paths, how, default_county=settings.county_code, reference=reference)
        for problem in found.problems:
            print(_described(problem, words))
        if not found.ok:
            errors = sum(problem.kind == ERROR for problem in found.problems)
            print(words.text("terminal.grids_refused", count=errors))
            return REFUSED
        rows = [_row(grid) for grid in found.grids]
        version = grids.import_grids(database, SYSTEM, rows, found.digest, now=clock.now())
    print(words.text("terminal.grids_imported", count=len(rows), version=version))
    return OK


def add_source(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Add a source and its first token."""
    added = Source(
        id=asked.id,
        name=asked.name,
        kind=asked.kind,
        datum=asked.datum,
        time_zone=asked.time_zone or settings.city_time_zone,
        rate_limit=asked.rate_limit,
        mapping=asked.mapping,
    )
    with _database(settings) as database:
        now = clock.now()
        sources.add(database, SYSTEM, added, now=now)
        made = tokens.add(database, SYSTEM, added.id, "intake", now=now, source_id=added.id)
    return _show_once(words.text("terminal.source_added", id=added.id, name=added.name), made, words)


def add_user(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Add an account with a password made here."""
    scope = Scope(asked.grid, asked.department)
    with _database(settings) as database:
        made = accounts.add(database, SYSTEM, asked.name, asked.role, now=clock.now(), scope=scope)
    return _show_once(words.text("terminal.user_added", name=asked.name, role=asked.role), made, words)


def add_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Add a token for a program that reads."""
    scope = Scope(asked.grid, asked.department)
    with _database(settings) as database:
        made = tokens.add(database, SYSTEM, asked.name, asked.scope, now=clock.now(), scope=scope)
    return _show_once(words.text("terminal.token_added", name=asked.name), made, words)


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    """The database, brought up to date first; at the end the journal's head is signed, as no keeper need be running."""
    migrate(settings, supervised=False)
    database = Database(settings.database_url)
    try:
        yield database
        keys = KeyStore(settings.data / "keys")
        try:
            heads.append(settings.data / "heads.jsonl", keys.sign(journal.head(database), clock.now()))
        finally:
            keys.close()
    finally:
        database.close()


def _show_once(told: str, secret: str, words: Words) -> int:
    """The secret stands alone on the last line, so that a script can take it."""
    print(told)
    print(words.text("terminal.once"))
    print(secret)
    return OK


def _described(problem: Problem, words: Words) -> str:
    mark = "✗" if problem.kind == ERROR else "!"
    place = "" if problem.lon is None else f" ({problem.lon:.6f}, {problem.lat:.6f})"
    return f"{mark} {words.text(problem.text_code, **problem.parameters())}{place}"


def _row(grid: Grid) -> GridRow:
    return GridRow(
        code=grid.code,
        name=grid.name,
        kind=grid.kind,
        level=grid.level,
        parent=grid.parent,
        wkb=shapely.to_wkb(grid.polygon),
        population=grid.population,
        valid_from=grid.valid_from,
        valid_to=grid.valid_to,
    )


def _grid(row: GridRow) -> Grid:
    return Grid(
        code=row.code,
        name=row.name,
        kind=row.kind,
        level=row.level,
        parent=row.parent,
        polygon=cast(Polygon | MultiPolygon, shapely.from_wkb(row.wkb)),
        population=row.population,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
