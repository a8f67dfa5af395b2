"""The client's side of RTSP (RFC 2326) over TCP, without input or output: bytes in, bytes and events out.

DESCRIBE, SETUP of the video track alone (a camera's sound is not asked for), PLAY, and a request now and then so that
the camera does not think us gone. A camera that asks for a password is answered once.
"""

import os
from typing import NamedTuple
from urllib.parse import urljoin

from streams.video import challenge, message, sdp
from streams.video.address import Address, follow
from streams.video.errors import AddressWrong, CameraRefused, Malformed, NoPicture, PasswordWrong
from streams.video.message import Answer, Packet

ALIVE_EVERY = 20.0
"""Seconds between two signs of life; a camera that gives its session less time gets them sooner."""
CODECS = ("H264", "H265")
REDIRECTS = (301, 302, 303, 305, 307)


class Playing(NamedTuple):
    """The camera has begun to send; `media` is what it said of the track."""

    media: sdp.Media


class Redirected(NamedTuple):
    """Connect there instead."""

    address: Address


class Ended(NamedTuple):
    """The camera says that it ends the session."""


Event = Playing | Redirected | Ended
TAKEN = frozenset({"OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"})
"""What a camera may ask of us; it is answered 200."""


class Client:
    """One connection to one camera. `receive` gives packets' payloads to `packet`, the rest it returns."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._reader = message.Reader()
        self._sequence = 0
        self._asked: tuple[str, str, dict[str, str]] = ("", "", {})
        self._challenge: challenge.Challenge | None = None
        self._counted = 0
        self._refused = False
        self._base = address.url
        self._session = ""
        self._media: sdp.Media | None = None
        self._control = address.url
        self._channel = 0
        self._playing = False
        self._alive_by = "GET_PARAMETER"
        self._alive_every = ALIVE_EVERY
        self._alive_at = 0.0
        self._alive_asked = -1
        self._out: list[bytes] = []

    def begin(self) -> bytes:
        """Return the first request."""
        self._ask("DESCRIBE", self._address.url, {"Accept": "application/sdp"})
        return self.outgoing()

    def outgoing(self) -> bytes:
        """Return what is to be sent now, and forget it."""
        out, self._out = b"".join(self._out), []
        return out

    def receive(self, data: bytes, now: float) -> tuple[list[bytes], list[Event]]:
        """Return the video's RTP packets and what else happened; then send `outgoing`. Raises VideoError."""
        packets: list[bytes] = []
        events: list[Event] = []
        for one in self._reader.feed(data):
            if isinstance(one, Packet):
                if one.channel == self._channel and self._media is not None:
                    packets.append(one.payload)
            elif one.status == 0:
                events += self._requested(one)
            else:
                events += self._answered(one, now)
        return packets, events

    def due(self, now: float) -> bytes:
        """Return a sign of life when it is time for one."""
        if self._playing and now >= self._alive_at:
            self._alive_at = now + self._alive_every
            self._ask(self._alive_by, self._control, {}, remember=False)
            self._alive_asked = self._sequence
        return self.outgoing()

    def goodbye(self) -> bytes:
        """Return what ends the session in order."""
        if self._session:
            self._ask("TEARDOWN", self._control, {}, remember=False)
        return self.outgoing()

    # ---- requests ----

    def _ask(self, method: str, url: str, headers: dict[str, str], *, remember: bool = True) -> None:
        self._sequence += 1
        if remember:
            self._asked = (method, url, headers)
        given = dict(headers)
        if self._session:
            given["Session"] = self._session
        if self._challenge is not None:
            self._counted += 1
            name, password = self._address.username, self._address.password
            proof = challenge.answer(
                self._challenge, method, url, name, password, count=self._counted, own=os.urandom(8).hex()
            )
            given["Authorization"] = proof
        self._out.append(message.request(method, url, self._sequence, given))

    # ---- answers ----

    def _requested(self, asked: Answer) -> list[Event]:
        """A camera may ask too: whether we live, or to go elsewhere (REDIRECT)."""
        status = "200 OK" if asked.reason in (*TAKEN, "REDIRECT", "TEARDOWN") else "501 Not Implemented"
        sequence = max(asked.sequence, 0)
        self._out.append(f"RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n\r\n".encode())
        if asked.reason == "REDIRECT" and (there := asked.header("location")):
            return [Redirected(follow(self._address, there))]
        return [Ended()] if asked.reason in ("REDIRECT", "TEARDOWN") else []

    def _answered(self, answer: Answer, now: float) -> list[Event]:
        if answer.status < 200:
            return []
        if self._playing:
            self._lived(answer)
            return []
        if answer.sequence not in (-1, self._sequence):  # an answer to what was asked before
            return []
        if answer.status == 401:
            self._prove(answer)
            return []
        if answer.status in REDIRECTS:
            return self._elsewhere(answer)
        if answer.status != 200:
            method = self._asked[0]
            raise CameraRefused(
                answer.status, f"the camera answered {method} with {answer.status} {answer.reason[:80]}"
            )
        self._refused = False
        step = {"DESCRIBE": self._described, "SETUP": self._set_up}.get(self._asked[0])
        if step is not None:
            step(answer)
            return []
        return self._played(now)

    def _prove(self, answer: Answer) -> None:
        asked = challenge.best(answer.header("www-authenticate"))
        stale = "stale=true" in answer.header("www-authenticate").replace('"', "").lower()
        if not self._address.username:
            raise PasswordWrong(401, "the camera asks for user and password, and none are known")
        if self._refused and not (stale and self._counted < 4):
            raise PasswordWrong(401, "the camera does not take the user and password")
        self._challenge, self._refused = asked, True
        self._ask(*self._asked)

    def _elsewhere(self, answer: Answer) -> list[Event]:
        there = answer.header("location").partition("\n")[0]
        if not there:
            raise Malformed("the camera sends us elsewhere and does not say where")
        try:
            return [Redirected(follow(self._address, urljoin(self._address.url, there)))]
        except ValueError as error:
            raise AddressWrong("the camera sends us to an address that is none") from error

    def _described(self, answer: Answer) -> None:
        base = answer.header("content-base") or answer.header("content-location") or self._address.url
        session = sdp.parse(answer.body, base.partition("\n")[0])
        offered = [media for media in session.media if media.kind == "video"]
        known = [media for media in offered if media.codec in CODECS]
        if not known:
            words = ", ".join(media.codec[:20] or "?" for media in offered) or "no video"
            raise NoPicture(f"the camera offers {words}; H.264 or H.265 is needed")
        self._media, self._control = known[0], session.control
        self._ask("SETUP", known[0].control, {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})

    def _set_up(self, answer: Answer) -> None:
        name, _, rest = answer.header("session").partition("\n")[0].partition(";")
        self._session = name.strip()
        if not self._session:
            raise Malformed("the camera opened a session without a name")
        seconds = rest.partition("timeout=")[2].strip()
        if seconds.isascii() and seconds.isdigit() and len(seconds) < 6:
            self._alive_every = min(ALIVE_EVERY, max(int(seconds) / 2, 1.0))
        transport = answer.header("transport").replace(" ", "").lower()
        if "tcp" not in transport and "interleaved" not in transport:
            raise NoPicture("the camera does not send its pictures over the same connection (TCP)")
        channel = transport.partition("interleaved=")[2].partition("-")[0].partition(";")[0]
        self._channel = int(channel) if channel.isascii() and channel.isdigit() and len(channel) < 4 else 0
        self._ask("PLAY", self._control, {"Range": "npt=0.000-"})

    def _played(self, now: float) -> list[Event]:
        assert self._media is not None
        self._playing, self._alive_at = True, now + self._alive_every
        return [Playing(self._media)]

    def _lived(self, answer: Answer) -> None:
        """A camera that does not know one sign of life gets the other; a nonce that is over is replaced."""
        if answer.sequence != self._alive_asked:
            return
        if answer.status == 401:
            self._challenge = challenge.best(answer.header("www-authenticate"))
            self._counted = 0
        elif answer.status >= 400:
            self._alive_by = "OPTIONS"
