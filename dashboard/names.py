"""What codes are called on screen (名称): types, departments, grids, sources and whoever acted, in one language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from config import departments
from config.taxonomy import Taxonomy
from config.words import Words

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Names:
    """Names by code; a code nobody knows is shown as it is, never hidden."""

    words: Words
    types: Mapping[str, str]
    departments: Mapping[str, str]
    grids: Mapping[str, str] = field(default_factory=dict)
    leaves: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    over: Callable[[float, float], tuple[str, ...]] | None = None

    @classmethod
    def load(cls, words: Words, grids: Mapping[str, str], leaves: tuple[str, ...], sources: Mapping[str, str]) -> Self:
        """Return the names in the language of `words`; `leaves` are the codes of the smallest grids."""
        types = {code: one.name(words.lang) for code, one in Taxonomy.load().types.items()}
        named = {code: one.name(words.lang) for code, one in departments.current().items()}
        return cls(words, types, named, grids, leaves, sources)

    def type(self, code: str) -> str:
        """Return "group / type" of a type's code."""
        group, name = self.types.get(code[:2], ""), self.types.get(code, code)
        return f"{group} / {name}" if group and len(code) > 2 else name

    def department(self, code: str) -> str:
        """Return a department's name."""
        return self.departments.get(code, code)

    def grid(self, code: str) -> str:
        """Return a grid's name."""
        return self.grids.get(code, code)

    def lying_over(self, lon: float | None, lat: float | None) -> tuple[str, ...]:
        """Return the dedicated and micro-grids in force at a point."""
        return () if self.over is None or lon is None or lat is None else self.over(lon, lat)

    def source(self, code: str) -> str:
        """Return a source's name; the desk is a source too."""
        return self.words.text("desk.source_desk") if code == "desk" else self.sources.get(code, code)

    def chain(self, chain: tuple[str, ...]) -> str:
        """Return the names of a chain, from the whole down to the leaf."""
        return " › ".join(self.grid(code) for code in chain)

    def actor(self, actor: str) -> str:
        """Return who acted: a person's account name, a source's name, or the system."""
        kind, _, name = actor.partition(":")
        if kind == "source":
            return self.source(name)
        return self.words.text("desk.actor_system") if kind in ("system", "") else name

    def moment(self, at: int) -> str:
        """Return a time (UTC microseconds) as the city's date and time of day."""
        told = datetime.fromtimestamp(at / MICROSECONDS, UTC).astimezone(self.words.city.zone)
        return told.strftime("%m-%d %H:%M:%S")


def names_of(commands: Any, words: Words) -> Names:
    """Return the names of everything as a page's `commands` know them."""
    sources = commands.ask(lambda board: {id: one.name for id, one in board.sources.items()})
    area = commands.area()
    if area is None:
        return Names.load(words, {}, (), sources)
    above = {grid.parent for grid in area.grids.values()}
    grids = {code: grid.name for code, grid in area.grids.items()}
    leaves = tuple(code for code in grids if code not in above)
    return replace(Names.load(words, grids, leaves, sources), over=area.special.at)
