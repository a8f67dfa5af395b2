"""The web process as a whole: its routes, signing in and out, pages, and the live channel end to end."""

import asyncio
import re

import httpx
import pytest

from config import clock
from dashboard import server as servers
from dashboard.access import COOKIE
from dashboard.server import Server
from operations import accounts, journal, policy, sessions
from operations.database import Database
from operations.errors import DatabaseAway, DatabaseFull, DatabaseLocked, OperationsError
from operations.policy import SYSTEM
from operations.rules import DEFAULT
from tests.dashboard.conftest import PASSWORD, Proof
from tests.dashboard.test_live import NORTH, opened, write
from tests.dashboard.wire import Closed, connected


async def test_dashs_own_socket_is_closed(server: Server, proof: Proof) -> None:
    with pytest.raises(Closed):
        async with connected(server, "/wall/zh/_dash-ws-callback", proof("operator")):
            pass


async def test_a_page_is_served_in_the_language_asked_for_and_loads_nothing_from_outside(
    client: httpx.AsyncClient, proof: Proof
) -> None:
    chinese = await client.get("/wall", headers=proof("wall"))
    english = await client.get("/wall?lang=en", headers=proof("wall"))
    assert 'lang="zh-CN"' in chinese.text and 'data-lang="en"' in english.text
    for tag in re.findall(r"<(?:script|link|img)[^>]*>", chinese.text + english.text):
        assert "//" not in tag
    layout = await client.get("/wall/zh/_dash-layout", headers=proof("wall"))
    assert layout.status_code == 200 and layout.json()["props"]["id"] == "page"


async def test_inline_scripts_are_allowed_by_their_hash_only(client: httpx.AsyncClient, proof: Proof) -> None:
    import base64
    import hashlib

    page = await client.get("/wall", headers=proof("wall"))
    allowed = page.headers["content-security-policy"]
    for kind, script in re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL):
        if script and "application/json" not in kind:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed


@pytest.mark.parametrize("path", ["/desk", "/assets/nothing.js"])
async def test_what_no_route_takes_is_refused_in_both_languages(
    client: httpx.AsyncClient, proof: Proof, path: str
) -> None:
    response = await (client.get if "nothing" in path else client.head)(path, headers=proof("operator"))
    assert response.status_code == (404 if "nothing" in path else 405)
    if response.request.method == "GET":
        assert set(response.json()["text"]) == {"zh", "en"}


# ---- signing in and out ----


@pytest.fixture
def duty(furnished: Database) -> str:
    accounts.add(furnished, SYSTEM, "duty", "duty_commander", now=clock.now(), password=PASSWORD)
    return "duty"


ORIGIN = {"origin": "http://testserver"}


async def test_sign_in_goes_where_one_wanted_with_a_cookie_no_script_can_read(
    client: httpx.AsyncClient, duty: str
) -> None:
    form = {"name": duty, "password": PASSWORD}
    response = await client.post("/signin?next=/wall%3Flang%3Den", data=form, headers=ORIGIN)
    assert (response.status_code, response.headers["location"]) == (303, "/wall?lang=en")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
    assert (await client.get("/wall")).status_code == 200


async def test_over_tls_the_cookie_stays_on_tls(server: Server, duty: str) -> None:
    transport = httpx.ASGITransport(server)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        form = {"name": duty, "password": PASSWORD}
        response = await client.post("/signin", data=form, headers={"origin": "https://testserver"})
    assert "secure" in response.headers["set-cookie"].lower()


@pytest.mark.parametrize("following", ["//evil.example/", "https://evil.example", "/\\evil.example"])
async def test_sign_in_never_leads_away(client: httpx.AsyncClient, duty: str, following: str) -> None:
    form = {"name": duty, "password": PASSWORD}
    response = await client.post("/signin", params={"next": following}, data=form, headers=ORIGIN)
    assert response.headers["location"] == "/"


async def test_failures_say_so_and_make_the_next_try_wait(client: httpx.AsyncClient, duty: str) -> None:
    said = []
    for _ in range(DEFAULT.tries + 2):
        response = await client.post("/signin", data={"name": duty, "password": "wrong"}, headers=ORIGIN)
        assert response.status_code == 401
        said.append("请" in response.text.partition("signin-message")[2].partition("</p>")[0])
    assert not said[0] and said[-1]
    nobody = await client.post("/signin", data={"name": "nobody", "password": "wrong"}, headers=ORIGIN)
    assert nobody.status_code == 401


@pytest.mark.parametrize("trouble", [DatabaseLocked, DatabaseFull, DatabaseAway])
async def test_while_the_database_is_held_signing_in_says_try_again(
    client: httpx.AsyncClient, duty: str, monkeypatch: pytest.MonkeyPatch, trouble: type[OperationsError]
) -> None:
    def away(*_: object, **__: object) -> object:
        raise trouble

    monkeypatch.setattr(sessions, "open", away)
    monkeypatch.setattr(sessions, "redeem", away)
    form = {"name": duty, "password": PASSWORD}
    for response in (
        await client.post("/signin", data=form, headers=ORIGIN),
        await client.get("/signin", params={"once": "x"}),
    ):
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert "signin-message" in response.text and "set-cookie" not in response.headers


async def test_sign_in_from_another_page_is_refused(client: httpx.AsyncClient, duty: str) -> None:
    response = await client.post(
        "/signin", data={"name": duty, "password": PASSWORD}, headers={"origin": "http://evil.example"}
    )
    assert response.status_code == 403


