"""Video access by its commands on a real database: who may decide, what opens and what ends, all of it as entries."""

from datetime import UTC
from pathlib import Path

import pytest
import sqlalchemy as sa

from config import access as rules
from config.calendar import Workdays
from operations import accounts, journal
from operations.board import Board, apply
from operations.calendar import Calendar
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.contacts import cards, roster
from operations.contacts.cards import Person
from operations.contacts.roster import Shift
from operations.database import Database
from operations.errors import Forbidden, NotFound, OperationsError, Refused
from operations.grants import held as folded
from operations.grants.admission import Admission, Asking, Denied
from operations.grants.grant import Held
from operations.grants.grants import Grants
from operations.grants.request import WAITS
from operations.grants.requests import Form, Requests
from operations.grants.standing import MONTH, Standings, Terms
from operations.looks import Whereabouts
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from operations.seal import KeyStore
from operations.tables import account, camera, look
from tests.operations.desk import HOUR, OPERATOR, START, Desk
from tests.operations.desk import report as told

pytestmark = pytest.mark.database
CHAIN = ("990101", "990101001")
MINUTE = HOUR // 60
ADMIN = Identity("account", "a", "admin", "system_admin")


class City:
    """The commands, people and cameras of a city; `now` moves when it is told to."""

    def __init__(self, database: Database, desk: Desk) -> None:
        self.database, self.desk, self.now = database, desk, START
        calendar, clock = Calendar(Workdays.load(), UTC), lambda: self.now
        self.requests = Requests(database, calendar, zone=UTC, now=clock)
        self.grants = Grants(database, calendar, zone=UTC, now=clock)
        self.standings = Standings(database, calendar, zone=UTC, now=clock)
        self.gate = Admission(database, calendar, zone=UTC, now=clock)
        self.police = self.somebody("zhou", "liaison", "police")
        self.centre = self.somebody("wang", "duty_commander")
        self.leader = self.somebody("qian", "leader")
        self.transport = self.somebody("lin", "liaison", "transport")
        self.street = self.somebody("sun", "liaison", "street")
        self.cameras = self._cameras()

    def somebody(self, name: str, role: str, department: str = "") -> Identity:
        scope = Scope(department=department)
        accounts.add(self.database, SYSTEM, name, role, now=START, scope=scope, demo=True)
        found = accounts.find(self.database, name)
        assert found is not None
        return found.identity

    def _cameras(self) -> dict[str, str]:
        """{name: id}: two of transport, one of the street, one restricted, one where none may be, one of nobody."""
        made = {
            "gate": {"owner": "transport"}, "bridge": {"owner": "transport"}, "square": {"owner": "street"},
            "vault": {"owner": "transport", "restricted": True}, "更衣室门口": {"owner": "street"}, "pole": {},
        }  # fmt: skip
        items = [
            Item(code=str(n), name=name, url_main="rtsp://127.0.0.1/x", chain=CHAIN, status="on", **more)  # type: ignore[arg-type]
            for n, (name, more) in enumerate(made.items())
        ]
        with self.database.write() as transaction:
            take(transaction, "s", items, complete=True, now=START)
        with self.database.read() as connection:
            return {row.name: row.id for row in connection.execute(sa.select(camera))}

    def form(self, *names: str, **more: object) -> Form:
        values = {"purpose": "patrol", "basis": "decree799_20", "text": "see the road", "minutes": 60, **more}
        return Form(cameras=tuple(self.cameras[name] for name in names), **values)  # type: ignore[arg-type]

    def granted(self, *names: str, who: Identity | None = None, **more: object) -> Held:
        """A grant by all who must decide."""
        one = self.requests.ask(who or self.police, self.form(*names, **more))
        one = self.requests.approve(self.centre, one.id, "centre")
        for seat in one.waiting:
            one = self.requests.approve({"transport": self.transport, "street": self.street}[seat.department], one.id,
                                        seat.key)  # fmt: skip
        (id,) = one.grants.values()
        return self.grants.find(self.centre, id)

    def opens(self, who: Identity, name: str, why: str = "request", incident: str = "", mode: str = "live") -> str:
        """By which grant somebody looks. Raises Denied, Refused."""
        with self.database.read() as connection:
            row = connection.execute(sa.select(camera).where(camera.c.id == self.cameras[name])).one()
        asking = Asking(row.id, why, incident, mode)
        return self.gate.leave(who, asking, Whereabouts(CHAIN, row.owner)).grant

    def shut(self, who: Identity, name: str, why: str = "request", incident: str = "") -> bool:
        """Whether nothing opens."""
        try:
            self.opens(who, name, why, incident)
        except Denied:
            return True
        return False

    def incident(self, urgency: str = "urgent", id: str = "i") -> str:
        """An open incident."""
        self.desk.send(told(id, urgency=urgency))
        return next(one.id for one in self.desk.board().incidents.values() if one.title == f"title of {id}" or id)

    def board(self) -> Board:
        made = Board()
        for entry in journal.read(self.database, 0):
            apply(made, entry)
        return made

    def entries(self, action: str) -> int:
        return sum(one.action == action for one in journal.read(self.database, 0))


