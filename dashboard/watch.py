"""Watching the walls (看屏): which has stopped painting, which paints again, and which has gone while it stood still.

What is told becomes an entry, and the board shows it; so what the board does not show after a while is told again.
"""

from collections.abc import Callable, Collection

from dashboard.screen import Screen
from operations.walls import GONE, RECOVERED, STUCK

TELL_AGAIN = 10.0
"""Seconds after which a wall's trouble that the board still does not show is told again."""

Tell = Callable[[str, str], None]
"""Writes an action about a wall, by its id, into the journal."""


class Watch:
    """One per hub. `shown`: the ids of the walls that the board calls stuck; `now`: monotonic seconds."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: dict[str, tuple[str, float]] = {}
        self._swept = False

    def look(self, screens: Collection[Screen], shown: Collection[str], now: float) -> None:
        """Tell which walls have stopped painting and which have painted since the last look."""
        watched = walls(screens)
        stopped = {one.id for one in watched if one.stuck(now)}
        painted = {one.id for one in watched if one.fresh}
        for one in watched:
            one.fresh = False
        for wall in stopped - set(shown):
            self._once(STUCK, wall, now)
        for wall in (painted & set(shown)) - stopped:
            self._once(RECOVERED, wall, now)

    def sweep(self, screens: Collection[Screen], shown: Collection[str]) -> None:
        """Tell once, when the board is up to date, that walls have gone whose web process died under them.

        A wall that stands still elsewhere is told again by the process it is connected to.
        """
        if not self._swept:
            self._swept = True
            for wall in set(shown) - {one.id for one in walls(screens)}:
                self._tell(GONE, wall)

    def left(self, screen: Screen, screens: Collection[Screen], shown: Collection[str]) -> None:
        """Tell that a stuck wall has gone, once none of `screens` is left that bears its name."""
        if not walls([screen]) or screen.id in {one.id for one in walls(screens)}:
            return
        action, _ = self._told.pop(screen.id, ("", 0.0))
        if action == STUCK or screen.id in shown:
            self._tell(GONE, screen.id)

    def _once(self, action: str, wall: str, now: float) -> None:
        told, at = self._told.get(wall, ("", 0.0))
        if told != action or now - at > TELL_AGAIN:
            self._told[wall] = action, now
            self._tell(action, wall)


def walls(screens: Collection[Screen]) -> list[Screen]:
    """Return the screens that show the wall's page."""
    return [one for one in screens if one.channel.topic.page == "wall"]
