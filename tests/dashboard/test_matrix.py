"""The matrix of rights, generated from the table and from what the program serves: no route, page, callback, socket or
live topic without a line, everybody gets the answer of the table, and nothing outside a jurisdiction can be told from
what is not there.
"""

import difflib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import pytest_asyncio
from fastapi import Request

from config import clock
from dashboard import policy_table
from dashboard.access import FOR_PROGRAMS, Access
from dashboard.pages import withheld
from dashboard.panels import PAGES as BUILT
from dashboard.uploads import Uploads
from operations import accounts, limits, policy, search
from operations.errors import NotFound
from operations.orders.dispatch import OrderDraft, Wanted
from operations.policy import CALLBACKS, PAGES, POLICY, ROUTES, SYSTEM, Identity, admits
from operations.scope import WHOLE, Scope
from tests.dashboard.conftest import COUNTY, PASSWORD, TOWNS
from tests.dashboard.everybody import (
    HERE,
    STATES,
    Answer,
    Headers,
    Once,
    World,
    ask,
    call,
    callbacks,
    every_route,
    identity,
    world,
)
from tests.dashboard.wire import Closed, connected
from tests.operations.desk import COMMANDER, LEAVES, refusal, report
from tests.operations.order_story import orders_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HUMANS = (*policy.ROLES, "pending")
EVERYONE = (*HUMANS, "wall", "source", "token_read", "anonymous")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(sqlite_template: Path, valkey_server: str) -> AsyncIterator[World]:
    async with world(sqlite_template, valkey_server) as made:
        yield made


def people() -> Iterator[tuple[str, Scope]]:
    """Every role, with the whole city and with one town where it can have one."""
    for role in EVERYONE:
        yield role, WHOLE
        if role in (*policy.PEOPLE, "wall", "token_read"):
            yield role, HERE


# ---- nothing is left out of the table, and nothing stands in it for nothing ----


async def test_what_the_program_serves_and_what_the_table_says_are_the_same(city: World) -> None:
    served = every_route(city.server)
    without = [("POST", f"/wall/{lang}/_dash-update-component") for lang in ("en", "zh")]  # a wall changes nothing
    assert [one for one in served if policy.permission_for(*one) is None] == without
    for line in ROUTES:
        for method in line.methods.split():
            for part in line.path.split("|") if "(" not in line.path else [line.path]:
                assert any(way == method and re.fullmatch(part, path) for way, path in served), (method, part)
    assert set(BUILT) == set(PAGES) == set(city.server.pages.names)
    assert {line.action for line in ROUTES} | set(PAGES.values()) | {line.action for line in CALLBACKS} <= POLICY.keys()


async def test_every_callback_has_a_line_and_every_line_a_callback(city: World) -> None:
    called = callbacks(city.server)
    assert called == callbacks(city.server, "en")
    assert [one for one in called if policy.actions_for(*one) is None] == []
    used = {_line(page, one) for page, key in called for one in policy.outputs_of(key)}
    assert [line for line in CALLBACKS if line not in used] == []


def _line(page: str, output: str) -> policy.Callback | None:
    fits = (line for line in CALLBACKS if re.fullmatch(line.page, page) and re.fullmatch(line.output, output))
    return next(fits, None)


# ---- the door: every route × everybody × signed in, expired, revoked ----


