"""A department's feed on 127.0.0.1: a real HTTP server whose answers a test writes, and what a pull needs."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import redis.asyncio

from config.settings import Settings
from operations.database import Database
from streams.backlog import START, Backlog
from streams.engine import connect_sync
from streams.fetching import Reach
from streams.intake import Intake
from streams.packet import PARTITIONS
from streams.transit import TransitSeal


class Asked(NamedTuple):
    """One request as it came; header names in lower case."""

    path: str
    headers: dict[str, str]


class Told(NamedTuple):
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


def told(value: object, **headers: str) -> Told:
    """Return a JSON answer; header names are written with "_" for "-"."""
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return Told(200, msgspec.json.encode(value), {"content-type": "application/json"} | given)


class Feed:
    """Answers by `answer(asked)`, which a test may replace at any time; `asked` holds every request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Told] = lambda _asked: told([])
        feed = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
                feed.asked.append(asked)
                answer = feed.answer(asked)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                try:
                    self.wfile.write(answer.body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hung up is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Close the door."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def reach(settings: Settings, database: Database, client: redis.asyncio.Redis, intake: Intake) -> Reach:
    """Return what a fetcher may use."""
    return Reach(settings, database, client, intake, lambda _seq: None)


def durable(settings: Settings) -> list[str]:
    """Return the ids of all reports that are on disk and undecided, sorted."""
    with connect_sync(settings.redis_url) as client:
        read = Backlog(client, TransitSeal(settings.data / "keys")).read
        found = read(dict.fromkeys(range(PARTITIONS), START), 0)
    return sorted(one.id for entries in found.values() for entry in entries for one in entry.packet.reports)
