"""Standing 存续: connections that last end within a second of the right they were opened by.

One keeper in each web process asks the database about all connected secrets together, and ends those that nobody
holds any longer or that now mean other rights. While the database is away nobody is thrown out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from config import clock
from dashboard.access import Proof
from operations.errors import DatabaseTrouble
from operations.policy import Identity, rights

EVERY = 0.4
"""Seconds between two looks; with the gate's memory for new connections it stays below a second."""
SIGNED_OUT, RIGHTS_CHANGED = 4401, 4403
"""Codes a connection is closed with: its secret is nobody's now; it is somebody's with other rights."""

Ask = Callable[[Collection[Proof]], Awaitable[Mapping[Proof, Identity]]]
End = Callable[[int], None]

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Held:
    """A connection that lasts: what it was opened by, as whom, and how to end it with a code."""

    proof: Proof
    identity: Identity
    end: End


class Standing:
    """The connections of one web process; `ask` is `Gate.standing`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._held: set[Held] = set()
        self._task: asyncio.Task[None] | None = None
        self._fault = ""

    def start(self) -> None:
        """Look again and again until `stop`."""
        self._task = asyncio.create_task(self._run(), name="standing")

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    @contextmanager
    def hold(self, proof: Proof, identity: Identity, end: End) -> Iterator[None]:
        """Watch over a connection for as long as it lasts; `end(code)` is called once when it has to go."""
        held = Held(proof, identity, end)
        self._held.add(held)
        try:
            yield
        finally:
            self._held.discard(held)

    async def look(self) -> None:
        """Ask once about all and end those whose rights have changed. Raises DatabaseTrouble: nobody knows."""
        held = list(self._held)
        if not held:
            return
        found = await self._ask({one.proof for one in held})
        for one in held:
            code = verdict(one.identity, found.get(one.proof))
            if code and one in self._held:
                self._held.discard(one)
                one.end(code)

    async def _run(self) -> None:
        while True:
            began = clock.monotonic()
            try:
                await self.look()
                self._say("")
            except DatabaseTrouble as error:
                self._say(str(error))
            except Exception as error:  # noqa: BLE001 process edge: one bad look must not let the ended stay for good
                self._say(f"{type(error).__name__}: {error}")
            await asyncio.sleep(max(EVERY - (clock.monotonic() - began), EVERY / 4))

    def _say(self, fault: str) -> None:
        if fault and not self._fault:
            log.warning("nobody knows whose rights have ended, the screens stay: %s", fault)
        elif self._fault and not fault:
            log.warning("rights are looked at again")
        self._fault = fault


def verdict(opened_by: Identity, now: Identity | None) -> int:
    """Return the code to end a connection with, 0 to keep it: by who opened it and who holds its secret now."""
    if now is None:
        return SIGNED_OUT
    return 0 if rights(opened_by) == rights(now) else RIGHTS_CHANGED