@pytest.fixture
def city(database: Database, tmp_path: Path) -> City:
    return City(database, Desk(database, KeyStore(tmp_path / "keys")))


# ---- who decides ----


def test_owners_decide_for_their_own_cameras_and_only_what_all_let_through_opens(city: City) -> None:
    one = city.requests.ask(city.police, city.form("gate", "bridge", "square"))
    assert [seat.key for seat in one.waiting] == ["centre"], "the owners' turn comes after the centre's"
    with pytest.raises(Refused, match="not_waiting"):
        city.requests.approve(city.transport, one.id, "owner:transport")
    city.requests.approve(city.centre, one.id, "centre")
    for stranger in (city.street, city.centre, city.police):
        with pytest.raises(OperationsError):
            city.requests.approve(stranger, one.id, "owner:transport")
    city.requests.approve(city.transport, one.id, "owner:transport", cameras=[city.cameras["gate"]], minutes=30)
    done = city.requests.refuse(city.street, one.id, "owner:street", "under repair")
    assert done.state == "decided" and list(done.grants) == ["transport"]
    grant = city.opens(city.police, "gate")
    assert grant == done.grants["transport"]
    assert city.grants.find(city.police, grant).until_at == START + 30 * MINUTE, "narrowed"
    assert city.shut(city.police, "bridge") and city.shut(city.police, "square") and city.shut(city.leader, "gate")
    assert city.opens(city.transport, "bridge") == "", "one's own department needs no grant"
    city.now += 30 * MINUTE
    assert city.shut(city.police, "gate"), "its time is over"
    assert [city.entries(f"request.{what}") for what in ("sent", "approved", "refused")] == [1, 2, 1]


def test_the_right_is_the_posts_on_duty_and_never_the_applicants(city: City) -> None:
    other = city.somebody("zhao", "duty_commander")
    people = [Person(name=one.name, department="centre", account=one.id) for one in (city.centre, other)]
    made = cards.take(city.database, ADMIN, people, now=START)
    shift = Shift(person=made[1].id, department="centre", post="值班", rank=1, starts_at=START - HOUR,
                  ends_at=START + 8 * HOUR)  # fmt: skip
    roster.plan(city.database, SYSTEM_PLANNER, [shift], now=START)
    one = city.requests.ask(city.police, city.form("gate"))
    with pytest.raises(Refused, match="not_your_post"):
        city.requests.approve(city.centre, one.id, "centre")
    assert city.requests.inbox(city.centre) == []
    assert [each.id for each, _ in city.requests.inbox(other)] == [one.id]
    city.requests.approve(other, one.id, "centre")
    own = city.requests.ask(other, city.form("gate"))
    with pytest.raises(Refused, match="not_your_post"):
        city.requests.approve(other, own.id, "centre")


SYSTEM_PLANNER = Identity("account", "p", "planner", "duty_commander")


