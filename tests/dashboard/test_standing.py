"""Connections end with the right they were opened by: revoked, changed, over; and stay while nobody can tell."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from config import clock
from dashboard import gate, standing
from dashboard.access import Proof
from dashboard.server import Server
from dashboard.standing import RIGHTS_CHANGED, SIGNED_OUT, Standing, verdict
from operations import accounts, assignments, sessions, sources, tokens
from operations.database import Database
from operations.errors import DatabaseAway
from operations.policy import SYSTEM, Identity
from operations.scope import Scope
from operations.tables import account, session
from tests.dashboard.conftest import TOWNS
from tests.dashboard.conftest import Proof as Prove
from tests.dashboard.wire import Closed, Wire, connected

PROOF = Proof("session", "a")
WHO = Identity("account", "1", "zhang", "operator", Scope("990101001"), session="s")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": "duty_commander"}, RIGHTS_CHANGED),
        ({"scope": Scope("990101002")}, RIGHTS_CHANGED),
        ({"scope": Scope("990101001", "fire")}, RIGHTS_CHANGED),
        ({"actions": ("wall.view",)}, RIGHTS_CHANGED),
        ({"id": "2"}, RIGHTS_CHANGED),
        ({"locked": True}, 0),
        ({"name": "li"}, 0),
        ({}, 0),
    ],
)
def test_what_decides_what_may_be_seen_ends_a_connection(changes: dict[str, Any], code: int) -> None:
    assert verdict(WHO, structs.replace(WHO, **changes)) == code
    assert verdict(WHO, None) == SIGNED_OUT


def test_both_together_take_less_than_a_second() -> None:
    assert standing.EVERY + gate.REMEMBERED_SECONDS < 1.0


class Asked:
    """The gate, as far as the keeper knows it."""

    def __init__(self, found: Mapping[Proof, Identity]) -> None:
        self.found: Mapping[Proof, Identity] | Exception = found
        self.times = 0
        self.turn = asyncio.Event()

    async def __call__(self, proofs: Collection[Proof]) -> Mapping[Proof, Identity]:
        self.times += 1
        self.turn.set()
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


async def test_trouble_throws_out_nobody_and_is_got_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "EVERY", 0.001)
    ended: asyncio.Queue[int] = asyncio.Queue()
    asked = Asked({PROOF: WHO})
    keeper = Standing(asked)
    with keeper.hold(PROOF, WHO, ended.put_nowait):
        keeper.start()
        for trouble in (DatabaseAway(), RuntimeError("bug")):
            asked.found = trouble
            for _ in range(3):
                asked.turn.clear()
                await asyncio.wait_for(asked.turn.wait(), 10)
        assert ended.empty()
        asked.found = {}
        assert await asyncio.wait_for(ended.get(), 10) == SIGNED_OUT
        before = asked.times
        await keeper.look()
        assert asked.times == before and ended.empty()  # it is told once, and nobody is left to ask about
    keeper.stop()


async def test_a_connection_that_went_by_itself_is_not_ended() -> None:
    keeper = Standing(Asked({}))
    with keeper.hold(PROOF, WHO, lambda code: pytest.fail("it has gone")):
        pass
    await keeper.look()


async def told(wire: Wire) -> int:
    """Return the code the server closes a connection with."""
    with pytest.raises(Closed) as closed:
        while True:
            await wire.message()
    return closed.value.code


def change(database: Database, name: str, **values: object) -> None:
    """What an administrator's command writes."""
    with database.write() as transaction:
        transaction.connection.execute(sa.update(account).where(account.c.name == name).values(**values))


def revoke(database: Database) -> None:
    [held] = sessions.listed(database, accounts.find(database, "operator").id, clock.now())  # type: ignore[union-attr]
    sessions.revoke(database, SYSTEM, held.id, now=clock.now())


def stand_in(database: Database) -> None:
    """Another role for half a minute."""
    now = clock.now()
    who = accounts.find(database, "operator")
    assert who is not None
    right = assignments.Right("leader", now + 30_000_000, reason="stands in")
    assignments.give(database, SYSTEM, who.id, right, now=now)


