"""The list of channels of a WVP platform over its REST interface 通道列表, page after page; all of it or nothing.

`/api/common/channel/list` and its like answer `{"code": 0, "data": {"total": N, "list": [...]}}` to `page` and `count`.
Only what was announced counts: pages that end early or overlap are no list.
"""

from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from config import clock
from streams.errors import SourceAway

PER_PAGE = 500
MOST = 200_000
LARGEST_PAGE = 32 * 1024 * 1024
SECONDS, PAGE_SECONDS = 300.0, 30.0
TOKEN = "access-token"
"""The header WVP reads its token from."""
KEYS = ("gbDeviceId", "channelId", "deviceId", "gbId", "id")
REFUSED = frozenset({401, 403, 407})


def pulled(url: str, token: str = "") -> bytes:
    """Return all channels a platform lists, as one JSON list. Raises SourceAway, without address or token."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise SourceAway("unreachable", certain=True)
    headers = {"accept": "application/json", "user-agent": "gridwall"} | ({TOKEN: token} if token else {})
    try:
        with httpx.Client(timeout=PAGE_SECONDS, trust_env=False, headers=headers) as client:
            return msgspec.json.encode(_all(client, httpx.URL(url)))
    except httpx.TimeoutException as error:
        raise SourceAway("timeout") from error
    except httpx.ConnectError as error:
        raise SourceAway("certificate" if "CERTIFICATE" in str(error) else "unreachable") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceAway("broken_off") from error


def _all(client: httpx.Client, url: httpx.URL) -> list[Any]:
    found: dict[str, Any] = {}
    until, page = clock.monotonic() + SECONDS, 1
    while True:
        total, listed = _page(client, url.copy_set_param("page", page).copy_set_param("count", PER_PAGE))
        if total > MOST:
            raise SourceAway("too_many_items", certain=True, most=MOST)
        before = len(found)
        found |= {_key(one): one for one in listed}
        if len(found) >= total:
            return [*found.values()]
        if len(found) == before:
            raise SourceAway("incomplete")
        if clock.monotonic() > until:
            raise SourceAway("timeout")
        page += 1


def _page(client: httpx.Client, url: httpx.URL) -> tuple[int, list[Any]]:
    """What is announced in all, and what one page lists."""
    with client.stream("GET", url) as answer:
        if answer.status_code in REFUSED:
            raise SourceAway("login_refused", certain=True)
        if answer.status_code != httpx.codes.OK:
            raise SourceAway("status", status=answer.status_code)
        body = bytearray()
        for part in answer.iter_bytes():
            body += part
            if len(body) > LARGEST_PAGE:
                raise SourceAway("body_too_large", certain=True)
    try:
        told = msgspec.json.decode(bytes(body))
        data = told.get("data", told)
        total, listed = int(data["total"]), data["list"]
    except (msgspec.MsgspecError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise SourceAway("no_list", certain=True) from error
    if told.get("code", 0) not in (0, 200) or not isinstance(listed, list):
        raise SourceAway("login_refused" if told.get("code") in REFUSED else "no_list", certain=True)
    return total, listed


def _key(one: object) -> str:
    told = next((one[name] for name in KEYS if one.get(name)), None) if isinstance(one, dict) else None
    if told is None:
        raise SourceAway("no_list", certain=True)
    return str(told)
