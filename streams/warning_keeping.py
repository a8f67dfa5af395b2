"""What becomes of warnings by themselves: they run out, and lie elsewhere once other grids are in force."""

import msgspec
import shapely

from geo.coverage import Coverage
from operations import warnings
from operations.database import AfterCommit, Database
from operations.warnings import Placing
from streams.ground import Ground
from streams.warning_area import covers, given_area, ours


class Told(msgspec.Struct):
    """Of what a warning told, its areas."""

    areas: list[dict[str, object]] = []


class WarningKeeping:
    """One per keeper."""

    def __init__(self, database: Database, after_commit: AfterCommit) -> None:
        self._database, self._after_commit = database, after_commit
        self._ground = Ground(database)
        self._version = -1

    def step(self, now: int) -> None:
        """Record the ends that have come, and where warnings lie once other grids are in force."""
        if warnings.due(self._database, now):
            warnings.expire(self._database, now=now, after_commit=self._after_commit)
        coverage = self._ground.coverage(now)
        if coverage is None or coverage.version == self._version:
            return
        for one in warnings.misplaced(self._database, coverage.version):
            self._place(one, coverage, now)
        self._version = coverage.version

    def _place(self, one: Placing, coverage: Coverage, now: int) -> None:
        shape = shapely.from_wkb(one.shape) if one.shape else None
        where, covered = covers(shape, codes_in(one), coverage)
        moved = msgspec.structs.replace(one.warning, where=where, codes=covered.codes, above=covered.above)
        warnings.place(self._database, one.key, moved, coverage.version, now=now, after_commit=self._after_commit)


def codes_in(one: Placing) -> list[str]:
    """Return the codes a warning names its area by, as when it came."""
    infos = msgspec.json.decode(one.told, type=list[Told])
    pairs = [tuple(pair) for info in infos for area in info.areas for pair in area.get("codes", [])]  # type: ignore[attr-defined]
    codes = ours(pairs)
    return codes or ([] if one.shape else given_area(one.warning.identifier))
