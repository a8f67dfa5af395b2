"""What goes wrong on the wire after registration: cuts, restarts, loss, dialogues that end, odd bytes."""

import random
from datetime import UTC, datetime

import pytest

from streams.gb28181 import manscdp, sip
from streams.gb28181.alarm import Alarm, fenced, report_of
from streams.gb28181.effects import Alarmed, Changed, Effect, Entered, Heard, Left, Placed, Send, Synced, Told
from streams.gb28181.known import ALARM, CATALOG, POSITION, Known, Quirks
from streams.gb28181.manscdp import element
from streams.gb28181.upper import STATUS_SECONDS, SUBSCRIBED_SECONDS, Upper, positions
from tests.streams.gb28181.wire import CODE, PEER, Device, agreed, answered, asked, entered, listing, of, status, upper


def greeting(quirks: Quirks) -> tuple[Device, list[Effect]]:
    device = Device(upper(quirks))
    return device, device.register(100.0)


# ---- catalogues cut by restarts


def test_a_platform_that_starts_anew_mid_catalogue_begins_again_and_that_is_said() -> None:
    device = entered()
    assert not of(device.piece(101.0, 5, [1, 2, 3]), Synced)
    device.call = "boot2"
    again = device.register(105.0)
    (cut,) = of(again, Synced)
    assert (cut.whole, cut.why, len(cut.items), cut.announced) == (False, "restarted", 3, 5)
    assert not of(device.piece(106.0, 5, [1, 2]), Synced)
    assert not of(device.piece(106.1, 5, [4, 5]), Synced)  # 3 is no more: five with what came before would be a lie
    (whole,) = of(device.piece(106.2, 5, [6]), Synced)
    assert whole.whole and [one.code[-1] for one in whole.items] == list("12456")


@pytest.mark.parametrize("why", ["silent", "expired", "unregistered"])
def test_a_platform_that_goes_mid_catalogue_leaves_it_said_to_be_short(why: str) -> None:
    device = entered(Quirks(keepalive_seconds=3_600) if why == "expired" else None)
    device.piece(101.0, 5, [1, 2, 3])
    sync = device.upper.links[CODE].sync
    assert sync is not None
    sync.heard_at = 10_000.0  # or it would be given up before
    found = device.register(102.0, expires=0) if why == "unregistered" else device.upper.tick(281.5)
    found = device.upper.tick(3_700.5) if why == "expired" else found
    assert [one.why for one in of(found, Left)] == [why]
    assert [(one.whole, one.why, len(one.items)) for one in of(found, Synced)] == [(False, why, 3)]


def test_our_restart_mid_catalogue_asks_for_the_whole_and_takes_late_pieces_for_what_they_are() -> None:
    device = entered()
    old = device.upper.links[CODE].sync
    assert old is not None
    device.piece(101.0, 5, [1, 2, 3])
    device.upper = upper(key=b"anew")
    found = device.upper.restore(CODE, PEER, 3_000.0, 5.0)
    assert asked(found, "catalog") and asked(found, "alarm")
    (late,) = of(device.piece(6.0, 5, [4, 5], sn=old.sn), Synced)
    assert (late.whole, late.why) == (False, "unasked")
    (whole,) = of(device.piece(7.0, 5, [1, 2, 3, 4, 5]), Synced)
    assert whole.whole


def test_one_on_tcp_is_asked_for_everything_when_it_first_speaks_after_our_restart() -> None:
    device = Device(upper(), peer=PEER._replace(transport="tcp"))
    assert not device.upper.restore(CODE, device.peer, 3_000.0, 5.0) and not asked(device.upper.tick(6.0))
    device.peer = device.peer._replace(port=6_001)
    found = device.keepalive(7.0)
    assert of(found, Heard)[0].moved and asked(found, "catalog") and asked(found, "alarm")
    assert not asked(device.keepalive(8.0))


