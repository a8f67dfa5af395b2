"""What is left of signing in after a right password (登录的后续步骤): second factor, new password, enrolment."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from config.words import Words
from dashboard import asgi
from dashboard.access import safe_next, session_secret
from dashboard.answers import said
from dashboard.door import CHECKS, busy, entered, going, kept, shown, uncookied, words_for
from dashboard.own import Entry
from dashboard.parts import Asker, Parts, Shared
from dashboard.stage_pages import code_page, codes_page, enrol_page, password_page
from operations import audit
from operations.errors import DatabaseTrouble, NotFound, Refused
from operations.own_account import CODE, ENROL, PASSWORD
from operations.policy import Identity

router = APIRouter(include_in_schema=False, prefix="/signin")
Following = Annotated[str, Query(alias="next")]
Typed = Annotated[str, Form()]
TYPED_MOST = 1_000
Taken = tuple[Entry, list[str]]
"""How it goes on, and recovery codes to be shown once."""


@router.get("/next")
async def lead(request: Request, shared: Shared, following: Following = "/") -> Response:
    """Lead to the stage that is next."""
    held = await asyncio.to_thread(shared.own.held, session_secret(request.scope))
    stage = held.stage if held is not None else ""
    return RedirectResponse(going(stage, safe_next(following)), 303)


@router.get("/code")
@router.get("/password")
@router.get("/enrol")
async def show(request: Request, shared: Shared, identity: Asker, following: Following = "/") -> Response:
    """Show a stage's form; at another stage lead there."""
    asked = request.url.path.rpartition("/")[2]
    held = await asyncio.to_thread(shared.own.held, session_secret(request.scope))
    path = safe_next(following)
    if held is None or held.stage != asked:
        return RedirectResponse(going(held.stage if held is not None else "", path), 303)
    page = await asyncio.to_thread(_form, asked, shared, identity, words_for(request, path), path)
    return shown(request, page)


@router.post("/code")
async def prove(
    request: Request, shared: Shared, identity: Asker, code: Typed = "", following: Following = "/"
) -> Response:
    """Take a code of the second factor, or a recovery code."""
    return await _step(request, shared, CODE, following, lambda: (shared.own.prove(identity, code[:TYPED_MOST]), []))


@router.post("/password")
async def choose(
    request: Request,
    shared: Shared,
    identity: Asker,
    password: Typed = "",
    again: Typed = "",
    following: Following = "/",
) -> Response:
    """Take another password, typed twice."""

    def take() -> Taken:
        if password != again:
            raise Refused("operations.password_twice")
        return shared.own.begin(identity, password), []

    return await _step(request, shared, PASSWORD, following, take)


@router.post("/enrol")
async def enrol(
    request: Request, shared: Shared, identity: Asker, code: Typed = "", following: Following = "/"
) -> Response:
    """Take the second factor and show its recovery codes, once."""
    return await _step(request, shared, ENROL, following, lambda: shared.own.bind(identity, code[:TYPED_MOST]))


@router.post("/leave")
async def leave(request: Request, shared: Shared) -> Response:
    """Give up signing in."""
    held = session_secret(request.scope)
    await asyncio.to_thread(shared.own.leave, held)
    shared.gate.forget(held)
    return uncookied(RedirectResponse("/signin", 303))


async def _step(request: Request, shared: Parts, stage: str, following: str, take: Callable[[], Taken]) -> Response:
    """Do a stage's step, then go on; what was wrong is said on its form."""
    path = safe_next(following)
    words = words_for(request, path)
    identity: Identity = request.scope["state"]["identity"]
    held = await asyncio.to_thread(shared.own.held, session_secret(request.scope))
    if held is None or held.stage != stage:  # sent twice, or out of turn
        return RedirectResponse(going(held.stage if held is not None else "", path), 303)
    try:
        async with CHECKS:
            entry, codes = await asyncio.to_thread(take)
    except Refused as refused:
        if stage == CODE:
            shared.trail.note(audit.signin_failed(identity.name, "code", asgi.address(request.scope)))
        message = said(words, refused.code, refused.params)
        return shown(request, await asyncio.to_thread(_form, stage, shared, identity, words, path, message), 401)
    except NotFound:  # it was ended meanwhile
        return RedirectResponse("/signin?ended=expired", 303)
    except DatabaseTrouble:
        page = await asyncio.to_thread(_form, stage, shared, identity, words, path, words.text("refused.failed"))
        return busy(request, page)
    shared.gate.forget(session_secret(request.scope))
    following_path = going(entry.stage, path)
    if codes:
        return kept(request, shown(request, codes_page(words, following_path, codes)), entry.secret)
    return entered(request, entry.secret, following_path)


def _form(stage: str, shared: Parts, identity: Identity, words: Words, path: str, message: str = "") -> str:
    if stage == CODE:
        return code_page(words, path, message)
    if stage == PASSWORD:
        return password_page(words, path, identity.name, shared.own.rules.password_least, message)
    secret, address = shared.own.offered(identity)
    return enrol_page(words, path, secret, address, message)
