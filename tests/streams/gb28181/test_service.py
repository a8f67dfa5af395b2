"""Journeys of platforms below us over real SIP on this machine."""

import asyncio

import pytest
import redis.asyncio

from config import clock
from config.settings import Settings
from operations import journal, platforms
from operations.cameras import reading
from operations.database import Database
from operations.scope import WHOLE
from streams.gb28181 import whereabouts
from streams.gb28181.effects import Position
from streams.gb28181.manscdp import element, write
from tests.streams.gb28181.journey import (
    CODE,
    PASSWORD,
    accept,
    below,
    cameras,
    heard,
    listening,
    received,
    registered,
    signalled,
    soon,
    until,
)
from tests.streams.gb28181.journey import SYSTEM_READER as ADMIN

pytestmark = pytest.mark.database


def actions(database: Database) -> list[str]:
    return [entry.action for entry in journal.read(database, 0) if entry.subject_type == "platform"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_stranger_waits_is_accepted_and_its_catalogue_is_held(
    settings: Settings, database: Database, valkey: str, transport: str
) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service, transport=transport) as lower:
            assert await lower.register() == 403
            assert await lower.keepalive() == 403
            await until(database, lambda one: one.state == "waiting")
            await asyncio.to_thread(accept, settings, database)
            await registered(lower)
            held = await until(database, lambda one: one.whole and one.info)
            assert (held.announced, held.held, held.online, held.transport) == (5, 5, True, transport)
            assert await lower.keepalive() == 200
            assert len(lower.dates[-1]) == len("2026-11-23T04:50:00.000")

    asyncio.run(journey())
    assert actions(database) == ["platform.knocked", "platform.accepted", "platform.online", "platform.synced"]


def test_a_wrong_password_lets_nobody_in_and_is_seen(settings: Settings, database: Database, valkey: str) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service, password="wrong") as lower:
            await lower.register()
            await until(database, lambda one: one.state == "waiting")
            await asyncio.to_thread(accept, settings, database)
            statuses = []
            while "password" not in [one.why_knocked for one in await asyncio.to_thread(platforms.every, database)]:
                service._knocks.clear()
                statuses.append(await lower.register())
                await asyncio.sleep(0.05)
                assert len(statuses) < 100
            assert set(statuses) == {403}
            lower.password = PASSWORD
            await registered(lower)
            await until(database, lambda one: one.online)

    asyncio.run(journey())


def test_a_lost_piece_is_asked_for_again_and_never_passes_for_a_whole(
    settings: Settings, database: Database, valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.gb28181.upper.PIECE_SECONDS", 0.3)
    monkeypatch.setattr("streams.gb28181.upper.TRIES", 2)

    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service) as lower:
            await lower.register()
            await until(database, lambda one: one.state == "waiting")
            await asyncio.to_thread(accept, settings, database)
            lower.faults.lose = 1
            await registered(lower)
            short = await until(database, lambda one: one.tried_at)
            assert (short.announced, short.held, short.why, short.synced_at) == (5, 3, "short", None)
            lower.faults.lose = 0
            lower.restart()
            await registered(lower)
            whole = await until(database, lambda one: one.whole)
            assert whole.held == 5

    asyncio.run(journey())


def test_a_restart_of_ours_asks_again_where_it_was(settings: Settings, database: Database, valkey: str) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service) as lower:
            first = await received(settings, database, lower)
            lower.items = cameras(6)
            port = service.address[1]
            service._port = port
            asked = len(lower.heard)
            running = next(task for task in asyncio.all_tasks() if task.get_coro().__name__ == "run")  # type: ignore[union-attr]
            running.cancel()
            await asyncio.wait({running})
            again = asyncio.create_task(service.run())
            found = await until(database, lambda one: one.held == 6)
            assert found.online_at == first.online_at
            assert len(lower.heard) > asked
            again.cancel()
            await asyncio.wait({again})

    asyncio.run(journey())


