"""The gate under attack, on real sockets: a thousand races of grants with their ends, and everything that is copied.

A client notes when each message of a picture came. Relay, cameras and application are the real ones; a keeper steps the
grants as the program's does. Nothing may come later than a second after the end of a grant is in the journal or its
time is over, and nobody looks without an entry that began before the picture.
"""

import asyncio
import base64
import random
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
import sqlalchemy as sa
import websockets

from config import access as rules
from config import clock
from config.calendar import Workdays
from config.settings import Settings
from dashboard import relaying
from dashboard.lookbook import PATIENCE, Lookbook
from operations import accounts, journal, sessions
from operations.calendar import Calendar
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.database import Database
from operations.errors import DatabaseAway
from operations.grants import rows
from operations.grants.desk import Desk as GrantDesk
from operations.grants.desk import entry_of, written
from operations.grants.grant import REQUEST, Held
from operations.grants.grants import Grants
from operations.looks import TICKET_SECONDS
from operations.policy import SYSTEM, Identity
from operations.scope import WHOLE, Scope
from operations.seal import KeyStore
from operations.tables import access_grant, look
from operations.uuid7 import uuid7
from streams.demo import scenes
from streams.demo.rtsp_server import Camera, RtspServer
from streams.video.relay import Relay
from tests.conftest import Running
from tests.dashboard.studio import Studio
from tests.dashboard.test_desk_browser import at
from tests.dashboard.test_live import NORTH
from tests.dashboard.web import PASSWORD, Web
from tests.operations.desk import COMMANDER, Desk

CAMERAS, PEOPLE, RACES = 4, 3, 1_000
SECOND = 1_000_000
LATEST = 1.0
SHORT = httpx.Limits(keepalive_expiry=1.0)
"""Connections are given up before the server does, so that no question meets a closing one."""
ENDS = ("revoked", "returned", "time", "incident", "extended", "reconnects", "leaves")


class Person(NamedTuple):
    """Somebody, and what their browser sends."""

    identity: Identity
    proof: dict[str, str]


class Frames:
    """When messages of a picture came (UTC microseconds; `latest` by a clock that nobody moves)."""

    def __init__(self) -> None:
        self.first = self.last = 0
        self.latest = 0.0
        self.count = 0
        self.tickets: list[str] = []
        self.came, self.again = asyncio.Event(), asyncio.Event()

    def connected(self, ticket: str) -> None:
        self.tickets.append(ticket)
        if self.count:
            self.again.set()

    def note(self) -> None:
        self.came.set()
        self.last, self.latest = clock.now(), clock.monotonic()
        self.count += 1
        self.first = self.first or self.last


@pytest.fixture
def studio(settings: Settings, furnished: Database) -> Iterator[Studio]:
    """Cameras of another department than anybody's who looks."""

    def enlist(server: RtspServer) -> None:
        items = [
            Item(code=str(n), name=f"C{n}", owner="transport", url_main=server.url(str(n)), url_sub=server.url(str(n)),
                 chain=NORTH, status="on")
            for n in range(1, CAMERAS + 1)
        ]  # fmt: skip
        with furnished.write() as transaction:
            take(transaction, "s", items, complete=True, now=clock.now())

    drawn = {str(n): Camera(scenes.Scene(n, f"C{n}")) for n in range(1, CAMERAS + 1)}
    made = Studio(settings, furnished, drawn, enlist)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def desk(settings: Settings, furnished: Database) -> Iterator[Desk]:
    """An incident for each camera and person."""
    keys = KeyStore(settings.data / "keys")
    made = Desk(furnished, keys, now=clock.now())
    made.send(*(at(f"i{n}", 120.005, 30.005, department="police") for n in range(CAMERAS * PEOPLE)))
    yield made
    keys.close()


class Bell:
    """When entries were written (UTC microseconds), as the journal's writers are told."""

    def __init__(self) -> None:
        self._rung: dict[int, int] = {}

    def __call__(self, seq: int) -> None:
        self._rung[seq] = clock.now()

    def ends(self, database: Database) -> dict[str, int]:
        """When the end of each grant was written, by its id; of a closed incident the warning already says it."""
        last, until = sorted(self._rung), clock.now() + SECOND
        with database.read() as connection:
            told = [journal.done(connection, f"grant.{how}", 0, until, WHOLE, RACES) for how in ("ended", "warned")]
        return {one.subject_id: self._rung[last[bisect_left(last, one.seq)]] for entries in told for one in entries}


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def grants(furnished: Database, bell: Bell) -> Grants:
    """An incident that is closed ends its grants at once, not in five minutes."""
    access = rules.current()
    quick = msgspec.structs.replace(access, limits=msgspec.structs.replace(access.limits, closing_minutes=0))
    return Grants(furnished, Calendar(Workdays.load(), UTC), bell, zone=UTC, access=lambda: quick)