def test_a_restricted_camera_wants_two_of_the_centre_the_leader_and_the_owner(city: City) -> None:
    second = city.somebody("zhao", "duty_commander")
    one = city.requests.ask(city.police, city.form("vault"))
    assert [seat.key for seat in one.seats] == ["centre", "centre:2", "leader", "owner:transport"]
    city.requests.approve(city.centre, one.id, "centre")
    with pytest.raises(Refused, match="not_your_post"):
        city.requests.approve(city.centre, one.id, "centre:2")
    city.requests.approve(second, one.id, "centre:2")
    city.requests.approve(city.leader, one.id, "leader")
    assert city.shut(city.police, "vault")
    city.requests.approve(city.transport, one.id, "owner:transport")
    assert city.opens(city.police, "vault")


def test_of_two_who_decide_at_once_one_is_told_that_it_is_done(city: City) -> None:
    second = city.somebody("zhao", "duty_commander")
    one = city.requests.ask(city.police, city.form("pole"))
    city.requests.approve(city.centre, one.id, "centre")
    for late in (lambda: city.requests.approve(second, one.id, "centre"),
                 lambda: city.requests.refuse(second, one.id, "centre", "too late")):  # fmt: skip
        with pytest.raises(Refused, match="not_waiting"):
            late()
    assert city.entries("grant.given") == 1


def test_whoever_has_no_right_is_refused(city: City) -> None:
    worker = city.somebody("ge", "grid_worker")
    one = city.requests.ask(city.police, city.form("gate"))
    for deed in (
        lambda: city.requests.ask(worker, city.form("gate")),
        lambda: city.requests.approve(OPERATOR, one.id, "centre"),
        lambda: city.requests.inbox(OPERATOR),
        lambda: city.standings.listed(worker),
        lambda: city.gate.break_glass(worker, [city.cameras["gate"]], "i", "an emergency"),
    ):
        with pytest.raises(Forbidden):
            deed()


def test_what_waits_goes_up_and_lapses(city: City) -> None:
    one = city.requests.ask(city.police, city.form("pole", urgency="urgent"))
    assert city.requests.step(START + 9 * MINUTE) == 0 and city.requests.inbox(city.leader) == []
    city.now = START + 10 * MINUTE
    city.requests.step(city.now)
    assert [each.id for each, _ in city.requests.inbox(city.leader)] == [one.id], "the leader may decide as well"
    city.requests.ask_back(city.leader, one.id, "centre", "which lane?")
    city.requests.answer(city.police, one.id, "the left one")
    city.requests.approve(city.leader, one.id, "centre")
    two = city.requests.ask(city.police, city.form("pole", minutes=30))
    city.now += WAITS
    city.requests.step(city.now)
    assert city.requests.find(city.police, two.id).state == "lapsed"
    assert city.entries("request.escalated") == 1 and city.entries("request.lapsed") == 1, "each said once"


# ---- what ends ----


def test_owner_centre_and_holder_end_a_grant_and_nobody_else(city: City) -> None:
    for who, how in ((city.transport, "revoked"), (city.centre, "revoked"), (city.police, "returned")):
        grant = city.granted("gate")
        with pytest.raises(NotFound):
            city.grants.revoke(city.street, grant.id, "not mine")
        with pytest.raises(NotFound):
            city.grants.extend(city.police, grant.id, 30)
        ended = city.grants.revoke(who, grant.id, "it is over")
        assert ended.ended_how == how and city.shut(city.police, "gate")
        with pytest.raises(Refused, match="ended"):
            city.grants.revoke(who, grant.id, "it is over")


def test_going_on_is_a_decision_anew_and_a_copy_is_a_draft(city: City) -> None:
    grant = city.granted("gate")
    more = city.requests.extend(city.police, grant.id, 60, "it still burns")
    assert more.extends == grant.id and city.grants.find(city.police, grant.id).until_at == grant.until_at
    city.requests.withdraw(city.police, more.id)
    copy = city.requests.copy(city.police, grant.request)
    assert (copy.state, copy.copied, copy.number) == ("draft", grant.request, "")
    with pytest.raises(NotFound):
        city.requests.copy(city.street, grant.request)
    assert city.requests.send(city.police, copy.id).state == "waiting"


