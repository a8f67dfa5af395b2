"""The command line: what is understood, where options may stand, and what a mistake is answered with."""

from pathlib import Path

import pytest

from dashboard import administration, cli, keeping, tasks


@pytest.mark.parametrize(
    ("line", "handler", "values"),
    [
        ("", "start", {}),
        (
            "--data d --host h --port 1 --no-demo --speed 2",
            "start",
            {"data": "d", "port": 1, "demo": False, "speed": 2.0},
        ),
        ("web --port 1", "web", {"port": 1}),
        ("--data d worker", "worker", {"data": "d"}),
        ("sources --data d --no-demo", "sources", {"data": "d", "demo": False}),
        ("check --data d", "check", {"data": "d"}),
        (
            "import grids a.geojson b.geojson --code id",
            "import_grids",
            {"file": ["a.geojson", "b.geojson"], "code": "id"},
        ),
        ("replay f --speed 200", "replay", {"file": "f", "speed": 200.0}),
        ("source add s --name N --datum GCJ02", "add_source", {"id": "s", "name": "N", "datum": "GCJ02"}),
        ("user add u --role operator --data d", "add_user", {"name": "u", "role": "operator", "data": "d"}),
        ("token add t --scope read", "add_token", {"name": "t", "scope": "read"}),
        ("token revoke t", "revoke_token", {"name": "t"}),
        ("source revoke s --data d", "revoke_source", {"id": "s", "data": "d"}),
        ("source token s", "source_token", {"id": "s"}),
        ("user disable u", "disable_user", {"name": "u"}),
        ("bench geo map", "bench", {"name": ["geo", "map"]}),
        ("lint", "lint", {}),
        ("test", "test", {"rest": []}),
        (
            "test tests/geo -x -k point --durations=3",
            "test",
            {"rest": ["tests/geo", "-x", "-k", "point", "--durations=3"]},
        ),
        ("backup /b/x.tar --keys /k.tar --data d", "backup", {"target": "/b/x.tar", "keys": "/k.tar", "data": "d"}),
        ("backup", "backup", {"target": "", "keys": ""}),
        ("restore x.tar --data n", "restore", {"file": "x.tar", "keys": "", "data": "n"}),
        ("segment export --data d", "segment_export", {"data": "d"}),
        ("segment check a.tar", "segment_check", {"file": ["a.tar"]}),
        ("tls make --name a --name b", "tls_make", {"name": ["a", "b"]}),
        ("tls import --cert c --key k", "tls_import", {"cert": "c", "key": "k"}),
        ("link --account wang", "link", {"account": "wang"}),
    ],
)
def test_every_command_is_understood(line: str, handler: str, values: dict[str, object]) -> None:
    asked = cli.parsed(line.split())
    assert asked.handler == handler
    assert handler in tasks.TASKS
    for name, value in values.items():
        assert getattr(asked, name) == value


@pytest.mark.parametrize(
    "line", ["fly", "check --fast", "source add s", "source add s --name N --datum WGS72", "--port x"]
)
def test_a_mistake_ends_with_usage(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.parsed(line.split())
    assert ended.value.code == cli.WRONG_USE
    assert "usage: run.py" in capsys.readouterr().err


def test_a_wrong_setting_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "config.toml").write_text("port = 0\n", encoding="utf-8")
    assert cli.main(["check", "--data", str(folder)]) == cli.WRONG_USE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{folder}/config.toml" in said and "1 to 65535" in said


def test_the_administration_known_by_name_is_the_one_there_is() -> None:
    assert set(tasks.ADMINISTRATION) == administration.COMMANDS.keys()
    assert set(tasks.KEEPING) == keeping.COMMANDS.keys()
