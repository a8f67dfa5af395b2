"""The settings in force as the administrators' page uses them 设置一览: in the name of whoever asks."""

from config import inventory
from config.inventory import Entry
from config.settings import Settings
from dashboard import access
from operations import retention
from operations.database import Database
from operations.policy import require


class Inventory:
    """One per web process."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database

    def entries(self) -> tuple[list[Entry], str]:
        """Return all settings, and what is wrong with them as they stand now. Raises Forbidden."""
        require(access.current(), "settings.read")
        return inventory.compared(self._settings)

    def destroys_from(self) -> int:
        """Return the time from which reporters' data will be destroyed as announced, 0: none. Raises Forbidden."""
        require(access.current(), "settings.read")
        last = retention.last_run(self._database)
        return last.begins if last is not None and last.forgets else 0