def test_one_that_was_silent_when_we_were_started_anew_comes_back_by_a_keepalive() -> None:
    device = Device(upper())
    assert not device.upper.restore(CODE, PEER, 3_000.0, 5.0, alive=False)
    assert not device.upper.tick(500.0)
    found = device.keepalive(900.0)
    assert of(found, Heard)[0].back and asked(found, "catalog")


def test_pieces_under_the_number_asked_before_still_count() -> None:
    device = entered()
    first = device.upper.links[CODE].sync
    assert first is not None
    sn = first.sn
    device.piece(101.0, 5, [1, 2])
    assert asked(device.upper.tick(125.0), "catalog")
    assert first.sn != sn
    assert not of(device.piece(126.0, 5, [3, 4], sn=sn), Synced)
    (whole,) = of(device.piece(127.0, 5, [5]), Synced)
    assert whole.whole and whole.tries == 2


def test_that_there_is_nothing_is_believed_the_second_time() -> None:
    device = entered()
    assert of(device.piece(101.0, 2, [1, 2]), Synced)[0].whole
    device.upper.resync(CODE, 200.0)
    (first,) = of(device.piece(201.0, 0, []), Synced)
    assert (first.whole, first.why) == (False, "emptied")
    for now in range(210, 560, 50):
        device.keepalive(float(now))
    assert asked(device.upper.tick(560.0), "catalog")
    (second,) = of(device.piece(561.0, 0, []), Synced)
    assert second.whole and not second.items


# ---- cuts and loss


def test_a_cut_of_half_an_hour_is_one_going_and_one_coming_back() -> None:
    device = entered()
    device.piece(101.0, 3, [1, 2, 3])
    for request, _ in asked(device.upper.tick(101.5)):
        device.upper.hear(agreed(request), PEER, 101.6)
    left, sent = [], 0
    for now in range(102, 1_902):
        found = device.upper.tick(float(now))
        left += of(found, Left)
        sent += len(of(found, Send)) if now > 340 else 0
    assert [one.why for one in left] == ["silent"] and sent == 0
    back = device.keepalive(1_902.0)
    assert of(back, Heard)[0].back and asked(back, "catalog")
    assert of(device.piece(1_903.0, 3, [1, 2, 3]), Synced)[0].whole
    assert not of(device.upper.tick(1_904.0), Left)


class Lossy:
    """A device on a bad line: it repeats what is not answered, answers, and sends its catalogue once."""

    def __init__(self, device: Device, loss: float, seed: int) -> None:
        self.device, self.loss, self.chance = device, loss, random.Random(seed)
        self.waiting: dict[str, tuple[bytes, float, float]] = {}
        self.sent_for: set[str] = set()
        self.effects: list[Effect] = []
        self.lost = 0

    def put(self, frame: bytes, now: float) -> None:
        self.waiting[sip.parse(frame).branch] = frame, now, 0.5

    def step(self, now: float) -> None:
        self.deliver(self.device.upper.tick(now), now)
        for branch, (frame, at, pause) in [*self.waiting.items()]:
            if now >= at:
                self.waiting[branch] = frame, now + pause, min(pause * 2, 4.0)
                if not self.drops():
                    self.deliver(self.device.upper.hear(frame, PEER, now), now)

    def drops(self) -> bool:
        gone = self.chance.random() < self.loss
        self.lost += gone
        return gone

    def deliver(self, effects: list[Effect], now: float) -> None:
        self.effects += [one for one in effects if not isinstance(one, Send)]
        for one in of(effects, Send):
            if self.drops():
                continue
            message = sip.parse(one.data)
            if message.status:
                self.waiting.pop(message.branch, None)
                continue
            if not self.drops():
                self.deliver(self.device.upper.hear(agreed(message), PEER, now), now)
            document = manscdp.read(message.body)
            if document.command == "catalog" and document.sn not in self.sent_for and message.method == "MESSAGE":
                self.sent_for.add(document.sn)
                for start in range(0, 60, 2):
                    inner = listing(60, [*range(start, start + 2)])
                    body = manscdp.write("Response", "Catalog", document.sn, CODE, inner)
                    self.put(self.device.frame("MESSAGE", body), now)


