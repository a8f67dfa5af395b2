"""A gateway on 127.0.0.1: a real HTTP server that takes signed webhooks and answers as a test says."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec


class Posted(NamedTuple):
    """One message as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """What it says."""
        said: dict[str, Any] = msgspec.json.decode(self.body)
        return said


Answer = Callable[[Posted], tuple[int, bytes]]


def taken(_posted: Posted) -> tuple[int, bytes]:
    """Accepts everything."""
    return 202, b""


class Gateway:
    """Answers by `answer`, which a test may replace at any time; `posted` holds every message."""

    def __init__(self, port: int = 0) -> None:
        self.posted: list[Posted] = []
        self.answer: Answer = taken
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                posted = Posted(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                gateway.posted.append(posted)
                status, said = gateway.answer(posted)
                try:
                    self.send_response(status)
                    if status in (301, 302, 307, 308):
                        self.send_header("location", said.decode())
                    self.send_header("content-length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hung up is what some tests are about."""

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/orders"

    def close(self) -> None:
        """Go away."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
