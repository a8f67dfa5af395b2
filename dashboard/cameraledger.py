"""The command that takes a camera ledger 一机一档 into the catalogue: all or nothing, or a dry run."""

import argparse
import sys
import tempfile
from pathlib import Path

from config import clock
from config.settings import Settings
from config.words import Words
from dashboard.start import signed
from operations.errors import OperationsError
from operations.policy import SYSTEM
from streams.cameras import columns, importing, wvp
from streams.cameras.importing import Asked, Found, Say
from streams.errors import SourceAway
from streams.finder import Finder
from streams.source_secrets import SourceSecrets
from streams.tables import child
from streams.tables.finding import TableUnreadable

OK, REFUSED = 0, 1
SHOWN = 20


def import_cameras(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Import a ledger, or with --dry-run say what it would change; nothing is kept when a row cannot be."""
    try:
        return _import(asked, settings, words)
    except TableUnreadable as error:
        told = words.text(f"files.unreadable.{error.code}", **error.params)
    except OperationsError as error:
        told = words.text(error.code, **error.params) if error.code in words else error.code
    except SourceAway as error:
        told = words.text("cameras.pull_failed", why=words.text(f"sources.away.{error.code}"))
    print(told, file=sys.stderr)
    return REFUSED


def _import(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    now, say = clock.now(), _progress(words)
    with tempfile.TemporaryDirectory() as work, signed(settings) as database:
        folder = Path(work) / "table"
        child.examine(_file(asked, Path(work)), folder)
        present = importing.present(folder)
        fields = columns.narrowed(columns.mapping(asked.mapping), present) if asked.mapping else None
        how = Asked(asked.source, asked.datum, fields or columns.proposed(present), asked.complete)
        finder = Finder(database, settings.data / "cache")
        found = importing.work_out(database, finder, folder, how, now=now, actor=SYSTEM.actor, say=say)
        _told(found, words)
        if found.read.faults:
            return REFUSED
        if not asked.dry_run:
            secrets = SourceSecrets(settings.data / "keys", "cameras")
            importing.keep(database, secrets, SYSTEM, found, now=now, say=say)
    counts = {name: len(getattr(found.taken, name)) for name in ("added", "changed", "same", "gone")}
    print(words.text("cameras.would_change" if asked.dry_run else "cameras.imported", **counts))
    return OK


def _file(asked: argparse.Namespace, work: Path) -> Path:
    """The file, or what an address lists, page after page, as one."""
    if not asked.file.startswith(("http://", "https://")):
        return Path(asked.file)
    token = Path(asked.token_file).read_text(encoding="utf-8").strip() if asked.token_file else ""
    file = work / "pulled.json"
    file.write_bytes(wvp.pulled(asked.file, token))
    return file


def _told(found: Found, words: Words) -> None:
    """What is wrong with a ledger, what is odd about it, and what it would change."""
    for fault in found.read.faults[:SHOWN]:
        why = words.text(f"cameras.why.{fault.why}")
        field = words.text(f"cameras.field.{fault.field}") if fault.field else ""
        told = words.text("cameras.fault", row=fault.row, code=fault.code, column=fault.column or field, why=why)
        print(told, file=sys.stderr)
    if found.read.faults:
        print(words.text("cameras.faulty", count=len(found.read.faults)), file=sys.stderr)
    if found.doubt is not None:
        print(words.text("cameras.doubt", **found.doubt._asdict()), file=sys.stderr)
    for line in found.lines[:SHOWN]:
        changes = "; ".join(
            f"{words.text(f'cameras.field.{one.field}')}: {one.before} → {one.after}" for one in line.changes
        )
        print(f"{words.text(f'cameras.how.{line.how}')} {line.code} {line.name} {changes}".rstrip())


def _progress(words: Words) -> Say:
    """A line on the terminal that says how far it is; nothing where nobody looks."""

    def say(phase: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            share = f"{done * 100 // total} %" if total else ""
            print(f"\r\x1b[K{words.text(f'cameras.phase.{phase}')} {share}", end="", file=sys.stderr, flush=True)

    return say
