"""Health tickets 健康工单 of cameras: written down in the database, then told to intake like any report, once each."""

import logging
from asyncio import to_thread
from datetime import datetime
from typing import Any

import msgspec

from config import departments
from config.settings import Settings
from config.tickets import Tickets
from config.words import Words
from operations import decision, sources
from operations.cameras import tickets
from operations.cameras.ticket import MINUTE, OFFLINE, OUTAGE, SOURCE, TYPES, Case, Rules
from operations.cameras.tickets import Moved, Pending
from operations.database import AfterCommit, Database
from operations.errors import Refused
from operations.policy import SYSTEM
from operations.report import Refusal
from operations.sources import Source
from streams.intake import Intake

SECOND = 1_000_000
EVERY_SECONDS = 30.0

log = logging.getLogger(__name__)


def rules_of(file: Tickets, *, demo: bool) -> Rules:
    """Return what the file asks for, with the departments there are now."""
    return Rules(
        enabled=file.enabled,
        offline=file.offline_minutes * MINUTE,
        picture=file.picture_minutes * MINUTE,
        outage=file.outage_minutes * MINUTE,
        back=file.back_minutes * MINUTE,
        classes=file.classes,
        most=file.most_a_day_demo if demo else file.most_a_day,
        departments=frozenset(code for code, one in departments.current().items() if not one.ended),
    )


class Wording:
    """What tickets say; what is kept is in the city's language, like every report's title."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def item(self, case: Case) -> dict[str, Any]:
        """Return the report of a ticket, without its revision."""
        say = self._words.text
        wrong = self._wrong(case)
        names = {"name": case.name, "code": case.code, "wrong": wrong, "since": self._moment(case.since)}
        lines = [say("tickets.said.outage" if case.kind == OUTAGE else "tickets.said.camera", **names)]
        lines += [say("tickets.again", since=self._moment(case.again), wrong=wrong)] if case.again else []
        if not case.department:
            lines.append(say("tickets.owner_unknown", owner=case.owner or say("tickets.nobody")))
        item: dict[str, Any] = {
            "id": case.id,
            "type": TYPES[case.kind],
            "urgency": "routine",
            "title": say(f"tickets.title.{case.kind}", name=case.name, gone=case.gone, total=case.total, wrong=wrong),
            "text": "\n".join(lines),
            "occurred_at": self._at(case.since).isoformat(),
            "channel": say("tickets.channel"),
            "status": say("tickets.status_again", wrong=wrong) if case.again else wrong,
        }
        if case.lon is not None and case.lat is not None:
            item["place"] = {"lon": case.lon, "lat": case.lat, "datum": "WGS84", "address": case.name}
        return item

    def status(self, word: str) -> str:
        """Return "back" or "withdrawn" in words."""
        return self._words.text(f"tickets.{word}")

    def _wrong(self, case: Case) -> str:
        if case.kind == OUTAGE:
            return self._words.text("tickets.wrong_outage", gone=case.gone, total=case.total)
        known = f"tickets.picture.{case.picture}"
        picture = known if known in self._words else "tickets.picture.other"
        return self._words.text("tickets.wrong_offline" if case.kind == OFFLINE else picture)

    def _at(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / SECOND, self._words.city.zone)

    def _moment(self, at: int) -> str:
        return self._at(at).strftime("%Y-%m-%d %H:%M")


class TicketKeeping:
    """One round after the other; any number of processes may do them."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        intake: Intake,
        file: Tickets,
        wording: Wording,
        after_commit: AfterCommit | None = None,
    ) -> None:
        self._settings, self._database, self._intake = settings, database, intake
        self._file, self._wording, self._ring = file, wording, after_commit
        self._said: tuple[str, ...] = ()

    async def step(self, now: int) -> Moved:
        """Look once. Raises database trouble, IntakeRefused, EngineMisconfigured; the next round goes on."""
        midnight = datetime.fromtimestamp(now / SECOND, self._settings.zone).replace(hour=0, minute=0, second=0)
        today = int(midnight.timestamp()) * SECOND
        rules = rules_of(self._file, demo=self._settings.demo)
        moved = await to_thread(tickets.step, self._database, rules, self._wording, now=now, today=today)
        self._tell_full(moved.full)
        while waiting := await to_thread(self._pending):
            await self._send(waiting, now)
            if len(waiting) < tickets.AT_ONCE:
                break
        return moved

    def _pending(self) -> list[Pending]:
        with self._database.read() as connection:
            return tickets.pending(connection)

    async def _send(self, waiting: list[Pending], now: int) -> None:
        source = await to_thread(self._source, now)
        if source is None:
            return
        items, owners = [one.item for one in waiting], [one.department for one in waiting]
        await self._intake.accept(source, items, departments=owners)
        for one in waiting:
            found = self._intake.examine(source, one.item)
            if isinstance(found, Refusal):
                log.error("the ticket %s was not taken: %s %s", one.id, found.field, found.reason)
            id = msgspec.json.decode(one.item)["id"] if isinstance(found, Refusal) else found.id
            origin = decision.origin_of(SOURCE, id)
            await to_thread(tickets.sent, self._database, one.id, one.revision, origin)

    def _source(self, now: int) -> Source | None:
        """Our source, registered when there is something to say first; None where somebody switched it off."""
        found = sources.get(self._database, SOURCE)
        if found is None:
            zone = self._settings.city_time_zone
            made = Source(SOURCE, self._wording.status("source"), kind="health", time_zone=zone)
            try:
                sources.add(self._database, SYSTEM, made, now=now, after_commit=self._ring)
            except Refused:  # another process was faster
                return sources.get(self._database, SOURCE)
            return made
        return found if found.enabled else None

    def _tell_full(self, full: tuple[str, ...]) -> None:
        """Say once in the log whose tickets have to wait for tomorrow; the page of cameras says how many."""
        for owner in set(full) - set(self._said):
            log.warning("%s has had all its camera tickets of today; further faults wait", owner or "(no department)")
        self._said = full
