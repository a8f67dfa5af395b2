"""Video access end to end: who decides, what opens, what ends it, and that each deed is in the journal."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from config.calendar import Workdays
from operations import accounts, board, journal, looks, snapshot, walls
from operations.calendar import Calendar
from operations.cameras import reading
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.contacts import cards, roster
from operations.contacts.cards import Person
from operations.contacts.roster import Shift
from operations.errors import Forbidden, NotFound, Refused
from operations.grants import asked, held, requests, rows, screens
from operations.grants.admission import Admission, Asking, Denied
from operations.grants.grant import Held
from operations.grants.grants import Grants
from operations.grants.request import DECIDED, DRAFT, WAITING, WAITS, WITHDRAWN, Request
from operations.grants.requests import Form, Requests
from operations.grants.standing import MONTH, Standings, Terms
from operations.incident import Incident
from operations.looks import OWN, Leave, Ticket, Whereabouts
from operations.policy import SYSTEM, Identity
from operations.scope import NOWHERE, WHOLE, Scope
from operations.tables import account
from tests.operations.desk import COMMANDER, DAY, HOUR, LEAVES, MINUTE, SECOND, START, Desk, chain, report

pytestmark = pytest.mark.database
CHAIN = chain(LEAVES[0])
CALENDAR = Calendar(Workdays.load(), UTC)
ADMIN = Identity("account", "a", "admin", "system_admin")
CAMERAS: dict[str, tuple[str, dict[str, Any]]] = {
    "t1": ("transport", {}),
    "t2": ("transport", {}),
    "f1": ("fire", {}),
    "f2": ("fire", {}),
    "p1": ("police", {}),
    "r1": ("transport", {"restricted": True}),
    "s1": ("transport", {"position": "0110000"}),
    "w1": ("transport", {"name": "女生宿舍门口"}),
}


@dataclass
class City:
    """The commands on one database, its cameras by code, its people by name, and two incidents."""

    desk: Desk
    cameras: dict[str, str]
    people: dict[str, Identity]

    def __post_init__(self) -> None:
        def at() -> int:
            return self.desk.now

        self.requests = Requests(self.desk.database, CALENDAR, zone=UTC, now=at)
        self.grants = Grants(self.desk.database, CALENDAR, zone=UTC, now=at)
        self.gate = Admission(self.desk.database, CALENDAR, zone=UTC, now=at)
        self.standings = Standings(self.desk.database, CALENDAR, zone=UTC, now=at)

    def __getitem__(self, name: str) -> Identity:
        return self.people[name]

    def form(self, *codes: str, incident: str = "", minutes: int = 60, **told: str) -> Form:
        """A request for cameras, for an incident or on patrol."""
        values = {"purpose": "incident" if incident else "patrol", "basis": "decree799_20", "text": "要看现场"} | told
        ids = tuple(self.cameras[code] for code in codes)
        return Form(cameras=ids, incident=incident, minutes=minutes, **values)  # type: ignore[arg-type]

    def ask(self, *codes: str, incident: str = "", minutes: int = 60) -> Request:
        """The police asks."""
        return self.requests.ask(self["zhou"], self.form(*codes, incident=incident, minutes=minutes))

    def grant(self, *codes: str, incident: str = "", minutes: int = 60) -> str:
        """What the police got of transport's cameras."""
        one = self.ask(*codes, incident=incident, minutes=minutes)
        self.requests.approve(self["wang"], one.id, "centre")
        return self.requests.approve(self["lin"], one.id, "owner:transport").grants["transport"]

    def leave(self, who: str, code: str, why: str = "request", incident: str = "", mode: str = "live") -> Leave:
        """Ask the gate."""
        place = Whereabouts(CHAIN, CAMERAS[code][0])
        return self.gate.leave(self[who], Asking(self.cameras[code], why, incident, mode), place)

    def opens(self, who: str) -> list[str]:
        """The codes of all cameras the gate lets somebody look through."""

        def open_(code: str) -> bool:
            try:
                return self.leave(who, code) is not None
            except Refused:
                return False

        return [code for code in self.cameras if open_(code)]

    def held(self, id: str) -> Held:
        """A grant as its row holds it."""
        with self.desk.database.read() as connection:
            return rows.grant(connection, id)

    def actions(self, *kinds: str) -> list[str]:
        """What the journal tells of requests, grants, or standing authorisations."""
        return [one.action for one in self.desk.entries() if one.subject_type in kinds]

    def incidents(self, urgency: str = "critical") -> list[Incident]:
        """Two open ones of the police's."""
        self.desk.send(report("A1", urgency=urgency), report("B2", urgency=urgency))
        return sorted(self.desk.board().incidents.values(), key=lambda one: one.report_id)

    def duty(self, name: str, department: str, *, rank: int = 1, hours: int = 8) -> None:
        """Put somebody into the roster from now on."""
        there = Person(name=name, department=department, account=self[name].id)
        (card,) = cards.take(self.desk.database, ADMIN, [there], now=self.desk.now)
        begins = self.desk.now
        shift = Shift(
            department=department, post="值班", person=card.id, rank=rank, starts_at=begins,
            ends_at=begins + hours * HOUR,
        )  # fmt: skip
        roster.plan(self.desk.database, COMMANDER, [shift], now=begins)

    def wall(self, name: str, department: str = "") -> None:
        """Hang up a wall of the centre or of a department."""
        with self.desk.database.write() as transaction:
            plan = walls.Plan(name, Scope(department=department))
            walls.insert(transaction, SYSTEM, f"id of {name}", plan, hash=name.encode(), now=START)
        made = walls.living(self.desk.database, f"id of {name}")
        assert made is not None
        self.people[name] = made

    def walls(self, name: str) -> list[screens.Screen]:
        """Where somebody may ask pictures to be shown."""
        with self.desk.database.read() as connection:
            return screens.offered(connection, self[name])

    def step(self, by: int = 0) -> int:
        """Let time pass, and the program look after grants."""
        self.desk.now += by
        return self.grants.step(self.desk.now)


