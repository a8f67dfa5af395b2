"""A device that speaks bytes to the pure upper platform: no socket, and its clock is an argument."""

from datetime import UTC, datetime
from typing import TypeVar

from streams.gb28181 import manscdp, sip
from streams.gb28181.digest import response
from streams.gb28181.effects import Effect, Entered, Peer, Send
from streams.gb28181.known import Known, Quirks
from streams.gb28181.manscdp import Document, element
from streams.gb28181.sip import Message
from streams.gb28181.upper import Upper

CODE = "32050700002000000017"
SERVER, DOMAIN = "32050700002000000001", "3205070000"
PEER = Peer("udp", "127.0.0.1", 5070)
PASSWORD = "secret"
T = TypeVar("T")


def upper(quirks: Quirks | None = None, code: str = CODE, key: bytes = b"k") -> Upper:
    """An upper platform that has accepted one platform."""
    made = Upper(SERVER, DOMAIN, "127.0.0.1", 5060, today=lambda: datetime(2026, 1, 2, tzinfo=UTC), key=key)
    made.directory[code] = Known(code, "accepted", (PASSWORD,), quirks or Quirks())
    return made


class Device:
    """One device; what it sends is answered by `upper`."""

    def __init__(self, upper: Upper, code: str = CODE, peer: Peer = PEER) -> None:
        self.upper, self.code, self.peer = upper, code, peer
        self.call = "boot1"
        self.number = 0
        self.extra = ""

    def frame(self, method: str, body: bytes = b"", extra: str = "", call: str = "", number: int = 0) -> bytes:
        """The bytes of one request."""
        if not number:
            self.number = number = self.number + 1
        head = (
            f"Via: SIP/2.0/{self.peer.transport.upper()} 127.0.0.1:5070;rport;branch=z9{call}{number}\r\n"
            f"From: <sip:{self.code}@{DOMAIN}>;tag=1\r\nTo: <sip:{self.code}@{DOMAIN}>\r\n"
            f"Call-ID: {call or number}\r\nCSeq: {number} {method}\r\n{self.extra}{extra}"
        )
        return f"{method} sip:x@y SIP/2.0\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def send(self, now: float, method: str, body: bytes = b"", extra: str = "", call: str = "") -> list[Effect]:
        """Send a request; return what follows, the answer first."""
        return self.upper.hear(self.frame(method, body, extra, call), self.peer, now)

    def challenge(self, now: float, algorithm: str = "MD5", extra: str = "") -> dict[str, str]:
        """Ask to register; return the challenge of an algorithm."""
        found = self.send(now, "REGISTER", extra=extra, call=self.call)
        asked = [sip.parameters(one) for one in answered(found).every("www-authenticate")]
        return next(one for one in asked if one["algorithm"] == algorithm)

    def authorization(self, given: dict[str, str], password: str = PASSWORD, **other: str) -> str:
        """The header that answers a challenge; `other` fields instead of what it asks for."""
        given = given | {"username": self.code, "uri": f"sip:{SERVER}@{DOMAIN}"} | other
        told = response(password, given)
        names = ("username", "realm", "nonce", "uri", "cnonce", "algorithm")
        header = ", ".join(f'{name}="{given[name]}"' for name in names if name in given)
        header += ", qop=auth, nc=0000000a" if given.get("qop") else ""
        return f'Authorization: Digest {header}, response="{told}"\r\n'

    def register(self, now: float, expires: int = 3_600, extra: str = "") -> list[Effect]:
        """Register as it should be; return what follows from the second request."""
        extra += f"Expires: {expires}\r\n"
        header = self.authorization(self.challenge(now, extra=extra))
        return self.send(now, "REGISTER", extra=extra + header, call=self.call)

    def tell(
        self, now: float, root: str, command: str, inner: str = "", sn: int | str = 1, about: str = ""
    ) -> list[Effect]:
        """Send a MESSAGE with a body."""
        return self.send(now, "MESSAGE", manscdp.write(root, command, sn, about or self.code, inner))

    def keepalive(self, now: float) -> list[Effect]:
        """Say that it is there."""
        return self.tell(now, "Notify", "Keepalive", element("Status", "OK"))

    def piece(self, now: float, announced: int, items: list[int], sn: int | None = None) -> list[Effect]:
        """Send a piece of its catalogue, under the number that was asked for last."""
        if sn is None:
            sync = self.upper.links[self.code].sync
            assert sync is not None
            sn = sync.sn
        return self.tell(now, "Response", "Catalog", listing(announced, items), sn)


def listing(announced: int, items: list[int]) -> str:
    """The inner part of a catalogue's answer."""
    listed = "".join(f"<Item><DeviceID>320507000013200{one:05}</DeviceID><Status>ON</Status></Item>" for one in items)
    return f'<SumNum>{announced}</SumNum><DeviceList Num="{len(items)}">{listed}</DeviceList>'


def entered(quirks: Quirks | None = None, now: float = 100.0) -> Device:
    """A device that has registered."""
    device = Device(upper(quirks))
    assert any(isinstance(one, Entered) for one in device.register(now))
    return device


def answered(effects: list[Effect]) -> Message:
    """The answer that was sent first."""
    assert isinstance(effects[0], Send)
    return sip.parse(effects[0].data)


def status(effects: list[Effect]) -> int:
    """Its status."""
    return answered(effects).status


def asked(effects: list[Effect], command: str = "") -> list[tuple[Message, Document]]:
    """The requests that are sent, with their bodies, of one command or all."""
    sent = [sip.parse(one.data) for one in effects if isinstance(one, Send)]
    found = [(one, manscdp.read(one.body)) for one in sent if one.method]
    return [each for each in found if command in ("", each[1].command)]


def agreed(request: Message, code: int = 200, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
    """The bytes of a device's answer to a request of ours."""
    return sip.encode(sip.answer(request, code, "OK" if code == 200 else "No", tag="theirs", extra=extra))


def of(effects: list[Effect], kind: type[T]) -> list[T]:
    """The effects of one kind."""
    return [one for one in effects if isinstance(one, kind)]
