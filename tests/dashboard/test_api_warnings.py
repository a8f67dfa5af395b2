"""`POST /api/v1/warnings`: recorded before it is answered; what cannot be read lies in quarantine."""

from typing import TYPE_CHECKING

import httpx
import pytest

from config import clock
from operations import snapshot
from tests.streams.bulletins import HOUR, document, reference

if TYPE_CHECKING:
    from dashboard.server import Server
    from tests.dashboard.conftest import Proof

PATH = "/api/v1/warnings"
CAP = {"content-type": "application/cap+xml"}


@pytest.fixture
def told(proof: "Proof") -> dict[str, str]:
    return proof("source") | CAP


async def test_a_warning_is_on_the_board_when_it_is_answered(
    server: "Server", client: httpx.AsyncClient, told: dict[str, str]
) -> None:
    now = clock.now()
    body = document(sent=now, expires=now + HOUR)
    answer = await client.post(PATH, content=body, headers=told)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "in_force")
    [warning] = snapshot.load(server.parts.database).warnings.values()
    assert (warning.level, warning.codes, warning.above) == ("red", ("990101001",), ("990101",))
    assert snapshot.load(server.parts.database).sources["s1"].last_received_at
    again = await client.post(PATH, content=body, headers=told)
    assert again.json() == {"id": warning.id, "outcome": "duplicate", "ended": []}
    cancel = document("C1", sent=now, kind="Cancel", references=reference("W1", now), infos="")
    ended = await client.post(PATH, content=cancel, headers=told)
    assert ended.json()["ended"] == [warning.id]
    assert snapshot.load(server.parts.database).warnings == {}


async def test_what_cannot_be_read_says_where_and_is_kept(client: httpx.AsyncClient, told: dict[str, str]) -> None:
    body = document(sent=clock.now()).replace(b"<scope>Public</scope>", b"")
    answer = await client.post(PATH, content=body, headers=told)
    [kept] = answer.json()["quarantined"]
    assert (answer.status_code, kept["reason"], kept["field"], kept["params"]) == (
        422,
        "missing",
        "scope",
        {"line": "2"},
    )


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"content-type": "application/json"}, b"{}", 415, "not_xml_type"),
        (CAP | {"content-encoding": "gzip"}, b"", 415, "compressed"),
        (CAP, b"<a>" + b" " * 1_048_576, 413, "report_too_large"),
    ],
)
async def test_what_is_not_taken(
    client: httpx.AsyncClient, told: dict[str, str], headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    answer = await client.post(PATH, content=body, headers=told | headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
