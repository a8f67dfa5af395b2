"""Reports upwards by a way out: sent once it has taken them, with its proof; by hand as long as it has not."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from config.settings import Settings
from config.upward import current
from operations import journal, upward
from operations.database import Database
from operations.errors import Refused
from operations.outlets import outbox
from operations.seal import KeyStore
from operations.upward import Report, Reports, Written
from streams.outlets.signature import verified
from tests.operations.desk import COMMANDER, LEAVES, ZONE, Desk
from tests.operations.desk import report as reported
from tests.streams.gateway import Gateway
from tests.streams.test_outlets import ADMIN, OPERATOR, Bench

pytestmark = pytest.mark.database
RULES = replace(current(), outlet="above")


@pytest.fixture
async def bench(settings: Settings, database: Database) -> AsyncIterator[Bench]:
    """Outlets and a carrier on one database."""
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


def signed(bench: Bench, reports: Reports) -> Report:
    """A first report that was signed."""
    desk = Desk(bench.database, bench.keys, now=bench.now())
    desk.send(reported("A1", grid_code=LEAVES[0], occurred_at=bench.now(), received_at=bench.now()))
    before = desk.incident()
    with bench.database.write() as transaction:
        graded = structs.replace(before, grade="major")
        journal.append(transaction, upward.required(transaction, before, graded, ZONE, bench.now()))
    first = reports.listed(OPERATOR)[0]
    at = reports.write(OPERATOR, first.id, first.revision, {"facts": "气体泄漏", "next": "监测"}).revision
    return reports.sign(COMMANDER, first.id, at)


def reports_of(bench: Bench, **values: Any) -> Reports:
    """The commands, with a recipient that names an outlet."""
    rules = replace(RULES, **values)
    return Reports(bench.database, bench.keys, zone=ZONE, now=bench.now, rules=rules)


def written(bench: Bench, id: str) -> Written:
    """The report as it stands."""
    return reports_of(bench).written(OPERATOR, id)


async def test_a_report_leaves_signed_and_is_sent_once_it_was_taken(bench: Bench, gateway: Gateway) -> None:
    secret = bench.webhook(gateway.url, "above", purposes=("report",))
    reports = reports_of(bench)
    one = signed(bench, reports)
    sending = reports.send(OPERATOR, one.id, one.revision)
    assert (sending.state, sending.waits, written(bench, one.id).way) == ("sending", True, "waiting")
    with pytest.raises(Refused):
        reports.send(OPERATOR, one.id, sending.revision)
    gateway.answer = lambda _posted: (503, b"")
    await bench.carry()
    assert written(bench, one.id).report.state == "sending"
    gateway.answer = lambda _posted: (200, b"")
    bench.wait(400_000_000)
    await bench.carry(2)
    posted = gateway.posted[-1]
    assert verified(secret, posted.headers, posted.body, float(posted.headers["webhook-timestamp"]))
    assert posted.told["type"] == "upward.report" and posted.told["report"]["number"] == one.number
    assert posted.told["text"] == "基本情况：气体泄漏\n\n下一步：监测"
    after = written(bench, one.id).report
    assert after.state == "sent" and after.proof == upward.Proof("outlet", f"above {posted.told['id']}")
    assert [one.kind for one in reports.listed(OPERATOR) if one.waits] == ["continued"]
    assert bench.actions(one.id)[-2:] == ["upward.sending", "upward.sent"]
    assert "气体" not in str([entry.body for entry in journal.read(bench.database, 0)])


async def test_what_was_sent_by_hand_meanwhile_does_not_leave(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url, "above")
    reports = reports_of(bench)
    one = signed(bench, reports)
    sending = reports.send(OPERATOR, one.id, one.revision)
    reports.sent(OPERATOR, one.id, sending.revision, "phone", to="李值班")
    await bench.carry(2)
    assert gateway.posted == []
    with bench.database.read() as connection:
        assert [parcel.state for parcel in outbox.of_subject(connection, one.id)] == ["dropped"]


async def test_one_that_was_refused_is_a_dead_letter_that_can_be_sent_again(bench: Bench, gateway: Gateway) -> None:
    bench.webhook(gateway.url, "above")
    gateway.answer = lambda _posted: (422, b"")
    reports = reports_of(bench)
    one = signed(bench, reports)
    sending = reports.send(OPERATOR, one.id, one.revision)
    await bench.carry()
    assert written(bench, one.id).way == "dead"
    gateway.answer = lambda _posted: (200, b"")
    bench.outlets.replay(ADMIN, now=bench.now(), name="above")
    await bench.carry()
    assert written(bench, one.id).report.state == "sent"
    with pytest.raises(Refused):
        reports.sent(OPERATOR, one.id, sending.revision, "phone", to="李")


async def test_a_way_out_that_cannot_be_used_is_said(bench: Bench, gateway: Gateway) -> None:
    one = signed(bench, reports_of(bench))
    for values, code in (({"outlet": ""}, "no_outlet"), ({}, "outlet_gone")):
        with pytest.raises(Refused, match=code):
            reports_of(bench, **values).send(OPERATOR, one.id, one.revision)
    bench.webhook(gateway.url, "above", needs="phone")
    with pytest.raises(Refused, match="address_missing"):
        reports_of(bench).send(OPERATOR, one.id, one.revision)