@pytest.mark.parametrize("seed", range(5))
def test_with_a_tenth_of_all_packets_lost_everything_comes_and_once(seed: int) -> None:
    device, found = greeting(Quirks())
    line = Lossy(device, 0.1, seed)
    line.deliver(found, 100.0)
    alarm = element("AlarmMethod", 5) + element("AlarmTime", "2026-01-02T03:04:05")
    line.put(device.frame("MESSAGE", manscdp.write("Notify", "Alarm", 9, CODE, alarm)), 101.0)
    for tenth in range(1_000, 1_600):
        line.step(tenth / 10)
    assert line.lost > 2 and not line.waiting
    (whole,) = of(line.effects, Synced)
    assert whole.whole and len(whole.items) == 60
    assert len(of(line.effects, Alarmed)) == 1


# ---- subscriptions and guards


def subscriptions(effects: list[Effect]) -> dict[str, sip.Message]:
    return {document.command: message for message, document in asked(effects) if message.method == "SUBSCRIBE"}


def test_subscriptions_are_refreshed_in_their_dialogue_before_they_end() -> None:
    device, found = greeting(Quirks())
    made = subscriptions(found)
    assert set(made) == {"catalog", "alarm"}
    device.upper.hear(agreed(made["catalog"], extra=(("expires", "90"),)), PEER, 101.0)
    device.upper.hear(agreed(made["alarm"]), PEER, 101.0)
    device.keepalive(160.0)
    assert not subscriptions(device.upper.tick(160.0))
    again = subscriptions(device.upper.tick(162.0))
    assert set(again) == {"catalog"}  # it granted 90 s
    assert again["catalog"].get("call-id") == made["catalog"].get("call-id")
    assert again["catalog"].get("to").endswith(";tag=theirs")
    assert again["catalog"].sequence > made["catalog"].sequence
    for now in range(170, 520, 50):
        device.keepalive(float(now))
    assert "alarm" in subscriptions(device.upper.tick(101.0 + SUBSCRIBED_SECONDS * 0.7))


@pytest.mark.parametrize("how", ["481", "terminated", "unanswered"])
def test_a_subscription_that_is_over_is_made_anew(how: str) -> None:
    device, found = greeting(Quirks(subscribe=(CATALOG,)))
    made = subscriptions(found)["catalog"]
    due = 103.0
    if how == "unanswered":
        device.keepalive(130.0)
        device.upper.tick(133.0)
        due = 195.0
    elif how == "481":
        device.upper.hear(agreed(made, 481), PEER, 101.0)
    else:
        device.upper.hear(agreed(made), PEER, 101.0)
        extra = "Event: Catalog\r\nSubscription-State: terminated;reason=deactivated\r\n"
        assert status(device.send(102.0, "NOTIFY", extra=extra, call=made.get("call-id"))) == 200
    again = subscriptions(device.upper.tick(due))["catalog"]
    assert (again.get("call-id") == made.get("call-id")) is (how == "unanswered") and "tag=" not in again.get("to")


def test_arming_comes_before_the_alarms_are_subscribed_to_and_reaches_each_input() -> None:
    device, found = greeting(Quirks(guard=True))
    said = [document.text("GuardCmd") or document.command for _, document in asked(found)]
    assert said.index("SetGuard") < said.index("alarm")
    code = "32050700001340000001"
    inner = f'<SumNum>1</SumNum><DeviceList Num="1"><Item><DeviceID>{code}</DeviceID></Item></DeviceList>'
    sync = device.upper.links[CODE].sync
    assert sync is not None
    armed = asked(device.tell(101.0, "Response", "Catalog", inner, sync.sn), "devicecontrol")
    assert [(document.device, document.text("GuardCmd")) for _, document in armed] == [(code, "SetGuard")]


