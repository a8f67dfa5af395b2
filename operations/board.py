"""The board: what is open, what closed lately, and counts; a pure fold over the journal, without I/O or a clock.

`apply(board, entry)` changes the board in place. What depends on the clock is a function of `views` with `now`.
Law: for every scope, the view kept by `apply_scoped` equals `project(board, scope)`.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct, convert, structs

from operations import driven, pictured
from operations.buckets import Buckets, Chain, Kind
from operations.cameras.fallen import Fallen
from operations.cameras.fallen import fold as fold_outage
from operations.cameras.sampled import NONE as NO_SAMPLE
from operations.cameras.sampled import Sampled, sampled
from operations.driven import Driven
from operations.entry import Entry
from operations.grants import asked, held
from operations.grants.asked import Asked, Decided
from operations.grants.held import Granted
from operations.incident import WHOLE_AGAIN, Incident, Item, seen
from operations.orders import order as orders
from operations.orders.order import Order
from operations.pictured import Pictured
from operations.scope import NOWHERE, WHOLE, Scope
from operations.ticking import OVERDUE, Clock, loudest
from operations.warning import WarningState
from operations.warning import fold as fold_warning
from operations.warning import visible as warned

MINUTE = 60_000_000
HOUR = 60 * MINUTE
MINUTES_KEPT = 25 * 60  # a day of 25 hours (end of daylight saving) still fits
HOURS_KEPT = 8 * 24
BLOCK = 1_000  # entries: what is too old goes by the earliest time in this block and the one before
CLOSED_KEPT = 20_000  # closed incidents on the board; older ones are in the journal

QUARANTINE_STEPS = {"quarantine.added": 1, "quarantine.resubmitted": -1, "quarantine.discarded": -1}
OUTLET_UP = tuple(
    f"outlet.{one}" for one in ("recovered", "changed", "switched_on", "switched_off", "removed", "secret_set")
)
_NEVER = 2**62
_INTERNED = ("type", "urgency", "department", "source", "channel", "grid", "nearest", "county", "step")


class SourceState(Struct, frozen=True):
    """What the board knows of a source; `kind` is "" for one that is not registered; `lost`: why it is out of reach.

    Scoped views carry no times and counts: those would tell of other places.
    """

    name: str
    kind: str = ""
    last_received_at: int | None = None
    count: int = 0
    silent: bool = False
    lost: str = ""
    proposed: str = ""  # a datum its places speak for, until somebody decides


class Acknowledgement(Struct, frozen=True, array_like=True):
    """How long one incident waited for its first look."""

    at: int
    seconds: float
    chain: Chain
    department: str
    type: str = ""


class Change(Struct, frozen=True):
    """What an entry touched: incident ids (also the removed), leaf grids whose counts changed, orders, the rest."""

    incidents: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()
    other: bool = False
    before: Incident | None = None
    after: Incident | None = None
    dropped: tuple[str, ...] = ()
    orders: frozenset[str] = frozenset()
    order: Order | None = None  # as it is after the entry


@dataclass
class Board:
    """State after `seq`. `scope` says whose view it is; one smaller than the city has no quarantine or walls."""

    scope: Scope = WHOLE
    seq: int = 0
    at: int = 0
    floors: tuple[int, int] = (_NEVER, _NEVER)  # the earliest time in the block of entries before and in this one
    epoch: int = 1
    incidents: dict[str, Incident] = field(default_factory=dict)
    closed: dict[str, None] = field(default_factory=dict)  # ids in the order of closing
    unplaced: set[str] = field(default_factory=set)  # open incidents outside every grid
    sources: dict[str, SourceState] = field(default_factory=dict)
    open_quarantine: int = 0
    walls: dict[str, int] = field(default_factory=dict)  # stuck walls, since when
    outlets: dict[str, str] = field(default_factory=dict)  # title of those that are down
    outages: dict[str, Fallen] = field(default_factory=dict)  # mass drops of cameras, until they end
    sampled: Sampled = NO_SAMPLE  # rates of cameras as of the last sample
    warnings: dict[str, WarningState] = field(default_factory=dict)  # until an entry ends them; views take the time
    orders: dict[str, Order] = field(default_factory=dict)
    ended_orders: dict[str, None] = field(default_factory=dict)  # ids in the order of ending
    driven: dict[str, Driven] = field(default_factory=dict)  # wall id → what a desk has it show; views take the time
    pictured: dict[str, Pictured] = field(default_factory=dict)  # wall id → what a desk says of its live pictures
    asked: dict[str, Asked] = field(default_factory=dict)  # requests for video access under way
    decided: list[Decided] = field(default_factory=list)  # the newest of those that were decided
    granted: dict[str, Granted] = field(default_factory=dict)  # grants that have not ended; views take the time
    received_minutes: Buckets = field(default_factory=Buckets)
    received_hours: Buckets = field(default_factory=Buckets)
    closed_minutes: Buckets = field(default_factory=Buckets)
    open_now: Buckets = field(default_factory=Buckets)  # slot 0
    open_by: dict[tuple[str, str], int] = field(default_factory=dict)  # (department, urgency)
    waiting: dict[tuple[str, str], dict[int, int]] = field(default_factory=dict)  # same, by minute of waiting_since
    steps_by: dict[tuple[str, str], int] = field(default_factory=dict)  # (department, step)
    overdue_by: dict[str, int] = field(default_factory=dict)  # department: incidents of which a clock is overdue
    pressed: dict[str, None] = field(default_factory=dict)  # open incidents of which a clock is near due or overdue
    acknowledged: list[Acknowledgement] = field(default_factory=list)
    looked: int = field(default=0, compare=False)  # the last entry about a look within the scope; lists look anew
    chains: dict[Chain, Chain] = field(default_factory=dict, compare=False, repr=False)  # one object per chain


def apply(board: Board, entry: Entry) -> Change:
    """Fold one entry into the whole board and return what it touched."""
    dropped = _advance(board, entry)
    if entry.subject_type == "incident":
        before = board.incidents.get(entry.subject_id)
        after = _after(board, before, entry)
        _count_source(board, entry)
        grids = _move(board, entry, before, after)
        dropped += _overflow(board)
        touched = frozenset((entry.subject_id, *dropped)) if after is not None else frozenset(dropped)
        return Change(touched, grids, False, before, after, dropped)
    if entry.subject_type == "order":
        order = orders.fold(board.orders.get(entry.subject_id), entry)
        touched_orders = _put_order(board, entry, order) | _overflow_orders(board)
        return Change(frozenset(dropped), dropped=dropped, orders=touched_orders, order=order)
    _apply_other(board, entry)
    return Change(frozenset(dropped), frozenset(), True, None, None, dropped)


def apply_scoped(view: Board, entry: Entry, change: Change) -> Change:
    """Fold one entry into a scoped view, given what `apply` returned for the whole board."""
    _advance(view, entry)
    gone = {incident_id for incident_id in change.dropped if _drop(view, incident_id)}
    if entry.subject_type == "incident":
        before, after = seen(view.scope, change.before), seen(view.scope, change.after)
        heard = _count_source(view, entry)
        grids = _move(view, entry, before, after)
        if before is not None or after is not None:
            gone.add(entry.subject_id)
        return Change(frozenset(gone), grids, heard, before, after, change.dropped)
    if entry.subject_type == "order":
        order = orders.seen(view.scope, change.order)
        touched = _put_order(view, entry, order)
        left = {key for key in change.orders if key != entry.subject_id and _forget_order(view, key)}
        return Change(frozenset(gone), dropped=change.dropped, orders=touched | left, order=order)
    return Change(frozenset(gone), frozenset(), _apply_other(view, entry), None, None, change.dropped)


def project(board: Board, scope: Scope) -> Board:
    """Return an independent copy of the part of the whole board that lies inside `scope`."""
    view = Board(scope=scope, seq=board.seq, at=board.at, floors=board.floors, epoch=board.epoch)
    shown = ((key, seen(scope, incident)) for key, incident in board.incidents.items())
    view.incidents = {key: incident for key, incident in shown if incident is not None}
    view.closed = {key: None for key in board.closed if key in view.incidents}
    recount(view)
    view.warnings = {key: one for key, one in board.warnings.items() if warned(scope, one)}
    placed = ((key, orders.seen(scope, one)) for key, one in board.orders.items())
    view.orders = {key: one for key, one in placed if one is not None}
    view.ended_orders = {key: None for key in board.ended_orders if key in view.orders}
    view.outlets = dict(board.outlets)
    view.outages = {key: one for key, one in board.outages.items() if one.concerns(scope)}
    view.sampled = board.sampled.seen(scope)
    view.driven = {key: one for key, one in board.driven.items() if driven.covers(scope, one.grid, one.department)}
    mine = ((key, one) for key, one in board.pictured.items() if driven.covers(scope, one.grid, one.department))
    view.pictured = dict(mine)
    view.asked = {key: one for key, one in board.asked.items() if asked.concerns(scope, one)}
    view.decided = [one for one in board.decided if asked.seen(scope, one)]
    view.granted = {key: one for key, one in board.granted.items() if held.concerns(scope, one)}
    view.sources = {key: _plain(state) for key, state in board.sources.items() if state.kind}
    if scope.city:
        view.sources = dict(board.sources)
        view.open_quarantine = board.open_quarantine
        view.walls = dict(board.walls)
    view.received_minutes = board.received_minutes.project(scope)
    view.received_hours = board.received_hours.project(scope)
    view.closed_minutes = board.closed_minutes.project(scope)
    view.acknowledged = [item for item in board.acknowledged if scope.covers(item.chain, item.department, item.type)]
    return view


def recount(board: Board) -> None:
    """Build every count that follows from the incidents on the board; it must hold none of them yet."""
    for incident in board.incidents.values():
        _count_open(board, incident, 1)


def _advance(board: Board, entry: Entry) -> tuple[str, ...]:
    """Move seq and time on; at a new hour forget what is too old. Returns the dropped incidents (whole board).

    Forgetting lags behind, for a clock that was ahead: what it wrote must not wipe counts that no later entry restores.
    """
    hour = min(board.floors) // HOUR
    past, block = board.floors
    new_block = entry.seq // BLOCK != board.seq // BLOCK
    board.floors = (block, entry.at) if new_block else (past, min(block, entry.at))
    board.seq, board.at = entry.seq, entry.at
    if min(board.floors) // HOUR <= hour:
        return ()
    board.received_minutes.prune(_oldest_minute(board))
    board.closed_minutes.prune(_oldest_minute(board))
    board.received_hours.prune(_oldest_hour(board))
    oldest = _oldest_minute(board) * MINUTE
    board.acknowledged = [item for item in board.acknowledged if item.at >= oldest]
    if board.scope != WHOLE:
        return ()
    old = tuple(key for key in board.closed if (board.incidents[key].closed_at or 0) < oldest)
    return tuple(key for key in old if _drop(board, key))


def _after(board: Board, before: Incident | None, entry: Entry) -> Incident | None:
    """The incident after the entry; None when it is not on the board (closed long ago)."""
    if entry.body is None or "set" not in entry.body:
        return before
    if entry.action in ("incident.opened", *WHOLE_AGAIN):
        return convert(_compact(board, entry.body["set"]), Incident)
    return None if before is None else structs.replace(before, **_compact(board, entry.body["set"]))


def _compact(board: Board, values: Mapping[str, Any]) -> dict[str, Any]:
    """Share equal strings and chains between incidents, and give lists back as tuples."""
    out: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    if "items" in out:
        out["items"] = convert(values["items"], tuple[Item, ...])
    if "clocks" in out:
        out["clocks"] = convert(values["clocks"], tuple[Clock, ...])
    for key in _INTERNED:
        if key in out:
            out[key] = sys.intern(out[key])
    if "chain" in out:
        out["chain"] = board.chains.setdefault(out["chain"], out["chain"])
    return out


def _move(board: Board, entry: Entry, before: Incident | None, after: Incident | None) -> frozenset[str]:
    """Replace `before` by `after` (either may be None) on the board and in all counts; return touched leaf grids."""
    if before is None and after is None:
        return frozenset()
    if before is not None:
        _count_open(board, before, -1)
        board.closed.pop(before.id, None)
    if after is not None:
        _count_open(board, after, 1)
        board.incidents[after.id] = after
        if not after.is_open:
            board.closed[after.id] = None
    elif before is not None:
        del board.incidents[before.id]
    _count_received(board, entry, before, after)
    _count_deeds(board, entry, before, after)
    return _touched(before, after)


def _put_order(board: Board, entry: Entry, after: Order | None) -> frozenset[str]:
    """Put an order in the place of what was known of it; return its id when either is there."""
    known = _forget_order(board, entry.subject_id)
    if after is not None:
        board.orders[entry.subject_id] = after
        if not after.is_open:
            board.ended_orders[entry.subject_id] = None
    return frozenset({entry.subject_id}) if known or after is not None else frozenset()


def _overflow_orders(board: Board) -> frozenset[str]:
    """Take the orders that ended first off the whole board; return their ids."""
    extra = list(board.ended_orders)[: max(0, len(board.ended_orders) - orders.CLOSED_KEPT)]
    return frozenset(key for key in extra if _forget_order(board, key))


def _forget_order(board: Board, order_id: str) -> bool:
    board.ended_orders.pop(order_id, None)
    return board.orders.pop(order_id, None) is not None


def _touched(before: Incident | None, after: Incident | None) -> frozenset[str]:
    if before is not None and after is not None and _counted(before) == _counted(after):
        return frozenset()
    return frozenset(incident.grid for incident in (before, after) if incident is not None)


def _counted(incident: Incident) -> tuple[object, ...]:
    return (incident.chain, _kind(incident), incident.is_open)


def _kind(incident: Incident) -> Kind:
    return Kind(incident.department, incident.type, incident.urgency)


def _count_open(board: Board, incident: Incident, by: int) -> None:
    if not incident.is_open:
        return
    board.open_now.add(incident.chain, _kind(incident), 0, by)
    key = (incident.department, incident.urgency)
    _tally(board.open_by, key, by)
    _tally(board.steps_by, (incident.department, incident.step), by)
    if said := loudest(incident.clocks):
        _count_pressed(board, incident, said, by)
    if not incident.chain:
        (board.unplaced.add if by > 0 else board.unplaced.discard)(incident.id)
    if incident.acknowledged_at is None:
        minutes = board.waiting.setdefault(key, {})
        _tally(minutes, incident.waiting_since // MINUTE, by)
        if not minutes:
            del board.waiting[key]


def _count_pressed(board: Board, incident: Incident, said: int, by: int) -> None:
    if by > 0:
        board.pressed[incident.id] = None
    else:
        board.pressed.pop(incident.id, None)
    if said >= OVERDUE:
        _tally(board.overdue_by, incident.department, by)


def _count_received(board: Board, entry: Entry, before: Incident | None, after: Incident | None) -> None:
    """Received counts follow an incident's present grid, department, type and urgency; reopening counts nothing."""
    if entry.action in WHOLE_AGAIN:
        return
    for incident, by in ((before, -1), (after, 1)):
        if incident is None or (before is not None and after is not None and _same_cell(before, after)):
            continue
        minute, hour = incident.received_at // MINUTE, incident.received_at // HOUR
        if minute >= _oldest_minute(board):
            board.received_minutes.add(incident.chain, _kind(incident), minute, by)
        if hour >= _oldest_hour(board):
            board.received_hours.add(incident.chain, _kind(incident), hour, by)


