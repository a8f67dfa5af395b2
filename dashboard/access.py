"""The one gate (访问控制): plain ASGI over HTTP and WebSocket, reading one table, deny by default.

Who asks is known by a session cookie or a bearer token; what they may do stands in `operations.policy` and nowhere
else. A request whose route is not in the table never reaches the application. Because it is plain ASGI it sees
WebSockets too, which Starlette's `BaseHTTPMiddleware` does not.
"""

from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

import orjson

from config.words import LANGUAGES, Words
from dashboard import jurisdiction
from dashboard.answers import RETRY_SECONDS
from dashboard.asgi import (
    ASGI,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    address,
    cookies,
    header,
    query,
    respond,
    secure,
)
from dashboard.limits import Limits
from dashboard.pages import language
from dashboard.signin import refused_page, waiting_page
from operations import audit, journal, mandate, policy
from operations.errors import DatabaseTrouble
from operations.policy import ANONYMOUS, Identity

COOKIE = "gridwall_session"
WALL_COOKIE = "gridwall_wall"
"""Holds a wall's secret, or the claim of a screen that waits to be paired."""
COOKIES = (COOKIE, f"__Host-{COOKIE}")
"""Names of the session's cookie; behind TLS the second one, which no other host can plant (RFC 6265bis §4.1.3)."""
WALL_COOKIES = (WALL_COOKIE, f"__Host-{WALL_COOKIE}")
STATE_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BODY_MOST = 1024 * 1024
"""Bytes of a request's body where the route has no bound of its own."""
LISTS = ("/uploads/accounts", "/uploads/departments")
OWN_BOUND = frozenset({"/api/v1/reports", "/api/v1/warnings", "/uploads/table", "/uploads/grids", *LISTS})
OWN_BOUND_UNDER = "/attachments/"
OWN_KEY_UNDER = "/engines/"
"""What is under it is proved by a key in the address; a browser that sends its cookies has no business there."""
NOT_SIGNED_IN, FORBIDDEN, CROSS_ORIGIN, TRY_LATER = 4401, 4403, 4403, 1013

_current: ContextVar[Identity] = ContextVar("identity", default=ANONYMOUS)


def current() -> Identity:
    """Return who asks in the request being served; for Dash callbacks, which are handed no request."""
    return _current.get()


Taking = Callable[[audit.Note], None]


class Gate(Protocol):
    """Tells who holds a secret; None when it is wrong, expired or revoked. Raises DatabaseTrouble: nobody knows now."""

    async def session(self, secret: str) -> Identity | None:
        """Return who holds this session."""

    async def token(self, secret: str, address: str) -> Identity | None:
        """Return who holds this token, asking from this address."""

    async def wall(self, secret: str) -> Identity | None:
        """Return which wall holds this secret."""


class BodyTooLarge(Exception):
    """The request's body passed the bound while it was read."""


