"""The HTTP API: reports in, incidents, grids, heat and journal out, each bounded and inside the asker's scope."""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
import sqlalchemy as sa

from config import clock
from dashboard import api_health
from dashboard.server import Server
from operations.database import Database
from operations.policy import ROLES
from operations.scope import Scope
from operations.tables import quarantine
from streams.demo import city
from tests.dashboard.conftest import COUNTY, TOWNS, Proof
from tests.dashboard.test_live import draft, move, opened, write
from tests.dashboard.wire import connected

REPORT = {"id": "r1", "revision": "1", "type": "0304", "title": "路灯不亮", "occurred_at": "2026-11-22T10:00:00+08:00"}
CHAINS = [(COUNTY, town) for town in TOWNS]


async def folded(server: Server, database: Database) -> None:
    """Wait until the hub has folded all there is."""
    await server.parts.hub._flush()


# ---- reports ----


async def test_a_report_is_accepted_once_it_is_on_disk(client: httpx.AsyncClient, proof: Proof) -> None:
    response = await client.post("/api/v1/reports", json=[REPORT, {"id": "bad"}], headers=proof("source"))
    assert response.status_code == 202, response.text
    answer = response.json()
    assert answer["accepted"] == 1 and answer["quarantined"][0]["index"] == 1


async def test_a_request_without_end_is_cut_off_at_its_bound(client: httpx.AsyncClient, proof: Proof) -> None:
    headers = proof("source") | {"content-type": "application/json"}
    response = await client.post("/api/v1/reports", content=b" " * (9 * 1024 * 1024), headers=headers)
    assert response.status_code == 413


@pytest.mark.parametrize("role", ["anonymous", "operator", "token_read"])
async def test_only_sources_send(client: httpx.AsyncClient, proof: Proof, role: str) -> None:
    headers = {} if role == "anonymous" else proof(role)
    response = await client.post("/api/v1/reports", json=REPORT, headers=headers)
    assert response.status_code == (401 if role == "anonymous" else 403)


async def test_the_stream_acknowledges_by_id(server: Server, proof: Proof) -> None:
    async with connected(server, "/api/v1/reports/stream", proof("source")) as wire:
        wire.send({"id": 7, "report": REPORT})
        answer = await wire.json()
        assert (answer["ack"], answer["accepted"]) == (7, 1)
        wire.send({"id": 8})
        assert (await wire.json())["nack"] == 8


async def test_a_switched_off_source_is_told(server: Server, client: httpx.AsyncClient, proof: Proof) -> None:
    from operations import sources
    from operations.policy import SYSTEM

    headers = proof("source")
    off = sources.Source("s1", "Test", enabled=False)
    sources.change(server.parts.database, SYSTEM, off, now=clock.now())
    assert (await client.post("/api/v1/reports", json=REPORT, headers=headers)).status_code == 401


# ---- incidents ----


@pytest.fixture
async def twenty(server: Server, database: Database) -> None:
    now = clock.now()
    write(database, *(opened(f"{at:032x}", CHAINS[at % 2], now + at) for at in range(20)))
    await folded(server, database)


async def test_incidents_come_page_by_page_newest_first(client: httpx.AsyncClient, proof: Proof, twenty: None) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        answer = await client.get(f"/api/v1/incidents?limit=7&cursor={cursor}", headers=proof("operator"))
        found += [one["id"] for one in answer.json()["incidents"]]
        cursor = answer.json()["next"]
        if cursor is None:
            break
    assert found == [f"{at:032x}" for at in reversed(range(20))]


async def test_a_scope_sees_its_own_and_no_seq(client: httpx.AsyncClient, proof: Proof, twenty: None) -> None:
    headers = proof("operator", Scope(TOWNS[0]))
    answer = (await client.get("/api/v1/incidents", headers=headers)).json()
    assert len(answer["incidents"]) == 10 and answer["seq"] == 0
    assert all(TOWNS[0] in one["chain"] for one in answer["incidents"])
    asked = f"/api/v1/incidents?grid={TOWNS[1]}"
    assert (await client.get(asked, headers=headers)).json()["incidents"] == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "state=x", "urgency=x", "type=abc", "cursor=%00", "received_since=-1",
     "grid=" + "1" * 41],
)  # fmt: skip
async def test_a_wrong_parameter_is_refused(client: httpx.AsyncClient, proof: Proof, query: str) -> None:
    response = await client.get(f"/api/v1/incidents?{query}", headers=proof("operator"))
    assert response.status_code == 422
    problem = response.json()
    (name,) = problem["params"]
    assert problem["code"] == "refused.parameter" and query.startswith(name)
    assert set(problem["text"]) == {"zh", "en"} and all(name in text for text in problem["text"].values())


