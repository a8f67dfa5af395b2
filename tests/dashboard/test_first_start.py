"""Who a start lets in, and that the command line makes accounts only before anybody has set one up, or with the key."""

import dataclasses
import re
from pathlib import Path

import pytest

from config import clock
from config.settings import Settings
from dashboard import first_start
from operations import accounts, founding, own_account, recovery, sessions
from operations.database import Database
from operations.errors import Refused
from operations.policy import SYSTEM
from tests.dashboard.test_administration import Terminal, terminal
from tests.dashboard.web import PASSWORD

__all__ = ["terminal"]
BASE = "http://127.0.0.1:8050"


class Said:
    """What a start told, by the last part of its key."""

    def __init__(self, settings: Settings) -> None:
        first_start.settle(settings)
        self.told: dict[str, dict[str, str]] = {}
        first_start.welcome(settings, BASE, self._tell)

    def _tell(self, key: str, **params: str) -> None:
        self.told[key.removeprefix("terminal.")] = params


def living(database: Database) -> set[str]:
    return {one.name for one in accounts.living(database)}


def set_up(database: Database, name: str = founding.FIRST) -> None:
    """Have the first administrator choose a password."""
    account = accounts.find(database, name)
    assert account is not None
    own_account.choose_password(database, account.identity, PASSWORD, now=clock.now())


def test_the_demonstration_has_accounts_that_only_links_open(settings: Settings, database: Database) -> None:
    said = Said(dataclasses.replace(settings, demo=True)).told
    assert set(said) == {*(f"sign_in_{name}" for name in first_start.DEMO), "sign_in_once"}
    assert all(account.demo for account in accounts.living(database))
    assert not (settings.data / "keys" / recovery.FILE).exists()


@pytest.mark.parametrize("way", [{"demo": False}, {"demo": True, "host": "0.0.0.0"}])
def test_elsewhere_they_are_switched_off_and_one_security_administrator_is_made(
    settings: Settings, database: Database, way: dict[str, object]
) -> None:
    link = Said(dataclasses.replace(settings, demo=True)).told["sign_in_admin"]["link"]
    opened, _ = sessions.redeem(database, link.partition("once=")[2], hours=1, now=clock.now())
    said = Said(dataclasses.replace(settings, **way)).told  # type: ignore[arg-type]
    assert living(database) == {founding.FIRST}
    assert sessions.identify(database, opened, clock.now()) is None
    account = accounts.find(database, founding.FIRST)
    assert account is not None
    assert (account.demo, account.must_change, account.role) == (False, True, "security_admin")
    remote = "host" in way
    assert set(said) == {"first_password" if remote else "first_link", "recovery_key"}
    if remote:
        now, made = clock.now(), said["first_password"]["password"]
        assert accounts.check_password(database, founding.FIRST, made, now).must_change
    again = Said(dataclasses.replace(settings, **way)).told  # type: ignore[arg-type]
    assert set(again) == {"first_password" if remote else "first_link"}, "the recovery key is told once"
    set_up(database)
    for later in (way, {"demo": True}):
        assert set(Said(dataclasses.replace(settings, **later)).told) == {"sign_in_by_password"}  # type: ignore[arg-type]
        assert living(database) == {founding.FIRST}


def test_they_are_there_when_asked_for_by_name(settings: Settings, database: Database) -> None:
    said = Said(dataclasses.replace(settings, demo=False, demo_accounts="duty,admin")).told
    assert set(said) == {"sign_in_duty", "sign_in_admin", "sign_in_once"}
    Said(dataclasses.replace(settings, demo=False, demo_accounts="admin"))
    assert living(database) == {"admin"}


def test_a_real_account_is_never_opened_by_the_demonstration(settings: Settings, database: Database) -> None:
    accounts.add(database, SYSTEM, "duty", "operator", now=clock.now(), password=PASSWORD)
    said = Said(dataclasses.replace(settings, demo=True)).told
    assert "sign_in_duty" not in said and "sign_in_admin" in said


