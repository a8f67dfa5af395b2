"""Drawing a page's panels into serialised values (画面), no more often than they cost.

A panel whose rendering takes long is drawn again only after `PAUSE` times that long, so one slow panel cannot hold up
the alerts beside it; what it missed in between it shows at its next turn.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import ModuleType
from typing import Any

from config.clock import monotonic, worked
from config.words import Words
from dashboard import frame
from dashboard.frame import Delta, State
from dashboard.lens import REFRESH as REFRESH_HEAT
from dashboard.lens import WIDE, Lens
from dashboard.selection import Choice, Selection
from operations.board import Board, Change

log = logging.getLogger(__name__)

PAUSE = 10
"""A panel may use one part in `PAUSE + 1` of a processor."""
PAUSE_MOST = 1.0
PORTION = 200
"""Incidents of a new channel that are compared with each other at one turn."""
REFRESH = 2.0
"""Seconds after which a panel is drawn again although nothing happened: ages, overdue, a new day."""
HEAT, ORDERS = "heat", "orders"
"""Names of keyed rows that go by grid and by order; all others go by incident."""


@dataclass(frozen=True)
class Touched:
    """What the entries since the last drawing touched: ids of incidents, leaf grid codes, ids of orders, the rest."""

    incidents: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()
    other: bool = False
    orders: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.incidents or self.grids or self.other or self.orders)

    def of(self, key: str) -> frozenset[str]:
        """Return which keyed rows named `key` these are."""
        return self.grids if key == HEAT else self.orders if key == ORDERS else self.incidents


class Touch:
    """Gathers what entries touch."""

    def __init__(self) -> None:
        self._incidents: set[str] = set()
        self._grids: set[str] = set()
        self._orders: set[str] = set()
        self._other = False

    def add(self, change: Change) -> None:
        """Take in what one entry touched."""
        self._incidents |= change.incidents
        self._grids |= change.grids
        self._orders |= change.orders
        self._other = self._other or change.other

    def done(self) -> Touched:
        """Return all that was touched."""
        return Touched(frozenset(self._incidents), frozenset(self._grids), self._other, frozenset(self._orders))


class Part:
    """Something of a panel that is drawn as a whole; knows when it may and when it must be drawn next."""

    def __init__(self, panel: ModuleType, lens: Lens) -> None:
        self.name = panel.__name__.rpartition(".")[2]
        self.cost = 0.0
        self.fault = ""
        self._panel = panel
        self._lens = lens
        self._through = (lens,) if getattr(panel, "LENSED", False) else ()
        self._pace: float = getattr(panel, "PACE", 0.0)
        self._waiting = True
        self._may_at = 0.0
        self._must_at = 0.0

    def note(self, touched: Touched) -> None:
        """Take in what entries touched, to be drawn at the next turn."""
        self._waiting = self._waiting or bool(touched)

    def due_at(self) -> float:
        """Return when this is to be drawn, in monotonic seconds."""
        return self._may_at if self._waiting else max(self._may_at, self._must_at)

    def draw(self, board: Board, now: int, state: State, words: Words) -> Delta:
        """Return what it says now; whatever goes wrong in it is noted, logged once and stays in it."""
        begun = worked()
        try:
            delta = self._drawn(board, now, state, words)
        except Exception as error:  # noqa: BLE001 process edge: one panel that fails must not take the others with it
            self._fail(error)
            return {}
        self.cost, self.fault, self._waiting = worked() - begun, "", False
        self._may_at = monotonic() + max(self._pace, min(self.cost * PAUSE, PAUSE_MOST))
        self._must_at = monotonic() + self._period()
        return delta

    def _fail(self, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        if self.fault != said:
            log.exception("panel %s cannot be drawn", self.name, exc_info=error)
        self.fault = said
        self._may_at = monotonic() + REFRESH

    def _drawn(self, board: Board, now: int, state: State, words: Words) -> Delta:
        return frame.flatten_props(self._panel.render(board, now, words, *self._through))

    def _period(self) -> float:
        return REFRESH


class Rows(Part):
    """Keyed rows of a panel: all of them at first, then those that entries touch."""

    def __init__(self, panel: ModuleType, key: str, lens: Lens) -> None:
        super().__init__(panel, lens)
        self._key = key
        self._rows = keyed(panel)[key]
        self._pace = 0.0
        self._touched: set[str] = set()
        self._whole_at = 0.0

    def note(self, touched: Touched) -> None:
        """Take in what was touched of what these rows go by."""
        self._touched |= touched.of(self._key)
        self._waiting = self._waiting or bool(self._touched)

    def _drawn(self, board: Board, now: int, state: State, words: Words) -> Delta:
        whole = monotonic() >= self._whole_at
        rows = self._rows(board, now, None if whole else frozenset(self._touched), *self._through)
        delta = frame.flatten_keyed(self._key, rows)
        if whole:
            present = [key for key, row in rows.items() if row is not None]
            delta = frame.removals(state, self._key, present) | delta
            self._whole_at = monotonic() + self._period()
        self._touched = set()
        return delta

    def _period(self) -> float:
        return REFRESH_HEAT[self._lens.window] if self._key == HEAT else inf


class ChosenRows(Rows):
    """Keyed rows of which a screen holds only so many: the panel's `CHOSEN[key]`, one choice for each kind of row."""

    def __init__(self, panel: ModuleType, key: str, lens: Lens) -> None:
        super().__init__(panel, key, lens)
        self._selections = [Selection(choice) for choice in chosen(panel)[key]]
        self._whole = True

    def _drawn(self, board: Board, now: int, state: State, words: Words) -> Delta:
        whole, self._whole = self._whole, True  # again as a whole should this one fail
        crowd: Mapping[str, Any] = board.orders if self._key == ORDERS else board.incidents
        turns = [selection.update(crowd, self._touched) for selection in self._selections]
        held = frozenset[str]().union(*(selection.chosen for selection in self._selections))
        shown = held if whole else frozenset[str]().union(*(came for came, _ in turns))
        delta = frame.flatten_keyed(self._key, self._rows(board, now, shown, *self._through))
        if whole:
            delta = frame.removals(state, self._key, held) | delta
        else:
            gone = frozenset[str]().union(*(went for _, went in turns)) - held
            delta |= frame.flatten_keyed(self._key, dict.fromkeys(gone))
        self._whole, self._touched = False, set()
        return delta


