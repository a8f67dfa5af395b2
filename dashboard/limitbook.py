"""View limits 视场限制 of cameras as their card uses them, in the name of whoever asks."""

from msgspec import Struct

from config import access as rules
from config import clock
from dashboard import access
from operations import policy
from operations.cameras import limits, reading
from operations.cameras.limits import Limit, Wish
from operations.database import AfterCommit, Database
from operations.errors import NotFound


class Standing(Struct, frozen=True):
    """The limit that is registered for a camera, and the rule by which no camera may be where it is ("": none)."""

    camera: str
    limit: Limit | None
    rule: str

    @property
    def revision(self) -> int:
        """Of the limit; 0 for none."""
        return self.limit.revision if self.limit is not None else 0


class Limitbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit) -> None:
        self._database, self._ring = database, ring

    def of(self, id: str) -> Standing:
        """Return how it stands with a camera. Raises Forbidden, NotFound."""
        scope = policy.reach(access.current(), "camera.browse")
        with self._database.read() as connection:
            one = reading.get(connection, scope, id)
            if one is None:
                raise NotFound()
            found = limits.of(connection, [id]).get(id)
        return Standing(id, found, limits.by_rules(rules.current(), one.item.name, one.item.position))

    def put(self, id: str, wish: Wish, *, revision: int) -> None:
        """Register a limit. Raises Forbidden, NotFound, Refused."""
        limits.put(
            self._database, access.current(), id, wish, revision=revision, now=clock.now(), after_commit=self._ring
        )

    def clear(self, id: str, *, reason: str, revision: int) -> None:
        """Take a limit away. Raises Forbidden, NotFound, Refused."""
        asked = access.current()
        limits.clear(
            self._database, asked, id, reason=reason, revision=revision, now=clock.now(), after_commit=self._ring
        )
