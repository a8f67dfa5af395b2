"""The client's side of RTSP, without a wire: what it asks, what it takes, what it refuses."""

import hashlib
import re

import pytest

from streams.video import challenge, rtsp
from streams.video.address import Address, follow, parse
from streams.video.errors import AddressWrong, CameraRefused, Malformed, NoPicture, PasswordWrong

SDP = (
    b"v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\na=control:*\r\nm=audio 0 RTP/AVP 8\r\na=control:trackID=2\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; "
    b"sprop-parameter-sets=Z00=,aM4=\r\n"
    b"a=control:trackID=1\r\n"
)
HERE = parse("rtsp://camera:8554/live")


def _said(out: bytes) -> tuple[str, str, dict[str, str]]:
    lines = out.decode().split("\r\n")
    method, url, _ = lines[0].split(" ")
    return method, url, dict(line.split(": ", 1) for line in lines[1:] if line)


def _answer(status: int, sequence: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [
        f"RTSP/1.0 {status} Word",
        f"CSeq: {sequence}",
        *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items()),
    ]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _played(client: rtsp.Client) -> list[rtsp.Event]:
    assert _said(client.begin())[0] == "DESCRIBE"
    client.receive(_answer(200, 1, SDP), 0.0)
    assert _said(client.outgoing())[:2] == ("SETUP", "rtsp://camera:8554/live/trackID=1")
    client.receive(_answer(200, 2, Session="ab;timeout=30", Transport="RTP/AVP/TCP;interleaved=4-5"), 0.0)
    method, _, headers = _said(client.outgoing())
    assert (method, headers["Session"]) == ("PLAY", "ab")
    return client.receive(_answer(200, 3), 0.0)[1]


def test_of_several_tracks_the_picture_is_played_and_only_its_packets_are_taken() -> None:
    client = rtsp.Client(HERE)
    (event,) = _played(client)
    assert isinstance(event, rtsp.Playing) and event.media.codec == "H264"
    given = b"$\x04\0\x03abc$\x05\0\x01x$\x00\0\x01y$\x04\0\x02de"
    packets: list[bytes] = []
    for at in range(len(given)):  # as TCP may cut it
        packets += client.receive(given[at : at + 1], 1.0)[0]
    assert packets == [b"abc", b"de"]


def test_it_gives_signs_of_life_and_another_one_where_the_first_is_not_known() -> None:
    client = rtsp.Client(HERE)
    _played(client)
    assert client.due(14.9) == b""
    assert _said(client.due(15.0))[0] == "GET_PARAMETER"
    client.receive(_answer(501, 4), 15.1)
    assert client.due(29.0) == b"" and _said(client.due(30.1))[0] == "OPTIONS"
    assert _said(client.goodbye())[0] == "TEARDOWN"


