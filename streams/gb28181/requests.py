"""Our own requests 请求 while no answer has come: sent again over UDP with growing pauses, then given up. Pure."""

import secrets

from msgspec import Struct

from streams.gb28181.effects import Peer, Send
from streams.gb28181.manscdp import MANSCDP
from streams.gb28181.sip import Message, encode

FIRST_SECONDS, LONGEST_SECONDS, GIVE_UP_SECONDS = 0.5, 4.0, 32.0
"""T1, T2 and 64 × T1 of RFC 3261, 17.1.2."""
MOST = 20_000


class Asked(Struct):
    """One request under way: for whom, what it is for, and when it is sent again."""

    code: str
    purpose: str
    peer: Peer
    data: bytes
    next_at: float
    pause: float
    until: float


class Requests:
    """All of them, by branch; `own` is (our id, domain, host, port)."""

    def __init__(self, server: str, domain: str, host: str, port: int) -> None:
        self.server, self.domain, self.host, self.port = server, domain, host, port
        self._asked: dict[str, Asked] = {}
        self._sequence = 0

    def make(
        self,
        code: str,
        peer: Peer,
        method: str,
        purpose: str,
        body: bytes,
        now: float,
        *,
        dialog: "Dialog | None" = None,
        extra: tuple[tuple[str, str], ...] = (),
    ) -> Send:
        """Return a request to be sent now, which is kept until it is answered."""
        self._sequence = self._sequence % 2_000_000_000 + 1
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        dialog = dialog or Dialog(f"{secrets.token_hex(8)}@{self.host}", secrets.token_hex(4))
        to = f"<sip:{code}@{peer.host}:{peer.port}>" + (f";tag={dialog.theirs}" if dialog.theirs else "")
        headers = (
            ("via", f"SIP/2.0/{peer.transport.upper()} {self.host}:{self.port};rport;branch={branch}"),
            ("from", f"<sip:{self.server}@{self.domain}>;tag={dialog.ours}"),
            ("to", to),
            ("call-id", dialog.call),
            ("cseq", f"{self._sequence} {method}"),
            ("contact", f"<sip:{self.server}@{self.host}:{self.port}>"),
            ("max-forwards", "70"),
            ("user-agent", "Gridwall"),
            ("x-gb-ver", "3.0"),
            ("content-type", MANSCDP),
            *extra,
        )
        data = encode(Message(headers, body, method=method, uri=f"sip:{code}@{peer.host}:{peer.port}"))
        if len(self._asked) >= MOST:
            self._asked.pop(next(iter(self._asked)))
        pause = FIRST_SECONDS if peer.transport == "udp" else GIVE_UP_SECONDS
        self._asked[branch] = Asked(code, purpose, peer, data, now + pause, pause, now + GIVE_UP_SECONDS)
        return Send(peer, data)

    def answered(self, branch: str) -> Asked | None:
        """Return the request an answer belongs to, which is then over; None for one nobody asked."""
        return self._asked.pop(branch, None)

    def due(self, now: float) -> tuple[list[Send], list[Asked]]:
        """Return what is sent again now, and what is given up."""
        again, over = [], []
        for branch, one in list(self._asked.items()):
            if now >= one.until:
                over.append(self._asked.pop(branch))
            elif now >= one.next_at:
                one.pause = min(one.pause * 2, LONGEST_SECONDS)
                one.next_at = now + one.pause
                again.append(Send(one.peer, one.data))
        return again, over

    def forget(self, code: str) -> None:
        """Drop what waits for a platform that is gone."""
        self._asked = {branch: one for branch, one in self._asked.items() if one.code != code}


class Dialog(Struct):
    """A subscription's dialogue: Call-ID, our tag and theirs; `until`: when it has to be refreshed (monotonic)."""

    call: str
    ours: str
    theirs: str = ""
    until: float = 0.0
