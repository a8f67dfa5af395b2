"""The city 城市 a screen stands in: what panels must say of it, and the time zone its days follow."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Self

from config.settings import Settings


@dataclass(frozen=True)
class City:
    """Name, time zone, whether the demonstration plays, the fewest people a rate per 10,000 is shown for,
    whether walls show cameras on the map, and how many live pictures.
    """

    name: str = ""
    zone: tzinfo = UTC
    demo: bool = False
    minimum_population: int = 1000
    wall_cameras: bool = False
    wall_video: int = 0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the city the settings describe."""
        return cls(
            settings.city_name,
            settings.zone,
            settings.demo,
            settings.minimum_population,
            settings.wall_cameras,
            settings.wall_video,
        )
