"""Who may do what, and where: one plain table of actions × roles × reach, and one of routes.

What is not listed is refused. GB/T 22239-2019 §8.1.4: rights by account, deny by default, administrators separated.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct, structs

from operations.errors import Forbidden, Locked
from operations.scope import CONFIGURATION, NOWHERE, WHOLE, Scope

PEOPLE = ("operator", "duty_commander", "leader", "liaison", "grid_worker")
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")
"""The three separated administrators 三员分立; no account ever holds two of them."""
ROLES = (*PEOPLE, *ADMINISTRATORS)
"""Roles an account can hold."""
MACHINE_ROLES = ("wall", "source", "token_read", "system", "pending", "anonymous")
"""Roles of what is no account; "pending" is somebody who has to do more before being signed in."""

ALL, SCOPE, OWN, CITY = "all", "scope", "own", "city"
"""How far an action reaches: everything of its kind; what lies in the jurisdiction and department; one's own things;
everything, but only for whoever has the whole city as jurisdiction: what it is about has no place anybody knows."""


class Identity(Struct, frozen=True):
    """Who is asking. `kind`: account | wall | source | token | system | anonymous; a token's role is "token_read".

    `actions`: a token may do only these of its role's; empty = all of them. `locked`: the desk has stood idle.
    """

    kind: str
    id: str = ""
    name: str = ""
    role: str = ""
    scope: Scope = WHOLE
    actions: tuple[str, ...] = ()
    session: str = ""
    locked: bool = False

    @property
    def actor(self) -> str:
        """The name entries carry: "account:zhang", "source:hotline"."""
        return f"{self.kind}:{self.name or self.id}"


ANONYMOUS = Identity("anonymous", role="anonymous")
SYSTEM = Identity("system", "system", "system", "system")

_DESK = ("operator", "duty_commander")
_STAFF = (*_DESK, "leader", "liaison")


def _reach(reach: str, *roles: str) -> dict[str, str]:
    return dict.fromkeys(roles, reach)


POLICY: dict[str, dict[str, str]] = {
    "public": _reach(ALL, *ROLES, *MACHINE_ROLES),
    "signed_in": _reach(OWN, *ROLES),
    "signin.finish": _reach(OWN, "pending"),
    "session.active": _reach(OWN, *PEOPLE, *ADMINISTRATORS),
    "session.unlock": _reach(OWN, *PEOPLE, *ADMINISTRATORS),
    "account.own": _reach(OWN, *PEOPLE, *ADMINISTRATORS),
    "wall.view": _reach(SCOPE, *_STAFF, "wall"),
    "wall.rotate": _reach(OWN, "wall"),
    "desk.view": _reach(SCOPE, *_STAFF),
    "live.watch": _reach(SCOPE, *_STAFF, "grid_worker", "wall") | _reach(ALL, *ADMINISTRATORS),
    "incident.read": _reach(SCOPE, *_STAFF, "token_read"),
    "incident.text": _reach(SCOPE, *_DESK, "liaison"),
    "incident.register": _reach(SCOPE, *_DESK, "grid_worker"),
    "incident.acknowledge": _reach(SCOPE, *_DESK),
    "incident.note": _reach(SCOPE, *_DESK, "liaison"),
    "incident.urgency": _reach(SCOPE, *_DESK),
    "incident.place": _reach(SCOPE, *_DESK),
    "incident.close": _reach(SCOPE, *_DESK),
    "incident.reopen": _reach(SCOPE, "duty_commander"),
    "incident.distinct": _reach(SCOPE, *_DESK),
    "incident.unseal": _reach(SCOPE, "duty_commander"),
    "incident.escalate": _reach(ALL, "system"),
    "incident.move": _reach(SCOPE, *_DESK),
    "incident.handle": _reach(SCOPE, *_DESK, "liaison"),
    "incident.review": _reach(SCOPE, *_DESK),
    "incident.transfer": _reach(SCOPE, *_DESK),
    "incident.ask": _reach(SCOPE, *_DESK, "liaison"),
    "incident.approve": _reach(SCOPE, "duty_commander"),
    "incident.supervise": _reach(SCOPE, "duty_commander", "leader"),
    "incident.grade": _reach(SCOPE, "duty_commander", "leader"),
    "incident.merge": _reach(SCOPE, *_DESK),
    "incident.link": _reach(SCOPE, *_DESK),
    "incident.follow_up": _reach(SCOPE, *_DESK),
    "incident.evaluate": _reach(SCOPE, *_DESK, "grid_worker"),
    "incident.explain": _reach(SCOPE, *_DESK, "liaison"),
    "incident.attach": _reach(SCOPE, *_DESK, "liaison"),
    "attachment.read": _reach(SCOPE, *_DESK, "liaison", "leader") | _reach(OWN, "grid_worker"),
    "clock.fire": _reach(ALL, "system"),
    "order.read": _reach(SCOPE, *_STAFF, "token_read"),
    "order.send": _reach(SCOPE, *_DESK),
    "order.answer": _reach(SCOPE, *_DESK, "liaison") | _reach(OWN, "grid_worker"),
    "order.phone": _reach(SCOPE, *_DESK),
    "order.remind": _reach(SCOPE, *_DESK),
    "order.change": _reach(SCOPE, *_DESK),
    "order.rule": _reach(SCOPE, "duty_commander"),
    "order.review": _reach(SCOPE, *_DESK),
    "directory.read": _reach(SCOPE, *_STAFF) | _reach(ALL, "system_admin"),
    "directory.phones": _reach(SCOPE, *_DESK, "liaison") | _reach(ALL, "system_admin"),
    "directory.manage": _reach(ALL, "system_admin", "system"),
    "roster.manage": _reach(SCOPE, "duty_commander") | _reach(ALL, "system_admin", "system"),
    "responsibility.read": _reach(ALL, *_DESK, "leader", "liaison", "system_admin"),
    "responsibility.manage": _reach(ALL, "system_admin", "system"),
    "flow.read": _reach(ALL, "duty_commander", "system_admin"),
    "outlet.read": _reach(ALL, *_DESK, "system_admin"),
    "outlet.manage": _reach(ALL, "system_admin", "system"),
    "delivery.send": _reach(ALL, "system"),
    "delivery.replay": _reach(ALL, "duty_commander", "system_admin", "system"),
    "upward.read": _reach(SCOPE, *_DESK, "leader"),
    "upward.write": _reach(SCOPE, *_DESK),
    "upward.sign": _reach(SCOPE, "duty_commander", "leader"),
    "handover.read": _reach(SCOPE, *_DESK),
    "handover.write": _reach(SCOPE, *_DESK),
    "search.use": _reach(SCOPE, *_STAFF, "token_read"),
    "view.keep": _reach(OWN, *_STAFF),
    "wall.drive": _reach(SCOPE, *_DESK),
    "camera.read": _reach(SCOPE, *_STAFF, "wall") | _reach(ALL, "system_admin"),
    "camera.browse": _reach(SCOPE, *_STAFF) | _reach(ALL, "system_admin"),
    "camera.import": _reach(ALL, "system_admin", "system"),
    "camera.place": _reach(SCOPE, *_DESK) | _reach(ALL, "system_admin"),
    "camera.manage": _reach(SCOPE, "duty_commander", "liaison") | _reach(ALL, "system_admin"),
    "camera.limit": _reach(SCOPE, "duty_commander", "liaison") | _reach(ALL, "system_admin"),
    "camera.unlimit": _reach(SCOPE, "duty_commander") | _reach(ALL, "system_admin"),
    "camera.look": _reach(SCOPE, *_STAFF, "wall"),
    "camera.snapshot": _reach(SCOPE, *_STAFF),
    "pictures.view": _reach(SCOPE, *_STAFF),
    "access.ask": _reach(SCOPE, *_STAFF),
    "access.decide": _reach(SCOPE, "duty_commander", "leader", "liaison"),
    "access.authorise": _reach(SCOPE, "duty_commander", "leader", "liaison") | _reach(ALL, "system"),
    "access.break": _reach(SCOPE, *_DESK, "leader"),
    "access.read": _reach(SCOPE, *_STAFF) | _reach(ALL, "audit_admin"),
    "look.read": _reach(SCOPE, "duty_commander", "leader", "liaison") | _reach(ALL, "audit_admin"),
    "evidence.settle": _reach(SCOPE, *_STAFF),
    "evidence.hold": _reach(SCOPE, "duty_commander"),
    "look.close": _reach(SCOPE, "duty_commander") | _reach(ALL, "system"),
    "report.send": _reach(OWN, "source"),
    "warning.send": _reach(OWN, "source"),
    "quarantine.read": _reach(CITY, *_DESK),
    "quarantine.repair": _reach(CITY, "duty_commander"),
    "quarantine.retry": _reach(ALL, "system_admin"),
    "journal.read": _reach(SCOPE, "token_read") | _reach(ALL, "audit_admin"),
    "audit.read": _reach(ALL, "audit_admin"),
    "audit.export": _reach(ALL, "audit_admin"),
    "audit.verify": _reach(ALL, "audit_admin"),
    "grid.read": _reach(ALL, *ROLES, "wall", "token_read"),
    "grid.duties": _reach(SCOPE, *_STAFF) | _reach(ALL, "system_admin"),
    "grid.import": _reach(ALL, "system_admin", "system"),
    "source.read": _reach(ALL, "duty_commander", "system_admin"),
    "source.manage": _reach(ALL, "system_admin", "system"),
    "department.manage": _reach(ALL, "system_admin", "system"),
    "settings.read": _reach(ALL, *ADMINISTRATORS),
    "token.manage": _reach(ALL, "system_admin", "security_admin", "system"),
    "token.intake": _reach(ALL, "system_admin", "system"),
    "token.read": _reach(ALL, "security_admin", "system"),
    "wall.manage": _reach(ALL, "system_admin", "security_admin", "system"),
    "account.read": _reach(ALL, "security_admin"),
    "account.manage": _reach(ALL, "security_admin", "system"),
    "policy.read": _reach(ALL, *ADMINISTRATORS),
    "platform.read": _reach(ALL, "duty_commander", "system_admin"),
    "platform.manage": _reach(ALL, "system_admin", "system"),
    "key.destroy": _reach(ALL, "system"),
    "metrics.read": _reach(ALL, "system_admin", "system") | _reach(CITY, "token_read"),
}
"""action → {role: reach}."""

WHILE_LOCKED = frozenset({"public", "signed_in", "session.unlock", "wall.view", "desk.view", "live.watch", "grid.read"})
"""What a desk that has stood idle may still do: alerts and sound go on, nothing can be looked up or changed."""


class Route(NamedTuple):
    """A line of the route table: methods ("WS" is a WebSocket, "*" any), path (regular expression), action."""

    methods: str
    path: str
    action: str


PAGES: dict[str, str] = {
    "wall": "wall.view",
    "desk": "desk.view",
    "heat": "incident.read",
    "quarantine": "quarantine.read",
    "sources": "source.read",
    "grids": "grid.import",
    "accounts": "account.read",
    "walls": "wall.manage",
    "tokens": "token.manage",
    "audit": "audit.read",
    "settings": "settings.read",
    "me": "account.own",
    "orders": "order.answer",
    "directory": "directory.read",
    "flows": "flow.read",
    "outlets": "outlet.read",
    "upward": "upward.read",
    "handover": "handover.read",
    "platforms": "platform.read",
    "pictures": "pictures.view",
    "cameras": "camera.browse",
    "access": "access.read",
}
"""The action each page wants: to be opened, to send its callbacks, to watch its live topic. Others are nobody's."""


