"""What anybody may send: no crash, no hang, bounded memory."""

from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.errors import Unreadable
from streams.gb28181 import manscdp, sip
from streams.gb28181.catalogue import listed
from streams.gb28181.digest import response
from streams.gb28181.effects import Entered, Peer, Send, Synced
from streams.gb28181.known import Known
from streams.gb28181.upper import ANSWERS_MOST, Upper

CODE = "32050700002000000017"
PEER = Peer("udp", "127.0.0.1", 5070)
HEAD = (
    "Via: SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9{n}\r\nFrom: <sip:{code}@3205070000>;tag=1\r\n"
    "To: <sip:{code}@3205070000>\r\nCall-ID: {n}\r\nCSeq: {n} {method}\r\n"
)
pieces = st.sampled_from(
    [
        b"REGISTER sip:a SIP/2.0",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"Content-Length: 5",
        b"l:999999999",
        b"From: <sip:",
        b";tag=",
        b"Authorization: Digest ",
        b'nonce="',
        b"<?xml",
        b"<Notify>",
        b"<Item>",
        b"&x;",
        b"\xff\xfe",
        b"\x00",
        b"SIP/2.0 200 OK",
    ]
)
dirt = st.lists(st.one_of(pieces, st.binary(max_size=40)), max_size=30).map(b"".join)


def told(method: str, number: int, body: bytes = b"", extra: str = "") -> bytes:
    head = HEAD.format(code=CODE, n=number, method=method)
    return f"{method} sip:x@y SIP/2.0\r\n{head}{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


def upper() -> Upper:
    made = Upper(
        "32050700002000000001",
        "3205070000",
        "127.0.0.1",
        5060,
        today=lambda: datetime(2026, 1, 2, tzinfo=UTC),
        key=b"k",
    )
    made.directory[CODE] = Known(CODE, "accepted", ("secret",))
    return made


def entered() -> Upper:
    made = upper()
    (asked,) = made.hear(told("REGISTER", 1), PEER, 100.0)
    assert isinstance(asked, Send)
    given_ = sip.parameters(sip.parse(asked.data).get("www-authenticate")) | {"username": CODE, "uri": "sip:x@y"}
    header = f'Authorization: Digest username="{CODE}", realm="{given_["realm"]}", nonce="{given_["nonce"]}", '
    header += f'uri="sip:x@y", response="{response("secret", given_)}", algorithm=MD5\r\n'
    effects = made.hear(told("REGISTER", 2, extra=header), PEER, 100.1)
    assert any(isinstance(one, Entered) for one in effects)
    return made


@given(dirt)
@example(b"REGISTER sip:a SIP/2.0\r\nFrom: <sip:" + b"9" * 70 + b"@")
def test_no_datagram_hurts(data: bytes) -> None:
    one = upper()
    for effect in one.hear(data, PEER, 1.0):
        assert not isinstance(effect, Entered)


@given(st.lists(dirt, max_size=6))
def test_no_stream_hurts_and_its_buffer_is_bounded(parts: list[bytes]) -> None:
    framer = sip.Framer(4_096)
    try:
        for part in parts:
            for frame in framer.feed(part):
                assert len(frame) <= 4_096
    except Unreadable:
        return
    assert len(framer._held) <= sip.LARGEST_HEAD + 4_096 + 4_096


@given(st.integers(1, 7), st.integers(0, 300))
def test_a_stream_cut_anywhere_gives_the_same_messages(count: int, cut: int) -> None:
    whole = b"".join(told("MESSAGE", number, b"x" * number) for number in range(count))
    framer = sip.Framer()
    found = [one for part in (whole[:cut], whole[cut:]) for one in framer.feed(part)]
    assert [sip.parse(one).body for one in found] == [b"x" * number for number in range(count)]


