"""HTTP pull 定时拉取: asks an address for a list, every so often, for what is new; page after page.

The cursor (the largest watermark seen, or ETag and Last-Modified) is kept only when every item of every page is
durable. What is asked for again is recognised by its key, so overlap costs nothing. Nothing but GET, http and https;
redirects and next pages only on the same host.
"""

import asyncio
import base64
import csv
import io
import logging
import random
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from config import clock
from operations.report import revision_key
from operations.sources import Source
from streams.errors import SourceAway
from streams.pull_settings import LINK, HttpPull
from streams.pulling import Pulling, as_item, at, items_of

if TYPE_CHECKING:
    from streams.fetching import Reach

KIND = "http_pull"
LARGEST_BODY = 32 * 1024 * 1024
MOST_ITEMS = 100_000
"""Items of one page."""
MOST_REDIRECTS = 5
TOTAL_SECONDS = 120.0
"""Longest time for one page, however slowly it drips."""
JITTER = 0.1
"""Of the period, so that many sources are not asked at the same second."""
PAGES_NEXT_ROUND_SECONDS = 0.5
LONGEST_WATERMARK = 200
OK, NOT_MODIFIED, TOO_MANY, UNAVAILABLE = 200, 304, 429, 503
REDIRECTS = (301, 302, 303, 307, 308)
PORTS = {"http": 80, "https": 443}
CERTAIN = {401: "login_refused", 403: "login_refused", 404: "not_there", 407: "login_refused", 410: "not_there"}
WAITING = {TOO_MANY: "too_fast", UNAVAILABLE: "busy"}


logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells every address it asks, with the secret of `query`


class Page(NamedTuple):
    """One answer. `offset_ms`: the server's clock minus ours, None when it did not tell."""

    status: int
    items: list[object]
    next: str
    validators: dict[str, str]
    offset_ms: int | None
    size: int


class Fetcher:
    """Asks for one page at a time, with the secret of the moment."""

    def __init__(self, settings: HttpPull) -> None:
        self.settings = settings
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.timeout_s),
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context(),
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
        )

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    def first(self, watermark: str) -> str:
        """Return the address of the first page, asking for what is newer than `watermark`."""
        url, name = httpx.URL(self.settings.url), self.settings.watermark_param
        start = watermark or self.settings.watermark_start
        return str(url.copy_set_param(name, start) if name and start else url)

    async def page(self, url: str, secret: str, validators: Mapping[str, str] | None = None) -> Page:
        """Return one page. Raises SourceAway."""
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return await self._page(url, secret, validators or {})
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SourceAway("timeout") from error
        except httpx.ConnectError as error:
            raise SourceAway("certificate" if "CERTIFICATE" in str(error) else "unreachable") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SourceAway("broken_off") from error

    async def _page(self, url: str, secret: str, validators: Mapping[str, str]) -> Page:
        for _ in range(MOST_REDIRECTS + 1):
            request = self._client.build_request("GET", url, headers=self._headers(secret, validators))
            if self.settings.auth == "query" and secret:
                request.url = request.url.copy_set_param(self.settings.auth_name, secret)
            answer = await self._client.send(request, stream=True)
            try:
                if answer.status_code not in REDIRECTS:
                    return await self._read(answer, url)
                url = self.inside(urljoin(url, answer.headers.get("location", "")), "redirect_elsewhere")
            finally:
                await answer.aclose()
        raise SourceAway("too_many_redirects", certain=True)

    async def _read(self, answer: httpx.Response, url: str) -> Page:
        status, offset_ms = answer.status_code, offset(answer.headers.get("date"))
        if status == NOT_MODIFIED:
            return Page(status, [], "", {}, offset_ms, 0)
        if status != OK:
            raise refusal(status, answer.headers.get("retry-after", ""))
        body = await _body(answer)
        found = await asyncio.to_thread(_decoded, body, self.settings.format, answer.charset_encoding)
        items = items_of(found, self.settings.items) if body.strip() else []
        if len(items) > MOST_ITEMS:
            raise SourceAway("too_many_items", certain=True, most=MOST_ITEMS)
        validators = {
            name: answer.headers[header][:LONGEST_WATERMARK]
            for name, header in (("etag", "etag"), ("modified", "last-modified"))
            if header in answer.headers
        }
        return Page(status, items, self._next(answer, found, url), validators, offset_ms, len(body))

    def _next(self, answer: httpx.Response, found: object, url: str) -> str:
        """The address of the page after this one, "" when it was the last."""
        if not self.settings.next:
            return ""
        if self.settings.next == LINK:
            told: Any = answer.links.get("next", {}).get("url")
        else:
            told = at(found, self.settings.next)
        return self.inside(urljoin(url, told), "next_elsewhere") if isinstance(told, str) and told else ""

    def inside(self, url: str, code: str) -> str:
        """The address, if it is on the source's own host; raises SourceAway."""
        try:
            ours, theirs = urlsplit(self.settings.url), urlsplit(url)
            same = theirs.scheme in PORTS and theirs.hostname == ours.hostname and _port(theirs) == _port(ours)
            safer = theirs.hostname == ours.hostname and ours.scheme == "http" and theirs.scheme == "https"
            if (same or (safer and _port(ours) == 80 and _port(theirs) == 443)) and "@" not in theirs.netloc:
                return url
        except ValueError:
            pass
        raise SourceAway(code, certain=True)

    def _headers(self, secret: str, validators: Mapping[str, str]) -> dict[str, str]:
        one = self.settings
        headers = {"accept": "application/json, text/csv;q=0.9, */*;q=0.1", "user-agent": "gridwall", **one.headers}
        if "etag" in validators:
            headers["if-none-match"] = validators["etag"]
        if "modified" in validators:
            headers["if-modified-since"] = validators["modified"]
        return headers | proof(one.auth, one.auth_name, secret)


