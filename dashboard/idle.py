"""A desk that stands idle (锁屏): its browser tells when somebody touches it, asks how it stands, and unlocks it.

The server decides: it locks by the last touch it was told of (`operations.sessions`), whatever the browser shows.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from config.words import Words, choose
from dashboard import asgi
from dashboard.access import safe_next, session_secret
from dashboard.answers import json_answer, refusal
from dashboard.door import CHECKS, shown, told, words_for
from dashboard.own import BY_PASSWORD, way
from dashboard.parts import Asker, Shared
from dashboard.stage_pages import unlock_page
from operations import audit
from operations.errors import Refused

router = APIRouter(include_in_schema=False, prefix="/session")
AGO_MOST = 3_600
LOCKED, WRONG = 423, 401


@router.get("")
async def standing(request: Request, shared: Shared, lang: str = "") -> Response:
    """Return how the desk stands, and the words its lock says."""
    held = await asyncio.to_thread(shared.own.held, session_secret(request.scope))
    if held is None:
        return refusal(WRONG, "signin.expired")
    words = Words(choose(lang)).under("signin.lock")
    return json_answer(shared.own.standing(held) | {"name": held.account.name, "words": words})


@router.post("/active")
async def touched(shared: Shared, identity: Asker, ago: Annotated[int, Query(ge=0, le=AGO_MOST)] = 0) -> Response:
    """Note that somebody touched the desk `ago` seconds ago."""
    awake = await asyncio.to_thread(shared.own.touched, identity, ago)
    return Response(status_code=204) if awake else refusal(LOCKED, "access.locked")


@router.get("/unlock")
async def show(
    request: Request, shared: Shared, identity: Asker, following: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Show the page that opens a locked desk."""
    path = safe_next(following)
    held = await asyncio.to_thread(shared.own.held, session_secret(request.scope))
    if held is None or not identity.locked:
        return RedirectResponse(path, 303)
    by_password = way(held) == BY_PASSWORD
    return shown(request, unlock_page(words_for(request, path), path, identity.name, by_password=by_password))


@router.post("/unlock")
async def unlock(
    request: Request,
    shared: Shared,
    identity: Asker,
    password: Annotated[str, Form()] = "",
    following: Annotated[str, Query(alias="next")] = "/",
) -> Response:
    """Open a locked desk by the password: 204 for a script, else on to `next`."""
    path, words = safe_next(following), words_for(request, safe_next(following))
    by_script = "text/html" not in asgi.header(request.scope, "accept")
    secret = session_secret(request.scope)
    held = await asyncio.to_thread(shared.own.held, secret)
    if held is None:
        return refusal(WRONG, "signin.expired")
    try:
        async with CHECKS:
            await asyncio.to_thread(shared.own.unlock, identity, held, password)
    except Refused as refused:
        reason = "wait" if "seconds" in refused.params else "unlock"
        shared.trail.note(audit.signin_failed(identity.name, reason, asgi.address(request.scope)))
        message = told(words, refused)
        if by_script:
            return json_answer({"text": message}, WRONG)
        page = unlock_page(words, path, identity.name, by_password=way(held) == BY_PASSWORD, message=message)
        return shown(request, page, WRONG)
    shared.gate.forget(secret)
    return Response(status_code=204) if by_script else RedirectResponse(path, 303)
