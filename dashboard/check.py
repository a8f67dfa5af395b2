"""`run.py check` 自检: settings, engine, grids and journal; the exit code says whether all is in order."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import IO
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config import certificate, clock
from config.settings import Settings
from config.taxonomy import Taxonomy
from config.words import Words
from dashboard import journal_export
from dashboard.journal_export import STATEMENT, Statement
from dashboard.moment import shown_moment
from geo.errors import NoGrids
from geo.locator import Locator
from operations import evidence, grids, inspection
from operations.database import DAMAGE, Database
from operations.inspection import Inspection
from operations.seal import KeyStore
from streams import engine, mapping
from streams.errors import EngineAway, EngineMisconfigured
from streams.stored_grid import from_row

FAULTS_SHOWN = 20
WARN_DAYS = 30
DETAIL_MOST = 200
OK, WRONG = 0, 1
STATEMENT_MOST = 100_000


class _Report:
    """Prints findings and counts those that are wrong."""

    def __init__(self, words: Words, *, silent: bool = False) -> None:
        self._words, self.wrong, self._silent = words, 0, silent

    def good(self, key: str, **params: object) -> None:
        self._print(f"✓ {self._words.text(f'terminal.check.{key}', **params)}")

    def bad(self, key: str, **params: object) -> None:
        self._print(f"✗ {self._words.text(f'terminal.check.{key}', **params)}")
        self.wrong += 1

    def said(self, key: str) -> str:
        """What a code means, in the reader's language."""
        return self._words.text(f"audit.{key}")

    def _print(self, line: str) -> None:
        if not self._silent:
            print(line, flush=True)

    def fault(self, kind: str) -> str:
        """What a kind of fault means, in the reader's language."""
        return self._words.text(f"terminal.fault.{kind}")


def main(settings: Settings, words: Words) -> int:
    """Check everything; 0 when all is in order."""
    report = _Report(words)
    report.good("settings", database=_kind(settings.database_url), engine=_kind(settings.redis_url))
    _check_mappings(report, settings)
    _check_engine(report, settings)
    _check_certificate(report, settings)
    database = Database(settings.database_url)
    try:
        if database.file is not None and not database.file.exists():
            report.good("database_missing")
        else:
            _check_database(report, database, settings)
    finally:
        database.close()
    summary = (
        words.text("terminal.check.wrong", count=report.wrong) if report.wrong else words.text("terminal.check.ok")
    )
    print(summary, flush=True)
    return WRONG if report.wrong else OK


def _check_database(report: _Report, database: Database, settings: Settings) -> None:
    """Everything kept; what cannot even be read is a finding like the others."""
    if not _readable(
        report, "database", lambda: database.migrate(settings.data / "copies", own_copies=settings.own_database_copies)
    ):
        return
    _readable(report, "grids", lambda: _check_grids(report, database))
    _check_journal(report, database, settings)


def _readable(report: _Report, what: str, step: Callable[[], None]) -> bool:
    """Take a step; False when what it reads is spoilt, which is then told."""
    try:
        step()
    except (*DAMAGE, NoGrids) as error:
        report.bad(f"{what}_unreadable", detail=" ".join(str(error).split())[:DETAIL_MOST])
        return False
    return True


