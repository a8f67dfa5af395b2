"""A rehearsal 试运行: what sending a file would come to, row by row, with nothing kept. Blocking, in parts."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from operations import decision
from operations.report import Refusal, Report
from operations.sources import Source
from streams.intake import Intake
from streams.mapping import Mapped
from streams.sending import GOING, KEPT_FAULTS, Fault
from streams.tables.child import Row

PART = 200
"""Rows between two chances to tell and to stop."""


class Rehearsal(msgspec.Struct):
    """Counts of rows. Of the `good`: `placed` in a grid, `outside` all grids, without a place; `same` as decided
    before, `other` content under a key decided before (a conflict), `again` a key of an earlier row of the file."""

    total: int
    state: str = GOING
    good: int = 0
    refused: int = 0
    reasons: dict[str, int] = {}
    marks: dict[str, int] = {}
    faults: list[Fault] = []
    placed: int = 0
    outside: int = 0
    placeless: int = 0
    same: int = 0
    other: int = 0
    again: int = 0
    why: str = ""
    at: int = 0

    @property
    def done(self) -> int:
        """Rows looked at."""
        return self.good + self.refused

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state != GOING


Places = Callable[[Sequence[Report]], Sequence[bool | None]]
"""For each report: in a grid, outside all of them, or None without a place."""
Standing = Callable[[Sequence[Report]], Sequence[str]]


class Rehearser:
    """Goes through the rows part by part: call `step` until it says False."""

    def __init__(
        self,
        intake: Intake,
        source: Source,
        mapping: Mapped,
        rows: Iterator[Row],
        rehearsal: Rehearsal,
        *,
        places: Places,
        standing: Standing,
    ) -> None:
        self._intake = intake
        self._source = source
        self._mapping = mapping
        self._rows = rows
        self._seen: set[int] = set()
        self._places = places
        self._standing = standing
        self.rehearsal = rehearsal

    def step(self) -> bool:
        """Look at the next rows; False when there were none."""
        part = list(islice(self._rows, PART))
        reports = []
        for row in part:
            found = self._intake.examine(self._source, row.item, self._mapping)
            if isinstance(found, Refusal):
                self._refuse(row, found)
            else:
                reports.append(found)
                self._count(found)
        if reports:
            self._compare(reports)
        return bool(part)

    def _refuse(self, row: Row, found: Refusal) -> None:
        now = self.rehearsal
        now.refused += 1
        now.reasons[found.reason] = now.reasons.get(found.reason, 0) + 1
        if len(now.faults) < KEPT_FAULTS:
            now.faults.append(Fault(row.number, found.field, found.reason, found.params))

    def _count(self, report: Report) -> None:
        now = self.rehearsal
        now.good += 1
        for mark in report.marks:
            now.marks[mark] = now.marks.get(mark, 0) + 1
        key = hash(decision.key_of(report))
        now.again += key in self._seen
        self._seen.add(key)

    def _compare(self, reports: Sequence[Report]) -> None:
        now = self.rehearsal
        standing = self._standing(reports)
        now.same += sum(one == "same" for one in standing)
        now.other += sum(one == "other" for one in standing)
        places = self._places(reports)
        now.placed += sum(one is True for one in places)
        now.outside += sum(one is False for one in places)
        now.placeless += sum(one is None for one in places)
