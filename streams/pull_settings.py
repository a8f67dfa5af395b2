"""How a source is pulled (拉取设置): what `Source.settings` may hold for each kind, checked, never with a secret.

A token or password lies in DATA/keys (`streams.source_secrets`); here stands only how it is shown to the source.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from streams.errors import SettingsWrong

DAY_SECONDS = 86_400
LONGEST_URL = 2_000
LONGEST_TEXT = 4_000
DEEPEST_PATH = 8
MOST_HEADERS = 20
AUTHS = ("none", "bearer", "basic", "header", "query")
FORMATS = ("json", "csv")
LINK = "link"
"""`next` of an HTTP pull: the page after this one is named by the header `Link: <…>; rel="next"`."""
CURSOR = "{cursor}"
SECRET_NAME = re.compile(r"token|secret|passw|pwd|api[-_]?key|access[-_]?key|signature|credential", re.IGNORECASE)
OUR_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "host", "connection", "content-length", "transfer-encoding"}
    | {"upgrade", "if-none-match", "if-modified-since"}
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


class HttpPull(Struct, frozen=True, forbid_unknown_fields=True):
    """A list behind an address, asked every `period_s` seconds.

    `items`: path to the list in the answer, "" = the answer itself. `watermark_param` asks for what is newer than the
    largest `watermark_field` (a path in an item) seen; without it ETag and Last-Modified are used where the source
    sends them. `next`: "" one page, "link" the Link header, else the path of the next page's address in the answer.
    `auth_name`: the user (basic), the header or the query parameter that carries the secret.
    """

    url: str
    period_s: int = 60
    format: str = "json"
    items: str = ""
    watermark_param: str = ""
    watermark_field: str = ""
    watermark_start: str = ""
    next: str = ""
    most_pages: int = 20
    timeout_s: int = 20
    headers: dict[str, str] = {}
    auth: str = "none"
    auth_name: str = ""


class DatabasePull(Struct, frozen=True, forbid_unknown_fields=True):
    """A table or view, read in the order of `watermark`, rows from the last one on; `key` tells equal ones apart.

    `url`: SQLAlchemy's, without the password. `batch`: rows read at once.
    """

    url: str
    table: str
    watermark: str
    schema: str = ""
    key: str = ""
    period_s: int = 60
    batch: int = 500


class WebsocketPull(Struct, frozen=True, forbid_unknown_fields=True):
    """A feed that is listened to. `first`: what is said on connecting (a subscription).

    `{cursor}` in `url` or `first` is the last `cursor_field` (a path in an item) that is durable here. `silence_s`:
    connect anew when nothing was sent for so long, 0 = never.
    """

    url: str
    first: str = ""
    items: str = ""
    cursor_field: str = ""
    cursor_start: str = ""
    silence_s: int = 600
    headers: dict[str, str] = {}
    auth: str = "none"
    auth_name: str = ""


class CapPull(Struct, frozen=True, forbid_unknown_fields=True):
    """An address that answers with a CAP document or an Atom feed of them, asked every `period_s` seconds."""

    url: str
    period_s: int = 60
    timeout_s: int = 20
    headers: dict[str, str] = {}
    auth: str = "none"
    auth_name: str = ""


class FolderWatch(Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of ours that files are put into, looked at every `period_s` seconds.

    `path`: below the folder that the setting `inbox` names, "" = the source's id. What was taken or could not be read
    is kept `keep_days`, 0 = for ever.
    """

    path: str = ""
    pattern: str = "*"
    period_s: int = 5
    keep_days: int = 30


PullSettings = HttpPull | DatabasePull | WebsocketPull | FolderWatch | CapPull
KINDS: dict[str, type[HttpPull] | type[DatabasePull] | type[WebsocketPull] | type[FolderWatch] | type[CapPull]] = {
    "folder": FolderWatch,
    "http_pull": HttpPull,
    "database": DatabasePull,
    "websocket_pull": WebsocketPull,
    "cap_pull": CapPull,
}


def checked(kind: str, text: str) -> PullSettings:
    """Return the settings of a pulled kind from their JSON. Raises SettingsWrong for the first field that is wrong."""
    try:
        found: PullSettings = msgspec.json.decode(text or "{}", type=KINDS[kind])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsWrong(_field_of(str(error)), "form") from error
    CHECKS[type(found)](found)
    return found


def of_form(kind: str, values: dict[str, Any]) -> str:
    """Return the settings as JSON from a form's values; checked. Raises SettingsWrong."""
    known = {name: value for name, value in values.items() if name in KINDS[kind].__struct_fields__}
    text = msgspec.json.encode({name: value for name, value in known.items() if value is not None}).decode()
    return msgspec.json.encode(checked(kind, text)).decode()


def _http(one: HttpPull) -> None:
    web_address("url", one.url, ("http", "https"))
    _between("period_s", one.period_s, 5, DAY_SECONDS)
    _need("format", one.format in FORMATS, "choice")
    for field in ("items", "watermark_field"):
        _path(field, getattr(one, field))
    _path("next", "" if one.next == LINK else one.next)
    _need("watermark_param", not one.watermark_param or bool(_NAME.fullmatch(one.watermark_param)), "name")
    _need("watermark_field", bool(one.watermark_param) == bool(one.watermark_field), "watermark_pair")
    _need("watermark_start", len(one.watermark_start) <= 200, "too_long")
    _between("most_pages", one.most_pages, 1, 1_000)
    _between("timeout_s", one.timeout_s, 1, 120)
    _headers(one.headers)
    _auth(one.auth, one.auth_name)


