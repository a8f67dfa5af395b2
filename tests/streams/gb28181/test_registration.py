"""Registration on the wire, mostly of those who may not: digests, nonces, realms, expiry, networks."""

import hashlib
import ipaddress

import pytest

from streams.gb28181.digest import NONCE_SECONDS, response
from streams.gb28181.effects import Entered, Heard, Knocked, Left, Peer
from streams.gb28181.known import Known, Quirks
from streams.gb28181.manscdp import element
from tests.streams.gb28181.wire import CODE, PEER, Device, answered, asked, entered, of, status, upper


def test_digests_are_those_of_the_standards() -> None:
    given = {
        "username": "Mufasa", "realm": "testrealm@host.com", "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "uri": "/dir/index.html", "qop": "auth", "nc": "00000001", "cnonce": "0a4f113b",
    }  # fmt: skip
    assert response("Circle Of Life", given, "GET") == "6629fae49393a05397450978507c4ef1"  # RFC 2617, 3.5
    sm3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # GB/T 32905, A.1
    assert hashlib.new("sm3", b"abc").hexdigest() == sm3
    first, second = (hashlib.new("sm3", text).hexdigest() for text in (b"u:r:p", b"REGISTER:sip:x"))
    told = response("p", {"username": "u", "realm": "r", "uri": "sip:x", "nonce": "n", "algorithm": "SM3"})
    assert told == hashlib.new("sm3", f"{first}:n:{second}".encode()).hexdigest()


@pytest.mark.parametrize("qop", ["", "auth"])
@pytest.mark.parametrize("algorithm", ["MD5", "SM3"])
def test_either_digest_lets_in_who_knows_the_password(algorithm: str, qop: str) -> None:
    device = Device(upper(Quirks(sm3=True)))
    given = device.challenge(1.0, algorithm) | ({"qop": qop, "nc": "0000000a", "cnonce": "c"} if qop else {})
    found = device.send(1.0, "REGISTER", extra=device.authorization(given))
    assert status(found) == 200 and of(found, Entered)
    wrong = device.authorization(device.challenge(2.0, algorithm), "wrong")
    assert status(device.send(2.0, "REGISTER", extra=wrong)) == 403


def test_sm3_is_offered_to_2022_and_md5_alone_to_the_rest() -> None:
    device = Device(upper())
    assert device.challenge(1.0, "SM3", extra="X-GB-Ver: 3.0\r\n")["realm"] == "3205070000"
    with pytest.raises(StopIteration):
        device.challenge(1.0, "SM3", extra="X-GB-Ver: 2.0\r\n")


def test_an_overheard_registration_cannot_be_used_again() -> None:
    device = Device(upper())
    header = device.authorization(device.challenge(1.0))
    assert of(device.send(1.0, "REGISTER", extra=header), Entered)
    again = device.send(2.0, "REGISTER", extra=header)
    assert status(again) == 401 and "stale=true" in answered(again).get("www-authenticate") and not of(again, Entered)


def test_old_foreign_and_lent_nonces_are_stale() -> None:
    device = Device(upper())
    header = device.authorization(device.challenge(1.0))
    old = device.send(1.0 + NONCE_SECONDS + 1, "REGISTER", extra=header)
    assert (status(old), len(old)) == (401, 1) and "stale=true" in answered(old).get("www-authenticate")
    other = Device(upper(key=b"another process"))
    assert status(device.send(2.0, "REGISTER", extra=device.authorization(other.challenge(2.0)))) == 401
    code = "32050700002000000018"
    device.upper.directory[code] = Known(code, "accepted", ("secret",))
    lent = Device(device.upper, code).challenge(3.0)
    assert status(device.send(3.0, "REGISTER", extra=device.authorization(lent))) == 401
    assert (
        status(device.send(4.0, "REGISTER", extra=device.authorization({"nonce": "zz", "realm": "3205070000"}))) == 401
    )
    assert not device.upper.links


@pytest.mark.parametrize(
    "other", [{"realm": "4401020000"}, {"username": "32050700002000000018"}, {"algorithm": "SHA-256"}]
)
def test_what_is_not_for_us_is_refused_and_seen(other: dict[str, str]) -> None:
    device = Device(upper())
    found = device.send(1.0, "REGISTER", extra=device.authorization(device.challenge(1.0), **other))
    assert status(found) == 403 and [one.why for one in of(found, Knocked)] == ["password"]


