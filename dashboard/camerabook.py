"""The catalogue of cameras 摄像机目录 as the pages use it, in the name of whoever asks."""

from dashboard import access
from operations import policy
from operations.cameras import near, reading
from operations.cameras.near import Near
from operations.cameras.reading import Camera
from operations.database import Database
from operations.grants import rows as grants
from operations.grants.grant import holder_of
from operations.scope import WHOLE
from operations.tables import access_grant

WITHIN_METRES = 3_000.0
LOOKED_AT = 2_000
SHOWN = 12


class Camerabook:
    """One per web process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def near(self, lon: float, lat: float) -> list[Near]:
        """Return the cameras that may show a place, the best first. Raises Forbidden."""
        scope = policy.reach(access.current(), "camera.look")
        with self._database.read() as connection:
            there = reading.inside(connection, scope, near.box(lon, lat, WITHIN_METRES), LOOKED_AT)
        return near.ranked(there, lon, lat, within=WITHIN_METRES, most=SHOWN)

    def any(self) -> bool:
        """Say whether there is a camera one may look through. Raises Forbidden."""
        scope = policy.reach(access.current(), "camera.look")
        with self._database.read() as connection:
            return bool(reading.every(connection, scope, most=1))

    def filmed(self, most: int) -> list[Camera]:
        """Return the first cameras one may look through, those with pictures before the others. Raises Forbidden."""
        scope = policy.reach(access.current(), "camera.look")
        with self._database.read() as connection:
            return reading.filmed(connection, scope, most)

    def of(self, ids: list[str]) -> list[Camera]:
        """Return the cameras of these ids, as far as one may look through them, or has a grant. Raises Forbidden."""
        identity = access.current()
        scope = policy.reach(identity, "camera.look")
        with self._database.read() as connection:
            mine = grants.living(connection, access_grant.c.holder == holder_of(identity))
            held = {id for one in mine for id in one.cameras}
            found = [reading.get(connection, WHOLE if id in held else scope, id) for id in ids]
        return [one for one in found if one is not None and one.gone_at is None]
