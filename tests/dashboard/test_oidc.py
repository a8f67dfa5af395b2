"""Signing in by a real identity provider, the whole dance; and everything that must not sign in."""

import dataclasses
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import redis

from config import clock, parent
from config.settings import Settings
from dashboard import oidc, provider
from dashboard.access import COOKIE
from dashboard.provider import Provider, ProviderWrong, believed, made
from dashboard.server import Server
from operations import accounts, audit, journal, sessions
from operations.database import Database
from operations.policy import SYSTEM
from operations.scope import Scope
from tests import ports
from tests.dashboard import identity_provider as idp
from tests.dashboard.conftest import TOWNS

RULES = f"""
[[rule]]
value = "gridwall-duty"
role = "duty_commander"
[[rule]]
value = "gridwall-fire"
role = "liaison"
grid = "{TOWNS[0]}"
department = "fire"
[[rule]]
value = "gridwall-system"
role = "system_admin"
[[rule]]
value = "gridwall-security"
role = "security_admin"
"""
SECOND = 1_000_000


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a provider, running."""
    port = ports.free()
    process = subprocess.Popen(
        [sys.executable, idp.__file__, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=parent.die_with_me(),
        start_new_session=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "up\n", "the provider did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def settings(settings: Settings, issuer: str) -> Settings:
    """Ours, with the provider set."""
    keys = settings.data / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    (keys / "oidc.secret").write_text(idp.SECRET + "\n", encoding="utf-8")
    (settings.data / oidc.RULES).write_text(RULES, encoding="utf-8")
    about = {"oidc_client_id": idp.CLIENT, "oidc_name": "市统一身份", "oidc_scopes": "openid profile groups"}
    return dataclasses.replace(settings, oidc_issuer=issuer, **about)  # type: ignore[arg-type]


class Browser:
    """A browser with cookies of both, that follows nothing by itself."""

    def __init__(self, server: Server) -> None:
        self.ours = httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://testserver")
        self.theirs = httpx.AsyncClient(trust_env=False)

    async def close(self) -> None:
        await self.ours.aclose()
        await self.theirs.aclose()

    async def leave(self, following: str = "/desk") -> str:
        """Begin; return the provider's address one is sent to."""
        answer = await self.ours.get("/signin/oidc", params={"next": following})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def at_provider(self, address: str, name: str) -> str:
        """Sign in there; return the address one is sent back to."""
        answer = await self.theirs.get(address)
        for _ in range(8):
            if answer.is_redirect:
                location = str(answer.request.url.join(answer.headers["location"]))
                if location.startswith(idp.BACK):
                    return location
                answer = await self.theirs.get(location)
                continue
            form = {"csrf_token": re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)[0]}
            field = "password" if 'name="password"' in answer.text else "login"
            form |= {field: idp.PASSWORD if field == "password" else name, "answer": "accept"}
            answer = await self.theirs.post(str(answer.request.url), data=form)
        raise AssertionError(answer.text)

    async def come(self, address: str) -> httpx.Response:
        """Come back to us."""
        parts = urlsplit(address)
        return await self.ours.get(f"{parts.path}?{parts.query}")

    async def sign_in(self, name: str, following: str = "/desk") -> httpx.Response:
        """The whole dance."""
        return await self.come(await self.at_provider(await self.leave(following), name))


Make = Callable[[], Browser]


@pytest.fixture
async def browsers(server: Server) -> AsyncIterator[Make]:
    """Makes browsers, and closes them."""
    made_here: list[Browser] = []

    def make() -> Browser:
        made_here.append(Browser(server))
        return made_here[-1]

    yield make
    for one in made_here:
        await one.close()


@pytest.fixture
def browser(browsers: Make) -> Browser:
    return browsers()


def entries(database: Database, action: str) -> list[dict[str, object]]:
    return [entry.body or {} for entry in journal.read(database, 0) if entry.action == action]


