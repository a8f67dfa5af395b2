"""Plain ASGI: the few shapes that the middleware and the routing share."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Any, Any, Any], Awaitable[None]]

Headers = list[tuple[bytes, bytes]]


def header(scope: Mapping[str, Any], name: str) -> str:
    """Return the first value of a request header, or an empty string."""
    wanted = name.lower().encode()
    for key, value in scope["headers"]:
        if key == wanted:
            return str(value, "latin-1")
    return ""


def cookies(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's cookies; an unreadable header counts as none."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header(scope, "cookie")).items()}
    except CookieError:
        return {}


def query(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the last value of each query parameter."""
    text = scope.get("query_string", b"").decode("latin-1")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=50)) if text.count("&") < 50 else {}


def address(scope: Mapping[str, Any]) -> str:
    """Return the address a request came from, "" where the server does not know."""
    near = scope.get("client")
    return str(near[0]) if near else ""


def secure(scope: Mapping[str, Any]) -> bool:
    """Return whether the request came over TLS."""
    return scope.get("scheme") in ("https", "wss")


async def respond(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Send a whole HTTP response."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
