"""Drawing a page's panels into serialised values (画面), no more often than they cost.

A panel whose rendering takes long is drawn again only after `PAUSE` times that long, so one slow panel cannot hold up
the alerts beside it; what it missed in between it shows at its next turn.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import ModuleType
from typing import Any

from config.clock import monotonic
from config.words import Words
from dashboard import frame
from dashboard.frame import Delta, State
from operations.board import Board, Change

log = logging.getLogger(__name__)

PAUSE = 10
"""A panel may use one part in `PAUSE + 1` of the hub's time."""
REFRESH = 2.0
"""Seconds after which a panel is drawn again although nothing happened: ages, overdue, a new day."""
REFRESH_HEAT = 10.0
"""Seconds after which the heat of every grid is drawn again, for its windows slide; other rows change by entries only."""
HEAT = "heat"


@dataclass
class Turn:
    """When a panel was last drawn, what that cost (seconds), and what it has still to show."""

    due_at: float = 0.0
    again_at: float = 0.0
    cost: float = 0.0
    waiting: bool = True
    touched: set[str] = field(default_factory=set)
    all_rows: bool = True
    rows_again_at: float = 0.0


@dataclass(frozen=True)
class Touched:
    """What the entries since the last drawing touched: incident ids and leaf grid codes; `other` is anything else."""

    incidents: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()
    other: bool = False

    def __bool__(self) -> bool:
        return bool(self.incidents or self.grids or self.other)


class Touch:
    """Gathers what entries touch."""

    def __init__(self) -> None:
        self._incidents: set[str] = set()
        self._grids: set[str] = set()
        self._other = False

    def add(self, change: Change) -> None:
        """Take in what one entry touched."""
        self._incidents |= change.incidents
        self._grids |= change.grids
        self._other = self._other or change.other

    def done(self) -> Touched:
        """Return all that was touched."""
        return Touched(frozenset(self._incidents), frozenset(self._grids), self._other)


class Picture:
    """Draws the panels of one page in one language over one board."""

    def __init__(self, panels: Sequence[ModuleType], words: Words) -> None:
        self._panels = panels
        self._words = words
        self._props = [Turn() for _ in panels]
        self._keyed = {(at, name): Turn() for at, panel in enumerate(panels) for name in keyed(panel)}
        self._failed: dict[str, str] = {}

    def draw(self, board: Board, now: int, state: State, touched: Touched) -> Delta:
        """Return what the panels that are due say now; panels not due keep it for their next turn."""
        delta: Delta = {}
        for at, panel in enumerate(self._panels):
            try:
                delta |= self._draw_panel(at, panel, (board, now, state), touched)
            except Exception as error:  # process edge: one panel that fails must not take the others with it
                self._fail(panel, error)
            else:
                self._failed.pop(panel.__name__, None)
        failed = sorted(name.rpartition(".")[2] for name in self._failed)
        return delta | {("gauges", "failed_panels", ""): frame.encode(failed)}

    def _draw_panel(self, at: int, panel: ModuleType, moment: tuple[Board, int, State], touched: Touched) -> Delta:
        delta = self._draw_props(panel, self._props[at], *moment[:2], touched)
        for name, rows in keyed(panel).items():
            delta |= self._draw_rows(name, rows, self._keyed[at, name], moment, touched)
        return delta

    def _fail(self, panel: ModuleType, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        if self._failed.get(panel.__name__) != said:
            log.exception("panel %s cannot be drawn", panel.__name__, exc_info=error)
        self._failed[panel.__name__] = said

    def due_in(self) -> float:
        """Return the seconds until some panel wants to be drawn again."""
        turns = [*self._props, *self._keyed.values()]
        soonest = min((max(turn.due_at, 0 if turn.waiting else turn.again_at) for turn in turns), default=0.0)
        return max(soonest - monotonic(), 0.0) if turns else REFRESH

    def costs(self) -> dict[str, float]:
        """Return the last rendering cost of each panel in seconds."""
        return {panel.__name__.rpartition(".")[2]: turn.cost for panel, turn in zip(self._panels, self._props)}

    def _draw_props(self, panel: ModuleType, turn: Turn, board: Board, now: int, touched: Touched) -> Delta:
        turn.waiting = turn.waiting or bool(touched)
        begun = monotonic()
        if not (turn.waiting or begun >= turn.again_at) or begun < turn.due_at:
            return {}
        delta = frame.flatten_props(panel.render(board, now, self._words))
        rest(turn, begun)
        return delta

    def _draw_rows(self, name: str, rows: Any, turn: Turn, moment: tuple[Board, int, State], touched: Touched) -> Delta:
        board, now, state = moment
        turn.touched |= touched.grids if name == HEAT else touched.incidents
        begun = monotonic()
        whole = turn.all_rows or begun >= turn.rows_again_at
        turn.waiting = bool(turn.touched) or whole
        turn.again_at = turn.rows_again_at
        if not turn.waiting or begun < turn.due_at:
            return {}
        drawn = rows(board, now, None if whole else frozenset(turn.touched))
        delta = frame.flatten_keyed(name, drawn)
        if whole:
            delta = frame.removals(state, name, [key for key, row in drawn.items() if row is not None]) | delta
            turn.rows_again_at = monotonic() + REFRESH_HEAT if name == HEAT else inf
        turn.all_rows = False
        turn.touched = set()
        rest(turn, begun)
        turn.again_at = turn.rows_again_at
        return delta


def rest(turn: Turn, begun: float) -> None:
    """Note that a panel was drawn, and when it may and must be drawn next."""
    ended = monotonic()
    turn.cost = ended - begun
    turn.due_at = ended + turn.cost * PAUSE
    turn.again_at = max(ended + REFRESH, turn.due_at)
    turn.waiting = False


def keyed(panel: ModuleType) -> Mapping[str, Any]:
    """Return the panel's keyed data functions by name; most panels have none."""
    found: Mapping[str, Any] = getattr(panel, "KEYED", {})
    return found
