"""A signed webhook 回调: each message posted as JSON, signed; no redirects, no proxy, answers bounded.

2xx is taken ("sent"); an answer {"state": "delivered"} says it has reached the recipient. 409 is taken too: known.
What cannot pass by itself (another 4xx) is a dead letter at once; 401, 403, 404 and 410 are the outlet's fault.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence

import httpx
import msgspec

from config import clock
from config.words import Words
from operations.outlets.outbox import DEAD, DELIVERED, SENT
from operations.outlets.outlet import Outlet, Webhook
from operations.outlets.recording import Outcome
from streams.errors import SettingsWrong
from streams.http_pull import seconds
from streams.outlets.letter import Letter, document
from streams.outlets.signature import signed
from streams.pull_settings import web_address

AT_ONCE = 4
LARGEST_ANSWER = 64 * 1024
OURS = {401: "login_refused", 403: "login_refused", 404: "not_there", 407: "login_refused", 410: "not_there"}
"""What is wrong with the outlet and passes when somebody mends it."""
BUSY = (408, 425, 429, 502, 503, 504)
TAKEN = range(200, 300)
KNOWN, SERVER_TROUBLE = 409, 500
REDIRECTS = range(300, 400)


class _Answer(msgspec.Struct):
    state: str = ""


async def carry(
    outlet: Outlet, secret: str, letters: Sequence[Letter], words: Words
) -> AsyncGenerator[tuple[Letter, Outcome]]:
    """Post letters, a few at once; yields what became of each as it is known."""
    terms = outlet.terms
    assert isinstance(terms, Webhook)
    try:
        web_address("url", terms.url, ("http", "https"))
    except SettingsWrong as error:
        for letter in letters:
            yield letter, Outcome("failed", error.code, away=True, certain=True)
        return
    slots = asyncio.Semaphore(AT_ONCE)
    async with _client(terms) as client:

        async def one(letter: Letter) -> tuple[Letter, Outcome]:
            async with slots:
                return letter, await post(client, terms, secret, letter.parcel.id, document(letter, outlet, words))

        tasks = [asyncio.create_task(one(letter)) for letter in letters]
        try:
            for task in asyncio.as_completed(tasks):
                yield await task
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def post(client: httpx.AsyncClient, terms: Webhook, secret: str, message_id: str, body: bytes) -> Outcome:
    """Post one message and return what became of it; never raises for what the other side does."""
    headers = signed(secret, message_id, clock.now() // 1_000_000, body)
    headers |= {"content-type": "application/json", "user-agent": "gridwall"}
    try:
        async with (
            asyncio.timeout(terms.timeout_s),
            client.stream("POST", terms.url, content=body, headers=headers) as answer,
        ):
            return judged(answer.status_code, await _read(answer), answer.headers.get("retry-after", ""))
    except (TimeoutError, httpx.TimeoutException):
        return Outcome("failed", "timeout", away=True)
    except httpx.ConnectError as error:
        bad = "CERTIFICATE" in str(error)
        return Outcome("failed", "certificate" if bad else "unreachable", away=True, certain=bad)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return Outcome("failed", "broken_off", away=True)


def judged(status: int, body: bytes, retry_after: str) -> Outcome:
    """Return what an answer means."""
    said = f"{status}"
    if status in TAKEN or status == KNOWN:
        return Outcome(DELIVERED if _state(body) == "delivered" else SENT)
    wait = seconds(retry_after, clock.now())
    if status in OURS:
        return Outcome("failed", f"{OURS[status]} {said}", away=True, certain=True, retry_after=wait)
    if status in REDIRECTS:
        return Outcome("failed", f"redirect_elsewhere {said}", away=True, certain=True)
    if status in BUSY:
        return Outcome("failed", f"busy {said}", away=True, retry_after=wait)
    if status >= SERVER_TROUBLE:
        return Outcome("failed", f"server_error {said}", retry_after=wait)
    return Outcome(DEAD, f"refused {said}")


def _client(terms: Webhook) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(terms.timeout_s),
        follow_redirects=False,
        trust_env=False,
        verify=ssl.create_default_context(),
        limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
    )


async def _read(answer: httpx.Response) -> bytes:
    """What was answered, as far as it is looked at."""
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > LARGEST_ANSWER:
            return b""
    return b"".join(parts)


def _state(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Answer).state
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
