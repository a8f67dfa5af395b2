"""Every action that the program writes into the journal has its text in both languages, and a group of the log."""

import ast
import re
from pathlib import Path

import pytest

from config.settings import ROOT
from config.words import LANGUAGES, Words
from operations.inquiry import GROUPS
from operations.policy import POLICY

CODE = re.compile(r"[a-z_]+\.[a-z_]+")
FOLDERS = ("operations", "streams", "dashboard")
DOUBLE = {"clock.state", "incident.urgency", "incident.distinct", "signin.failed"}
"""Actions that are called as what permits them, or as a text."""
PATTERNS = {f"quarantine.{state}" for state in ("added", "resubmitted", "discarded", "unsealed", "retried")} | {
    f"warning.{state}" for state in ("cancelled", "expired", "issued", "placed", "recorded", "replaced", "updated")
}
OTHERS = re.compile(
    r".*\.(json|jsonl|geojson|db|dump|key|pub|sig|crt|csv|lock|toml|py|sock|off|served|example|code|sign_in_|duty_|zip)"
    r"|(place|reporter|presence|revision|numbers|time|http|websocket|gridwall|fields|common|streams|desk|datums|geo"
    r"|geometry|contacts|files|pictures|try|audit|policy|terminal|pair|lifespan|multipart|application|text|image|openid|pairing|admin|orders)\..*"
)
"""Dotted words that are no actions: names of files, parts of reports, keys of tables of texts."""
NEVER_WRITTEN = {"order.changed", "incident.status", "upward.report"}
"""What the fold alone reads of an order, and kinds of letters."""
AUDIT = {"audit.dropped", "audit.searched"}


def written() -> set[str]:
    """Every dotted word of the sources that is neither a right nor a text."""
    words = Words("zh")
    said = {
        node.value
        for folder in FOLDERS
        for path in Path(ROOT, folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }
    said -= {one for one in said if one.startswith("signin.")}
    plain = {one for one in said - POLICY.keys() if one not in words and not words.under(one)}
    plain = {one for one in plain if not OTHERS.fullmatch(one)}
    return plain - NEVER_WRITTEN | DOUBLE | PATTERNS | AUDIT


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_action_has_its_text(lang: str) -> None:
    words, found = Words(lang), written()
    assert {"incident.unsealed", "signin.failed", "clock.state", "key.destroyed", "quarantine.unsealed"} <= found
    assert sorted(one for one in found if f"audit.action.{one}" not in words) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_group_has_its_text(lang: str) -> None:
    assert [one for one in GROUPS if f"audit.group.{one}" not in Words(lang)] == []


def test_every_action_is_in_a_group_of_the_log() -> None:
    firsts = {one for group in GROUPS.values() for one in group}
    assert sorted(one for one in written() if one not in firsts and one.partition(".")[0] not in firsts) == []
