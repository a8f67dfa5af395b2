"""We as the upper platform 上级平台: every message in, every effect out. Pure: no socket, no clock, no database.

`now` is monotonic seconds. GB/T 28181-2022 9.1 (registration), 9.6 (keepalive), 9.5 (queries), 9.11 (subscriptions).
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct, field

from streams.errors import Unreadable
from streams.gb28181 import alarm as alarms
from streams.gb28181 import known as knowing
from streams.gb28181.catalogue import OVER, STATUS, WHOLE, Listed, Sync, listed
from streams.gb28181.digest import GOOD, MD5, SM3, STALE, Challenges
from streams.gb28181.effects import (
    Alarmed,
    Changed,
    Effect,
    Entered,
    Heard,
    Knocked,
    Left,
    Peer,
    Placed,
    Position,
    Send,
    Synced,
    Told,
)  # fmt: skip
from streams.gb28181.known import Known, Quirks
from streams.gb28181.manscdp import Document, element, flat, named, number, read, write
from streams.gb28181.passwords import Network, of_networks
from streams.gb28181.requests import Asked, Dialog, Requests
from streams.gb28181.sip import Message, answer, encode, parse, tag_of

LEAST_EXPIRES, MOST_EXPIRES = 3_600, 86_400
PIECE_SECONDS = 20.0
"""Without another piece for so long, a catalogue is asked for again."""
TRIES = 4
RETRY_SECONDS = 300.0
SOON_SECONDS = 10.0
"""After a change told in between, before the whole is asked for."""
SUBSCRIBED_SECONDS = 600
RENEW_SECONDS = 1.0
"""Before a subscription that is over is made anew."""
UNHEARD_SECONDS = 60.0
"""Before a subscription that nobody answered is tried again."""
STATUS_SECONDS = 3_600.0
"""How often a platform is asked how it is, and what its clock says."""
ANSWERS_MOST = 8_192
ANSWERS_SECONDS = 32.0
"""64 × T1 of RFC 3261 (timer J): a message that comes again later is another one, of a device that counts anew."""
GUARDED_MOST = 200
ALARM_INPUT = "134"
CODE_LENGTH = 20
POSITIONS_MOST = 1_000
CHANGES_MOST = 1_000
EVENTS = frozenset({"on", "off", "vlost", "defect", "add", "update", "del"})


class Link(Struct):
    """One accepted platform that has registered with us."""

    code: str
    peer: Peer
    call: str
    until: float
    heard_at: float
    alive: bool = True
    owed: bool = False
    """Whether it has yet to be asked for everything: it was there before we were started anew."""
    treated: Quirks | None = None
    """How it was treated when it was last asked for everything."""
    sync: Sync | None = None
    sync_at: float | None = None
    status_at: float = 0.0
    emptied: bool = False
    """Whether its last catalogue said that it has nothing, which is believed the second time."""
    dialogs: dict[str, Dialog] = field(default_factory=dict)


class Upper:
    """All platforms below us; `directory` is what is known of them now, kept up to date by the shell."""

    def __init__(
        self, server: str, domain: str, host: str, port: int, *, today: Callable[[], datetime], key: bytes = b""
    ) -> None:
        self.directory: dict[str, Known] = {}
        self.links: dict[str, Link] = {}
        self.networks: tuple[tuple[Network, str], ...] = ()
        """Passwords of networks, the narrowest first, for platforms without one of their own."""
        self._today = today
        self._tag = secrets.token_hex(4)
        self._challenges = Challenges(domain, key or secrets.token_bytes(32))
        self._requests = Requests(server, domain, host, port)
        self._answers: OrderedDict[tuple[str, ...], tuple[float, bytes]] = OrderedDict()
        self._sn = secrets.randbelow(1_000_000)
        self.spoilt = 0
        """Messages nobody could read."""

    # ---- what comes in

    def hear(self, data: bytes, peer: Peer, now: float) -> list[Effect]:
        """Return what follows from one message; one that cannot be read is counted and costs nothing."""
        try:
            message = parse(data)
        except Unreadable:
            self.spoilt += 1
            return []
        if message.status:
            return self._answered(message, now)
        key = (message.method, message.sender, peer.host, message.get("call-id"), message.get("cseq"), message.branch)
        kept = self._answers.pop(key, None)
        if kept is not None and now - kept[0] <= ANSWERS_SECONDS:
            self._answers[key] = kept
            return [Send(peer, kept[1])]  # told again because our answer was lost: nothing happens twice
        status, reason, extra, effects = self._asked(message, peer, now)
        told = encode(answer(_seen_from(message, peer), status, reason, tag=self._tag, extra=extra))
        self._answers[key] = now, told
        while len(self._answers) > ANSWERS_MOST:
            self._answers.popitem(last=False)
        return [Send(peer, told), *effects]

    def _asked(
        self, message: Message, peer: Peer, now: float
    ) -> tuple[int, str, tuple[tuple[str, str], ...], list[Effect]]:
        if message.method == "REGISTER":
            return self._register(message, peer, now)
        if message.method in ("MESSAGE", "NOTIFY"):
            return self._told(message, peer, now)
        if message.method == "OPTIONS":
            return 200, "OK", (), []
        return 405, "Method Not Allowed", (("allow", "REGISTER, MESSAGE, NOTIFY, OPTIONS"),), []

    # ---- registration

    def _register(
        self, message: Message, peer: Peer, now: float
    ) -> tuple[int, str, tuple[tuple[str, str], ...], list[Effect]]:
        code, agent = message.sender, message.get("user-agent")[:120]
        if len(code) != CODE_LENGTH or not (code.isascii() and code.isdecimal()):
            return 403, "Forbidden", (), []
        one = self.directory.get(code)
        if one is None or one.state != knowing.ACCEPTED:
            return 403, "Forbidden", (), [Knocked(code, peer, agent, "unknown" if one is None else one.state)]
        algorithms = (SM3, MD5) if one.quirks.sm3 or message.get("x-gb-ver").startswith("3") else (MD5,)
        header = message.get("authorization")
        judged = STALE if not header else self._judged(header, one, peer.host, now)
        if judged == STALE:
            made = self._challenges.make(code, now, algorithms, stale=bool(header))
            return 401, "Unauthorized", tuple(("www-authenticate", each) for each in made), []
        if judged != GOOD:
            return 403, "Forbidden", (), [Knocked(code, peer, agent, "password")]
        wanted = MOST_EXPIRES if message.expires is None else message.expires
        date = ("date", self._today().isoformat(timespec="milliseconds"))
        if wanted == 0:
            return 200, "OK", (date,), self._leave(code, "unregistered", now)
        seconds = min(max(wanted, LEAST_EXPIRES), MOST_EXPIRES)
        extra = (date, ("expires", str(seconds)), ("contact", message.get("contact")), ("x-gb-ver", "3.0"))
        return 200, "OK", extra, self._enter(message, peer, seconds, agent, now)

    def _judged(self, header: str, one: Known, host: str, now: float) -> str:
        found = "wrong"
        for password in one.passwords or of_networks(self.networks, host):
            found = self._challenges.judge(header, one.code, password, now)
            if found in (GOOD, STALE):
                return found
        return found

    def _enter(self, message: Message, peer: Peer, seconds: int, agent: str, now: float) -> list[Effect]:
        code, call = message.sender, message.get("call-id")
        before = self.links.get(code)
        fresh = before is None or not before.alive or before.call != call
        link = before or Link(code, peer, call, 0, now)
        link.peer, link.call, link.until, link.heard_at, link.alive = peer, call, now + seconds, now, True
        self.links[code] = link
        version = message.get("x-gb-ver")[:8]
        effects: list[Effect] = [Entered(code, peer, seconds, agent, version, fresh)]
        if fresh and link.sync:  # what it told before it started anew may be no more: begin again, and say so
            effects.append(self._over(link, link.sync, "restarted", now))
        return effects + (self._greet(link, now) if fresh or link.owed else [])

    def _greet(self, link: Link, now: float) -> list[Effect]:
        """Ask who has come (back) what it is and has, and subscribe to what changes."""
        self._requests.forget(link.code)
        link.dialogs.clear()
        quirks = self.directory[link.code].quirks
        link.owed, link.treated, link.status_at = False, quirks, now + STATUS_SECONDS
        effects: list[Effect] = [self._query(link, "DeviceInfo", now), self._query(link, "DeviceStatus", now)]
        effects += self.resync(link.code, now)
        if quirks.guard and knowing.ALARM in quirks.subscribe:  # some tell of no alarm until they are armed
            effects.append(self._control(link, element("GuardCmd", "SetGuard"), now))
        effects += [self._subscribe(link, what, now) for what in quirks.subscribe]
        return effects

    def _leave(self, code: str, why: str, now: float) -> list[Effect]:
        link = self.links.pop(code, None)
        if link is None:
            return []
        self._requests.forget(code)
        cut: list[Effect] = [self._over(link, link.sync, why, now)] if link.sync else []
        return [*cut, Left(code, why)]

    # ---- what a platform says

    def _told(
        self, message: Message, peer: Peer, now: float
    ) -> tuple[int, str, tuple[tuple[str, str], ...], list[Effect]]:
        link, one = self.links.get(message.sender), self.directory.get(message.sender)
        if link is None or one is None or (peer.host != link.peer.host and not one.quirks.roams):
            return 403, "Forbidden", (), []  # who has not registered, or is somewhere else, has to register
        if message.method == "NOTIFY" and message.get("subscription-state").lower().startswith("terminated"):
            self._renew(link, message.get("call-id"), now + RENEW_SECONDS)
        if not message.body:
            return 200, "OK", (), []  # a NOTIFY that only says how the subscription stands
        try:
            document = read(message.body, one.quirks.charset)
        except Unreadable:
            self.spoilt += 1
            return 400, "Bad Request", (), []
        moved = peer != link.peer
        link.peer = peer
        effects: list[Effect] = []
        if document.command == "keepalive" or moved or not link.alive:
            inside = [one for each in named(document.tree, "Info") for one in named(each, "DeviceID")]
            faulty = tuple((one.text or "").strip()[:32] for one in inside[:100])
            effects.append(Heard(link.code, peer, not link.alive, moved, faulty))
        back, link.alive, link.heard_at = not link.alive, True, now
        if back or link.owed:
            effects += self._greet(link, now)
        return 200, "OK", (), [*effects, *self._meant(link, document, now)]

    def _meant(self, link: Link, document: Document, now: float) -> list[Effect]:
        what = document.root, document.command
        if what == ("response", "catalog"):
            return self._piece(link, document, now)
        if what == ("notify", "catalog"):
            return self._change(link, document, now)
        if what == ("notify", "alarm"):
            return self._alarm(link, alarms.alarm_of(document), now)
        if what == ("notify", "mobileposition"):
            found = tuple(positions(document))
            return [Placed(link.code, found)] if found else []
        if what in (("response", "deviceinfo"), ("response", "devicestatus")):
            return [Told(link.code, {name: value[:120] for name, value in flat(document.tree).items()})]
        return []

    def _alarm(self, link: Link, alarm: alarms.Alarm, now: float) -> list[Effect]:
        """An alarm is acknowledged when it is durable; one that only says where something is, at once."""
        if alarm.method != alarms.POSITION:
            return [Alarmed(link.code, alarm)]
        answered = self.acknowledge(link.code, alarm, now)
        if alarm.lon is None or alarm.lat is None:
            return answered
        return [Placed(link.code, (Position(alarm.device, alarm.lon, alarm.lat, alarm.at),)), *answered]

    def _piece(self, link: Link, document: Document, now: float) -> list[Effect]:
        items = [one for each in document.lists("DeviceList") if (one := listed(flat(each))) is not None]
        said = document.text("SumNum")
        announced = int(said[:9]) if said.isascii() and said.isdecimal() else None
        sync = link.sync
        if sync is None or document.sn not in sync.asked:
            # nobody asked: it may tell of more, never that something is gone (standards, section 0)
            return [Synced(link.code, tuple(items), announced, False, "unasked")] if items else []
        state = sync.take(announced, items, now)
        if state == WHOLE:
            empty = not sync.items
            why = "emptied" if empty and not link.emptied else ""  # while it starts, many a recorder says it has none
            link.emptied = empty
            return [self._over(link, sync, why, now), *self._arm(link, sync, now)]
        return [self._over(link, sync, "over", now)] if state == OVER else []

    def _arm(self, link: Link, sync: Sync, now: float) -> list[Send]:
        """Arm the inputs of alarms one by one where a make wants it."""
        if not self.directory[link.code].quirks.guard:
            return []
        inputs = [code for code in sync.items if code[10:13] == ALARM_INPUT][:GUARDED_MOST]
        return [self._control(link, element("GuardCmd", "SetGuard"), now, code) for code in inputs]

    def _over(self, link: Link, sync: Sync, why: str, now: float) -> Synced:
        link.sync = None
        hours = self.directory[link.code].quirks.sync_hours if link.code in self.directory else 24
        link.sync_at = now + (RETRY_SECONDS if why else max(hours, 1) * 3_600.0)
        return Synced(link.code, tuple(sync.items.values()), sync.announced, not why, why, sync.tries)

    def _change(self, link: Link, document: Document, now: float) -> list[Effect]:
        refuse_off = self.directory[link.code].quirks.refuse_off
        changes: list[tuple[str, Listed]] = []
        for each in document.lists("DeviceList"):
            fields = flat(each)
            event = fields.get("event", "update").lower()
            if (
                event not in EVENTS
                or len(changes) >= CHANGES_MOST
                or (refuse_off and event in ("off", "vlost", "defect"))
            ):
                continue
            if event in ("add", "del"):  # the whole catalogue decides what is there
                link.sync_at = min(link.sync_at or now + SOON_SECONDS, now + SOON_SECONDS)
            if event == "del":
                continue
            if event in STATUS:
                fields["status"] = event
            if (one := listed(fields)) is not None:
                changes.append((event, one))
        return [Changed(link.code, tuple(changes))] if changes else []

    # ---- what we ask

    def resync(self, code: str, now: float) -> list[Effect]:
        """Ask for the whole catalogue now; one that is under way goes on."""
        link = self.links.get(code)
        if link is None or not link.alive or code not in self.directory:
            return []
        self._sn += 1
        if link.sync is None:
            link.sync = Sync(self._sn, now)
        else:
            link.sync.again(self._sn, now)
        link.sync_at = None
        return [self._query(link, "Catalog", now, self._sn)]

    def acknowledge(self, code: str, alarm: alarms.Alarm, now: float) -> list[Effect]:
        """Answer an alarm that is durable now; a device's own (method 2) is reset, or it would send no other."""
        link = self.links.get(code)
        if link is None or code not in self.directory:
            return []
        charset = self.directory[code].quirks.charset
        body = write("Response", "Alarm", alarm.sn or 1, alarm.device, element("Result", "OK"), charset=charset)
        effects: list[Effect] = [self._message(link, "alarm", body, now)]
        if alarm.method == alarms.DEVICE:
            kind = f"<Info>\r\n{element('AlarmMethod', alarm.method)}</Info>\r\n"
            effects.append(self._control(link, element("AlarmCmd", "ResetAlarm") + kind, now, alarm.device))
        return effects

    def _query(self, link: Link, command: str, now: float, sn: int = 0) -> Send:
        if not sn:
            self._sn = sn = self._sn + 1
        charset = self.directory[link.code].quirks.charset
        return self._message(link, command.lower(), write("Query", command, sn, link.code, charset=charset), now)

    def _control(self, link: Link, inner: str, now: float, device: str = "") -> Send:
        self._sn += 1
        charset = self.directory[link.code].quirks.charset
        body = write("Control", "DeviceControl", self._sn, device or link.code, inner, charset=charset)
        return self._message(link, "control", body, now)

    def _message(self, link: Link, purpose: str, body: bytes, now: float) -> Send:
        return self._requests.make(link.code, link.peer, "MESSAGE", purpose, body, now)

    def _subscribe(self, link: Link, what: str, now: float) -> Send:
        quirks = self.directory[link.code].quirks
        self._sn += 1
        dialog = link.dialogs.get(what) or Dialog(f"{secrets.token_hex(8)}@{self._requests.host}", secrets.token_hex(4))
        dialog.until = now + SUBSCRIBED_SECONDS * 2 / 3
        link.dialogs[what] = dialog
        if what == knowing.ALARM:
            inner = "".join(element(name, 0) for name in ("StartAlarmPriority", "EndAlarmPriority", "AlarmMethod"))
            body, event = write("Query", "Alarm", self._sn, link.code, inner, charset=quirks.charset), "presence"
        elif what == knowing.POSITION:
            inner = element("Interval", quirks.position_seconds)
            body = write("Query", "MobilePosition", self._sn, link.code, inner, charset=quirks.charset)
            event = "presence"
        else:
            body = write("Query", "Catalog", self._sn, link.code, charset=quirks.charset)
            event = f"Catalog;id={self._sn}"
        extra = (("event", event), ("expires", str(SUBSCRIBED_SECONDS)))
        return self._requests.make(
            link.code,
            link.peer,
            "SUBSCRIBE",
            f"subscribe:{what}",
            body,
            now,
            dialog=dialog,
            extra=extra,
        )

    def _answered(self, message: Message, now: float) -> list[Effect]:
        if message.status < 200:
            return []
        asked = self._requests.answered(message.branch)
        link = self.links.get(asked.code) if asked else None
        if asked is None or link is None:
            return []
        kind, _, what = asked.purpose.partition(":")
        if kind == "subscribe" and what in link.dialogs:
            if message.status < 300:
                link.dialogs[what].theirs = tag_of(message.get("to"))
                granted = SUBSCRIBED_SECONDS if message.expires is None else message.expires
                link.dialogs[what].until = now + max(min(granted, SUBSCRIBED_SECONDS) * 2 / 3, RENEW_SECONDS)
            else:  # 481 after it restarted, or it cannot: a new dialogue at the next turn
                later = RENEW_SECONDS if message.status == 481 else SUBSCRIBED_SECONDS
                self._renew(link, link.dialogs[what].call, now + later)
        return []

    def _renew(self, link: Link, call: str, at: float) -> None:
        """Subscribe anew at a time, in a dialogue of its own, where the one of a Call-ID is over."""
        for what, dialog in [*link.dialogs.items()]:
            if dialog.call == call:
                made = Dialog(f"{secrets.token_hex(8)}@{self._requests.host}", secrets.token_hex(4))
                made.until = at
                link.dialogs[what] = made

    def _unheard(self, asked: Asked, now: float) -> None:
        """A subscription that nobody answered is tried again soon; a catalogue notices by itself."""
        kind, _, what = asked.purpose.partition(":")
        link = self.links.get(asked.code)
        if kind == "subscribe" and link is not None and what in link.dialogs:
            link.dialogs[what].until = min(link.dialogs[what].until, now + UNHEARD_SECONDS)

    # ---- time

    def tick(self, now: float) -> list[Effect]:
        """Return what is due: requests sent again, platforms gone silent, catalogues and subscriptions asked again."""
        again, given_up = self._requests.due(now)
        for asked in given_up:
            self._unheard(asked, now)
        effects: list[Effect] = list(again)
        for link in list(self.links.values()):
            effects += self._due(link, now)
        return effects

    def _due(self, link: Link, now: float) -> list[Effect]:
        one = self.directory.get(link.code)
        if one is None or one.state != knowing.ACCEPTED:
            return self._leave(link.code, "unregistered", now)
        if now >= link.until:
            return self._leave(link.code, "expired", now)
        if not link.alive:
            return []
        if now - link.heard_at > one.quirks.silent_seconds:
            link.alive = False
            self._requests.forget(link.code)
            gone: list[Effect] = [Left(link.code, "silent")]
            return gone + ([self._over(link, link.sync, "silent", now)] if link.sync else [])
        if link.owed:
            return []
        if link.treated not in (None, one.quirks):
            return self._greet(link, now)  # it is to be treated differently from now on
        return self._asked_again(link, now)

    def _asked_again(self, link: Link, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if link.sync and now - link.sync.heard_at > PIECE_SECONDS:
            if link.sync.tries >= TRIES:
                why = "short" if link.sync.announced is not None else "unanswered"
                effects.append(self._over(link, link.sync, why, now))
            else:
                effects += self.resync(link.code, now)
        elif link.sync is None and link.sync_at is not None and now >= link.sync_at:
            effects += self.resync(link.code, now)
        if now >= link.status_at:
            link.status_at = now + STATUS_SECONDS
            effects.append(self._query(link, "DeviceStatus", now))
        effects += [self._subscribe(link, what, now) for what, each in [*link.dialogs.items()] if now >= each.until]
        return effects

    def restore(self, code: str, peer: Peer, seconds: float, now: float, *, alive: bool = True) -> list[Effect]:
        """Take up a registration from before we were started anew, and ask for everything again.

        Over TCP as soon as it has connected and says anything; one that was silent (not `alive`) when it is back.
        """
        if code not in self.directory or code in self.links or seconds <= 0:
            return []
        link = self.links[code] = Link(code, peer, "", now + seconds, now, alive=alive, owed=True)
        link.status_at = now + STATUS_SECONDS
        return self._greet(link, now) if alive and peer.transport == "udp" else []


def positions(document: Document) -> list[Position]:
    """Return the positions of a Notify: the list of 2022, or the one of 2016."""
    every = [flat(each) for each in document.lists("DeviceList")] or [flat(document.tree)]
    found: list[Position] = []
    for one in every[:POSITIONS_MOST]:
        lon, lat = number(one.get("longitude", "")), number(one.get("latitude", ""))
        if lon is None or lat is None or not (0 < abs(lon) <= 180 and 0 < abs(lat) <= 90):
            continue
        at = one.get("capturetime") or one.get("time") or document.text("Time")
        device = one.get("deviceid") or document.device
        found.append(
            Position(device[:32], lon, lat, at[:40], number(one.get("speed", "")), number(one.get("direction", "")))
        )
    return found


def _seen_from(message: Message, peer: Peer) -> Message:
    """Return a request with where it really came from in its Via (RFC 3581), which NAT makes necessary."""
    headers = list(message.headers)
    at = next((index for index, (name, _) in enumerate(headers) if name == "via"), None)
    if at is not None and ";rport" in headers[at][1] and ";rport=" not in headers[at][1]:
        value = headers[at][1].replace(";rport", f";rport={peer.port};received={peer.host}", 1)
        headers[at] = ("via", value)
    return Message(tuple(headers), message.body, method=message.method, uri=message.uri)