@pytest.mark.parametrize("query,count", [("type=01", 20), ("type=02", 0), ("department=street", 20), ("source=x", 0),
                                         ("state=closed", 0), ("urgency=critical", 0)])  # fmt: skip
async def test_filters(client: httpx.AsyncClient, proof: Proof, twenty: None, query: str, count: int) -> None:
    answer = (await client.get(f"/api/v1/incidents?{query}", headers=proof("token_read"))).json()
    assert len(answer["incidents"]) == count


async def test_what_has_no_place_is_no_metres_from_anywhere(
    server: Server, database: Database, client: httpx.AsyncClient, proof: Proof
) -> None:
    nowhere, border, found = f"{1:032x}", f"{2:032x}", clock.now()
    unplaced = {"grid": "", "chain": (), "distance_m": 0.0}
    at_the_border = {"lon": 120.5, "lat": 30.5, "nearest": TOWNS[0]}
    write(database, opened(nowhere, CHAINS[0], found), opened(border, CHAINS[0], found))
    write(database, draft("incident.placed", nowhere, CHAINS[0], (), unplaced, found))
    write(database, draft("incident.placed", border, CHAINS[0], (), unplaced | at_the_border, found))
    await folded(server, database)
    listed = (await client.get("/api/v1/incidents", headers=proof("operator"))).json()["incidents"]
    assert [(one["lon"], one["distance_m"]) for one in listed] == [(120.5, 0.0), (None, None)]


async def test_absent_and_not_yours_are_the_same_answer(client: httpx.AsyncClient, proof: Proof, twenty: None) -> None:
    headers = proof("operator", Scope(TOWNS[0]))
    absent = await client.get(f"/api/v1/incidents/{99:032x}", headers=headers)
    not_yours = await client.get(f"/api/v1/incidents/{1:032x}", headers=headers)
    assert (absent.status_code, absent.content) == (not_yours.status_code, not_yours.content)
    assert absent.status_code == 404


# ---- quarantine ----


def set_aside(database: Database, count: int) -> None:
    """Put items into quarantine, the newest first by their ids."""
    row = {"source": "s1", "reason": "malformed_json", "sealed": b"", "state": "open"}
    with database.write() as transaction:
        rows = [{**row, "id": f"{number:032x}", "at": number} for number in range(count)]
        transaction.connection.execute(sa.insert(quarantine), rows)


async def test_quarantine_comes_page_by_page_newest_first_with_its_total(
    client: httpx.AsyncClient, database: Database, proof: Proof
) -> None:
    set_aside(database, 250)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await client.get(f"/api/v1/quarantine?limit=120&cursor={cursor}", headers=proof("operator"))
        assert (answer.status_code, answer.json()["total"]) == (200, 250)
        assert "sealed" not in answer.json()["items"][0]
        found += [one["id"] for one in answer.json()["items"]]
        cursor = answer.json()["next"]
    assert found == [f"{number:032x}" for number in reversed(range(250))]


@pytest.mark.parametrize("query", ["limit=201", "limit=0", "state=x", "cursor=x"])
async def test_a_wrong_page_of_quarantine_is_refused(client: httpx.AsyncClient, proof: Proof, query: str) -> None:
    assert (await client.get(f"/api/v1/quarantine?{query}", headers=proof("operator"))).status_code == 422


async def test_quarantine_is_the_whole_citys(client: httpx.AsyncClient, database: Database, proof: Proof) -> None:
    set_aside(database, 1)
    scoped = await client.get("/api/v1/quarantine", headers=proof("operator", Scope(TOWNS[0])))
    assert scoped.status_code == 403 and "total" not in scoped.json()
    assert (await client.get("/api/v1/quarantine", headers=proof("leader"))).status_code == 403


# ---- grids and heat ----


async def test_a_point_has_one_owner(client: httpx.AsyncClient, proof: Proof) -> None:
    headers = proof("operator")
    inside = (await client.get("/api/v1/grids/locate?lon=120.005&lat=30.005", headers=headers)).json()
    assert (inside["code"], inside["chain"]) == (TOWNS[0], [COUNTY, TOWNS[0]])
    outside = (await client.get("/api/v1/grids/locate?lon=120.03&lat=30.005", headers=headers)).json()
    assert outside["code"] == "" and outside["nearest"] == TOWNS[1] and 900 < outside["distance_m"] < 1_100
    shifted = (await client.get("/api/v1/grids/locate?lon=120.005&lat=30.005&datum=GCJ02", headers=headers)).json()
    assert shifted["lon"] != inside["lon"]


