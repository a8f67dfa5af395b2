"""Sending the rows of a file through intake: batch by batch, waiting where intake must wait, until all are durable.

Sent again after a crash or by mistake, the rows meet their own keys: the journal doubles nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice

import msgspec

from operations.sources import Source
from streams.errors import EngineMisconfigured, IntakeRefused
from streams.intake import Intake, Receipt
from streams.item import LARGEST_REQUEST
from streams.tables.child import Row

BATCH = 200
"""Rows made durable at once: few enough that a page waits for none of them."""
PAUSE_SECONDS = 0.02
"""Between two batches, for everything else the process has to do."""
WAIT_MOST = 30
"""Seconds between two tries; intake says how long, this is the most."""
MISCONFIGURED_SECONDS = 30
KEPT_FAULTS = 100

GOING, WAITING, DONE, CANCELLED, FAILED = "going", "waiting", "done", "cancelled", "failed"


class Fault(msgspec.Struct, frozen=True):
    """One row that went to quarantine: its number in the file, our field and the reason's code."""

    row: int
    field: str
    reason: str
    params: dict[str, str] = {}


class Progress(msgspec.Struct):
    """How far a file has come; `accepted` includes `duplicates`, which are a hint. `at`: UTC microseconds."""

    total: int
    state: str = GOING
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = {}
    faults: list[Fault] = []
    why: str = ""
    at: int = 0

    @property
    def done(self) -> int:
        """Rows that are on disk."""
        return self.accepted + self.quarantined

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in (DONE, CANCELLED, FAILED)


Tell = Callable[[Progress], Awaitable[bool]]
"""Shows how far it has come; says whether to go on."""


async def send(intake: Intake, source: Source, rows: Iterator[Row], progress: Progress, tell: Tell) -> Progress:
    """Send every row; returns the progress at the end. Raises MappingError; waits out whatever passes by itself."""
    while batch := await asyncio.to_thread(_batch, rows):
        receipt = await _durable(intake, source, batch, progress, tell)
        if receipt is None:
            progress.state = CANCELLED
            break
        _count(progress, batch, receipt)
        progress.state = GOING
        if not await tell(progress):
            progress.state = CANCELLED
            break
        await asyncio.sleep(PAUSE_SECONDS)
    else:
        progress.state = DONE
    await tell(progress)
    return progress


async def _durable(
    intake: Intake, source: Source, batch: Sequence[Row], progress: Progress, tell: Tell
) -> Receipt | None:
    """Try until it is on disk; None when told to stop meanwhile."""
    while True:
        try:
            return await intake.accept(source, [row.item for row in batch])
        except IntakeRefused as error:
            progress.state, progress.why = WAITING, error.code
            pause = min(error.retry_after, WAIT_MOST)
        except EngineMisconfigured:
            progress.state, progress.why = WAITING, "engine_misconfigured"
            pause = MISCONFIGURED_SECONDS
        if not await tell(progress):
            return None
        await asyncio.sleep(pause)


def _batch(rows: Iterator[Row]) -> list[Row]:
    """The next rows: at most BATCH, and not many more bytes than a request may have."""
    found: list[Row] = []
    size = 0
    for row in islice(rows, BATCH):
        found.append(row)
        size += len(row.item.raw)
        if size > LARGEST_REQUEST // 2:
            break
    return found


def _count(progress: Progress, batch: Sequence[Row], receipt: Receipt) -> None:
    progress.accepted += receipt.accepted
    progress.duplicates += receipt.duplicates
    progress.quarantined += len(receipt.quarantined)
    for one in receipt.quarantined:
        progress.reasons[one.reason] = progress.reasons.get(one.reason, 0) + 1
        if len(progress.faults) < KEPT_FAULTS:
            progress.faults.append(Fault(batch[one.index].number, one.field, one.reason, one.params))
