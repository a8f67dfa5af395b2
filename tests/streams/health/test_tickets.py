"""Health tickets of cameras, on a real engine and database: one for each fault that lasts, by the ordinary door."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from config.city import City
from config.settings import Settings
from config.tickets import FILE as TOML
from config.tickets import Tickets, TicketsError
from config.words import Words
from operations.cameras import keeping, outages, reading, tickets
from operations.cameras.item import Item
from operations.cameras.ticket import SOURCE
from operations.cameras.tickets import Ticket
from operations.database import Database
from operations.incident import Incident
from operations.scope import WHOLE, Scope
from operations.tables import camera, camera_ticket, incident
from streams import engine
from streams.intake import Intake
from streams.ticket_keeping import TicketKeeping, Wording, rules_of
from streams.worker import Worker
from tests.streams.samples import NOW, make_intake, make_log

pytestmark = [pytest.mark.stream, pytest.mark.database]
MINUTE = 60_000_000
DAY = 1_440 * MINUTE
FILE = Tickets.load()
CHAIN = ("990101", "990101001", "990101001001", "990101001001001")


class House:
    """A catalogue, two keepers of tickets, and a worker that decides what they send."""

    def __init__(self, settings: Settings, database: Database, intake: Intake, worker: Worker) -> None:
        self.settings, self.database, self.intake, self.worker = settings, database, intake, worker
        self.file = FILE

    def furnish(self, *owners: str, source: str = "gb-1", **more: Any) -> None:
        items = [
            Item(code=f"c{n}", name=f"人民路{n}号", owner=owner, chain=CHAIN, status="on", **more)
            for n, owner in enumerate(owners)
        ]
        with self.database.write() as transaction:
            keeping.take(transaction, source, items, complete=True, now=NOW)

    def signal(self, minutes: float, word: str, *codes: int, kind: str = "status", source: str = "gb-1") -> None:
        with self.database.write() as transaction:
            words = {f"c{n}": word for n in codes}
            keeping.signal(transaction, source, kind, words, now=NOW + int(minutes * MINUTE))

    def keeper(self) -> TicketKeeping:
        wording = Wording(Words("zh", City.of(self.settings)))
        return TicketKeeping(self.settings, self.database, self.intake, self.file, wording)

    async def look(self, minutes: float, keepers: int = 2) -> None:
        """Two keepers look, one after the other; then the worker decides."""
        now = NOW + int(minutes * MINUTE)
        outages.step(self.database, now=now)
        for _ in range(keepers):
            await self.keeper().step(now)
        idle = 0
        while idle < 2:
            idle = 0 if self.worker.step(block_ms=1) else idle + 1

    def incidents(self) -> list[Incident]:
        with self.database.read() as connection:
            rows = connection.execute(sa.select(incident.c.body).order_by(incident.c.received_at, incident.c.number))
            return [msgspec.json.decode(row.body, type=Incident) for row in rows]

    def close(self, minutes: float) -> None:
        """A person closes every incident."""
        with self.database.write() as transaction:
            for one in self.incidents():
                closed = msgspec.structs.replace(one, step="closed", closed_at=NOW + int(minutes * MINUTE))
                body = msgspec.json.encode(closed)
                update = sa.update(incident).where(incident.c.id == one.id).values(step="closed", body=body)
                transaction.connection.execute(update)


@pytest.fixture
async def house(settings: Settings, database: Database, valkey: str) -> AsyncIterator[House]:
    """One of the test's own."""
    log = make_log(settings)
    with engine.connect_sync(settings.redis_url) as client:
        yield House(settings, database, make_intake(log), Worker(settings, database, client, "w1"))
    await log.close()


def tickets_of(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(camera_ticket.c.state).order_by(camera_ticket.c.opened_at)).scalars())


def told(house: House, camera_id: str, scope: Scope | None) -> Ticket | None:
    with house.database.read() as connection:
        return tickets.of(connection, camera_id, scope)


