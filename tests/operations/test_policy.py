"""The one table: every route × every role, default deny."""

import itertools

import pytest

from operations.errors import Forbidden, Locked
from operations.policy import (
    ANONYMOUS,
    MACHINE_ROLES,
    POLICY,
    ROLES,
    ROUTES,
    WHILE_LOCKED,
    Identity,
    actions_for,
    admits,
    allowed,
    outputs_of,
    permission_for,
    reach,
)
from operations.scope import WHOLE, Scope

EVERYONE = set(ROLES) | set(MACHINE_ROLES)
STAFF = {"operator", "duty_commander", "leader", "liaison"}
ADMINS = {"system_admin", "security_admin", "audit_admin"}
# method, path -> roles that are let in, written out by hand
ORACLE: dict[tuple[str, str], set[str]] = {
    ("GET", "/healthz"): EVERYONE,
    ("GET", "/readyz"): EVERYONE,
    ("HEAD", "/healthz"): EVERYONE,
    ("GET", "/assets/tokens.css"): EVERYONE,
    ("GET", "/signin"): EVERYONE,
    ("POST", "/signin"): EVERYONE,
    ("GET", "/signin/next"): {"pending"},
    ("POST", "/signin/code"): {"pending"},
    ("POST", "/signin/password"): {"pending"},
    ("POST", "/signin/enrol"): {"pending"},
    ("POST", "/signin/leave"): {"pending"},
    ("GET", "/session"): set(ROLES),
    ("POST", "/session/active"): set(ROLES) - {"wall"},
    ("POST", "/session/unlock"): set(ROLES) - {"wall"},
    ("GET", "/metrics"): {"system_admin", "token_read", "system"},
    ("GET", "/wall"): STAFF | {"wall"},
    ("GET", "/pair"): EVERYONE,
    ("GET", "/pair/state"): EVERYONE,
    ("POST", "/wall/rotate"): {"wall"},
    ("POST", "/wall/zh/_dash-update-component"): set(),
    ("WS", "/live"): STAFF | ADMINS | {"wall", "grid_worker"},
    ("GET", "/orders"): {"operator", "duty_commander", "liaison", "grid_worker"},
    ("GET", "/directory"): STAFF | {"system_admin"},
    ("GET", "/cameras"): STAFF | {"system_admin"},
    ("GET", "/flows"): {"duty_commander", "system_admin"},
    ("GET", "/outlets"): {"operator", "duty_commander", "system_admin"},
    ("GET", "/upward"): {"operator", "duty_commander", "leader"},
    ("GET", "/handover"): {"operator", "duty_commander"},
    ("GET", "/desk"): STAFF,
    ("GET", "/heat"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat/areas"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat/areas.csv"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat/areasXcsv"): set(),
    ("GET", "/quarantine"): {"operator", "duty_commander"},
    ("GET", "/sources"): {"duty_commander", "system_admin"},
    ("GET", "/grids"): {"system_admin", "system"},
    ("POST", "/sources/zh/_dash-update-component"): {"duty_commander", "system_admin"},
    ("POST", "/uploads/table"): {"system_admin", "system"},
    ("POST", "/uploads/grids"): {"system_admin", "system"},
    ("POST", "/uploads/other"): set(),
    ("POST", "/api/v1/reports"): {"source"},
    ("WS", "/api/v1/reports/stream"): {"source"},
    ("POST", "/api/v1/warnings"): {"source"},
    ("GET", "/api/v1/incidents"): STAFF | {"token_read"},
    ("GET", "/api/v1/incidents/0190"): STAFF | {"token_read"},
    ("GET", "/api/v1/journal"): {"audit_admin", "token_read"},
    ("GET", "/api/v1/grids/locate"): set(ROLES) | {"wall", "token_read"},
    ("GET", "/tiles/12/3400/1600"): set(ROLES) | {"wall", "token_read"},
    ("GET", "/tiles/12/3400/../../keys"): set(),
    ("GET", "/tiles/12/3400/x"): set(),
    ("GET", "/cameras-on-map"): STAFF | {"wall", "system_admin"},
    ("GET", "/cameras-on-map/x"): set(),
    ("GET", "/cameras-to-ask"): STAFF,
    ("POST", "/video/snapshots"): STAFF,
    ("POST", "/video/clips"): STAFF,
    ("POST", "/tiles/12/3400/1600"): set(),
    ("GET", "/api/docs"): set(ROLES),
    ("GET", "/"): set(ROLES),
    ("GET", "/api/v1/secret"): set(),
    ("GET", "/admin"): set(),
    ("GET", "/wallpaper"): set(),
    ("GET", "/healthz/../admin"): set(),
    ("DELETE", "/api/v1/incidents"): set(),
    ("POST", "/wall"): set(),
    ("GET", "/live"): set(),
    ("WS", "/wall"): set(),
    ("WS", "/_dash-ws-callback"): set(),
    ("TRACE", "/healthz"): set(),
}


@pytest.mark.parametrize(("method", "path"), list(ORACLE))
def test_who_is_let_in(method: str, path: str) -> None:
    roles = ORACLE[method, path]
    assert {role for role in EVERYONE if admits(Identity("account", role=role), method, path)} == roles


def test_the_table_names_only_permissions_and_roles_that_exist() -> None:
    assert {route.action for route in ROUTES} <= POLICY.keys()
    assert set().union(*POLICY.values()) <= EVERYONE
    assert {reach for roles in POLICY.values() for reach in roles.values()} == {"all", "scope", "own", "city"}


def test_nobody_holds_an_unknown_permission_and_an_unknown_role_holds_none() -> None:
    assert not any(allowed(Identity("account", role=role), "no.such") for role in EVERYONE)
    for role in ("", "king", "Operator"):
        assert not any(allowed(Identity("account", role=role), permission) for permission in POLICY)


def test_what_strangers_may() -> None:
    open_to_all = {name for name in POLICY if allowed(ANONYMOUS, name)}
    assert open_to_all == {"public"}
    assert permission_for("GET", "/nowhere") is None


def test_a_wall_only_looks() -> None:
    assert {name for name in POLICY if allowed(Identity("wall", role="wall"), name)} == {
        "public",
        "wall.view",
        "wall.rotate",
        "live.watch",
        "camera.look",
        "camera.read",
        "grid.read",
    }


def test_what_has_no_place_is_for_who_has_the_whole_city() -> None:
    for action in ("quarantine.read", "quarantine.repair"):
        assert reach(Identity("account", role="duty_commander"), action) == WHOLE
        for scope in (Scope("990101"), Scope("", "fire")):
            assert not allowed(Identity("account", role="duty_commander", scope=scope), action)
    assert not allowed(Identity("token", role="token_read", scope=Scope("990101")), "metrics.read")


def test_the_three_administrators_share_nothing_that_changes_or_tells_of_incidents() -> None:
    own = {"account.own", "session.active", "session.unlock"}
    shared = {"public", "signed_in", "live.watch", "grid.read", "settings.read", "policy.read"} | own
    kept = {"token.manage", "wall.manage"}  # devices and their secrets: configuration and rights alike
    for one, other in itertools.combinations(ADMINS, 2):
        both = {action for action, roles in POLICY.items() if {one, other} <= roles.keys()}
        assert both <= shared | (kept if "audit_admin" not in (one, other) else set())
    for action in (
        "incident.read",
        "incident.unseal",
        "quarantine.read",
        "quarantine.repair",
        "desk.view",
        "wall.view",
    ):
        assert not ADMINS & POLICY[action].keys(), action
    for action in ("journal.read", "audit.read", "audit.export", "audit.verify"):
        assert POLICY[action].keys() & ADMINS == {"audit_admin"}
    assert {action for action, roles in POLICY.items() if "audit_admin" in roles} == shared | {
        "journal.read",
        "access.read",
        "look.read",
        "audit.read",
        "audit.export",
        "audit.verify",
    }


def test_a_locked_desk_only_looks_and_is_told_why() -> None:
    locked = Identity("account", role="duty_commander", locked=True)
    assert {action for action in POLICY if allowed(locked, action)} == WHILE_LOCKED & {
        action for action, roles in POLICY.items() if "duty_commander" in roles
    }
    with pytest.raises(Locked):
        reach(locked, "incident.close")
    with pytest.raises(Forbidden) as refused:
        reach(locked, "account.manage")
    assert not isinstance(refused.value, Locked)


def test_a_callback_wants_the_actions_of_all_its_outputs() -> None:
    assert outputs_of("a.children") == ["a"]
    assert outputs_of('..a.children@0f...{"b":["ALL"]}.data...c.d..') == ["a", '{"b":["ALL"]}', "c"]
    assert actions_for("sources", "..form-note.children@1...source-done.children..") == {"source.read", "source.manage"}
    assert actions_for("sources", "..form-note.children...nothing.data..") is None
    assert actions_for("desk", "source-done.children") is None


def test_whoever_may_do_anything_to_an_incident_may_note() -> None:
    """The desk's commands come through one callback, whose line asks for this."""
    done = ("acknowledge", "urgency", "place", "close", "reopen", "distinct", "unseal")
    held = set().union(*(POLICY[f"incident.{one}"] for one in done))
    assert held <= POLICY["incident.note"].keys()
