"""A request: every deed, its clocks, and that nothing is ever granted which some seat has not let through."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from config import access
from operations.errors import Refused
from operations.grants import request as deeds
from operations.grants.request import (
    APPROVED,
    ASKED,
    BACK,
    DECIDED,
    LAPSED,
    LATER,
    MINUTE,
    OPEN,
    REFUSED,
    SETTLED,
    VOID,
    WAITING,
    WITHDRAWN,
    Request,
    Wanted,
)  # fmt: skip
from tests.operations.desk import START
from tests.operations.grants import CENTRE, HOUR, LEADER, OWNER, SECOND_CENTRE, asking, due, wanted

ACCESS = access.current()
LEVELS = ACCESS.limits.levels


def sent(*cameras: Wanted, **told: object) -> Request:
    """A request that has been sent."""
    return deeds.submitted(asking(*cameras, **told), ACCESS, "D-1", START, due)


def approve(
    one: Request, seat: str, who: tuple[str, str] = CENTRE, *, only: tuple[str, ...] | None = None, minutes: int = 0,
    now: int = START,
) -> Request:  # fmt: skip
    return deeds.approved(one, seat, only, minutes, who, "", now, due)


def states(one: Request) -> dict[str, str]:
    return {seat.key: seat.state for seat in one.seats}


def given(one: Request) -> dict[str, tuple[str, ...]]:
    return {ready.department: ready.cameras for ready in deeds.ready(one)}


def code(deed: Callable[[], object]) -> str:
    with pytest.raises(Refused) as error:
        deed()
    return error.value.code


# ---- sending ----


def test_a_request_is_sent_to_the_centre_first_with_what_it_leaves_out_filled_in() -> None:
    one = sent(from_at=0)
    assert (one.state, one.number, one.sent_at, one.minutes) == (WAITING, "D-1", START, ACCESS.limits.live_minutes)
    assert (one.from_at, one.until_at, one.at_once) == (START, START + 120 * MINUTE, True)
    assert states(one) == {"centre": OPEN, "owner:police": LATER}
    (seat,) = one.waiting
    assert (seat.since_at, seat.due_at) == (START, due("routine", START))
    assert code(lambda: deeds.submitted(one, ACCESS, "D-2", START, due)) == "grants.not_draft"


WRONG: list[tuple[dict[str, object], str]] = [
    ({"purpose": "curiosity"}, "grants.purpose"),
    ({"basis": "habit"}, "grants.basis"),
    ({"text": " x "}, "grants.text"),
    ({"text": "x" * 301}, "grants.text"),
    ({"incident": ""}, "grants.incident_wanted"),
    ({"urgency": "soon"}, "grants.standing.urgency"),
    ({"cameras": ()}, "grants.cameras"),
    ({"cameras": tuple(wanted(f"c{n}") for n in range(17))}, "grants.cameras"),
    ({"cameras": (wanted(), wanted())}, "grants.cameras_twice"),
    ({"modes": ()}, "grants.modes"),
    ({"modes": ("export",)}, "grants.modes"),
    ({"modes": ("film",)}, "grants.modes"),
    ({"minutes": 241}, "grants.minutes"),
    ({"minutes": -1}, "grants.minutes"),
    ({"from_at": START + 32 * 24 * HOUR}, "grants.begins"),
]


@pytest.mark.parametrize(("told", "said"), WRONG)
def test_what_cannot_be_asked_is_refused(told: dict[str, object], said: str) -> None:
    assert code(lambda: deeds.submitted(asking(**told), ACCESS, "D-1", START, due)) == said


def test_a_purpose_says_how_many_cameras_and_how_long_and_a_hurry_asks_for_no_more_than_usual() -> None:
    many = tuple(wanted(f"c{n}") for n in range(32))
    assert len(sent(*many, purpose="patrol", incident="").cameras) == 32
    hurried = asking(*many, purpose="patrol", incident="", urgency="urgent")
    assert code(lambda: deeds.submitted(hurried, ACCESS, "D-1", START, due)) == "grants.cameras"
    assert sent(purpose="evidence", minutes=1_440).minutes == 1_440
    assert sent(purpose="inspection", incident="").minutes == 60, "no longer than its purpose allows"


def test_a_window_that_is_named_stays_where_it_is_and_one_that_is_past_begins_now() -> None:
    later = sent(from_at=START + HOUR, minutes=30)
    assert (later.from_at, later.until_at, later.at_once) == (START + HOUR, START + HOUR + 30 * MINUTE, False)
    assert sent(from_at=START - HOUR).from_at == START


def test_what_is_more_than_needed_is_told_where_a_proposal_was_made() -> None:
    assert asking(wanted("a"), wanted("b"), needed=("a",)).surplus == ("b",)
    assert asking(wanted("a"), wanted("b")).surplus == ()


# ---- deciding ----


def test_everybody_in_turn_and_then_it_is_ready() -> None:
    one = approve(sent(), "centre")
    assert states(one) == {"centre": APPROVED, "owner:police": OPEN} and given(one) == {}
    one = approve(one, "owner:police", OWNER, now=START + MINUTE)
    assert (one.state, one.decided_at, one.waiting) == (DECIDED, START + MINUTE, ())
    (ready,) = deeds.ready(one)
    assert (ready.department, ready.cameras, ready.until_at) == ("police", ("c1",), one.until_at)
    assert deeds.ready(structs.replace(one, grants={"police": "g1"})) == [], "once"


def test_two_persons_decide_side_by_side_and_the_leader_after_them() -> None:
    one = sent(wanted(restricted=True))
    assert states(one) == {"centre": OPEN, "centre:2": OPEN, "leader": LATER, "owner:police": LATER}
    one = approve(one, "centre:2", SECOND_CENTRE)
    assert states(one)["leader"] == LATER
    one = approve(one, "centre")
    assert (states(one)["leader"], states(one)["owner:police"]) == (OPEN, LATER)
    one = approve(approve(one, "leader", LEADER), "owner:police", OWNER)
    assert one.state == DECIDED and given(one) == {"police": ("c1",)}


def test_fewer_cameras_and_a_shorter_window_are_what_is_granted() -> None:
    one = sent(wanted("a"), wanted("b"), wanted("c"), minutes=60)
    one = approve(one, "centre", only=("a", "b"), minutes=30)
    (seat,) = one.waiting
    assert deeds.left_for(one, seat) == ("a", "b")
    one = approve(one, "owner:police", OWNER, only=("b", "c"), minutes=45)
    (ready,) = deeds.ready(one)
    assert (ready.cameras, ready.until_at) == (("b",), START + 30 * MINUTE)
    for minutes in (-1, 61):
        wrong = minutes
        assert code(lambda: approve(sent(minutes=60), "centre", minutes=wrong)) == "grants.only_shorter"  # noqa: B023
    assert code(lambda: approve(sent(), "centre", only=("z",))) == "grants.none_left"
    assert code(lambda: approve(sent(), "centre", only=())) == "grants.none_left"


def test_a_refusal_wants_a_reason_and_leaves_nothing_to_decide() -> None:
    for text in ("", "  x "):
        why = text
        assert code(lambda: deeds.refused(sent(), "centre", CENTRE, why, START, due)) == "grants.why_refused"  # noqa: B023
    one = deeds.refused(sent(), "centre", CENTRE, "与处置无关", START, due)
    assert states(one) == {"centre": REFUSED, "owner:police": VOID}
    assert one.state == DECIDED and deeds.ready(one) == []
    assert code(lambda: deeds.refused(sent(), "centre", CENTRE, "x" * 301, START, due)) == "grants.text"


def test_a_second_person_has_nothing_to_decide_once_the_first_has_refused() -> None:
    one = deeds.refused(sent(wanted(restricted=True)), "centre", CENTRE, "不同意", START, due)
    assert states(one) == {"centre": REFUSED, "centre:2": VOID, "leader": VOID, "owner:police": VOID}
    assert (one.state, one.waiting, deeds.next_at(one)) == (DECIDED, (), None)


def test_a_second_person_has_nothing_to_decide_once_the_first_has_left_their_cameras_out() -> None:
    one = approve(sent(wanted("a"), wanted("b", restricted=True)), "centre", only=("a",))
    assert states(one) == {"centre": APPROVED, "centre:2": VOID, "leader": VOID, "owner:police": OPEN}
    assert given(approve(one, "owner:police", OWNER)) == {"police": ("a",)}


def test_each_owner_decides_for_their_own_and_some_is_granted_before_the_rest() -> None:
    one = approve(sent(wanted("a"), wanted("b", "transport"), wanted("c", "")), "centre")
    assert given(one) == {"": ("c",)}, "what has no owner is the centre's alone"
    one = structs.replace(one, grants={"": "g1"})
    one = approve(one, "owner:police", OWNER)
    assert one.state == WAITING and given(one) == {"police": ("a",)}
    one = structs.replace(one, grants=one.grants | {"police": "g2"})
    one = deeds.refused(one, "owner:transport", ("t", "T"), "检修中", START, due)
    assert one.state == DECIDED and deeds.ready(one) == []


def test_a_camera_no_seat_has_let_through_is_never_ready() -> None:
    one = structs.replace(sent(), seats=(), state=DECIDED)
    assert deeds.ready(one) == []


def test_nothing_is_decided_out_of_turn_or_twice() -> None:
    one = sent()
    assert code(lambda: approve(one, "owner:police")) == "grants.not_waiting"
    assert code(lambda: approve(one, "mayor")) == "grants.not_waiting"
    after = approve(one, "centre")
    for again in (
        lambda: approve(after, "centre"),
        lambda: deeds.refused(after, "centre", CENTRE, "还是不行", START, due),
        lambda: deeds.asked_back(after, "centre", CENTRE, "为什么", START),
    ):
        assert code(again) == "grants.not_waiting"


# ---- asking back, withdrawing ----


def test_while_something_is_asked_back_the_clocks_stand_and_then_begin_anew() -> None:
    one = sent(wanted(restricted=True), urgency="urgent")
    assert code(lambda: deeds.asked_back(one, "centre", CENTRE, " ", START)) == "grants.why_asked"
    back = deeds.asked_back(one, "centre", CENTRE, "看哪个方向", START + MINUTE)
    assert (back.state, back.asked, back.waiting) == (ASKED, "看哪个方向", ()) and states(back)["centre"] == BACK
    assert all(seat.due_at is None for seat in back.seats) and deeds.next_at(back) == back.lapses_at
    assert deeds.escalated(back, ACCESS, START + 5 * HOUR, due) == (back, ())
    assert code(lambda: approve(back, "centre:2", SECOND_CENTRE)) == "grants.not_waiting"
    assert code(lambda: deeds.answered(one, "东侧", START, due)) == "grants.not_asked"
    assert code(lambda: deeds.answered(back, " ", START, due)) == "grants.text"
    again = deeds.answered(back, "东侧入口", START + HOUR, due)
    assert again.state == WAITING and again.text.endswith("东侧入口")
    assert [seat.key for seat in again.waiting] == ["centre", "centre:2"]
    assert {seat.due_at for seat in again.waiting} == {due("urgent", START + HOUR)}
    assert again.waiting[0].by == "", "who asked has not decided"


def test_withdrawing_stops_what_waits_and_nothing_after_it() -> None:
    assert deeds.withdrawn(asking()).state == WITHDRAWN
    one = deeds.withdrawn(approve(sent(), "centre"))
    assert (one.state, states(one)) == (WITHDRAWN, {"centre": APPROVED, "owner:police": VOID})
    assert deeds.next_at(one) is None and deeds.ready(one) == []
    assert code(lambda: deeds.withdrawn(one)) == "grants.over"
    assert code(lambda: approve(one, "owner:police")) == "grants.not_waiting"
    assert deeds.advanced(one, START, due) == one


# ---- clocks ----


def test_a_seat_that_waits_too_long_goes_up_level_by_level_and_then_waits() -> None:
    one, at = sent(urgency="urgent"), START
    for level in range(1, LEVELS + 1):
        assert deeds.next_at(one) == at + 10 * MINUTE
        assert deeds.escalated(one, ACCESS, at + 10 * MINUTE - 1, due) == (one, ())
        at += 10 * MINUTE
        one, raised = deeds.escalated(one, ACCESS, at, due)
        assert [(seat.key, seat.level) for seat in raised] == [("centre", level)]
    assert one.waiting[0].due_at is None and deeds.next_at(one) == one.lapses_at
    assert deeds.escalated(one, ACCESS, at + HOUR, due) == (one, ())
    one = approve(one, "centre", LEADER, now=at)
    assert one.waiting[0].level == 0, "the next seat begins below"


def test_a_request_for_now_outlives_the_clock_of_working_hours() -> None:
    one = sent(minutes=30)
    at = one.waiting[0].due_at
    assert at is not None and at > one.until_at
    after, raised = deeds.escalated(one, ACCESS, at, due)
    assert after.state == WAITING and len(raised) == 1
    assert deeds.escalated(after, ACCESS, after.lapses_at, due)[0].state == LAPSED


def test_a_window_that_is_over_lapses_even_while_something_is_asked_back() -> None:
    one = sent(from_at=START + HOUR, minutes=30)
    back = deeds.asked_back(one, "centre", CENTRE, "为什么", START)
    for before in (one, back):
        assert deeds.escalated(before, ACCESS, one.until_at - 1, due)[0].state != LAPSED
        after, raised = deeds.escalated(before, ACCESS, one.until_at, due)
        assert (after.state, raised, after.waiting, deeds.next_at(after)) == (LAPSED, (), (), None)
        assert set(states(after).values()) == {VOID} and deeds.ready(after) == []
    assert deeds.escalated(after, ACCESS, one.until_at + HOUR, due) == (after, ())


# ---- whatever happens ----

CAMERAS = (
    wanted("a"), wanted("b"), wanted("c", "transport"), wanted("d", "transport", restricted=True),
    wanted("e", "", position="0110000"), wanted("f", restricted=True),
)  # fmt: skip
KEYS = ("centre", "centre:2", "leader", "owner:police", "owner:transport", "nobody")


class Story(RuleBasedStateMachine):
    """Deeds in any order, also such as are not allowed; a model of its own says what may be granted."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.one = asking()
        self.granted: dict[str, int] = {}
        self.settled: dict[str, object] = {}

    @initialize(
        cameras=st.lists(st.sampled_from(CAMERAS), min_size=1, unique=True), minutes=st.sampled_from((1, 30, 240)),
        urgency=st.sampled_from(("routine", "urgent")), begins=st.sampled_from((0, 1, 90)),
    )  # fmt: skip
    def send(self, cameras: list[Wanted], minutes: int, urgency: str, begins: int) -> None:
        self.one = sent(*cameras, minutes=minutes, urgency=urgency, from_at=START + begins * MINUTE)

    def _try(self, deed: Callable[[], Request]) -> None:
        """Do it, or have it refused; a refusal changes nothing, being pure."""
        try:
            self.one = deed()
        except Refused:
            return
        for ready in deeds.ready(self.one):
            self.one = structs.replace(self.one, grants=self.one.grants | {ready.department: "g"})
            for id in ready.cameras:
                assert id not in self.granted, "granted twice"
                self.granted[id] = ready.until_at

    @rule(key=st.sampled_from(KEYS), only=st.none() | st.sets(st.sampled_from("abcdef")), minutes=st.integers(-1, 250))
    def approve(self, key: str, only: set[str] | None, minutes: int) -> None:
        self._try(lambda: deeds.approved(self.one, key, only, minutes, CENTRE, "", self.now, due))

    @rule(key=st.sampled_from(KEYS))
    def agree(self, key: str) -> None:
        self._try(lambda: deeds.approved(self.one, key, None, 0, CENTRE, "", self.now, due))

    @rule(key=st.sampled_from(KEYS), text=st.sampled_from(("", "不同意")))
    def refuse(self, key: str, text: str) -> None:
        self._try(lambda: deeds.refused(self.one, key, CENTRE, text, self.now, due))

    @rule(key=st.sampled_from(KEYS))
    def ask_back(self, key: str) -> None:
        self._try(lambda: deeds.asked_back(self.one, key, CENTRE, "为什么", self.now))

    @precondition(lambda self: self.one.state == ASKED)
    @rule()
    def answer(self) -> None:
        self._try(lambda: deeds.answered(self.one, "因为起火", self.now, due))

    @rule(dice=st.integers(0, 9))
    def withdraw(self, dice: int) -> None:
        if dice == 0:
            self._try(lambda: deeds.withdrawn(self.one))

    @rule(minutes=st.sampled_from((1, 10, 60, 300)))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        self._try(lambda: deeds.escalated(self.one, ACCESS, self.now, due)[0])

    @invariant()
    def what_is_granted_every_seat_has_let_through(self) -> None:
        for id, until in self.granted.items():
            concerned = [one for one in self.one.seats if id in one.cameras]
            assert concerned and all(one.state == APPROVED and id in one.approved for one in concerned)
            assert until <= min([self.one.until_at, *(one.until_at for one in concerned if one.until_at)])

    @invariant()
    def decided_is_when_all_are_settled(self) -> None:
        settled = all(one.state in SETTLED for one in self.one.seats)
        if self.one.state in (WAITING, ASKED):
            assert not settled
        else:
            assert settled and not self.one.waiting and deeds.next_at(self.one) is None
        if self.one.state == DECIDED:
            let = {id for one in self.one.seats for id in one.approved}
            full = {id for id in let if all(id in one.approved for one in self.one.seats if id in one.cameras)}
            assert full == set(self.granted)

    @invariant()
    def what_is_settled_stays(self) -> None:
        for one in self.one.seats:
            assert self.settled.get(one.key, one) == one
            if one.state in SETTLED:
                self.settled[one.key] = one

    @invariant()
    def who_waits_has_something_to_decide_and_a_clock_until_it_has_gone_up(self) -> None:
        if self.one.state == WAITING:
            assert self.one.waiting, "an open request waits for somebody"
        for one in self.one.waiting:
            assert deeds.left_for(self.one, one)
            assert one.level <= LEVELS and (one.due_at is not None or one.level == LEVELS)
        if self.one.state == ASKED:
            assert all(one.due_at is None for one in self.one.seats)


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=150, stateful_step_count=25)
