"""Mass drops 批量离线 as screens know them: what entries about them build. Pure."""

import msgspec
from msgspec import Struct

from operations.entry import Entry
from operations.scope import Scope


class Fallen(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A mass drop as it was told last: behind what, how many cameras of how many, since when (UTC us).

    `level`: source | parent | area. `title`: what people call it. `areas`, `owners`: the towns and departments whose
    cameras are away.
    """

    level: str
    name: str
    title: str
    gone: int
    total: int
    since_at: int
    areas: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    def concerns(self, scope: Scope) -> bool:
        """Whether some of the cameras may be a scope's; codes of grids begin with those of the grids above."""
        near = any(one.startswith(scope.grid) or scope.grid.startswith(one) for one in self.areas)
        whose = not scope.department or scope.department in self.owners
        return whose and (near or not scope.grid)


def fold(outages: dict[str, Fallen], entry: Entry, scope: Scope) -> bool:
    """Take in an entry about a mass drop; returns whether screens of `scope` show any of it."""
    told = (entry.body or {}).get("set")
    one = msgspec.convert(told, Fallen) if told else None
    if one is None or not one.concerns(scope):
        return outages.pop(entry.subject_id, None) is not None
    outages[entry.subject_id] = one
    return True
