"""One pulled source while its task runs 拉取: first durable, then the cursor; out of reach and found again said once.

What can be wrong: the source is away (`SourceAway`: the next try waits, longer each time, with jitter), or we take
nothing now (back-pressure, our database or engine is away: what was fetched is kept in hand and tried again).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from config import clock
from operations import cursors
from operations.sources import Source
from streams import cloudevents, vitals
from streams.errors import EngineMisconfigured, IntakeRefused, MappingError, SettingsWrong, SourceAway, Unreadable
from streams.intake import Receipt
from streams.item import Item
from streams.keeper import TROUBLE
from streams.pull_settings import PullSettings, checked
from streams.source_secrets import SourceSecrets

if TYPE_CHECKING:
    from streams.fetching import Reach

T = TypeVar("T")

AT_ONCE = 500
"""Items made durable in one go."""
BASE_SECONDS, LONGEST_SECONDS = 1.0, 60.0
LONGEST_RETRY_AFTER = 3_600.0
LOST_AFTER = 2
"""Failed tries in a row after which a source counts as out of reach; one that is certain counts at once."""
MISCONFIGURED_SECONDS = 30.0

log = logging.getLogger(__name__)


class Pulling:
    """What every kind of pull does alike."""

    def __init__(self, reach: "Reach", source: Source) -> None:
        self.source = source
        self._reach = reach
        self._secrets = SourceSecrets(reach.settings.data / "keys")
        self._failures = 0
        self._lost: bool | None = None
        """As the journal has it; None until it was asked."""
        self._facts: dict[str, Any] = {"state": "starting", "since": clock.now()}

    @property
    def secret(self) -> str:
        """The token or password of this source as it is set now."""
        return self._secrets.get(self.source.id)

    async def settings(self) -> PullSettings:
        """Return the settings; while they are wrong (the page does not let them be) this waits to be cancelled."""
        try:
            return checked(self.source.kind, self.source.settings)
        except SettingsWrong as error:
            log.error("source %s is not pulled, its settings are wrong: %s", self.source.id, error)
            await self.say("held", error.code, field=error.field)
            await asyncio.Event().wait()
            raise

    async def cursor(self, of: str) -> dict[str, Any]:
        """Return the cursor kept for the place named by `of`; {} when there is none, or it belongs to another place."""
        found = await self.patiently(lambda: cursors.get(self._reach.database, self.source.id))
        try:
            kept = msgspec.json.decode(found.cursor or "{}")
        except msgspec.MsgspecError:
            return {}
        return dict(kept) if isinstance(kept, dict) and kept.get("of") == of else {}

    async def keep(self, of: str, cursor: dict[str, Any]) -> None:
        """Keep a cursor; call it when everything up to there is durable."""
        text = msgspec.json.encode({"of": of, **cursor}).decode()
        await self.patiently(lambda: cursors.keep(self._reach.database, self.source.id, text, now=clock.now()))

    async def take(self, items: Sequence[object]) -> None:
        """Return when all items are on disk, as reports or in quarantine."""
        for start in range(0, len(items), AT_ONCE):
            await self._durable(items[start : start + AT_ONCE])

    async def again(self, attempt: Callable[[], Awaitable[float]]) -> None:
        """Attempt for ever; `attempt` returns the seconds until the next time, or raises SourceAway."""
        while True:
            try:
                pause = await attempt()
                self._failures = 0
            except SourceAway as error:
                pause = await self.away(error)
            await asyncio.sleep(pause)

    async def reached(self, **facts: object) -> None:
        """Note that the source answered."""
        self._failures = 0
        await self._mark("")
        await self.say("reached", "", ok_at=clock.now(), **facts)

    async def away(self, error: SourceAway) -> float:
        """Note that the source did not answer, and return the seconds until the next try."""
        self._failures += 1
        if error.certain or self._failures >= LOST_AFTER:
            await self._mark(error.code)
        pause = max(min(error.retry_after, LONGEST_RETRY_AFTER), jittered(self._failures))
        await self.say("away", error.code, params=error.params, next_at=clock.now() + int(pause * 1e6))
        return pause

    async def say(self, state: str, code: str, **facts: object) -> None:
        """Show on the source's page how it stands; worth less than the pull, so trouble with the engine is no error."""
        if (state, code) != (self._facts.get("state"), self._facts.get("code")):
            self._facts["since"] = clock.now()
        self._facts |= {"state": state, "code": code, "at": clock.now(), "params": {}, "next_at": 0, **facts}
        try:
            await vitals.say(self._reach.client, self.source.id, self._facts)
        except (IntakeRefused, EngineMisconfigured) as error:
            log.debug("how %s stands could not be shown: %s", self.source.id, error)

    async def patiently(self, work: Callable[[], T]) -> T:
        """Return what blocking work of ours comes to, tried until our own parts are there again."""
        while True:
            try:
                return await asyncio.to_thread(work)
            except TROUBLE as error:
                log.debug("source %s waits for us: %s", self.source.id, error)
                await asyncio.sleep(BASE_SECONDS)

    async def _mark(self, lost: str) -> None:
        if self._lost is bool(lost):
            return
        reach, name = self._reach, self.source.id
        new = await self.patiently(
            lambda: cursors.mark(reach.database, name, lost, now=clock.now(), after_commit=reach.ring)
        )
        if new and lost:
            log.warning("source %s is out of reach: %s", name, lost)
        elif new:
            log.info("source %s is found again", name)
        self._lost = bool(lost)

    async def _durable(self, items: Sequence[object]) -> Receipt:
        while True:
            try:
                return await self._reach.intake.accept(self.source, items)
            except IntakeRefused as error:
                await self.say("held", error.code)
                await asyncio.sleep(error.retry_after)
            except (EngineMisconfigured, MappingError) as error:
                code = "mapping_missing" if isinstance(error, MappingError) else "engine_misconfigured"
                await self.say("held", code)
                await asyncio.sleep(MISCONFIGURED_SECONDS)


def jittered(failures: int) -> float:
    """Return a pause before the next try: full jitter below a bound that doubles up to LONGEST_SECONDS."""
    bound = min(LONGEST_SECONDS, BASE_SECONDS * 2 ** min(failures, 10))
    return random.uniform(bound / 20, bound)


def at(found: object, path: str) -> Any:
    """Return the value at a dotted path, None where there is nothing; "" is the whole."""
    for step in path.split(".") if path else ():
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def items_of(found: object, path: str) -> list[object]:
    """Return the list at a path of an answer; one object is a list of one. Raises SourceAway."""
    here = at(found, path)
    if isinstance(here, dict):
        return [here]
    if not isinstance(here, list):
        raise SourceAway("no_list", certain=True, path=path or "/")
    return here


def as_item(found: object) -> object:
    """Return an item as intake takes it: a CloudEvent opened, anything else as it is."""
    if isinstance(found, dict) and "specversion" in found and "data" in found:
        raw = msgspec.json.encode(found)
        try:
            return cloudevents.structured(raw)
        except Unreadable as error:
            return Item(raw, fault=error.code, field=error.field)
    return found