def test_what_is_set_on_the_page_holds_at_once() -> None:
    device = entered()
    assert not asked(device.upper.tick(100.1))
    device.upper.directory[CODE] = Known(CODE, "accepted", ("secret",), Quirks(subscribe=(POSITION, ALARM), guard=True))
    found = device.upper.tick(100.2)
    assert set(subscriptions(found)) == {"mobileposition", "alarm"} and asked(found, "devicecontrol")
    assert not asked(device.upper.tick(100.3))


def test_it_is_asked_what_it_is_and_how_it_is_and_how_it_is_again() -> None:
    device, found = greeting(Quirks(keepalive_seconds=3_600))
    assert asked(found, "deviceinfo") and asked(found, "devicestatus")
    inner = element("Result", "OK") + element("Online", "ONLINE") + element("DeviceTime", "2026-01-02T03:04:05")
    (told,) = of(device.tell(101.0, "Response", "DeviceStatus", inner), Told)
    assert (told.facts["online"], told.facts["devicetime"]) == ("ONLINE", "2026-01-02T03:04:05")
    device.register(3_000.0)
    assert asked(device.upper.tick(100.0 + STATUS_SECONDS + 1), "devicestatus")


# ---- alarms and positions


def test_an_alarm_is_answered_when_it_is_durable_and_the_devices_own_is_reset() -> None:
    device = entered()
    inner = element("AlarmMethod", 2) + element("AlarmPriority", 1) + element("AlarmTime", "2026-01-02T03:04:05")
    found = device.tell(101.0, "Notify", "Alarm", inner, sn=7, about="32050700001340000001")
    assert status(found) == 200 and not asked(found)
    (alarm,) = of(found, Alarmed)
    done = asked(device.upper.acknowledge(CODE, alarm.alarm, 102.0))
    assert [(one.root, one.device, one.sn) for _, one in done[:1]] == [("response", "32050700001340000001", "7")]
    assert [one.text("AlarmCmd") for _, one in done[1:]] == ["ResetAlarm"]
    of_video = Alarm(alarm.alarm.device, "8", "5", "6", "1", "")
    assert len(asked(device.upper.acknowledge(CODE, of_video, 103.0))) == 1


def test_an_alarm_that_only_says_where_it_is_is_a_position() -> None:
    device = entered()
    inner = element("AlarmMethod", 4) + element("Longitude", 119.2) + element("Latitude", 34.6)
    found = device.tell(101.0, "Notify", "Alarm", inner)
    assert not of(found, Alarmed) and asked(found, "alarm")
    assert [(one.lon, one.lat) for one in of(found, Placed)[0].positions] == [(119.2, 34.6)]


PERSONS = [("5", "8"), ("5", "9")]
TICKETS = [("2", "1"), ("2", "3"), ("2", "4"), ("2", "5"), ("5", "11"), ("5", "13"), ("6", "1"), ("6", "2"), ("6", "")]
ALERTS = [("5", "3"), ("5", "4"), ("5", "5"), ("5", "6"), ("5", "10"), ("1", ""), ("2", "")]
WEAK = [("5", "7"), ("5", "12"), ("7", ""), ("9", "99"), ("", "")]


@pytest.mark.parametrize(("method", "kind"), [*TICKETS, *ALERTS, *WEAK, *PERSONS])
def test_only_what_a_device_makes_of_persons_is_fenced(method: str, kind: str) -> None:
    assert fenced(Alarm("1", "1", method, kind, "1", "")) is ((method, kind) in PERSONS)


@pytest.mark.parametrize(("method", "kind"), TICKETS + ALERTS + WEAK)
def test_alarms_are_split_into_tickets_alerts_and_what_a_person_confirms(method: str, kind: str) -> None:
    from zoneinfo import ZoneInfo

    alarm = Alarm("32050700001320000001", "1", method, kind, "1", "2026-01-02T03:04:05")
    item = report_of(alarm, None, ZoneInfo("Asia/Shanghai"), "2026-01-02T04:00:00+08:00")
    assert item["occurred_at"] == "2026-01-02T03:04:05+08:00"
    assert item["type"].startswith("08") is ((method, kind) in TICKETS)
    assert item["urgency"] == ("urgent" if (method, kind) in ALERTS else "routine")
    assert ("请人工核实" in item["text"]) is ((method, kind) in WEAK)


