"""`GET /api/v1/orders` and `/orders/{id}`: orders as the asker may see them, and one order's text and history.

For reading only: orders are sent, changed and answered by people who are signed in.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Response
from msgspec import structs

from dashboard.answers import REFUSALS, json_answer
from dashboard.api_incidents import CODE, ID, LIMIT_MOST
from dashboard.parts import Asker, Shared
from operations.board import Board
from operations.entry import Entry
from operations.orders.order import Order, seen
from operations.policy import reach
from operations.scope import WHOLE, Scope

router = APIRouter(prefix="/api/v1", tags=["orders"])

STATES = Literal["open", "done", "cancelled", "all"]
KINDS = Literal["order", "joint", "whistle", "call"]


class Orders(msgspec.Struct):
    """One page of orders, newest first; `next` is the cursor of the page after it, null at the end."""

    orders: list[Order]
    next: str | None
    as_of: int
    seq: int


class Filter(msgspec.Struct, frozen=True):
    """What a list of orders is narrowed by; an empty value narrows nothing."""

    state: str = "open"
    kind: str = ""
    incident: str = ""
    department: str = ""

    def holds(self, order: Order) -> bool:
        """Say whether the order is wanted; `department` is one of its recipients'."""
        return (
            (self.state == "all" or order.state == self.state)
            and (not self.kind or order.kind == self.kind)
            and (not self.incident or order.incident == self.incident)
            and (not self.department or any(one.department == self.department for one in order.recipients))
        )


def page(wanted: Filter, scope: Scope, before: str, limit: int, looked_at: int) -> Callable[[Board], Orders]:
    """Return the question for the newest orders older than the cursor `before` (an id; ids grow with time)."""

    def question(board: Board) -> Orders:
        found = heapq.nlargest(limit + 1, matching(board, wanted, scope, before), key=lambda one: one.id)
        following = found[limit - 1].id if len(found) > limit else None
        as_of, seq = (board.at, board.seq) if scope == WHOLE else (looked_at, 0)
        return Orders(found[:limit], following, as_of, seq)

    return question


def matching(board: Board, wanted: Filter, scope: Scope, before: str) -> Iterator[Order]:
    """Yield the orders of the board as the scope sees them, if they are wanted."""
    for order in board.orders.values():
        told = seen(scope, order) if (not before or order.id < before) and wanted.holds(order) else None
        if told is not None:
            yield told


@router.get("/orders", responses=REFUSALS, openapi_extra={"x-answer": "Orders"})
async def orders(
    shared: Shared,
    asker: Asker,
    state: Annotated[STATES, Query(description="open, done, cancelled (both lately) or all")] = "open",
    kind: Annotated[KINDS | None, Query()] = None,
    incident: Annotated[str, Query(pattern=f"^$|{ID}", description="id of the incident they are about")] = "",
    department: Annotated[str, Query(pattern=f"^$|{CODE}", description="department of a recipient")] = "",
    cursor: Annotated[str, Query(pattern=f"^$|{ID}", description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = 100,
) -> Response:
    """List orders with all their receipts, newest first: what is open, and what ended lately."""
    wanted = Filter(state, kind or "", incident.lower(), department)
    question = page(wanted, reach(asker, "order.read"), cursor, limit, shared.hub.looked_at)
    return json_answer(await shared.hub.ask(question))


class OrderDetail(msgspec.Struct):
    """An order with its text and its history from the journal, oldest first; texts are opened for who may read them.

    With a jurisdiction smaller than the city an entry's `seq` is 0: it would tell how much went on elsewhere.
    """

    order: Order
    text: str
    history: list[Entry]


@router.get("/orders/{id}", responses=REFUSALS, openapi_extra={"x-answer": "OrderDetail"})
async def order(shared: Shared, asker: Asker, id: Annotated[str, Path(pattern=ID)]) -> Response:
    """Show one order, its text and its history. Absent and not yours get the same answer."""
    dossier = await asyncio.to_thread(shared.actions.orders.dossier, asker, id.lower())
    scope = reach(asker, "order.read")
    history = [entry if scope == WHOLE else structs.replace(entry, seq=0) for entry in dossier.history]
    return json_answer(OrderDetail(dossier.order, dossier.text, history))
