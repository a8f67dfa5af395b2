"""The city 城市 a screen stands in: what panels must say of it, and the time zone its days follow."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Self

from config.settings import Settings


@dataclass(frozen=True)
class City:
    """Name, time zone, and whether the demonstration plays."""

    name: str = ""
    zone: tzinfo = UTC
    demo: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the city the settings describe."""
        return cls(settings.city_name, settings.zone, settings.demo)