def proof(auth: str, name: str, secret: str) -> dict[str, str]:
    """Return the header that carries a secret; {} when it goes another way or there is none."""
    if not secret:
        return {}
    if auth == "bearer":
        return {"authorization": f"Bearer {secret}"}
    if auth == "basic":
        return {"authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}
    return {name: secret} if auth == "header" else {}


async def pull(reach: "Reach", source: Source) -> None:
    """Pull one source until cancelled."""
    pulling = Pulling(reach, source)
    settings = await pulling.settings()
    assert isinstance(settings, HttpPull)
    fetcher = Fetcher(settings)
    try:
        await pulling.again(Rounds(pulling, fetcher).next)
    finally:
        await fetcher.close()


class Rounds:
    """One round after the other: all pages that are new, then the cursor."""

    def __init__(self, pulling: Pulling, fetcher: Fetcher) -> None:
        self._pulling = pulling
        self._fetcher = fetcher
        self._settings = fetcher.settings
        self._of = place(fetcher.settings)
        self._going = ""
        """The next page, when the last round ended before the last page did: the cursor waits for it."""
        self._high = ""

    async def next(self) -> float:
        """Pull one round; return the seconds to the next. Raises SourceAway."""
        kept = await self._pulling.cursor(self._of)
        watermark = str(kept.get("watermark", ""))
        validators = {} if self._going or self._settings.watermark_param else dict(kept.get("validators", {}))
        begun, url = not self._going, self._going or self._fetcher.first(watermark)
        self._high = self._high if self._going else watermark
        seen, taken, page = {url}, 0, None
        for _ in range(self._settings.most_pages):
            page = await self._fetch(url, validators if len(seen) == 1 else {})
            await self._pulling.take([as_item(item) for item in page.items])
            taken += len(page.items)
            self._high = highest(self._high, page.items, self._settings.watermark_field)
            url = page.next
            if not url or url in seen:
                url = ""
                break
            seen.add(url)
        assert page is not None
        self._going = url
        facts = {"taken": taken, "offset_ms": page.offset_ms, "bytes": page.size}
        await self._pulling.reached(**facts)
        if self._going:
            return PAGES_NEXT_ROUND_SECONDS
        await self._keep(kept, watermark, page if begun and len(seen) == 1 else None)
        return self._settings.period_s * random.uniform(1 - JITTER, 1 + JITTER)

    async def _fetch(self, url: str, validators: Mapping[str, str]) -> Page:
        try:
            return await self._fetcher.page(url, self._pulling.secret, validators)
        except SourceAway:
            self._going = ""  # a next page may be good for a while only: begin anew from the cursor
            raise

    async def _keep(self, kept: Mapping[str, Any], watermark: str, only: Page | None) -> None:
        """Keep what is new; the answer's marks only when there was one page, for they are that page's."""
        if self._settings.watermark_param:
            if self._high != watermark:
                await self._pulling.keep(self._of, {"watermark": self._high})
        elif only is not None and only.validators and only.validators != kept.get("validators"):
            await self._pulling.keep(self._of, {"validators": only.validators})


def place(settings: HttpPull) -> str:
    """Return what a cursor belongs to: another address or watermark begins anew."""
    named = (settings.url, settings.items, settings.watermark_param, settings.watermark_field, settings.format)
    return sha256("\0".join(named).encode()).hexdigest()[:16]


def highest(known: str, items: list[object], path: str) -> str:
    """Return the largest watermark of `known` and the items', in the order of revisions: numbers, then text."""
    if not path:
        return known
    found = [value for value in (at(item, path) for item in items) if isinstance(value, (str, int, float))]
    words = [known, *(str(value)[:LONGEST_WATERMARK] for value in found if not isinstance(value, bool))]
    return max((word for word in words if word), key=revision_key, default="")


def _decoded(body: bytes, form: str, charset: str | None) -> object:
    if form == "csv":
        return _rows(_text(body, charset))
    try:
        text = body if (charset or "utf-8").lower() in ("utf-8", "utf8", "us-ascii") else _text(body, charset).encode()
        return msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf")) if text.strip() else None
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceAway("not_json", certain=True) from error


def _rows(text: str) -> list[object]:
    """The lines of a CSV with a head as objects."""
    try:
        return [
            {name: value for name, value in row.items() if isinstance(name, str)}
            for row in csv.DictReader(io.StringIO(text), strict=True)
        ]
    except csv.Error as error:
        raise SourceAway("not_csv", certain=True) from error


def _text(body: bytes, charset: str | None) -> str:
    """The text of a body: in the charset it names, else UTF-8, else GB 18030."""
    for name in (charset, "utf-8-sig", "gb18030"):
        try:
            if name:
                return body.decode({"gb2312": "gb18030", "gbk": "gb18030"}.get(name.lower(), name))
        except (UnicodeDecodeError, LookupError):
            continue
    raise SourceAway("not_text", certain=True)


async def _body(answer: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > LARGEST_BODY:
            raise SourceAway("body_too_large", certain=True, most=LARGEST_BODY // 1024 // 1024)
        parts.append(part)
    return b"".join(parts)


def refusal(status: int, retry_after: str) -> SourceAway:
    wait = seconds(retry_after, clock.now())
    if status in CERTAIN:
        return SourceAway(CERTAIN[status], certain=True, retry_after=wait, status=status)
    return SourceAway(WAITING.get(status, "status"), retry_after=wait, status=status)


def seconds(retry_after: str, now: int) -> float:
    """Return the seconds of a Retry-After: a number or a date (RFC 9110, 10.2.3); 0 when it is neither."""
    if retry_after.strip().isascii() and retry_after.strip().isdecimal():
        return float(retry_after.strip()[:9])
    try:
        then = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, then.astimezone(UTC).timestamp() - now / 1e6)


def offset(date: str | None) -> int | None:
    try:
        then = parsedate_to_datetime(date or "")
    except (ValueError, TypeError):
        return None
    return round((then.astimezone(UTC) - datetime.fromtimestamp(clock.now() / 1e6, UTC)).total_seconds() * 1_000)


def _port(parts: Any) -> int:
    return int(parts.port or PORTS.get(parts.scheme, 0))