def test_unknown_and_waiting_devices_get_no_challenge() -> None:
    device = Device(upper(), "32050700002000000099")
    assert [one.why for one in of(device.send(1.0, "REGISTER"), Knocked)] == ["unknown"]
    device.upper.directory[device.code] = Known(device.code, "waiting", ("secret",))
    found = device.send(2.0, "REGISTER")
    assert status(found) == 403 and [one.why for one in of(found, Knocked)] == ["waiting"]


def test_leaving_needs_the_password_too() -> None:
    device = entered()
    assert status(device.send(101.0, "REGISTER", extra="Expires: 0\r\n")) == 401 and CODE in device.upper.links
    found = device.register(102.0, expires=0)
    assert status(found) == 200 and of(found, Left) and CODE not in device.upper.links


def test_a_registration_ends_even_of_one_that_keeps_alive_and_may_begin_again() -> None:
    device = Device(upper())
    found = device.register(100.0, expires=60)  # 9.1.2.1: not below an hour
    assert answered(found).get("expires") == "3600" and of(found, Entered)[0].seconds == 3_600
    for now in range(160, 3_700, 60):
        assert status(device.keepalive(float(now))) == 200
    assert [one.why for one in of(device.upper.tick(3_701.0), Left)] == ["expired"]
    assert status(device.keepalive(3_702.0)) == 403
    again = device.register(3_703.0)
    assert of(again, Entered)[0].fresh and asked(again, "catalog")


def test_registering_again_in_time_asks_for_nothing_anew() -> None:
    device = entered()
    again = device.register(2_000.0)
    assert not of(again, Entered)[0].fresh and not asked(again)
    assert not of(device.upper.tick(2_100.0), Left)


def test_the_password_of_a_network_goes_by_where_it_comes_from_now() -> None:
    one = upper()
    one.directory[CODE] = Known(CODE, "accepted")
    one.networks = tuple(
        (ipaddress.IPv4Network(net), word) for net, word in {"10.8.1.0/24": "near", "10.8.0.0/16": "far"}.items()
    )
    for host, password in {"10.8.1.7": "near", "10.8.9.9": "far"}.items():
        device = Device(one, peer=Peer("udp", host, 5060))
        device.call = host
        header = device.authorization(device.challenge(1.0), password)
        assert of(device.send(1.0, "REGISTER", extra=header), Entered), host
    outside = Device(one, peer=Peer("udp", "10.9.0.1", 5060))
    outside.number = 90
    assert status(outside.send(2.0, "REGISTER", extra=outside.authorization(outside.challenge(2.0), "far"))) == 403


def test_the_time_is_told_with_every_registration() -> None:
    found = Device(upper()).register(1.0)
    assert answered(found).get("date").startswith("2026-01-02T00:00:00.000")


def test_two_devices_that_count_alike_are_both_heard() -> None:
    one = upper()
    twin = "32050700002000000018"
    one.directory[twin] = Known(twin, "accepted", ("secret",))
    first, second = Device(one), Device(one, twin, Peer("udp", "127.0.0.1", 5071))
    assert of(first.register(1.0), Entered) and of(second.register(1.0), Entered)
    assert of(first.keepalive(2.0), Heard) and of(second.keepalive(2.0), Heard)


def test_a_device_that_starts_anew_and_counts_as_before_is_heard() -> None:
    device = entered()
    device.number = 0
    assert of(device.register(500.0), Entered)  # the very same Call-ID, CSeq and branch as 400 s ago


def test_another_address_counts_where_it_may_roam_and_is_kept() -> None:
    device = entered(Quirks(roams=True))
    device.peer = Peer("udp", "10.1.1.1", 6_000)
    found = device.tell(101.0, "Notify", "Keepalive", element("Status", "OK"))
    assert of(found, Heard)[0].moved and device.upper.links[CODE].peer == device.peer != PEER
    settled = entered()
    settled.peer = Peer("udp", "10.1.1.1", 6_000)
    assert status(settled.keepalive(101.0)) == 403
