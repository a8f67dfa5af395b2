"""The grids in force, for asking what an area covers; loaded again when others are imported."""

from geo.coverage import Coverage
from operations import grids
from operations.database import Database
from streams.stored_grid import from_row


class Ground:
    """One per process; not shared between threads at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._coverage: Coverage | None = None

    def coverage(self, now: int) -> Coverage | None:
        """Return the coverage of the grids in force at `now`, None before the first."""
        version = grids.current_id(self._database, now)
        if not version:
            return None
        if self._coverage is None or self._coverage.version != version:
            found = grids.version(self._database, version)
            self._coverage = Coverage([from_row(row) for row in found.rows], found.id) if found is not None else None
        return self._coverage
