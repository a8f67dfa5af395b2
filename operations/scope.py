"""Jurisdiction: which grids and which department somebody may see."""

from msgspec import Struct


class Scope(Struct, frozen=True):
    """A grid subtree (its top grid's code) and a department code; empty means all."""

    grid: str = ""
    department: str = ""

    def covers(self, chain: tuple[str, ...], department: str) -> bool:
        """Say whether something at `chain` (root to leaf) of `department` lies inside."""
        return (not self.grid or self.grid in chain) and (not self.department or self.department == department)


WHOLE = Scope()
NOWHERE = Scope("-", "-")
"""Covers nothing: no grid and no department has that code."""