def changed(address: str, **values: str) -> str:
    """An address with other parameters."""
    parts = urlsplit(address)
    asked = {name: found[0] for name, found in parse_qs(parts.query).items()} | values
    return parts._replace(query=urlencode(asked)).geturl()


def refused(answer: httpx.Response, status: int, said: str) -> None:
    assert answer.status_code == status, answer.text
    assert said in answer.text and COOKIE + "=" not in answer.headers.get("set-cookie", "")


async def test_somebody_signs_in_with_role_and_jurisdiction_of_the_claims(
    browser: Browser, furnished: Database, caplog: pytest.LogCaptureFixture
) -> None:
    page = (await browser.ours.get("/signin?next=/desk")).text
    assert "市统一身份登录" in page and "/signin/oidc?next=%2Fdesk" in page
    there = await browser.leave("/desk?lang=en")
    asked = {name: found[0] for name, found in parse_qs(urlsplit(there).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"], asked["redirect_uri"]) == ("code", "S256", idp.BACK)
    back = await browser.at_provider(there, "li")
    answer = await browser.come(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk?lang=en"), answer.text
    assert (await browser.ours.get("/desk")).status_code == 200
    found = accounts.find(furnished, "li")
    assert found is not None and (found.role, found.scope) == ("liaison", Scope(TOWNS[0], "fire"))
    [added] = entries(furnished, "account.added")
    assert (added["name"], added["shown_name"], added["role"]) == ("li", "李四", "liaison")
    code = parse_qs(urlsplit(back).query)["code"][0]
    for secret in (idp.SECRET, code, browser.ours.cookies[COOKIE], asked["state"]):
        assert secret not in caplog.text
    signed_out = await browser.ours.post("/signout", headers={"origin": "http://testserver"})
    assert signed_out.status_code == 303
    assert (await browser.ours.get("/desk")).headers["location"].startswith("/signin")


async def test_the_same_person_is_the_same_account_and_rights_follow_the_claims(
    browsers: Make, furnished: Database, settings: Settings
) -> None:
    await browsers().sign_in("moving")
    before = accounts.find(furnished, "moving")
    await browsers().sign_in("moving")
    assert entries(furnished, "account.changed") == []
    (settings.data / oidc.RULES).write_text('[[rule]]\nvalue = "*"\nrole = "operator"\n', encoding="utf-8")
    await browsers().sign_in("moving")
    after = accounts.find(furnished, "moving")
    assert before is not None and after is not None
    assert (before.id, before.role, after.role, after.scope) == (after.id, "liaison", "operator", Scope())
    [told] = entries(furnished, "account.changed")
    assert told["before"] == {"role": "liaison", "scope_grid": TOWNS[0], "scope_department": "fire"}
    accounts.disable(furnished, SYSTEM, "moving", now=clock.now())
    refused(await browsers().sign_in("moving"), 403, "已停用")


async def test_a_role_with_a_second_factor_asks_for_ours_unless_the_provider_does(
    settings: Settings, valkey: str, furnished: Database
) -> None:
    server = Server(dataclasses.replace(settings, totp_roles="liaison", password_days=1))
    await server.start()
    browser = Browser(server)
    try:
        answer = await browser.sign_in("li")
        assert answer.headers["location"] == "/signin/enrol?next=%2Fdesk"
        assert (await browser.ours.get("/desk")).headers["location"].startswith("/signin/next")
        rules = settings.data / oidc.RULES
        rules.write_text(RULES.replace('role = "liaison"', 'role = "liaison"\nsecond_factor = true'), encoding="utf-8")
        assert (await browser.sign_in("li")).headers["location"] == "/desk"
        assert (await browser.ours.get("/desk")).status_code == 200
        rules.write_text(RULES.replace('role = "liaison"', 'role = "leader"').replace('department = "fire"', ""))
        held = browser.ours.cookies[COOKIE]
        await browser.sign_in("li")
        assert sessions.identify(furnished, held, clock.now()) is None, "no session of before takes the other role"
    finally:
        await browser.close()
        await server.stop()


async def test_a_local_account_of_the_same_name_is_never_taken_over(browser: Browser, furnished: Database) -> None:
    accounts.add(furnished, SYSTEM, "duty", "security_admin", now=clock.now(), password="horse 电池 staple")
    local = accounts.find(furnished, "duty")
    assert (await browser.sign_in("duty")).status_code == 303
    again, other = accounts.find(furnished, "duty"), accounts.find(furnished, "duty-2")
    assert again == local and other is not None and other.role == "liaison"
    assert (await browser.ours.get("/accounts")).status_code == 403
    for following in ("//evil.example", "https://evil.example", "/signin/oidc"):  # and it never leads away
        assert (await browser.sign_in("duty", following)).headers["location"] == "/"


async def test_who_is_not_mapped_is_refused_and_written_down(
    server: Server, browser: Browser, furnished: Database, settings: Settings
) -> None:
    refused(await browser.sign_in("nobody"), 403, "没有对应的角色")
    assert accounts.find(furnished, "nobody") is None
    browser.theirs.cookies.clear()
    refused(await browser.sign_in("both"), 403, "三员分立")
    assert accounts.find(furnished, "both") is None
    server.parts.trail.flush(all=True)
    failed = [entry for entry in journal.read(furnished, 0) if entry.action == audit.FAILED]
    assert sorted(entry.reason for entry in failed) == ["separated", "unmapped"]
    (settings.data / oidc.RULES).write_text('[[rule]]\nvalue = "*"\nrole = "god"\n', encoding="utf-8")
    refused(await browser.sign_in("both"), 503, "对应表有误")


async def test_a_state_is_good_once_in_one_browser_for_a_while(browsers: Make, valkey: str) -> None:
    one, other = browsers(), browsers()
    back = await one.at_provider(await one.leave(), "zhang")
    refused(await one.come(changed(back, state="x" * 43)), 400, "不是在这个浏览器")
    refused(await one.come(changed(back, state="")), 400, "不是在这个浏览器")
    refused(await other.come(back), 400, "不是在这个浏览器")  # stolen: and it is spent now
    refused(await one.come(back), 400, "已用过")
    back = await one.at_provider(await one.leave(), "zhang")
    assert (await one.come(back)).status_code == 303
    refused(await one.come(back), 400, "已用过")
    back = await one.at_provider(await one.leave(), "zhang")
    with redis.Redis.from_url(valkey) as client:
        [kept] = client.keys("gridwall:once:*")
        assert 0 < client.ttl(kept) <= oidc.WHILE_SECONDS
        client.delete(kept)  # its time is over
    refused(await one.come(back), 400, "已过期")


async def test_a_code_is_good_for_nobody_else(browsers: Make, furnished: Database) -> None:
    """The provider itself refuses it: used already, or another verifier (PKCE)."""
    one, thief = browsers(), browsers()
    stolen = parse_qs(urlsplit(await one.at_provider(await one.leave(), "zhang")).query)["code"][0]
    begun = parse_qs(urlsplit(await thief.leave()).query)["state"][0]
    refused(await thief.come(f"{idp.BACK}?{urlencode({'code': stolen, 'state': begun})}"), 403, "核对不上")
    back = await one.at_provider(await one.leave(), "zhang")
    spent = parse_qs(urlsplit(back).query)["code"][0]
    assert (await one.come(back)).status_code == 303
    again = parse_qs(urlsplit(await one.leave()).query)["state"][0]
    refused(await one.come(f"{idp.BACK}?{urlencode({'code': spent, 'state': again})}"), 403, "核对不上")


async def test_an_answer_to_another_question_is_not_believed(browser: Browser) -> None:
    for wrong in ({"nonce": "another"}, {"code_challenge": made("x", "y", "verifier")}):
        there = changed(await browser.leave(), **wrong)
        refused(await browser.come(await browser.at_provider(there, "zhang")), 403, "核对不上")
    back = await browser.at_provider(await browser.leave(), "zhang")
    refused(await browser.come(changed(back, iss="https://evil.example")), 403, "核对不上")
    state = parse_qs(urlsplit(await browser.leave()).query)["state"][0]
    refused(await browser.come(f"{idp.BACK}?error=access_denied&state={state}"), 403, "没有同意")


async def test_an_id_token_is_for_us_for_now_and_by_its_key(browser: Browser, server: Server) -> None:
    raw: list[tuple[str, dict[str, object], dict[str, object]]] = []
    real = provider.believed

    def kept(token: str, keys: dict[str, object], metadata: dict[str, object], *rest: object) -> dict[str, object]:
        raw.append((token, keys, metadata))
        return real(token, keys, metadata, *rest)  # type: ignore[arg-type]

    provider.believed = kept  # type: ignore[assignment]
    try:
        there = await browser.leave()
        state, browser_secret = parse_qs(urlsplit(there).query)["state"][0], browser.ours.cookies[oidc.COOKIE]
        await browser.come(await browser.at_provider(there, "zhang"))
    finally:
        provider.believed = real
    [(token, keys, metadata)] = raw
    nonce, now = made(browser_secret, state, "nonce"), clock.now()
    assert believed(token, keys, metadata, idp.CLIENT, nonce, now)["sub"] == "zhang"
    head, body, signature = token.split(".")
    hour = 3_600 * SECOND
    other = {"keys": [{**keys["keys"][0], "n": keys["keys"][0]["n"][:-4] + "AAAA"}]}  # type: ignore[index]
    for wrong in (
        (token, keys, metadata, idp.OTHER_CLIENT, nonce, now),
        (token, keys, {**metadata, "issuer": "https://evil.example"}, idp.CLIENT, nonce, now),
        (token, keys, metadata, idp.CLIENT, "another", now),
        (token, keys, metadata, idp.CLIENT, nonce, now + 30 * 24 * hour),
        (token, keys, metadata, idp.CLIENT, nonce, now + hour // 4),
        (token, keys, metadata, idp.CLIENT, nonce, now - hour),
        (token, other, metadata, idp.CLIENT, nonce, now),
        (token, keys, {**metadata, "id_token_signing_alg_values_supported": ["ES256"]}, idp.CLIENT, nonce, now),
        (f"{head}.{body[:-2]}AA.{signature}", keys, metadata, idp.CLIENT, nonce, now),
        (f"eyJhbGciOiJub25lIn0.{body}.", keys, metadata, idp.CLIENT, nonce, now),
        ("", keys, metadata, idp.CLIENT, nonce, now),
    ):
        with pytest.raises(ProviderWrong):
            believed(*wrong)  # type: ignore[arg-type]


async def test_without_the_provider_local_accounts_go_on(
    server: Server, browser: Browser, settings: Settings, furnished: Database
) -> None:
    away = dataclasses.replace(settings, oidc_issuer=f"http://127.0.0.1:{ports.free()}")
    object.__setattr__(server.parts, "provider", Provider(away, lambda: ""))
    answer = await browser.ours.get("/signin/oidc")
    refused(answer, 503, "连不上")
    assert 'name="password"' in answer.text
    accounts.add(furnished, SYSTEM, "local", "operator", now=clock.now(), password="horse 电池 staple")
    form = {"name": "local", "password": "horse 电池 staple"}
    answer = await browser.ours.post("/signin", data=form, headers={"origin": "http://testserver"})
    assert answer.status_code == 303
    object.__setattr__(server.parts, "provider", Provider(dataclasses.replace(settings, oidc_issuer=""), lambda: ""))
    refused(await browser.ours.get("/signin/oidc"), 404, "没有启用")
