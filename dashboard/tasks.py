"""What each command of `run.py` does. Every task: (what was asked, settings, words) -> exit code.

Imports are inside the tasks, so that each process loads only its own part.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from config.settings import Settings
from config.words import Words

Task = Callable[[argparse.Namespace, Settings, Words], int]


def start(_asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Everything under one supervisor."""
    from dashboard import start

    return start.main(settings, words)


def web(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """The pages and the API."""
    from dashboard import first_start, server, start

    start.migrate(settings, supervised=asked.supervised)
    if not asked.supervised:
        first_start.settle(settings)
    server.main(settings)
    return 0


def worker(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """Decides reports."""
    from dashboard import start
    from streams import worker

    start.migrate(settings, supervised=asked.supervised)
    worker.main(settings)
    return 0


def sources(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """Pulls, plays, keeps house."""
    from dashboard import start
    from streams import sources

    start.migrate(settings, supervised=asked.supervised)
    sources.main(settings)
    return 0


def relay(_asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """Passes cameras' pictures on."""
    from dashboard import relaying

    relaying.main(settings)
    return 0


def health(_asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """Judges cameras' pictures."""
    from streams.health import service
    from streams.video import relay

    service.main(settings, relay.place(settings.data))
    return 0


def check(_asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Settings, engine, grids, journal."""
    from dashboard import check

    return check.main(settings, words)


def check_journal(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Chain, signed heads, tables and clock."""
    from dashboard import check

    return check.journal_main(settings, words, as_json=getattr(asked, "json", False))


def check_export(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """A file exported from the journal."""
    from dashboard import check

    key = getattr(asked, "key", None) or settings.data / "keys" / "head.pub"
    return check.export_main(Path(asked.file), Path(key), words)


def verify(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """An evidence package, offline: neither database nor data folder is needed."""
    from dashboard import check

    return check.evidence_main(Path(asked.file), asked.fingerprint, words)


def link(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Another one-time sign-in link."""
    from dashboard import start

    return start.link(asked.account, settings, words, asked.recovery_key_file)


def administer(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """One of the commands that change who and what is known."""
    from dashboard import administration

    return administration.COMMANDS[asked.handler](asked, settings, words)


def keep(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """One of the commands that keep what there is: backups, segments, certificates."""
    from dashboard import keeping

    return keeping.COMMANDS[asked.handler](asked, settings, words)


def replay(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """A file of real reports through the doors."""
    from streams import replay

    return replay.main(settings, asked.file, asked.speed)


def bench(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """Figures with their method."""
    from benchmarks import bench

    return bench.main(asked.name, settings, grids=asked.grids, incidents=asked.incidents, minutes=asked.minutes)


def lint(_asked: argparse.Namespace, _settings: Settings, _words: Words) -> int:
    """The static checks."""
    from tests import lint

    return lint.main()


def test(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """The whole suite, or plain pytest with arguments of one's own."""
    from tests import runner

    return runner.main(asked.rest, settings)


ADMINISTRATION = (
    *("import_grids", "import_cameras", "add_source", "source_token", "revoke_source", "add_user", "disable_user"),
    *("add_token", "rotate_token", "revoke_token", "forget", "restored"),
)
"""Names of `dashboard.administration.COMMANDS`, known without importing it."""
KEEPING = ("backup", "restore", "tls_make", "tls_import", "segment_export", "segment_check")
"""Names of `dashboard.keeping.COMMANDS`."""
_OWN: tuple[Task, ...] = (
    *(start, web, worker, sources, relay, health, check, check_journal, check_export, verify, link),
    *(replay, bench, lint, test),
)
TASKS: dict[str, Task] = {task.__name__: task for task in _OWN} | dict.fromkeys(ADMINISTRATION, administer)
TASKS |= dict.fromkeys(KEEPING, keep)
