"""Where a stream is: an RTSP address taken apart, user and password apart from it."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from streams.video.errors import AddressWrong

PORTS = {"rtsp": 554, "rtsps": 322}
LONGEST = 2_048


class StreamSource(NamedTuple):
    """How a camera's pictures are had: a main and a small stream, without user information; empty: there is none.

    `via`: "" by our own client, "ffmpeg" by a child (`streams.video.aside`).
    """

    url_main: str
    url_sub: str = ""
    username: str = ""
    password: str = ""
    via: str = ""

    def url(self, stream: str) -> str:
        """Return the address of "main" or "sub"; of a camera that has only one, that one."""
        first, second = (self.url_sub, self.url_main) if stream == "sub" else (self.url_main, self.url_sub)
        return first or second


Sources = Callable[[str], StreamSource | None]
"""The port to whoever knows the cameras: by a camera's id, or None. It may block: it is asked beside the loop."""


class Address(NamedTuple):
    """What to connect to, and the address as it stands in requests."""

    host: str
    port: int
    tls: bool
    url: str
    username: str = ""
    password: str = ""


def parse(url: str, username: str = "", password: str = "") -> Address:
    """Return an address; user and password in it (with %xx) count where none are given. Raises AddressWrong."""
    if len(url) > LONGEST or not url.isprintable() or " " in url:
        raise AddressWrong("a stream's address is one line of at most 2048 characters without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressWrong(f"a stream's address is wrong: {_reason(error)}") from error
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not parts.hostname:
        raise AddressWrong("a stream's address begins with rtsp:// or rtsps:// and names a host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    clean = f"{scheme}://{place}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    if not username:
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Address(parts.hostname, port or PORTS[scheme], scheme == "rtsps", clean, username, password)


def follow(origin: Address, location: str) -> Address:
    """Return where a redirect leads; the password goes along only to the same host, and never from TLS to none.

    Raises AddressWrong.
    """
    there = parse(location)
    same = there.host == origin.host and (there.tls or not origin.tls)
    if there.username or not same:
        return there
    return there._replace(username=origin.username, password=origin.password)


def _reason(error: ValueError) -> str:
    return "its port is no number" if "ort" in str(error) else "it cannot be read"