@given(dirt, st.sampled_from(manscdp.CHARSETS))
@example(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Notify>&b;</Notify>', "auto")
@example(b"<Notify>" * 1_000, "auto")
def test_no_body_hurts(body: bytes, charset: str) -> None:
    try:
        document = manscdp.read(body, charset)
    except Unreadable:
        return
    assert document.root in manscdp.ROOTS
    for one in document.lists("DeviceList"):
        listed(manscdp.flat(one))


@settings(max_examples=40)
@given(st.lists(dirt, max_size=5))
def test_no_body_of_a_registered_platform_hurts(bodies: list[bytes]) -> None:
    one = entered()
    for number, body in enumerate(bodies):
        one.hear(told("MESSAGE", 10 + number, body), PEER, 101.0 + number)
    assert CODE in one.links


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(0, 40))
def test_a_catalogue_is_whole_only_when_every_distinct_item_came(came: list[int], announced: int) -> None:
    one = entered()
    sync = one.links[CODE].sync
    assert sync is not None
    seen: set[int] = set()
    for number, item in enumerate(came):
        inner = f"<DeviceID>320507000013200{item:05}</DeviceID><Status>ON</Status>"
        inner = f'<SumNum>{announced}</SumNum><DeviceList Num="1"><Item>{inner}</Item></DeviceList>'
        body = manscdp.write("Response", "Catalog", sync.sn, CODE, inner)
        ended = [each for each in one.hear(told("MESSAGE", 10 + number, body), PEER, 101.0) if isinstance(each, Synced)]
        seen.add(item)
        if ended:
            assert ended[0].whole is (len(seen) == announced)
            assert len(ended[0].items) == len(seen)
            return
        assert len(seen) < announced


def test_what_is_kept_of_strangers_is_bounded() -> None:
    one = upper()
    for number in range(ANSWERS_MOST + 50):
        one.hear(told("REGISTER", number).replace(CODE.encode(), b"%020d" % number), PEER, 1.0)
    assert len(one._answers) == ANSWERS_MOST
    assert not one.links


def test_the_same_message_again_gets_the_same_answer_and_does_nothing_twice() -> None:
    one = entered()
    body = manscdp.write("Notify", "Keepalive", 1, CODE, manscdp.element("Status", "OK"))
    first = one.hear(told("MESSAGE", 7, body), PEER, 101.0)
    again = one.hear(told("MESSAGE", 7, body), PEER, 101.5)
    assert len(first) == 2 and again == first[:1]


def test_who_comes_from_elsewhere_has_to_register() -> None:
    one = entered()
    body = manscdp.write("Notify", "Keepalive", 1, CODE, manscdp.element("Status", "OK"))
    (answer,) = one.hear(told("MESSAGE", 7, body), Peer("udp", "10.9.9.9", 5070), 101.0)
    assert isinstance(answer, Send) and answer.data.startswith(b"SIP/2.0 403")
    moved = one.hear(told("MESSAGE", 8, body), Peer("udp", "127.0.0.1", 6000), 102.0)
    assert any(getattr(each, "moved", False) for each in moved)
    assert one.links[CODE].peer.port == 6000


def test_twenty_thousand_channels_behind_one_parent_are_whole_in_bounded_pieces() -> None:
    one = entered()
    sync = one.links[CODE].sync
    assert sync is not None
    total, piece = 20_000, 200
    for start in range(0, total, piece):
        codes = range(start, start + piece)
        listed_ = "".join(f"<Item><DeviceID>320507000013{code:08}</DeviceID></Item>" for code in codes)
        inner = f'<SumNum>{total}</SumNum><DeviceList Num="{piece}">{listed_}</DeviceList>'
        body = manscdp.write("Response", "Catalog", sync.sn, CODE, inner)
        ended = [each for each in one.hear(told("MESSAGE", 10 + start, body), PEER, 101.0) if isinstance(each, Synced)]
        assert bool(ended) is (start + piece == total)
    assert ended[0].whole and len({item.code for item in ended[0].items}) == total
    assert one.links[CODE].sync is None