async def test_a_camera_offline_for_long_is_one_incident_of_its_owner_at_its_place(house: House) -> None:
    house.furnish("police", "transport")
    house.signal(1, "off", 0)
    await house.look(30)
    assert house.incidents() == [], "not yet: 29 minutes"
    for minutes in (31, 31.5, 90):
        await house.look(minutes)
    (one,) = house.incidents()
    with house.database.read() as connection:
        id = connection.execute(sa.select(camera.c.id).where(camera.c.code == "c0")).scalar_one()
    said = (one.title, one.type, one.urgency, one.department, one.source, one.source_status, one.step)
    assert said == ("摄像机离线：人民路0号", "0801", "routine", "police", SOURCE, "离线", "register")
    assert told(house, id, WHOLE) == Ticket("offline", NOW + MINUTE, False, one.id, one.number, "register")
    for scope in (None, Scope("990102"), Scope("", "fire")):  # who may not open its incident sees that there is one
        assert told(house, id, scope) == Ticket("offline", NOW + MINUTE, False)
    assert told(house, "none", WHOLE) is None
    assert (one.report_id, one.occurred_at) == (f"{id}@{(NOW + MINUTE) // 1_000}", NOW + MINUTE)
    assert one.clocks, "its clocks run like any other's"


async def test_no_ticket_in_maintenance_nor_when_unknown_and_what_nobody_here_owns_goes_by_type(house: House) -> None:
    house.furnish("police", "police", "someone")
    with house.database.write() as transaction:
        until = sa.update(camera).where(camera.c.code == "c0").values(maintenance_until=NOW + 60 * MINUTE)
        transaction.connection.execute(until)
    house.signal(1, "off", 0, 2)
    house.signal(1, "unknown", 1)
    await house.look(40)
    (one,) = house.incidents()
    assert (one.title, one.department) == ("摄像机离线：人民路2号", "centre")
    await house.look(61)
    assert len(house.incidents()) == 2, "the maintenance is over, the fault is not"


async def test_a_camera_that_is_back_says_so_and_one_that_falls_again_takes_up_its_ticket(house: House) -> None:
    house.furnish("police")
    house.signal(0, "off", 0)
    await house.look(31)
    house.signal(40, "on", 0)
    await house.look(45)
    assert house.incidents()[0].source_status == "离线", "not well for long enough"
    await house.look(51)
    assert [(one.source_status, one.step) for one in house.incidents()] == [("已恢复", "register")]
    with house.database.read() as connection:
        id = connection.execute(sa.select(camera.c.id)).scalar_one()
    assert (ticket := told(house, id, WHOLE)) is not None and ticket.back
    house.signal(60, "off", 0)
    await house.look(95)
    assert [(one.source_status, one.reports) for one in house.incidents()] == [("再次离线", 3)]


async def test_a_mass_drop_is_one_ticket_and_the_days_most_bounds_the_rest(house: House) -> None:
    house.file = replace(FILE, most_a_day=2, most_a_day_demo=2)
    house.furnish(*["police"] * 12)
    house.signal(0, "off", *range(12))
    for minutes in (2, 31, 60):
        await house.look(minutes)
    assert [(one.title, one.department) for one in house.incidents()] == [("批量离线：gb-1，12/12 台", "police")]
    house.signal(70, "on", *range(4, 12))
    await house.look(72)
    await house.look(80)
    assert len(house.incidents()) == 3, "the drop is over; of four that are left two get theirs today"
    rules, now = rules_of(house.file, demo=house.settings.demo), NOW + 80 * MINUTE
    with house.database.read() as connection:
        assert tickets.waiting(connection, rules, now) == {"police": 2}
        assert tickets.waiting(connection, rules, now, *reading.within(Scope("990102"))) == {}
        assert tickets.waiting(connection, msgspec.structs.replace(rules, enabled=False), now) == {}


@pytest.mark.parametrize("line", ["offline_minutes = 0", "classes = [9]", "enabled = 1", "most_a_day = true"])
def test_a_wrong_file_says_where_and_what_to_write(line: str, tmp_path: Path) -> None:
    name = line.split(" ")[0]
    lines = [line if one.startswith(f"{name} ") else one for one in TOML.read_text("utf-8").splitlines()]
    (tmp_path / "tickets.toml").write_text("\n".join(lines), "utf-8")
    with pytest.raises(TicketsError, match=rf"line {lines.index(line) + 1}: {name} is "):
        Tickets.load(tmp_path / "tickets.toml")