def _page_routes() -> list[Route]:
    opened = [Route("GET", rf"/{page}(/.*)?", action) for page, action in PAGES.items()]
    called = [
        Route("POST", rf"/{page}/(zh|en)/_dash-update-component", action)
        for page, action in PAGES.items()
        if page != "wall"  # it only looks
    ]
    return [*opened, *called]


class Callback(NamedTuple):
    """A line of the table of callbacks: page and id of an output (regular expressions; what is not said is any)."""

    page: str
    output: str
    action: str


# First match wins for each output of a callback; it wants the actions of all of them, and no match is denied.
CALLBACKS: tuple[Callback, ...] = (
    Callback(r".*", r"desk-facts", "signed_in"),
    # which command it is, is asked where it is carried out: a leader may supervise, but not note
    Callback(r"desk", r"desk-answer", "incident.read"),
    Callback(r"desk", r"desk-drawer-body|desk-warning-told", "incident.read"),
    Callback(r"desk", r"warning-call.*", "order.send"),
    Callback(r"desk", r"desk-registered", "incident.register"),
    Callback(r"desk", r"desk-compose-told", "order.send"),
    Callback(r"desk", r"desk-order-.*", "order.read"),
    Callback(r"desk", r"desk-drive-told", "wall.drive"),
    Callback(r"desk", r"desk-cameras-told", "camera.look"),
    Callback(r"desk", r"desk-gridcard-body", "grid.duties"),
    Callback(r"desk", r"search-looked", "incident.unseal"),
    Callback(r"desk", r"search-.*", "search.use"),
    Callback(r"desk", r"views-.*", "view.keep"),
    Callback(r"heat", r"heat-noted", "incident.read"),
    Callback(r"quarantine", r"desk-answer|quarantine-rows", "quarantine.read"),
    Callback(r"sources", r"mapping-(opened|quarantined|resubmitted)", "quarantine.retry"),
    Callback(r"sources", r"source-(list|chosen|facts|sure|datum)|health-shown|try-example", "source.read"),
    Callback(r"sources", r"form-(mode|body|note)|try-(made|item)", "source.read"),
    Callback(r"sources", r"source-done|form-probe|{\"wrong\".*|(files|mapping)-.*", "source.manage"),
    Callback(r"grids", r"(grids|versions|card)-.*|{.*\"grids-column\"}", "grid.import"),
    Callback(r"accounts", r"accounts-import-.*", "account.manage"),
    Callback(r"accounts", r"(account|area|key)-.*|{.*\"grid\".*}", "account.read"),
    Callback(r"walls", r"wall-.*|{\"wall-.*}", "wall.manage"),
    Callback(r"tokens", r"token-.*|{\"token-.*}", "token.manage"),
    Callback(r"cameras", r"ledger-.*|{.*\"ledger-column\"}", "camera.import"),
    Callback(r"cameras", r"looks-.*|{\"looks-.*}", "camera.browse"),
    Callback(r"audit", r"looks-.*|{\"looks-.*}", "look.read"),
    Callback(r"audit", r"audit-(csv|json)", "audit.export"),
    Callback(r"audit", r"verify-.*", "audit.verify"),
    Callback(r"audit", r"(audit|key)-.*", "audit.read"),
    Callback(r"settings", r"department-told|departments-import-.*", "department.manage"),
    Callback(r"settings", r"settings-list|department-.*|{\"department.*}", "settings.read"),
    Callback(r"me", r"me-.*", "account.own"),
    Callback(r"orders", r"mine-.*|{\"mine-.*}", "order.answer"),
    Callback(r"directory", r"(person|team|shift|duty)-.*|{\"(person|team|shift|duty)-.*}", "directory.read"),
    Callback(r"cameras", r"camera-(list|tree|card|complete)-.*|{\"camera-(list|tree)-.*}", "camera.browse"),
    Callback(r"flows", r"flow-.*|{\"flow-.*}", "flow.read"),
    Callback(r"outlets", r"(outlet|delivery)-.*|{\"(outlet|delivery)-.*}", "outlet.read"),
    Callback(r"upward", r"upward-.*|{\"upward-.*}", "upward.read"),
    Callback(r"platforms", r"platform-.*|{\"platform-.*}", "platform.read"),
    Callback(r"pictures", r"pictures-.*", "camera.look"),
    Callback(r"access", r"access-.*", "access.read"),
    Callback(r"cameras", r"coverage-.*", "camera.browse"),
    Callback(r"cameras", r"rates-.*", "camera.browse"),
    Callback(r"handover", r"(handover|note)-.*|{\"(handover|note)-.*}", "handover.read"),
)