@pytest.fixture
def city(desk: Desk) -> City:
    """Eight cameras of three houses; who asks (zhou), the centre (wang, qian, gu the leader), owners (lin, huo)."""
    items = [
        Item(
            **{"code": code, "name": code, "url_main": "rtsp://127.0.0.1/x", "status": "on", **told},
            owner=owner, chain=CHAIN, point_class=1,
        )
        for code, (owner, told) in CAMERAS.items()
    ]  # fmt: skip
    with desk.database.write() as transaction:
        take(transaction, "s", items, complete=True, now=START)
        found = {code: reading.of_code(transaction.connection, "s", code) for code in CAMERAS}
    posts = {
        "zhou": ("liaison", "police"), "wang": ("duty_commander", ""), "qian": ("duty_commander", ""),
        "gu": ("leader", ""), "op": ("operator", ""), "lin": ("liaison", "transport"), "su": ("liaison", "transport"),
        "huo": ("liaison", "fire"),
    }  # fmt: skip
    for name, (role, department) in posts.items():
        accounts.add(desk.database, SYSTEM, name, role, now=START, scope=Scope(department=department), demo=True)
    known = {name: accounts.find(desk.database, name) for name in posts}
    return City(
        desk,
        {code: one.id for code, one in found.items() if one is not None},
        {name: one.identity for name, one in known.items() if one is not None},
    )


def code(deed: Callable[[], object]) -> str:
    with pytest.raises(Refused) as error:
        deed()
    return error.value.code


# ---- who decides ----


def test_without_a_roster_the_right_role_decides_and_never_whoever_asked(city: City) -> None:
    one = city.ask("t1")
    for name in ("lin", "huo", "gu", "zhou"):
        with pytest.raises((NotFound, Refused)):
            city.requests.approve(city[name], one.id, "centre")
    with pytest.raises(Forbidden):
        city.requests.approve(city["op"], one.id, "centre")
    assert city.requests.approve(city["qian"], one.id, "centre").seats[0].by == city["qian"].id
    mine = city.requests.ask(city["wang"], city.form("t1"))
    assert code(lambda: city.requests.approve(city["wang"], mine.id, "centre")) == "grants.not_your_post"
    assert [each.id for each, _ in city.requests.inbox(city["wang"])] == []
    assert [each.id for each, _ in city.requests.inbox(city["qian"])] == [mine.id]


def test_whoever_is_on_duty_decides_and_who_is_off_duty_does_not(city: City) -> None:
    city.duty("lin", "transport")
    one = city.ask("t1")
    city.requests.approve(city["wang"], one.id, "centre")
    with pytest.raises(Refused, match="not_your_post"):
        city.requests.approve(city["su"], one.id, "owner:transport")
    assert city.requests.inbox(city["su"]) == []
    city.desk.now += 9 * HOUR  # nobody is on duty any more: everybody of the role is
    again = city.ask("t1")
    city.requests.approve(city["wang"], again.id, "centre")
    assert city.requests.approve(city["su"], again.id, "owner:transport").state == DECIDED
    city.duty("su", "transport")
    with pytest.raises(Refused, match="not_your_post"):
        city.requests.refuse(city["lin"], one.id, "owner:transport", "不行")


def test_a_second_rank_decides_once_the_first_has_let_it_wait(city: City) -> None:
    city.duty("lin", "transport")
    city.duty("su", "transport", rank=2)
    one = city.requests.ask(city["zhou"], city.form("t1", urgency="urgent"))
    city.requests.approve(city["wang"], one.id, "centre")
    assert city.requests.inbox(city["su"]) == []
    city.desk.now += 11 * MINUTE
    assert city.requests.step(city.desk.now) == 1
    assert city.requests.approve(city["su"], one.id, "owner:transport").state == DECIDED
    assert "request.escalated" in city.actions("access")


def test_two_seats_of_the_centre_are_two_persons(city: City) -> None:
    one = city.ask("s1")
    assert [seat.key for seat in one.seats] == ["centre", "centre:2", "owner:transport"]
    city.requests.approve(city["wang"], one.id, "centre")
    assert code(lambda: city.requests.approve(city["wang"], one.id, "centre:2")) == "grants.not_your_post"
    city.requests.approve(city["qian"], one.id, "centre:2")
    assert city.opens("zhou") == ["p1"]
    city.requests.approve(city["lin"], one.id, "owner:transport")
    assert city.opens("zhou") == ["p1", "s1"]


