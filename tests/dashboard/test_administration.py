"""The commands that give and take away: what they print, and that the door then opens or stays shut."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import clock
from dashboard import cli
from operations import accounts, journal, tokens
from operations.cameras import reading
from operations.database import Database
from operations.errors import Refused
from operations.grids import editions, import_grids
from operations.policy import SYSTEM
from operations.seal import KeyStore
from tests.dashboard.conftest import CITY
from tests.operations.desk import COMMANDER, DAY, Desk, report


class Terminal:
    """Runs commands on one data folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.run("source", "add", "s1", "--name", "Test")
        self.database = Database(f"sqlite:///{folder}/gridwall.db")

    def run(self, *line: str) -> tuple[int, str]:
        """The exit code and the last line printed (the secret, if there is one)."""
        code = cli.main([*line, "--data", str(self.folder)])
        said = self._capsys.readouterr()
        return code, (said.out + said.err).rstrip("\n").rpartition("\n")[2]

    def opens(self, secret: str) -> bool:
        """Whether the door still opens to a token."""
        return tokens.identify(self.database, secret, clock.now()) is not None


@pytest.fixture
def terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    made = Terminal(folder, capsys)
    yield made
    made.database.close()


def test_a_token_ends_by_its_name(terminal: Terminal) -> None:
    _, secret = terminal.run("token", "add", "report")
    assert terminal.opens(secret)
    assert terminal.run("token", "revoke", "report")[0] == 0
    assert not terminal.opens(secret)
    assert terminal.run("token", "revoke", "report")[0] == 1


def test_a_token_goes_only_so_far_and_is_rotated_with_an_overlap(terminal: Terminal) -> None:
    line = ("token", "add", "report", "--may", "grid.read", "--network", "10.0.0.0/8", "--days", "30")
    code, first = terminal.run(*line)
    assert code == 0 and not terminal.opens(first)  # from nowhere known
    found = tokens.identify(terminal.database, first, clock.now(), "10.1.2.3")
    assert found is not None and found.actions == ("grid.read",)
    _, second = terminal.run("token", "rotate", "report")
    for secret in (first, second):
        assert tokens.identify(terminal.database, secret, clock.now(), "10.1.2.3") == found
    terminal.run("token", "rotate", "report", "--hours", "0")
    assert tokens.identify(terminal.database, second, clock.now(), "10.1.2.3") is None
    assert terminal.run("token", "rotate", "nobody")[0] == 1
    terminal.run("token", "add", "report")
    code, said = terminal.run("token", "rotate", "report")
    assert (code, said.count("-") >= 8) == (1, True)
    assert terminal.run("token", "add", "x", "--network", "10.0.0.1/8")[0] != 0


def test_a_source_gets_another_token_or_none(terminal: Terminal) -> None:
    _, first = terminal.run("source", "add", "s2", "--name", "Two")
    _, second = terminal.run("source", "token", "s2")
    assert (terminal.opens(first), terminal.opens(second)) == (False, True)
    assert terminal.run("source", "revoke", "s2")[0] == 0
    assert not terminal.opens(second)
    _, third = terminal.run("source", "token", "s2")
    assert terminal.opens(third) and not terminal.opens(second)
    assert (terminal.run("source", "revoke", "s9")[0], terminal.run("source", "token", "s9")[0]) == (1, 1)


def test_a_source_names_a_mapping_that_can_be_read(terminal: Terminal, folder: Path) -> None:
    fetched = terminal.run("source", "add", "s4", "--name", "Four", "--kind", "http_pull")
    assert fetched[0] == 0 and "Bearer" not in fetched[1] and len(fetched[1].strip().splitlines()) == 1
    code, said = terminal.run("source", "add", "s2", "--name", "Two", "--mapping", "hotlin")
    assert (code, "hotline" in said) == (1, True)
    assert terminal.run("source", "add", "s2", "--name", "Two", "--mapping", "hotline")[0] == 0
    assert terminal.run("check")[0] == 0
    (folder / "sources").mkdir()
    (folder / "sources" / "hotline.toml").write_text("[fields\n")
    code, said = terminal.run("source", "add", "s3", "--name", "Three", "--mapping", "hotline")
    assert (code, "hotline.toml" in said) == (1, True)
    assert terminal.run("check")[0] == 1


