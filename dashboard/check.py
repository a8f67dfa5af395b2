"""`run.py check` 自检: settings, engine, grids and journal; the exit code says whether all is in order."""

from collections.abc import Callable
from urllib.parse import urlsplit

from config import certificate, clock
from config.settings import Settings
from config.taxonomy import Taxonomy
from config.words import Words
from geo.errors import NoGrids
from geo.locator import Locator
from operations import comparison, grids, heads, verification
from operations.database import DAMAGE, Database
from operations.seal import KeyStore
from streams import engine, mapping
from streams.errors import EngineAway, EngineMisconfigured
from streams.stored_grid import from_row

FAULTS_SHOWN = 20
WARN_DAYS = 30
DETAIL_MOST = 200
OK, WRONG = 0, 1


class _Report:
    """Prints findings and counts those that are wrong."""

    def __init__(self, words: Words) -> None:
        self._words, self.wrong = words, 0

    def good(self, key: str, **params: object) -> None:
        print(f"✓ {self._words.text(f'terminal.check.{key}', **params)}", flush=True)

    def bad(self, key: str, **params: object) -> None:
        print(f"✗ {self._words.text(f'terminal.check.{key}', **params)}", flush=True)
        self.wrong += 1

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
    before = report.wrong
    if _readable(report, "journal", lambda: _check_journal(report, database, settings)) and report.wrong == before:
        _readable(report, "kept", lambda: _check_kept(report, database))


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


def _check_journal(report: _Report, database: Database, settings: Settings) -> None:
    """Every entry, and the signed heads that lie outside the database."""
    keys = KeyStore(settings.data / "keys")
    try:
        signed = heads.load(settings.data / "heads.jsonl", keys.public_key())
        database.snapshot_key = keys.snapshot_key()
    finally:
        keys.close()
    for line in signed.bad_lines:
        report.bad("head_unsigned", line=line)
    found = verification.verify(database, signed.signed, now=clock.now())
    for fault in found.faults[:FAULTS_SHOWN]:
        report.bad("journal_fault", seq=fault.seq, text=report.fault(fault.kind))
    if found.ok:
        report.good("journal_ok", count=found.count, signed=len(signed.signed))


def _check_kept(report: _Report, database: Database) -> None:
    """What follows from the journal and is kept beside it: snapshots, incidents, counters."""
    found = comparison.compare(database)
    for one in found[:FAULTS_SHOWN]:
        report.bad(f"kept_{one.kind}", place=one.place, example=one.example)
    if not found:
        report.good("kept_ok")