class Access:
    """ASGI middleware: identity into `scope["state"]["identity"]`, or an answer of its own."""

    def __init__(
        self,
        app: ASGI,
        gate: Gate,
        *,
        scripts: Callable[[], Collection[str]],
        note: Taking = lambda _note: None,
        limits: Limits | None = None,
    ) -> None:
        self._app = app
        self._gate = gate
        self._take = note
        self._limits = limits
        self._scripts = scripts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request if the table lets its sender in."""
        if scope["type"] == "http":
            await self._http(scope, receive, self._with_headers(scope, send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        ambient = bears_cookie(scope) and (not path.startswith(OWN_KEY_UNDER) or bool(header(scope, "cookie")))
        if self._limits is not None and (wait := await self._limits.request(scope)):
            self._note(scope, ANONYMOUS, "limited")
            await too_many(scope, send, wait)
            return
        try:
            identity = await identified(self._gate, scope)
        except DatabaseTrouble:
            if not policy.admits(ANONYMOUS, method, path):
                await unavailable(scope, send)
                return
            identity = ANONYMOUS
        if not policy.admits(identity, method, path):
            await self._refuse(scope, send, identity)
        elif method in STATE_CHANGING and ambient and not same_origin(scope):
            self._note(scope, identity, "origin")
            await answer(scope, send, 403, "signin.origin")
        else:
            await (self._serve if path in OWN_BOUND or path.startswith(OWN_BOUND_UNDER) else self._bounded)(
                scope, receive, send, identity
            )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            identity, ambient = await identified(self._gate, scope), bears_cookie(scope)
        except DatabaseTrouble:
            await refuse_for_now(scope, receive, send)
            return
        origin_given = bool(header(scope, "origin"))
        if not policy.admits(identity, "WS", scope["path"]):
            self._note(scope, identity, why_not(scope, identity))
            await self._wrong(scope, identity)
            await close(receive, send, NOT_SIGNED_IN if identity is ANONYMOUS else FORBIDDEN)
        elif (ambient or origin_given) and not same_origin(scope):
            self._note(scope, identity, "origin")
            await close(receive, send, CROSS_ORIGIN)
        else:
            await self._serve(scope, receive, send, identity)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, identity: Identity) -> None:
        body = Body(receive, send)
        try:
            await self._serve(scope, body.receive, body.send, identity)
        except Exception:  # the application turns BodyTooLarge into what it likes
            if not body.too_large:
                raise
        if body.too_large and not body.answered:
            await answer(scope, send, 413, "access.too_large")

    async def _serve(self, scope: Scope, receive: Receive, send: Send, identity: Identity) -> None:
        scope.setdefault("state", {})["identity"] = identity
        mark, held = _current.set(identity), journal.mandate.set(mandate.of(identity))
        try:
            await self._app(scope, receive, send)
        finally:
            _current.reset(mark)
            journal.mandate.reset(held)

    async def _refuse(self, scope: Scope, send: Send, identity: Identity) -> None:
        action = policy.permission_for(scope["method"], scope["path"])
        if wants_page(scope) and (way := self._way_on(identity, action)):
            await redirect(send, way + "?next=" + quote(safe_next(full_path(scope)), safe=""))
            return
        if identity.kind in ("anonymous", "wall") and wants_page(scope):  # to be asked to sign in is no refusal
            await redirect(send, way_in(scope, identity))
            return
        self._note(scope, identity, why_not(scope, identity))
        if wait := await self._wrong(scope, identity):
            await too_many(scope, send, wait)
        elif identity is ANONYMOUS:
            await answer(scope, send, 401, unknown(scope), [(b"www-authenticate", b'Bearer realm="gridwall"')])
        elif action is not None and policy.locked_out(identity, action):
            await answer(scope, send, 423, "access.locked")
        elif action is not None:
            await answer(scope, send, 403, forbidden(scope, identity, action), identity=identity)
        else:
            await answer(scope, send, 404, "refused.not_found", identity=identity)

    def _way_on(self, identity: Identity, action: str | None) -> str:
        """Return the page where somebody finishes signing in, or opens a desk that stood idle, before anything else."""
        if identity.role == "pending":
            return "/signin/next"
        locked = action is not None and policy.locked_out(identity, action)
        return "/session/unlock" if locked and identity.kind == "account" else ""

    def _note(self, scope: Scope, identity: Identity, reason: str) -> None:
        self._take(audit.refused(identity, method_of(scope), scope["path"], reason, address(scope)))

    async def _wrong(self, scope: Scope, identity: Identity) -> int:
        """Count a token that nobody holds; return 0 or the seconds to wait."""
        counted = self._limits is not None and identity is ANONYMOUS and not bears_cookie(scope)
        return await self._limits.wrong_token(scope) if counted and self._limits else 0

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers(scope, message)]
            await send(message)

        return sending

    def _headers(self, scope: Scope, message: Message) -> Headers:
        given = {name.lower() for name, _ in message.get("headers", [])}
        headers = [(b"content-security-policy", content_policy(self._scripts())), *FIXED_HEADERS]
        if b"cache-control" not in given:
            kept = b"no-cache" if scope["path"].startswith("/assets/") else b"no-store"
            headers.append((b"cache-control", kept))
        if secure(scope):
            headers.append((b"strict-transport-security", b"max-age=31536000"))
        return headers


async def identified(gate: Gate, scope: Mapping[str, Any]) -> Identity:
    """Return who sent a request: by its bearer token if it has one, else by the cookies of a session and of a wall."""
    for one in proofs(scope):
        if one.kind == "token":
            found = await gate.token(one.secret, one.address)
        else:
            found = await (gate.session if one.kind == "session" else gate.wall)(one.secret)
        if found is not None:
            return found
    return ANONYMOUS


class Proof(NamedTuple):
    """What proves who somebody is: a "session", a "token" or a "wall", its secret, and where a token is used from."""

    kind: str
    secret: str
    address: str = ""


def proofs(scope: Mapping[str, Any]) -> list[Proof]:
    """Return what a request proves its sender by, in the order it is believed.

    In a browser that is a wall and has a person signed in, the wall's page is the device's and all others the person's.
    """
    if not bears_cookie(scope):
        return [Proof("token", header(scope, "authorization").partition(" ")[2].strip(), address(scope))]
    found = [Proof("session", session_secret(scope)), Proof("wall", wall_secret(scope))]
    if of_a_wall(scope):
        found.reverse()
    return [one for one in found if one.secret]


def lasting(scope: Mapping[str, Any], identity: Identity) -> Proof:
    """Return what a connection that lasts is held by: a wall by its id, for its secret replaces itself meanwhile."""
    if identity.kind == "wall":
        return Proof("wall", identity.id)
    return next(one for one in proofs(scope) if one.kind != "wall")


def of_a_wall(scope: Mapping[str, Any]) -> bool:
    """Say whether a request is for the wall's page, its live channel or its live pictures."""
    path = scope["path"]
    if path == "/live" or path.startswith("/video/"):
        return bool(query(scope).get("page") == "wall")
    return bool(path == "/wall" or path.startswith("/wall/"))


