"""Sending and rehearsing a file: all of it durable, nothing doubled, back-pressure waited out, stopped when told to."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from config.settings import Settings
from operations.report import Report
from operations.sources import Source
from streams.errors import BacklogFull, MappingError
from streams.intake import Intake, Receipt
from streams.item import Item
from streams.log import Log
from streams.mapping import checked
from streams.rehearsal import Rehearsal, Rehearser
from streams.sending import BATCH, CANCELLED, DONE, WAITING, Progress, send
from streams.tables.child import Row
from tests.streams.samples import SOURCE, TAXONOMY, make_intake, make_log, report

pytestmark = pytest.mark.stream
MAPPING = checked({"fields": {"id": "n", "title": "t"}}, TAXONOMY, "m", "")


@pytest.fixture
async def log(settings: Settings, valkey: str) -> AsyncIterator[Log]:
    """A log on the engine."""
    made = make_log(settings)
    yield made
    await made.close()


def rows(count: int, bad: int = 0) -> Iterator[Row]:
    for number in range(count):
        good = report(f"F-{number}")
        yield Row(number + 2, Item(msgspec.json.encode(good if number >= bad else good | {"id": None})))


async def going(_progress: Progress) -> bool:
    return True


async def test_a_file_is_sent_whole_and_again_doubles_nothing(log: Log) -> None:
    intake = make_intake(log)
    first = await send(intake, SOURCE, rows(BATCH + 7, bad=2), Progress(BATCH + 7), going)
    assert (first.state, first.accepted, first.quarantined, first.duplicates) == (DONE, BATCH + 5, 2, 0)
    assert first.reasons == {"missing": 2}
    assert [(one.row, one.field) for one in first.faults] == [(2, "id"), (3, "id")]
    again = await send(intake, SOURCE, rows(BATCH + 7, bad=2), Progress(BATCH + 7), going)
    assert (again.accepted, again.duplicates) == (BATCH + 5, BATCH + 5)


class Full(Intake):
    """Refuses twice before it takes anything, as while workers are behind."""

    refusals = 2

    async def accept(self, source: Source, items: object, *, written_by: str = "") -> Receipt:
        if self.refusals:
            self.refusals -= 1
            raise BacklogFull("backlog_full", "full", retry_after=0)
        return await super().accept(source, items, written_by=written_by)  # type: ignore[arg-type]


async def test_back_pressure_is_waited_out(log: Log) -> None:
    intake = make_intake(log)
    intake.__class__ = Full
    seen: list[str] = []

    async def tell(progress: Progress) -> bool:
        seen.append(progress.state)
        return True

    done = await send(intake, SOURCE, rows(3), Progress(3), tell)
    assert (done.state, done.accepted) == (DONE, 3)
    assert seen[:2] == [WAITING, WAITING]


async def test_it_stops_when_told_to(log: Log) -> None:
    asked: list[int] = []

    async def tell(progress: Progress) -> bool:
        asked.append(progress.done)
        return len(asked) < 2

    done = await send(make_intake(log), SOURCE, rows(3 * BATCH), Progress(3 * BATCH), tell)
    assert (done.state, done.accepted) == (CANCELLED, 2 * BATCH)


async def test_a_mapping_that_is_not_there_ends_it(log: Log) -> None:
    source = Source("x", "x", mapping="nothing")
    with pytest.raises(MappingError):
        await send(make_intake(log), source, rows(3), Progress(3), going)


async def test_a_rehearsal_counts_and_keeps_nothing(log: Log) -> None:
    given = [{"n": 1, "t": "a"}, {"n": 1, "t": "a"}, {"n": 2}, {"n": 3, "t": "c"}]
    lines = (Row(number, Item(msgspec.json.encode(one))) for number, one in enumerate(given, start=2))
    standing = {"1": "same", "3": "other"}

    def places(reports: object) -> list[bool | None]:
        assert isinstance(reports, list)
        return [True, False, None][: len(reports)]

    rehearser = Rehearser(
        make_intake(log), SOURCE, MAPPING, lines, Rehearsal(4), places=places,
        standing=lambda reports: [standing[one.id] for one in reports if isinstance(one, Report)],
    )  # fmt: skip
    while await asyncio.to_thread(rehearser.step):
        pass
    found = rehearser.rehearsal
    assert (found.good, found.refused, found.again) == (3, 1, 1)
    assert (found.same, found.other) == (2, 1)
    assert (found.placed, found.outside, found.placeless) == (1, 1, 1)
    assert found.reasons == {"missing": 1} and found.faults[0].row == 4
    assert found.marks["undated"] == 3
    assert log.pending == 0
