"""Signing in by an identity provider 统一身份认证登录: the way there and back; `dashboard.provider` talks to it."""

import asyncio
import hmac
import logging
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from config import clock
from dashboard import asgi
from dashboard.access import safe_next
from dashboard.door import entered, going, shown, words_for
from dashboard.own import Entry, sender
from dashboard.parts import Parts, Shared
from dashboard.provider import ProviderAway, ProviderWrong
from dashboard.signin import signin_page
from operations import audit, claims, external, secret
from operations.claims import RulesWrong
from operations.errors import DatabaseTrouble, Refused
from streams.errors import EngineAway, EngineMisconfigured

router = APIRouter(include_in_schema=False, prefix="/signin/oidc")

COOKIE = "gridwall_oidc"
PATH = "/signin/oidc"
BACK = PATH + "/back"
WHILE_SECONDS = 600
"""How long somebody may take at the provider."""
SECRET_MOST = 100
TYPED_MOST = 4_000
RULES = "oidc.toml"

log = logging.getLogger(__name__)


class Begun(msgspec.Struct, frozen=True):
    """A sign-in under way: the digest of the browser's secret, and where it is to lead."""

    browser: str
    following: str


class Unwelcome(Exception):
    """Somebody cannot be signed in; `key` of the text, `status`, and the class of the failure for the audit."""

    def __init__(self, key: str, status: int, reason: str = "provider", name: str = "") -> None:
        super().__init__(key)
        self.key, self.status, self.reason, self.name = key, status, reason, name


@router.get("")
async def leave(request: Request, shared: Shared, following: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Send the browser to the provider, with a state that only this browser can bring back, once."""
    path = safe_next(following)
    try:
        if not shared.provider.there:
            raise Unwelcome("oidc.none", 404, reason="")
        browser, state = browser_secret(request) or secret.make(), secret.make()
        begun = Begun(digest(browser), path)
        address = await shared.provider.address(state, browser, back(request))
        await shared.port.once.keep(digest(state), msgspec.json.encode(begun), WHILE_SECONDS)
    except ProviderAway as error:
        log.warning("the identity provider is away: %s", error)
        return unwelcome(request, shared, Unwelcome("oidc.away", 503, reason=""), path)
    except (EngineAway, EngineMisconfigured):
        return unwelcome(request, shared, Unwelcome("oidc.busy", 503, reason=""), path)
    except Unwelcome as error:
        return unwelcome(request, shared, error, path)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        COOKIE,
        browser,
        path=PATH,
        max_age=WHILE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=asgi.secure(request.scope),
    )
    return response


@router.get("/back")
async def come(
    request: Request,
    shared: Shared,
    code: str = "",
    state: str = "",
    error: str = "",
    iss: str = "",
) -> Response:
    """Sign in whoever comes back from the provider with a code that it stands for."""
    path = "/"
    try:
        begun, browser = await returned(request, shared, state)
        path = safe_next(begun.following)
        if error or not code or len(code) > TYPED_MOST:
            raise Unwelcome("oidc.denied", 403)
        if iss and iss != shared.provider.issuer:
            raise Unwelcome("oidc.wrong", 403)
        found = await shared.provider.claims(code, state, browser, back(request), clock.now())
        opened = await asyncio.to_thread(signed_in, request, shared, found)
    except ProviderAway as away:
        log.warning("the identity provider is away: %s", away)
        return unwelcome(request, shared, Unwelcome("oidc.away", 503, reason=""), path)
    except ProviderWrong as wrong:
        log.warning("a sign-in by the identity provider is not believed: %s", wrong)
        return unwelcome(request, shared, Unwelcome("oidc.wrong", 403), path)
    except (EngineAway, EngineMisconfigured, DatabaseTrouble):
        return unwelcome(request, shared, Unwelcome("oidc.busy", 503, reason=""), path)
    except Unwelcome as refused:
        return unwelcome(request, shared, refused, path)
    response = entered(request, opened.secret, going(opened.stage, path))
    response.delete_cookie(COOKIE, path=PATH)
    return response


async def returned(request: Request, shared: Parts, state: str) -> tuple[Begun, str]:
    """Return the sign-in that `state` belongs to, and the browser's secret: once, and to this browser only."""
    kept = await shared.port.once.take(digest(state)) if 0 < len(state) <= SECRET_MOST else None
    browser = browser_secret(request)
    if kept is None or not browser:
        raise Unwelcome("oidc.stale", 400)
    begun = msgspec.json.decode(kept, type=Begun)
    if not hmac.compare_digest(begun.browser, digest(browser)):
        raise Unwelcome("oidc.stale", 400)
    return begun, browser


def signed_in(request: Request, shared: Parts, found: Mapping[str, Any]) -> Entry:
    """Return a new session for whom the claims describe. Raises Unwelcome, DatabaseTrouble."""
    person = person_of(shared.provider.issuer, found)
    try:
        grant = claims.granted(claims.load(shared.settings.data / RULES), found, shared.provider.claim)
        account = external.enter(shared.database, person, grant, now=clock.now(), after_commit=shared.port.ring)
    except RulesWrong as error:
        log.error("nobody signs in by the identity provider until its rules are mended: %s", error)
        raise Unwelcome("oidc.rules", 503, reason="") from error
    except Refused as error:
        key = REFUSALS.get(error.code, "oidc.unmapped")
        raise Unwelcome(key, 403, key.removeprefix("oidc."), person.name) from error
    return shared.own.welcome(account, sender(request.scope), proven=grant.second_factor)


REFUSALS = {
    "operations.claims_unmapped": "oidc.unmapped",
    "operations.claims_jurisdiction": "oidc.jurisdiction",
    "operations.claims_separated": "oidc.separated",
    "operations.account_separated": "oidc.separated",
    "operations.account_last": "oidc.last",
    "operations.account_off": "oidc.off",
}


def person_of(issuer: str, found: Mapping[str, Any]) -> external.Person:
    """Return whom claims describe; a claim that is no text counts as none."""
    told = {name: found[name] for name in ("preferred_username", "name") if isinstance(found.get(name), str)}
    name = told.get("preferred_username") or (found["sub"] if "@" not in found["sub"] else "")
    return external.Person(issuer, found["sub"], name, told.get("name", ""))


def unwelcome(request: Request, shared: Parts, why: Unwelcome, path: str) -> Response:
    """Return the sign-in page that says why; local accounts can go on from there."""
    if why.reason:
        shared.trail.note(audit.signin_failed(why.name, why.reason, asgi.address(request.scope)))
    words = words_for(request, path)
    name = shared.provider.name(words)
    page = signin_page(words, path, words.text(why.key, name=name), provider=name)
    return shown(request, page, why.status)


def back(request: Request) -> str:
    """Return where the provider sends the browser back to: this server as the browser calls it."""
    scheme = "https" if asgi.secure(request.scope) else "http"
    return f"{scheme}://{request.headers.get('host', '')}{BACK}"


def browser_secret(request: Request) -> str:
    """Return the secret that a browser holds while it is away, or ""."""
    held = asgi.cookies(request.scope).get(COOKIE, "")
    return held if len(held) <= SECRET_MOST else ""


def digest(value: str) -> str:
    """Return what is kept of a state or of a browser's secret."""
    return secret.digest(value).hex()
