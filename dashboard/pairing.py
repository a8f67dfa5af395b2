"""Pairing a screen 配对: the page with the code, what it asks while it waits, and a wall's next secret."""

import asyncio
import html
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config import clock
from config.words import Words
from dashboard import asgi
from dashboard.access import wall_cookie, wall_secret
from dashboard.answers import RETRY_SECONDS, json_answer, problem
from dashboard.pages import LANGUAGE_TAGS, language, language_cookie
from dashboard.parts import Asker, Parts, Shared
from dashboard.signin import waiting_page
from dashboard.socket import size_of
from operations import pairings, walls
from operations.errors import DatabaseTrouble, NotFound, Refused
from operations.pairings import Pairing

router = APIRouter(include_in_schema=False)

ROTATE = "/wall/rotate"
COOKIE_SECONDS = 400 * 86_400
"""The longest a browser keeps a cookie; every rotation begins it anew."""
DEVICE_COOKIE = "gridwall_device"
"""Tells the page of a paired screen, which cannot read the secret, that it has one; it is no secret."""
CROWDED_SECONDS = 30
HOUR_S = 3_600

PAGE = """<!DOCTYPE html>
<html lang="{tag}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · {product}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/tokens.css"><link rel="stylesheet" href="/assets/pair.css">
<noscript><meta http-equiv="refresh" content="{refresh}"></noscript>
<script defer src="/assets/pair.js"></script>
</head>
<body class="pair" data-expires="{seconds}" data-ended="{ended}" data-left="{left}" data-away="{away}">
<main>
<header><b>{product}</b><h1>{title}</h1></header>
{notice}{body}
<footer><span class="pair-state" role="status">{state}</span>
<a href="/signin?lang={lang}">{signin}</a><a href="/pair?{other_query}" hreflang="{other}">{other_language}</a></footer>
</main></body>
</html>"""
CODE = """<p class="pair-code" aria-label="{label}">{groups}</p>
<ol class="pair-steps"><li>{open_page} <b>{address}</b></li><li>{type_code}</li><li>{wait}</li></ol>"""
NOTICE = '<p class="pair-notice" role="alert">{text}</p>'


@router.get("/pair")
async def show(request: Request, shared: Shared, ended: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Show a screen its code; one that has been paired goes on to the wall."""
    held, words = wall_secret(request.scope), Words(language(request.scope))
    agent, host = request.headers.get("user-agent", ""), asgi.address(request.scope)
    try:
        if held and await shared.gate.wall(held) is not None:
            return paired(request, RedirectResponse(onward(request), 303))
        revoked = ended == "revoked" or (
            bool(held) and await asyncio.to_thread(walls.was_revoked, shared.database, held)
        )
        found, claim = await asyncio.to_thread(
            pairings.begin, shared.database, held, now=clock.now(), agent=agent, address=host
        )
    except Refused as error:
        said = words.text(error.code, **error.params)
        crowded = HTMLResponse(page(request, words, None, said, "crowded"), 429)
        crowded.headers["retry-after"] = str(CROWDED_SECONDS)
        return crowded
    except DatabaseTrouble:
        return HTMLResponse(waiting_page(words, RETRY_SECONDS), 503, {"retry-after": str(RETRY_SECONDS)})
    said = words.text("pair.revoked") if revoked else ""
    response = HTMLResponse(page(request, words, found, said, "revoked" if revoked else ""))
    if claim != held:
        keep(request, response, claim)
        response.delete_cookie(DEVICE_COOKIE, path="/")
    if "lang" in request.query_params:
        response.headers.append("set-cookie", language_cookie(request.scope))
    return response


@router.get("/pair/state")
async def state(request: Request, shared: Shared, size: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Tell a waiting screen how it stands: waiting, paired, or over (its code does not count any more)."""
    held = wall_secret(request.scope)
    if held and await shared.actions.wallbook.waits(held):
        if size_of(size):
            await asyncio.to_thread(pairings.note_size, shared.database, held, size_of(size))
        return json_answer({"state": "waiting"})
    if held and await shared.gate.wall(held) is not None:
        return paired(request, json_answer({"state": "paired"}))
    return json_answer({"state": "over"})


@router.post(ROTATE)
async def rotate(request: Request, shared: Shared, asker: Asker) -> Response:
    """Give the wall that asks its next secret, and tell when to ask again."""
    held = wall_secret(request.scope)
    try:
        following = await asyncio.to_thread(
            walls.rotate, shared.database, held, now=clock.now(), after_commit=shared.port.ring
        )
    except NotFound as error:  # revoked in this moment
        return problem(404, error)
    response = paired(request, json_answer({"again_s": again_s(shared)}))
    keep(request, response, following)
    return response


def again_s(shared: Parts) -> int:
    """Return after how many seconds a wall asks for its next secret."""
    return shared.settings.wall_rotation_hours * HOUR_S


def keep(request: Request, response: Response, secret: str) -> None:
    """Set the wall's cookie: out of reach of scripts and of other sites."""
    response.set_cookie(
        wall_cookie(request.scope),
        secret,
        max_age=COOKIE_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=asgi.secure(request.scope),
    )


def paired(request: Request, response: Response) -> Response:
    """Return the answer with the mark of a paired screen."""
    secure = asgi.secure(request.scope)
    response.set_cookie(DEVICE_COOKIE, "1", max_age=COOKIE_SECONDS, path="/", samesite="lax", secure=secure)
    return response


def onward(request: Request) -> str:
    """Return the wall's address with what the screen was called with: language and lens."""
    asked = re.sub(r"(^|&)ended=[^&]*", "", request.url.query).strip("&")
    return f"/wall?{asked}" if asked else "/wall"


def page(request: Request, words: Words, found: Pairing | None, said: str, ended: str) -> str:
    """Return the page: the code in two groups and how to use it, or why there is none."""
    text = {key: html.escape(value) for key, value in words.under("pair").items()}
    other = "en" if words.lang == "zh" else "zh"
    seconds = CROWDED_SECONDS
    body = ""
    if found is not None:
        seconds = max(1, -(-(found.expires_at - clock.now()) // 1_000_000))
        groups = " ".join(f"<span>{group}</span>" for group in pairings.shown(found.code).split())
        address = html.escape(f"{request.url.scheme}://{request.url.netloc}/walls")
        steps = {name: text[name] for name in ("open_page", "type_code", "wait")}
        body = CODE.format(groups=groups, label=text["code"], address=address, **steps)
    return PAGE.format(
        tag=LANGUAGE_TAGS[words.lang],
        lang=words.lang,
        product=html.escape(words.text("common.product")),
        notice=NOTICE.format(text=html.escape(said)) if said else "",
        body=body,
        seconds=seconds,
        refresh=min(seconds, RETRY_SECONDS),
        ended=html.escape(ended),
        state=text["waiting"] if found is not None else text["crowded"],
        other=other,
        other_query=html.escape(f"lang={other}" + (f"&ended={ended}" if ended else "")),
        **{name: text[name] for name in ("title", "left", "away", "signin", "other_language")},
    )