def test_a_restricted_camera_wants_two_of_the_centre_the_leader_and_the_owner(city: City) -> None:
    one = city.ask("r1")
    assert [seat.key for seat in one.seats] == ["centre", "centre:2", "leader", "owner:transport"]
    for who, seat in (("wang", "centre"), ("qian", "centre:2"), ("gu", "leader")):
        city.requests.approve(city[who], one.id, seat)
    assert "r1" not in city.opens("zhou")
    city.requests.approve(city["lin"], one.id, "owner:transport")
    assert "r1" in city.opens("zhou")


def test_a_draft_is_sent_as_cameras_are_now(city: City) -> None:
    draft = city.requests.draft(city["zhou"], city.form("t1"))
    now_so = Item(code="t1", name="t1", owner="fire", restricted=True, chain=CHAIN, point_class=1, status="on")
    with city.desk.database.write() as transaction:
        take(transaction, "s", [now_so], complete=False, now=city.desk.now)
    sent = city.requests.send(city["zhou"], draft.id)
    assert [seat.key for seat in sent.seats] == ["centre", "centre:2", "leader", "owner:fire"]


def test_a_grave_request_is_not_hidden_by_many_that_wait(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "LISTED_MOST", 3)
    for _ in range(4):
        city.ask("f1")
        city.desk.now += SECOND
    grave = city.requests.ask(city["zhou"], city.form("t1", urgency="critical"))
    assert city.requests.inbox(city["wang"])[0][0].id == grave.id
    last = city.ask("t2")
    assert city.requests.seat(city["wang"], last) == "centre" and city.requests.seat(city["lin"], last) == ""
    city.requests.approve(city["wang"], last.id, "centre")
    assert [one.id for one, _ in city.requests.inbox(city["lin"])] == [last.id], "nobody else's stand before it"


def test_the_leader_alone_extends_what_wants_the_leader_and_nobody_off_duty_does(city: City) -> None:
    plain, one = city.grant("t1"), city.ask("r1")
    for who, seat in (("wang", "centre"), ("qian", "centre:2"), ("gu", "leader"), ("lin", "owner:transport")):
        one = city.requests.approve(city[who], one.id, seat)
    grave = one.grants["transport"]
    for who in ("lin", "wang"):
        assert code(lambda who=who: city.grants.extend(city[who], grave, 30)) == "grants.extend_leader"  # type: ignore[misc]
        city.grants.extend(city[who], plain, 30)
    assert city.grants.extend(city["gu"], grave, 30).until_at > city.desk.now + 60 * MINUTE
    assert code(lambda: city.grants.extend(city["lin"], plain, 500)) == "grants.extend_leader", "so long a window"
    accounts.add(city.desk.database, SYSTEM, "he", "leader", now=START, scope=Scope(department="transport"), demo=True)
    head = accounts.find(city.desk.database, "he")
    assert head is not None
    assert code(lambda: city.grants.extend(head.identity, grave, 30)) == "grants.extend_leader", "of the centre"
    city.duty("su", "transport")
    assert code(lambda: city.grants.extend(city["lin"], plain, 30)) == "grants.not_your_post"
    assert city.grants.extend(city["su"], plain, 30).given_by[-1] == "su"


def test_what_waits_goes_up_and_lapses(city: City) -> None:
    (urgent,) = [city.requests.ask(city["zhou"], city.form("p1", "t1", urgency="urgent"))]
    assert city.requests.step(city.desk.now + 9 * MINUTE) == 0 and city.requests.inbox(city["gu"]) == []
    city.desk.now += 10 * MINUTE
    city.requests.step(city.desk.now)
    assert [each.id for each, _ in city.requests.inbox(city["gu"])] == [urgent.id], "the leader may decide as well"
    city.requests.ask_back(city["gu"], urgent.id, "centre", "哪条车道？")
    city.requests.answer(city["zhou"], urgent.id, "左侧")
    city.requests.approve(city["gu"], urgent.id, "centre")
    late = city.ask("t2", minutes=30)
    city.desk.now += WAITS
    city.requests.step(city.desk.now)
    assert city.requests.find(city["zhou"], late.id).state == "lapsed"
    told = city.actions("access")
    assert told.count("request.escalated") == 1 and "request.lapsed" in told


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"minutes": 481}, "minutes"),
        ({"modes": ("export",)}, "modes"),
        ({"purpose": "none"}, "purpose"),
        ({"basis": "none"}, "basis"),
        ({"text": "x"}, "text"),
        ({"purpose": "incident"}, "incident_wanted"),
        ({"walls": ("none",)}, "walls"),
    ],
)
def test_what_goes_beyond_the_rules_is_not_sent_and_says_why(city: City, wrong: dict[str, Any], why: str) -> None:
    form = structs.replace(city.form("t1"), **wrong)
    assert code(lambda: city.requests.ask(city["zhou"], form)) == f"grants.{why}"
    assert city.requests.mine(city["zhou"]) == []