def test_an_account_is_switched_off(terminal: Terminal) -> None:
    _, password = terminal.run("user", "add", "wang", "--role", "operator")
    assert accounts.check_password(terminal.database, "wang", password, clock.now()).name == "wang"
    assert terminal.run("user", "disable", "wang")[0] == 0
    with pytest.raises(Refused):
        accounts.check_password(terminal.database, "wang", password, clock.now())
    assert (terminal.run("user", "disable", "wang")[0], terminal.run("user", "disable", "li")[0]) == (1, 1)


def test_a_scope_names_a_grid_that_exists(terminal: Terminal) -> None:
    asked = (("token", "add", "t"), ("user", "add", "wang", "--role", "operator"))
    import_grids(terminal.database, SYSTEM, CITY, "digest", now=clock.now())
    for line in asked:
        code, said = terminal.run(*line, "--grid", "nonexist")
        assert (code, "nonexist" in said) == (1, True)
        assert terminal.run(*line, "--grid", CITY[1].code)[0] == 0


def test_grids_begin_when_it_is_said(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "g.geojson"
    shape = '{"type":"Polygon","coordinates":[[[118,35],[119,35],[119,36],[118,36],[118,35]]]}'
    file.write_text(f'{{"type":"Feature","properties":{{"code":"990101","name":"N"}},"geometry":{shape}}}')
    for wrong in ("tomorrow", "2020-01-01"):
        assert terminal.run("import", "grids", str(file), "--from", wrong)[0] != 0
    assert editions(terminal.database) == []
    code, said = terminal.run("import", "grids", str(file), "--from", "2099-01-01T08:00")
    (made,) = editions(terminal.database)
    assert (code, "2099-01-01T08:00" in said, made.began_at) == (0, True, None)
    assert made.valid_from == int(datetime(2099, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000, "08:00 in Shanghai"


def test_what_ended_long_ago_is_forgotten(terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(KeyStore(folder / "keys")) as keys:
        desk = Desk(terminal.database, keys)
        desk.send(report())
        closed = desk.commands.close(COMMANDER, desk.incident().id, 1, "resolved").id
        for days, left in ((9, {closed}), (11, set())):
            at = desk.now + days * DAY
            monkeypatch.setattr(clock, "now", lambda at=at: at)
            assert terminal.run("forget", "10")[0] == 0
            assert keys.find([closed]).keys() == left
    with pytest.raises(SystemExit):
        terminal.run("forget", "0")


def test_a_restored_database_begins_a_new_epoch(terminal: Terminal) -> None:
    code, said = terminal.run("restored", "disk of the old server failed, copy of Sunday")
    assert (code, "2" in said, journal.head(terminal.database).epoch) == (0, True, 2)
    assert journal.read(terminal.database, 0)[-1].reason == "disk of the old server failed, copy of Sunday"
    assert terminal.run("check")[0] == 0


def test_what_was_written_here_is_signed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal.run("link")[0] == 0  # makes the first account
    later = clock.now() + 600_000_000
    monkeypatch.setattr(clock, "now", lambda: later)
    assert terminal.run("check")[0] == 0


def test_a_ledger_of_cameras_is_tried_first_and_taken_once(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "cameras.csv"
    file.write_text("国标编码,设备名称,经度,纬度\n32010000001320000001,东门,118.8,32.05\n", encoding="utf-8")
    line = ("import", "cameras", str(file), "--source", "ledger")
    assert terminal.run(*line, "--dry-run")[0] == 0
    with terminal.database.read() as connection:
        assert reading.of_code(connection, "ledger", "32010000001320000001") is None
    code, first = terminal.run(*line)
    again = terminal.run(*line)[1]
    assert code == 0
    assert first != again
    with terminal.database.read() as connection:
        kept = reading.of_code(connection, "ledger", "32010000001320000001")
    assert kept is not None
    assert (kept.lon, kept.lat, kept.revision) == (118.8, 32.05, 1)
