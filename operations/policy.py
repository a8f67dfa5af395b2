"""Who may do what: one plain table of permissions and one of routes. What is not listed is denied."""

import re
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from operations.scope import WHOLE, Scope


class Identity(Struct, frozen=True):
    """Who is asking. `kind`: account | wall | source | token | system | anonymous; a token's role is "token_read"."""

    kind: str
    id: str = ""
    name: str = ""
    role: str = ""
    scope: Scope = WHOLE

    @property
    def actor(self) -> str:
        """The name entries carry: "account:zhang", "source:hotline"."""
        return f"{self.kind}:{self.name or self.id}"


ANONYMOUS = Identity("anonymous", role="anonymous")
SYSTEM = Identity("system", "system", "system", "system")

ROLES = ("operator", "duty_commander", "leader", "liaison", "grid_worker", "administrator", "wall")
MACHINE_ROLES = ("source", "token_read", "system", "anonymous")

_DESK = frozenset({"operator", "duty_commander"})
_STAFF = _DESK | {"leader", "liaison", "administrator"}
_EVERYBODY = frozenset(ROLES)

PERMISSIONS: dict[str, frozenset[str]] = {
    "public": frozenset(ROLES + MACHINE_ROLES),
    "signed_in": _EVERYBODY,
    "wall.view": _STAFF | {"wall"},
    "desk.view": _STAFF,
    "live.watch": _STAFF | {"wall"},
    "incident.read": _STAFF | {"token_read"},
    "incident.text": _DESK | {"liaison"},
    "incident.register": _DESK | {"grid_worker"},
    "incident.acknowledge": _DESK,
    "incident.note": _DESK | {"liaison"},
    "incident.urgency": _DESK,
    "incident.place": _DESK,
    "incident.close": _DESK,
    "incident.reopen": frozenset({"duty_commander"}),
    "incident.distinct": _DESK,
    "incident.unseal": frozenset({"duty_commander"}),
    "incident.escalate": frozenset({"system"}),
    "report.send": frozenset({"source"}),
    "quarantine.read": _DESK | {"administrator"},
    "quarantine.repair": frozenset({"duty_commander", "administrator"}),
    "journal.read": frozenset({"duty_commander", "administrator", "token_read"}),
    "grid.read": _EVERYBODY | {"token_read"},
    "grid.duties": _STAFF,
    "grid.import": frozenset({"administrator", "system"}),
    "source.read": frozenset({"duty_commander", "administrator"}),
    "source.manage": frozenset({"administrator", "system"}),
    "token.manage": frozenset({"administrator", "system"}),
    "account.manage": frozenset({"administrator", "system"}),
    "key.destroy": frozenset({"administrator", "system"}),
    "metrics.read": frozenset({"administrator", "token_read", "system"}),
}


class Route(NamedTuple):
    """A line of the route table: methods ("WS" is a WebSocket, "*" any), path (regular expression), permission."""

    methods: str
    path: str
    permission: str


# First match wins; no match is denied.
ROUTES: tuple[Route, ...] = (
    Route("GET", r"/healthz|/readyz", "public"),
    Route("GET", r"/assets/.*", "public"),
    Route("GET POST", r"/signin", "public"),
    Route("POST", r"/signout", "signed_in"),
    Route("GET", r"/metrics", "metrics.read"),
    Route("GET", r"/api/docs|/api/openapi\.json", "signed_in"),
    Route("GET", r"/", "signed_in"),
    Route("GET", r"/wall(/.*)?", "wall.view"),
    Route("GET", r"/desk(/.*)?", "desk.view"),
    Route("GET", r"/heat(/.*)?", "incident.read"),
    Route("GET", r"/quarantine(/.*)?", "quarantine.read"),
    Route("GET", r"/sources(/.*)?", "source.read"),
    Route("GET", r"/grids(/.*)?", "grid.import"),
    Route("POST", r"/wall/(zh|en)/_dash-update-component", "wall.view"),
    Route("POST", r"/desk/(zh|en)/_dash-update-component", "desk.view"),
    Route("POST", r"/heat/(zh|en)/_dash-update-component", "incident.read"),
    Route("POST", r"/quarantine/(zh|en)/_dash-update-component", "quarantine.read"),
    Route("POST", r"/sources/(zh|en)/_dash-update-component", "source.read"),
    Route("POST", r"/grids/(zh|en)/_dash-update-component", "grid.import"),
    Route("POST", r"/uploads/table", "source.manage"),
    Route("POST", r"/uploads/grids", "grid.import"),
    Route("WS", r"/live", "live.watch"),
    Route("POST", r"/api/v1/reports", "report.send"),
    Route("WS", r"/api/v1/reports/stream", "report.send"),
    Route("POST", r"/api/v1/warnings", "report.send"),
    Route("GET", r"/api/v1/incidents(/[^/]+)?", "incident.read"),
    Route("GET", r"/api/v1/heat(/areas(\.csv)?)?", "incident.read"),
    Route("GET", r"/api/v1/grids/[^/]+", "grid.read"),
    Route("GET", r"/tiles/[0-9]{1,2}/[0-9]{1,8}/[0-9]{1,8}", "grid.read"),
    Route("GET", r"/api/v1/journal", "journal.read"),
    Route("GET", r"/api/v1/quarantine", "quarantine.read"),
)
_COMPILED = tuple((frozenset(route.methods.split()), re.compile(route.path), route.permission) for route in ROUTES)


def allowed(identity: Identity, permission: str) -> bool:
    """Say whether the identity's role holds the permission; an unknown permission is nobody's."""
    return identity.role in PERMISSIONS.get(permission, frozenset())


@lru_cache(maxsize=1024)
def permission_for(method: str, path: str) -> str | None:
    """Return the permission a request needs ("WS" for a WebSocket), or None: denied to all."""
    method = "GET" if method == "HEAD" else method
    for methods, pattern, permission in _COMPILED:
        if method in methods and pattern.fullmatch(path):
            return permission
    return None


def admits(identity: Identity, method: str, path: str) -> bool:
    """Say whether the route table lets the identity in."""
    permission = permission_for(method, path)
    return permission is not None and allowed(identity, permission)
