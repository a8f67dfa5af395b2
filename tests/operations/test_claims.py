"""Which claims give which role and jurisdiction; and what of it nobody can mean."""

from pathlib import Path
from typing import Any

import pytest

from operations.claims import Grant, Rule, RulesWrong, granted, load, values
from operations.errors import Refused
from operations.scope import Scope

DUTY = Rule("duty", "duty_commander")
FIRE = Rule("fire", "liaison", department="fire", grid_claim="area")


@pytest.mark.parametrize(
    ("claims", "grant"),
    [
        ({"groups": ["x", "duty"]}, Grant("duty_commander", Scope())),
        ({"groups": "duty"}, Grant("duty_commander", Scope())),
        ({"groups": ["fire"], "area": "990101"}, Grant("liaison", Scope("990101", "fire"))),
        ({"groups": ["fire", "duty"], "area": "990101"}, Grant("duty_commander", Scope())),
    ],
)
def test_the_first_rule_that_fits_counts(claims: dict[str, Any], grant: Grant) -> None:
    assert granted((DUTY, FIRE), claims, "groups") == grant


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({}, "unmapped"),
        ({"groups": []}, "unmapped"),
        ({"groups": {"duty": True}}, "unmapped"),
        ({"groups": [1, None, "Duty"]}, "unmapped"),
        ({"groups": ["fire"]}, "jurisdiction"),
        ({"groups": ["fire"], "area": ""}, "jurisdiction"),
        ({"groups": ["fire"], "area": ["990101", "990102"]}, "jurisdiction"),
    ],
)
def test_who_fits_no_rule_gets_nothing(claims: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=code):
        granted((DUTY, FIRE), claims, "groups")


def test_nobody_is_two_of_the_three_administrators() -> None:
    rules = (DUTY, Rule("s", "system_admin"), Rule("a", "audit_admin"))
    assert granted(rules, {"groups": ["a"]}, "groups").role == "audit_admin"
    for groups in (["a", "s"], ["duty", "s", "a"]):
        with pytest.raises(Refused, match="separated"):
            granted(rules, {"groups": groups}, "groups")


def test_a_claim_may_lie_inside_another() -> None:
    claims = {"realm_access": {"roles": ["duty"]}, "https://x.cn/roles": ["fire"]}
    assert values(claims, "realm_access.roles") == ["duty"]
    assert values(claims, "https://x.cn/roles") == ["fire"]
    assert values(claims, "realm_access.none.roles") == []


@pytest.mark.parametrize(
    "text",
    [
        "[[rule]", '[[rule]]\nvalue = "x"',
        '[[rule]]\nvalue = ""\nrole = "leader"', '[[rule]]\nvalue = "x"\nrole = "wall"',
        '[[rule]]\nvalue = "x"\nrole = "leader"\ngird = "1"', '[[rule]]\nvalue = "*"\nrole = "audit_admin"',
        '[[rule]]\nvalue = "x"\nrole = "system_admin"\ngrid = "1"',
        '[[rule]]\nvalue = "x"\nrole = "leader"\ngrid = "1"\ngrid_claim = "area"', "rules = 1", "\xff",
    ],
)  # fmt: skip
def test_rules_nobody_can_mean_are_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "oidc.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(RulesWrong, match=r"oidc\.toml"):
        load(tmp_path / "oidc.toml")


def test_without_rules_nobody_is_mapped(tmp_path: Path) -> None:
    assert load(tmp_path / "oidc.toml") == ()
