"""What leaves by outlets, against real servers on 127.0.0.1: nothing is lost, and twice is told from once."""

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from operations import journal, snapshot
from operations.database import Database
from operations.orders.dispatch import OrderDraft, Orders, Wanted
from operations.orders.order import Order
from operations.outlets import outbox, recording
from operations.outlets.keeping import Counts, Outlets
from operations.outlets.outlet import Outlet
from operations.outlets.recording import AGE_MOST, TRIES_MOST
from operations.policy import Identity
from operations.seal import KeyStore
from operations.tables import delivery, department
from streams.outlets.carrier import Carrier
from streams.outlets.signature import make_secret, verified
from streams.source_secrets import SourceSecrets
from tests.streams.gateway import Gateway, Posted

pytestmark = pytest.mark.database

ADMIN = Identity("account", "a1", "admin", "system_admin")
OPERATOR = Identity("account", "o1", "operator", "operator")
MINUTE = 60_000_000
FIRE = Wanted("department", "fire", "消防救援", "fire", "lead")
POLICE = Wanted("department", "police", "公安", "police")


class Bench:
    """An order desk, outlets and a carrier on one database, with a clock that a test moves on."""

    def __init__(self, settings: Settings, database: Database, keys: KeyStore) -> None:
        self.settings, self.database, self.keys = settings, database, keys
        self.ahead = 0
        self.orders = Orders(database, keys, zone=ZoneInfo("Asia/Shanghai"), county="990101", now=self.now)
        self.outlets = Outlets(database)
        self.secrets = SourceSecrets(settings.data / "keys", "outlets")
        self.carrier = Carrier(settings, database, lambda _seq: None, self.now)

    def now(self) -> int:
        """The time, as far ahead as a test has moved on."""
        return clock.now() + self.ahead

    def wait(self, microseconds: int) -> None:
        """Let time pass."""
        self.ahead += microseconds

    def webhook(self, url: str, name: str = "sms", **values: Any) -> str:
        """Add a signed webhook; returns its key."""
        self.outlets.add(ADMIN, name, "webhook", {"url": url, **values}, now=self.now())
        secret = make_secret()
        self.secrets.put(name, secret)
        return secret

    def send(self, *recipients: Wanted, **values: Any) -> Order:
        """Send an order."""
        given = {"title": "气体泄漏", "text": "立即处置，注意通风", "recipients": recipients or (FIRE, POLICE)} | values
        return self.orders.send(OPERATOR, OrderDraft(**given))

    async def carry(self, times: int = 1) -> None:
        """Let the carrier look, and finish what it began."""
        for _ in range(times):
            await self.carrier.look()
            await self.carrier.settle()

    def board(self, order: Order) -> Order:
        """The order as screens have it."""
        return snapshot.load(self.database).orders[order.id]

    def actions(self, subject: str = "") -> list[str]:
        """Of the journal."""
        return [one.action for one in journal.read(self.database, 0) if not subject or one.subject_id == subject]

    def outlet(self, name: str = "sms") -> tuple[Outlet, Counts]:
        """An outlet and its counts."""
        return next(pair for pair in self.outlets.listed(ADMIN, self.now()) if pair[0].name == name)