@pytest.fixture
def keeper(grants: Grants) -> Iterator[None]:
    """Steps the grants as the program's keeper does."""
    over = threading.Event()

    def step() -> None:
        while not over.wait(0.2):
            grants.step(clock.now())

    thread = threading.Thread(target=step)
    thread.start()
    yield
    over.set()
    thread.join(10)


def somebody(web: Web | Running, database: Database, name: str, department: str = "police") -> Person:
    scope = Scope(department=department)
    accounts.add(database, SYSTEM, name, "liaison", now=clock.now(), scope=scope, password=PASSWORD)
    account = accounts.find(database, name)
    assert account is not None
    secret = sessions.open(database, account, hours=12, now=clock.now())
    return Person(account.identity, {"cookie": f"gridwall_session={secret}", "origin": web.url})


def cameras_of(database: Database) -> list[str]:
    entry = next(one for one in journal.read(database, 0) if one.action == "camera.added")
    assert entry.body is not None
    return sorted(entry.body["cameras"])


def give(
    database: Database, who: Identity, camera: str, seconds: float, incident: str = "", place: Sequence[str] = NORTH
) -> str:
    """A grant as a decision makes it; `place`: the chain of grids that all its cameras share."""
    now = clock.now()
    held = Held(
        id=uuid7(now), number=f"G-{uuid7(now)[-6:]}", kind=REQUEST, holder=f"account:{who.id}", who=who.name,
        role=who.role, unit=who.scope.department, department="transport", purpose="patrol", incident=incident,
        cameras=(camera,), names=("C",), path="/".join(place), viewers=4, from_at=now,
        until_at=now + int(seconds * SECOND), given_by=("centre",),
    )  # fmt: skip
    with database.write() as transaction:
        rows.add_grant(transaction, held)
        written(transaction, [entry_of(held, "grant.given", COMMANDER.actor, now)])
    return held.id


async def ticket(client: httpx.AsyncClient, who: Person, camera: str) -> str:
    """A ticket, "" when it is refused."""
    answer = await client.post("/video/tickets", headers=who.proof, json={"camera": camera, "why": "request"})
    assert answer.status_code in (200, 422), answer.text
    return str(answer.json()["ticket"]) if answer.status_code == 200 else ""


def opened(web: Web | Running, who: Person | None, camera: str, given: str) -> websockets.connect:
    address = f"ws://127.0.0.1:{web.settings.port}/video/{camera}?ticket={given}&stream=sub"
    return websockets.connect(address, additional_headers=who.proof if who else {}, max_size=None, open_timeout=20)


async def watched(web: Web | Running, who: Person | None, camera: str, given: str, frames: Frames) -> None:
    """Take what comes until it is closed."""
    with suppress(websockets.ConnectionClosed, websockets.InvalidStatus, OSError):
        async with opened(web, who, camera, given) as socket:
            frames.connected(given)
            async for message in socket:
                if isinstance(message, bytes):
                    frames.note()


async def cease(watching: asyncio.Task[None]) -> None:
    """Stop watching, and wait until the socket is closed."""
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def ended(database: Database, id: str) -> tuple[int, int]:
    """When it was asked that a grant should end, once it has ended, and until when it was given."""
    while True:
        with database.read() as connection:
            columns = access_grant.c
            query = sa.select(columns.ended_at, columns.until_at).where(columns.id == id)
            row = connection.execute(query).one()
        if row.ended_at is not None:
            return row.ended_at, row.until_at
        await asyncio.sleep(0.05)


class Raced(NamedTuple):
    """How a grant was ended, when that was asked for, until when it was given, and what came of its picture."""

    grant: str
    how: str
    asked_at: int
    until_at: int
    frames: Frames