def test_a_closed_incident_ends_its_grants_in_five_minutes_unless_somebody_extends(city: City) -> None:
    incident = city.incident()
    city.now = city.desk.now + HOUR // 60
    first = city.granted("gate", who=city.leader, purpose="incident", incident=incident)
    second = city.granted("square", who=city.leader, purpose="incident", incident=incident)
    stored, city.desk.now = city.desk.stored(incident), city.now
    city.desk.commands.close(city.centre, incident, stored.revision, "resolved")
    city.now = city.desk.now
    city.grants.step(city.now)
    told_ = city.grants.find(city.leader, first.id)
    assert told_.warned_at == city.now and told_.until_at == city.now + 5 * MINUTE
    city.grants.extend(city.centre, second.id, 30)
    city.now += 5 * MINUTE
    city.grants.step(city.now)
    assert city.grants.find(city.leader, first.id).ended_how in ("incident", "time")
    assert city.grants.find(city.leader, second.id).ended_at is None
    assert city.shut(city.leader, "gate") and city.opens(city.leader, "square")


def test_a_merge_carries_grants_to_the_whole(city: City) -> None:
    city.desk.send(told("a"), told("b"))
    one, other = list(city.desk.board().incidents)
    city.now = city.desk.now + HOUR // 60
    grant = city.granted("gate", who=city.leader, purpose="incident", incident=other)
    stored = city.desk.stored(one)
    city.desk.commands.merge(city.centre, one, stored.revision, [other])
    city.grants.step(city.now)
    after = city.grants.find(city.leader, grant.id)
    assert (after.incident, after.ended_at) == (one, None) and city.entries("grant.carried") == 1


@pytest.mark.parametrize("change", [{"disabled_at": START}, {"scope_department": "fire"}, {"role": "grid_worker"}])
def test_whoever_leaves_the_post_leaves_the_grant(city: City, change: dict[str, object]) -> None:
    grant = city.granted("gate")
    with city.database.write() as transaction:
        mine = sa.update(account).where(account.c.id == city.police.id)
        transaction.connection.execute(mine.values(change))
    city.grants.step(city.now)
    assert city.grants.find(city.centre, grant.id).ended_how == "post"


def test_no_more_look_at_once_through_a_camera_than_the_grant_says(city: City) -> None:
    grant = city.granted("gate")
    with city.database.write() as transaction:
        for n in range(grant.viewers):
            transaction.connection.execute(look_of(n, grant.id, city.cameras["gate"]))
    with pytest.raises(Refused, match="viewers"):
        city.opens(city.police, "gate")


def look_of(number: int, grant: str, camera_id: str) -> "sa.Insert":
    values = {"id": f"l{number}", "camera": camera_id, "grant_id": grant, "began_at": START, "seen_at": START}
    return sa.insert(look).values(values)


# ---- in advance, and in an emergency ----


def test_a_standing_authorisation_opens_what_it_says_for_a_while_and_never_what_is_restricted(city: City) -> None:
    incident = city.incident("urgent")
    city.now = city.desk.now + HOUR // 60
    terms = Terms(role="leader", purposes=("incident",), urgencies=("urgent",), classes=(0, 1), minutes=30)
    with pytest.raises(NotFound):
        city.standings.sign(city.street, terms, department="transport")
    signed = city.standings.sign(city.transport, terms, department="transport")
    grant = city.grants.find(city.leader, city.opens(city.leader, "gate", "incident", incident))
    assert (grant.kind, grant.incident, grant.standing) == ("standing", incident, signed.id)
    assert grant.until_at == city.now + 30 * MINUTE and grant.given_by == ("lin",)
    assert city.opens(city.leader, "gate", "incident", incident) == grant.id, "no second one"
    assert city.shut(city.leader, "vault", "incident", incident), "restricted"
    assert city.shut(city.leader, "square", "incident", incident), "another owner's"
    assert city.shut(city.leader, "bridge", "patrol"), "another purpose"
    assert city.shut(city.police, "bridge", "incident", incident), "another post"
    city.now += 6 * MONTH
    assert city.shut(city.leader, "bridge", "incident", incident), "to be signed anew"
    city.standings.sign(city.transport, terms, department="transport", id=signed.id)
    assert city.opens(city.leader, "bridge", "incident", incident)
    city.standings.end(city.transport, signed.id)
    assert city.shut(city.leader, "gate", "incident", incident)


