"""What a page's callbacks may do (操作): always in the name of whoever sent the request being served.

This is the `commands` that panels receive in `register(app, commands)`. Callbacks run in threads: its calls may wait.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from dashboard import access
from dashboard.accessbook import Accessbook
from dashboard.accountbook import Accountbook
from dashboard.area import Area
from dashboard.auditbook import Auditbook
from dashboard.camerabook import Camerabook
from dashboard.catalogue import Catalogue
from dashboard.contactbook import Contactbook
from dashboard.coveragebook import Coveragebook
from dashboard.departmentbook import Departmentbook
from dashboard.directory import Directory
from dashboard.enlistbook import Enlistbook
from dashboard.evidencebook import Evidencebook
from dashboard.filebook import Filebook
from dashboard.gridbook import Gridbook
from dashboard.gridcard import Gridcards
from dashboard.inventory import Inventory
from dashboard.ledgerbook import Ledgerbook
from dashboard.lookers import Lookers
from dashboard.mapbook import Mapbook
from dashboard.outletbook import Outletbook
from dashboard.own import Own
from dashboard.platformbook import Platformbook
from dashboard.quarantine import Quarantine
from dashboard.ratebook import Ratebook
from dashboard.repairs import Repairs
from dashboard.searchbook import Searchbook
from dashboard.shiftbook import Shiftbook
from dashboard.tokenbook import Tokenbook
from dashboard.trail import Trail
from dashboard.viewbook import Viewbook
from dashboard.wallbook import Wallbook
from operations import policy
from operations.attachments import Attachments
from operations.board import Board
from operations.commands import Commands
from operations.errors import OperationsError
from operations.orders.calling import Calls
from operations.orders.dispatch import Orders
from operations.policy import Identity
from operations.report import Located
from operations.upward import Reports

T = TypeVar("T")

WAIT_SECONDS = 10.0

log = logging.getLogger(__name__)


class Slow(OperationsError):
    """The server is too busy to answer in time; nothing was changed."""

    code = "operations.slow"


class Actions:
    """`operations` and `orders` are the domain's commands, each wants `identity()` first; `area()`: grids in force."""

    def __init__(
        self,
        operations: Commands,
        orders: Orders,
        attachments: Attachments,
        reports: Reports,
        *,
        desk: Callable[[Identity, object], Coroutine[Any, Any, Any]],
        quarantine: Quarantine,
        directory: Directory,
        gridbook: Gridbook,
        ledgerbook: Ledgerbook,
        filebook: Filebook,
        mapbook: Mapbook,
        repairs: Repairs,
        gridcards: Gridcards,
        accounts: Accountbook,
        inventory: Inventory,
        departments: Departmentbook,
        contacts: Contactbook,
        search: Searchbook,
        enlistbook: Enlistbook,
        tokens: Tokenbook,
        area: Callable[[], Area | None],
        located: Callable[[float | None, float | None, str], Located],
        time_zone: str,
        trail: Trail,
        wallbook: Wallbook,
        camerabook: Camerabook,
        lookers: Lookers,
        accessbook: Accessbook,
        evidencebook: Evidencebook,
        catalogue: Catalogue,
        auditbook: Auditbook,
        own: Own,
        outlets: Outletbook,
        calls: Calls,
        shifts: Shiftbook,
        views: Viewbook,
        platforms: Platformbook,
        coverage: Coveragebook,
        rates: Ratebook,
    ) -> None:
        self.operations = operations
        self.orders = orders
        self.attachments = attachments
        self.reports = reports
        self.quarantine = quarantine
        self.directory = directory
        self.gridbook = gridbook
        self.ledgerbook = ledgerbook
        self.filebook = filebook
        self.mapbook = mapbook
        self.repairs = repairs
        self.gridcards = gridcards
        self.accounts = accounts
        self.inventory = inventory
        self.departments = departments
        self.contacts = contacts
        self.search = search
        self.enlistbook = enlistbook
        self.tokens = tokens
        self.area = area
        self.located = located
        self.time_zone = time_zone
        self.trail = trail
        self.wallbook = wallbook
        self.camerabook = camerabook
        self.lookers = lookers
        self.accessbook = accessbook
        self.evidencebook = evidencebook
        self.catalogue = catalogue
        self.auditbook = auditbook
        self.own = own
        self.outlets = outlets
        self.calls = calls
        self.shifts = shifts
        self.views = views
        self.platforms = platforms
        self.coverage = coverage
        self.rates = rates
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
