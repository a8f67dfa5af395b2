"""A wall as a device, through the whole application: it is paired, looks, and can do nothing that changes anything."""

import re

import httpx
import pytest

from config import clock
from dashboard.server import Server
from operations import journal, pairings, walls
from operations.database import Database
from operations.policy import PAGES, POLICY, ROUTES, SYSTEM, Identity
from operations.scope import Scope
from operations.walls import Plan
from tests.dashboard.conftest import TOWNS, Proof
from tests.dashboard.wire import Closed, connected
from tests.walls import paired

HTML = {"accept": "text/html"}
ORIGIN = {"origin": "http://testserver"}
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def held(client: httpx.AsyncClient) -> str:
    return client.cookies["gridwall_wall"]


def code_of(page: str) -> str:
    return "".join(re.findall(r"<span>([A-Z0-9]{4})</span>", page))


async def test_a_screen_is_paired_without_a_keyboard(client: httpx.AsyncClient, database: Database) -> None:
    shown = await client.get("/wall?lang=en&heat=1h", headers=HTML, follow_redirects=True)
    assert shown.request.url.path == "/pair" and 'href="/signin?lang=en"' in shown.text
    cookie = next(one for one in shown.headers.get_list("set-cookie") if one.startswith("gridwall_wall="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Max-Age=34560000" in cookie
    claim = held(client)
    assert code_of((await client.get("/pair?lang=en", headers=HTML)).text) == code_of(shown.text)
    assert (await client.get("/pair/state?size=3840x2160")).json() == {"state": "waiting"}
    assert claim not in shown.text

    now = clock.now()
    found = pairings.find(database, SYSTEM, code_of(shown.text), now=now)
    assert found.size == "3840×2160"
    pairings.confirm(database, SYSTEM, found.code, Plan("hall"), now=now)
    states = [(await client.get("/pair/state")).json()["state"] for _ in range(2)]
    if states[-1] == "waiting":  # what was asked a moment ago is still believed
        clock_ahead(client)
        states.append((await client.get("/pair/state")).json()["state"])
    assert states[-1] == "paired"
    onward = await client.get("/pair?lang=en&heat=1h", headers=HTML)
    assert onward.headers["location"] == "/wall?lang=en&heat=1h"
    assert (await client.get("/wall", headers=HTML)).status_code == 200

    rotated = await client.post("/wall/rotate", headers=ORIGIN)
    assert rotated.json() == {"again_s": 86_400}
    assert held(client) != claim and walls.identify(database, held(client), now) is not None
    actions = [entry.action for entry in journal.read(database, 0) if entry.subject_type == "wall"]
    assert actions == ["wall.paired", "wall.rotated"]


def clock_ahead(client: httpx.AsyncClient) -> None:
    """Have the server forget what it was told of claims a moment ago."""
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport) and isinstance(transport.app, Server)
    transport.app._wallbook._waiting.clear()


async def test_too_many_screens_of_one_address_are_refused_politely(
    client: httpx.AsyncClient, database: Database
) -> None:
    for _ in range(pairings.OPEN_OF_ONE_ADDRESS):
        pairings.begin(database, "", now=clock.now(), agent="", address="127.0.0.1")
    answer = await client.get("/pair?lang=en", headers=HTML)
    assert answer.status_code == 429 and answer.headers["retry-after"]
    assert "20 screens at this address" in answer.text and "gridwall_wall" not in client.cookies


async def test_a_revoked_screen_is_told_and_may_be_paired_again(client: httpx.AsyncClient, database: Database) -> None:
    claim = paired(database)
    client.cookies.set("gridwall_wall", claim, domain="testserver.local")
    found = walls.identify(database, claim, clock.now())
    assert found is not None
    walls.revoke(database, SYSTEM, found.id, now=clock.now())
    answer = await client.get("/pair?lang=en", headers=HTML | {"cookie": f"gridwall_wall={claim}"})
    assert "An administrator has revoked this screen" in answer.text and len(code_of(answer.text)) == 8
    assert f"gridwall_wall={claim}" not in str(answer.headers.get_list("set-cookie"))


async def test_no_wall_needs_its_claim_and_nobody_can_bring_one(client: httpx.AsyncClient) -> None:
    for cookie in ("gridwall_wall=", "gridwall_wall=chosen", "gridwall_wall=" + "x" * 3_000):
        headers = HTML | {"cookie": cookie}
        assert (await client.get("/wall", headers=headers)).headers["location"] == "/pair"
        assert (await client.get("/pair/state", headers=headers)).json() == {"state": "over"}
        assert (await client.post("/wall/rotate", headers=headers | ORIGIN)).status_code == 401


def samples() -> list[tuple[str, str]]:
    """A request for every line of the table of routes that changes anything, or is a socket."""
    found = []
    for route in ROUTES:
        if "public" in route.action:
            continue
        path = re.sub(r"\(zh\|en\)", "zh", route.path.replace("\\", ""))
        path = re.sub(r"\[[^]]*\]\+?(\{[^}]*\})?", "1", re.sub(r"\((/[^()]*)\)\??|\(.*", "", path)).split("|")[0]
        methods = CHANGING if "*" in route.methods else route.methods.split()
        found += [(method, path) for method in methods if method in (*CHANGING, "WS")]
    return sorted({*found, *((method, f"/{page}") for page in PAGES for method in CHANGING)})


async def test_a_wall_can_do_nothing_that_changes_anything(
    server: Server, client: httpx.AsyncClient, proof: Proof, database: Database
) -> None:
    headers = proof("wall")
    before = [entry.action for entry in journal.read(database, 0)]
    may = (("POST", "/wall/rotate"), ("WS", "/live"), ("POST", "/video/tickets"))
    tried = [one for one in samples() if one not in may]
    assert {path for _, path in tried} >= {"/signout", "/uploads/table", "/api/v1/reports", "/walls", "/wall"}
    for method, path in tried:
        if method == "WS":
            with pytest.raises(Closed):
                async with connected(server, path, headers) as wire:
                    await wire.text()
        else:
            answer = await client.request(method, path, headers=headers, json={})
            assert answer.status_code in (401, 403, 404), (method, path, answer.status_code)
    for page in PAGES:
        if page != "wall":
            with pytest.raises(Closed):
                async with connected(server, f"/live?page={page}", headers) as wire:
                    await wire.text()
    refusals = ("access.", "look.denied")
    assert [entry.action for entry in journal.read(database, 0) if not entry.action.startswith(refusals)] == before
    assert [name for name, roles in POLICY.items() if "wall" in roles and "." in name] == [
        "wall.view", "wall.rotate", "live.watch", "camera.read", "camera.look", "grid.read",
    ]  # fmt: skip


async def test_whatever_a_wall_says_on_its_socket_changes_nothing(
    server: Server, proof: Proof, database: Database
) -> None:
    before = len(journal.read(database, 0))
    async with connected(server, "/live?page=wall", proof("wall")) as wire:
        await wire.json()
        for said in ({"action": "close", "id": "x"}, {"command": 1}, [], "x", {"painted": 10**9, "at": 1}):
            wire.send(said)
        await wire.json()
    assert len(journal.read(database, 0)) == before + 1, "only that the wall was paired"


async def test_a_browser_that_is_a_wall_and_has_a_person_signed_in(
    client: httpx.AsyncClient, server: Server, proof: Proof
) -> None:
    north, south = (Scope(town) for town in TOWNS)
    both = {"cookie": "; ".join([proof("operator", south)["cookie"], proof("wall", north)["cookie"]])} | ORIGIN
    assert (await client.get("/desk", headers=both | HTML)).status_code == 200, "a person's page is the person's"
    assert (await client.get("/wall", headers=both | HTML)).status_code == 200
    async with connected(server, "/live?page=wall", both) as wire:
        await wire.json()
        assert [one.identity.scope for one in server.parts.hub.screens] == [north], "the wall's page is the device's"
    async with connected(server, "/live?page=desk", both) as wire:
        await wire.json()
        assert [one.identity.scope for one in server.parts.hub.screens] == [south]
    alone = proof("wall", north)
    assert (await client.get("/desk", headers=alone | HTML)).headers["location"].startswith("/signin?next=%2Fdesk")
    assert (await client.get("/api/v1/incidents", headers=alone)).status_code == 403


async def test_a_rotation_ends_no_connection_and_a_revocation_ends_it(
    server: Server, client: httpx.AsyncClient, proof: Proof, database: Database
) -> None:
    headers = proof("wall")
    async with connected(server, "/live?page=wall", headers) as wire:
        await wire.json()
        await wire.json()
        rotated = await client.post("/wall/rotate", headers=headers)
        assert rotated.status_code == 200
        fresh = walls.identify(database, rotated.cookies["gridwall_wall"], clock.now())
        assert isinstance(fresh, Identity), "from now on the new secret is the wall's"
        await server.parts.standing.look()
        assert len(server.parts.hub.screens) == 1
        walls.revoke(database, SYSTEM, fresh.id, now=clock.now())
        await server.parts.standing.look()
        with pytest.raises(Closed) as closed:
            while True:
                await wire.text()
    assert closed.value.code == 4401


async def test_behind_tls_no_other_host_can_plant_a_walls_secret(server: Server, database: Database) -> None:
    transport = httpx.ASGITransport(server)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver", headers=HTML) as client:
        planted = paired(database, "theirs")
        shown = await client.get("/wall", headers={"cookie": f"gridwall_wall={planted}"})
        assert shown.headers["location"].startswith("/pair")
        cookie = next(
            one for one in (await client.get("/pair")).headers.get_list("set-cookie") if "gridwall_wall" in one
        )
        assert cookie.startswith("__Host-gridwall_wall=") and "Secure" in cookie and "Path=/" in cookie
        assert "Domain" not in cookie
        client.cookies.clear()
        assert (await client.get("/wall", headers={"cookie": f"__Host-gridwall_wall={planted}"})).status_code == 200