class FollowedRows(Rows):
    """Keyed rows that follow from how incidents stand to each other: the panel's `FOLLOWED[key]`, (index, rows).

    The index takes in what changed and says whose rows that may change; a new one takes in the board in portions.
    """

    def __init__(self, panel: ModuleType, key: str, lens: Lens) -> None:
        super().__init__(panel, key, lens)
        self._make, self._counted = followed(panel)[key]
        self._begin()

    def _begin(self) -> None:
        self._index: Any = self._make()
        self._left: list[str] | None = None

    def _drawn(self, board: Board, now: int, state: State, words: Words) -> Delta:
        try:
            return self._follow(board, state)
        except Exception:
            self._begin()  # anew, should it fail half way
            raise

    def _follow(self, board: Board, state: State) -> Delta:
        anew: Delta = {}
        if self._left is None:
            self._left = list(board.incidents)
            anew = frame.removals(state, self._key, ())
        portion, self._left = self._left[-PORTION:], self._left[:-PORTION]
        changed = self._index.update(board.incidents, [*portion, *self._touched])
        self._touched = set()
        return anew | frame.flatten_keyed(self._key, self._counted(self._index, changed))

    def _period(self) -> float:
        return 0.0 if self._left else inf


class Picture:
    """Draws the panels of one page in one language over one board, looking at the heat through one lens."""

    def __init__(self, panels: Sequence[ModuleType], words: Words, lens: Lens = WIDE) -> None:
        self._words = words
        self._parts = [Part(panel, lens) for panel in panels if hasattr(panel, "render")]
        self._parts += [rows_of(panel, key, lens) for panel in panels for key in keyed(panel)]

    def draw(self, board: Board, now: int, state: State, touched: Touched) -> Delta:
        """Return what the parts that are due say now; the others keep what was touched for their next turn."""
        delta: Delta = {}
        at = monotonic()
        for part in self._parts:
            part.note(touched)
            if at >= part.due_at():
                delta |= part.draw(board, now, state, self._words)
        failed = sorted({part.name for part in self._parts if part.fault})
        return delta | {("gauges", "failed_panels", ""): frame.encode(failed)}

    def due_in(self) -> float:
        """Return the seconds until some part is to be drawn."""
        soonest = min((part.due_at() for part in self._parts), default=inf)
        return max(soonest - monotonic(), 0.0)

    def costs(self) -> dict[str, float]:
        """Return the last cost of each panel in processor seconds."""
        costs: dict[str, float] = {}
        for part in self._parts:
            costs[part.name] = costs.get(part.name, 0.0) + part.cost
        return costs


def rows_of(panel: ModuleType, key: str, lens: Lens) -> Rows:
    """Return what draws the panel's keyed rows `key`."""
    if key in followed(panel):
        return FollowedRows(panel, key, lens)
    return ChosenRows(panel, key, lens) if key in chosen(panel) else Rows(panel, key, lens)


def followed(panel: ModuleType) -> Mapping[str, Any]:
    """Return (index, rows) of keyed data that is kept by an index, by name; most panels have none."""
    found: Mapping[str, Any] = getattr(panel, "FOLLOWED", {})
    return found


def chosen(panel: ModuleType) -> Mapping[str, Sequence[Choice]]:
    """Return how many of which rows a screen holds, by the name of the keyed data; most panels bound nothing."""
    found: Mapping[str, Sequence[Choice]] = getattr(panel, "CHOSEN", {})
    return found


def keyed(panel: ModuleType) -> Mapping[str, Any]:
    """Return the panel's keyed data functions by name; most panels have none."""
    found: Mapping[str, Any] = getattr(panel, "KEYED", {})
    return found