def run_out(database: Database) -> None:
    with database.write() as transaction:
        transaction.connection.execute(sa.update(session).values(expires_at=clock.now()))


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        (revoke, SIGNED_OUT),
        (run_out, SIGNED_OUT),
        (lambda database: accounts.disable(database, SYSTEM, "operator", now=clock.now()), SIGNED_OUT),
        (stand_in, RIGHTS_CHANGED),
        (lambda database: change(database, "operator", role="leader"), RIGHTS_CHANGED),
        (lambda database: change(database, "operator", scope_grid=TOWNS[0]), RIGHTS_CHANGED),
    ],
)
async def test_a_screen_goes_with_its_right(
    server: Server, proof: Prove, database: Database, ends: Any, code: int
) -> None:
    async with (
        connected(server, "/live?page=wall", proof("wall")) as other,
        connected(server, "/live?page=desk", proof("operator")) as screen,
    ):
        await other.json()
        await screen.json()
        ends(database)
        assert await told(screen) == code
        assert ends is run_out or not other._task.done()


async def test_no_frame_goes_out_once_the_right_has_ended(server: Server, proof: Prove, database: Database) -> None:
    async with connected(server, "/live?page=desk", proof("operator")) as screen:
        await screen.json()
        assert (await screen.json())["snapshot"]
        revoke(database)
        await server.parts.standing.look()
        for one in server.parts.hub.screens:
            one.beat = '{"beat": 1}'
            one.wake.set()
        sent = []
        with pytest.raises(Closed):
            while True:
                sent.append(await screen.text())
    assert '{"beat": 1}' not in sent


@pytest.mark.parametrize("ends", ["revoked", "switched off"])
async def test_a_source_s_stream_goes_with_its_token(
    server: Server, proof: Prove, database: Database, ends: str
) -> None:
    async with connected(server, "/api/v1/reports/stream", proof("source")) as stream:
        if ends == "revoked":
            tokens.revoke(database, SYSTEM, tokens.listed(database)[0].id, now=clock.now())
        else:
            sources.change(database, SYSTEM, sources.Source("s1", "Test", enabled=False), now=clock.now())
        assert await told(stream) == SIGNED_OUT


async def test_one_question_is_asked_for_all(server: Server, proof: Prove, database: Database) -> None:
    held = server.parts.standing._held
    headers = [proof("operator"), proof("wall"), proof("leader", Scope(TOWNS[0]))]
    async with AsyncExitStack() as wires:
        for one in headers:
            await wires.enter_async_context(connected(server, "/live?page=wall", one))
        await wires.enter_async_context(connected(server, "/api/v1/reports/stream", proof("source")))
        async with asyncio.timeout(10):
            while len(held) < 4:  # noqa: ASYNC110 - a connection is open a moment before it is watched over
                await asyncio.sleep(0.01)
        proofs = {one.proof for one in held}
    asked = gate.Gate(database)  # the server's own looks every moment
    questions: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *said: questions.append(said[2]))
    assert len(await asked.standing(proofs)) == 4
    await asked.close()
    assert len([one for one in questions if " IN (" in one]) == 4  # sessions, rights, tokens, walls


async def test_a_look_at_many_asks_as_often_as_at_one_and_builds_nothing_anew(database: Database) -> None:
    now = clock.now()
    proofs = []
    for number in range(20):
        accounts.add(database, SYSTEM, f"zhang{number}", "operator", now=now, demo=True)
        found = accounts.find(database, f"zhang{number}")
        assert found is not None
        proofs += [Proof("session", sessions.open(database, found, hours=1, now=now)) for _ in range(2)]
    asked = gate.Gate(database)
    questions: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *said: questions.append(said[2]))
    first = await asked.standing(proofs)
    assert len([one for one in questions if one.startswith("SELECT")]) == 2  # sessions with their accounts, rights
    again = await asked.standing(proofs)
    assert len(first) == len(proofs) and all(first[one] is again[one] for one in proofs)
    change(database, "zhang3", role="leader")
    changed = await asked.standing(proofs)
    assert sum(changed[one] is not first[one] for one in proofs) == 2
    await asked.close()


async def test_a_picture_of_other_rights_is_not_gone_on_with(server: Server, proof: Prove, database: Database) -> None:
    """A screen that was away while its scope changed must not get changes to another scope's picture."""
    address = "/live?page=wall&lang=zh"
    held = proof("operator")
    async with connected(server, address, held) as wire:
        hello = (await wire.json())["hello"]
        first = await wire.json()
        while "n" not in first:  # a beat
            first = await wire.json()
    again = f"{address}&n={first['n']}&epoch={hello['epoch']}&rights={hello['rights']}"
    async with connected(server, again, held) as wire:
        assert (await wire.json())["hello"]["missed"] >= 0
    change(database, "operator", scope_grid=TOWNS[0])
    server.parts.gate.forget(held["cookie"].partition("=")[2])
    async with connected(server, again, held) as wire:
        greeted = (await wire.json())["hello"]
        assert greeted["missed"] == -1 and greeted["rights"] != hello["rights"]
        assert (await wire.json())["snapshot"]