def test_alarms_changes_and_positions_reach_their_places(settings: Settings, database: Database, valkey: str) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service) as lower:
            await received(settings, database, lower)
            device = lower.items[0][0]
            assert await lower.alarm(device, "2", "1") == 200
            await heard(lower, "MESSAGE control devicecontrol ResetAlarm")
            assert "MESSAGE response alarm" in lower.heard
            assert service._intake.totals.accepted == 1
            assert await lower.tell("OFF", lower.items[1][0]) == 200
            assert await lower.position(device, 119.5, 34.6) == 200
            found = None
            for _ in range(200):
                found = await whereabouts.last(service._client, CODE, device)
                if found is not None:
                    break
                await asyncio.sleep(0.02)
            assert found is not None and (found.position.lon, found.platform) == (119.5, CODE)
            lower.close()

    asyncio.run(journey())
    with database.read() as connection:
        kept = {one.item.code: one for one in reading.every(connection, WHOLE)}
    assert len(kept) == 5
    first, second = (kept[one[0]] for one in cameras(2))
    assert (first.item.name, first.status, first.registered) == ("人民路1号㐀", "on", "on")
    assert second.status == "off"


def test_what_a_device_makes_of_persons_is_answered_and_not_kept(
    settings: Settings, database: Database, valkey: str
) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service) as lower:
            await received(settings, database, lower)
            for kind in ("8", "9"):  # loitering, and how many pass
                assert await lower.alarm(lower.items[0][0], "5", kind) == 200
            await soon(lambda: lower.heard.count("MESSAGE response alarm") == 2)
            assert service._intake.totals.accepted == 0
            assert await lower.alarm(lower.items[0][0], "5", "13") == 200  # covered: about the device
            await soon(lambda: service._intake.totals.accepted == 1)

    asyncio.run(journey())


def test_a_platform_that_goes_and_comes_within_a_second_has_its_cameras_on(
    settings: Settings, database: Database, valkey: str
) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service) as lower:
            first = await received(settings, database, lower)
            assert await lower.register(0) == 200
            await registered(lower)
            await until(database, lambda one: one.synced_at != first.synced_at)

    asyncio.run(journey())
    with database.read() as connection:
        assert {one.registered for one in reading.every(connection, WHOLE)} == {"on"}


def test_an_update_that_says_only_a_state_or_nothing_leaves_the_record_as_it_is(
    settings: Settings, database: Database, valkey: str
) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service) as lower:
            await received(settings, database, lower)
            for number, more in ((0, element("Status", "OFF")), (1, "")):
                one = element("DeviceID", lower.items[number][0]) + element("Event", "UPDATE") + more
                inner = element("SumNum", 1) + f'<DeviceList Num="1"><Item>{one}</Item></DeviceList>'
                body = write("Notify", "Catalog", 90 + number, lower.code, inner, charset=lower.charset)
                assert (await lower.request("NOTIFY", body)).status == 200
            await lower.tell("OFF", lower.items[2][0])
            await signalled(database, lower.items[2][0], "off")

    asyncio.run(journey())
    with database.read() as connection:
        kept = {one.item.code: one for one in reading.every(connection, WHOLE)}
    told = [kept[one[0]] for one in cameras(2)]
    assert [(one.status, one.revision, one.lon is not None) for one in told] == [("off", 1, True), ("on", 1, True)]
    assert all(one.item.name for one in kept.values())


def test_two_platforms_with_devices_of_one_code_keep_both_places(valkey: str) -> None:
    async def journey() -> None:
        client = redis.asyncio.Redis.from_url(valkey)
        for code, lon in (("a", 119.0), ("b", 120.0)):
            await whereabouts.put(client, code, [Position("1", lon, 34.0)], "WGS84", 1)
        found = [await whereabouts.last(client, code, "1") for code in ("a", "b", "c")]
        assert [one and one.position.lon for one in found] == [119.0, 120.0, None]
        await client.aclose()

    asyncio.run(journey())


def test_an_answer_nobody_asked_for_and_a_deletion_told_delete_nothing(
    settings: Settings, database: Database, valkey: str
) -> None:
    async def journey() -> None:
        async with listening(settings, database) as service, below(settings, service) as lower:
            whole = await received(settings, database, lower)
            await lower.send_catalogue("424242", cameras(1, start=9), 1)
            await lower.tell("DEL", lower.items[0][0])
            await lower.tell("OFF", lower.items[2][0])
            await signalled(database, lower.items[2][0], "off")
            (same,) = await asyncio.to_thread(platforms.every, database)
            assert (same.synced_at, same.held) == (whole.synced_at, 5)
            with database.read() as connection:
                assert len(platforms.known_codes(connection, CODE)) == 6
            lower.items = lower.items[1:]
            await asyncio.to_thread(platforms.note, database, ADMIN, CODE, "platform.resync", now=clock.now())
            found = await until(database, lambda one: one.held == 4)
            assert len(found.lacking) == 2 and found.changed["gone"] == 2

    asyncio.run(journey())
