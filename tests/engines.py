"""Private engines for the second pass: a PostgreSQL and a Redis 7 that nobody else uses, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis
import sqlalchemy

from config import clock, parent

START_SECONDS = 180


@contextmanager
def postgres(programs: str) -> Iterator[str]:
    """URL of a new PostgreSQL cluster on its own socket. It refuses to run as root, so root lends it an account."""
    with _folder() as folder:
        account = _account()
        if account is not None:
            shutil.chown(folder, account.pw_uid, account.pw_gid)
        cluster = folder / "cluster"
        _run_as(
            account, [f"{programs}/initdb", "-D", str(cluster), "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N"]
        )
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "200",
        }
        command = [f"{programs}/postgres", "-D", str(cluster)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
        with _served(command, account, lambda: _postgres_answers(url), folder / "output.txt"):
            yield url


@contextmanager
def redis_7(program: str) -> Iterator[str]:
    """URL of a new Redis on a socket of its own, as durable as the program demands."""
    with _folder() as folder:
        socket = folder / "redis.sock"
        options = {
            "port": "0",
            "unixsocket": str(socket),
            "dir": str(folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
        }
        command = [program, *(word for name, value in options.items() for word in (f"--{name}", value))]
        url = f"unix://{socket}"
        with _served(command, None, lambda: _redis_answers(url), folder / "output.txt"):
            yield url


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gw", ignore_cleanup_errors=True) as path:
        yield Path(path)


def _account() -> pwd.struct_passwd | None:
    """Whom root lends to PostgreSQL: `postgres`, else `nobody`; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _identity(account: pwd.struct_passwd | None) -> dict[str, object]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _run_as(account: pwd.struct_passwd | None, command: Sequence[str]) -> None:
    told = subprocess.run(command, capture_output=True, text=True, cwd="/", **_identity(account))  # type: ignore[call-overload]
    if told.returncode:
        raise RuntimeError(f"{command[0]} failed: {told.stdout}{told.stderr}")


@contextmanager
def _served(
    command: Sequence[str], account: pwd.struct_passwd | None, answers: Callable[[], bool], output: Path
) -> Iterator[None]:
    """Run a server while the block runs; it dies with us."""
    with output.open("wb") as said:
        process = subprocess.Popen(  # type: ignore[call-overload]
            command, stdout=said, stderr=subprocess.STDOUT, cwd="/", start_new_session=True,
            preexec_fn=parent.die_with_me(), **_identity(account),
        )  # fmt: skip
        try:
            deadline = clock.monotonic() + START_SECONDS
            while not answers():
                if process.poll() is not None or clock.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start: {output.read_text()}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _postgres_answers(url: str) -> bool:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect():
            return True
    except sqlalchemy.exc.OperationalError:
        return False


def _redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
