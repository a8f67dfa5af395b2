"""Pulling warnings 预警拉取: an address that answers with a CAP document or an Atom feed of them, asked now and then.

A feed's entry holds its alert or links to it, on the same host; what was fetched is not fetched again while the feed
lists it. ETag and Last-Modified are used where the source sends them, and kept only when everything was recorded.
"""

import asyncio
import logging
import random
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, tostring

import httpx

from config import clock
from operations.errors import Refused
from operations.sources import Source
from streams.errors import EngineMisconfigured, IntakeRefused, SourceAway, Unreadable
from streams.http_pull import JITTER, LONGEST_WATERMARK, NOT_MODIFIED, OK, Fetcher, Page
from streams.http_pull import offset as clock_offset
from streams.http_pull import refusal as refused
from streams.markup import LARGEST, children, name_of, parse
from streams.pull_settings import CapPull, HttpPull
from streams.pulling import BASE_SECONDS, Pulling
from streams.warnings import Warnings

if TYPE_CHECKING:
    from streams.fetching import Reach

KIND = "cap_pull"
LARGEST_FEED = 4 * 1024 * 1024
MOST_ELEMENTS = 100_000
MOST_ENTRIES = 2_000
"""Entries of one feed; a longer one counts as not understood, as its end would never be read."""
MOST_LINKS = 50
"""Documents fetched in one round; the others come with the next."""
GONE = ("not_there", "body_too_large", "next_elsewhere", "redirect_elsewhere", "too_many_redirects")
"""Why a document that a feed names will never be had: its entry goes to quarantine instead."""
LINKED = ("application/cap+xml", "application/xml", "text/xml", "")

log = logging.getLogger(__name__)


class Documents(Fetcher):
    """Asks for one document at a time, as bytes."""

    def __init__(self, settings: CapPull) -> None:
        super().__init__(
            HttpPull(
                settings.url,
                timeout_s=settings.timeout_s,
                headers={
                    "accept": "application/cap+xml, application/atom+xml, application/xml, text/xml",
                    **settings.headers,
                },
                auth=settings.auth,
                auth_name=settings.auth_name,
            )
        )

    async def _read(self, answer: httpx.Response, url: str) -> Page:
        offset = clock_offset(answer.headers.get("date"))
        if answer.status_code == NOT_MODIFIED:
            return Page(NOT_MODIFIED, [], "", {}, offset, 0)
        if answer.status_code != OK:
            raise refused(answer.status_code, answer.headers.get("retry-after", ""))
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > LARGEST_FEED:
                raise SourceAway("body_too_large", certain=True, most=LARGEST_FEED)
        marks = {
            name: answer.headers[header][:LONGEST_WATERMARK]
            for name, header in (("etag", "etag"), ("modified", "last-modified"))
            if header in answer.headers
        }
        return Page(OK, [bytes(body)], "", marks, offset, len(body))


async def pull(reach: "Reach", source: Source) -> None:
    """Pull one source until cancelled."""
    pulling = Pulling(reach, source)
    settings = await pulling.settings()
    assert isinstance(settings, CapPull)
    documents = Documents(settings)
    warnings = Warnings(reach.database, reach.intake, clock.now, reach.ring)
    try:
        await pulling.again(Rounds(pulling, documents, warnings, settings).next)
    finally:
        await documents.close()


async def listed(settings: CapPull, secret: str) -> list[Element]:
    """Return what an address answers with now: alerts, or the entries of a feed. Raises SourceAway; takes nothing."""
    documents = Documents(settings)
    try:
        page = await documents.page(settings.url, secret)
        body: Any = page.items[0]
        root = await asyncio.to_thread(parse, body, LARGEST_FEED, MOST_ELEMENTS)
    except Unreadable as error:
        raise SourceAway("not_cap", certain=True) from error
    finally:
        await documents.close()
    if name_of(root) == "feed":
        return children(root, "entry")
    if name_of(root) != "alert":
        raise SourceAway("not_cap", certain=True)
    return [root]


