"""The durable log on a real engine, and its doors."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config import clock
from config.settings import Settings
from operations.sources import Source
from streams import door, engine
from streams.backlog import START, Backlog
from streams.errors import BacklogFull
from streams.intake import Intake
from streams.item import LARGEST_REPORT, LARGEST_REQUEST
from streams.limiter import Limiter
from streams.log import DECIDED, MOST_IN_PACKET
from streams.masking import pseudonym
from streams.packet import PARTITIONS
from streams.port import Port
from streams.transit import TransitSeal
from tests.streams.samples import JSON_TYPE, KEY, MAPPINGS, NOW, SOURCE, TAXONOMY, make_intake, make_log, report

pytestmark = pytest.mark.stream
ALL = dict.fromkeys(range(PARTITIONS), START)


@pytest.fixture
async def intake(settings: Settings, valkey: str) -> AsyncIterator[Intake]:
    """An intake on the test's engine."""
    log = make_log(settings)
    yield make_intake(log)
    await log.close()


@pytest.fixture
def backlog(settings: Settings, valkey: str) -> Iterator[Backlog]:
    """The reading side."""
    with engine.connect_sync(settings.redis_url) as client:
        yield Backlog(client, TransitSeal(settings.data / "keys"))


def ids(backlog: Backlog) -> list[str]:
    found = backlog.read(ALL, 0)
    return sorted(one.id for entries in found.values() for entry in entries for one in entry.packet.reports)


