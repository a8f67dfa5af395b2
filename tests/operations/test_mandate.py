"""A right that is taken while a request is under way: nothing is committed in the name of who no longer holds it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import pytest
import sqlalchemy as sa
from msgspec import structs

from config import clock
from operations import accounts, journal, mandate, sessions
from operations.database import Database
from operations.errors import Forbidden, NotFound, RightsChanged
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from operations.tables import account, session
from tests.operations.desk import LEAVES, START, Desk, report

PASSWORD = "Lantern-Harbour-42"
HOURS = 24 * 365


def signed_in(database: Database, name: str, role: str = "operator") -> Identity:
    accounts.add(database, SYSTEM, name, role, now=START, password=PASSWORD)
    found = accounts.find(database, name)
    assert found is not None
    held = sessions.identify(database, sessions.open(database, found, hours=HOURS, now=START), START)
    assert held is not None
    return held


@contextmanager
def serving(identity: Identity) -> Iterator[None]:
    """A request of this sender, let in by the gate."""
    mark = journal.mandate.set(mandate.of(identity))
    try:
        yield
    finally:
        journal.mandate.reset(mark)


def write(database: Database, table: sa.Table, **values: object) -> None:
    with database.write() as transaction:
        transaction.connection.execute(sa.update(table).values(**values))


TAKEN: dict[str, Callable[[Database], None]] = {
    "role": lambda database: write(database, account, role="leader"),
    "jurisdiction": lambda database: write(database, account, scope_grid=LEAVES[1]),
    "account": lambda database: accounts.disable(database, SYSTEM, "zhang", now=START),
    "session": lambda database: write(database, session, closed_at=START),
    "time": lambda database: write(database, session, expires_at=START + 1),
}


@pytest.mark.database
@pytest.mark.parametrize("taken", TAKEN)
def test_what_was_let_in_is_not_committed_once_the_right_is_gone(desk: Desk, taken: str) -> None:
    desk.send(report())
    zhang, one = signed_in(desk.database, "zhang"), desk.incident()
    with serving(zhang):
        desk.commands.note(zhang, one.id, one.revision, "现场已封闭")
        TAKEN[taken](desk.database)
        before = desk.entries()
        for attempt in (
            lambda: desk.commands.note(zhang, one.id, 2, "再来"),
            lambda: desk.commands.acknowledge(zhang, one.id, 2),
            lambda: desk.commands.unseal(structs.replace(zhang, role="duty_commander"), one.id, "回访"),
        ):
            with pytest.raises(RightsChanged):
                attempt()
    assert desk.entries() == before and desk.stored(one.id).acknowledged_at is None


def test_one_may_always_sign_out_and_the_system_goes_on(desk: Desk) -> None:
    desk.send(report())
    zhang = signed_in(desk.database, "zhang")
    with serving(zhang):
        write(desk.database, account, role="leader")
        desk.send(report("A2"))
        sessions.revoke(desk.database, zhang, zhang.session, now=START)
    assert desk.entries()[-1].action == "session.closed"


@pytest.mark.database
def test_nothing_follows_in_the_name_of_whom_the_journal_says_was_switched_off(desk: Desk) -> None:
    """Five requests under way at once, two administrators who switch the same account off."""
    desk.send(report())
    one, zhang = desk.incident(), signed_in(desk.database, "zhang")
    busy, over = Event(), Event()

    def notes() -> int:
        written = 0
        with serving(zhang):
            while not over.is_set():
                try:
                    desk.commands.note(zhang, one.id, 1, "在途")
                except RightsChanged:
                    return written
                written += 1
                busy.set()
        return written

    def off(name: str) -> bool:
        admin = signed_in(desk.database, name, "security_admin")
        busy.wait(10)
        with serving(admin):
            try:
                accounts.disable(desk.database, admin, "zhang", now=clock.now())
            except NotFound:
                return False
        return True

    with ThreadPoolExecutor(7) as pool:
        noting = [pool.submit(notes) for _ in range(5)]
        ended = [pool.submit(off, name) for name in ("wang", "zhao")]
        try:
            assert sorted(one.result(60) for one in ended) == [False, True]
            written = sum(one.result(60) for one in noting)
        finally:
            over.set()
    entries = desk.entries()
    [off_at] = [entry.seq for entry in entries if entry.action == "account.disabled"]
    noted = [entry.seq for entry in entries if entry.actor == zhang.actor and entry.action == "incident.noted"]
    assert len(noted) == written > 0 and max(noted) < off_at


@pytest.mark.database
def test_of_two_administrators_who_switch_each_other_off_one_stays(desk: Desk) -> None:
    signed_in(desk.database, "third", "security_admin")
    both = [signed_in(desk.database, name, "security_admin") for name in ("wang", "zhao")]
    start = Barrier(2)

    def off(mine: Identity, other: Identity) -> bool:
        with serving(mine):
            start.wait(10)
            try:
                accounts.disable(desk.database, mine, other.name, now=clock.now())
            except Forbidden:
                return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(off, *both), pool.submit(off, *reversed(both))]
        assert sorted(one.result(60) for one in done) == [False, True]


def test_who_has_no_session_is_asked_nothing() -> None:
    assert mandate.of(SYSTEM) is None
    assert mandate.of(Identity("source", "s1", "s1", "source", Scope())) is None
