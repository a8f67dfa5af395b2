"""The settings in force as the administrators' page uses them 设置一览: in the name of whoever asks."""

from config import inventory
from config.inventory import Entry
from config.settings import Settings
from dashboard import access
from operations.policy import require


class Inventory:
    """One per web process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def entries(self) -> tuple[list[Entry], str]:
        """Return all settings, and what is wrong with them as they stand now. Raises Forbidden."""
        require(access.current(), "settings.read")
        return inventory.compared(self._settings)