# First match wins; no match is denied.
ROUTES: tuple[Route, ...] = (
    Route("GET", r"/healthz|/readyz", "public"),
    Route("GET", r"/assets/.*", "public"),
    Route("GET POST", r"/signin", "public"),
    Route("GET", r"/signin/oidc(/back)?", "public"),
    Route("GET", r"/signin/next", "signin.finish"),
    Route("GET POST", r"/signin/(code|password|enrol)", "signin.finish"),
    Route("POST", r"/signin/leave", "signin.finish"),
    Route("GET", r"/pair|/pair/state", "public"),
    Route("POST", r"/wall/rotate", "wall.rotate"),
    Route("POST", r"/signout", "signed_in"),
    Route("GET", r"/session", "signed_in"),
    Route("POST", r"/session/active", "session.active"),
    Route("GET POST", r"/session/unlock", "session.unlock"),
    Route("GET", r"/metrics", "metrics.read"),
    Route("GET", r"/api/docs|/api/openapi\.json", "signed_in"),
    Route("GET", r"/", "signed_in"),
    *_page_routes(),
    Route("POST", r"/uploads/table", "source.manage"),
    Route("POST", r"/uploads/grids", "grid.import"),
    Route("POST", r"/uploads/cameras", "camera.import"),
    Route("POST", r"/uploads/accounts", "account.manage"),
    Route("POST", r"/uploads/departments", "department.manage"),
    Route("POST", r"/uploads/(person|team)", "directory.manage"),
    Route("POST", r"/uploads/shift", "roster.manage"),
    Route("POST", r"/uploads/duty", "responsibility.manage"),
    Route("POST", r"/attachments/incident/[^/]+", "incident.attach"),
    Route("POST", r"/attachments/order/[^/]+", "order.answer"),
    Route("GET", r"/attachments/[^/]+(/small)?", "attachment.read"),
    Route("DELETE", r"/attachments/[^/]+", "attachment.read"),
    Route("WS", r"/live", "live.watch"),
    Route("GET", r"/video/wall", "camera.look"),
    Route("GET", r"/video/granted", "camera.look"),
    Route("POST", r"/video/tickets", "camera.look"),
    Route("POST", r"/video/(snapshots|clips)", "camera.snapshot"),
    Route("WS", r"/video/[^/]+", "camera.look"),
    Route("POST", r"/engines/[^/]+(/[^/]+)?", "public"),  # each engine shows a key of its own
    Route("GET", r"/cameras-on-map", "camera.read"),
    Route("GET", r"/cameras-to-ask", "access.ask"),
    Route("POST", r"/api/v1/reports", "report.send"),
    Route("WS", r"/api/v1/reports/stream", "report.send"),
    Route("POST", r"/api/v1/warnings", "warning.send"),
    Route("GET", r"/api/v1/incidents(/[^/]+)?", "incident.read"),
    Route("GET", r"/api/v1/orders(/[^/]+)?", "order.read"),
    Route("GET", r"/api/v1/search", "search.use"),
    Route("GET", r"/api/v1/heat(/areas(\.csv)?)?", "incident.read"),
    Route("GET", r"/api/v1/grids/[^/]+", "grid.read"),
    Route("GET", r"/tiles/[0-9]{1,2}/[0-9]{1,8}/[0-9]{1,8}", "grid.read"),
    Route("GET", r"/api/v1/journal", "journal.read"),
    Route("GET", r"/api/v1/audit/export", "audit.export"),
    Route("GET", r"/api/v1/quarantine", "quarantine.read"),
)
_COMPILED = tuple((frozenset(route.methods.split()), re.compile(route.path), route) for route in ROUTES)


