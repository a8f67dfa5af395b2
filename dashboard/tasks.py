"""What each command of `run.py` does. Every task: (what was asked, settings, words) -> exit code.

Imports are inside the tasks, so that each process loads only its own part.
"""

import argparse
from collections.abc import Callable

from config.settings import Settings
from config.words import Words

Task = Callable[[argparse.Namespace, Settings, Words], int]


def start(_asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Everything under one supervisor."""
    from dashboard import start

    return start.main(settings, words)


def web(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """The pages and the API."""
    from dashboard import server, start

    start.migrate(settings, supervised=asked.supervised)
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


def check(_asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Settings, engine, grids, journal."""
    from dashboard import check

    return check.main(settings, words)


def link(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Another one-time sign-in link."""
    from dashboard import start

    return start.link(asked.account, settings, words)


def import_grids(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Grids from GeoJSON, all or nothing."""
    from dashboard import administration

    mapped = {field: name for field in administration.GRID_FIELDS if (name := getattr(asked, field, None))}
    return administration.import_grids(asked.file, mapped, settings, words)


def add_source(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """A source and its token."""
    from dashboard import administration

    return administration.add_source(asked, settings, words)


def add_user(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """An account and its password."""
    from dashboard import administration

    return administration.add_user(asked, settings, words)


def add_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """A token for a program."""
    from dashboard import administration

    return administration.add_token(asked, settings, words)


def source_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Another token for a source."""
    from dashboard import administration

    return administration.source_token(asked, settings, words)


def revoke_source(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """A source's end."""
    from dashboard import administration

    return administration.revoke_source(asked, settings, words)


def disable_user(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """An account's end."""
    from dashboard import administration

    return administration.disable_user(asked, settings, words)


def revoke_token(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """A token's end."""
    from dashboard import administration

    return administration.revoke_token(asked, settings, words)


def forget(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Sealed data whose time is over."""
    from dashboard import administration

    return administration.forget(asked.days, settings, words)


def restored(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """A new epoch."""
    from dashboard import administration

    return administration.restored(asked.reason, settings, words)


def replay(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """A file of real reports through the doors."""
    from streams import replay

    return replay.main(settings, asked.file, asked.speed)


def bench(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """Figures with their method."""
    from benchmarks import bench

    return bench.main(asked.name, settings)


def lint(_asked: argparse.Namespace, _settings: Settings, _words: Words) -> int:
    """The static checks."""
    from tests import lint

    return lint.main()


def test(asked: argparse.Namespace, settings: Settings, _words: Words) -> int:
    """The whole suite, or plain pytest with arguments of one's own."""
    from tests import runner

    return runner.main(asked.rest, settings)


_ADMINISTRATION: tuple[Task, ...] = (check, link, import_grids, add_source, add_user, add_token)
_ENDING: tuple[Task, ...] = (source_token, revoke_source, disable_user, revoke_token, forget, restored)
_ALL: tuple[Task, ...] = (start, web, worker, sources, *_ADMINISTRATION, *_ENDING, replay, bench, lint, test)
TASKS: dict[str, Task] = {task.__name__: task for task in _ALL}
