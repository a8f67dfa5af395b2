"""`run.py`: the embedded engine, the database brought up to date, the roles under one supervisor, and where to look."""

import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from config import certificate, clock
from config.settings import COMMAND_LINE, ROOT, Settings
from config.supervisor import Child, Supervisor, check_port_free, only_one, served
from config.words import Words
from dashboard import first_start
from operations import heads, journal, segments
from operations.database import Database
from operations.restore import refuse_unfinished
from operations.seal import KeyStore
from streams import engine
from streams.errors import EngineAway

ANSWER_SECONDS = 2.0


def main(settings: Settings, words: Words) -> int:
    """Run everything until Ctrl-C or SIGTERM. Raises SupervisorError, OperationsError."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_one(settings.data, address(settings)):
        check_port_free(settings.host, settings.port)
        say = _Teller(words)
        with Supervisor(
            settings.data / "log", log_bytes=settings.log_bytes, log_files=settings.log_files, told=say.line
        ) as supervisor:
            say.text("terminal.starting", data=settings.data)
            _certify(settings, say)
            if _started(supervisor, settings, say):
                _show(settings, say)
                supervisor.run()
            say.text("terminal.stopping")
        say.text("terminal.stopped")
    return 0


def link(account: str, settings: Settings, words: Words, key_file: str = "") -> int:
    """Print a one-time way in for an account, the first one if none is named (`first_start.link`)."""
    with signed(settings) as database:
        base = served(settings.data) or address(settings)
        return first_start.link(database, settings, base, account, words, key_file)


def migrate(settings: Settings, *, supervised: bool) -> None:
    """Bring the database up to date, under a lock and after a copy; the supervisor has done it for its children."""
    if supervised:
        return
    refuse_unfinished(settings.data)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database_url)
    try:
        database.migrate(settings.data / "copies", own_copies=settings.own_database_copies)
        with closing(KeyStore(settings.data / "keys")) as keys:
            database.snapshot_key = keys.snapshot_key()
        segments.mend(database, settings.segment_folder)
    finally:
        database.close()


@contextmanager
def signed(settings: Settings) -> Iterator[Database]:
    """The database, brought up to date first; at the end the journal's head is signed, as no keeper need be running."""
    migrate(settings, supervised=False)
    with closing(Database(settings.database_url)) as database:
        yield database
        with closing(KeyStore(settings.data / "keys")) as keys:
            heads.append(settings.data / "heads.jsonl", keys.sign(journal.head(database), clock.now()))


class _Teller:
    """Prints for the person at the terminal, line by line at once."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def line(self, text: str) -> None:
        with suppress(OSError):  # a closed terminal, or a full disk behind it, is no reason to stop
            print(text, flush=True)

    def text(self, key: str, **params: object) -> None:
        self.line(self._words.text(key, **params))


def _certify(settings: Settings, say: _Teller) -> None:
    """See that there is a certificate where one is served, and say how screens come to trust one of our own."""
    if not settings.https:
        if settings.tls == "off" and not settings.loopback:
            say.text("tls.off")
        return
    made = certificate.ready(settings, clock.now())
    found = certificate.current(settings.data)
    if made and found is not None:
        say.text("tls.made", file=settings.data / "keys" / "ca.crt", digest=certificate.authority(settings.data).digest)


def _started(supervisor: Supervisor, settings: Settings, say: _Teller) -> bool:
    """Start all parts in order; False when asked to stop meanwhile."""
    if settings.embedded_valkey:
        say.text("terminal.part", name="valkey")
        if not supervisor.start(Child("valkey", engine.server_command(settings), ready=_engine_ready(settings))):
            return False
    migrate(settings, supervised=False)
    first_start.settle(settings)
    for child in _roles(settings):
        say.text("terminal.part", name=child.name)
        if not supervisor.start(child):
            return False
    return True


def _roles(settings: Settings) -> list[Child]:
    """The children that are ourselves in another role."""
    children = [
        Child(_numbered("worker", n, settings.workers), _command("worker", settings)) for n in range(settings.workers)
    ]
    web = [
        Child(_numbered("web", n, settings.web_processes), _command("web", settings), ready=_web_ready(settings))
        for n in range(settings.web_processes)
    ]
    alone = [Child(role, _command(role, settings)) for role in ("relay", "health", "sources")]
    return [*children, *alone, *web]  # the web last: it is what is waited for


def _numbered(role: str, number: int, of: int) -> str:
    return role if of == 1 else f"{role}-{number + 1}"


def _command(role: str, settings: Settings) -> list[str]:
    """The same settings for a child: file and environment it reads itself, the command line is repeated."""
    command = [sys.executable, str(ROOT / "run.py"), role, "--supervised", "--data", str(settings.data)]
    repeated = [name for name in ("host", "port", "speed") if settings.origins.get(name) == COMMAND_LINE]
    command += [part for name in repeated for part in (f"--{name}", str(getattr(settings, name)))]
    return command if settings.origins.get("demo") != COMMAND_LINE else [*command, "--no-demo"]


def _engine_ready(settings: Settings) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with engine.translated(), engine.connect_sync(settings.redis_url) as client:
                return bool(client.ping())
        except EngineAway:
            return False

    return ready


def _web_ready(settings: Settings) -> Callable[[], bool]:
    trust = certificate.trust(settings)

    def ready() -> bool:
        try:
            context = None if trust is None else trust()
            with urllib.request.urlopen(f"{address(settings)}/healthz", timeout=ANSWER_SECONDS, context=context):
                return True
        except OSError:  # refused, reset, timed out, or an answer that is not 2xx
            return False

    return ready


def address(settings: Settings) -> str:
    """Where a browser on this machine finds the pages."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(settings.host, settings.host)
    return f"{'https' if settings.https else 'http'}://{host}:{settings.port}"


def _show(settings: Settings, say: _Teller) -> None:
    """Say where to look; the sign-in link works once, and only where nobody else can read it over a network."""
    base = address(settings)
    say.text("terminal.ready", wall=f"{base}/wall", desk=f"{base}/desk")
    first_start.welcome(settings, base, say.text)
    say.text("terminal.how_to_stop")