def allowed(identity: Identity, action: str) -> bool:
    """Say whether somebody may do an action anywhere at all; an unknown action is nobody's."""
    how_far = POLICY.get(action, {}).get(identity.role)
    held = how_far is not None and (how_far != CITY or identity.scope == WHOLE)
    narrowed = not identity.actions or action in identity.actions or action in ("public", "signed_in")
    return held and narrowed and (not identity.locked or action in WHILE_LOCKED)


def locked_out(identity: Identity, action: str) -> bool:
    """Say whether somebody may not do an action only because their desk has stood idle."""
    return identity.locked and allowed(structs.replace(identity, locked=False), action)


def require(identity: Identity, action: str) -> None:
    """Return if somebody may do an action anywhere at all. Raises Forbidden; Locked on a desk that has stood idle."""
    if allowed(identity, action):
        return
    raise Locked(permission=action) if locked_out(identity, action) else Forbidden(permission=action)


def reach(identity: Identity, action: str) -> Scope:
    """Return where somebody may do an action: a condition of the query that looks. Raises Forbidden when nowhere."""
    require(identity, action)
    return WHOLE if POLICY[action][identity.role] == ALL else identity.scope


def rights(identity: Identity) -> tuple[object, ...]:
    """Return what of an identity decides what it may see and do; a desk that has stood idle sees on."""
    return identity.kind, identity.id, identity.role, identity.scope, identity.actions


