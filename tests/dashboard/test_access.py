"""The gate answers exactly what the policy table says, over HTTP and WebSocket, and denies everything else."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Form
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from dashboard import access
from dashboard.access import COOKIE, WALL_COOKIE, Access, safe_next
from operations import policy
from operations.policy import ANONYMOUS, Identity
from tests.dashboard.wire import Closed, connected

PATHS = [
    "/", "/wall", "/wall/zh/", "/wall/zh/_dash-layout", "/desk", "/quarantine", "/signin", "/signout", "/healthz",
    "/readyz",
    "/metrics", "/api/docs", "/api/openapi.json", "/api/v1/reports", "/api/v1/incidents", "/api/v1/incidents/0a",
    "/api/v1/grids/locate", "/api/v1/grids/shapes", "/api/v1/heat", "/api/v1/heat/areas", "/heat", "/api/v1/journal",
    "/api/v1/warnings", "/assets/live.js", "/nowhere", "/tiles/1/0/0",
    "/wall/zh/_dash-update-component", "/wall/rotate", "/pair", "/pair/state", "/api/v1", "/wall/../metrics", "/WALL",
    "//wall", "/video/wall",
]  # fmt: skip
SOCKETS = ["/live", "/api/v1/reports/stream", "/wall/zh/_dash-ws-callback", "/nowhere", "/wall"]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
ROLES = [*policy.ROLES, *policy.MACHINE_ROLES]
PEOPLE = (*policy.ROLES, "pending")
WALL = Identity("wall", "wall", "wall", "wall")
ORIGIN = {"origin": "http://testserver"}


class Desk:
    """Everybody's secret is the name of their role."""

    async def session(self, secret: str) -> Identity | None:
        return Identity("account", secret, secret, secret) if secret in PEOPLE else None

    async def wall(self, secret: str) -> Identity | None:
        return WALL if secret == "wall" else None

    async def token(self, secret: str, address: str) -> Identity | None:
        return Identity("token", secret, secret, secret) if secret in ("source", "token_read", "system") else None


async def passed(request: Request) -> PlainTextResponse:
    assert access.current() == request.scope["state"]["identity"]
    return PlainTextResponse("passed " + request.scope["state"]["identity"].role)


async def greeted(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.scope["state"]["identity"].role)
    await socket.close()


def guarded() -> Access:
    everything = [Route("/{path:path}", passed, methods=METHODS), WebSocketRoute("/{path:path}", greeted)]
    return Access(Starlette(routes=everything), Desk(), scripts=lambda: ["'sha256-x'"])


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(guarded())
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as made:
        yield made


def proof(role: str) -> dict[str, str]:
    if role == "anonymous":
        return {}
    if role == "wall":
        return {"cookie": f"{WALL_COOKIE}=wall"}
    return {"cookie": f"{COOKIE}={role}"} if role in PEOPLE else {"authorization": f"Bearer {role}"}


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_gets_the_answer_of_the_table(client: httpx.AsyncClient, role: str) -> None:
    identity = ANONYMOUS if role == "anonymous" else Identity("account", role, role, role)
    for path in PATHS:
        for method in METHODS:
            response = await client.request(method, path, headers=proof(role) | ORIGIN)
            # httpx takes `..` out of a path before it is sent
            admitted = policy.admits(identity, method, response.request.url.path)
            assert (response.status_code == 200) == admitted, (role, method, path, response.status_code)
            if not admitted:
                refused = {
                    "anonymous": (303, 401),
                    "wall": (303, 403, 404),
                    "pending": (303, 403, 404),
                }.get(role, (403, 404))
                assert response.status_code in refused


async def test_what_a_revoked_wall_still_fetches_leads_nowhere(client: httpx.AsyncClient) -> None:
    cookies = {"cookie": f"{WALL_COOKIE}=ended"}
    page = await client.get("/wall", headers=cookies)
    assert (page.status_code, page.headers["location"]) == (303, "/pair")
    pictures = await client.get("/video/wall?page=wall", headers=cookies)
    assert pictures.status_code == 401, "followed, it would give the screen a new claim, and it never says why it ended"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", SOCKETS)
async def test_websockets_get_the_answer_of_the_table(role: str, path: str) -> None:
    admitted = role != "anonymous" and policy.admits(Identity("account", role, role, role), "WS", path)
    assert (await said(path, proof(role) | ORIGIN) == role) == admitted


async def said(path: str, headers: dict[str, str]) -> str:
    """What the socket behind the gate says, or nothing when it is refused."""
    try:
        async with connected(guarded(), path, headers) as socket:
            return await socket.text()
    except Closed:
        return ""


@given(st.text(max_size=40), st.sampled_from([*METHODS, "WS", "TRACE", "", "*"]))
def test_what_is_not_in_the_table_is_nobodys(path: str, method: str) -> None:
    permission = policy.permission_for(method, "/" + path)
    for role in ROLES:
        admitted = policy.admits(Identity("account", role=role), method, "/" + path)
        assert admitted == (permission is not None and role in policy.POLICY[permission])