@pytest.fixture
async def bench(settings: Settings, database: Database, folder: Any) -> AsyncIterator[Bench]:
    """The parts."""
    keys = KeyStore(settings.data / "keys")
    made = Bench(settings, database, keys)
    yield made
    await made.carrier.stop()
    keys.close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A server that takes webhooks."""
    made = Gateway()
    yield made
    made.close()


async def test_an_order_goes_out_signed_and_is_recorded_at_its_recipients(bench: Bench, gateway: Gateway) -> None:
    secret = bench.webhook(gateway.url)
    order = bench.send(sign_minutes=5)
    await bench.carry()
    assert len(gateway.posted) == 2
    for posted in gateway.posted:
        assert verified(secret, posted.headers, posted.body, clock.now() / 1e6)
        assert not verified(make_secret(), posted.headers, posted.body, clock.now() / 1e6)
        assert not verified(secret, posted.headers, posted.body + b" ", clock.now() / 1e6)
        assert not verified(secret, posted.headers, posted.body, clock.now() / 1e6 + 400), "an old one is refused"
        assert posted.told["id"] == posted.headers["webhook-id"]
        assert posted.told["type"] == "order.send"
        assert posted.told["text"] == "立即处置，注意通风"
        assert set(posted.told["order"]["due"]) == {"sign"}
    assert [one.ways for one in bench.board(order).recipients] == [{"sms": "sent"}, {"sms": "sent"}]
    assert {one.state for one in bench.board(order).recipients} == {"sent"}, "taken by a gateway is not delivered"
    assert bench.actions(order.id) == ["order.sent", "order.conveyed"]
    await bench.carry()
    assert len(gateway.posted) == 2, "once"


async def test_a_gateway_that_says_delivered_is_a_receipt(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url)
    gateway.answer = lambda _posted: (200, b'{"state": "delivered"}')
    order = bench.send(FIRE)
    await bench.carry()
    (one,) = bench.board(order).recipients
    assert (one.state, one.channel, one.ways) == ("delivered", "sms", {"sms": "delivered"})
    assert bench.actions(order.id) == ["order.sent", "order.delivered"]
    assert bench.orders.dossier(OPERATOR, order.id).order == bench.board(order), "rows and board are the same"


async def test_only_whom_an_outlet_is_for_are_told_by_it(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url, departments=["police"])
    bench.webhook(gateway.url, "voice", needs="phone")
    with bench.database.write() as transaction:
        values = {"code": "fire", "name": "消防", "added_at": 1, "phone": "13900000000"}
        transaction.connection.execute(sa.insert(department).values(values))
    bench.send()
    await bench.carry()
    said = sorted((posted.told["recipient"]["id"], posted.told["recipient"].get("phone")) for posted in gateway.posted)
    assert said == [("department:fire", "13900000000"), ("department:police", None)]


async def test_a_server_that_is_down_is_said_once_and_gets_everything_later(bench: Bench, free_port: int) -> None:
    bench.webhook(f"http://127.0.0.1:{free_port}/orders")
    orders = [bench.send() for _ in range(3)]
    await bench.carry()
    for _ in range(4):
        bench.wait(2 * MINUTE)
        await bench.carry()
    outlet, counts = bench.outlet()
    assert (outlet.state, counts.waiting, counts.dead) == ("down", 6, 0)
    assert outlet.error == "unreachable"
    assert snapshot.load(bench.database).outlets == {"sms": "sms"}
    assert bench.actions().count("outlet.failed") == 1
    gateway = Gateway(free_port)
    try:
        bench.wait(2 * MINUTE)
        await bench.carry(3)
    finally:
        gateway.close()
    assert len({posted.headers["webhook-id"] for posted in gateway.posted}) == 6
    assert bench.outlet()[0].state == "up"
    assert snapshot.load(bench.database).outlets == {}
    assert bench.actions().count("outlet.recovered") == 1
    assert all(one.ways == {"sms": "sent"} for order in orders for one in bench.board(order).recipients)


async def test_while_it_is_down_only_one_message_tries_it(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url)
    gateway.answer = lambda _posted: (503, b"")
    for _ in range(3):
        bench.send()
    await bench.carry()
    tried = len(gateway.posted)
    await bench.carry(3)
    assert len(gateway.posted) == tried, "its time has not come"
    bench.wait(2 * MINUTE)
    await bench.carry()
    assert len(gateway.posted) == tried + 1


async def test_what_the_server_refuses_for_good_is_a_dead_letter_that_can_be_sent_again(
    bench: Bench, gateway: Gateway
) -> None:
    bench.webhook(gateway.url)
    gateway.answer = lambda _posted: (422, b"")
    order = bench.send(FIRE)
    await bench.carry()
    (dead,) = bench.outlets.dead(ADMIN, "sms")
    assert (dead.error, dead.attempts) == ("refused 422", 1)
    assert bench.board(order).recipients[0].ways == {"sms": "dead"}
    assert "outlet.gave_up" in bench.actions()
    assert bench.outlet()[0].state == "new", "the server is there, it has taken nothing yet"
    gateway.answer = lambda _posted: (200, b"")
    assert bench.outlets.replay(ADMIN, name="sms", now=bench.now()) == 1
    await bench.carry()
    assert {posted.headers["webhook-id"] for posted in gateway.posted} == {dead.id}, "under the same id"
    assert bench.board(order).recipients[0].ways == {"sms": "sent"}
    assert bench.outlets.dead(ADMIN) == []


async def test_a_message_that_breaks_the_server_ends_after_so_many_tries(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url)

    def answer(posted: Posted) -> tuple[int, bytes]:
        return (500 if posted.told["recipient"]["id"] == "department:fire" else 200, b"")

    gateway.answer = answer
    bench.send()
    for _ in range(TRIES_MOST):
        await bench.carry()
        bench.wait(10 * MINUTE)
    assert [one.error for one in bench.outlets.dead(ADMIN)] == ["too_often server_error 500"]
    assert len(gateway.posted) == TRIES_MOST + 1


async def test_what_waited_too_long_is_a_dead_letter(bench: Bench, free_port: int) -> None:
    bench.webhook(f"http://127.0.0.1:{free_port}/orders")
    bench.send(FIRE)
    await bench.carry()
    bench.wait(AGE_MOST)
    await bench.carry()
    assert [one.error for one in bench.outlets.dead(ADMIN)] == ["too_old unreachable"]


async def test_a_slow_server_gets_it_again_under_the_same_id(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url, timeout_s=1)
    over = threading.Event()

    def slow(_posted: Posted) -> tuple[int, bytes]:
        over.wait(10)
        return 200, b""

    gateway.answer = slow
    bench.send(FIRE)
    await bench.carry()
    assert (bench.outlet()[1].failed, bench.outlet()[0].error) == (1, "timeout")
    over.set()
    bench.wait(2 * MINUTE)
    await bench.carry()
    assert len({posted.headers["webhook-id"] for posted in gateway.posted}) == 1
    assert len(gateway.posted) == 2


async def test_nobody_is_followed_elsewhere(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url)
    gateway.answer = lambda _posted: (307, gateway.url.encode())
    bench.send(FIRE)
    await bench.carry()
    assert len(gateway.posted) == 1
    assert bench.outlet()[0].error == "redirect_elsewhere 307"


async def test_killed_between_sending_and_recording_it_is_sent_again_and_recorded_once(
    bench: Bench, gateway: Gateway
) -> None:
    bench.webhook(gateway.url)
    order = bench.send(FIRE)
    outlet = bench.outlet()[0]
    claimed = outbox.claim(bench.database, outlet, "dead carrier", bench.now(), 20)
    await bench.carry()
    assert gateway.posted == [], "claimed by another"
    bench.wait(outbox.LEASE)
    await bench.carry()
    assert [posted.headers["webhook-id"] for posted in gateway.posted] == [claimed[0].id]
    late = [(claimed[0], recording.Outcome("sent"))]
    recording.record(bench.database, "sms", late, "dead carrier", now=bench.now())
    assert bench.actions(order.id) == ["order.sent", "order.conveyed"], "the first one's record comes to nothing"


async def test_two_carriers_at_once_send_each_message_once(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url)
    for _ in range(20):
        bench.send()
    other = Carrier(bench.settings, bench.database, lambda _seq: None, bench.now)
    while bench.outlet()[1].waiting:
        await bench.carrier.look()
        await other.look()
        await bench.carrier.settle()
        await other.settle()
    await other.stop()
    sent = [posted.headers["webhook-id"] for posted in gateway.posted]
    assert len(sent) == len(set(sent)) == 40


async def test_one_after_the_other_about_one_thing_to_one_recipient(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url)
    gateway.answer = lambda _posted: (503, b"")
    order = bench.send(FIRE)
    await bench.carry()
    bench.wait(MINUTE // 60)
    with bench.database.write() as transaction:
        outbox.queued(transaction, order, order.recipients, "cancel", bench.now())
    gateway.answer = lambda _posted: (200, b"")
    for _ in range(3):
        bench.wait(10 * MINUTE)
        await bench.carry()
    assert [posted.told["type"] for posted in gateway.posted] == ["order.send", "order.send", "order.cancel"]


async def test_what_is_more_than_fits_is_a_dead_letter_and_not_lost(
    bench: Bench, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "QUEUE_MOST", 3)
    bench.webhook(gateway.url)
    bench.send()
    bench.send()
    assert [one.error for one in bench.outlets.dead(ADMIN)] == ["queue_full"]


async def test_secrets_are_in_no_journal_table_or_log(
    bench: Bench, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    secret = bench.webhook(gateway.url)
    gateway.answer = lambda _posted: (500, secret.encode())
    bench.send()
    await bench.carry()
    with bench.database.read() as connection:
        rows = connection.execute(sa.select(delivery)).all()
    said = repr(journal.read(bench.database, 0)) + repr(rows) + repr(bench.outlet()) + caplog.text
    assert secret not in said
    assert "立即处置" not in said, "nor is the text, which is sealed"
    assert (bench.settings.data / "keys" / "outlets" / "sms.secret").stat().st_mode & 0o077 == 0