def test_the_recovery_key_is_kept_as_a_digest_only(settings: Settings, database: Database) -> None:
    folder = settings.data / "keys"
    key = recovery.make(database, folder, now=clock.now())
    assert recovery.make(database, folder, now=clock.now()) == ""
    file = folder / recovery.FILE
    assert file.stat().st_mode & 0o777 == 0o600 and key not in file.read_text()
    assert recovery.fits(folder, key.lower().replace("-", " "))
    for wrong in ("", key[:-1], key[:-1] + ("A" if key[-1] != "A" else "B"), "\ud800"):
        assert not recovery.fits(folder, wrong)
    assert not recovery.fits(folder / "none", key)


def test_the_command_line_needs_the_recovery_key_once_there_is_an_administrator(
    terminal: Terminal, tmp_path: Path
) -> None:
    folder = terminal.folder
    key = recovery.make(terminal.database, folder / "keys", now=clock.now())
    right, wrong = tmp_path / "right.txt", tmp_path / "wrong.txt"
    right.write_text(key + "\n")
    wrong.write_text("AAAAA-" * 6)
    assert "once=" in terminal.run("link")[1], "nobody has set anything up yet"
    assert terminal.run("user", "add", "wang", "--role", "operator")[0] == 0
    set_up(terminal.database)
    before = clock.now()
    for line in (("link",), ("link", "--account", "wang"), ("user", "add", "li", "--role", "security_admin")):
        assert terminal.run(*line)[0] == 1
        assert terminal.run(*line, "--recovery-key-file", str(wrong))[0] == 1
    assert terminal.run("user", "disable", "wang")[0] == 1
    assert accounts.check_password(terminal.database, founding.FIRST, PASSWORD, clock.now())
    code, said = terminal.run("link", "--account", founding.FIRST, "--recovery-key-file", str(right))
    assert code == 0 and re.search(r"/signin\?once=\S+$", said)
    with pytest.raises(Refused):
        accounts.check_password(terminal.database, founding.FIRST, PASSWORD, clock.now())
    assert terminal.run("user", "disable", "wang", "--recovery-key-file", str(right))[0] == 0
    told = recovery.recent(terminal.database, before)
    assert [action for _, action, _ in told].count(recovery.REFUSED) == 7
    assert [(action, body["command"], body["name"]) for _, action, body in told[:2]] == [
        (recovery.USED, "user disable", "wang"),
        (recovery.USED, "link", founding.FIRST),
    ]
    assert not any(key in str(body) for _, _, body in told)


def test_a_link_is_never_made_for_an_account_of_the_demonstration_that_is_off(
    terminal: Terminal, settings: Settings
) -> None:
    founding.demonstrate(terminal.database, {"duty": "duty_commander"}, now=clock.now())
    assert "once=" in terminal.run("link", "--account", "duty")[1]
    founding.retire(terminal.database, [], now=clock.now())
    assert "once=" not in terminal.run("link", "--account", "duty")[1]
    assert "once=" not in terminal.run("link", "--account", "admin")[1]
    assert living(terminal.database) == set()


def test_a_start_never_touches_an_account_that_is_somebodys(settings: Settings, terminal: Terminal) -> None:
    database, now = terminal.database, clock.now()
    accounts.add(database, SYSTEM, founding.FIRST, "operator", now=now, password=PASSWORD)
    said = Said(dataclasses.replace(settings, host="0.0.0.0")).told
    assert said["first_password"]["name"] == "security-2"
    assert accounts.check_password(database, founding.FIRST, PASSWORD, now).role == "operator"
    again = Said(dataclasses.replace(settings, host="0.0.0.0")).told["first_password"]
    assert again["name"] == "security-2" and living(database) == {"security", "security-2"}
    code, said_then = terminal.run("link", "--account", founding.FIRST)
    assert code == 1 and "once=" not in said_then, "a way into somebody's account wants the recovery key"
    assert "once=" in terminal.run("link")[1]
    assert accounts.check_password(database, founding.FIRST, PASSWORD, now).role == "operator"


def test_one_founded_out_of_the_demonstration_gets_its_recovery_key_too(settings: Settings, database: Database) -> None:
    Said(dataclasses.replace(settings, demo=True))
    accounts.add(database, SYSTEM, "zhao", "security_admin", now=clock.now(), password=PASSWORD)
    assert set(Said(settings).told) == {"sign_in_by_password", "recovery_key"}
    assert set(Said(settings).told) == {"sign_in_by_password"}
