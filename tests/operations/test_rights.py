"""Who may hold what, and until when: rights beside an account's own, and the three administrators kept apart."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from operations import accounts, appointments, assignments, journal, sessions
from operations.appointments import Post
from operations.assignments import Right
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import ADMINISTRATORS, SYSTEM, Identity
from operations.rules import Rules
from operations.scope import WHOLE, Scope
from tests.operations.desk import DAY, HOUR, OPERATOR, START

pytestmark = pytest.mark.database
PASSWORD = "correct horse 电池"
FREE = Rules(totp_roles=())
TOWN = Scope(grid="990101001")


def made(database: Database, name: str, role: str, scope: Scope = WHOLE) -> accounts.Account:
    accounts.add(database, SYSTEM, name, role, now=START, scope=scope, password=PASSWORD)
    found = accounts.find(database, name)
    assert found is not None
    return found


@pytest.fixture
def security(database: Database) -> Identity:
    """The first security administrator."""
    return made(database, "security", "security_admin").identity


def told(database: Database, subject: str) -> list[tuple[str, object]]:
    return [(one.action, one.body) for one in journal.read(database, 0) if one.subject_id == subject]


def test_the_right_begun_last_counts_and_then_the_one_before(database: Database, security: Identity) -> None:
    zhang = made(database, "zhang", "operator", TOWN)
    secret = sessions.open(database, zhang, hours=200, now=START)
    for role, begins, ends in (("duty_commander", 1, 10), ("leader", 3, 5), ("liaison", 20, 30)):
        right = Right(role, START + ends * HOUR, START + begins * HOUR, Scope(department="fire"), "代班")
        assignments.give(database, security, zhang.id, right, now=START, rules=FREE)
    roles = {}
    for hour in range(0, 32):
        found = sessions.identify(database, secret, START + hour * HOUR)
        assert found is not None
        roles[hour] = found.role
        assert found.scope == (TOWN if found.role == "operator" else Scope(department="fire"))
    assert [roles[hour] for hour in (0, 1, 2, 3, 4, 5, 9, 10, 19, 20, 29, 30)] == [
        *("operator", "duty_commander", "duty_commander", "leader", "leader", "duty_commander"),
        *("duty_commander", "operator", "operator", "liaison", "liaison", "operator"),
    ]


def test_a_right_taken_back_ends_at_once_and_both_are_entries(database: Database, security: Identity) -> None:
    zhang = made(database, "zhang", "operator")
    secret = sessions.open(database, zhang, hours=8, now=START)
    given = assignments.give(database, security, zhang.id, Right("leader", START + HOUR, reason="代班"), now=START)
    assert sessions.identify(database, secret, START).role == "leader"  # type: ignore[union-attr]
    assignments.withdraw(database, security, given, now=START + 1)
    assert sessions.identify(database, secret, START + 1).role == "operator"  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        assignments.withdraw(database, security, given, now=START + 1)
    (_, _), (first, before), (second, after) = told(database, zhang.id)
    assert (first, second) == ("right.given", "right.withdrawn")
    assert before["after"]["role"] == after["before"]["role"] == "leader"  # type: ignore[index]


def test_what_a_right_may_not_be(database: Database, security: Identity) -> None:
    zhang = made(database, "zhang", "operator")
    for right in (
        Right("leader", START, reason="x"),
        Right("leader", START + 400 * DAY, reason="x"),
        Right("leader", START + HOUR, START + HOUR, reason="x"),
        Right("leader", START + HOUR),
        Right("leader", START + HOUR, reason="x" * 201),
        Right("king", START + HOUR, reason="x"),
        Right("wall", START + HOUR, reason="x"),
    ):
        with pytest.raises(Refused):
            assignments.give(database, security, zhang.id, right, now=START)
    for asker in (
        OPERATOR,
        Identity("account", "a", "a", "system_admin"),
        Identity("account", "a", "a", "audit_admin"),
    ):
        with pytest.raises(Forbidden):
            assignments.give(database, asker, zhang.id, Right("leader", START + HOUR, reason="x"), now=START)
        with pytest.raises(Forbidden):
            appointments.change(database, asker, zhang.id, Post("leader"), revision=0, now=START)
        with pytest.raises(Forbidden):
            appointments.switch(database, asker, zhang.id, on=False, revision=0, now=START)
    with pytest.raises(NotFound):
        assignments.give(database, security, "nobody", Right("leader", START + HOUR, reason="x"), now=START)
    assert [action for action, _ in told(database, zhang.id)] == ["account.added"]


@pytest.mark.parametrize("way", ["role", "right", "past role", "past right", "coming right"])
def test_no_account_is_ever_two_of_the_three(database: Database, security: Identity, way: str) -> None:
    later = START + 2 * HOUR
    for first in ADMINISTRATORS:
        zhang = made(database, f"zhang-{first}", first if "role" in way else "operator")
        if way == "past role":
            appointments.change(database, security, zhang.id, Post("operator"), revision=0, now=START)
        if "right" in way:
            begins = START + DAY if way == "coming right" else START
            right = Right(first, begins + HOUR, begins, reason="代班")
            given = assignments.give(database, security, zhang.id, right, now=START, rules=FREE)
            if way == "past right":
                assignments.withdraw(database, security, given, now=START)
        revision = 0 if way == "role" else 1
        for second in set(ADMINISTRATORS) - {first}:
            with pytest.raises(Refused, match="account_separated"):
                appointments.change(database, security, zhang.id, Post(second), revision=revision, now=later)
            with pytest.raises(Refused, match="account_separated"):
                right = Right(second, later + HOUR, reason="x")
                assignments.give(database, security, zhang.id, right, now=later, rules=FREE)


def test_nobody_changes_themselves(database: Database, security: Identity) -> None:
    made(database, "second", "security_admin")
    right = Right("security_admin", START + HOUR, reason="x")
    for attempt in (
        lambda: assignments.give(database, security, security.id, right, now=START),
        lambda: appointments.change(database, security, security.id, Post("operator"), revision=0, now=START),
        lambda: appointments.switch(database, security, security.id, on=False, revision=0, now=START),
        lambda: appointments.switch(database, security, security.id, on=True, revision=0, now=START),
        lambda: accounts.disable(database, security, "security", now=START),
    ):
        with pytest.raises(Refused, match="account_own"):
            attempt()
    same = Post("security_admin", shown_name="安全员")
    appointments.change(database, security, security.id, same, revision=0, now=START)  # a name gives no rights


def test_a_right_of_ones_own_is_withdrawn_by_another(database: Database, security: Identity) -> None:
    second = made(database, "second", "security_admin").identity
    made(database, "third", "security_admin")
    given = assignments.give(database, second, security.id, Right("leader", START + HOUR, reason="x"), now=START)
    with pytest.raises(Refused, match="account_own"):
        assignments.withdraw(database, security, given, now=START)


def test_the_last_security_administrator_stays(database: Database, security: Identity) -> None:
    for attempt in (
        lambda: accounts.disable(database, SYSTEM, "security", now=START),
        lambda: appointments.switch(database, SYSTEM, security.id, on=False, revision=0, now=START),
        lambda: appointments.change(database, SYSTEM, security.id, Post("operator"), revision=0, now=START),
        lambda: appointments.change(
            database, SYSTEM, security.id, Post("security_admin", valid_to=START + DAY), revision=0, now=START
        ),
        lambda: appointments.change(
            database, SYSTEM, security.id, Post("security_admin", valid_from=START + DAY), revision=0, now=START
        ),
        lambda: assignments.give(database, SYSTEM, security.id, Right("leader", START + HOUR, reason="x"), now=START),
    ):
        with pytest.raises(Refused, match="account_last"):
            attempt()
    temporary = made(database, "temporary", "security_admin")
    appointments.change(
        database, security, temporary.id, Post("security_admin", valid_to=START + DAY), revision=0, now=START
    )
    with pytest.raises(Refused, match="account_last"):
        accounts.disable(database, SYSTEM, "security", now=START)
    second = made(database, "second", "security_admin")
    appointments.switch(database, second.identity, security.id, on=False, revision=0, now=START)


def test_two_who_switch_one_another_off_at_once_leave_one(database: Database, security: Identity) -> None:
    second = made(database, "second", "security_admin").identity

    def off(who: Identity, whom: Identity) -> bool:
        try:
            appointments.switch(database, who, whom.id, on=False, revision=0, now=START)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(off, (security, second), (second, security)))
    assert sorted(done) == [False, True]


def test_two_administrators_at_once_do_not_clobber(database: Database, security: Identity) -> None:
    zhang = made(database, "zhang", "operator")
    wanted = [Post("leader"), Post("operator", Scope(department="fire"))]

    def change(post: Post) -> bool:
        try:
            appointments.change(database, security, zhang.id, post, revision=0, now=START)
        except appointments.Changed:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(change, wanted))
    assert sorted(done) == [False, True]
    [post] = [one for one, kept in zip(wanted, done, strict=True) if kept]
    found = accounts.find(database, "zhang")
    assert found is not None and (found.role, found.scope) == (post.role, post.scope)
    assert len(told(database, zhang.id)) == 2


def test_a_change_says_what_was_and_what_is(database: Database, security: Identity) -> None:
    zhang = made(database, "zhang", "operator", TOWN)
    appointments.change(database, security, zhang.id, Post("leader", TOWN), revision=0, now=START)
    appointments.change(database, security, zhang.id, Post("leader", TOWN), revision=1, now=START)  # nothing to change
    appointments.switch(database, security, zhang.id, on=False, revision=1, now=START)
    appointments.switch(database, security, zhang.id, on=True, revision=2, now=START)
    assert told(database, zhang.id)[1:] == [
        ("account.changed", {"before": {"role": "operator"}, "after": {"role": "leader"}}),
        ("account.disabled", {"before": {"on": True}, "after": {"on": False}}),
        ("account.enabled", {"before": {"on": False}, "after": {"on": True}}),
    ]


def test_what_a_post_may_not_be(database: Database, security: Identity) -> None:
    zhang = made(database, "zhang", "operator")
    for post in (
        Post("king"),
        Post("wall"),
        Post("leader", valid_from=START, valid_to=START),
        Post("leader", shown_name="x" * 41),
        Post("leader", shown_name="a\nb"),
        Post("audit_admin", TOWN),
    ):
        with pytest.raises(Refused):
            appointments.change(database, security, zhang.id, post, revision=0, now=START)


def test_a_role_with_a_second_factor_is_not_had_without_one(database: Database, security: Identity) -> None:
    zhang = made(database, "zhang", "operator")
    secret = sessions.open(database, zhang, hours=8, now=START)
    with pytest.raises(Refused, match="right_second_factor"):
        assignments.give(database, security, zhang.id, Right("liaison", START + HOUR, reason="代班"), now=START)
    appointments.change(database, security, zhang.id, Post("leader"), revision=0, now=START)
    assert sessions.identify(database, secret, START) is not None
    appointments.change(database, security, zhang.id, Post("liaison"), revision=1, now=START)
    assert sessions.identify(database, secret, START) is None  # signing in anew asks for it


def test_what_was_signed_in_before_an_account_was_off_does_not_come_back_with_it(
    database: Database, security: Identity
) -> None:
    zhang = made(database, "zhang", "operator")
    secret = sessions.open(database, zhang, hours=8, now=START)
    appointments.switch(database, security, zhang.id, on=False, revision=0, now=START)
    assert sessions.identify(database, secret, START) is None
    appointments.switch(database, security, zhang.id, on=True, revision=1, now=START)
    assert sessions.identify(database, secret, START) is None
    secret = sessions.open(database, zhang, hours=8, now=START)
    accounts.disable(database, SYSTEM, "zhang", now=START)
    appointments.switch(database, security, zhang.id, on=True, revision=3, now=START)
    assert sessions.identify(database, secret, START) is None
