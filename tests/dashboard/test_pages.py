"""The Dash pages behind the gate: the language that stays, addresses that lead nowhere, callbacks that fail."""

import httpx
import pytest

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


@pytest.mark.parametrize("path", ["/wall/nonsense", "/desk/fr/", "/desk/zh/x", "/wall/en/desk/"])
async def test_an_address_that_leads_nowhere_says_so_in_words(
    client: httpx.AsyncClient, proof: Proof, path: str
) -> None:
    answer = await client.get(path, headers=proof("operator") | {"accept": "text/html"})
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text and "<title>无法打开" in answer.text


async def test_the_page_of_who_may_not_is_titled_by_what_it_says(client: httpx.AsyncClient, proof: Proof) -> None:
    answer = await client.get("/quarantine?lang=en", headers=proof("leader") | {"accept": "text/html"})
    assert answer.status_code == 403
    assert "<title>Cannot open" in answer.text


@pytest.mark.parametrize("path", ["/wall", "/wall/", "/wall/en", "/wall/en/"])
async def test_a_page_may_be_asked_for_with_and_without_a_slash(
    client: httpx.AsyncClient, proof: Proof, path: str
) -> None:
    answer = await client.get(path, headers=proof("wall"), follow_redirects=True)
    assert answer.status_code == 200 and "data-page" in answer.text