@pytest.mark.parametrize(("algorithm", "name"), [("", "md5"), ("MD5", "md5"), ("SHA-256", "sha256")])
def test_a_digest_is_what_the_camera_computes_too(algorithm: str, name: str) -> None:
    client = rtsp.Client(parse("rtsp://camera/live", "op", 'p"w:x'))
    client.begin()
    word = f', algorithm={algorithm}, qop="auth,auth-int"' if algorithm else ""
    asked = f'Digest realm="IP Camera", nonce="n1"{word}'
    client.receive(_answer(401, 1, WWW_Authenticate=asked), 0.0)
    _, url, headers = _said(client.outgoing())
    fields = dict(re.findall(r'(\w+)="?([^",]*)', headers["Authorization"].removeprefix("Digest ")))

    def digest(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    counted = f"{fields['nc']}:{fields['cnonce']}:auth:" if algorithm else ""
    secret, what = digest('op:IP Camera:p"w:x'), digest(f"DESCRIBE:{url}")
    assert fields["response"] == digest(f"{secret}:n1:{counted}{what}")
    with pytest.raises(PasswordWrong):
        client.receive(_answer(401, 2, WWW_Authenticate=asked), 0.0)


def test_the_strongest_way_of_proving_is_taken() -> None:
    lines = 'Basic realm="a"\nDigest realm="a", nonce="1"\nDigest realm="a", nonce="2", algorithm=SHA-256\nNegotiate x'
    assert challenge.best(lines).nonce == "2"
    assert challenge.answer(challenge.best('Basic realm="a"'), "PLAY", "x", "a", "b") == "Basic YTpi"
    with pytest.raises(PasswordWrong):
        challenge.best("Negotiate x")


def test_a_camera_may_ask_too_and_may_send_elsewhere_or_end_it() -> None:
    client = rtsp.Client(parse("rtsp://op:pw@camera:8554/live"))
    _played(client)
    assert client.receive(b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n", 1.0) == ([], [])
    assert client.outgoing() == b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n"
    client.receive(b"RECORD * RTSP/1.0\r\nCSeq: 8\r\n\r\n", 1.0)
    assert client.outgoing().startswith(b"RTSP/1.0 501 ")
    (event,) = client.receive(b"REDIRECT * RTSP/1.0\r\nCSeq: 9\r\nLocation: rtsp://other/x\r\n\r\n", 1.0)[1]
    assert isinstance(event, rtsp.Redirected) and (event.address.host, event.address.password) == ("other", "")
    assert client.receive(b"TEARDOWN * RTSP/1.0\r\nCSeq: 10\r\n\r\n", 1.0)[1] == [rtsp.Ended()]


def test_a_nonce_that_is_over_is_replaced_while_it_plays() -> None:
    client = rtsp.Client(parse("rtsp://op:pw@camera/live"))
    client.begin()
    client.receive(_answer(401, 1, WWW_Authenticate='Digest realm="a", nonce="one"'), 0.0)
    client.outgoing()
    client.receive(_answer(200, 2, SDP), 0.0)
    client.receive(_answer(200, 3, Session="ab", Transport="RTP/AVP/TCP;interleaved=0-1"), 0.0)
    client.receive(_answer(200, 4), 0.0)
    client.outgoing()
    assert 'nonce="one"' in _said(client.due(20.0))[2]["Authorization"]
    client.receive(_answer(401, 5, WWW_Authenticate='Digest realm="a", nonce="two", stale=true'), 20.1)
    assert 'nonce="two"' in _said(client.due(40.0))[2]["Authorization"]


def test_without_a_password_it_says_so_at_once() -> None:
    client = rtsp.Client(HERE)
    client.begin()
    with pytest.raises(PasswordWrong, match="none are known"):
        client.receive(_answer(401, 1, WWW_Authenticate='Basic realm="x"'), 0.0)


def test_a_redirect_is_followed_with_the_password_only_to_the_same_host() -> None:
    client = rtsp.Client(parse("rtsp://op:p%40w@camera/live"))
    client.begin()
    (event,) = client.receive(_answer(302, 1, Location="rtsp://camera:9/other"), 0.0)[1]
    assert isinstance(event, rtsp.Redirected)
    assert event.address == Address("camera", 9, False, "rtsp://camera:9/other", "op", "p@w")
    assert follow(event.address, "rtsp://elsewhere/x").username == ""
    assert follow(parse("rtsps://op:pw@camera/a"), "rtsp://camera/a").username == ""


def test_what_cannot_be_shown_is_refused_with_a_reason() -> None:
    client = rtsp.Client(HERE)
    client.begin()
    with pytest.raises(NoPicture, match="JPEG"):
        client.receive(_answer(200, 1, SDP.replace(b"H264", b"JPEG")), 0.0)
    client = rtsp.Client(HERE)
    client.begin()
    with pytest.raises(CameraRefused, match="404"):
        client.receive(_answer(404, 1), 0.0)


@pytest.mark.parametrize(
    "given",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"RTSP/1.0 OK\r\n\r\n",
        b"x" * 20_000,
        b"RTSP/1.0 200 OK\r\nContent-Length: 9999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"\x00\x01\x02",
    ],
)
def test_what_is_no_rtsp_is_said_to_be_none(given: bytes) -> None:
    client = rtsp.Client(HERE)
    client.begin()
    with pytest.raises(Malformed):
        client.receive(given, 0.0)


@pytest.mark.parametrize(
    "url", ["http://camera/x", "rtsp:///x", "rtsp://camera:x/", "rtsp://a b/", "rtsp://c/\r\nX: y"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(AddressWrong):
        parse(url)


def test_an_address_keeps_its_password_apart() -> None:
    assert parse("rtsp://op:p%3Aw@[::1]:8554/a?b=c") == Address(
        "::1", 8554, False, "rtsp://[::1]:8554/a?b=c", "op", "p:w"
    )
    assert parse("rtsps://op:old@cam/a", "new", "pw") == Address("cam", 322, True, "rtsps://cam/a", "new", "pw")