def _same_cell(before: Incident, after: Incident) -> bool:
    return before.chain == after.chain and _kind(before) == _kind(after)


def _count_deeds(board: Board, entry: Entry, before: Incident | None, after: Incident | None) -> None:
    """Closings and first acknowledgements are events: they stay where they happened."""
    if after is None:
        return
    if entry.action == "incident.closed" and after.closed_at is not None:
        board.closed_minutes.add(after.chain, _kind(after), after.closed_at // MINUTE)
    if entry.action == "incident.acknowledged" and after.acknowledged_at is not None:
        seconds = max(0.0, (after.acknowledged_at - after.waiting_since) / 1e6)
        deed = Acknowledgement(after.acknowledged_at, seconds, after.chain, after.department, after.type)
        board.acknowledged.append(deed)


def _count_source(board: Board, entry: Entry) -> bool:
    """Count what a source sent, where the city's sources are seen; returns whether anything was."""
    report = (entry.body or {}).get("report")
    if report and board.scope.city:
        state = board.sources.get(report["source"]) or SourceState(report["source"])
        last = max(state.last_received_at or 0, report["received_at"])
        board.sources[report["source"]] = structs.replace(state, last_received_at=last, count=state.count + 1)
    return bool(report) and board.scope.city


def _hear(board: Board, entry: Entry) -> None:
    """A source that sends warnings is heard too; whole board only."""
    kind, _, name = entry.actor.partition(":")
    if kind == "source" and board.scope.city:
        state = board.sources.get(name) or SourceState(name)
        board.sources[name] = structs.replace(state, last_received_at=max(state.last_received_at or 0, entry.at))


def _apply_other(board: Board, entry: Entry) -> bool:
    """Sources, warnings, quarantine, walls and epochs; returns whether the board shows any of it."""
    body = entry.body or {}
    if entry.subject_type == "source":
        _set_source(board, entry.subject_id, body.get("set", {}))
    elif entry.subject_type == "warning":
        _hear(board, entry)
        return fold_warning(board.warnings, entry, board.scope)
    elif entry.subject_type in _HEARD:
        return _HEARD[entry.subject_type](board, entry)
    elif entry.action == "epoch.started":
        board.epoch = body["epoch"]
    elif entry.action in ("wall.driven", "wall.pictured", "wall.revoked", "wall.changed"):
        shown = driven.fold(board.driven, entry, board.scope)
        return pictured.fold(board.pictured, entry, board.scope) or shown
    elif not board.scope.city:
        return False
    elif entry.subject_type == "quarantine":
        board.open_quarantine += QUARANTINE_STEPS.get(entry.action, 0)
    elif entry.action == "wall.stuck":
        board.walls[entry.subject_id] = entry.at
    elif entry.action in ("wall.recovered", "wall.gone"):
        board.walls.pop(entry.subject_id, None)
    return True


def _hear_look(board: Board, entry: Entry) -> bool:
    """Auditors, whose screens show no place, hear of every look; what they read is asked of the table."""
    grid, department = board.scope.grid, board.scope.department
    within = not grid or grid in entry.scope_grid.split("/")
    within &= not department or department == entry.scope_department
    within |= board.scope == NOWHERE
    if within:
        board.looked = entry.seq
    return within


def _set_outlet(board: Board, entry: Entry) -> bool:
    """Which ways out are down concerns everybody who sends; one that was changed is not down until it fails again."""
    if entry.action == "outlet.failed":
        board.outlets[entry.subject_id] = (entry.body or {})["title"]
        return True
    if entry.action in OUTLET_UP:
        return board.outlets.pop(entry.subject_id, None) is not None
    return False


def _sample(board: Board, entry: Entry) -> bool:
    before, board.sampled = board.sampled, sampled(entry).seen(board.scope)
    return before != board.sampled


_HEARD: dict[str, Callable[[Board, Entry], bool]] = {
    "access": lambda board, entry: asked.fold(board.asked, board.decided, entry, board.scope),
    "grant": lambda board, entry: held.fold(board.granted, entry, board.scope),
    "outlet": _set_outlet,
    "look": _hear_look,
    "outage": lambda board, entry: fold_outage(board.outages, entry, board.scope),
    "camera_sample": _sample,
}


def _set_source(board: Board, source_id: str, values: Mapping[str, Any]) -> None:
    """A scoped view knows registered sources only: that another one sent something would tell of other places.

    So one that is registered now begins anew in every view: nobody has said yet that it is silent.
    """
    if not board.scope.city:
        values = {name: value for name, value in values.items() if name != "proposed"}
    known = board.sources.get(source_id)
    if known is not None or board.scope.city or "kind" in values:
        begun = values if known is not None and known.kind else {"silent": False, "lost": "", **values}
        board.sources[source_id] = structs.replace(known or SourceState(source_id), **begun)


def _overflow(board: Board) -> tuple[str, ...]:
    extra = len(board.closed) - CLOSED_KEPT
    if extra <= 0:
        return ()
    return tuple(key for key in list(board.closed)[:extra] if _drop(board, key))


def _drop(board: Board, incident_id: str) -> bool:
    """Take a closed incident off the board; its counts stay."""
    board.closed.pop(incident_id, None)
    return board.incidents.pop(incident_id, None) is not None


def _plain(state: SourceState) -> SourceState:
    return SourceState(state.name, state.kind, silent=state.silent, lost=state.lost)


def _tally(counts: dict[Any, int], key: object, by: int) -> None:
    value = counts.get(key, 0) + by
    if value:
        counts[key] = value
    else:
        counts.pop(key, None)


def _oldest_minute(board: Board) -> int:
    return min(board.floors) // HOUR * 60 - MINUTES_KEPT


def _oldest_hour(board: Board) -> int:
    return min(board.floors) // HOUR - HOURS_KEPT
