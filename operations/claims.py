"""What an identity provider's claims 声明 give: role and jurisdiction, by rules that stand in a file as plain data."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from operations.errors import OperationsError, Refused
from operations.policy import ADMINISTRATORS, PEOPLE
from operations.scope import Scope

RULES_MOST = 500
VALUES_MOST = 1_000
"""Values of one claim that are looked at."""
EVERYBODY = "*"


class RulesWrong(OperationsError):
    """The file of rules cannot be used; nobody signs in by it until it is mended. Names file, rule and reason."""

    code = "operations.claims_wrong"


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever's claim holds `value` ("*": whoever the provider lets in) gets the role, in the jurisdiction.

    `claim`: another claim than the usual one. `grid_claim`, `department_claim`: the jurisdiction stands in a claim of
    the person's; who lacks it is refused, never given all. `second_factor`: the provider itself asks these for one, so
    ours is not asked for; without a word it is, where the role signs in with one only.
    """

    value: str
    role: str
    grid: str = ""
    department: str = ""
    claim: str = ""
    grid_claim: str = ""
    department_claim: str = ""
    second_factor: bool = False


class _File(Struct, forbid_unknown_fields=True):
    rule: list[Rule] = []


class Grant(Struct, frozen=True):
    """What somebody gets."""

    role: str
    scope: Scope
    second_factor: bool = False


def load(file: Path) -> tuple[Rule, ...]:
    """Return the rules of a file, none where there is no file. Raises RulesWrong."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise RulesWrong(file=file.name, reason=str(error)) from error
    try:
        rules = tuple(msgspec.convert(tomllib.loads(text), _File).rule)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RulesWrong(file=file.name, reason=str(error)) from error
    for number, rule in enumerate(rules, start=1):
        if why := _wrong(rule):
            raise RulesWrong(file=file.name, reason=f"rule {number}: {why}")
    if len(rules) > RULES_MOST:
        raise RulesWrong(file=file.name, reason=f"more than {RULES_MOST} rules")
    return rules


def granted(rules: Sequence[Rule], claims: Mapping[str, Any], claim: str) -> Grant:
    """Return what the first rule that fits gives.

    Raises Refused: none fits, the jurisdiction's claim is not there, or rules of two administrators fit.
    """
    fitting = [rule for rule in rules if rule.value == EVERYBODY or rule.value in values(claims, rule.claim or claim)]
    if not fitting:
        raise Refused("operations.claims_unmapped")
    administrators = {rule.role for rule in fitting if rule.role in ADMINISTRATORS}
    if len(administrators) > 1:
        raise Refused("operations.claims_separated", roles=", ".join(sorted(administrators)))
    first = fitting[0]
    grid = _own(claims, first.grid_claim) if first.grid_claim else first.grid
    department = _own(claims, first.department_claim) if first.department_claim else first.department
    return Grant(first.role, Scope(grid, department), first.second_factor)


def values(claims: Mapping[str, Any], claim: str) -> list[str]:
    """Return the texts of a claim, also of one inside another ("realm_access.roles"); none where it is not there."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return [found]
    return [one for one in found[:VALUES_MOST] if isinstance(one, str)] if isinstance(found, list) else []


def _own(claims: Mapping[str, Any], claim: str) -> str:
    """The one value of a claim that says a jurisdiction."""
    found = values(claims, claim)
    if len(found) != 1 or not found[0].strip():
        raise Refused("operations.claims_jurisdiction", claim=claim)
    return found[0].strip()


def _wrong(rule: Rule) -> str:
    """Why a rule cannot be meant, or ""."""
    if not rule.value:
        return "value is empty"
    if rule.role not in (*PEOPLE, *ADMINISTRATORS):
        return f"role {rule.role!r}; allowed: {', '.join((*PEOPLE, *ADMINISTRATORS))}"
    if rule.role in ADMINISTRATORS and (rule.grid or rule.department or rule.grid_claim or rule.department_claim):
        return "an administrator has no jurisdiction"
    if rule.role in ADMINISTRATORS and rule.value == EVERYBODY:
        return "not everybody is an administrator"
    if (rule.grid and rule.grid_claim) or (rule.department and rule.department_claim):
        return "a jurisdiction is given twice"
    return ""
