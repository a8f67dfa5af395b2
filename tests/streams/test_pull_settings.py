"""Settings of pulled sources: what is allowed, which field is wrong, and never a secret in them."""

import contextlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import SettingsWrong
from streams.pull_settings import KINDS, checked, of_form
from streams.source_secrets import SourceSecrets

GOOD: dict[str, dict[str, Any]] = {
    "http_pull": {"url": "https://dept.example/api/orders?city=1"},
    "database": {"url": "postgresql://reader@db.example/orders", "table": "orders", "watermark": "changed"},
    "websocket_pull": {"url": "wss://dept.example/feed"},
    "folder": {},
    "cap_pull": {"url": "https://weather.example/feed.atom"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_is_enough_and_comes_back_whole(kind: str) -> None:
    text = of_form(kind, GOOD[kind])
    assert checked(kind, text) == KINDS[kind](**GOOD[kind])
    assert of_form(kind, {**GOOD[kind], "other": 7, "secret": "x"}) == text


@pytest.mark.parametrize(
    ("kind", "change", "field", "code"),
    [
        ("http_pull", {"url": "file:///etc/passwd"}, "url", "address"),
        ("http_pull", {"url": "http://"}, "url", "address"),
        ("http_pull", {"url": "http://a b/"}, "url", "address"),
        ("http_pull", {"url": "http://[::1"}, "url", "address"),
        ("http_pull", {"url": "http://u:p@dept.example/"}, "url", "secret_in_url"),
        ("http_pull", {"url": "http://dept.example/?access_token=x"}, "url", "secret_in_url"),
        ("http_pull", {"period_s": 4}, "period_s", "between"),
        ("http_pull", {"period_s": 86_401}, "period_s", "between"),
        ("http_pull", {"period_s": "often"}, "period_s", "form"),
        ("http_pull", {"watermark_param": "since"}, "watermark_field", "watermark_pair"),
        ("http_pull", {"items": "a..b"}, "items", "path"),
        ("http_pull", {"headers": {"Authorization": "Bearer x"}}, "headers", "secret_header"),
        ("http_pull", {"headers": {"X-Api-Key": "x"}}, "headers", "secret_header"),
        ("http_pull", {"headers": {"X-A": "a\r\nHost: b"}}, "headers", "header"),
        ("http_pull", {"auth": "basic"}, "auth_name", "needed"),
        ("http_pull", {"auth": "magic"}, "auth", "choice"),
        ("database", {"url": "orders"}, "url", "database_address"),
        ("database", {"url": "postgresql://u:p@db/x"}, "url", "secret_in_url"),
        ("database", {"url": "postgresql://u@db/x?password=p"}, "url", "secret_in_url"),
        ("database", {"table": ""}, "table", "name"),
        ("database", {"batch": 0}, "batch", "between"),
        ("websocket_pull", {"url": "http://dept.example/"}, "url", "address"),
        ("websocket_pull", {"cursor_field": "id"}, "cursor_field", "cursor_pair"),
        ("websocket_pull", {"first": "{cursor}"}, "cursor_field", "cursor_pair"),
        ("websocket_pull", {"silence_s": 3}, "silence_s", "silence"),
        ("cap_pull", {"url": "ftp://weather.example/"}, "url", "address"),
        ("cap_pull", {"period_s": 4}, "period_s", "between"),
        ("folder", {"path": "../elsewhere"}, "path", "folder_path"),
        ("folder", {"period_s": 0}, "period_s", "between"),
    ],
)
def test_what_is_wrong_is_named(kind: str, change: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(SettingsWrong) as error:
        of_form(kind, GOOD[kind] | change)
    assert (error.value.field, error.value.code) == (field, code)


@given(st.sampled_from(sorted(KINDS)), st.text())
def test_any_text_is_settings_or_refused(kind: str, text: str) -> None:
    with contextlib.suppress(SettingsWrong):
        checked(kind, text)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(["url", "table", "first", "items"]), st.text()))
def test_any_values_are_settings_or_refused(kind: str, values: dict[str, str]) -> None:
    with contextlib.suppress(SettingsWrong):
        checked(kind, msgspec.json.encode(GOOD[kind] | values).decode())


def test_secrets_are_kept_apart_and_forgotten(tmp_path: Path) -> None:
    secrets = SourceSecrets(tmp_path)
    assert secrets.get("dept") == ""
    secrets.put("dept", "s3cret")
    assert SourceSecrets(tmp_path).get("dept") == "s3cret" and secrets.get("dept2") == ""
    secrets.put("dept", "")
    assert secrets.get("dept") == "" and list((tmp_path / "sources").iterdir()) == []
    for wrong in ("a\nb", "x" * 5_000):
        with pytest.raises(ValueError, match="one line"):
            secrets.put("dept", wrong)
    with pytest.raises(ValueError, match="id of a source"):
        secrets.get("../head")