def _database(one: DatabasePull) -> None:
    url = database_address(one.url)
    _need("url", url.password is None, "secret_in_url")
    _need("url", not any(SECRET_NAME.search(name) for name in url.query), "secret_in_url")
    for field in ("table", "watermark"):
        _need(field, bool(_NAME.fullmatch(getattr(one, field))), "name")
    for field in ("schema", "key"):
        _need(field, not getattr(one, field) or bool(_NAME.fullmatch(getattr(one, field))), "name")
    _between("period_s", one.period_s, 5, DAY_SECONDS)
    _between("batch", one.batch, 1, 1_000)


def _websocket(one: WebsocketPull) -> None:
    web_address("url", one.url.replace(CURSOR, "0"), ("ws", "wss"))
    _need("first", len(one.first) <= LONGEST_TEXT, "too_long")
    for field in ("items", "cursor_field"):
        _path(field, getattr(one, field))
    resumes = CURSOR in one.url or CURSOR in one.first
    _need("cursor_field", resumes == bool(one.cursor_field), "cursor_pair")
    _need("cursor_start", len(one.cursor_start) <= 200, "too_long")
    _need("silence_s", one.silence_s == 0 or 10 <= one.silence_s <= DAY_SECONDS, "silence")
    _headers(one.headers)
    _auth(one.auth, one.auth_name)


def _cap(one: CapPull) -> None:
    web_address("url", one.url, ("http", "https"))
    _between("period_s", one.period_s, 5, DAY_SECONDS)
    _between("timeout_s", one.timeout_s, 1, 120)
    _headers(one.headers)
    _auth(one.auth, one.auth_name)


def _folder(one: FolderWatch) -> None:
    steps = one.path.split("/") if one.path else []
    _need("path", all(_NAME.fullmatch(step) and step not in (".", "..") for step in steps), "folder_path")
    _need("path", len(one.path) <= 300 and "\\" not in one.path, "folder_path")
    _need("pattern", bool(_NAME.fullmatch(one.pattern)) and "/" not in one.pattern, "name")
    _between("period_s", one.period_s, 1, DAY_SECONDS)
    _between("keep_days", one.keep_days, 0, 3_650)


CHECKS: dict[type, Callable[[Any], None]] = {
    FolderWatch: _folder,
    HttpPull: _http,
    DatabasePull: _database,
    WebsocketPull: _websocket,
    CapPull: _cap,
}


def web_address(field: str, url: str, schemes: tuple[str, ...]) -> None:
    """Raise SettingsWrong unless it is an address of these schemes without a user, password or secret in it."""
    _need(field, len(url) <= LONGEST_URL, "too_long")
    try:
        parts = urlsplit(url)
        _need(field, parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0, "address")
    except ValueError as error:
        raise SettingsWrong(field, "address") from error
    _need(field, url.isprintable() and " " not in url and not parts.fragment, "address")
    _need(field, "@" not in parts.netloc, "secret_in_url")
    named = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    _need(field, not any(SECRET_NAME.search(name) for name in named), "secret_in_url")


def database_address(text: str) -> URL:
    """Return SQLAlchemy's reading of an address of a database. Raises SettingsWrong."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise SettingsWrong("url", "database_address") from error
    _need("url", len(text) <= LONGEST_URL and bool(url.database), "database_address")
    return url


def _headers(headers: dict[str, str]) -> None:
    _need("headers", len(headers) <= MOST_HEADERS, "too_many")
    for name, value in headers.items():
        _need("headers", bool(_HEADER.fullmatch(name)) and value.isprintable() and len(value) <= 1_000, "header")
        _need("headers", name.lower() not in OUR_HEADERS and not SECRET_NAME.search(name), "secret_header")


def _auth(auth: str, name: str) -> None:
    _need("auth", auth in AUTHS, "choice")
    if auth in ("basic", "header", "query"):
        _need("auth_name", bool(name), "needed")
    if auth == "header":
        _need("auth_name", bool(_HEADER.fullmatch(name)), "header")
    _need("auth_name", len(name) <= 128 and name.isprintable() and (auth != "basic" or ":" not in name), "name")


def _path(field: str, path: str) -> None:
    steps = path.split(".") if path else []
    _need(field, all(steps) and len(steps) <= DEEPEST_PATH and len(path) <= 300, "path")


def _between(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise SettingsWrong(field, "between", low=low, high=high)


def _need(field: str, holds: bool, code: str) -> None:
    if not holds:
        raise SettingsWrong(field, code)


def _field_of(said: str) -> str:
    """The field a decoding error is about: "… - at `$.period_s`" or "missing required field `url`"."""
    found = re.search(r"\$\.([a-z_]+)", said) or re.search(r"field `([a-z_]+)`", said)
    return found[1] if found else "settings"