class Race:
    """One pair of a person and a camera, again and again."""

    def __init__(self, web: Web, database: Database, grants: Grants, desk: Desk, lock: threading.Lock) -> None:
        self._web, self._database, self._grants, self._desk, self._lock = web, database, grants, desk, lock

    async def run(
        self, client: httpx.AsyncClient, who: Person, camera: str, incident: str, chance: random.Random
    ) -> Raced:
        """Give a grant, look, and end it."""
        how, frames = chance.choice(ENDS), Frames()
        lasts = chance.uniform(0.1, 0.8) if how == "time" else 60.0
        about = incident if how == "incident" else ""
        id = await asyncio.to_thread(give, self._database, who.identity, camera, lasts, about)
        given = await ticket(client, who, camera)
        watching = asyncio.create_task(watched(self._web, who, camera, given, frames)) if given else None
        await asyncio.sleep(chance.uniform(0.0, 0.7))
        again = asyncio.create_task(self._again(client, who, camera, frames)) if how == "reconnects" else None
        if how == "leaves" and watching is not None:
            watching.cancel()
        await asyncio.to_thread(self._end, how, who.identity, id, incident, chance)
        asked_at, until_at = await ended(self._database, id)
        if watching is not None:
            await asyncio.wait([watching], timeout=LATEST + 2)
            await cease(watching)
        if again is not None:
            await cease(again)
        if given:
            before = frames.last
            await watched(self._web, who, camera, given, frames)  # the same ticket once more
            assert frames.last == before, "a replayed ticket played"
        return Raced(id, how, asked_at, until_at, frames)

    async def _again(self, client: httpx.AsyncClient, who: Person, camera: str, frames: Frames) -> None:
        while True:
            if given := await ticket(client, who, camera):
                await watched(self._web, who, camera, given, frames)
            await asyncio.sleep(0.02)

    def _end(self, how: str, who: Identity, id: str, incident: str, chance: random.Random) -> None:
        if how == "incident":
            with self._lock:  # the desk's clock is its own
                stored = self._desk.stored(incident)
                stored = self._desk.commands.close(COMMANDER, incident, stored.revision, "resolved")
            return
        if how == "extended":
            self._grants.extend(COMMANDER, id, 30)
        if how != "time":
            self._grants.revoke(who if how == "returned" else COMMANDER, id, "it is over")

    def mend(self, incident: str) -> None:
        """Open an incident again for the next race."""
        with self._lock:
            stored = self._desk.stored(incident)
            if not stored.is_open:
                self._desk.commands.reopen(COMMANDER, incident, stored.revision, "again")