@pytest.mark.parametrize("typed", [{"name": "x" * 101}, {"password": "x" * 1_001}])
async def test_what_nobody_is_called_is_answered_by_the_form(
    client: httpx.AsyncClient, duty: str, typed: dict[str, str]
) -> None:
    form = {"name": duty, "password": PASSWORD} | typed
    response = await client.post("/signin?next=/" + "x" * 2_001, data=form, headers=ORIGIN)
    assert response.status_code == 401 and "signin-message" in response.text
    assert "x" * 2_001 not in response.text


async def test_what_was_typed_is_shown_as_text(client: httpx.AsyncClient) -> None:
    form = {"name": '"><script>x</script>', "password": "x"}
    response = await client.post("/signin?next=/%22%3E%3Cscript%3E", data=form, headers=ORIGIN)
    assert "<script" not in response.text


async def test_a_link_works_once_and_only_here(server: Server, client: httpx.AsyncClient, duty: str) -> None:
    once = sessions.issue_one_time(server.parts.database, duty, clock.now())
    far = httpx.ASGITransport(server, client=("10.0.0.7", 1))
    async with httpx.AsyncClient(transport=far, base_url="http://testserver") as remote:
        assert (await remote.get("/signin", params={"once": once})).status_code == 403
    proxied = await client.get("/signin", params={"once": once}, headers={"x-forwarded-for": "10.0.0.7"})
    assert proxied.status_code == 403
    first = await client.get("/signin", params={"once": once})
    assert first.status_code == 303 and COOKIE in first.headers["set-cookie"]
    assert (await client.get("/signin", params={"once": once})).status_code == 403


async def test_signing_out_ends_the_session_at_once(client: httpx.AsyncClient, proof: Proof) -> None:
    headers = proof("operator")
    assert (await client.get("/wall", headers=headers)).status_code == 200
    left = await client.post("/signout", headers=headers)
    assert "已退出登录" in (await client.get(left.headers["location"])).text
    again = await client.get("/wall", headers=headers)
    assert again.headers["location"] == "/signin?next=%2Fwall&ended=expired"
    assert "登录已结束" in (await client.get(again.headers["location"])).text
    assert "alert" not in (await client.get("/signin?next=%2Fwall&ended=nonsense")).text


async def test_everybody_has_a_home(client: httpx.AsyncClient, proof: Proof) -> None:
    for role in policy.ROLES:
        response = await client.get("/", headers=proof(role))
        assert response.status_code == 303
        assert policy.permission_for("GET", response.headers["location"]) is not None
    assert (await client.get("/", headers=proof("wall"))).headers["location"] == "/wall"


# ---- the live channel ----


async def test_the_live_channel_end_to_end(server: Server, proof: Proof, database: Database) -> None:
    async with connected(server, "/live?page=wall&lang=zh", proof("wall")) as wire:
        hello = (await wire.json())["hello"]
        assert hello["epoch"] == server.parts.hub.epoch and hello["version"] == server.parts.version
        first = await wire.json()
        assert first["snapshot"] is True
        write(database, opened("a", NORTH, clock.now()))
        while "title of a" not in (text := await wire.text()):
            pass
        wire.send({"painted": first["n"], "at": clock.now() // 1_000})
    assert "title of a" in text
    async with connected(
        server,
        f"/live?page=wall&lang=zh&n={first['n']}&epoch={hello['epoch']}&rights={hello['rights']}",
        proof("wall"),
    ) as wire:
        assert (await wire.json())["hello"]["missed"] >= 1
        again = await wire.json()
        assert again["snapshot"] is False and again["n"] > first["n"]


@pytest.mark.parametrize("page", ["", "nowhere", "desk"])
async def test_a_channel_that_is_not_yours_is_closed(server: Server, proof: Proof, page: str) -> None:
    with pytest.raises(Closed):
        async with connected(server, f"/live?page={page}", proof("wall")):
            pass


@pytest.mark.parametrize(
    "query", ["n=-1", "n=99999999999999999999", "n=x&at=x", "at=%F0%9F%98%80", "screen=" + "x" * 500]
)
async def test_nonsense_in_the_address_is_a_fresh_screen(server: Server, proof: Proof, query: str) -> None:
    async with connected(server, f"/live?page=wall&epoch={server.parts.hub.epoch}&{query}", proof("wall")) as wire:
        wire.send(["nonsense"])
        assert "hello" in await wire.json()
        assert (await wire.json())["snapshot"]


async def test_a_stuck_wall_stands_in_the_journal(server: Server, proof: Proof, database: Database) -> None:
    async with connected(server, "/live?page=wall&screen=abc", proof("wall")) as wire:
        await wire.json()
        hub = server.parts.hub
        for second in (0.0, 100.0):
            hub._watch.look(hub.screens, (), second)
        await asyncio.gather(*server._telling)
    await asyncio.gather(*server._telling)
    _, stuck, gone = [entry for entry in journal.read(database, 0) if entry.subject_type == "wall"]
    assert (stuck.action, stuck.subject_id, stuck.actor) == ("wall.stuck", "wall", "system:system")
    assert (gone.action, gone.subject_id) == ("wall.gone", "wall")


def test_the_version_is_that_of_the_code() -> None:
    assert servers.version() == servers.version() != ""
