"""The ranking over HTTP: the figures of `/heat`, past weeks from the incidents, scope, CSV, refusals."""

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa

from config import clock
from dashboard import heatbook
from dashboard.heatbook import Asked
from operations import tally
from operations.board import HOUR
from operations.database import Database
from operations.scope import WHOLE, Scope
from operations.tables import incident
from operations.tally import Span, Wanted
from tests.dashboard.conftest import COUNTY, TOWNS, Proof
from tests.dashboard.test_api import twenty

if TYPE_CHECKING:
    from dashboard.server import Server

__all__ = ["twenty"]
AREAS = "/api/v1/heat/areas"
WEEK = 7 * 24 * HOUR


def received(database: Database, *rows: tuple[int, str, str, str]) -> None:
    """Put incidents into the table: (received_at, town, type, department)."""
    with database.write() as transaction:
        for number, (at, town, type, department) in enumerate(rows):
            transaction.connection.execute(
                sa.insert(incident).values(
                    id=f"{at}-{number}", origin=f"{at}-{number}", path=f"{COUNTY}/{town}" if town else "", grid=town,
                    type=type, urgency="routine", department=department, received_at=at, body=b"{}", report=b"{}",
                )
            )  # fmt: skip


@pytest.mark.parametrize("window", ["15m", "1h", "24h", "7d", "open"])
@pytest.mark.parametrize("scope", [WHOLE, Scope(TOWNS[0])])
async def test_its_figures_are_those_of_the_heat(
    client: httpx.AsyncClient, proof: Proof, twenty: None, window: str, scope: Scope
) -> None:
    headers = proof("operator", scope)
    heat = (await client.get(f"/api/v1/heat?window={window}", headers=headers)).json()
    told = {one["code"]: one for one in heat["figures"]}
    seen = {}
    for level in (1, 2):
        for unit in ("count", "people"):
            query = f"{AREAS}?window={window}&level={level}&unit={unit}"
            found = (await client.get(query, headers=headers)).json()
            for one in found["areas"]:
                seen[one["code"]] = one
                same = told[one["code"]]
                assert (one["count"], one["population"]) == (same["count"], same["population"])
                if unit == "people" and same["basis"] == "rate":
                    assert one["value"] == pytest.approx(same["value"])
    assert seen.keys() == told.keys()


async def test_today_and_the_open_have_their_ways(client: httpx.AsyncClient, proof: Proof, twenty: None) -> None:
    today = (await client.get(f"{AREAS}?window=today", headers=proof("leader"))).json()
    assert today["since"] <= today["as_of"] == today["until"]
    now = (await client.get(f"{AREAS}?window=open&level=1", headers=proof("leader"))).json()
    assert (now["since"], now["weeks"], now["total"]) == (None, 0, 20)


async def test_past_weeks_are_counted_with_the_same_conditions(
    client: httpx.AsyncClient, proof: Proof, database: Database, server: "Server"
) -> None:
    zone = ZoneInfo(server.parts.settings.city_time_zone)
    now = clock.now()
    spans = heatbook.past(Asked("24h"), heatbook.span(Asked("24h"), now, zone), 1, zone)
    rows = [(spans[2].since, TOWNS[1], "0101", "police")]  # the first: three weeks are known
    for span in spans[:3]:
        middle = (span.since + span.until) // 2
        rows += [(middle, TOWNS[0], "0101", "police")] * 2 + [(middle, TOWNS[0], "0601", "water")]
        rows += [(span.until + 2 * HOUR, TOWNS[0], "0101", "police"), (middle, "", "0101", "police")]
    received(database, *((at + number, *rest) for number, (at, *rest) in enumerate(rows)))  # type: ignore[misc]

    async def told(query: str, scope: Scope = WHOLE) -> dict[str, Any]:
        answer: dict[str, Any] = (await client.get(f"{AREAS}?level=2&{query}", headers=proof("operator", scope))).json()
        return answer

    found = await told("window=24h")
    assert (found["weeks"], found["step_days"]) == (3, 7)
    by_code = {one["code"]: one for one in found["areas"]}
    assert by_code[TOWNS[0]]["past_count"] == 3 and by_code[TOWNS[0]]["change"] == -3
    assert by_code[TOWNS[1]]["past_count"] == pytest.approx(1 / 3)
    assert (await told("window=24h&type=01"))["areas"][-1]["past_count"] == 2
    assert (await told("window=24h&urgency=critical"))["past_total"] == 0
    water = await told("window=24h", Scope(department="water"))
    assert {one["code"]: one["past_count"] for one in water["areas"]}[TOWNS[0]] == 1
    inside = await told("window=24h", Scope(TOWNS[1]))
    assert {one["code"]: one["past_count"] for one in inside["areas"]} == {TOWNS[1]: pytest.approx(1 / 3)}
    assert inside["scope_grid"] == TOWNS[1]