async def test_a_thousand_races_show_nothing_a_second_after_the_end_and_nothing_without_an_entry(
    web: Web, furnished: Database, studio: Studio, desk: Desk, grants: Grants, keeper: None, bell: Bell
) -> None:
    people = [somebody(web, furnished, f"liaison-{n}") for n in range(PEOPLE)]
    cameras = cameras_of(furnished)
    incidents = list(desk.board().incidents)
    pairs = [(who, camera) for who in people for camera in cameras]
    lock, left = threading.Lock(), iter(range(RACES))
    told: list[Raced] = []

    async def pair(number: int, client: httpx.AsyncClient) -> None:
        race, chance = Race(web, furnished, grants, desk, lock), random.Random(number)
        for _ in left:
            told.append(await race.run(client, *pairs[number], incidents[number], chance))
            await asyncio.to_thread(race.mend, incidents[number])

    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        await asyncio.gather(*(pair(number, client) for number in range(len(pairs))))

    assert len(told) == RACES and {one.how for one in told} == set(ENDS)
    written = bell.ends(furnished)
    over = {one.grant: one.until_at if one.how == "time" else written[one.grant] for one in told}
    looked = [one for one in told if one.frames.last]
    seen = [((one.frames.last - over[one.grant]) / SECOND, one.how) for one in looked]
    asked = sorted((one.frames.last - min(one.asked_at, one.until_at)) / SECOND for one in looked)
    assert len(seen) > RACES / 2, "most of them looked at something"
    assert max(seen)[0] < LATEST, sorted(seen)[-5:]
    assert asked[len(asked) * 99 // 100] < LATEST, "a write that waits for its turn is late for whoever asked"
    with furnished.read() as connection:
        looks: dict[str, Any] = {row.id: row for row in connection.execute(sa.select(look))}
    for frames in (one.frames for one in told):
        began = [looks[id].began_at for id in map(look_of, frames.tickets) if id in looks]
        assert not frames.first or min(began) <= frames.first, "a picture without an entry before it"
    assert [one.id for one in looks.values() if one.ended_at is None] == []


def look_of(given: str) -> str:
    """The look a ticket is for, as its first field says."""
    body = given.partition(".")[0]
    told = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return str(told[0])


async def test_a_look_of_whoever_loses_their_account_is_written_to_its_end(
    web: Web, furnished: Database, studio: Studio
) -> None:
    camera, who, frames = cameras_of(furnished)[0], somebody(web, furnished, "zhou"), Frames()
    give(furnished, who.identity, camera, 60)
    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        given = await ticket(client, who, camera)
    watching = asyncio.create_task(watched(web, who, camera, given, frames))
    await asyncio.wait_for(frames.came.wait(), 20)
    accounts.disable(furnished, SYSTEM, "zhou", now=clock.now())
    await asyncio.wait_for(watching, 5)
    async with asyncio.timeout(5):
        while not (over := [one.body for one in journal.read(furnished, 0) if one.action == "look.ended"]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [one and one["how"] for one in over] == ["rights"]


async def test_what_is_copied_or_changed_plays_nothing_and_a_used_ticket_is_used(
    web: Web, furnished: Database, studio: Studio
) -> None:
    camera, other = cameras_of(furnished)[:2]
    mine, theirs = somebody(web, furnished, "zhou"), somebody(web, furnished, "qian")
    give(furnished, mine.identity, camera, 60)
    give(furnished, theirs.identity, other, 60)
    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        given = await ticket(client, mine, camera)
        elsewhere = sessions.open(furnished, account_named(furnished, "zhou"), hours=1, now=clock.now())
        beside = Person(mine.identity, {**mine.proof, "cookie": f"gridwall_session={elsewhere}"})
        tries = [
            (beside, camera, given),  # in another browser of the same person, before it was used
            (None, camera, given),  # the address in a browser that is not signed in
            (theirs, camera, given),  # in another person's
            (mine, other, given),  # for another camera
            (mine, camera, given[:-2] + ("AA" if given[-2:] != "AA" else "BB")),
            (mine, camera, given.partition(".")[0]),
            (mine, camera, ""),
        ]
        for who, where, what in tries:
            frames = Frames()
            await watched(web, who, where, what, frames)
            assert not frames.last, (who, where, what)
        frames = Frames()
        watching = asyncio.create_task(watched(web, mine, camera, given, frames))
        await asyncio.wait_for(frames.came.wait(), 20)
        for who in (mine, beside):
            copied = Frames()
            await watched(web, who, camera, given, copied)
            assert not copied.last, "one ticket, one look"
        await cease(watching)
    entries = journal.read(furnished, 0)
    assert len([one for one in entries if one.action == "look.began"]) == 1
    denied = {(one.actor, camera_of(one), one.scope_department) for one in entries if one.action == "look.denied"}
    tried = [(mine, camera), (mine, other), (theirs, camera)]
    assert denied == {(who.identity.actor, where, "transport") for who, where in tried}


def camera_of(entry: journal.Entry) -> str:
    assert entry.body is not None
    return str(entry.body["camera"])


async def test_a_ticket_that_is_over_plays_nothing(
    web: Web, furnished: Database, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, who = cameras_of(furnished)[0], somebody(web, furnished, "zhou")
    give(furnished, who.identity, camera, 600)
    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        given, frames = await ticket(client, who, camera), Frames()
    moved(monkeypatch, TICKET_SECONDS + 1)
    await watched(web, who, camera, given, frames)
    assert given and not frames.count
    denied = [one for one in journal.read(furnished, 0) if one.action == "look.denied"]
    assert [(one.actor, camera_of(one)) for one in denied] == [(who.identity.actor, camera)]


@pytest.fixture
def movable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gate and relay ask for the time anew each time, so that a test can move it."""
    for made, name in ((GrantDesk, "now"), (Relay, "wall")):
        monkeypatch.setitem(made.__init__.__kwdefaults__, name, lambda: clock.now())


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_moved_moves_no_end_of_what_plays_and_a_new_look_goes_by_it(
    movable: None, web: Web, furnished: Database, studio: Studio, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    lasts = 6.0
    camera, who, frames = cameras_of(furnished)[0], somebody(web, furnished, "zhou"), Frames()
    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        give(furnished, who.identity, camera, lasts)
        over = clock.monotonic() + lasts
        given = await ticket(client, who, camera)
        watching = asyncio.create_task(watched(web, who, camera, given, frames))
        await asyncio.wait_for(frames.came.wait(), lasts)
        moved(monkeypatch, hours * 3_600)
        anew = sessions.open(furnished, account_named(furnished, "zhou"), hours=1, now=clock.now())
        again = Person(who.identity, {**who.proof, "cookie": f"gridwall_session={anew}"})
        assert not await ticket(client, again, camera), "by the clock it is not yet, or not any more"
        await asyncio.wait_for(watching, lasts + 10)
    assert over - 1 < frames.latest < over + LATEST


async def test_nobody_who_connects_again_and_again_slips_through_a_revocation(
    web: Web, furnished: Database, studio: Studio, grants: Grants
) -> None:
    camera, who = cameras_of(furnished)[0], somebody(web, furnished, "zhou")
    id = give(furnished, who.identity, camera, 60)
    found = [Frames() for _ in range(4)]
    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        again = [asyncio.create_task(until_refused(web, client, who, camera, one)) for one in found]
        await asyncio.wait_for(asyncio.gather(*(one.again.wait() for one in found)), 20)
        await asyncio.to_thread(grants.revoke, COMMANDER, id, "it is over")
        over, _ = await ended(furnished, id)
        await asyncio.wait_for(asyncio.gather(*again), 30)
    assert max(one.last for one in found) - over < LATEST * SECOND


async def until_refused(
    web: Web | Running, client: httpx.AsyncClient, who: Person, camera: str, frames: Frames
) -> None:
    """Look for a moment, again and again with new tickets, until no ticket is given ten times running."""
    refused = 0
    while refused < 10:
        given = await ticket(client, who, camera)
        refused = 0 if given else refused + 1
        if given:
            with suppress(TimeoutError):
                await asyncio.wait_for(watched(web, who, camera, given, frames), 0.3)


async def test_a_grant_ends_by_time_though_the_relay_is_killed_and_started_again_and_nobody_keeps_the_grants(
    web: Web, furnished: Database, studio: Studio
) -> None:
    lasts = 8.0
    camera, who, frames = cameras_of(furnished)[0], somebody(web, furnished, "zhou"), Frames()
    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        id = give(furnished, who.identity, camera, lasts)
        over = clock.monotonic() + lasts
        first = asyncio.create_task(watched(web, who, camera, await ticket(client, who, camera), frames))
        await asyncio.wait_for(frames.came.wait(), lasts)
        await asyncio.to_thread(studio.stop)
        await asyncio.wait_for(first, 5)
        killed = frames.latest
        studio.again()
        await asyncio.wait_for(until_refused(web, client, who, camera, frames), lasts + 20)
    assert killed < over and killed < frames.latest < over + LATEST
    with furnished.read() as connection:
        query = sa.select(access_grant.c.ended_at).where(access_grant.c.id == id)
        assert connection.execute(query).scalar_one() is None, "nobody wrote its end"
        assert connection.execute(sa.select(look.c.id).where(look.c.ended_at.is_(None))).all() == []


@pytest.mark.parametrize("deaf", [("relay",), ("web",), ("relay", "web")])
async def test_without_a_word_from_the_journal_what_plays_by_a_grant_ends_and_ones_own_goes_on(
    web: Web, furnished: Database, studio: Studio, monkeypatch: pytest.MonkeyPatch, deaf: tuple[str, ...]
) -> None:
    def away(*_: object) -> None:
        raise DatabaseAway()

    camera = cameras_of(furnished)[0]
    guest, owner = somebody(web, furnished, "zhou"), somebody(web, furnished, "lu", "transport")
    theirs, own = Frames(), Frames()
    give(furnished, guest.identity, camera, 60)
    async with httpx.AsyncClient(base_url=web.url, timeout=30, limits=SHORT) as client:
        by_grant = asyncio.create_task(watched(web, guest, camera, await ticket(client, guest, camera), theirs))
        by_right = asyncio.create_task(watched(web, owner, camera, await ticket(client, owner, camera), own))
        await asyncio.wait_for(asyncio.gather(theirs.came.wait(), own.came.wait()), 20)
        if "relay" in deaf:
            monkeypatch.setattr(relaying.grants, "living", away)
            monkeypatch.setattr(relaying, "journal", SimpleNamespace(head_on=away))
        if "web" in deaf:
            monkeypatch.setattr(Lookbook, "_told", away)
        since = clock.monotonic()
        await asyncio.wait_for(by_grant, 20)
        count = own.count
        own.came.clear()
        await asyncio.wait_for(own.came.wait(), 5)
        assert own.count > count and not by_right.done()
        await cease(by_right)
    assert since < theirs.latest < since + PATIENCE + LATEST


def moved(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the wall clock; the one that never steps back goes on."""
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + int(seconds * SECOND))


def account_named(database: Database, name: str) -> accounts.Account:
    found = accounts.find(database, name)
    assert found is not None
    return found
