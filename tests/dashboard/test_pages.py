"""The Dash pages behind the gate: the language that stays, addresses that lead nowhere, callbacks that fail."""

import httpx

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