async def test_dates_are_counted_from_the_incidents(
    client: httpx.AsyncClient, proof: Proof, database: Database, server: "Server"
) -> None:
    zone = server.parts.settings.zone
    found = heatbook.span(Asked("today"), clock.now(), zone)
    day = heatbook._shifted(found.since, timedelta(days=2), zone)
    received(
        database,
        (day, TOWNS[0], "0101", "x"),
        (day + 23 * HOUR, TOWNS[0], "0101", "x"),
        (day - 1, TOWNS[0], "0101", "x"),
    )
    name = (clock_day := heatbook.datetime.fromtimestamp(day / 1e6, zone).date()).isoformat()
    answer = (
        await client.get(f"{AREAS}?window=dates&first={name}&last={name}&level=1", headers=proof("leader"))
    ).json()
    assert (answer["total"], answer["until"] - answer["since"]) == (2, 24 * HOUR), clock_day


@pytest.mark.parametrize(
    "query",
    ["window=2h", "window=dates", "window=dates&first=2026-01-01", "window=dates&first=2099-01-01&last=2099-01-02",
     "unit=x", "type=x", "urgency=x", "level=-1", "level=17", "window=dates&first=x&last=y"],
)  # fmt: skip
async def test_what_cannot_be_ranked_is_refused(client: httpx.AsyncClient, proof: Proof, query: str) -> None:
    for path in (AREAS, f"{AREAS}.csv"):
        answer = await client.get(f"{path}?{query}", headers=proof("operator"))
        assert answer.status_code == 422 and answer.json()["text"]["zh"]


async def test_a_level_there_is_not(client: httpx.AsyncClient, proof: Proof) -> None:
    assert (await client.get(f"{AREAS}?level=9", headers=proof("operator"))).status_code == 404


async def test_who_may_not_read_incidents_gets_no_heat(client: httpx.AsyncClient, proof: Proof) -> None:
    for path, status in ((AREAS, 403), (f"{AREAS}.csv", 403), ("/heat", 303)):  # a wall is nobody on people's pages
        assert (await client.get(path, headers=proof("security_admin"))).status_code == 403
        assert (await client.get(path, headers=proof("wall"))).status_code == status
        assert (await client.get(path)).status_code in (303, 401)


async def test_csv_says_what_it_is_figures_of(client: httpx.AsyncClient, proof: Proof, twenty: None) -> None:
    query = "window=24h&unit=people&level=2"
    answer = await client.get(f"{AREAS}.csv?{query}&lang=en", headers=proof("operator", Scope(TOWNS[0])))
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"].startswith('attachment; filename="heat-')
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    at = lines.index([])
    facts = dict(lines[:at])
    assert {"Window", "Unit", "Data as of", "Version of the grids", "Scope", "Compared with"} <= facts.keys()
    assert facts["Scope"] == f"grid {TOWNS[0]}"
    told = [dict(zip(lines[at + 1], line, strict=True)) for line in lines[at + 2 :]]
    found = (await client.get(f"{AREAS}?{query}", headers=proof("operator", Scope(TOWNS[0])))).json()["areas"]
    assert [(one["Area"], int(one["Count"]), int(one["Population"])) for one in told] == [
        (one["name"], one["count"], one["population"]) for one in found
    ]


def test_tallies_end_before_the_moment_and_count_the_unplaced(database: Database) -> None:
    received(database, (10, TOWNS[0], "0101", "x"), (20, "", "0101", "x"), (30, TOWNS[0], "0101", "x"))
    spans = [Span(10, 30), Span(30, 31), Span(0, 5)]
    assert tally.tallies(database, WHOLE, spans, Wanted()) == [{TOWNS[0]: 1, "": 1}, {TOWNS[0]: 1}, {}]
    assert tally.earliest(database) == 10


def test_without_incidents_there_is_no_earliest(database: Database) -> None:
    assert tally.earliest(database) is None