async def passed(scope: Any, receive: Any, send: Any) -> None:
    """The application behind the gate: it says that one came through."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"passed"})


async def test_everybody_gets_the_answer_of_the_table_at_every_route(city: World) -> None:
    door = Access(passed, Once(city.server.parts.gate), scripts=list)
    for role, scope in people():
        for state in STATES if role in HUMANS else STATES[:1]:
            who = identity(role, scope) if state == "signed in" else identity("anonymous")
            for method, path in every_route(city.server):
                let_in = await _came_through(door, method, path, city.proof(role, scope, state))
                assert let_in == admits(who, method, path), (role, scope, state, method, path)


async def _came_through(door: Access, method: str, path: str, headers: Headers) -> bool:
    if method == "WS":
        with suppress(Closed):
            async with connected(door, path, headers):
                return True
        return False
    answer = await ask(door, method, path, headers)
    if answer.status != 299:
        assert answer.status in (303, 401, 403, 404), (method, path, answer.status)
        assert b"passed" not in answer.body
    return answer.status == 299


@pytest.mark.parametrize("role", ["token_read", "wall"])
async def test_a_revoked_token_or_wall_is_nobody(city: World, role: str) -> None:
    door = Access(passed, Once(city.server.parts.gate), scripts=list)
    for method, path in every_route(city.server):
        let_in = await _came_through(door, method, path, city.proof(role, WHOLE, "revoked"))
        assert let_in == admits(identity("anonymous"), method, path), (method, path)


async def test_what_changes_something_is_refused_to_another_page_everywhere(city: World) -> None:
    """Every route that is no GET, callbacks and uploads too, to a cookie with another page's origin, or with none."""
    door = Access(passed, Once(city.server.parts.gate), scripts=list)
    changing = [one for one in every_route(city.server) if one[0] not in ("GET", "HEAD", "WS")]
    assert len(changing) > 2 * len(PAGES)
    for role in (*HUMANS, "wall"):
        cookie = {"cookie": city.proof(role)["cookie"]}
        for method, path in changing:
            for origin in ({}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
                assert (await ask(door, method, path, cookie | origin)).status in (403, 404), (role, method, path)


async def test_who_is_let_in_is_served_and_who_is_not_learns_nothing(city: World) -> None:
    """The real application answers: never a fault; and a refusal says the same of every route of a kind."""
    for role, scope in people():
        refused: dict[tuple[str, int], bytes] = {}
        for method, path in every_route(city.server):
            if method != "GET" or "/en/" in path or path.startswith("/signin/oidc"):
                continue
            answer = await ask(city.server, method, path, city.proof(role, scope))
            if admits(identity(role, scope), method, path):
                assert answer.status in (200, 204, 303, 304, 400, 404, 422), (role, path, answer.status)
            elif answer.status != 303:
                assert (
                    refused.setdefault(
                        (f"{path.startswith(FOR_PROGRAMS)} {b'jurisdiction.city' in answer.body}", answer.status),
                        answer.body,
                    )
                    == answer.body
                )


# ---- live topics ----


@pytest.mark.parametrize("page", [*PAGES, "nowhere", ""])
async def test_a_live_topic_is_for_who_may_open_its_page(city: World, page: str) -> None:
    for role, scope in people():
        for state in STATES if role in HUMANS else STATES[:1]:
            may = state == "signed in" and policy.allowed(identity(role, scope), "live.watch")
            may = may and policy.allowed(identity(role, scope), PAGES.get(page, ""))
            assert await _watches(city, page, city.proof(role, scope, state)) == may, (role, scope, state)


async def _watches(city: World, page: str, headers: Headers) -> bool:
    with suppress(Closed):
        async with connected(city.server, f"/live?page={page}", headers) as wire:
            return "hello" in await wire.json()
    return False


# ---- callbacks ----


async def test_a_callback_is_for_who_holds_its_actions_and_its_page(city: World) -> None:
    for role, scope in people():
        if role not in (*policy.ROLES, "wall"):
            continue
        who, refusals = identity(role, scope), set()
        for page, key in callbacks(city.server):
            wanted = policy.actions_for(page, key) or frozenset()
            may = all(policy.allowed(who, action) for action in wanted)
            assert (_withheld(city, page, key, who) is None) == may, (role, page, key)
            if policy.allowed(who, PAGES[page]) and not may:
                address, body = call(page, key, {}, changedPropIds=["somebody.n_clicks"])
                refusals.add(await ask(city.server, "POST", address, city.proof(role, scope), body))
        absent = [page for page in PAGES if page != "wall" and policy.allowed(who, PAGES[page])]
        for page in absent[:1]:
            address, body = call(page, "nothing.data", {}, changedPropIds=["somebody.n_clicks"])
            refusals.add(await ask(city.server, "POST", address, city.proof(role, scope), body))
        assert {one.status for one in refusals} <= {403} and len(refusals) <= 1


def _withheld(city: World, page: str, key: str, who: Identity) -> Any:
    asked = Request(
        {"type": "http", "path": "/", "headers": [], "client": ("127.0.0.1", 1), "state": {"identity": who}}
    )
    return withheld(city.server.pages.app(page, "zh"), {"output": key}, asked)


async def test_a_locked_desk_is_told_so_by_every_callback_it_might_else_send(city: World) -> None:
    for role in policy.PEOPLE + policy.ADMINISTRATORS:
        locked = Identity("account", role, role, role, locked=True)
        for page, key in callbacks(city.server):
            refused, held = _withheld(city, page, key, locked), _withheld(city, page, key, identity(role))
            if held is None and not (policy.actions_for(page, key) or set()) <= policy.WHILE_LOCKED:
                assert refused.status_code == 423 and orjson.loads(refused.body)["code"] == "locked"
            elif held is not None:
                assert refused.status_code == 403


# ---- inside, outside, absent ----

ABSENT, OTHER = "01900000-0000-7000-8000-000000000000", "01900000-0000-7000-8000-000000000001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(city: World) -> tuple[str, str]:
    """The ids of an incident inside the town and of one outside."""
    city.desk.send(report("in", grid_code=LEAVES[0]), report("out", grid_code=LEAVES[2]))
    await city.folded()
    found = {one.report_id: one.id for one in city.desk.board().incidents.values()}
    return found["in"], found["out"]


def objects(one: str) -> Iterator[tuple[str, str, bytes]]:
    """Every request that names an incident, a warning, a grid's card or something in quarantine."""
    yield "GET", f"/api/v1/incidents/{one}", b""
    yield "GET", f"/api/v1/orders/{one}", b""
    yield "GET", f"/api/v1/orders?state=all&incident={one}", b""
    yield "POST", *call("desk", "desk-drawer-body.children", {"desk-open.data": {"id": one}})
    yield "POST", *call("desk", "desk-warning-told.children", {"desk-warning-open.data": {"id": one}})
    commands: dict[str, dict[str, object]] = {
        "acknowledge": {}, "note": {"text": "some note"}, "urgency": {"urgency": "urgent"}, "reopen": {"text": "again"},
        "close": {"result": "resolved", "text": "done"}, "place": {"grid": LEAVES[0]}, "reveal": {"reason": "a reason"},
        "distinct": {"others": [OTHER]},
    }  # fmt: skip
    for action, more in commands.items():
        asked = {"serial": 1, "action": action, "id": one, "revision": 1, **more}
        yield "POST", *call("desk", "desk-answer.data", {"desk-command.data": asked})
    wanted = {"serial": 1, "action": "read", "id": one, "reason": "a reason"}
    yield "POST", *call("quarantine", "desk-answer.data", {"desk-command.data": wanted})
    yield "GET", f"/api/v1/incidents?state=all&grid={one}", b""


SCOPED = [(role, HERE) for role in ("operator", "duty_commander", "leader", "liaison", "token_read")]


@pytest.mark.parametrize(("role", "scope"), SCOPED, ids=[role for role, _ in SCOPED])
async def test_outside_and_absent_are_the_same_answer(
    city: World, two: tuple[str, str], role: str, scope: Scope
) -> None:
    headers = city.proof(role, scope)
    for outside, absent in zip(objects(two[1]), objects(ABSENT), strict=True):
        first, second = [await ask(city.server, one[0], one[1], headers, one[2]) for one in (outside, absent)]
        assert _plain(first) == _plain(second), outside
        assert first.status != 500, outside
    mine = await ask(city.server, "GET", f"/api/v1/incidents/{two[0]}", headers)
    assert mine.status == 200 and orjson.loads(mine.body)["incident"]["id"] == two[0]


async def test_an_order_is_told_to_both_its_sides_and_to_nobody_else(city: World, two: tuple[str, str]) -> None:
    away = Wanted("department", "fire", "消防救援", "fire", "lead")
    here = Wanted("team", "t1", "一中队", "fire", "lead", grid=LEAVES[0])
    drafts = [OrderDraft(title="交办", text="请处置", recipients=(one,), incident=two[1]) for one in (away, here)]
    sent = [orders_of(city.desk).send(COMMANDER, one).id for one in drafts]
    await city.folded()
    readers = [("operator", HERE), ("liaison", HERE), ("operator", Scope()), ("leader", Scope())]
    told = [
        [await ask(city.server, "GET", f"/api/v1/orders/{one}", city.proof(*reader)) for reader in readers]
        for one in sent
    ]
    assert [[one.status for one in row] for row in told] == [[404, 404, 200, 200], [200] * 4]
    assert ["请处置".encode() in one.body for one in told[1]] == [True, True, True, False]
    listed = await ask(city.server, "GET", "/api/v1/orders?department=fire", city.proof("token_read", HERE))
    assert [one["id"] for one in orjson.loads(listed.body)["orders"]] == [sent[1]]


async def test_a_search_by_a_program_finds_in_its_scope_and_at_a_pace(
    city: World, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    while search.step(city.desk.database):
        pass
    title = next(one.title for one in city.desk.board().incidents.values() if one.id == two[0])
    query = f"/api/v1/search?q={quote(title)}"

    async def cases(headers: Headers) -> set[str]:
        answer = await ask(city.server, "GET", query, headers)
        assert answer.status == 200
        assert orjson.loads(answer.body)["staff"] == [], "a token reads no directory"
        return {one["id"] for one in orjson.loads(answer.body)["cases"]}

    assert await cases(city.proof("token_read", HERE)) == {two[0]}
    assert two[0] in await cases(city.proof("token_read"))
    refused = [await ask(city.server, "GET", query, city.proof(role)) for role in ("system_admin", "grid_worker")]
    assert [one.status for one in refused] == [403, 403]
    for wrong in ("/api/v1/search", "/api/v1/search?q=", "/api/v1/search?q=a&limit=26", f"/api/v1/search?q={'a' * 81}"):
        assert (await ask(city.server, "GET", wrong, city.proof("token_read"))).status == 422
    monkeypatch.setattr(limits, "SEARCH", limits.Limit("search.test", "", "", 2, 60))
    paced = [await ask(city.server, "GET", query, city.proof("operator")) for _ in range(3)]
    assert [one.status for one in paced] == [200, 200, 429]


def _plain(answer: Answer) -> Answer:
    """An answer without the time of asking."""
    return answer._replace(body=re.sub(rb'"(as_of|until|since)":\d+', b"", answer.body))


# ---- nothing that goes on elsewhere changes what a town is told ----

LISTS = (
    "/api/v1/incidents?state=all", "/api/v1/incidents?state=all&limit=1", "/api/v1/incidents?state=closed",
    "/api/v1/incidents?source=hotline", "/api/v1/orders?state=all", "/api/v1/heat",
    "/api/v1/heat?window=open", "/api/v1/heat?window=7d",
    "/api/v1/heat/areas?window=24h", "/api/v1/heat/areas?window=open&level=1", "/api/v1/heat/areas.csv?lang=zh",
    "/api/v1/heat/areas.csv?lang=en&level=1&window=7d", "/api/v1/journal", "/api/v1/journal?limit=1",
    "/api/v1/quarantine", "/metrics", "/readyz", "/healthz", "/api/openapi.json", "/api/docs", "/api/v1/grids/about",
    "/desk/zh/_dash-layout", "/wall/zh/_dash-layout", "/heat/zh/_dash-layout", "/quarantine", "/nowhere",
)  # fmt: skip


def asked_of_pages(mine: str) -> Iterator[tuple[str, bytes]]:
    yield call("desk", "desk-facts.data", {"desk-start.data": "zh"})
    yield call("desk", "desk-drawer-body.children", {"desk-open.data": {"id": mine}})
    for code in (*TOWNS, COUNTY, "absent"):
        yield call("desk", "desk-gridcard-body.children", {"desk-gridcard-asked.data": {"code": code}})


PICTURES = ("desk", "wall", "heat", "orders")


async def told(city: World, role: str, mine: str) -> dict[str, Answer]:
    """Everything that one role of the town is told: lists, counts, files, pages, and the screens' first pictures."""
    headers = city.proof(role, HERE)
    found = {one: await ask(city.server, "GET", one, headers) for one in LISTS}
    found |= {body.decode(): await ask(city.server, "POST", path, headers, body) for path, body in asked_of_pages(mine)}
    city.server.parts.hub._drawn.clear()  # pictures are drawn whole, not from what an earlier moment left
    for page in PICTURES if policy.allowed(identity(role), "live.watch") else ():
        if not policy.allowed(identity(role), policy.PAGES[page]):
            continue
        async with connected(city.server, f"/live?page={page}", headers) as wire:
            await wire.json()
            picture = await wire.json()
            found[f"live {page}"] = Answer(200, (), orjson.dumps({**picture, "n": 0}))
    return found


@pytest.mark.parametrize("role", ["operator", "duty_commander", "leader", "liaison", "grid_worker", "token_read"])
async def test_nothing_that_goes_on_elsewhere_is_told(
    city: World, two: tuple[str, str], role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = city.desk.tick()
    monkeypatch.setattr(clock, "now", lambda: moment)
    for looked in ("_read_at", "_measured_at"):  # how old a picture is, is everybody's to know
        monkeypatch.setattr(city.server.parts.hub, looked, moment)
    await elsewhere(city, f"{role}-first", moment)
    before = await told(city, role, two[0])
    await elsewhere(city, f"{role}-then", moment)
    after = await told(city, role, two[0])
    assert {one: _changed(before[one], after[one]) for one in before if _plain(before[one]) != _plain(after[one])} == {}
    assert not any(role.encode() + b"-" in one.body for one in after.values())
    whole = await ask(city.server, "GET", LISTS[0], city.proof("operator"))
    assert f"{role}-then".encode() in whole.body


def _changed(one: Answer, other: Answer) -> list[str]:
    """What differs between two answers, to be read when the test fails."""
    parts = [re.split(r"(?<=[,{}])", _plain(answer).body.decode()) for answer in (one, other)]
    return [line for line in difflib.unified_diff(*parts, n=1, lineterm="")][:20]


async def elsewhere(city: World, name: str, moment: int) -> None:
    """Let reports come, be worked on and be set aside outside the town, and an account be made."""
    city.desk.now = moment
    city.desk.send(
        report(name, grid_code=LEAVES[2], urgency="critical"), report(f"{name}-nowhere", grid_code="", urgency="urgent")
    )
    city.desk.send(refusal(raw=name.encode()))
    city.desk.commands.acknowledge(COMMANDER, *_named(city, name))
    city.desk.commands.close(COMMANDER, *_named(city, name), "resolved")
    accounts.add(city.database, SYSTEM, name, "operator", now=moment, password=PASSWORD)
    await city.folded()


def _named(city: World, report_id: str) -> tuple[str, int]:
    one = next(one for one in city.desk.board().incidents.values() if one.report_id == report_id)
    return one.id, one.revision


async def test_an_upload_and_what_was_taken_out_are_their_owners_alone(city: World) -> None:
    """Somebody else's file, and one that is not there, are the same; no jurisdiction can open quarantine."""
    owner, other = city.proof("system_admin"), city.proof("security_admin")
    sent = await ask(city.server, "POST", "/uploads/table?name=a.csv", owner, b"id,title\n1,a\n")
    assert sent.status == 200 and (await ask(city.server, "POST", "/uploads/table?name=a", other)).status == 403
    upload, uploads = orjson.loads(sent.body)["id"], Uploads(city.server.parts.settings.data / "uploads")
    assert uploads.find(upload, Identity("account", name="system_admin", role="system_admin"))[0].id == upload
    for asked in (upload, "0" * 32, "../" + upload):
        with pytest.raises(NotFound) as refused:
            uploads.find(asked if asked != upload else upload, Identity("account", name="li", role="system_admin"))
        assert refused.value.params == {}
    for role in ("operator", "duty_commander"):
        page, listed = [
            await ask(city.server, "GET", one, city.proof(role, HERE)) for one in ("/quarantine", "/api/v1/quarantine")
        ]
        assert page.status == listed.status == 403 and b"total" not in listed.body


async def test_what_is_refused_says_ones_own_jurisdiction_in_both_languages(city: World, two: tuple[str, str]) -> None:
    headers = city.proof("operator", HERE)
    for path in (
        f"/api/v1/incidents/{two[1]}",
        f"/api/v1/incidents/{ABSENT}",
        "/api/v1/quarantine",
        "/accounts",
        "/nowhere",
    ):
        said = orjson.loads((await ask(city.server, "GET", path, headers | {"accept": "application/json"})).body)[
            "text"
        ]
        assert f"你的管辖范围：grid {TOWNS[0]}" in said["zh"], path
        assert f"Your jurisdiction: grid {TOWNS[0]}" in said["en"], path
        assert "请联系安全管理员" in said["zh"] and "ask the security administrator" in said["en"]
    address, body = call("desk", "desk-drawer-body.children", {"desk-open.data": {"id": two[1]}})
    assert f"你的管辖范围：grid {TOWNS[0]}".encode() in (await ask(city.server, "POST", address, headers, body)).body
    page = await ask(city.server, "GET", "/quarantine", headers | {"accept": "text/html"})
    assert page.status == 403 and "只有管辖全市的账号可看".encode() in page.body


async def test_the_table_in_the_documentation_is_the_programs() -> None:
    """Write it anew with `python -m dashboard.policy_table`."""
    assert policy_table.filled(policy_table.PAGE.read_text("utf-8")) == policy_table.PAGE.read_text("utf-8")
