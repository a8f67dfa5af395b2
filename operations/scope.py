"""Jurisdiction: which grids and which department somebody may see, and what a screen leaves out of that."""

from msgspec import Struct


class Scope(Struct, frozen=True):
    """A grid subtree (its top grid's code) and a department code; empty means all.

    `hidden` and `dimmed` are beginnings of type codes: of the first nothing is there, of the second no words are.
    """

    grid: str = ""
    department: str = ""
    hidden: tuple[str, ...] = ()
    dimmed: tuple[str, ...] = ()

    @property
    def city(self) -> bool:
        """Whether it reaches over the whole city and all departments: sources, quarantine and walls are such."""
        return not self.grid and not self.department

    def covers(self, chain: tuple[str, ...], department: str, kind: str = "") -> bool:
        """Say whether something at `chain` (root to leaf) of `department` and of type `kind` lies inside."""
        return (
            (not self.grid or self.grid in chain)
            and (not self.department or self.department == department)
            and not kind.startswith(self.hidden)
        )


WHOLE = Scope()
NOWHERE = Scope("-", "-")
"""Covers nothing: no grid and no department has that code."""
CONFIGURATION = Scope(hidden=("",))
"""The whole city without its incidents: its sources, walls and counts of what could not be read."""
