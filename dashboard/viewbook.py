"""The views of the desk's queue and of the tiles as their pages use them, in the name of whoever asks."""

from typing import Any

from config import clock
from dashboard import access
from operations import kept_views
from operations.database import AfterCommit, Database
from operations.kept_views import QUEUE, Kind, View


class Viewbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit) -> None:
        self._database = database
        self._ring = ring

    def listed(self, kind: Kind = QUEUE) -> list[View]:
        """Return one's own. Raises Forbidden."""
        return kept_views.listed(self._database, access.current(), kind)

    def keep(self, name: str, shown: Any, kind: Kind = QUEUE) -> View:
        """Keep one. Raises Forbidden, Refused."""
        about: Any = {"now": clock.now(), "kind": kind, "after_commit": self._ring}
        return kept_views.keep(self._database, access.current(), name, shown, **about)

    def drop(self, view_id: str, kind: Kind = QUEUE) -> None:
        """Forget one. Raises Forbidden, NotFound."""
        about: Any = {"now": clock.now(), "kind": kind, "after_commit": self._ring}
        kept_views.drop(self._database, access.current(), view_id, **about)
