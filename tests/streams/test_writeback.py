"""What goes back to a source: every change of its incidents once, in order, in its own words; nothing of another's."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from config.settings import Settings
from operations import sources
from operations.database import Database
from operations.orders.dispatch import OrderDraft
from operations.outlets import writeback
from operations.policy import SYSTEM
from operations.seal import KeyStore
from operations.sources import Source
from streams.outlets.writeback import Writeback
from tests.operations.desk import COMMANDER, Desk, report
from tests.streams.gateway import Gateway
from tests.streams.test_outlets import ADMIN, FIRE, OPERATOR, Bench

pytestmark = pytest.mark.database


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """The source's server."""
    made = Gateway()
    yield made
    made.close()


@pytest.fixture
async def bench(settings: Settings, database: Database) -> AsyncIterator[Bench]:
    """The parts, with the hotline as a source."""
    keys = KeyStore(settings.data / "keys")
    made = Bench(settings, database, keys)
    for name in ("hotline", "other"):
        sources.add(database, SYSTEM, Source(name, name, mapping="hotline"), now=made.now())
    yield made
    await made.carrier.stop()
    keys.close()


def said(gateway: Gateway) -> list[dict[str, Any]]:
    """What the source was told, as it came."""
    return [posted.told for posted in gateway.posted]


async def test_states_and_results_go_back_in_their_words_and_in_order(bench: Bench, gateway: Gateway) -> None:
    desk = Desk(bench.database, bench.keys)
    bench.outlets.add(ADMIN, "back", "webhook", {"url": gateway.url}, source="hotline", now=bench.now())
    desk.send(report("A1"), report("B1", source="other"))
    mine = next(one for one in desk.board().incidents.values() if one.source == "hotline")
    after = desk.commands.acknowledge(OPERATOR, mine.id, mine.revision)
    desk.commands.close(COMMANDER, mine.id, after.revision, "resolved")
    back = Writeback(bench.settings, bench.database)
    assert back.step(bench.now()) > 0
    assert back.step(bench.now()) == 0, "once"
    assert bench.outlet("back")[0].cursor > 0
    for _ in range(6):
        await bench.carry()
        bench.wait(1_000_000)
    told = said(gateway)
    assert {one["report_id"] for one in told} == {"A1"}, "nothing of another source"
    assert [one["seq"] for one in told] == sorted(one["seq"] for one in told)
    assert told[0]["step_word"] == "已受理"
    assert (told[-1]["step_word"], told[-1]["result_word"]) == ("已办结", "已解决")
    assert all(one["type"] == "incident.status" and one["number"] == mine.number for one in told)
    assert len({one["id"] for one in told}) == len(told)


async def test_what_an_order_came_to_goes_back_too(bench: Bench, gateway: Gateway) -> None:
    desk = Desk(bench.database, bench.keys)
    desk.send(report("A1"))
    mine = desk.incident()
    bench.outlets.add(ADMIN, "back", "webhook", {"url": gateway.url}, source="hotline", now=bench.now())
    order = bench.orders.send(OPERATOR, OrderDraft(title="处置", text="请处置", recipients=(FIRE,), incident=mine.id))
    bench.orders.cancel(OPERATOR, order.id, order.revision, text="误报")
    Writeback(bench.settings, bench.database).step(bench.now())
    for _ in range(4):
        await bench.carry()
    (told,) = [one for one in said(gateway) if "order" in one]
    assert (told["order"], told["order_state"], told["order_word"]) == (order.number, "cancelled", "已撤单")


async def test_a_crash_between_reading_and_sending_loses_nothing(bench: Bench, gateway: Gateway) -> None:
    desk = Desk(bench.database, bench.keys)
    bench.outlets.add(ADMIN, "back", "file", {}, source="hotline", now=bench.now())
    desk.send(report("A1"))
    before = bench.outlet("back")[0].cursor

    def dies(_kind: str, _code: str) -> str:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        writeback.step(bench.database, "back", dies, bench.now())
    assert bench.outlet("back")[0].cursor == before, "the cursor and what it stands for move together"
    Writeback(bench.settings, bench.database).step(bench.now())
    await bench.carry()
    (file,) = (bench.settings.data / "outlets" / "back").iterdir()
    assert len(file.read_bytes().splitlines()) == 1


async def test_an_outlet_that_was_removed_meanwhile_stops_nothing(bench: Bench) -> None:
    assert writeback.step(bench.database, "gone", lambda _kind, code: code, bench.now()) == 0
