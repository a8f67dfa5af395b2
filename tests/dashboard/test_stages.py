"""Signing in stage by stage, a desk that locks, and that nothing of it tells who has an account."""

import dataclasses
import re
from collections.abc import AsyncIterator

import httpx
import pyotp
import pytest
import sqlalchemy as sa

from config import clock
from config.settings import Settings
from dashboard.access import COOKIE
from dashboard.server import Server
from operations import accounts, journal, sessions
from operations.database import Database
from operations.errors import Refused
from operations.policy import SYSTEM
from operations.rules import DEFAULT, MINUTE
from operations.tables import session
from tests.dashboard.conftest import PASSWORD
from tests.dashboard.web import PASSWORD as GOOD

ORIGIN = {"origin": "http://testserver"}
CHOSEN = "quite another 口令"


@pytest.fixture
async def strict(settings: Settings, valkey: str, furnished: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that asks liaisons and administrators for a second factor."""
    made = Server(dataclasses.replace(settings, totp_roles="security_admin,liaison"))
    await made.start()
    transport = httpx.ASGITransport(made)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=ORIGIN) as client:
        yield client
    await made.stop()


async def signed(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    return await client.post("/signin?next=/desk", data={"name": name, "password": password})


def secret_in(page: str) -> str:
    found = re.search(r'class="signin-secret">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1].replace(" ", "")


def code(secret: str, at: int, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(at // 1_000_000 + 30 * steps)


async def test_a_liaison_changes_the_password_takes_a_second_factor_and_comes_back_with_it(
    strict: httpx.AsyncClient, furnished: Database
) -> None:
    first = accounts.add(furnished, SYSTEM, "li", "liaison", now=clock.now())
    entered = await signed(strict, "li", first)
    assert entered.headers["location"] == "/signin/password?next=%2Fdesk"
    cookies = [strict.cookies[COOKIE]]
    assert (await strict.get("/desk")).headers["location"] == "/signin/next?next=%2Fdesk"
    assert (await strict.get("/signin/next?next=%2Fdesk")).headers["location"] == "/signin/password?next=%2Fdesk"
    assert (await strict.get("/signin/enrol?next=%2Fdesk")).headers["location"] == "/signin/password?next=%2Fdesk"
    assert (await strict.get("/api/v1/incidents")).status_code == 403
    assert (await strict.get("/session")).status_code == 403
    for typed, again in ((CHOSEN, CHOSEN + "!"), ("li li li li li 5", "li li li li li 5"), (first, first)):
        refused = await strict.post("/signin/password?next=/desk", data={"password": typed, "again": again})
        assert refused.status_code == 401 and "signin-message" in refused.text
    chosen = await strict.post("/signin/password?next=/desk", data={"password": CHOSEN, "again": CHOSEN})
    assert chosen.headers["location"] == "/signin/enrol?next=%2Fdesk"
    cookies.append(strict.cookies[COOKIE])
    shown = (await strict.get("/signin/enrol?next=%2Fdesk")).text
    secret = secret_in(shown)
    assert "<svg" in shown and "<script" not in shown
    wrong = await strict.post("/signin/enrol?next=/desk", data={"code": "123"})
    assert wrong.status_code == 401 and secret_in(wrong.text) == secret
    at = clock.now()
    bound = await strict.post("/signin/enrol?next=/desk", data={"code": code(secret, at)})
    codes = re.findall(r"<li><code>([a-z2-9-]{14})</code>", bound.text)
    assert bound.status_code == 200 and len(codes) == 10 and 'action="/desk"' in bound.text
    cookies.append(strict.cookies[COOKIE])
    assert (await strict.get("/desk")).status_code == 200
    assert len(set(cookies)) == 3 and not any(sessions.identify(furnished, one, clock.now()) for one in cookies[:2]), (
        "a secret of before it was done holds nothing"
    )

    strict.cookies.clear()
    assert (await signed(strict, "li", CHOSEN)).headers["location"] == "/signin/code?next=%2Fdesk"
    assert (await strict.post("/signin/code?next=/desk", data={"code": code(secret, at)})).status_code == 401, "used"
    done = await strict.post("/signin/code?next=/desk", data={"code": code(secret, at, 1)})
    assert done.headers["location"] == "/desk" and (await strict.get("/desk")).status_code == 200

    strict.cookies.clear()
    await signed(strict, "li", CHOSEN)
    assert (await strict.post("/signin/code?next=/desk", data={"code": codes[3]})).headers["location"] == "/desk"
    everything = "".join(f"{entry.action}{entry.body}" for entry in journal.read(furnished, 0))
    assert not any(one in everything for one in (first, CHOSEN, secret, codes[3], codes[3].replace("-", "")))


async def test_the_second_step_comes_only_after_a_right_password(
    strict: httpx.AsyncClient, furnished: Database
) -> None:
    accounts.add(furnished, SYSTEM, "chief", "security_admin", now=clock.now(), password=PASSWORD)
    said = []
    for name in ("chief", "nobody"):
        for _ in range(7):
            answer = await signed(strict, name, "wrong wrong")
            said.append((name, answer.status_code, re.sub(r"\d+|chief|nobody", "", answer.text)))
            assert COOKIE not in strict.cookies
    assert [one[1:] for one in said[:7]] == [one[1:] for one in said[7:]]


async def test_giving_up_half_way_ends_it(strict: httpx.AsyncClient, furnished: Database) -> None:
    made = accounts.add(furnished, SYSTEM, "li", "operator", now=clock.now())
    await signed(strict, "li", made)
    held = strict.cookies[COOKIE]
    assert (await strict.post("/signin/leave")).headers["location"] == "/signin"
    assert sessions.identify(furnished, held, clock.now()) is None
    strict.cookies.set(COOKIE, held)
    assert (await strict.get("/signin/password")).headers["location"].startswith("/signin?next=")


# ---- a desk that stands idle ----


async def standing_idle(client: httpx.AsyncClient, database: Database, minutes: int) -> None:
    """Make all desks stand idle that long, and the server ask anew."""
    with database.write() as transaction:
        transaction.connection.execute(sa.update(session).values(seen_at=clock.now() - minutes * MINUTE))
    client.cookies[COOKIE]  # who asks is remembered for a second by the secret
    client._transport.app.parts.gate.forget(client.cookies[COOKIE])  # type: ignore[attr-defined]


async def test_a_desk_that_stands_idle_shows_on_and_does_nothing_until_the_password(
    strict: httpx.AsyncClient, furnished: Database
) -> None:
    accounts.add(furnished, SYSTEM, "zhang", "operator", now=clock.now(), password=PASSWORD)
    await signed(strict, "zhang", GOOD)
    assert (await strict.post("/session/active?ago=20")).status_code == 204
    await standing_idle(strict, furnished, 14)
    assert (await strict.get("/api/v1/incidents")).status_code == 200, "asking is no touch"
    await standing_idle(strict, furnished, 16)
    told = (await strict.get("/session?lang=en")).json()
    assert told["locked"] and told["how"] == "password" and told["words"]["submit"] == "Unlock"
    assert (await strict.get("/desk")).status_code == 200
    assert (await strict.get("/api/v1/incidents")).status_code == 423
    assert (await strict.get("/heat")).headers["location"] == "/session/unlock?next=%2Fheat"
    assert (await strict.post("/session/active")).status_code == 423, "a timer does not wake it"
    assert 'action="/session/unlock' in (await strict.get("/session/unlock?next=/heat")).text
    for headers in ({}, {"accept": "text/html"}):
        wrong = await strict.post("/session/unlock", data={"password": "wrong wrong"}, headers=headers)
        assert wrong.status_code == 401
    for _ in range(DEFAULT.tries):
        with pytest.raises(Refused):
            accounts.check_password(furnished, "zhang", "wrong wrong", clock.now())
    assert (await strict.post("/session/unlock", data={"password": GOOD})).status_code == 204, "whoever knows the name"
    assert (await strict.get("/api/v1/incidents")).status_code == 200
    assert (await strict.get("/session/unlock?next=/heat")).headers["location"] == "/heat"
    await standing_idle(strict, furnished, 16)
    for _ in range(DEFAULT.tries):
        assert (await strict.post("/session/unlock", data={"password": "wrong wrong"})).status_code == 401
    assert (await strict.post("/session/unlock", data={"password": GOOD})).status_code == 401, "the session has ended"


async def test_a_desk_opened_by_a_link_is_unlocked_by_signing_in_again(
    strict: httpx.AsyncClient, furnished: Database
) -> None:
    accounts.add(furnished, SYSTEM, "zhang", "operator", now=clock.now(), password=PASSWORD)
    await strict.get("/signin", params={"once": sessions.issue_one_time(furnished, "zhang", clock.now())})
    await standing_idle(strict, furnished, 16)
    assert (await strict.get("/session")).json()["how"] == "again"
    assert (await strict.post("/session/unlock", data={"password": GOOD})).status_code == 401
    assert 'action="/signout' in (await strict.get("/session/unlock?next=/desk")).text
    left = await strict.post("/signout?next=/desk")
    assert left.headers["location"] == "/signin?ended=out&next=%2Fdesk"


async def test_over_tls_the_cookie_can_be_planted_by_nobody_else(
    strict: httpx.AsyncClient, furnished: Database
) -> None:
    accounts.add(furnished, SYSTEM, "zhang", "operator", now=clock.now(), password=PASSWORD)
    transport = strict._transport
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        client.headers["origin"] = "https://testserver"
        entered = await signed(client, "zhang", GOOD)
        assert entered.headers["set-cookie"].startswith(f"__Host-{COOKIE}=")
        assert (await client.get("/desk")).status_code == 200
        held = client.cookies[f"__Host-{COOKIE}"]
        client.cookies.clear()
        client.cookies.set(COOKIE, held)
        assert (await client.get("/desk")).status_code == 303
