"""An outlet 渠道: one e-mail server, one webhook or one folder by which messages leave, and whom it is for.

No secret stands in it: the password of a mail server and the key a webhook is signed with lie in DATA/keys. What is
right for the address of a server is asked where it is reached (`streams/outlets`).
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from operations.errors import Refused

PURPOSES = ("send", "amend", "cancel", "remind", "escalate", "call", "report", "access", "breakglass")
"""Why a message is sent: about an order 下达 变更 撤销 催办 升级 叫应, a report to the level above 信息报送, a request
for video access that waits 调阅待审, or a broken glass 应急直开."""
STATUS = "status"
"""The purpose of what goes back to a source."""
TEST = "test"
REPORT = "report"
"""The purpose of a report to the level above; it leaves by the way out that its recipient names."""
LANGUAGES = ("zh", "en")
SECURITIES = ("starttls", "tls", "none")
NEEDS = ("", "phone", "email")
LIST_MOST, TEXT_MOST, URL_MOST = 100, 200, 2_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """A server that takes e-mail (SMTP): `sender` is the address the messages come from."""

    host: str
    sender: str
    port: int = 587
    security: str = "starttls"
    user: str = ""
    title: str = ""
    language: str = "zh"
    timeout_s: int = 20
    departments: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    @property
    def needs(self) -> str:
        """What a recipient must have to be reached by it."""
        return "email"


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """An address that is posted to, each message signed. `needs`: what a recipient must have, and is told along."""

    url: str
    title: str = ""
    language: str = "zh"
    needs: str = ""
    timeout_s: int = 20
    departments: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


class Drop(Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of ours below DATA/outlets that lines of JSON are added to, a file a day."""

    title: str = ""
    language: str = "zh"
    departments: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    @property
    def needs(self) -> str:
        """What a recipient must have to be reached by it."""
        return ""


Terms = Mail | Webhook | Drop
KINDS: dict[str, type[Mail] | type[Webhook] | type[Drop]] = {"email": Mail, "webhook": Webhook, "file": Drop}


class Outlet(Struct, frozen=True):
    """An outlet as it stands. Times in microseconds; `failing_since`: it is down, `retry_at`: tried again then."""

    name: str
    kind: str
    terms: Terms
    enabled: bool = True
    revision: int = 0
    source: str = ""  # id of the source its incidents' states go back to
    cursor: int = 0
    failures: int = 0
    failing_since: int | None = None
    retry_at: int | None = None
    error: str = ""
    worked_at: int | None = None
    changed_at: int = 0
    changed_by: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.terms.title or self.name

    @property
    def state(self) -> str:
        """`off`, `down`, `new` before its first success, or `up`."""
        if not self.enabled:
            return "off"
        return "down" if self.failing_since is not None else "new" if self.worked_at is None else "up"


def suits(outlet: Outlet, department: str, purpose: str) -> bool:
    """Say whether messages for a department with this purpose leave by an outlet."""
    if not outlet.enabled or outlet.source:
        return False
    terms = outlet.terms
    wanted = not terms.purposes or purpose in terms.purposes
    return wanted and (not terms.departments or department in terms.departments)


def read(kind: str, body: str) -> Terms:
    """Return the terms as they are stored."""
    found: Terms = msgspec.json.decode(body, type=KINDS[kind])
    return found


def checked(name: str, kind: str, values: dict[str, Any]) -> Terms:
    """Return the terms of a form. Raises Refused for the first field that is wrong."""
    _need("name", _NAME.fullmatch(name) is not None)
    _need("kind", kind in KINDS)
    known = {key: value for key, value in values.items() if key in KINDS[kind].__struct_fields__}
    try:
        terms: Terms = msgspec.convert(known, KINDS[kind])
    except msgspec.ValidationError as error:
        found = re.search(r"\$\.([a-z_]+)", str(error)) or re.search(r"field `([a-z_]+)`", str(error))
        raise Refused("outlets.wrong", field=found[1] if found else "kind") from error
    _common(terms)
    if isinstance(terms, Mail):
        _mail(terms)
    elif isinstance(terms, Webhook):
        _need("url", 0 < len(terms.url) <= URL_MOST and terms.url.isprintable())
        _need("needs", terms.needs in NEEDS)
        _need("timeout_s", 1 <= terms.timeout_s <= 30)
    return terms


def is_address(text: str) -> bool:
    """Say whether text is one plain e-mail address; nothing else may reach a header."""
    return _ADDRESS.fullmatch(text) is not None


def _common(terms: Terms) -> None:
    _need("title", len(terms.title) <= 40 and terms.title.isprintable())
    _need("language", terms.language in LANGUAGES)
    _need("departments", len(terms.departments) <= LIST_MOST and all(len(one) <= 40 for one in terms.departments))
    _need("purposes", set(terms.purposes) <= set(PURPOSES))


def _mail(terms: Mail) -> None:
    _need("host", _HOST.fullmatch(terms.host) is not None)
    _need("port", 1 <= terms.port <= 65_535)
    _need("security", terms.security in SECURITIES)
    _need("sender", is_address(terms.sender))
    _need("user", len(terms.user) <= TEXT_MOST and terms.user.isprintable())
    _need("user", not terms.user or terms.security != "none" or terms.host in ("127.0.0.1", "localhost", "::1"))
    _need("timeout_s", 1 <= terms.timeout_s <= 30)


def _need(field: str, holds: bool) -> None:
    if not holds:
        raise Refused("outlets.wrong", field=field)