async def answer(intake: Intake, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    status, _, data = await door.post(intake, SOURCE, JSON_TYPE | headers, body)
    return status, json.loads(data)


async def test_a_packet_is_bounded_and_the_order_within_a_partition_kept(intake: Intake, backlog: Backlog) -> None:
    revisions = [str(n) for n in range(2 * MOST_IN_PACKET + 1)]
    await intake.accept(SOURCE, [report("same", revision=revision) for revision in revisions])
    [(number, entries)] = backlog.read(ALL, 0).items()
    assert [entry.packet.count for entry in entries] == [MOST_IN_PACKET, MOST_IN_PACKET, 1]
    assert [one.revision for entry in entries for one in entry.packet.reports] == revisions
    assert backlog.counts(number, START) == (len(revisions), len(revisions))


def waiting(backlog: Backlog) -> int:
    """Accepted and undecided reports."""
    return sum(backlog.counts(number, START)[1] for number in ALL)


async def test_what_was_accepted_is_in_the_log_and_says_so(intake: Intake, backlog: Backlog) -> None:
    items = [report("A"), {"id": "bad"}, report("B"), 5, report("C", place={"lon": 34.5, "lat": 119.2})]
    receipt = await intake.accept(SOURCE, items)
    assert (receipt.accepted, receipt.duplicates) == (2, 0)
    assert [(one.index, one.field, one.reason) for one in receipt.quarantined] == [
        (1, "title", "missing"),
        (3, "", "not_an_object"),
        (4, "place", "place_swapped"),
    ]
    assert ids(backlog) == ["A", "B"]
    found = backlog.read(ALL, 0)
    assert sum(len(entry.packet.refusals) for entries in found.values() for entry in entries) == 3
    assert waiting(backlog) == 5


async def test_a_repetition_is_told_and_kept_all_the_same(intake: Intake, backlog: Backlog) -> None:
    await intake.accept(SOURCE, [report("A")])
    receipt = await intake.accept(SOURCE, [report("A"), report("A"), report("B")])
    assert (receipt.accepted, receipt.duplicates) == (3, 2)
    assert ids(backlog) == ["A", "A", "A", "B"]


async def test_requests_that_come_together_share_a_write_and_get_their_own_receipt(intake: Intake) -> None:
    receipts = await asyncio.gather(*(intake.accept(SOURCE, [report(f"R{n % 50}"), 7]) for n in range(200)))
    assert all((one.accepted, len(one.quarantined)) == (1, 1) for one in receipts)
    assert sum(one.duplicates for one in receipts) == 150


async def test_the_order_of_one_id_is_kept(intake: Intake, backlog: Backlog) -> None:
    await asyncio.gather(*(intake.accept(SOURCE, [report("A", revision=str(n))]) for n in range(100)))
    (entries,) = backlog.read(ALL, 0).values()
    assert [one.revision for entry in entries for one in entry.packet.reports] == [str(n) for n in range(100)]


async def test_the_oldest_that_waits_is_known_until_it_is_decided(
    settings: Settings, intake: Intake, backlog: Backlog
) -> None:
    port = Port(settings)
    before = clock.now() // 1_000 * 1_000
    try:
        await intake.accept(SOURCE, [report("A")])
        oldest = (await port.gauges())["oldest_at"]["value"]
        assert before <= oldest <= clock.now()
        for partition, entries in backlog.read(ALL, 0).items():
            backlog.forget({partition: [entry.id for entry in entries]})
        assert (await port.gauges())["oldest_at"]["value"] is None
    finally:
        await port.close()


async def test_forgetting_twice_counts_once(intake: Intake, backlog: Backlog) -> None:
    await intake.accept(SOURCE, [report(str(n)) for n in range(100)])
    found = backlog.read(ALL, 0)
    decided = {number: [entry.id for entry in entries] for number, entries in found.items()}
    assert backlog.forget(decided) == 100
    assert backlog.forget(decided) == 0
    assert waiting(backlog) == 0
    assert not any(backlog.read(ALL, 0).values())
    assert int(backlog._client.hget(DECIDED, "all") or 0) == 100  # type: ignore[arg-type]


async def test_counts_add_up_at_any_cursor(intake: Intake, backlog: Backlog) -> None:
    for n in range(5):
        await intake.accept(SOURCE, [report("A", revision=str(n))])
    ((number, entries),) = backlog.read(ALL, 0).items()
    assert backlog.counts(number, START) == (5, 5)
    assert backlog.counts(number, entries[1].id) == (5, 3)


async def test_the_bound_refuses_with_503_and_opens_again(settings: Settings, backlog: Backlog) -> None:
    log = make_log(settings, bound=10)
    intake = make_intake(log)
    await intake.accept(SOURCE, [report(str(n)) for n in range(8)])
    status, headers, body = await door.post(intake, SOURCE, JSON_TYPE, json.dumps([report("x")] * 3).encode())
    assert (status, headers["retry-after"], json.loads(body)["code"]) == (503, "5", "backlog_full")
    with pytest.raises(BacklogFull):
        await intake.accept(SOURCE, [report("x")] * 3)
    assert len(ids(backlog)) == 8  # nothing of the refused request is there
    backlog.forget({number: [entry.id for entry in entries] for number, entries in backlog.read(ALL, 0).items()})
    assert (await intake.accept(SOURCE, [report("x")] * 3)).accepted == 3
    await log.close()


async def test_a_packet_of_another_installation_is_told_apart(
    intake: Intake, backlog: Backlog, settings: Settings
) -> None:
    await intake.accept(SOURCE, [report("A")])
    with engine.connect_sync(settings.redis_url) as client:
        stranger = Backlog(client, TransitSeal(settings.data / "elsewhere"))
        ((_, (entry,)),) = stranger.read(ALL, 0).items()
    assert "not sealed with one of our" in entry.fault and entry.count == 1 and entry.sealed


async def test_a_write_that_fails_unforeseen_leaves_nobody_waiting(
    settings: Settings, valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = make_log(settings)
    monkeypatch.setattr(log, "_commands", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await make_intake(log).accept(SOURCE, [report()])
    monkeypatch.undo()
    assert (await make_intake(log).accept(SOURCE, [report()])).accepted == 1
    await log.close()


async def test_post_answers(intake: Intake) -> None:
    good = json.dumps(report()).encode()
    assert await answer(intake, good) == (202, {"accepted": 1, "duplicates": 0, "quarantined": []})
    assert (await answer(intake, b"[]"))[0] == 202
    for body, headers, status, code in (
        (b"{", {}, 422, "unreadable"),
        (b"{}", {}, 422, "unreadable"),
        (b'"x"', {}, 422, "unreadable"),
        (json.dumps([{}] * 1_001).encode(), {}, 422, "too_many_items"),
        (good, {"content-type": "text/csv"}, 415, "not_json_type"),
        (good, {"content-type": "application/json; charset=gb18030"}, 415, "not_utf8_charset"),
        (good, {"content-encoding": "gzip"}, 415, "compressed"),
        (json.dumps(report(text="x" * LARGEST_REPORT)).encode(), {}, 413, "report_too_large"),
        (b" " * (LARGEST_REQUEST + 1), {}, 413, "request_too_large"),
    ):
        got, said = await answer(intake, body, **headers)
        assert (got, said["code"]) == (status, code)
        assert said["text"]["zh"] and said["text"]["en"]


async def test_a_number_in_an_identifier_is_hidden_under_the_installations_key(
    intake: Intake, backlog: Backlog
) -> None:
    assert (await answer(intake, json.dumps(report("GD/13812345678")).encode()))[0] == 202
    assert ids(backlog) == [pseudonym("GD/13812345678", KEY)] != [pseudonym("GD/13812345678", b"")]


async def test_an_oversized_report_in_an_array_spoils_nothing(intake: Intake) -> None:
    body = json.dumps([report("A"), report("B", text="x" * LARGEST_REPORT)]).encode()
    status, said = await answer(intake, body)
    assert (status, said["accepted"], said["quarantined"][0]["reason"]) == (202, 1, "too_large")


async def test_items_no_reader_likes_spoil_nothing_at_either_door(intake: Intake, backlog: Backlog) -> None:
    huge = json.dumps(report("H", place={"lon": 119, "lat": 10**400})).encode()
    good = json.dumps(report("G")).encode()
    status, said = await answer(intake, b"[" + b",".join((huge, b'{"lon":NaN}', good, b'{"id":"\\ud800"}')) + b"]")
    assert (status, said["accepted"]) == (202, 1)
    assert [(one["index"], one["reason"]) for one in said["quarantined"]] == [
        (0, "number_out_of_range"),
        (1, "malformed_json"),
        (3, "malformed_json"),
    ]
    assert (await answer(intake, huge))[0] == 422
    wire = Wire()
    serving = asyncio.create_task(door.serve(intake, SOURCE, wire.inbox.get, wire.send))
    wire.inbox.put_nowait(b'{"id":1,"reports":[' + huge + b"," + good + b"]}")
    told = await wire.outbox.get()
    assert (told["ack"], told["accepted"], told["quarantined"][0]["index"]) == (1, 1, 0)
    wire.inbox.put_nowait(b'{"id":2,"reports":[{"lon":NaN},' + good + b"]}")
    told = await wire.outbox.get()
    assert (told["ack"], told["duplicates"]) == (2, 1)
    assert [(one["index"], one["reason"]) for one in told["quarantined"]] == [(0, "malformed_json")]
    wire.inbox.put_nowait(None)
    await serving
    assert set(ids(backlog)) == {"G"}


async def test_what_cannot_be_read_at_all_is_kept_sealed(intake: Intake, backlog: Backlog) -> None:
    status, said = await answer(intake, b"{{{ 13812345678")
    assert (status, said["quarantined"][0]["reason"]) == (422, "malformed_json")
    ((_, (entry,)),) = backlog.read(ALL, 0).items()
    assert entry.packet.refusals[0].raw == b"{{{ 13812345678"


async def test_a_websocket_message_that_cannot_be_read_is_kept_sealed_too(intake: Intake, backlog: Backlog) -> None:
    wire = Wire()
    serving = asyncio.create_task(door.serve(intake, SOURCE, wire.inbox.get, wire.send))
    for sent in ("{{{ 13812345678", b"\xff\xfe"):
        wire.inbox.put_nowait(sent)
        told = await wire.outbox.get()
        assert (told["nack"], told["code"], len(told["quarantined"])) == (None, "unreadable", 1)
        assert told["text"]["zh"] and told["text"]["en"]
    wire.say(id=9, reports=[{}] * 1_001)
    told = await wire.outbox.get()
    assert (told["nack"], told["code"], "1001" in told["text"]["en"]) == (9, "too_many_items", True)
    wire.inbox.put_nowait(None)
    await serving
    entries = [entry for found in backlog.read(ALL, 0).values() for entry in found]
    assert {one.raw for entry in entries for one in entry.packet.refusals} == {b"{{{ 13812345678", b"\xff\xfe"}


async def test_too_fast_is_429_with_retry_after(settings: Settings, valkey: str) -> None:
    log = make_log(settings)
    intake = Intake(log, TAXONOMY, MAPPINGS, now=lambda: NOW, limiter=Limiter(lambda: 7.0), digest_key=KEY)
    slow = Source(id="slow", name="s", rate_limit=0.1)
    assert (await door.post(intake, slow, JSON_TYPE, b"[{}]"))[0] == 202
    status, headers, body = await door.post(intake, slow, JSON_TYPE, b"[{}]")
    assert (status, headers["retry-after"], json.loads(body)["code"]) == (429, "11", "rate_exceeded")
    await log.close()


async def test_a_source_whose_mapping_is_gone_is_503(intake: Intake) -> None:
    lost = Source(id="lost", name="l", mapping="nowhere")
    status, _, body = await door.post(intake, lost, JSON_TYPE, b"[{}]")
    assert (status, json.loads(body)["code"]) == (503, "mapping_missing")


class Wire:
    """A WebSocket's two ends without the network."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, text: str) -> None:
        self.outbox.put_nowait(json.loads(text))

    def say(self, **message: Any) -> None:
        self.inbox.put_nowait(json.dumps(message))


async def test_a_websocket_is_acknowledged_by_id_after_fsync(intake: Intake, backlog: Backlog) -> None:
    wire = Wire()
    serving = asyncio.create_task(door.serve(intake, SOURCE, wire.inbox.get, wire.send))
    wire.say(id="m1", report=report("A"))
    assert await wire.outbox.get() == {"ack": "m1", "accepted": 1, "duplicates": 0, "quarantined": []}
    assert ids(backlog) == ["A"]
    wire.say(id=2, reports=[report("A"), 5])
    again = await wire.outbox.get()
    assert (again["ack"], again["duplicates"], again["quarantined"][0]["index"]) == (2, 1, 1)
    for broken in ("{", '{"id":"x"}', '{"report":{}}', '{"id":"x","reports":5}'):
        wire.inbox.put_nowait(broken)
        nack = await wire.outbox.get()
        assert nack["nack"] in ("x", None) and nack["code"] == "unreadable" and nack["text"]["zh"]
    wire.inbox.put_nowait(None)
    await serving


async def test_a_websocket_is_not_read_while_its_window_is_full(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    accept = intake.accept

    async def held(source: Source, items: Any) -> Any:
        await gate.wait()
        return await accept(source, items)

    monkeypatch.setattr(intake, "accept", held)
    wire = Wire()
    serving = asyncio.create_task(door.serve(intake, SOURCE, wire.inbox.get, wire.send))
    for number in range(3 * door.WINDOW):
        wire.say(id=number, report=report(str(number)))
    for _ in range(200):
        await asyncio.sleep(0)
    assert wire.inbox.qsize() == 2 * door.WINDOW
    assert wire.outbox.empty()
    gate.set()
    assert sorted([(await wire.outbox.get())["ack"] for _ in range(3 * door.WINDOW)]) == [*range(3 * door.WINDOW)]
    wire.inbox.put_nowait(None)
    await serving


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.just(10**400) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())
CLOUDEVENTS = ["application/cloudevents+json", "application/cloudevents-batch+json"]
SHORT = st.text(max_size=6)
HEADERS = st.fixed_dictionaries(
    {"content-type": st.sampled_from(["application/json", *CLOUDEVENTS, "text/html", "", ";;=", "a/b+json"]) | SHORT},
    optional={"ce-specversion": SHORT, "ce-id": SHORT, "content-encoding": SHORT},
)


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HEADERS, BODIES)
def test_whatever_is_posted_the_door_answers(
    settings: Settings, valkey: str, headers: dict[str, str], body: bytes
) -> None:
    async def ask() -> int:
        log = make_log(settings)
        try:
            status, _, data = await door.post(make_intake(log), SOURCE, headers, body)
        finally:
            await log.close()
        json.loads(data)
        return status

    assert asyncio.run(ask()) in (202, 413, 415, 422)
