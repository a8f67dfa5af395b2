"""The one table: every route × every role, default deny."""

import pytest

from operations.policy import (
    ANONYMOUS,
    MACHINE_ROLES,
    POLICY,
    ROLES,
    ROUTES,
    Identity,
    admits,
    allowed,
    permission_for,
)

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
    ("GET", "/metrics"): {"system_admin", "token_read", "system"},
    ("GET", "/wall"): STAFF | {"wall"},
    ("WS", "/live"): STAFF | ADMINS | {"wall"},
    ("GET", "/desk"): STAFF,
    ("GET", "/heat"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat/areas"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat/areas.csv"): STAFF | {"token_read"},
    ("GET", "/api/v1/heat/areasXcsv"): set(),
    ("GET", "/quarantine"): {"operator", "duty_commander", "system_admin"},
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
    ("GET", "/api/v1/grids/locate"): set(ROLES) | {"token_read"},
    ("GET", "/tiles/12/3400/1600"): set(ROLES) | {"token_read"},
    ("GET", "/tiles/12/3400/../../keys"): set(),
    ("GET", "/tiles/12/3400/x"): set(),
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
    assert {reach for roles in POLICY.values() for reach in roles.values()} == {"all", "scope", "own"}


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
        "signed_in",
        "wall.view",
        "live.watch",
        "grid.read",
    }
