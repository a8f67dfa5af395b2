"""A simulated platform below us 模拟下级平台: registers, keeps alive and answers over real SIP, with faults to order.

Of the demonstration and of the tests; not of the service, of which it shares only how messages are written.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from streams.gb28181.digest import response
from streams.gb28181.manscdp import MANSCDP, element, read, write
from streams.gb28181.sip import Framer, Message, answer, encode, parameters, parse, tag_of

WAIT_SECONDS = 2.0


@dataclass
class Faults:
    """What goes wrong. `lose`: pieces of a catalogue never sent; `announce`: said instead of how many there are.

    `loss`: every so many messages sent is lost (0: none). `deaf`: answers no query.
    """

    lose: int = 0
    announce: int | None = None
    loss: int = 0
    deaf: bool = False


@dataclass
class Lower:
    """One simulated platform; `items` are (code, name, on, lon, lat)."""

    code: str
    password: str
    server: str
    domain: str
    address: tuple[str, int]
    items: list[tuple[str, str, bool, float, float]] = field(default_factory=list)
    transport: str = "udp"
    charset: str = "gb18030"
    piece: int = 2
    agent: str = "Gridwall simulated platform"
    faults: Faults = field(default_factory=Faults)
    heard: list[str] = field(default_factory=list)
    """What was asked of it: commands in the order they came."""
    dates: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._send: Callable[[bytes], None] = lambda _data: None
        self._own = ("127.0.0.1", 0)
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._subscribed: dict[str, Message] = {}
        self._call = f"{secrets.token_hex(8)}@lower"
        self._sequence = self._sent = self._sn = 0
        self._close: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()

    async def open(self) -> None:
        """Open a socket; again, it is another address, as after a restart of a NAT."""
        self.close()
        loop = asyncio.get_running_loop()
        if self.transport == "udp":
            made, _ = await loop.create_datagram_endpoint(lambda: _Ear(self.hear), remote_addr=self.address)
            self._send, self._close = made.sendto, made.close
            self._own = made.get_extra_info("sockname")
            return
        reader, writer = await asyncio.open_connection(*self.address)
        self._own = writer.get_extra_info("sockname")
        self._send, self._close = writer.write, writer.close
        self._start(self._read(reader))

    def close(self) -> None:
        """Be gone without a word."""
        self._close()
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def restart(self) -> None:
        """Forget dialogues and registration, as a platform that starts anew."""
        self._subscribed.clear()
        self._call = f"{secrets.token_hex(8)}@lower"

    async def register(self, expires: int = 3_600) -> int:
        """Register with digest; return the last status. Expires 0 ends it."""
        extra = (("expires", str(expires)), ("contact", f"<sip:{self.code}@{self._own[0]}:{self._own[1]}>"))
        first = await self.request("REGISTER", extra=extra)
        if first.status != 401:
            return first.status
        given = parameters(first.get("www-authenticate")) | {
            "username": self.code,
            "uri": f"sip:{self.server}@{self.domain}",
        }
        told = response(self.password, given)
        header = ", ".join(f'{name}="{given[name]}"' for name in ("username", "realm", "nonce", "uri"))
        header = f'Digest {header}, response="{told}", algorithm={given.get("algorithm", "MD5")}'
        last = await self.request("REGISTER", extra=(*extra, ("authorization", header)))
        self.dates.append(last.get("date"))
        return last.status

    async def keepalive(self) -> int:
        """Say that it is there; return the status."""
        self._sn += 1
        body = write("Notify", "Keepalive", self._sn, self.code, element("Status", "OK"), charset=self.charset)
        return (await self.request("MESSAGE", body)).status

    async def alarm(self, device: str, method: str, kind: str = "", at: str = "2026-01-02T03:04:05") -> int:
        """Raise an alarm; return the status."""
        self._sn += 1
        inner = element("AlarmPriority", 1) + element("AlarmMethod", method) + element("AlarmTime", at)
        inner += f"<Info>{element('AlarmType', kind)}</Info>" if kind else ""
        body = write("Notify", "Alarm", self._sn, device, inner, charset=self.charset)
        return (await self.request("MESSAGE", body)).status

    async def position(self, device: str, lon: float, lat: float) -> int:
        """Say where a device is, as 2022 has it."""
        self._sn += 1
        one = element("DeviceID", device) + element("CaptureTime", "2026-01-02T03:04:05")
        one += element("Longitude", lon) + element("Latitude", lat) + element("Speed", 12.5)
        inner = element("SumNum", 1) + f'<DeviceList Num="1"><Item>{one}</Item></DeviceList>'
        body = write("Notify", "MobilePosition", self._sn, self.code, inner, charset=self.charset)
        return (await self.request("NOTIFY", body)).status

    async def tell(self, event: str, *codes: str) -> int:
        """Tell of changes of the catalogue; return the status."""
        self._sn += 1
        known = {one[0]: one for one in self.items}
        listed = "".join(
            f"<Item>{self._item(known[code]) if event in ('ADD', 'UPDATE') else element('DeviceID', code)}"
            f"{element('Event', event)}</Item>"
            for code in codes
        )
        inner = element("SumNum", len(codes)) + f'<DeviceList Num="{len(codes)}">{listed}</DeviceList>'
        body = write("Notify", "Catalog", self._sn, self.code, inner, charset=self.charset)
        return (await self.request("NOTIFY", body)).status

    async def send_catalogue(self, sn: str, items: list[tuple[str, str, bool, float, float]], announced: int) -> None:
        """Send the answer to a query for the catalogue, in pieces."""
        pieces = [items[start : start + self.piece] for start in range(0, len(items), self.piece)] or [[]]
        for number, part in enumerate(pieces):
            if number < self.faults.lose:
                continue
            listed = "".join(f"<Item>{self._item(one)}</Item>" for one in part)
            inner = element("SumNum", announced) + f'<DeviceList Num="{len(part)}">{listed}</DeviceList>'
            body = write("Response", "Catalog", sn, self.code, inner, charset=self.charset)
            await self.request("MESSAGE", body)

    def _item(self, one: tuple[str, str, bool, float, float]) -> str:
        code, name, on, lon, lat = one
        facts = {
            "DeviceID": code, "Name": escape(name), "Manufacturer": "Gridwall", "Model": "DEMO", "CivilCode": code[:6],
            "Address": "", "Parental": 0, "ParentID": self.code, "RegisterWay": 1, "Secrecy": 0,
            "Status": "ON" if on else "OFF", "Longitude": lon, "Latitude": lat,
        }  # fmt: skip
        return "".join(f"<{tag}>{value}</{tag}>" for tag, value in facts.items())

    async def request(self, method: str, body: bytes = b"", extra: tuple[tuple[str, str], ...] = ()) -> Message:
        """Send a request, over UDP until it is answered; return the answer. Raises TimeoutError."""
        self._sequence += 1
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        own = f"{self._own[0]}:{self._own[1]}"
        call = self._call if method == "REGISTER" else f"{secrets.token_hex(8)}@lower"
        headers = (
            ("via", f"SIP/2.0/{self.transport.upper()} {own};rport;branch={branch}"),
            ("from", f"<sip:{self.code}@{self.domain}>;tag={secrets.token_hex(4)}"),
            ("to", f"<sip:{self.code if method == 'REGISTER' else self.server}@{self.domain}>"),
            ("call-id", call),
            ("cseq", f"{self._sequence} {method}"),
            ("max-forwards", "70"),
            ("user-agent", self.agent),
            *((("content-type", MANSCDP),) if body else ()),
            *extra,
        )
        data = encode(Message(headers, body, method=method, uri=f"sip:{self.server}@{self.domain}"))
        answered: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[branch] = answered
        try:
            for pause in (0.3, 0.6, 1.2, 2.4):
                self._put(data)
                done, _ = await asyncio.wait({answered}, timeout=pause if self.transport == "udp" else WAIT_SECONDS)
                if done:
                    return answered.result()
                if self.transport != "udp":
                    break
            raise TimeoutError(f"{method} was not answered")
        finally:
            del self._waiting[branch]

    def _put(self, data: bytes) -> None:
        self._sent += 1
        if not self.faults.loss or self._sent % self.faults.loss:
            self._send(data)

    def hear(self, data: bytes) -> None:
        """Take one message."""
        message = parse(data)
        if message.status:
            waiting = self._waiting.get(message.branch)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
            return
        if self.faults.deaf:
            return
        extra = (("expires", message.get("expires")),) if message.method == "SUBSCRIBE" else ()
        self._put(encode(answer(message, 200, "OK", tag="" if tag_of(message.get("to")) else "lower", extra=extra)))
        document = read(message.body)
        told = document.text("GuardCmd") or document.text("AlarmCmd")
        self.heard.append(f"{message.method} {document.root} {document.command}{' ' + told if told else ''}")
        self.changed.set()
        if message.method == "SUBSCRIBE":
            self._subscribed[document.command] = message
        elif document.root == "query" and document.command == "catalog":
            announced = len(self.items) if self.faults.announce is None else self.faults.announce
            self._start(self.send_catalogue(document.sn, self.items, announced))
        elif document.root == "query" and document.command == "deviceinfo":
            inner = element("Manufacturer", "Gridwall") + element("Model", "simulated") + element("Result", "OK")
            self._start(self._tell_info(document.sn, inner))

    async def _tell_info(self, sn: str, inner: str) -> None:
        await self.request("MESSAGE", write("Response", "DeviceInfo", sn, self.code, inner, charset=self.charset))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # an answer that nobody took is told by what is missing afterwards

    async def _read(self, reader: asyncio.StreamReader) -> None:
        framer = Framer()
        while data := await reader.read(65_536):
            for one in framer.feed(data):
                self.hear(one)


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._hear(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there now: the request is sent again anyway."""
