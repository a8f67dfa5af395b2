"""The settings: where they come from, and what they say when they are wrong."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from config.settings import RULES, Settings, SettingsError, load


def test_the_defaults_need_nothing(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={})
    assert (settings.host, settings.port, settings.demo) == ("127.0.0.1", 8050, True)
    assert settings.database_url == f"sqlite:///{tmp_path}/gridwall.db"
    assert settings.redis_url == f"unix://{tmp_path}/valkey.sock"
    assert settings.embedded_valkey
    assert settings.zone.key == "Asia/Shanghai"


def test_command_line_beats_environment_beats_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("port = 1111\nspeed = 2\nworkers = 3\n", encoding="utf-8")
    settings = load(tmp_path, environ={"GRIDWALL_PORT": "2222", "GRIDWALL_SPEED": "3"}, port=3333)
    assert (settings.port, settings.speed, settings.workers) == (3333, 3.0, 3)


def test_other_engines_go_by_their_usual_variables(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={"DATABASE_URL": "postgresql://u@h/n", "REDIS_URL": "redis://h:6379/0"})
    assert settings.database_url == "postgresql+psycopg://u@h/n"
    assert (settings.redis_url, settings.embedded_valkey) == ("redis://h:6379/0", False)


def test_a_file_named_in_part_is_one_of_the_data_folder(tmp_path: Path) -> None:
    for given, file in (("x.db", f"{tmp_path}/x.db"), ("/a/x.db", "/a/x.db")):
        assert load(tmp_path, environ={"DATABASE_URL": f"sqlite:///{given}"}).database_url == f"sqlite:///{file}"


def test_the_data_folder_comes_from_the_environment(tmp_path: Path) -> None:
    assert load(environ={"GRIDWALL_DATA": str(tmp_path)}).data == tmp_path


@pytest.mark.parametrize(
    ("file", "environ", "named"),
    [
        ("port = 0", {}, ["port", "config.toml", "1 to 65535"]),
        ('port = "8050"', {}, ["port", "config.toml", "whole number"]),
        ("demo = 1", {}, ["demo", "config.toml", "true or false"]),
        ("prot = 8051", {}, ["prot", "config.toml", "not a setting", "port"]),
        ("port = ", {}, ["config.toml", "TOML"]),
        ("", {"GRIDWALL_PORT": "http"}, ["port", "GRIDWALL_PORT", "whole number"]),
        ("", {"GRIDWALL_COLOUR": "red"}, ["colour", "GRIDWALL_COLOUR", "not a setting"]),
        ("", {"GRIDWALL_CITY_TIME_ZONE": "Mars/Olympus"}, ["city_time_zone", "Asia/Shanghai"]),
        ("", {"DATABASE_URL": "mysql://h/n"}, ["database_url", "DATABASE_URL", "postgresql"]),
        ("", {"REDIS_URL": "localhost"}, ["redis_url", "REDIS_URL", "redis://"]),
        ("", {"GRIDWALL_SPEED": "nan"}, ["speed", "above 0"]),
        ("", {"GRIDWALL_DEMO": "perhaps"}, ["demo", "true or false"]),
    ],
)
def test_a_wrong_value_names_setting_place_and_what_is_allowed(
    tmp_path: Path, file: str, environ: dict[str, str], named: list[str]
) -> None:
    (tmp_path / "config.toml").write_text(file, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, environ=environ)
    for part in named:
        assert part in str(caught.value)


@pytest.mark.parametrize("url", ["postgres://gw:S3cret@db/gw", "gw:S3cret@db", "redis:/:S3cret@h"])
@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL"])
def test_no_password_is_told(tmp_path: Path, variable: str, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, environ={variable: url})
    assert "S3cret" not in str(caught.value)


def test_a_folder_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="too long"):
        load(tmp_path / ("x" * 120), environ={})
    assert load(tmp_path / ("x" * 120), environ={"REDIS_URL": "redis://h"}).redis_url == "redis://h"


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={})
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]


def test_every_setting_has_a_rule() -> None:
    assert set(Settings.__dataclass_fields__) - {"data", "embedded_valkey", "origins"} == set(RULES)
