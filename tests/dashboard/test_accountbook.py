"""What the page of accounts may do, in whose name, and what it says of accounts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from config import clock
from config.words import Words
from dashboard import access, frame
from dashboard.panels import account_list, account_shell
from operations import accounts, journal, recovery, sessions
from operations.appointments import Changed, Post
from operations.assignments import Right
from operations.database import Database
from operations.errors import Forbidden, NotFound, Refused
from operations.policy import SYSTEM, Identity
from operations.roll import Person
from operations.scope import Scope
from tests.dashboard.panel_board import WORDS

if TYPE_CHECKING:
    from dashboard.server import Server

HOUR = 3_600_000_000
NOW = 1_800_000_000_000_000


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Afterwards nobody asks."""
    mark = access._current.set(access._current.get())
    yield
    access._current.reset(mark)


def signed(database: Database, name: str, role: str) -> Identity:
    accounts.add(database, SYSTEM, name, role, now=clock.now(), password="correct horse 电池")
    found = accounts.find(database, name)
    assert found is not None
    access._current.set(found.identity)
    return found.identity


async def test_a_security_administrator_appoints_and_gives(server: "Server", furnished: Database) -> None:
    signed(furnished, "security", "security_admin")
    book = server.parts.actions.accounts
    post = Post("operator", Scope("990101001", "fire"), shown_name="张三")
    made = book.add("zhang", post)
    one = book.person(made.id)
    assert accounts.check_password(furnished, "zhang", made.password, clock.now()).id == one.id
    assert (one.shown_name, one.scope, one.administrator) == ("张三", post.scope, "")
    assert made.password not in str([entry.body for entry in journal.read(furnished, 0)])
    book.change(one.id, Post("leader"), one.revision)
    with pytest.raises(Changed):
        book.change(one.id, post, one.revision)
    book.give(one.id, Right("duty_commander", clock.now() + HOUR, reason="代班"))
    one = book.person(one.id)
    assert one.held(clock.now())[0] == "duty_commander"
    book.withdraw(one.rights[0].id)
    book.switch(one.id, book.person(one.id).revision, on=False)
    assert book.person(one.id).state(clock.now()) == "off"
    with pytest.raises(NotFound):
        book.person("nobody")


async def test_ones_own_password_and_factor_are_for_ones_own_page(server: "Server", furnished: Database) -> None:
    security = signed(furnished, "security", "security_admin")
    book = server.parts.actions.accounts
    for attempt in (book.reset_password, book.reset_second_factor, book.unlock):
        with pytest.raises(Refused, match="account_own"):
            attempt(security.id)


async def test_a_password_is_reset_and_sessions_are_ended(server: "Server", furnished: Database) -> None:
    accounts.add(furnished, SYSTEM, "li", "operator", now=clock.now(), password="correct horse 电池")
    signed(furnished, "security", "security_admin")
    book = server.parts.actions.accounts
    [li] = [one for one in book.people() if one.name == "li"]
    found = accounts.find(furnished, "li")
    assert found is not None
    for _ in range(2):
        sessions.open(furnished, found, hours=1, now=clock.now())
    assert book.person(li.id).open_sessions == len(book.sessions(li.id)) == 2
    book.revoke(book.sessions(li.id)[0].id)
    book.revoke_all(li.id)
    assert book.sessions(li.id) == []
    made = book.reset_password(li.id)
    assert book.person(li.id).state(clock.now()) == "must_change"
    with pytest.raises(Refused):
        accounts.check_password(furnished, "li", "correct horse 电池", clock.now())
    book.unlock(li.id)
    assert accounts.check_password(furnished, "li", made.password, clock.now()).must_change


@pytest.mark.parametrize("role", ["system_admin", "audit_admin", "duty_commander"])
async def test_nobody_else_even_looks(server: "Server", furnished: Database, role: str) -> None:
    identity = signed(furnished, "other", role)
    book = server.parts.actions.accounts
    for attempt in (
        book.people,
        lambda: book.add("new", Post("operator")),
        lambda: book.change(identity.id, Post("leader"), 0),
        lambda: book.switch(identity.id, 0, on=False),
        lambda: book.give(identity.id, Right("leader", clock.now() + HOUR, reason="x")),
        lambda: book.withdraw("x"),
        lambda: book.sessions(identity.id),
        lambda: book.revoke("x"),
        lambda: book.revoke_all(identity.id),
        lambda: book.unlock(identity.id),
        lambda: book.reset_password(identity.id),
        lambda: book.reset_second_factor(identity.id),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_the_first_that_keeps_somebody_out_is_the_state() -> None:
    def state(**given: object) -> str:
        return Person("i", "n", "operator", Scope(), 0, **given).state(NOW)  # type: ignore[arg-type]

    assert state() == "active"
    assert state(must_change=True) == "must_change"
    assert state(must_change=True, locked_until=NOW + 1) == "locked"
    assert state(locked_until=NOW + 1, valid_from=NOW + 1) == "coming"
    assert (state(valid_to=NOW), state(valid_to=NOW + 1), state(valid_from=NOW)) == ("ended", "active", "active")
    assert state(disabled_at=1, valid_to=NOW) == "off"


def test_accounts_are_found_by_name_role_department_and_jurisdiction() -> None:
    people = [
        Person("1", "zhang", "operator", Scope("990101001"), 0, shown_name="张三"),
        Person("2", "li", "liaison", Scope("", "fire"), 0, disabled_at=1),
    ]
    names = {"990101001": "城关街道"}

    def found(text: str, words: Words = WORDS, state: str = "") -> list[str]:
        return [one.id for one in account_list.found(people, text, state, names, words, NOW)]

    assert found("") == ["1", "2"]
    assert found("张") == found("ZHANG") == found("城关") == found("990101001") == found("值班员 城关") == ["1"]
    assert found("消防") == found("部门联络员") == found("fire") == found("", state="off") == ["2"]
    assert found("liaison fire", Words("en", WORDS.city)) == ["2"]
    assert found("值班员 消防") == []


async def test_the_use_of_the_recovery_key_is_told(server: "Server", furnished: Database) -> None:
    signed(furnished, "security", "security_admin")
    book, now = server.parts.actions.accounts, clock.now()
    assert account_list.at_terminal(book.at_terminal(), WORDS) is None
    for action in (recovery.COMMAND, recovery.USED):
        recovery.note(furnished, action, "user add", "zhang", login="root", now=now)
    for lang in ("zh", "en"):
        said = frame.encode(account_list.at_terminal(book.at_terminal(), Words(lang, WORDS.city))).decode()
        assert said.count("user add zhang") == 2 and "root" in said and "wrong" in said
    signed(furnished, "other", "audit_admin")
    with pytest.raises(Forbidden):
        book.at_terminal()


def test_an_error_names_roles_in_words() -> None:
    error = Refused("operations.account_separated", role="audit_admin", before="system_admin")
    for lang in ("zh", "en"):
        said = account_shell.told(error, Words(lang))
        assert "_admin" not in said


async def test_another_password_made_for_somebody_ends_their_sessions(server: "Server", furnished: Database) -> None:
    signed(furnished, "zhang", "operator")
    zhang = accounts.find(furnished, "zhang")
    assert zhang is not None
    opened = sessions.open(furnished, zhang, hours=1, now=clock.now())
    signed(furnished, "security", "security_admin")
    server.parts.actions.accounts.reset_password(zhang.id)
    assert sessions.identify(furnished, opened, clock.now()) is None
