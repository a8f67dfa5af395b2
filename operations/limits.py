"""How often one address may ask what anybody may ask without being known: plain data, beside the table of routes."""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple


class Limit(NamedTuple):
    """`most` requests in `seconds` from one address. `name` is what is counted together."""

    name: str
    methods: str
    path: str
    most: int
    seconds: int


# First match wins; a route without a line has none: who asks there is known, and bounded by other means.
LIMITS: tuple[Limit, ...] = (
    Limit("signin", "POST", r"/signin(/.*)?", 30, 60),
    Limit("oidc", "GET", r"/signin/oidc(/.*)?", 30, 60),
    Limit("pages", "GET", r"/signin(/.*)?", 300, 60),
    Limit("pair", "GET", r"/pair", 120, 60),
    Limit("pair.state", "GET", r"/pair/state", 1_500, 60),
    Limit("engines", "POST", r"/engines/.*", 2_000, 10),
    Limit("health", "GET", r"/healthz|/readyz", 1_200, 60),
)
SIGN_IN_NAME = Limit("signin.name", "", "", 20, 60)
"""Tries with one name, from wherever; below it stands the account's own lock."""
WRONG_TOKEN = Limit("token", "", "", 60, 60)
"""Tokens nobody holds, from one address; right ones are never held up by them."""
SEARCH = Limit("search", "", "", 240, 60)
"""Searches through the API by one account or token; each reads an index and rows, so they are held to a pace."""
TOLD_SECONDS = 60
"""Who goes on beyond a limit is told of in the log once in so many seconds."""

_COMPILED = tuple((frozenset(one.methods.split()), re.compile(one.path), one) for one in LIMITS)


def limit_for(method: str, path: str) -> Limit | None:
    """Return the limit of a route, if it has one."""
    method = "GET" if method == "HEAD" else method
    return next((one for methods, pattern, one in _COMPILED if method in methods and pattern.fullmatch(path)), None)


@lru_cache(maxsize=4_096)
def neighbourhood(address: str) -> str:
    """Return whom an address is counted with: itself; of IPv6 its /64, which one subscriber has whole."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)