def way_in(scope: Mapping[str, Any], identity: Identity) -> str:
    """Return where a browser goes that may not see a page: a screen to be paired, a person to sign in."""
    if identity.kind == "wall" and scope["path"] == "/":
        return "/wall"
    if of_a_wall(scope) and (wall_secret(scope) or not session_secret(scope)):
        return full_path({**scope, "path": "/pair"})
    ended = "&ended=expired" if session_secret(scope) else ""
    return "/signin?next=" + quote(safe_next(full_path(scope)), safe="") + ended


def cookie_name(scope: Mapping[str, Any]) -> str:
    """Return the name of the session's cookie on this connection."""
    return COOKIES[secure(scope)]


def session_secret(scope: Mapping[str, Any]) -> str:
    """Return the secret of the session a request comes with, or an empty string."""
    return cookies(scope).get(cookie_name(scope), "")


def wall_cookie(scope: Mapping[str, Any]) -> str:
    """Return the name of a wall's cookie on this connection; behind TLS no other host can plant it either."""
    return WALL_COOKIES[secure(scope)]


def wall_secret(scope: Mapping[str, Any]) -> str:
    """Return the secret of the wall, or the claim of the waiting screen, a request comes with, or an empty string."""
    return cookies(scope).get(wall_cookie(scope), "")


def bears_cookie(scope: Mapping[str, Any]) -> bool:
    """Say whether what proves the sender is something a browser sends unasked."""
    return header(scope, "authorization").partition(" ")[0].lower() != "bearer"


def method_of(scope: Mapping[str, Any]) -> str:
    """Return a request's method as the route table has it."""
    return "WS" if scope["type"] == "websocket" else str(scope["method"])


def why_not(scope: Mapping[str, Any], identity: Identity) -> str:
    """Return the class of a refusal: secret (a wrong or ended one, or none), locked, unknown route, or forbidden."""
    if identity is ANONYMOUS:
        return "secret"
    if policy.permission_for(method_of(scope), scope["path"]) is None:
        return "unknown"
    return "locked" if identity.locked else "forbidden"


def unknown(scope: Mapping[str, Any]) -> str:
    """Return the text for a sender nobody knows: by a token, by a program, or by a page whose session has ended."""
    if not bears_cookie(scope):
        return "access.token_wrong"
    return "access.sign_in" if scope["path"].startswith(FOR_PROGRAMS) else "signin.expired"


FOR_PROGRAMS = ("/api/v1", "/api/openapi.json", "/metrics")
FOR_SCRIPTS = ("/video/",)
"""What pages fetch by themselves: a redirect would be followed, and the page it leads to may change cookies."""

FIXED_HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(self), payment=()"),
]
"""A recipient who arrives may say where; the browser asks them each time."""