def test_glass_is_broken_by_rule_is_loud_and_ratified_or_told_of(city: City) -> None:
    grave, other = city.incident("critical", "grave"), city.incident("urgent", "other")
    grave = next(one.id for one in city.desk.board().incidents.values() if one.urgency == "critical")
    other = next(one.id for one in city.desk.board().incidents.values() if one.urgency == "urgent")
    city.now = city.desk.now + HOUR // 60
    gate, vault, changing = (city.cameras[name] for name in ("gate", "vault", "更衣室门口"))
    for who, cameras, incident, refusal in (
        (OPERATOR, [gate], grave, "role"),
        (city.centre, [gate], other, "urgency"),
        (city.centre, [gate, vault], grave, "restricted"),
        (city.centre, [changing], grave, "forbidden_place"),
        (city.centre, [], grave, "cameras"),
    ):
        with pytest.raises(Refused, match=refusal):
            city.gate.break_glass(who, cameras, incident, "somebody is hurt")
    (broken,) = city.gate.break_glass(city.centre, [gate], grave, "somebody is hurt")
    assert city.opens(city.centre, "gate", "incident", grave) == broken.id and broken.loud
    assert broken.until_at == city.now + 30 * MINUTE and broken.ratify_by == city.now + 24 * HOUR
    with pytest.raises(NotFound):
        city.grants.ratify(city.centre, broken.id, right=True)  # nobody ratifies their own
    assert city.board().granted[broken.id].loud
    city.grants.ratify(city.leader, broken.id, right=True)
    assert not city.board().granted[broken.id].loud
    (late,) = city.gate.break_glass(city.leader, [gate], grave, "again")
    city.now += 24 * HOUR
    city.grants.step(city.now)
    found = city.grants.find(city.centre, late.id)
    assert found.unratified and found.loud and city.entries("grant.unratified") == 1
    city.grants.step(city.now)
    assert city.entries("grant.unratified") == 1, "told once"


def test_nobody_gets_what_the_law_forbids(city: City) -> None:
    with pytest.raises(Refused, match="forbidden_place"):
        city.requests.ask(city.police, city.form("更衣室门口"))
    with pytest.raises(Refused, match="forbidden_place"):
        city.opens(city.street, "更衣室门口")


# ---- as screens see it ----


def test_the_board_of_the_journal_is_what_the_rows_say(city: City) -> None:
    city.granted("gate")
    second = city.granted("square")
    waiting = city.requests.ask(city.police, city.form("pole"))
    city.grants.revoke(city.centre, second.id, "it is over")
    board = city.board()
    assert list(board.asked) == [waiting.id] and len(board.decided) == 2
    living = {one.id: folded.shown(one) for one in city.grants.living(city.centre)}
    assert board.granted == living and len(living) == 1


def test_no_entry_tells_a_person_why_or_who_to_everybody(city: City) -> None:
    city.granted("gate")
    for entry in journal.read(city.database, 0):
        if entry.subject_type in ("request", "grant") and isinstance((entry.body or {}).get("set"), dict):
            assert not {"who", "name", "text", "holder"} & set(entry.body["set"])  # type: ignore[index]


def test_limits_are_those_of_the_rules(city: City) -> None:
    limits = rules.current().limits
    for wrong, code in (
        ({"minutes": 481}, "minutes"),
        ({"modes": ("export",)}, "modes"),
        ({"purpose": "none"}, "purpose"),
        ({"basis": "none"}, "basis"),
        ({"text": "x"}, "text"),
        ({"purpose": "incident"}, "incident_wanted"),
    ):
        with pytest.raises(Refused, match=code):
            city.requests.ask(city.police, city.form("gate", **wrong))
    assert limits.longest_minutes == 1_440