@pytest.mark.parametrize(
    "inner",
    [
        element("Time", "2026-01-02T03:04:05") + element("Longitude", 119.2) + element("Latitude", 34.6),
        "<DeviceList Num='1'><Item>" + element("DeviceID", "1") + element("CaptureTime", "2026-01-02T03:04:05")
        + element("Longitude", 119.2) + element("Latitude", 34.6) + "</Item></DeviceList>",
    ],
    ids=["2016", "2022"],
)  # fmt: skip
def test_positions_come_flat_or_in_a_list_with_their_time(inner: str) -> None:
    (one,) = positions(manscdp.read(manscdp.write("Notify", "MobilePosition", 1, CODE, inner)))
    assert (one.lon, one.lat, one.at) == (119.2, 34.6, "2026-01-02T03:04:05")


# ---- bytes


def test_tags_count_in_any_case_and_what_is_told_between_is_no_deletion() -> None:
    device = entered()
    body = f"<?xml version='1.0'?><NOTIFY><cmdtype>KEEPALIVE</cmdtype><sn>1</sn><deviceid>{CODE}</deviceid></NOTIFY>"
    assert of(device.send(101.0, "MESSAGE", body.encode()), Heard)
    inner = "<Item><DeviceID>32050700001320000001</DeviceID><Event>DEL</Event></Item>"
    told = manscdp.write("Notify", "Catalog", 1, CODE, f"<DeviceList>{inner}</DeviceList>")
    found = device.send(102.0, "NOTIFY", told)
    assert not of(found, Changed) and not of(found, Synced) and CODE in device.upper.links


@pytest.mark.parametrize(("written", "charset", "read"), [("gb18030", "auto", True), ("utf-8", "auto", True),
    ("gb18030", "gb18030", True), ("utf-8", "utf-8", True), ("utf-8", "gb18030", False)])  # fmt: skip
def test_names_are_read_by_the_charset_of_the_device(written: str, charset: str, read: bool) -> None:
    device = entered(Quirks(charset=charset))
    sync = device.upper.links[CODE].sync
    assert sync is not None
    item = element("DeviceID", "32050700001320000001") + element("Name", "人民路㐀号摄像机")
    inner = f"<SumNum>1</SumNum><DeviceList Num='1'><Item>{item}</Item></DeviceList>"
    body = manscdp.write("Response", "Catalog", sync.sn, CODE, inner, charset=written)
    (found,) = of(device.send(101.0, "MESSAGE", body), Synced)
    assert (found.items[0].name == "人民路㐀号摄像机") is read


def test_what_we_write_is_in_the_devices_charset() -> None:
    _, found = greeting(Quirks(charset="utf-8", guard=True, subscribe=(ALARM, CATALOG, POSITION)))
    assert all(b'encoding="UTF-8"' in message.body for message, _ in asked(found)) and len(asked(found)) == 7


def test_a_stream_of_single_bytes_registers_too() -> None:
    device = Device(upper(), peer=PEER._replace(transport="tcp"))
    framer = sip.Framer()
    data = b"\r\n\r\n" + device.frame("REGISTER") + device.frame("OPTIONS")
    frames = [one for at in range(len(data)) for one in framer.feed(data[at : at + 1])]
    assert [status(device.upper.hear(one, device.peer, 1.0)) for one in frames] == [401, 200]


def test_an_upper_platform_has_no_other_methods() -> None:
    one = Upper("1", "2", "127.0.0.1", 5060, today=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    assert status(Device(one).send(1.0, "INVITE")) == 405 and not of(Device(one).send(1.0, "REGISTER"), Entered)
    assert answered(Device(one).send(2.0, "BYE")).get("allow").startswith("REGISTER")
