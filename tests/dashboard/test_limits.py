"""Too many attempts are answered 429, by address, in every process, and right tokens are not held up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from config import clock
from dashboard.server import Server
from operations import limits, tokens
from operations.database import Database
from operations.limits import Limit
from operations.policy import SYSTEM
from operations.tokens import Terms
from tests.dashboard.conftest import Proof, bearer
from tests.dashboard.wire import Closed, connected

NEAR, FAR = "10.0.0.7", "192.0.2.9"


@asynccontextmanager
async def from_address(server: Server, address: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(server, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as made:
        yield made


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test reaches."""
    monkeypatch.setattr(limits, "limit_for", lambda method, path: Limit("signin", "", "", 2, 60))
    monkeypatch.setattr(limits, "WRONG_TOKEN", Limit("token", "", "", 2, 60))


async def test_one_address_signs_in_so_often_and_others_go_on(server: Server, few: None) -> None:
    form = {"name": "nobody", "password": "wrong wrong"}
    async with from_address(server, NEAR) as near, from_address(server, FAR) as far:
        own = {"origin": "http://testserver"}
        answers = [await near.post("/signin", data=form, headers=own) for _ in range(3)]
        assert [one.status_code for one in answers] == [401, 401, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60
        told = answers[-1].json()
        assert (told["code"], set(told["text"]), told["params"]) == ("too_many", {"zh", "en"}, {})
        for page in (
            await near.get("/signin", headers={"accept": "text/html"}),
            await near.post("/signin", data=form, headers=own | {"accept": "text/html"}),
        ):
            assert page.status_code == 429 and "频繁" in page.text and "<h1" in page.text
        assert (await far.post("/signin", data=form, headers=own)).status_code == 401


async def test_one_name_is_tried_so_often_from_wherever(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SIGN_IN_NAME", Limit("signin.name", "", "", 2, 60))
    said = []
    for address in (NEAR, FAR, "198.51.100.1"):
        async with from_address(server, address) as one:
            form = {"name": "Nobody" if address == FAR else "nobody", "password": "wrong wrong"}
            said.append(await one.post("/signin", data=form, headers={"origin": "http://testserver"}))
    assert [answer.status_code for answer in said] == [401, 401, 429]
    assert "频繁" in said[-1].text and 0 < int(said[-1].headers["retry-after"]) <= 60


async def test_wrong_tokens_are_counted_and_a_right_one_passes(server: Server, few: None, proof: Proof) -> None:
    server_limits = {"authorization": "Bearer wrong"}
    async with from_address(server, NEAR) as near:
        path = "/api/v1/grids/locate?lon=120.005&lat=30.005"
        said = [(await near.get(path, headers=server_limits)).status_code for _ in range(3)]
        assert said[-1] == 429
        assert (await near.get("/api/v1/incidents", headers=proof("token_read"))).status_code != 401


async def test_a_sockets_wrong_token_counts_too(server: Server, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "limit_for", lambda method, path: None)
    for _ in range(2):
        with pytest.raises(Closed):
            async with connected(server, "/api/v1/reports/stream", bearer("wrong")):
                pass
    async with from_address(server, "127.0.0.1") as near:
        assert (await near.get("/api/v1/incidents", headers=bearer("wrong"))).status_code == 429


async def test_a_token_outside_its_network_is_a_wrong_one(server: Server, furnished: Database) -> None:
    terms = Terms(networks=("10.0.0.0/24",))
    secret = tokens.add(furnished, SYSTEM, "t", "read", now=clock.now(), terms=terms)
    async with from_address(server, NEAR) as near, from_address(server, FAR) as far:
        inside = await near.get("/api/v1/incidents", headers=bearer(secret))
        outside = await far.get("/api/v1/incidents", headers=bearer(secret))
        nobody = await far.get("/api/v1/incidents", headers=bearer("wrong"))
    assert inside.status_code == 200
    assert (outside.status_code, outside.content) == (nobody.status_code, nobody.content) == (401, nobody.content)


async def test_a_token_does_only_what_it_was_made_for(server: Server, furnished: Database) -> None:
    made = {
        action: tokens.add(furnished, SYSTEM, "t", kind, now=clock.now(), source_id=source, terms=Terms((action,)))
        for action, kind, source in (
            ("grid.read", "read", ""), ("report.send", "intake", "s1"), ("warning.send", "intake", "s1"),
        )
    }  # fmt: skip
    async with from_address(server, NEAR) as near:
        assert (await near.get("/api/v1/incidents", headers=bearer(made["grid.read"]))).status_code == 403
        located = await near.get("/api/v1/grids/locate?lon=120.005&lat=30.005", headers=bearer(made["grid.read"]))
        assert located.status_code != 403
        for action, path in (("report.send", "/api/v1/warnings"), ("warning.send", "/api/v1/reports")):
            refused = await near.post(path, content=b"{}", headers=bearer(made[action]))
            assert (refused.status_code, refused.json()["code"]) == (403, "token_not_allowed")
