"""The lens (热力条件) a screen looks at the heat through: which window, which type of event, which urgency.

It narrows the heat only. Alerts, figures and marks are the same through every lens: nobody loses sight of a 特急 by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Self

from config.taxonomy import URGENCIES, Taxonomy

ALL = "all"
REFRESH = {"15m": 5.0, "1h": 10.0, "24h": 30.0, "7d": 60.0, "open": inf}
"""Window → seconds after which its heat is counted again although no entry came, as the window slides.

Windows begin with a minute (7d: an hour), so counting more often shows nothing new; "open" changes by entries only.
"""


class WrongLens(ValueError):
    """A value no lens has; the message names the parameter and what is allowed, never what was sent."""


@dataclass(frozen=True)
class Lens:
    """One choice; `type` is the two digits of a group of the taxonomy or "all"."""

    window: str = "24h"
    type: str = ALL
    urgency: str = ALL

    def __post_init__(self) -> None:
        """Refuse what cannot be counted; raises WrongLens."""
        _check("heat", self.window, tuple(REFRESH))
        _check("type", self.type, (ALL, *groups()))
        _check("urgency", self.urgency, (ALL, *URGENCIES))

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Self:
        """Return the lens of an address `?heat=1h&type=03&urgency=critical`; what is not said is the default."""
        return cls(query.get("heat", cls.window), query.get("type", ALL), query.get("urgency", ALL))

    @property
    def types(self) -> frozenset[str] | None:
        """Every type code of its group, the group's own among them; None for all."""
        return None if self.type == ALL else groups()[self.type]

    @property
    def only(self) -> str | None:
        """The urgency counted; None for all."""
        return None if self.urgency == ALL else self.urgency


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise WrongLens(f"{name}: one of {', '.join(allowed)}")


@cache
def groups() -> dict[str, frozenset[str]]:
    """Return {group code: codes of the group and of its types}, in the taxonomy's order."""
    return {
        group.code: frozenset({group.code, *(one.code for one in taxonomy().leaves(group.code))})
        for group in taxonomy().groups()
    }


@cache
def taxonomy() -> Taxonomy:
    """Return the types in force, read once."""
    return Taxonomy.load()


WIDE = Lens()
"""The default: 24 hours, everything."""
