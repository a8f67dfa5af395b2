"""What stands open in a jurisdiction when a shift ends 未了事项: read off a board at `now`. Pure; times in UTC µs."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from operations import incident as incidents
from operations.board import Board
from operations.incident import Incident
from operations.orders.order import Order, sent_from
from operations.scope import Scope
from operations.ticking import Clock, pressing, state
from operations.upward import Report
from operations.warning import LEVELS, WarningState
from operations.warning import visible as warned

KINDS = ("incident", "order", "report", "warning", "wall", "outlet")
KEPT_MOST = 300
"""Things on one list, the gravest first; how many more there are is said."""
_URGENCIES = ("critical", "urgent", "routine")
_UNSIGNED = ("sent", "delivered", "seen")


class Item(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that stands open. `why`: codes of the reasons; `figures`: recipients of an order by state."""

    kind: str
    id: str
    why: tuple[str, ...]
    number: str = ""
    title: str = ""
    urgency: str = ""
    type: str = ""
    department: str = ""
    since: int = 0
    due: int | None = None
    figures: dict[str, int] = {}


class OpenList(Struct, frozen=True):
    """The list as it was made at a time. `counts`: things of each kind, also those that found no room.

    `open`: how many incidents were open in all; those that are acknowledged, of no urgency and in time are not listed.
    """

    at: int
    items: tuple[Item, ...]
    counts: dict[str, int]
    open: int = 0

    @property
    def left_out(self) -> int:
        """How many found no room."""
        return sum(self.counts.values()) - len(self.items)


class Since(Struct, frozen=True):
    """What changed since a list was made: what came, what is no longer open, and what is otherwise (before, now)."""

    new: tuple[Item, ...] = ()
    gone: tuple[Item, ...] = ()
    changed: tuple[tuple[Item, Item], ...] = ()


def made(board: Board, scope: Scope, reports: Sequence[Report], now: int, most: int = KEPT_MOST) -> OpenList:
    """Return what stands open of a board in a jurisdiction; `reports`: reports upwards of it."""
    open_now = [one for one in board.incidents.values() if one.is_open and incidents.visible(scope, one)]
    found = [*_incidents(open_now, now), *_orders(board.orders.values(), scope, now), *_reports(reports, now)]
    found += _rest(board, scope, now)
    counts = {kind: sum(one.kind == kind for one in found) for kind in KINDS}
    kept = tuple(sorted(found, key=_gravity)[:most])
    return OpenList(now, kept, {kind: count for kind, count in counts.items() if count}, len(open_now))


def since(kept: OpenList, now: OpenList) -> Since:
    """Return what is otherwise now; of a list that left things out, nothing is called new."""
    before = {(one.kind, one.id): one for one in kept.items}
    after = {(one.kind, one.id): one for one in now.items}
    new = () if kept.left_out else tuple(one for key, one in after.items() if key not in before)
    gone = tuple(one for key, one in before.items() if key not in after)
    both = ((one, after[key]) for key, one in before.items() if key in after)
    return Since(new, gone, tuple(pair for pair in both if _stands(pair[0]) != _stands(pair[1])))


def _stands(one: Item) -> tuple[object, ...]:
    return one.why, one.urgency, one.department, one.figures


def _gravity(one: Item) -> tuple[object, ...]:
    graver = _URGENCIES.index(one.urgency) if one.urgency in _URGENCIES else len(_URGENCIES)
    return KINDS.index(one.kind), graver, "overdue" not in one.why, one.since, one.id


def _incidents(found: Iterable[Incident], now: int) -> Iterator[Item]:
    for one in found:
        if why := _why(one, now):
            first = pressing(one.clocks)
            yield Item(
                kind="incident",
                id=one.id,
                why=why,
                number=one.number,
                title=one.title,
                urgency=one.urgency,
                type=one.type,
                department=one.department,
                since=one.received_at,
                due=None if first is None else first.due_at,
            )


def _why(one: Incident, now: int) -> tuple[str, ...]:
    reasons = {
        "unacknowledged": one.acknowledged_at is None,
        one.urgency: one.urgency in _URGENCIES[:2],
        "overdue": _late(one.clocks, now),
        "supervised": one.supervised_at is not None,
    }
    return tuple(name for name, holds in reasons.items() if holds)


def _late(clocks: Iterable[Clock], now: int) -> bool:
    return any(state(one, now) == "overdue" for one in clocks)


def _orders(found: Iterable[Order], scope: Scope, now: int) -> Iterator[Item]:
    for order in found:
        if not (order.is_open and sent_from(scope, order)):
            continue
        figures = {
            "unsigned": sum(one.state in _UNSIGNED for one in order.recipients),
            "refused": sum(one.state == "refused" and not one.settled for one in order.recipients),
            "overdue": sum(_late(one.clocks, now) for one in order.recipients),
        }
        why = [name for name, count in figures.items() if count]
        why += [name for name, holds in (("disputed", order.disputed), ("review", order.reply == "sent")) if holds]
        if why:
            yield Item(
                kind="order",
                id=order.id,
                why=tuple(why),
                number=order.number,
                title=order.title,
                urgency=order.urgency,
                type=order.type,
                department=order.department,
                since=order.sent_at,
                figures={**figures, "of": sum(one.state != "withdrawn" for one in order.recipients)},
            )


def _reports(found: Iterable[Report], now: int) -> Iterator[Item]:
    for one in found:
        if one.waits:
            late = ("overdue",) if now >= one.due_at else ()
            yield Item(
                kind="report",
                id=one.id,
                why=(one.state, *late),
                number=one.number,
                title=one.incident_number,
                department=one.department,
                since=one.made_at,
                due=one.due_at,
            )


def _rest(board: Board, scope: Scope, now: int) -> Iterator[Item]:
    for one in board.warnings.values():
        if one.real and one.in_force(now) and warned(scope, one):
            yield _warning(one)
    if scope.city:
        for name, at in board.walls.items():
            yield Item(kind="wall", id=name, why=("stuck",), title=name, since=at)
    for name, title in board.outlets.items():
        yield Item(kind="outlet", id=name, why=("down",), title=title)


def _warning(one: WarningState) -> Item:
    said = one.words("zh")
    level = one.level if one.level in LEVELS else "unlevelled"
    return Item(
        kind="warning",
        id=one.id,
        why=(level,),
        title=said.headline or said.event,
        since=one.effective,
        due=one.expires,
    )
