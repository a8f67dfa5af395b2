"""Signing in and out (登录、退出): the routes behind the sign-in page."""

import asyncio
import ipaddress
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.words import Words, choose
from dashboard import asgi
from dashboard.access import COOKIE, COOKIES, cookie_name, safe_next, session_secret
from dashboard.agents import handheld
from dashboard.answers import RETRY_SECONDS
from dashboard.limits import Limits
from dashboard.own import sender
from dashboard.pages import language, language_cookie
from dashboard.parts import Parts, Shared
from dashboard.signin import language_of, signin_page
from operations import audit, policy
from operations.errors import DatabaseTrouble, Refused
from operations.policy import Identity

router = APIRouter(include_in_schema=False)

HOMES = (
    ("source.manage", "/sources"),
    ("account.manage", "/accounts"),
    ("audit.read", "/audit"),
    ("desk.view", "/desk"),
    ("order.answer", "/orders"),
    ("wall.view", "/wall"),
)
ENDS = {"out": "signin.signed_out", "expired": "signin.expired"}
"""What the sign-in page says of a session that has ended, by the `ended` of its address."""
NAME_MOST, PASSWORD_MOST = 100, 1_000
"""Characters that nobody's name or password exceeds; the form takes no more."""
CHECKS = asyncio.Semaphore(2)
"""Passwords checked at once: each costs a processor some 50 ms and 64 MiB, on purpose."""


@router.get("/")
async def home(request: Request) -> Response:
    """Send whoever is signed in to the page that is theirs."""
    identity: Identity = request.scope["state"]["identity"]
    return RedirectResponse(home_of(identity, handheld=handheld(request.headers.get("user-agent", ""))), 303)


def home_of(identity: Identity, *, handheld: bool = False) -> str:
    """Return the page an identity starts on: on a phone, of who answers orders and sends none, their orders."""
    if handheld and policy.allowed(identity, "order.answer") and not policy.allowed(identity, "order.send"):
        return "/orders"
    return next((path for permission, path in HOMES if policy.allowed(identity, permission)), "/api/docs")


@router.get("/signin")
async def show(
    request: Request,
    shared: Shared,
    following: Annotated[str, Query(alias="next")] = "/",
    once: str = "",
    ended: str = "",
) -> Response:
    """Show the sign-in page, or sign in by a one-time link (`once`) opened on this machine."""
    path = safe_next(following)
    words = words_for(request, path)
    if not once:
        said = words.text(ENDS[ended]) if ended in ENDS else ""
        return shown(request, form(shared, words, path, said))
    if not is_loopback(request):
        return shown(request, form(shared, words, path, words.text("signin.link_remote")), 403)
    try:
        entry = await asyncio.to_thread(shared.own.redeem, once, sender(request.scope))
    except Refused:
        shared.trail.note(audit.signin_failed("", "link", asgi.address(request.scope)))
        return shown(request, form(shared, words, path, words.text("signin.link_spent")), 403)
    except DatabaseTrouble:
        return busy(request, form(shared, words, path, words.text("refused.failed")))
    return entered(request, entry.secret, going(entry.stage, path))


@router.post("/signin")
async def enter(
    request: Request,
    shared: Shared,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    following: Annotated[str, Query(alias="next")] = "/",
) -> Response:
    """Sign in by name and password; every failure makes the next try wait longer."""
    path = safe_next(following)
    words = words_for(request, path)
    if len(name) > NAME_MOST or len(password) > PASSWORD_MOST:
        return shown(request, form(shared, words, path, words.text("signin.failed")), 401)
    if wait := await Limits(shared.port.attempts).name(name, request.scope):
        shared.trail.note(audit.signin_failed(name, "limited", asgi.address(request.scope)))
        response = shown(request, form(shared, words, path, words.text("access.too_many"), name), 429)
        response.headers["retry-after"] = str(wait)
        return response
    try:
        async with CHECKS:
            entry = await asyncio.to_thread(shared.own.enter, name, password, sender(request.scope))
    except Refused as refused:
        reason = "wait" if "seconds" in refused.params else "wrong"
        shared.trail.note(audit.signin_failed(name, reason, asgi.address(request.scope)))
        return shown(request, form(shared, words, path, told(words, refused), name), 401)
    except DatabaseTrouble:
        return busy(request, form(shared, words, path, words.text("refused.failed"), name))
    return entered(request, entry.secret, going(entry.stage, path))


@router.post("/signout")
async def leave(request: Request, shared: Shared, following: Annotated[str, Query(alias="next")] = "") -> Response:
    """Sign out: the session ends on the server, its screens with it. `next`: where to go on after signing in again."""
    held = session_secret(request.scope)
    if held:
        try:
            await asyncio.to_thread(shared.own.leave, held)
        except DatabaseTrouble:  # the session goes on, and so does its cookie: one may try again
            words = Words(language(request.scope))
            return busy(request, form(shared, words, "/", words.text("refused.failed")))
        shared.gate.forget(held)
    on = "&next=" + quote(safe_next(following), safe="") if following else ""
    return uncookied(RedirectResponse("/signin?ended=out" + on, 303))


def uncookied(response: Response) -> Response:
    """Return the response with the session's cookie taken away."""
    for name in COOKIES:
        response.delete_cookie(name, path="/", secure=name != COOKIE, httponly=True, samesite="lax")
    return response


def words_for(request: Request, path: str) -> Words:
    """Return the texts of the sign-in page in the language of the page `path` it leads to."""
    return Words(choose(language_of(asgi.query(request.scope).get("lang"), path, request.cookies.get("lang"))))


def form(shared: Parts, words: Words, path: str, message: str = "", given: str = "") -> str:
    """Return the sign-in page, with the way to the identity provider where one is set."""
    return signin_page(words, path, message, given, provider=shared.provider.name(words))


def told(words: Words, refused: Refused) -> str:
    """Return what the person is told who could not sign in."""
    if "seconds" in refused.params:
        return words.text("signin.wait", seconds=refused.params["seconds"])
    return words.text("signin.failed")


def shown(request: Request, page: str, status: int = 200) -> Response:
    """Return the sign-in page, remembering the language that was asked for."""
    response = HTMLResponse(page, status)
    remember_language(request, response)
    return response


def busy(request: Request, page: str) -> Response:
    """Return the sign-in page while the database cannot be written; the same try succeeds once it can."""
    response = shown(request, page, 503)
    response.headers["retry-after"] = str(RETRY_SECONDS)
    return response


def entered(request: Request, secret: str, path: str) -> Response:
    """Return the way on with the session's cookie: out of reach of scripts and of other sites."""
    response = RedirectResponse(path, 303)
    remember_language(request, response)
    return kept(request, response, secret)


def kept(request: Request, response: Response, secret: str) -> Response:
    """Return the response with the session's cookie."""
    name, secure = cookie_name(request.scope), asgi.secure(request.scope)
    response.set_cookie(name, secret, path="/", httponly=True, samesite="lax", secure=secure)
    return response


def going(stage: str, path: str) -> str:
    """Return where somebody goes on who is signed in but for a stage, "" for nothing."""
    return f"/signin/{stage}?next={quote(path, safe='')}" if stage else path


def remember_language(request: Request, response: Response) -> None:
    """Keep the language that was asked for."""
    if "lang" in request.query_params:
        response.headers.append("set-cookie", language_cookie(request.scope))


def is_loopback(request: Request) -> bool:
    """Return whether the request came from this machine; a proxy that says otherwise is believed."""
    try:
        near = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return near and "x-forwarded-for" not in request.headers and "forwarded" not in request.headers