@pytest.mark.parametrize(
    "query", ["", "lon=nan&lat=1", "lon=inf&lat=1", "lon=181&lat=1", "lon=1&lat=91", "lon=1&lat=1&datum=x"]
)
async def test_what_is_no_point_is_refused(client: httpx.AsyncClient, proof: Proof, query: str) -> None:
    assert (await client.get(f"/api/v1/grids/locate?{query}", headers=proof("operator"))).status_code == 422


async def test_backdrop_is_what_the_city_put_there(server: Server, client: httpx.AsyncClient, proof: Proof) -> None:
    assert (await client.get("/api/v1/grids/backdrop", headers=proof("wall"))).json()["features"] == []
    drawn = city.backdrop(city.build(grids=600))
    (server.parts.settings.data / "backdrop.geojson").write_bytes(drawn)
    assert (await client.get("/api/v1/grids/backdrop", headers=proof("wall"))).content == drawn


async def test_shapes_are_sent_once(client: httpx.AsyncClient, proof: Proof) -> None:
    headers = proof("wall") | {"accept-encoding": "gzip"}
    first = await client.get("/api/v1/grids/shapes?level=2&detail=0", headers=headers)
    assert first.headers["content-encoding"] == "gzip"
    assert {one["id"] for one in first.json()["features"]} == set(TOWNS)
    again = await client.get(
        "/api/v1/grids/shapes?level=2&detail=0", headers=headers | {"if-none-match": first.headers["etag"]}
    )
    assert again.status_code == 304 and again.content == b""
    plain = await client.get("/api/v1/grids/shapes", headers=proof("wall") | {"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and orjson.loads(plain.content)["features"]
    assert (await client.get("/api/v1/grids/shapes?level=9", headers=headers)).status_code == 404


async def test_shapes_of_a_window(client: httpx.AsyncClient, proof: Proof) -> None:
    headers = proof("wall")
    window = "/api/v1/grids/shapes?bbox=120.0,30.0,120.005,30.005"
    first = await client.get(window, headers=headers)
    assert {one["id"] for one in first.json()["features"]} == {TOWNS[0]}
    same = await client.get(window, headers=headers | {"if-none-match": first.headers["etag"]})
    assert same.status_code == 304
    plain = await client.get(window, headers=headers | {"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.json() == first.json()
    assert (await client.get(f"{window}&level=9", headers=headers)).status_code == 404
    assert (await client.get(f"{window}&kind=micro", headers=headers)).status_code == 404
    for wrong in ("1,2,3", "a,b,c,d", "3,2,1,4", "1,4,3,2", "1,2,3,91", "nan,1,2,3"):
        assert (await client.get(f"/api/v1/grids/shapes?bbox={wrong}", headers=headers)).status_code == 422, wrong
    assert (await client.get("/api/v1/grids/shapes?kind=micro", headers=headers)).status_code == 422
    told = (await client.get("/api/v1/grids/about", headers=headers)).json()
    assert (told["levels"], told["over"], told["base"]) == ([1, 2], {}, None)


async def test_heat_has_denominators_and_since_when(client: httpx.AsyncClient, proof: Proof, twenty: None) -> None:
    answer = (await client.get("/api/v1/heat?window=1h", headers=proof("operator"))).json()
    by_code = {one["code"]: one for one in answer["figures"]}
    assert by_code[COUNTY]["count"] == 20 and by_code[COUNTY]["basis"] == "rate"
    assert answer["as_of"] - answer["since"] == 3_600_000_000
    scoped = (await client.get("/api/v1/heat?window=1h", headers=proof("operator", Scope(TOWNS[0])))).json()
    assert {one["code"]: one["count"] for one in scoped["figures"]} == {TOWNS[0]: 10}


# ---- journal, health, description ----


async def test_the_journal_is_read_in_pieces_and_inside_the_scope(
    client: httpx.AsyncClient, proof: Proof, twenty: None, database: Database
) -> None:
    write(database, move(f"{0:032x}", CHAINS[0], CHAINS[1]))
    headers = proof("token_read")
    seqs: list[int] = []
    after = 0
    while True:
        answer = (await client.get(f"/api/v1/journal?after={after}&limit=9", headers=headers)).json()
        seqs += [one["seq"] for one in answer["entries"]]
        if answer["next"] == after:
            break
        after = answer["next"]
    assert seqs == list(range(1, len(seqs) + 1))
    scoped = (await client.get("/api/v1/journal", headers=proof("token_read", Scope(TOWNS[0])))).json()["entries"]
    assert len(scoped) == 11 and all(TOWNS[0] in one["scope_grid"] + one["scope_grid_before"] for one in scoped)


async def test_alive_ready_and_in_figures(server: Server, client: httpx.AsyncClient, proof: Proof) -> None:
    assert (await client.get("/healthz")).json() == {"ok": True}
    ready = await client.get("/readyz", headers=proof("system_admin"))
    assert ready.status_code == 200 and ready.json()["grids"]["count"] == 3
    for headers in ({}, proof("operator"), proof("source")):
        assert (await client.get("/readyz", headers=headers)).json() == {"ready": True, "missing": []}
    figures = (await client.get("/metrics", headers=proof("system_admin"))).text
    for name in (
        "journal_seq",
        "hub_lag_entries",
        "screens",
        "frames_total",
        "frames_skipped_total",
        "paint_age_seconds",
    ):
        assert f"gridwall_{name}" in figures
    assert (await client.get("/metrics")).status_code == 401


async def test_not_ready_says_what_is_missing(
    server: Server, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from operations import journal
    from operations.errors import DatabaseAway

    def away(*_: Any) -> Any:
        raise DatabaseAway

    monkeypatch.setattr(journal, "head", away)
    response = await client.get("/readyz")
    said = response.json()
    assert (response.status_code, set(said), said["missing"][0]) == (503, {"ready", "missing"}, "database")


async def test_a_disk_that_fills_up_is_named_while_reports_are_still_taken(
    client: httpx.AsyncClient, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_health, "LEAST_FREE", 2**62)
    response = await client.get("/readyz", headers=proof("token_read"))
    assert (response.status_code, response.json()["missing"]) == (200, ["disk"])
    assert response.json()["disk"]["free_mb"] > 0


async def test_an_engine_that_refuses_writes_is_not_ready(
    server: Server, client: httpx.AsyncClient, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> dict[str, int]:
        return {"maxmemory": 1_000, "used_memory": 1_001}

    monkeypatch.setattr(server.parts.port._client, "info", full)
    response = await client.get("/readyz", headers=proof("token_read"))
    assert (response.status_code, response.json()["missing"]) == (503, ["engine"])
    assert response.json()["engine"]["engine"] == "engine_full"


async def test_a_level_that_does_not_exist_is_told_as_that(client: httpx.AsyncClient, proof: Proof) -> None:
    response = await client.get("/api/v1/grids/shapes?level=9", headers=proof("operator"))
    assert (response.status_code, response.json()["code"]) == (404, "operations.no_level")
    assert response.json()["text"]["en"] == "There is no level 9; the deepest is 2."


async def test_the_description_needs_nothing_from_outside(client: httpx.AsyncClient, proof: Proof) -> None:
    page = await client.get("/api/docs", headers=proof("operator"))
    assert page.status_code == 200 and "<script" not in page.text and "//" not in page.text.replace("http://", "")
    described = (await client.get("/api/openapi.json", headers=proof("operator"))).json()
    assert set(described["paths"]) >= {"/api/v1/reports", "/api/v1/incidents", "/api/v1/journal", "/healthz"}


def values(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        for value in found.values():
            yield from values(value)
    elif isinstance(found, list):
        for value in found:
            yield from values(value)
    elif isinstance(found, str):
        yield found


async def test_every_reference_in_the_description_is_there(client: httpx.AsyncClient, proof: Proof) -> None:
    described = (await client.get("/api/openapi.json", headers=proof("operator"))).json()
    for value in values(described):
        if value.startswith("#/"):
            found = described
            for part in value[2:].split("/"):
                found = found[part]


async def test_desk_reports_go_through_the_same_intake(server: Server, proof: Proof) -> None:
    from operations.errors import Forbidden
    from operations.policy import Identity

    receipt = await server.parts.senders.register(Identity("account", "1", "a", "operator"), REPORT)
    assert receipt.accepted == 1
    for role in set(ROLES) - {"operator", "duty_commander", "grid_worker"}:
        with pytest.raises(Forbidden):
            await server.parts.senders.register(Identity("account", "1", "a", role), REPORT)
