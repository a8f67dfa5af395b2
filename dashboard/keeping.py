"""The commands that keep what there is: backups and restoring them, certificates, segments of the journal."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from config import certificate, clock
from config.settings import Settings
from config.supervisor import only_one
from config.words import Words
from dashboard.start import signed
from operations import backup as backups
from operations import reconciliation, segments
from operations.database import Database
from operations.errors import ArchiveDamaged, SegmentMissing
from operations.restore import restore as restored
from operations.seal import KeyStore
from streams import backlog
from streams.errors import EngineAway, EngineMisconfigured
from streams.retainer import MONTH

OK, REFUSED = 0, 1
FAULTS_SHOWN = 20


def backup(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Write a backup; the program may run meanwhile."""
    now = clock.now()
    target = _target(asked.target, settings, now)
    apart = Path(asked.keys).expanduser().resolve() if asked.keys else None
    for file in (target, apart):
        if file is not None and file.exists():
            print(words.text("keeping.file_there", file=file), file=sys.stderr)
            return REFUSED
        if file is not None:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with signed(settings) as database, closing(KeyStore(settings.data / "keys")) as keys:
        made = backups.take(database, keys, settings.data, target, now=now)
        if apart is not None:
            backups.take_keys(keys, settings.data / "keys", apart, now=now)
        left = _undecided(database, settings)
    print(words.text("keeping.backup_made", file=target, seq=made.seq, hash=made.hash[:16], files=len(made.files)))
    print(words.text("keeping.keys_made", file=apart) if apart else words.text("keeping.keys_not_made"))
    if left:
        print(words.text("keeping.undecided", count=left))
    return OK


def restore(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Restore a backup into the empty data folder; says what its journal's check found."""
    file, apart = Path(asked.file).expanduser(), Path(asked.keys).expanduser() if asked.keys else None
    with only_one(settings.data):
        now = clock.now()
        done = restored(
            file, apart, settings.data, settings.database_url, now=now, engine_empty=settings.embedded_valkey
        )
        with signed(settings):
            pass  # whose end signs the new head
    for fault in done.verification.faults[:FAULTS_SHOWN]:
        text = words.text(f"terminal.fault.{fault.kind}")
        print("✗ " + words.text("terminal.check.journal_fault", seq=fault.seq, text=text))
    print(words.text("keeping.restored", count=done.verification.count, seq=done.manifest.seq, epoch=done.epoch))
    if apart is None:
        print(words.text("keeping.restored_sealed"))
    if done.outlets:
        print(words.text("keeping.restored_outlets", names=", ".join(done.outlets)))
    print(words.text("keeping.restored_after", key=done.manifest.key[:16]))
    return OK if done.verification.ok else REFUSED


def tls_make(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Make a certificate by our own authority for this machine and the names given."""
    names = [*(asked.name or ()), *certificate.names_of(settings.host if asked.name else "0.0.0.0")]
    made = certificate.make(settings.data, names, clock.now())
    print(words.text("tls.served", names=", ".join(made.names), ends=f"{made.ends:%Y-%m-%d}", digest=made.digest))
    above = certificate.authority(settings.data)
    print(words.text("tls.made", file=settings.data / "keys" / "ca.crt", digest=above.digest))
    return OK


def tls_import(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Take a certificate and its key; a running program serves it within a minute."""
    made = certificate.take(settings.data, Path(asked.cert), Path(asked.key), clock.now())
    print(words.text("tls.served", names=", ".join(made.names), ends=f"{made.ends:%Y-%m-%d}", digest=made.digest))
    return OK


def segment_export(_asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Let all entries leave that are older than the setting says, a segment at a time."""
    count = 0
    with signed(settings) as database, closing(KeyStore(settings.data / "keys")) as keys:
        database.snapshot_key = keys.snapshot_key()
        now = clock.now()
        before = now - settings.journal_months * MONTH
        while left := segments.export(database, keys, settings.segment_folder, before, now=now):
            count += 1
            file = settings.segment_folder / left.file
            print(words.text("keeping.segment_left", first=left.first, last=left.last, file=file))
    if not count:
        print(words.text("keeping.segment_none", months=settings.journal_months))
    return OK


def segment_check(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Check the files named, or every segment that has left and that each follows the one before."""
    if asked.file:
        return max(_segment_checked(Path(file), None, words) for file in asked.file)
    wrong, before = OK, segments.GENESIS
    with signed(settings) as database, database.read() as connection:
        listed = segments.listed(connection)
    for one in listed:
        wrong = max(wrong, _segment_checked(settings.segment_folder / one.file, (before, one.hash), words))
        before = one.hash
    print(words.text("keeping.segments_checked", count=len(listed)))
    return wrong


def _segment_checked(file: Path, ends: tuple[str, str] | None, words: Words) -> int:
    try:
        found = segments.check(file)
        if ends is not None and ends != (found.before, found.hash):
            raise ArchiveDamaged(file=file.name, detail="chain")
    except (ArchiveDamaged, SegmentMissing) as error:
        print("✗ " + words.text(error.code, **error.params))
        return REFUSED
    print("✓ " + words.text("keeping.segment_ok", file=file, first=found.first, last=found.seq, key=found.key[:16]))
    return OK


def _target(asked: str, settings: Settings, now: int) -> Path:
    """The file to write: the one named, or one named after the time in a folder."""
    path = Path(asked).expanduser().resolve() if asked else settings.data / "backups"
    if path.suffix == ".tar":
        return path
    return path / f"gridwall-{datetime.fromtimestamp(now // 1_000_000, UTC):%Y%m%dT%H%M%SZ}.tar"


def _undecided(database: Database, settings: Settings) -> int:
    """How many reports wait in the engine; 0 also when it is not running."""
    if settings.embedded_valkey and not settings.socket.exists():
        return 0
    try:
        return backlog.waiting(settings.redis_url, reconciliation.cursors(database))
    except (EngineAway, EngineMisconfigured):
        return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, Settings, Words], int]] = {
    command.__name__: command for command in (backup, restore, tls_make, tls_import, segment_export, segment_check)
}
