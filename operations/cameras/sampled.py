"""Rates of cameras 在线率、完好率 as screens know them: the last sample, by towns. Pure."""

import msgspec
from msgspec import Struct

from operations.cameras.rates import Tally, together
from operations.entry import Entry
from operations.scope import Scope


class Sampled(Struct, frozen=True):
    """When cameras were counted (UTC microseconds, 0: never) and those of each town, by its path from the top."""

    at: int = 0
    towns: dict[str, Tally] = {}

    def seen(self, scope: Scope) -> "Sampled":
        """Return what a scope sees: its towns. Of a department, and of a place smaller than a town, nothing is told."""
        if scope.department:
            return NONE
        towns = {path: one for path, one in self.towns.items() if not scope.grid or scope.grid in path.split("/")}
        return Sampled(self.at, towns) if towns else NONE

    @property
    def whole(self) -> Tally:
        """All of it together."""
        return together(self.towns.values())


NONE = Sampled()


def sampled(entry: Entry) -> Sampled:
    """Return what an entry `camera.sampled` tells."""
    return Sampled(entry.at, msgspec.convert((entry.body or {}).get("towns", {}), dict[str, Tally]))
