"""The Dash pages behind the gate: the language that stays, addresses that lead nowhere, callbacks that fail."""

import logging

import httpx
import pytest

from dashboard.panels import quarantine
from dashboard.server import Server
from tests.dashboard.conftest import Proof


def shown(response: httpx.Response) -> str:
    """The language a page was served in."""
    return response.text.partition('data-lang="')[2][:2]


async def test_the_language_once_asked_for_stays_from_page_to_page(client: httpx.AsyncClient, proof: Proof) -> None:
    name, _, secret = proof("operator")["cookie"].partition("=")
    client.cookies.set(name, secret)
    assert shown(await client.get("/desk")) == "zh"
    asked = await client.get("/desk?lang=en")
    cookie = asked.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/;" in cookie
    for page in ("/quarantine", "/wall", "/desk"):
        answer = await client.get(page)
        assert shown(answer) == "en" and "set-cookie" not in answer.headers
    assert shown(await client.get("/wall?lang=zh")) == "zh"
    assert shown(await client.get("/desk")) == "zh"


NOWHERE, NOWHERE_EN = "<title>无法打开", "<title>Cannot open"


@pytest.mark.parametrize(
    ("path", "title"),
    [("/wall/nonsense", NOWHERE), ("/desk/fr/", NOWHERE), ("/desk/zh/x", NOWHERE), ("/wall/en/desk/", NOWHERE_EN)],
)
async def test_an_address_that_leads_nowhere_says_so_in_words(
    client: httpx.AsyncClient, proof: Proof, path: str, title: str
) -> None:
    answer = await client.get(path, headers=proof("operator") | {"accept": "text/html"})
    assert answer.status_code == 404
    assert title in answer.text and "signin-message" in answer.text


async def test_the_page_of_who_may_not_is_titled_by_what_it_says(client: httpx.AsyncClient, proof: Proof) -> None:
    answer = await client.get("/quarantine?lang=en", headers=proof("leader") | {"accept": "text/html"})
    assert answer.status_code == 403
    assert NOWHERE_EN in answer.text


@pytest.mark.parametrize("path", ["/wall", "/wall/", "/wall/en", "/wall/en/"])
async def test_a_page_may_be_asked_for_with_and_without_a_slash(
    client: httpx.AsyncClient, proof: Proof, path: str
) -> None:
    answer = await client.get(path, headers=proof("wall"), follow_redirects=True)
    assert answer.status_code == 200 and "data-page" in answer.text


CALLBACK = "/quarantine/zh/_dash-update-component"


def asked(**more: object) -> dict[str, object]:
    """What the browser sends to have the list of the quarantine."""
    rows = {"id": quarantine.ROWS, "property": "data"}
    inputs = [{"id": quarantine.ASK, "property": "data", "value": {"before": ""}}]
    wanted = {"output": f"{quarantine.ROWS}.data", "outputs": rows, "inputs": inputs}
    return wanted | {"changedPropIds": [f"{quarantine.ASK}.data"]} | more


async def test_a_callback_that_fails_is_in_the_log(
    server: Server,
    client: httpx.AsyncClient,
    proof: Proof,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object) -> object:
        raise RuntimeError("the shelf fell down")

    headers = proof("operator")
    assert (await client.post(CALLBACK, json=asked(), headers=headers)).status_code == 200
    monkeypatch.setattr(server.parts.actions.quarantine, "page", failing)
    with caplog.at_level(logging.ERROR):
        answer = await client.post(CALLBACK, json=asked(), headers=headers)
    assert answer.status_code == 500
    assert "quarantine-rows.data failed" in caplog.text and "the shelf fell down" in caplog.text


async def test_a_callback_with_nothing_to_say_is_no_failure(
    client: httpx.AsyncClient, proof: Proof, caplog: pytest.LogCaptureFixture
) -> None:
    nothing = asked(inputs=[{"id": quarantine.ASK, "property": "data", "value": None}])
    assert (await client.post(CALLBACK, json=nothing, headers=proof("operator"))).status_code == 204
    assert not caplog.records


@pytest.mark.parametrize("body", ["[]", "7", "", "null", "{"])
async def test_what_asks_for_no_callback_is_refused(
    client: httpx.AsyncClient, proof: Proof, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = proof("operator") | {"content-type": "application/json"}
    assert (await client.post(CALLBACK, content=body, headers=headers)).status_code == 400
    assert not caplog.records


@pytest.mark.parametrize("output", [None, [], "nothing.data", "desk-sink.title", "..", "quarantine-rows.data "])
async def test_a_callback_that_is_not_there_is_refused_as_one_that_is_not_yours(
    client: httpx.AsyncClient, proof: Proof, output: object
) -> None:
    absent = await client.post(CALLBACK, json=asked(output=output), headers=proof("operator"))
    not_yours = await client.post(
        "/sources/zh/_dash-update-component", json=asked(output="source-done.children"), headers=proof("duty_commander")
    )
    assert absent.status_code == 403 == not_yours.status_code
    assert absent.content == not_yours.content


async def test_a_shared_page_asks_for_what_is_not_yours_without_an_answer_or_a_note(
    server: Server, client: httpx.AsyncClient, proof: Proof
) -> None:
    duty, address = proof("duty_commander"), "/sources/zh/_dash-update-component"
    noted: list[object] = []
    server.pages.app("sources", "zh").note = noted.append  # type: ignore[attr-defined]
    for changed in ([], ["source-chosen.data"]):
        body = asked(output="mapping-facts.data", changedPropIds=changed)
        answer = await client.post(address, json=body, headers=duty)
        assert (answer.status_code, answer.content) == (204, b"")
    assert not noted
    body = asked(output="mapping-facts.data", changedPropIds=["mapping-save.n_clicks"])
    assert (await client.post(address, json=body, headers=duty)).status_code == 403
    assert len(noted) == 1