def _kind(url: str) -> str:
    """What an engine is: a file or socket, else the host; a password may stand in all the rest of its URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or parts.path}"


def _check_mappings(report: _Report, settings: Settings) -> None:
    """Every field mapping can be read; a wrong one costs its sources all they send."""
    wrong = mapping.load_all(Taxonomy.load(), settings.data / "sources").wrong
    for error in wrong.values():
        report.bad("mapping_wrong", detail=str(error))


def _check_engine(report: _Report, settings: Settings) -> None:
    if settings.embedded_valkey and not settings.socket.exists():
        report.good("engine_embedded")
        return
    try:
        with engine.translated(), engine.connect_sync(settings.redis_url) as client:
            client.ping()
        report.good("engine_ok")
    except (EngineAway, EngineMisconfigured) as error:
        report.bad("engine_wrong", detail=str(error))


def _check_certificate(report: _Report, settings: Settings) -> None:
    """It can be read and lasts; one of ours is renewed by itself, so one that ends soon was imported."""
    if not settings.https:
        return
    try:
        found = certificate.current(settings.data)
    except certificate.CertificateError as error:
        report.bad("certificate_wrong", detail=str(error))
        return
    if found is None:
        report.good("certificate_none")
        return
    days = found.days_left(clock.now())
    ends = f"{found.ends:%Y-%m-%d}"
    (report.good if days >= WARN_DAYS else report.bad)("certificate_ends", ends=ends, days=days)


def _check_grids(report: _Report, database: Database) -> None:
    """The version in force builds an index, so each point finds its owner."""
    version = grids.current(database)
    if version is None or not version.rows:
        report.good("grids_none")
        return
    Locator.build(from_row(row) for row in version.rows)
    report.good("grids_ok", version=version.id, count=len(version.rows))


def _check_journal(report: _Report, database: Database, settings: Settings) -> Inspection:
    """Every entry, the signed heads that lie outside the database, and what follows from the journal beside it."""
    keys = KeyStore(settings.data / "keys")
    try:
        own, copy = settings.data / "heads.jsonl", Path(settings.heads_copy) if settings.heads_copy else None
        found = inspection.inspect(database, keys, own, copy=copy, now=clock.now())
    finally:
        keys.close()
    _tell(report, found)
    return found


def _tell(report: _Report, found: Inspection) -> None:
    """Print what an inspection of the journal found."""
    for line in found.bad_lines:
        report.bad("head_unsigned", line=line)
    for fault in found.faults[:FAULTS_SHOWN]:
        report.bad("journal_fault", seq=fault.seq, text=report.fault(fault.kind))
    if found.unreadable is not None:
        report.bad(f"{found.unreadable.what}_unreadable", detail=found.unreadable.detail)
    elif not found.faults:
        report.good("journal_ok", count=found.count, signed=found.signed)
    for one in found.differences[:FAULTS_SHOWN]:
        report.bad(f"kept_{one.kind}", place=one.place, example=one.example)
    if found.compared and not found.differences:
        report.good("kept_ok")
    if found.clock is not None:
        report.good("clock", state=report.said(f"clock.{found.clock.state}"))


def journal_main(settings: Settings, words: Words, *, as_json: bool) -> int:
    """Check the journal alone; 0 when it is in order. With `as_json` one object is printed instead of lines."""
    report = _Report(words, silent=as_json)
    database = Database(settings.database_url)
    try:
        if database.file is not None and not database.file.exists():
            report.bad("database_none")
            found = Inspection(clock.now(), False)
        else:
            found = _check_journal(report, database, settings)
    finally:
        database.close()
    if as_json:
        print(msgspec.json.encode(found).decode(), flush=True)
    return OK if found.ok else WRONG


def export_main(file: Path, key: Path, words: Words) -> int:
    """Check a file exported from the journal by its signed statement; 0 when all of it holds."""
    report = _Report(words)
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.read_text("ascii").strip()))
        with zipfile.ZipFile(file) as packed:
            if packed.getinfo(STATEMENT).file_size > STATEMENT_MOST:
                raise ValueError(STATEMENT)
            statement = msgspec.json.decode(packed.read(STATEMENT), type=Statement)
            with packed.open(statement.file) as lines:
                wrong = journal_export.check(statement, _bounded(lines), public)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, msgspec.MsgspecError) as error:
        report.bad("export_unreadable", detail=" ".join(str(error).split())[:DETAIL_MOST])
        return WRONG
    if wrong is not None:
        report.bad(f"export_{wrong.kind}", seq=wrong.seq)
        return WRONG
    at = shown_moment(statement.at, words.city.zone)
    report.good("export_ok", count=statement.count, seq=statement.seq, hash=statement.hash, at=at, by=statement.by)
    return OK


def evidence_main(file: Path, fingerprint: str, words: Words) -> int:
    """Check an evidence package by itself; 0 when all of it holds."""
    report, found = _Report(words), evidence.verify(file, fingerprint)
    for code, name in found.faults:
        report.bad(f"evidence_{code}", file=name)
    if found.fingerprint:
        report.good("evidence_key", fingerprint=" ".join(wrap(found.fingerprint, 8)))
    if found.faults or found.manifest is None:
        return WRONG
    told = found.manifest
    at = datetime.fromtimestamp(told.made_at / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    report.good("evidence_ok", count=len(told.files), by=told.made_by, city=told.city, at=at, seq=told.seq)
    return OK


def _bounded(lines: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, none longer than any of ours."""
    while line := lines.readline(journal_export.LINE_MOST):
        yield line