class Rounds:
    """One round after the other: what is listed and new, then the cursor."""

    def __init__(self, pulling: Pulling, documents: Documents, warnings: Warnings, settings: CapPull) -> None:
        self._pulling, self._documents, self._warnings, self._settings = pulling, documents, warnings, settings
        self._wrong = False
        """Whether the last answer was no CAP: of such answers in a row one is kept."""
        self._of = sha256(settings.url.encode()).hexdigest()[:16]

    async def next(self) -> float:
        """Pull one round; return the seconds to the next. Raises SourceAway."""
        kept = await self._pulling.cursor(self._of)
        page = await self._documents.page(self._settings.url, self._pulling.secret, dict(kept.get("validators", {})))
        taken = 0
        if page.status == OK:
            seen, taken, whole = await self._take(page.items[0], list(kept.get("seen", [])))
            await self._pulling.keep(self._of, {"seen": seen, "validators": page.validators if whole else {}})
        await self._pulling.reached(taken=taken, offset_ms=page.offset_ms, bytes=page.size)
        return self._settings.period_s * random.uniform(1 - JITTER, 1 + JITTER)

    async def _take(self, body: Any, seen: list[str]) -> tuple[list[str], int, bool]:
        """Take what an answer holds; what is known then, how many were taken, and whether that was all of it."""
        mark = sha256(body).hexdigest()[:32]
        try:
            root = await asyncio.to_thread(parse, body, LARGEST_FEED, MOST_ELEMENTS)
            if name_of(root) not in ("feed", "alert"):
                raise Unreadable("cap_not_an_alert", name_of(root)[:60])
        except Unreadable as error:
            if not self._wrong:  # a page that says "sign in" says it a little differently each time
                await self._set_aside(body, error)
            self._wrong = True
            raise SourceAway("not_cap", certain=True) from error
        self._wrong = False
        if name_of(root) != "feed":
            fine = await self._document(body)
            return [mark], int(fine), fine
        entries = children(root, "entry")
        if len(entries) > MOST_ENTRIES:
            raise SourceAway("too_many_items", certain=True, most=MOST_ENTRIES)
        return await self._entries(entries, seen)

    async def _entries(self, entries: list[Element], seen: list[str]) -> tuple[list[str], int, bool]:
        known, listed, taken, links, whole = set(seen), [], 0, 0, True
        for entry in entries:
            name = entry_name(entry)
            if name not in known:
                link = address(entry)
                links += 1 if link else 0
                done = links <= MOST_LINKS and await self._entry(entry, link)
                whole, taken = whole and done, taken + int(done)
                if not done:
                    continue
            listed.append(name)
        return listed, taken, whole

    async def _entry(self, entry: Element, link: str) -> bool:
        """Take one entry; False when it is to be tried again."""
        inside = next((one for one in entry.iter() if name_of(one) == "alert"), None)
        if inside is not None:
            return await self._document(plain(inside))
        if not link:
            return True
        try:
            url = self._documents.inside(urljoin(self._settings.url, link), "next_elsewhere")
            page = await self._documents.page(url, self._pulling.secret)
        except SourceAway as error:
            log.warning(
                "source %s: a warning that its feed names cannot be fetched: %s", self._pulling.source.id, error
            )
            if error.code not in GONE:
                return False
            await self._set_aside(tostring(entry, encoding="utf-8"), Unreadable("cap_link", error.code))
            return True
        return await self._document(page.items[0]) if page.items else True

    async def _document(self, body: Any) -> bool:
        """Record one document; what cannot be read is set aside. False when there are too many for now."""
        source = self._pulling.source
        try:
            await self._pulling.patiently(lambda: self._warnings.record(source, body))
        except Unreadable as error:
            await self._set_aside(body, error)
        except Refused as error:
            log.warning("source %s: %s", source.id, error)
            return False
        return True

    async def _set_aside(self, body: bytes, error: Unreadable) -> None:
        """Keep what cannot be read in quarantine, as soon as that is durable."""
        while True:
            try:
                await self._warnings.keep_unread(self._pulling.source, body[:LARGEST], error)
                return
            except (IntakeRefused, EngineMisconfigured) as away:
                await self._pulling.say("held", getattr(away, "code", "engine_misconfigured"))
                await asyncio.sleep(getattr(away, "retry_after", BASE_SECONDS))


def entry_name(entry: Element) -> str:
    """Return what tells an entry from others and from its own earlier state."""
    parts = [(found[0].text or "").strip() for name in ("id", "updated") if (found := children(entry, name))]
    return sha256("\0".join([*parts, address(entry)]).encode()).hexdigest()[:32]


def address(entry: Element) -> str:
    """Return where an entry's alert is: a link that says it is CAP, else the first that may be; "" for none."""
    links: list[Mapping[str, str]] = [one.attrib for one in children(entry, "link")]
    links += [{"href": one.get("src", ""), "type": one.get("type", "")} for one in children(entry, "content")]
    found = [
        one for one in links if one.get("href") and one.get("rel", "alternate") in ("alternate", "enclosure", "self")
    ]
    fit = [one for one in found if one.get("type", "") in LINKED]
    best = [one for one in fit if one.get("type") == LINKED[0]] or fit
    return best[0]["href"] if best else ""


def plain(element: Element) -> bytes:
    """Return an alert inside a feed as a document of its own."""
    for one in element.iter():
        one.attrib.clear()
    element.tail = None
    return bytes(tostring(element, encoding="utf-8"))
