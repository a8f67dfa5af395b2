"""Any conversation with a registered platform: no crash, memory bounded, and only a whole catalogue is called whole."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.gb28181 import manscdp, sip
from streams.gb28181.effects import Effect, Peer, Send, Synced
from tests.streams.gb28181.wire import CODE, PEER, Device, agreed, asked, entered, listing, of

ROOTS = ["Notify", "Response", "Query"]
WORDS = ["", "Catalog", "Alarm", "Keepalive", "MobilePosition", "DeviceInfo", "DeviceStatus", "PTZ"]
moves = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 31.0, 200.0, 4_000.0])),
    st.tuples(st.just("piece"), st.integers(0, 6), st.lists(st.integers(0, 6), max_size=4)),
    st.tuples(st.just("tell"), st.sampled_from(ROOTS), st.sampled_from(WORDS), st.text(max_size=9)),
    st.tuples(st.just("answer"), st.sampled_from([100, 200, 403, 481, 503]), st.text("0123456789", max_size=9)),
    st.tuples(st.just("boot"), st.integers(0, 2)),
    st.tuples(st.just("move"), st.integers(1, 3)),
)  # fmt: skip


@settings(max_examples=30)
@given(st.lists(moves, max_size=14))
def test_any_conversation_stays_bounded_and_honest(told: list[tuple[object, ...]]) -> None:
    device, now = entered(), 100.0
    sent: list[Effect] = []
    for move in told:
        found = _does(device, move, now, sent)
        if move[0] == "wait":
            now += float(str(move[1]))
        sent = [*sent, *of(found, Send)][-20:]
        for one in of(found, Synced):
            assert one.whole is (not one.why)
            assert not one.whole or len({item.code for item in one.items}) == one.announced
        link = device.upper.links.get(CODE)
        assert len(device.upper.links) <= 1 and len(device.upper._requests._asked) <= 200
        assert link is None or len(link.dialogs) <= 3


def _does(device: Device, move: tuple[object, ...], now: float, sent: list[Effect]) -> list[Effect]:
    link = device.upper.links.get(CODE)
    if move[0] == "piece" and link is not None and link.sync is not None:
        body = manscdp.write("Response", "Catalog", link.sync.sn, CODE, listing(int(str(move[1])), list(move[2])))  # type: ignore[call-overload]
        return device.send(now, "MESSAGE", body)
    if move[0] == "tell":
        return device.tell(now, str(move[1]), str(move[2]), manscdp.element("SumNum", move[3]))
    if move[0] == "answer" and (requests := asked(sent)):
        extra = (("expires", str(move[2])),)
        return device.upper.hear(agreed(requests[-1][0], int(str(move[1])), extra), PEER, now)
    if move[0] == "boot":
        device.call = f"boot{move[1]}"
        return device.register(now)
    if move[0] == "move":
        device.peer = Peer("udp", f"127.0.0.{move[1]}", 5_070)
    return device.upper.tick(now)


def test_what_is_made_to_be_slow_is_not() -> None:
    device, started = entered(), time.process_time()
    evil = [
        b"<Notify>" + b"<a>" * 60_000,
        b"&" * 200_000,
        b"<?xml " + b"encoding=" * 20_000,
        b"<Notify>" + b"&#1" * 60_000,
    ]
    for number, body in enumerate(evil):
        device.send(101.0 + number, "MESSAGE", body)
    heads = [b"Via: " + b";branch " * 1_900, b"Authorization: Digest " + b'a="' * 5_000, b"From: " + b"sip:" * 3_900]
    for head in heads:
        device.upper.hear(b"REGISTER sip:x SIP/2.0\r\n" + head + b"\r\n\r\n", PEER, 110.0)
    framer = sip.Framer()
    for _ in range(60):
        framer.feed(b"\r\n " * 80)
    assert time.process_time() - started < 5
