"""The application under uvicorn in a thread, for clients that need a real port."""

import asyncio
import dataclasses
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn
from playwright.sync_api import Error

from config import clock
from config.settings import Settings
from operations import accounts, sessions
from operations.database import Database
from operations.policy import SYSTEM

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from dashboard.server import Server

WAIT_MS = 20_000
LOOKS_LEAST = 20
"""Before a page is said not to come to it: one that is kept from running is not looked at often."""
PASSWORD = "correct horse"


class Web:
    """The application under uvicorn in a thread; it can go away and come back on the same port."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = f"http://127.0.0.1:{settings.port}"
        self.server: Server | None = None
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, version: str = "") -> None:
        up = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(version, up))
        self._thread.start()
        assert up.wait(60)

    def stop(self) -> None:
        assert self._uvicorn is not None and self._thread is not None
        self._uvicorn.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server does not stop"

    def _serve(self, version: str, up: threading.Event) -> None:
        from dashboard.server import Server

        async def serve() -> None:
            made = Server(self.settings)
            if version:
                made.parts = dataclasses.replace(made.parts, version=version)
                made.app = made._application()
            config = uvicorn.Config(
                made, port=self.settings.port, log_level="warning", ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
            )  # fmt: skip
            self.server, self._uvicorn = made, uvicorn.Server(config)
            self._loop = asyncio.get_running_loop()
            await asyncio.gather(self._uvicorn.serve(), self._tell(up))

        asyncio.run(serve())

    async def _tell(self, up: threading.Event) -> None:
        assert self._uvicorn is not None
        while not self._uvicorn.started:  # noqa: ASYNC110 uvicorn has no event for it
            await asyncio.sleep(0.02)
        up.set()

    def ask(self, question: Callable[["Server"], Any]) -> Any:
        """The answer of a question put inside the server's loop."""
        assert self._loop is not None and self.server is not None
        server = self.server

        async def answer() -> Any:
            return question(server)

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result(10)


def signed_in(page: "Page", web: Web, database: Database, role: str, path: str) -> None:
    """Sign a new account of that role in to a page, by a one-time link."""
    accounts.add(database, SYSTEM, role, role, now=clock.now(), password=PASSWORD)
    page.goto(f"{web.url}/signin?once={sessions.issue_one_time(database, role, clock.now())}&next={path}")


def until(page: "Page", expression: str, timeout_ms: int = WAIT_MS) -> None:
    """Wait until an expression holds; Playwright's own way evaluates text, which the security policy forbids."""
    deadline, looks = clock.monotonic() + timeout_ms / 1_000, 0
    while True:
        looks += 1
        try:
            if page.evaluate(expression):
                return
        except Error:  # the page is being loaded again
            pass
        assert clock.monotonic() < deadline or looks < LOOKS_LEAST, expression
        page.wait_for_timeout(50)
