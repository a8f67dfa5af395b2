"""What a page's callbacks may do (操作): always in the name of whoever sent the request being served.

This is the `commands` that panels receive in `register(app, commands)`. Callbacks run in threads: its calls may wait.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from dashboard import access
from dashboard.accountbook import Accountbook
from dashboard.area import Area
from dashboard.auditbook import Auditbook
from dashboard.departmentbook import Departmentbook
from dashboard.directory import Directory
from dashboard.enlistbook import Enlistbook
from dashboard.filebook import Filebook
from dashboard.gridbook import Gridbook
from dashboard.gridcard import Gridcards
from dashboard.inventory import Inventory
from dashboard.mapbook import Mapbook
from dashboard.own import Own
from dashboard.quarantine import Quarantine
from dashboard.repairs import Repairs
from dashboard.tokenbook import Tokenbook
from dashboard.trail import Trail
from dashboard.wallbook import Wallbook
from operations import policy
from operations.board import Board
from operations.commands import Commands
from operations.errors import OperationsError
from operations.policy import Identity
from operations.report import Located

T = TypeVar("T")

WAIT_SECONDS = 10.0

log = logging.getLogger(__name__)


class Slow(OperationsError):
    """The server is too busy to answer in time; nothing was changed."""

    code = "operations.slow"


class Actions:
    """`operations` are the domain's commands, each of which wants `identity()` first; `area()` the grids in force."""

    def __init__(
        self,
        operations: Commands,
        *,
        desk: Callable[[Identity, object], Coroutine[Any, Any, Any]],
        quarantine: Quarantine,
        directory: Directory,
        gridbook: Gridbook,
        filebook: Filebook,
        mapbook: Mapbook,
        repairs: Repairs,
        gridcards: Gridcards,
        accounts: Accountbook,
        inventory: Inventory,
        departments: Departmentbook,
        enlistbook: Enlistbook,
        tokens: Tokenbook,
        area: Callable[[], Area | None],
        located: Callable[[float | None, float | None, str], Located],
        time_zone: str,
        trail: Trail,
        wallbook: Wallbook,
        auditbook: Auditbook,
        own: Own,
    ) -> None:
        self.operations = operations
        self.quarantine = quarantine
        self.directory = directory
        self.gridbook = gridbook
        self.filebook = filebook
        self.mapbook = mapbook
        self.repairs = repairs
        self.gridcards = gridcards
        self.accounts = accounts
        self.inventory = inventory
        self.departments = departments
        self.enlistbook = enlistbook
        self.tokens = tokens
        self.area = area
        self.located = located
        self.time_zone = time_zone
        self.trail = trail
        self.wallbook = wallbook
        self.auditbook = auditbook
        self.own = own
        self._desk = desk
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ask: Callable[..., Coroutine[Any, Any, Any]] | None = None

    def started(self, ask: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        """Note the running loop and how to ask the hub; called once when the server starts."""
        self._loop, self._ask = asyncio.get_running_loop(), ask

    def identity(self) -> Identity:
        """Return who asks."""
        return access.current()

    def allowed(self, permission: str) -> bool:
        """Say whether whoever asks holds `permission`."""
        return policy.allowed(access.current(), permission)

    def ask(self, question: Callable[[Board], T], action: str = "") -> T:
        """Return the answer to a question about the board as far as whoever asks may do `action`.

        Without an action: about the board as their screens show it. Raises Forbidden, Slow.
        """
        assert self._ask is not None, "the server has not started"
        identity = self.identity()
        scope = policy.reach(identity, action) if action else policy.watched(identity)
        try:
            answer: T = self.wait(self._ask(question, scope))
        except TimeoutError:
            raise Slow() from None
        return answer

    def register(self, report: object) -> Any:
        """Send a report taken at the desk (登记) through the same intake as every other; return the receipt."""
        return self.wait(self._desk(self.identity(), report))

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what work on the server's loop comes to; for the threads that callbacks run in."""
        assert self._loop is not None, "the server has not started"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)

    def begin(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Have work go on on the server's loop after the callback has answered; a failure of it is logged."""
        assert self._loop is not None, "the server has not started"
        begun = asyncio.run_coroutine_threadsafe(work, self._loop)
        begun.add_done_callback(_said)
        return begun


def _said(begun: Future[Any]) -> None:
    if not begun.cancelled() and (error := begun.exception()) is not None:
        log.error("work that a page had begun failed", exc_info=error)
