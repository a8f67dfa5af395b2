"""Every setting in force: where it came from, what waits for a restart, and never a secret."""

from pathlib import Path

import pytest

from config.inventory import address, compared, entries
from config.settings import RULES, load
from config.words import LANGUAGES, Words


def test_every_setting_knows_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("port = 1111\nspeed = 2\nworkers = 3\n", encoding="utf-8")
    environ = {"GRIDWALL_SPEED": "3", "DATABASE_URL": "postgresql://u@h/n", "GRIDWALL_CITY_NAME": "云", "OTHER": "x"}
    origins = load(tmp_path, environ=environ, port=3333).origins
    assert set(origins) == {"data", *RULES}
    assert {name: origin for name, origin in origins.items() if origin != "default"} == {
        "data": "command line",
        "port": "command line",
        "speed": "GRIDWALL_SPEED",
        "database_url": "DATABASE_URL",
        "city_name": "GRIDWALL_CITY_NAME",
        "workers": "file",
    }
    assert load(tmp_path, environ={"GRIDWALL_DATA": str(tmp_path)}).origins["data"] == "GRIDWALL_DATA"
    assert load(environ={}).origins["data"] == "default"
    own = {"DATABASE_URL": "sqlite:///a.db", "GRIDWALL_DATABASE_URL": "sqlite:///b.db"}
    found = load(tmp_path, environ=own)
    assert found.database_url.endswith("b.db") and found.origins["database_url"] == "GRIDWALL_DATABASE_URL"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://gw:S3cret@db/gw?password=S3cret&sslmode=require",
         "postgresql+psycopg://gw:…@db/gw?password=…&sslmode=…"),
        ("postgresql+psycopg://gw:S3/c?r@e#t@db/gw", "postgresql+psycopg://gw:…@db/gw"),
        ("redis://:S3cret@h:6379/0", "redis://:…@h:6379/0"),
        ("https://t.example/{z}/{x}/{y}?tk=S3cret&k={key}", "https://t.example/{z}/{x}/{y}?tk=…&k={key}"),
        ("sqlite:////data/a@b.db", "sqlite:////data/a@b.db"),
        ("file:{z}/{x}/{y}.png", "file:{z}/{x}/{y}.png"),
        ("", ""),
    ],
)  # fmt: skip
def test_an_address_shows_no_secret(url: str, said: str) -> None:
    assert address(url) == said


def test_what_has_changed_since_the_start_waits_for_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRIDWALL_PORT", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = load(tmp_path, speed=5.0)
    assert compared(settings) == (entries(settings), "")
    (tmp_path / "config.toml").write_text("workers = 7\nspeed = 2\n", encoding="utf-8")
    found, wrong = compared(settings)
    assert [(one.name, one.value, one.waiting) for one in found if one.waiting] == [("workers", "1", "7")]
    assert wrong == ""
    (tmp_path / "config.toml").write_text("workers = 700\n", encoding="utf-8")
    found, wrong = compared(settings)
    assert found == entries(settings) and "workers" in wrong


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_setting_is_explained(lang: str) -> None:
    words = Words(lang)
    assert [name for name in ("data", *RULES) if f"settings.about.{name}" not in words] == []