def watched(identity: Identity) -> Scope:
    """Return the scope of somebody's screens. Administrators have no jurisdiction: those of security and audit see no
    incident; the system administrator's pages show sources and walls, and no panel of incidents.
    """
    if identity.role in ("security_admin", "audit_admin"):
        return NOWHERE
    return CONFIGURATION if identity.role == "system_admin" else identity.scope


@lru_cache(maxsize=1024)
def permission_for(method: str, path: str) -> str | None:
    """Return the action a request needs ("WS" for a WebSocket), or None: denied to all."""
    found = route_for(method, path)
    return None if found is None else found.action


def route_for(method: str, path: str) -> Route | None:
    """Return the line of the table that a request falls under."""
    method = "GET" if method == "HEAD" else method
    for methods, pattern, route in _COMPILED:
        if method in methods and pattern.fullmatch(path):
            return route
    return None


def admits(identity: Identity, method: str, path: str) -> bool:
    """Say whether the route table lets the identity in."""
    action = permission_for(method, path)
    return action is not None and allowed(identity, action)


@lru_cache(maxsize=1024)
def actions_for(page: str, output: str) -> frozenset[str] | None:
    """Return the actions a callback needs, by its key in Dash's map of callbacks, or None: denied to all."""
    found = {_action_of(page, one) for one in outputs_of(output)}
    return None if None in found or not found else frozenset(one for one in found if one)


def outputs_of(output: str) -> list[str]:
    """Return the ids of a callback's outputs: of "a.children" or "..a.children@HASH...b.data..", a and b."""
    several = output.startswith("..") and output.endswith("..")
    parts = output[2:-2].split("...") if several else [output]
    return [part.partition("@")[0].rpartition(".")[0] for part in parts]


def _action_of(page: str, output_id: str) -> str | None:
    for line in CALLBACKS:
        if re.fullmatch(line.page, page) and re.fullmatch(line.output, output_id):
            return line.action
    return None