@pytest.mark.parametrize("origin", ["", "http://evil.example", "null", "https://testserver.evil.example", "testserver"])
async def test_a_cookie_changes_nothing_when_another_page_sends_it(client: httpx.AsyncClient, origin: str) -> None:
    headers = proof("operator") | ({"origin": origin} if origin else {})
    response = await client.post("/signout", headers=headers)
    assert response.status_code == 403
    assert response.json()["code"] == "signin.origin"


async def test_a_browser_without_origin_is_believed_only_for_the_same_origin(client: httpx.AsyncClient) -> None:
    for site, status in (("same-origin", 200), ("same-site", 403), ("cross-site", 403), ("none", 403)):
        response = await client.post("/signout", headers=proof("operator") | {"sec-fetch-site": site})
        assert response.status_code == status


async def test_a_token_needs_no_origin(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/reports", headers=proof("source"))).status_code == 200


async def test_a_wrong_token_is_not_made_good_by_a_cookie(client: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer wrong", "cookie": f"{COOKIE}=operator"}
    assert (await client.get("/api/v1/incidents", headers=headers)).status_code == 401


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {}])
async def test_a_socket_of_another_page_is_refused(headers: dict[str, str]) -> None:
    assert not await said("/live", proof("operator") | headers)


async def test_a_socket_with_a_token_needs_no_origin_but_a_right_one() -> None:
    assert await said("/api/v1/reports/stream", proof("source")) == "source"
    assert not await said("/api/v1/reports/stream", proof("source") | {"origin": "http://evil.example"})


async def test_a_browser_is_sent_to_sign_in_and_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/desk?lang=en&a=b", headers={"accept": "text/html"})
    assert response.status_code == 303
    assert response.headers["location"] == "/signin?next=%2Fdesk%3Flang%3Den%26a%3Db"


async def test_a_program_is_told_how_to_prove_itself(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/incidents")
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["text"]["zh"]


async def test_nobody_learns_which_paths_exist_without_signing_in(client: httpx.AsyncClient) -> None:
    there, nowhere = [await client.get(path) for path in ("/api/v1/journal", "/api/v1/nowhere")]
    assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)


@given(st.text(max_size=60))
def test_next_never_leaves_the_server(path: str) -> None:
    kept = safe_next(path)
    assert kept.startswith("/") and not kept.startswith("//") and "\\" not in kept


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil", "javascript:x", "/signin", "", "/\r\nx"]
)
def test_a_next_that_leads_away_is_dropped(path: str) -> None:
    assert safe_next(path) == "/"


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for response in [await client.get("/healthz"), await client.get("/wall"), await client.get("/api/v1/journal")]:
        policy_header = response.headers["content-security-policy"]
        assert "unsafe-eval" not in policy_header
        assert "'unsafe-inline'" not in policy_header.partition("style-src")[0]
        assert "http" not in policy_header
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in response.headers
        assert response.headers["cache-control"] == "no-store"


async def test_tls_is_remembered() -> None:
    transport = httpx.ASGITransport(guarded())
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        assert "strict-transport-security" in (await client.get("/healthz")).headers


async def test_a_body_without_end_is_cut_off(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 65_536

    async def reads(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    transport = httpx.ASGITransport(Access(reads, Desk(), scripts=list))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as cut:
        response = await cut.post("/signout", content=endless(), headers=proof("operator") | ORIGIN)
    assert response.status_code == 413


async def test_a_body_too_large_is_answered_once_and_as_such() -> None:
    app = FastAPI()

    @app.post("/signout")
    async def takes(name: Annotated[str, Form()] = "") -> str:
        return name

    sent: list[dict[str, Any]] = []
    asked = {
        "type": "http", "method": "POST", "path": "/signout", "query_string": b"", "scheme": "http", "root_path": "",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"host", b"testserver")]
        + [(name.encode(), value.encode()) for name, value in (proof("operator") | ORIGIN).items()],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"name=" + b"x" * 1_200_000, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await Access(app, Desk(), scripts=list)(asked, receive, send)
    assert [one["status"] for one in sent if one["type"] == "http.response.start"] == [413]
    assert b"too_large" in sent[-1]["body"]


async def test_an_unreadable_cookie_is_no_cookie(client: httpx.AsyncClient) -> None:
    response = await client.get("/wall", headers={"cookie": f'{COOKIE}="\x7f; ;;=;{COOKIE}'})
    assert response.status_code == 303


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/api/v1/incidents", {"authorization": "Bearer nobody"}, 401, "token_wrong"),
        ("/api/v1/incidents", {"authorization": "bearer"}, 401, "token_wrong"),
        ("/wall", {"authorization": "Bearer source"}, 403, "token_not_allowed"),
        ("/api/v1/incidents", {"authorization": "Bearer source"}, 403, "token_not_allowed"),
        ("/api/v1/incidents", {}, 401, "sign_in"),
        ("/api/v1/incidents", {"cookie": f"{COOKIE}=nobody"}, 401, "sign_in"),
    ],
)
async def test_programs_are_told_what_is_wrong_in_both_languages(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    response = await client.get(path, headers=headers)
    told = response.json()
    assert (response.status_code, told["code"], set(told["text"])) == (status, code, {"zh", "en"})
    assert told["text"]["zh"] != told["text"]["en"] and told["params"] == {}
