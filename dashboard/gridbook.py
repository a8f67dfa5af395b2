"""Grid versions as the administrator's pages use them (网格管理): checked, looked at, and only then taken over."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from config import clock
from config.settings import Settings
from dashboard import access
from dashboard.difference import Difference, Point, compare
from dashboard.surveys import Surveys
from dashboard.uploads import Upload, Uploads
from geo import importing, survey
from geo.grid import Grid, standing
from geo.importing import Imported
from geo.mapping import GridMapping
from geo.neighbourhood import Drawing
from operations import accounts, edition, grids
from operations.database import AfterCommit, Database
from operations.edition import Edition
from operations.errors import NotFound, Refused
from operations.policy import require
from streams.stored_grid import from_row, to_row


class Gridbook:
    """One per web process."""

    def __init__(self, database: Database, ring: AfterCommit, settings: Settings) -> None:
        self._database = database
        self._ring = ring
        self._uploads = Uploads(settings.data / "uploads")
        self._county = settings.county_code
        self._how: dict[str, Any] = {
            "time_zone": settings.city_time_zone,
            "code_lengths": settings.grid_code_lengths,
            "prefix_check": settings.grid_prefix_check,
        }
        self._surveys = Surveys()

    def survey(self, upload_id: str, how: dict[str, Any]) -> int:
        """Begin to look at an uploaded file; `how` are fields of `GridMapping`. Returns the version in force, 0: none.

        Raises Forbidden, NotFound, Refused.
        """
        _, path = self._found(upload_id)
        current = grids.current(self._database, clock.now())
        reference = [survey.shaped(from_row(row)) for row in current.rows] if current else []
        self._surveys.begin(path.parent, [path], self._how | how, self._county, reference)
        return current.id if current else 0

    def phase(self, upload_id: str) -> str:
        """Return how far the look at a file is: "", a phase of `geo.importing`, "done" or "broken"."""
        return self._surveys.phase(self._found(upload_id)[1].parent)

    def surveyed(self, upload_id: str) -> tuple[Imported, Drawing]:
        """Return what the look at a file found. Raises Forbidden, and NotFound before there is anything."""
        return self._surveys.result(self._found(upload_id)[1].parent)

    def examined(self, upload_id: str) -> tuple[Upload, Imported]:
        """Return what an uploaded file holds and what is wrong with it; looks now unless that was done before."""
        upload, path = self._found(upload_id)
        try:
            return upload, self._surveys.result(path.parent)[0]
        except NotFound:
            how = GridMapping(**self._how)
            return upload, importing.read([path], how, default_county=self._county, reference=self._reference())

    def _found(self, upload_id: str) -> tuple[Upload, Path]:
        identity = access.current()
        require(identity, "grid.import")
        return self._uploads.find(upload_id, identity)

    def _reference(self) -> list[Grid]:
        """The grids in force."""
        current = grids.current(self._database, clock.now())
        return [] if current is None else [from_row(row) for row in current.rows]

    def take_over(
        self, upload_id: str, *, valid_from: int | None = None, against: int | None = None, note: str = ""
    ) -> tuple[int, int]:
        """Import an uploaded file as a version in force from `valid_from` on (None: at once); returns (grids, version).

        Raises Refused when it has errors, for a time in the past, or when another than `against` is in force by now.
        """
        _, found = self.examined(upload_id)
        if not found.ok:
            raise Refused("operations.grids_wrong", count=len(found.problems))
        rows = [to_row(grid) for grid in found.grids]
        version = grids.import_grids(
            self._database,
            access.current(),
            rows,
            found.digest,
            now=clock.now(),
            valid_from=valid_from,
            against=against,
            note=note,
            after_commit=self._ring,
        )
        return len(rows), version

    def editions(self) -> list[Edition]:
        """Return all versions, the one that begins last first. Raises Forbidden."""
        require(access.current(), "grid.import")
        return sorted(grids.editions(self._database), key=lambda one: (one.valid_from, one.id), reverse=True)

    def difference(self, upload_id: str, at: int | None, points: Sequence[Point]) -> Difference:
        """Return what an uploaded file would change, from `at` on (None: at once). Raises Forbidden, NotFound."""
        _, found = self.examined(upload_id)
        when = clock.now() if at is None else at
        return self._difference(found.grids, edition.in_force(self.editions(), when), when, points)

    def difference_of(self, version: int, points: Sequence[Point]) -> Difference:
        """Return what a version changes or changed, against the one before it. Raises Forbidden, NotFound."""
        every = self.editions()
        one = next((one for one in every if one.id == version), None)
        stored = grids.version(self._database, version)
        if one is None or stored is None:
            raise NotFound()
        others = [other for other in every if (other.valid_from, other.id) < (one.valid_from, one.id)]
        after = [from_row(row) for row in stored.rows]
        return self._difference(after, edition.in_force(others, one.valid_from), one.valid_from, points)

    def _difference(
        self, after: Sequence[Grid], before: Edition | None, at: int, points: Sequence[Point]
    ) -> Difference:
        stored = None if before is None else grids.version(self._database, before.id)
        every = [] if stored is None else [from_row(row) for row in stored.rows]
        found = compare(standing(every, at), after, at, points, version=before.id if before else 0)
        gone = {grid.code for grid in every} - {grid.code for grid in after}
        return replace(found, scopes=self._scoped(gone))

    def _scoped(self, codes: set[str]) -> tuple[str, ...]:
        """The accounts whose area is one of the grids."""
        named = [(one.name, one.scope.grid) for one in accounts.living(self._database)]
        return tuple(f"{name} ({code})" for name, code in named if code in codes)

    def withdraw(self, version: int) -> None:
        """Withdraw a version that has not begun. Raises Forbidden, NotFound, Refused."""
        grids.withdraw(self._database, access.current(), version, now=clock.now(), after_commit=self._ring)

    def restore(self, version: int) -> int:
        """Go back to an earlier version, at once; returns the new version. Raises Forbidden, NotFound, Refused."""
        return grids.restore(self._database, access.current(), version, now=clock.now(), after_commit=self._ring)