def content_policy(script_hashes: Collection[str]) -> bytes:
    """Return the content security policy: nothing from outside, no eval, only the inline scripts Dash wrote.

    Inline styles stay allowed: Leaflet, plotly and ag-grid place things by style attributes and style elements.
    """
    scripts = " ".join(["'self'", *sorted(script_hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; media-src 'self' data: blob:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ).encode()


def same_origin(scope: Mapping[str, Any]) -> bool:
    """Return whether a browser says that one of our own pages sent this; without a word from it: no."""
    origin = header(scope, "origin")
    if not origin:
        return header(scope, "sec-fetch-site") == "same-origin"
    sent = urlsplit(origin)
    return sent.scheme in ("http", "https") and sent.netloc.lower() == header(scope, "host").lower()


def safe_next(path: str) -> str:
    """Return `path` if it stays on this server and is no longer than addresses are, else the home page."""
    unsafe = (
        len(path) > PATH_MOST
        or not path.startswith("/")
        or path.startswith("//")
        or "\\" in path
        or any(ord(c) < 32 for c in path)
    )
    return "/" if unsafe or path.startswith(("/signin", "/signout")) else path


PATH_MOST = 2_000


def full_path(scope: Mapping[str, Any]) -> str:
    """Return path and query as asked."""
    asked = scope.get("query_string", b"").decode("latin-1")
    return quote(scope["path"], safe="/") + ("?" + asked if asked else "")


def wants_page(scope: Mapping[str, Any]) -> bool:
    """Return whether a browser asks for a page rather than a program for data."""
    path = scope["path"]
    if path == "/session" or "/_dash-" in path:
        return False
    return scope["method"] in ("GET", "HEAD") and not path.startswith((*FOR_PROGRAMS, *FOR_SCRIPTS))


def forbidden(scope: Mapping[str, Any], identity: Identity, action: str) -> str:
    """Return the text for who may not: because it is the whole city's, or because of the role."""
    if policy.POLICY[action].get(identity.role) == policy.CITY and not identity.actions:
        return "jurisdiction.city"
    return "refused.forbidden" if bears_cookie(scope) else "access.token_not_allowed"


async def answer(
    scope: Scope,
    send: Send,
    status: int,
    key: str,
    headers: Headers | None = None,
    *,
    identity: Identity = ANONYMOUS,
) -> None:
    """Answer with a text for people: a page to a browser, to a program JSON in the shape of all refusals of the API."""
    if wants_page(scope) and "text/html" in header(scope, "accept"):
        words = Words(language(scope))
        said = words.text(key) + jurisdiction.note(identity, words)
        body, kind = refused_page(words, said).encode(), b"text/html; charset=utf-8"
    else:
        text = {lang: Words(lang).text(key) + jurisdiction.note(identity, Words(lang)) for lang in LANGUAGES}
        told = {"code": key.removeprefix("access."), "text": text, "params": {}}
        body, kind = orjson.dumps(told), b"application/json"
    await respond(send, status, body, [(b"content-type", kind), *(headers or [])])


async def unavailable(scope: Scope, send: Send) -> None:
    """Answer 503 while nobody can tell who asks: a page that tries again by itself, to a program JSON."""
    headers = [(b"retry-after", str(RETRY_SECONDS).encode())]
    if wants_page(scope) and "text/html" in header(scope, "accept"):
        body = waiting_page(Words(language(scope)), RETRY_SECONDS).encode()
        await respond(send, 503, body, [(b"content-type", b"text/html; charset=utf-8"), *headers])
    else:
        await answer(scope, send, 503, "access.unavailable", headers)


async def too_many(scope: Scope, send: Send, wait: int) -> None:
    """Answer 429: more was tried than one address may; a page to a browser, also where it sent a form."""
    asked = {**scope, "method": "GET"} if scope["path"].startswith("/signin") else scope
    await answer(asked, send, 429, "access.too_many", [(b"retry-after", str(wait).encode())])


async def refuse_for_now(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket's handshake with 503 where the server can do that, else as any other; it may come again."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await close(receive, send, TRY_LATER)
        return

    async def sending(message: Message) -> None:
        await send({**message, "type": message["type"].replace("http.", "websocket.http.")})

    await receive()
    await unavailable({**scope, "method": "WS"}, sending)


async def redirect(send: Send, location: str) -> None:
    """Send the browser elsewhere with a GET."""
    await respond(send, 303, b"", [(b"location", location.encode("latin-1", "replace"))])


async def close(receive: Receive, send: Send, code: int) -> None:
    """Refuse a WebSocket before it is accepted; the handshake then fails with HTTP 403."""
    await receive()
    await send({"type": "websocket.close", "code": code})


class Body:
    """The body of a request, bounded: once it is too large, the application's own answer is held back."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._taken = 0
        self.answered = False

    @property
    def too_large(self) -> bool:
        """Say whether more than `BODY_MOST` bytes came."""
        return self._taken > BODY_MOST

    async def receive(self) -> Message:
        """Return the next part. Raises BodyTooLarge."""
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self.too_large:
            raise BodyTooLarge
        return message

    async def send(self, message: Message) -> None:
        """Pass an answer on, unless the gate is to answer."""
        if self.answered or not self.too_large:
            self.answered = True
            await self._send(message)