def test_of_two_who_decide_at_once_one_wins_and_the_other_hears_why(city: City) -> None:
    one, gate = city.ask("t1"), Barrier(2)

    def decide(name: str) -> str:
        gate.wait()
        try:
            city.requests.approve(city[name], one.id, "centre")
        except Refused as error:
            return error.code
        return "won"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, ("wang", "qian"))) == ["grants.not_waiting", "won"]
    assert city.actions("access").count("request.approved") == 1


def test_the_wrong_role_may_do_nothing_of_it(city: City) -> None:
    auditor = Identity("account", "a1", "audit", "audit_admin")
    for deed in (
        lambda: city.requests.ask(auditor, city.form("t1")),
        lambda: city.requests.inbox(city["op"]),
        lambda: city.requests.refuse(city["op"], "r", "centre", "不行"),
        lambda: city.requests.ask_back(auditor, "r", "centre", "为何"),
        lambda: city.standings.sign(city["op"], Terms(role="operator")),
        lambda: city.standings.end(auditor, "s"),
        lambda: city.gate.break_glass(city["lin"], [city.cameras["t1"]], "i", "着火"),
        lambda: city.grants.ratify(city["op"], "g", right=True),
        lambda: city.gate.leave(auditor, Asking(city.cameras["t1"], "patrol"), Whereabouts(CHAIN, "transport")),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            deed()
    assert city.actions("access", "grant", "standing") == []


# ---- what opens ----


def test_exactly_what_each_owner_let_through_opens_and_nothing_else(city: City) -> None:
    one = city.ask("t1", "t2", "f1", "f2")
    assert city.opens("zhou") == ["p1"] and city.leave("zhou", "p1") == OWN
    city.requests.approve(city["wang"], one.id, "centre")
    some = city.requests.approve(
        city["lin"], one.id, "owner:transport", cameras=[city.cameras["t2"]], minutes=30, text="一路足够"
    )
    assert some.state == WAITING and city.opens("zhou") == ["t2", "p1"]
    done = city.requests.refuse(city["huo"], one.id, "owner:fire", "与火情无关")
    assert done.state == DECIDED and list(done.grants) == ["transport"]
    assert city.opens("zhou") == ["t2", "p1"] and city.opens("huo") == ["f1", "f2"]
    got = city.leave("zhou", "t2")
    assert (got.grant, got.until_at) == (done.grants["transport"], city.desk.now + 30 * MINUTE)
    assert code(lambda: city.leave("zhou", "t2", mode="export")) == "grants.none"
    assert city.step(30 * MINUTE) == 1 and city.opens("zhou") == ["p1"]
    assert city.actions("access") == [
        "request.drafted", "request.sent", "request.approved", "request.approved", "request.refused",
    ]  # fmt: skip
    assert city.actions("grant") == ["grant.given", "grant.ended"]
    assert city.held(got.grant).ended_how == "time"


def test_nothing_opens_a_moment_after_the_end_even_before_anybody_has_looked(city: City) -> None:
    city.grant("t1")
    city.desk.now += 60 * MINUTE - 1
    assert city.opens("zhou") == ["t1", "p1"]
    city.desk.now += 1
    assert city.opens("zhou") == ["p1"]


def test_a_forbidden_place_is_never_asked_for_nor_opened(city: City) -> None:
    assert code(lambda: city.ask("t1", "w1")) == "grants.forbidden_place"
    assert city.requests.mine(city["zhou"]) == [], "nothing is kept of it"
    draft = city.requests.draft(city["zhou"], city.form("w1"))
    assert code(lambda: city.requests.send(city["zhou"], draft.id)) == "grants.forbidden_place"
    for who in ("lin", "wang", "zhou"):
        assert code(lambda who=who: city.leave(who, "w1")) == "grants.forbidden_place"  # type: ignore[misc]


def test_no_more_look_through_one_camera_than_the_rules_say(city: City) -> None:
    id = city.grant("t1", "t2")
    most = city.held(id).viewers
    for number in range(most):
        leave = city.leave("zhou", "t1")
        holder, expires = f"account:{city['zhou'].id}", city.desk.now + SECOND
        ticket = Ticket(f"l{number}", city.cameras["t1"], holder, "request", "", expires, *leave)
        looks.begin(
            city.desk.database, city["zhou"], ticket, Whereabouts(CHAIN, "transport"), stream="main",
            now=city.desk.now, admit=city.gate.still,
        )  # fmt: skip
    assert code(lambda: city.leave("zhou", "t1")) == "grants.viewers"
    with city.desk.database.write() as transaction:
        assert code(lambda: city.gate.still(transaction.connection, ticket, city.desk.now)) == "grants.viewers"
    assert city.leave("zhou", "t2").grant == id
    looks.end(city.desk.database, ["l0"], "left", now=city.desk.now)
    assert city.leave("zhou", "t1").grant == id


def test_a_wall_shows_what_was_granted_for_it_and_for_as_long_as_that(city: City) -> None:
    for name, department in (("hall", ""), ("precinct", "police"), ("fire station", "fire"), ("dark", "")):
        city.wall(name, department)
    assert [one.name for one in city.walls("zhou")] == ["dark", "hall", "precinct"]
    assert [one.name for one in city.walls("wang")] == ["dark", "fire station", "hall", "precinct"]
    not_theirs = structs.replace(city.form("t1"), walls=(city["fire station"].id,))
    assert code(lambda: city.requests.ask(city["zhou"], not_theirs)) == "grants.walls"
    form = structs.replace(city.form("t1"), walls=(city["hall"].id,))
    one = city.requests.ask(city["zhou"], form)
    assert one.wall_names == ("hall",) and city.opens("hall") == []
    city.requests.approve(city["wang"], one.id, "centre")
    grant = city.requests.approve(city["lin"], one.id, "owner:transport").grants["transport"]
    assert city.leave("hall", "t1", why="patrol").grant == city.leave("zhou", "t1").grant == grant
    opened = [city.opens(name) for name in ("hall", "dark", "precinct", "fire station")]
    assert opened == [["t1"], [], ["p1"], ["f1", "f2"]], "and their own department's"
    again = city.requests.extend(city["zhou"], grant, 30, "还在处理")
    assert again.wall_names == ("hall",), "what goes on goes on there too"
    city.grants.revoke(city["lin"], grant, "够了")
    assert city.opens("hall") == [] and city.opens("zhou") == ["p1"]


def test_what_was_denied_is_written_down(city: City) -> None:
    asking = Asking(city.cameras["f1"], "incident", "i1")
    city.gate.deny(city["zhou"], asking, Whereabouts(CHAIN, "fire"), "grants.none")
    (entry,) = [one for one in journal.read(city.desk.database, 0) if one.action == "look.denied"]
    assert entry.actor == city["zhou"].actor and entry.scope_department == "fire" and entry.body is not None
    assert (entry.body["camera"], entry.body["code"]) == (city.cameras["f1"], "grants.none")


# ---- what becomes of requests ----


def test_a_copy_is_a_draft_of_ones_own_and_a_request_withdrawn_is_decided_by_nobody(city: City) -> None:
    one = city.ask("t1", "f1")
    with pytest.raises(NotFound):
        city.requests.copy(city["huo"], one.id)
    copy = city.requests.copy(city["zhou"], one.id)
    assert (copy.state, copy.copied, copy.number, copy.seats) == (DRAFT, one.id, "", ())
    assert [each.id for each in copy.cameras] == [each.id for each in one.cameras]
    with pytest.raises(NotFound):
        city.requests.withdraw(city["huo"], one.id)
    assert city.requests.withdraw(city["zhou"], one.id).state == WITHDRAWN
    with pytest.raises((NotFound, Refused)):
        city.requests.approve(city["wang"], one.id, "centre")
    assert code(lambda: city.requests.withdraw(city["zhou"], one.id)) == "grants.over"
    assert city.actions("access")[-2:] == ["request.drafted", "request.withdrawn"]


def test_to_go_on_is_decided_anew_and_begins_where_the_grant_ends(city: City) -> None:
    id = city.grant("t1")
    until = city.held(id).until_at
    with pytest.raises(NotFound):
        city.requests.extend(city["huo"], id, 30, "还没有看完")
    more = city.requests.extend(city["zhou"], id, 30, "还没有看完")
    assert (more.extends, more.from_at, more.state) == (id, until, WAITING)
    assert city.held(id).until_at == until, "asking alone lengthens nothing"
    city.requests.approve(city["wang"], more.id, "centre")
    next_id = city.requests.approve(city["lin"], more.id, "owner:transport").grants["transport"]
    assert city.leave("zhou", "t1").grant == id
    city.desk.now = until
    assert city.leave("zhou", "t1").grant == next_id
    city.desk.now += 30 * MINUTE
    assert city.opens("zhou") == ["p1"]


# ---- what ends grants ----


@pytest.mark.parametrize(
    ("who", "how"), [("lin", "revoked"), ("wang", "revoked"), ("gu", "revoked"), ("zhou", "returned")]
)
def test_owner_centre_and_holder_end_a_grant_at_once(city: City, who: str, how: str) -> None:
    id = city.grant("t1")
    ended = city.grants.revoke(city[who], id, "不再需要")
    assert (ended.ended_how, ended.ended_by) == (how, city[who].actor) and city.opens("zhou") == ["p1"]
    assert code(lambda: city.grants.revoke(city[who], id, "再来")) == "grants.ended"
    last = city.desk.entries()[-1]
    assert (last.action, last.actor) == ("grant.ended", city[who].actor)
    assert last.body is not None and last.body["how"] == how


def test_nobody_else_ends_or_extends_one_and_nobody_without_a_reason(city: City) -> None:
    id = city.grant("t1")
    for name in ("huo", "op"):
        with pytest.raises(NotFound):
            city.grants.revoke(city[name], id, "不要看")
        with pytest.raises(NotFound):
            city.grants.extend(city[name], id, 10)
    with pytest.raises(NotFound):
        city.grants.extend(city["zhou"], id, 10)
    assert code(lambda: city.grants.revoke(city["lin"], id, " ")) == "grants.text"
    assert city.opens("zhou") == ["t1", "p1"]
    assert city.grants.extend(city["lin"], id, 10).until_at == START + 70 * MINUTE
    assert code(lambda: city.grants.extend(city["lin"], id, 24 * 60)) == "grants.minutes"


def test_the_end_of_a_grant_ends_its_looks_with_it(city: City) -> None:
    leave = Leave(city.grant("t1"), "G", START + DAY)
    ticket = Ticket("l1", city.cameras["t1"], f"account:{city['zhou'].id}", "request", "", START + DAY, *leave)
    looks.begin(
        city.desk.database, city["zhou"], ticket, Whereabouts(CHAIN, "transport"), stream="main", now=city.desk.now
    )
    city.grants.revoke(city["lin"], leave.grant, "不再需要")
    assert [one.action for one in city.desk.entries()[-2:]] == ["grant.ended", "look.ended"]
    with pytest.raises(Denied), city.desk.database.write() as transaction:
        city.gate.still(transaction.connection, ticket, city.desk.now)


def test_an_incident_that_closes_ends_its_grants_in_five_minutes_unless_it_is_opened_again(city: City) -> None:
    one, _ = city.incidents()
    id = city.grant("t1", incident=one.id)
    until = city.held(id).until_at
    assert city.step() == 0
    closed = city.desk.commands.close(COMMANDER, one.id, one.revision, "resolved")
    assert city.step() == 1 and city.step() == 0
    warned = city.held(id)
    assert (warned.warned_at, warned.until_at) == (city.desk.now, city.desk.now + 5 * MINUTE)
    assert city.desk.board().granted[id].warned_at == city.desk.now
    city.desk.commands.reopen(COMMANDER, one.id, closed.revision, "又起火")
    assert city.step() == 1 and (city.held(id).warned_at, city.held(id).until_at) == (None, until)
    city.desk.commands.close(COMMANDER, one.id, closed.revision + 1, "resolved")
    city.step()
    assert city.step(5 * MINUTE - SECOND) == 0 and "t1" in city.opens("zhou")
    assert city.step(SECOND) == 1 and "t1" not in city.opens("zhou")
    assert city.actions("grant") == ["grant.given", "grant.warned", "grant.resumed", "grant.warned", "grant.ended"]


def test_what_is_extended_after_its_incident_has_closed_goes_on(city: City) -> None:
    one, _ = city.incidents()
    id = city.grant("t1", incident=one.id)
    until = city.held(id).until_at
    city.desk.tick()
    city.desk.commands.close(COMMANDER, one.id, one.revision, "resolved")
    city.step(SECOND)
    assert city.grants.extend(city["lin"], id, 10, "还要取证").until_at == until + 10 * MINUTE
    assert city.step(10 * MINUTE) == 0
    assert (city.held(id).warned_at, city.held(id).until_at) == (None, until + 10 * MINUTE)
    assert "t1" in city.opens("zhou")


def test_a_grant_goes_on_with_what_its_incident_has_become_part_of(city: City) -> None:
    whole, part = city.incidents()
    id = city.grant("t1", incident=part.id)
    until = city.held(id).until_at
    merged = city.desk.commands.merge(COMMANDER, whole.id, whole.revision, [part.id])
    assert city.step() == 1 and city.step() == 0
    now = city.held(id)
    assert (now.incident, now.incident_number, now.until_at, now.warned_at) == (whole.id, whole.number, until, None)
    assert city.leave("zhou", "t1", "incident", whole.id).grant == id
    city.desk.commands.close(COMMANDER, whole.id, merged.revision, "resolved")
    assert city.step() == 1 and city.held(id).until_at == city.desk.now + 5 * MINUTE
    assert city.actions("grant") == ["grant.given", "grant.carried", "grant.warned"]


@pytest.mark.parametrize("gone", ["disabled", "moved", "other role"])
def test_a_grant_ends_with_its_holders_post(city: City, gone: str) -> None:
    id = city.grant("t1")
    assert city.step() == 0
    if gone == "disabled":
        accounts.disable(city.desk.database, SYSTEM, "zhou", now=city.desk.now)
    else:
        values = {"scope_department": "fire"} if gone == "moved" else {"role": "operator"}
        with city.desk.database.write() as transaction:
            transaction.connection.execute(sa.update(account).where(account.c.name == "zhou").values(values))
    assert city.step() == 1 and city.held(id).ended_how == "post"
    assert city.actions("grant") == ["grant.given", "grant.ended"]


# ---- standing authorisations ----


def test_an_owner_lets_a_post_look_in_advance_and_each_opening_is_a_short_grant_of_the_incident(city: City) -> None:
    one, _ = city.incidents()
    signed = city.standings.sign(city["lin"], Terms(role="operator", minutes=20), department="transport")
    leave = city.leave("op", "t1", "incident", one.id)
    made = city.held(leave.grant)
    assert (made.kind, made.standing, made.incident, made.given_by) == ("standing", signed.id, one.id, ("lin",))
    assert (made.cameras, made.until_at) == ((city.cameras["t1"],), city.desk.now + 20 * MINUTE)
    assert city.leave("op", "t1", "incident", one.id) == leave, "what is open is not opened twice"
    opened = city.desk.entries()[-1]
    assert (opened.action, opened.actor, opened.scope_department_before) == (
        "grant.opened", city["op"].actor, "transport",
    )  # fmt: skip
    city.desk.commands.close(COMMANDER, one.id, one.revision, "resolved")
    city.step()
    city.step(5 * MINUTE)
    assert city.held(leave.grant).ended_how == "incident"
    with pytest.raises(Denied):
        city.leave("op", "t1", "incident", one.id)


def test_a_standing_authorisation_opens_nothing_beyond_its_terms(city: City) -> None:
    one, other = city.incidents("routine")
    city.standings.sign(city["lin"], Terms(role="operator", classes=(1,)), department="transport")
    city.desk.commands.urgency(COMMANDER, other.id, other.revision, "critical", "升级")
    assert city.leave("op", "t2", "incident", other.id).grant
    for who, camera, why, about, mode in (
        ("op", "t1", "incident", one.id, "live"),  # not urgent enough
        ("op", "t1", "patrol", "", "live"),  # another purpose
        ("op", "t1", "request", "", "live"),
        ("op", "t1", "incident", other.id, "playback"),
        ("op", "t2", "incident", other.id, "playback"),
        ("op", "r1", "incident", other.id, "live"),  # restricted
        ("op", "f1", "incident", other.id, "live"),  # another owner
        ("wang", "t1", "incident", other.id, "live"),  # another role
        ("zhou", "t1", "incident", other.id, "live"),  # another house
    ):
        with pytest.raises(Denied):
            city.leave(who, camera, why, about, mode)
    city.standings.sign(city["lin"], Terms(role="duty_commander", classes=(2, 3)), department="transport")
    with pytest.raises(Denied):
        city.leave("wang", "t1", "incident", other.id)
    assert city.actions("grant") == ["grant.opened"]


def test_a_standing_authorisation_is_over_after_six_months_or_when_its_owner_ends_it(city: City) -> None:
    one, _ = city.incidents()
    with pytest.raises(NotFound):
        city.standings.sign(city["huo"], Terms(role="operator"), department="transport")
    long = Terms(role="operator", minutes=600)
    assert code(lambda: city.standings.sign(city["lin"], long, department="transport")) == "grants.minutes"
    signed = city.standings.sign(city["lin"], Terms(role="operator"), department="transport")
    assert city.leave("op", "t1", "incident", one.id).grant
    with pytest.raises(NotFound):
        city.standings.end(city["huo"], signed.id)
    city.standings.end(city["su"], signed.id)
    with pytest.raises(Denied):
        city.leave("op", "t1", "incident", one.id)
    assert city.actions("grant") == ["grant.opened", "grant.ended"], "what it had opened is over too"
    assert code(lambda: city.standings.end(city["lin"], signed.id)) == "grants.ended"
    with pytest.raises(Denied):
        city.leave("op", "t2", "incident", one.id)
    again = city.standings.sign(city["lin"], Terms(role="operator"), id=signed.id)
    assert (again.id, again.revision, again.department) == (signed.id, 3, "transport")
    city.desk.now += 6 * MONTH - 1
    assert city.leave("op", "t2", "incident", one.id).grant
    city.desk.now += 1
    with pytest.raises(Denied):
        city.leave("op", "f1", "incident", one.id)
    with pytest.raises(Denied):
        city.leave("op", "t1", "incident", one.id)
    assert city.actions("standing") == ["standing.signed", "standing.ended", "standing.signed"]


# ---- break-glass ----


def test_glass_is_broken_by_role_and_for_a_grave_open_incident_alone(city: City) -> None:
    one, other = city.incidents()
    low = city.desk.commands.urgency(COMMANDER, other.id, other.revision, "urgent", "降级")

    def broken(who: str = "wang", camera: str = "t1", about: str = one.id, text: str = "着火了") -> str:
        return code(lambda: city.gate.break_glass(city[who], [city.cameras[camera]], about, text))

    assert broken(who="op") == "grants.breakglass.role"
    assert broken(about=low.id) == "grants.breakglass.urgency"
    assert broken(text=" ") == "grants.text"
    assert broken(camera="w1") == "grants.forbidden_place"
    assert broken(camera="r1") == "grants.breakglass.restricted"
    with pytest.raises(Refused, match="modes"):
        city.gate.break_glass(city["wang"], [city.cameras["t1"]], one.id, "着火了", modes=("export",))
    city.desk.commands.close(COMMANDER, one.id, one.revision, "resolved")
    assert broken() == "grants.breakglass.urgency"
    assert city.actions("grant") == []


def test_broken_glass_opens_at_once_and_is_loud_until_each_owner_has_spoken(city: City) -> None:
    one, _ = city.incidents()
    made = city.gate.break_glass(city["wang"], [city.cameras[code] for code in ("t1", "f1")], one.id, "着火了")
    assert {each.department for each in made} == {"transport", "fire"}
    assert city.opens("wang") == ["t1", "f1"] and {each.until_at for each in made} == {city.desk.now + 30 * MINUTE}
    by = {each.department: each.id for each in made}
    assert all(each.loud for each in city.desk.board().granted.values())
    for name in ("wang", "huo"):
        with pytest.raises(NotFound):
            city.grants.ratify(city[name], by["transport"], right=True)
    city.grants.ratify(city["lin"], by["transport"], right=True)
    assert code(lambda: city.grants.ratify(city["lin"], by["transport"], right=True)) == "grants.ratified"
    assert code(lambda: city.grants.ratify(city["huo"], by["fire"], right=False)) == "grants.why_refused"
    ended = city.grants.ratify(city["huo"], by["fire"], right=False, text="不是火情")
    assert (ended.ended_how, ended.unratified) == ("unratified", True) and city.opens("wang") == ["t1"]
    assert [each.loud for each in city.desk.board().granted.values()] == [False]
    told = ["grant.broken", "grant.broken", "grant.ratified", "grant.rejected", "grant.ended"]
    assert city.actions("grant") == told


def test_glass_that_nobody_has_ratified_in_a_day_is_reported_once_and_stays_loud(city: City) -> None:
    one, _ = city.incidents()
    (made,) = city.gate.break_glass(city["wang"], [city.cameras["t1"]], one.id, "着火了")
    city.step(30 * MINUTE)
    assert city.held(made.id).ended_how == "time" and city.desk.board().granted[made.id].loud
    assert city.step(23 * HOUR) == 0
    assert city.step(HOUR) == 1 and city.step(HOUR) == 0
    assert city.held(made.id).unratified and city.desk.board().granted[made.id].loud
    assert [each.id for each in city.grants.unratified(city["lin"])] == [made.id]
    assert city.actions("grant") == ["grant.broken", "grant.ended", "grant.unratified"]
    assert code(lambda: city.requests.extend(city["wang"], made.id, 60, "还要看")) == "grants.not_asked_for"
    late = city.grants.ratify(city["lin"], made.id, right=True)
    assert late.unratified and made.id not in city.desk.board().granted
    assert city.grants.unratified(city["lin"]) == []


# ---- the board ----


def test_the_board_kept_live_equals_the_one_from_the_journal_and_the_rows(city: City) -> None:
    live = city.desk.board()
    scopes = (Scope(department="fire"), Scope(department="transport"), NOWHERE)
    views = {scope: board.project(live, scope) for scope in scopes}
    seen = live.seq

    def follow() -> None:
        nonlocal seen
        for entry in journal.read(city.desk.database, seen):
            change = board.apply(live, entry)
            for view in views.values():
                board.apply_scoped(view, entry, change)
            seen = entry.seq
        whole = city.desk.board()
        assert (live.asked, live.decided, live.granted) == (whole.asked, whole.decided, whole.granted)
        for scope, view in views.items():
            now = board.project(whole, scope)
            assert (view.asked, view.decided, view.granted) == (now.asked, now.decided, now.granted)
        with city.desk.database.read() as connection:
            held_now = {one.id: held.shown(one) for one in rows.grants(connection)}
            mine = city.requests.mine(city["zhou"])
        assert live.granted == {id: one for id, one in held_now.items() if one is not None}
        assert live.asked == {one.id: told for one in mine if (told := asked.shown(one)) is not None}

    one, _ = city.incidents()
    first = city.ask("t1", "f1", incident=one.id)
    second = city.ask("f2")
    follow()
    assert set(live.asked) == {first.id, second.id}
    city.requests.approve(city["wang"], first.id, "centre")
    city.requests.approve(city["lin"], first.id, "owner:transport")
    follow()
    assert len(live.granted) == 1 and live.decided == []
    city.requests.ask_back(city["wang"], second.id, "centre", "为何")
    follow()
    city.requests.answer(city["zhou"], second.id, "巡查")
    city.desk.now += 5 * HOUR
    city.requests.step(city.desk.now)
    follow()
    city.requests.refuse(city["huo"], first.id, "owner:fire", "无关")
    city.requests.withdraw(city["zhou"], second.id)
    assert views[NOWHERE].granted == {}
    (broken,) = city.gate.break_glass(city["wang"], [city.cameras["f1"]], one.id, "着火了")
    follow()
    assert list(views[NOWHERE].granted) == [broken.id], "auditors hear of it"
    shown = [each.body["set"] for each in city.desk.entries() if each.subject_type in ("access", "grant")]
    assert any(shown), "and nothing that everybody hears tells who, or why"
    assert not any({"who", "name", "text", "holder", "applicant"} & set(each or ()) for each in shown)
    assert live.asked == {} and len(live.decided) == 1
    snapshot.save(city.desk.database, live)
    city.step()
    city.step(25 * HOUR)
    follow()
    assert [each.loud for each in live.granted.values()] == [True]
    city.grants.ratify(city["huo"], broken.id, right=True)
    follow()
    assert views[NOWHERE].granted == live.granted == {}
    assert city.desk.board().scope == WHOLE
