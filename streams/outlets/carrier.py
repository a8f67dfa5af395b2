"""The carrier 发送员: takes what waits in the outbox to where it goes, each outlet by itself, for as long as it takes.

Any number of carriers may run: what one has claimed no other takes until the claim ends, and what is sent twice because
one died in between bears one id and is written down once.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from functools import partial

import msgspec

from config import clock
from config import upward as upward_rules
from config.city import City
from config.settings import Settings
from config.words import Words
from operations import journal, upward
from operations.database import Database
from operations.orders.order import Recipient
from operations.outlets import addresses, outbox, recording
from operations.outlets.addresses import Address
from operations.outlets.outbox import Parcel
from operations.outlets.outlet import REPORT, Outlet
from operations.outlets.recording import Outcome
from operations.seal import KeyStore, unseal
from operations.upward import PARTS
from streams.keeper import TROUBLE
from streams.outlets import drop, mail, webhook
from streams.outlets.letter import Letter
from streams.outlets.writeback import Writeback
from streams.source_secrets import SourceSecrets

BATCH = 20
"""Messages one claim takes."""
BATCH_SECONDS = 60.0
"""How long one claim is worked at; what was not tried by then is given back."""
LOOK_SECONDS = 0.5
GATHER_SECONDS = 0.1
PRUNE_SECONDS = 3_600

log = logging.getLogger(__name__)


class Carrier:
    """One per process. `ring` tells others of new entries."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        ring: Callable[[int], None],
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._now = now
        self._database = database
        self._ring = ring
        self._keys = KeyStore(settings.data / "keys")
        self._secrets = SourceSecrets(settings.data / "keys", "outlets")
        self._folder = settings.data / "outlets"
        self._words = {lang: Words(lang, City.of(settings)) for lang in ("zh", "en")}
        self._zone = City.of(settings).zone
        self._owner = f"{os.uname().nodename}:{os.getpid()}:{self._now()}"
        self._writeback = Writeback(settings, database)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pruned = 0.0
        self._said = ""

    async def run(self) -> None:
        """Send for ever; trouble with our own parts is waited out."""
        try:
            while True:
                await self._step()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.stop()

    async def _step(self) -> None:
        """Look once; what goes wrong here must not take the housekeeping beside it down."""
        for part in (lambda: asyncio.to_thread(self._writeback.step, self._now()), self.look):
            try:
                await part()
            except TROUBLE as error:
                log.debug("the outbox waits for us: %s", error)
            except Exception as error:  # process edge: said once for each kind of trouble
                if repr(error) != self._said:
                    log.exception("the outbox cannot go on; it is tried again")
                self._said = repr(error)

    async def look(self) -> None:
        """Begin a round for every outlet that has something to send and none under way."""
        for outlet in await asyncio.to_thread(outbox.due, self._database, self._now()):
            task = self._tasks.get(outlet.name)
            if task is None or task.done():
                self._tasks[outlet.name] = asyncio.create_task(self._safely(outlet), name=f"send by {outlet.name}")
        if clock.monotonic() - self._pruned > PRUNE_SECONDS:
            self._pruned = clock.monotonic()
            await asyncio.to_thread(outbox.prune, self._database, self._now())

    async def settle(self) -> None:
        """Return when no round is under way."""
        await asyncio.gather(*self._tasks.values())

    async def stop(self) -> None:
        """Break off; what was claimed is sent again when its claim ends."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._keys.close()

    async def round(self, outlet: Outlet) -> int:
        """Send one claim's worth by an outlet; returns how many were tried."""
        parcels = await asyncio.to_thread(outbox.claim, self._database, outlet, self._owner, self._now(), BATCH)
        if not parcels:
            return 0
        letters = await asyncio.to_thread(self._letters, parcels, self._words[outlet.terms.language])
        letters = await self._without_empty(outlet, letters)
        left = {letter.parcel.id: letter for letter in letters}
        until = clock.monotonic() + BATCH_SECONDS
        async for tried in together(self._carried(outlet, letters)):
            await self._record(outlet, [(letter.parcel, outcome) for letter, outcome in tried])
            for letter, _ in tried:
                del left[letter.parcel.id]
            if left and clock.monotonic() > until:
                log.warning("%s is slow: %d messages wait for the next round", outlet.name, len(left))
                break
        if left:
            await asyncio.to_thread(outbox.release, self._database, list(left), self._owner, self._now())
        return len(parcels) - len(left)

    async def _without_empty(self, outlet: Outlet, letters: Sequence[Letter]) -> list[Letter]:
        """Give up reports that have nothing to say any more: told otherwise meanwhile, or their key is destroyed."""
        empty = [one for one in letters if one.message.purpose == REPORT and not one.text]
        if empty:
            gone = Outcome(outbox.DROPPED, "told_otherwise")
            await self._record(outlet, [(one.parcel, gone) for one in empty])
        return [one for one in letters if one not in empty]

    async def _safely(self, outlet: Outlet) -> None:
        try:
            await self.round(outlet)
        except TROUBLE as error:
            log.debug("sending by %s waits for us: %s", outlet.name, error)
        except Exception:  # process edge: one outlet's trouble must not hold up the others
            log.exception("sending by %s failed; it is tried again when its claim ends", outlet.name)

    def _carried(self, outlet: Outlet, letters: Sequence[Letter]) -> AsyncGenerator[tuple[Letter, Outcome]]:
        words = self._words[outlet.terms.language]
        if outlet.kind == "file":
            return drop.carry(outlet, self._folder, letters, words)
        carry = mail.carry if outlet.kind == "email" else webhook.carry
        return carry(outlet, self._secrets.get(outlet.name), letters, words)

    async def _record(self, outlet: Outlet, tried: Sequence[tuple[Parcel, Outcome]]) -> None:
        await asyncio.to_thread(
            recording.record,
            self._database,
            outlet.name,
            tried,
            self._owner,
            now=self._now(),
            after_commit=self._ring,
            beside=partial(upward.conveyed, zone=self._zone),
        )

    def _letters(self, parcels: Sequence[Parcel], words: Words) -> list[Letter]:
        """Parcels with what is looked up at the last moment."""
        told = [parcel.message for parcel in parcels if parcel.subject_type == "order"]
        people = [Recipient(id=one.recipient, kind=one.kind, name="", department=one.department) for one in told]
        texts: dict[str, str] = {}
        with self._database.read() as connection:
            known = addresses.of(connection, people)
            for one in {message.order for message in told}:
                texts[one] = self._text([sealed for _, sealed in journal.of_subject(connection, one)], one)
            for one in {parcel.subject_id for parcel in parcels if parcel.subject_type == "upward"}:
                texts[one] = written(upward.leaving(connection, self._keys, one), words)
        rules = upward_rules.current()
        known[upward.RECIPIENT] = Address(rules.email, rules.phone)
        return [self._letter(parcel, known, texts) for parcel in parcels]

    def _letter(self, parcel: Parcel, known: dict[str, Address], texts: dict[str, str]) -> Letter:
        address = known.get(parcel.recipient, Address())
        return Letter(parcel, address, texts.get(parcel.subject_id, ""), address.name)

    def _text(self, sealed: Sequence[bytes | None], order_id: str) -> str:
        """The order's text as it was written last; "" once its key is destroyed."""
        key = self._keys.find([order_id]).get(order_id)
        for one in reversed(sealed):
            words = msgspec.json.decode(unseal(key, order_id, one)) if key and one else {}
            if words.get("text"):
                return str(words["text"])
        return ""


def written(said: Mapping[str, str], words: Words) -> str:
    """Return what a report says, each part under its heading."""
    colon = words.pick("：", ": ")
    return "\n\n".join(f"{words.text(f'upward.part.{one}')}{colon}{said[one]}" for one in PARTS if said.get(one))


async def together(
    told: AsyncGenerator[tuple[Letter, Outcome]],
) -> AsyncIterator[list[tuple[Letter, Outcome]]]:
    """Yield what comes within `GATHER_SECONDS` in one go: each go is one transaction."""
    gathered: list[tuple[Letter, Outcome]] = []
    coming: asyncio.Task[tuple[Letter, Outcome]] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(told))
            await asyncio.wait({coming}, timeout=GATHER_SECONDS if gathered else None)
            if coming.done():
                try:
                    gathered.append(coming.result())
                except StopAsyncIteration:
                    break
                coming = None
            elif gathered:
                yield gathered
                gathered = []
        if gathered:
            yield gathered
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await told.aclose()
