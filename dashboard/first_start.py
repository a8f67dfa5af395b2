"""Who may be signed in to at a start (首次启动), and what the command line may do about accounts afterwards."""

import getpass
import os
import pwd
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from config import clock
from config.settings import Settings
from config.words import Words
from operations import accounts, founding, recovery, second_factor, sessions
from operations.database import Database
from operations.errors import NotFound
from operations.policy import SYSTEM
from operations.seal import KeyStore

DEMO = {
    "duty": "duty_commander",
    "leader": "leader",
    "police": "liaison",
    "transport": "liaison",
    "admin": "system_admin",
    "security": "security_admin",
    "audit": "audit_admin",
}
"""Accounts of the demonstration: who commands, who leads, who answers for two departments (called after them), who
connects sources, who gives rights, who reads the journal."""
KEY_BYTES = 1_000

Tell = Callable[..., None]


def wanted(settings: Settings, *, founded: bool) -> dict[str, str]:
    """Return the accounts of the demonstration that may be: those asked for by name, else all while it plays here."""
    if settings.demo_accounts:
        return {name: DEMO[name] for name in settings.demo_accounts.split(",")}
    return DEMO if settings.demo and settings.loopback and not founded else {}


def settle(settings: Settings) -> None:
    """Switch off, before anybody can come, the accounts of the demonstration that may not be."""
    with closing(Database(settings.database_url)) as database:
        kept = wanted(settings, founded=accounts.founded(database))
        founding.retire(database, list(kept), now=clock.now())


def welcome(settings: Settings, base: str, tell: Tell) -> None:
    """Make the accounts of a start and say how to sign in to them; `base`: where the pages are."""
    with closing(Database(settings.database_url)) as database:
        now, founded = clock.now(), accounts.founded(database)
        demo = founding.demonstrate(database, wanted(settings, founded=founded), now=now)
        for name in demo:
            tell(f"terminal.sign_in_{name}", link=once(database, base, name))
        if demo:
            tell("terminal.sign_in_once")
        elif founded:
            tell("terminal.sign_in_by_password", link=f"{base}/signin")
            _key(database, settings, tell)  # it was founded out of the demonstration, where none is made
        else:
            _found(database, settings, base, tell)


def _found(database: Database, settings: Settings, base: str, tell: Tell) -> None:
    """Make the one security administrator and the recovery key."""
    name, password = founding.first(database, now=clock.now())
    if settings.loopback:
        tell("terminal.first_link", name=name, link=once(database, base, name))
    else:
        tell("terminal.first_password", link=f"{base}/signin", name=name, password=password)
    _key(database, settings, tell)


def _key(database: Database, settings: Settings, tell: Tell) -> None:
    """Make and tell the recovery key, where none is."""
    if key := recovery.make(database, settings.data / "keys", now=clock.now()):
        tell("terminal.recovery_key", secret=key)


def once(database: Database, base: str, name: str) -> str:
    """Return a link that signs in once."""
    return f"{base}/signin?once={sessions.issue_one_time(database, name, clock.now())}"


def link(database: Database, settings: Settings, base: str, asked: str, words: Words, file: str) -> int:
    """Print a way in: for the demonstration, before anybody has set up an account, or with the recovery key."""
    now = clock.now()
    demo = founding.living(database, [asked] if asked else list(DEMO), now)
    if demo:
        print(once(database, base, demo[0]))
        recovery.note(database, recovery.COMMAND, "link", demo[0], login=login(), now=now)
        return 0
    first = founding.FIRST if accounts.founded(database) else founding.name_of_first(database)
    name = asked or first
    if accounts.find(database, name) is None and name != first:
        print(words.text("terminal.user_unknown", name=name), file=sys.stderr)
        return 1
    if not permitted(database, settings, "link", name, words, file):
        return 1
    password = _anew(database, settings, name)
    if settings.loopback:
        print(words.text("terminal.first_link", name=name, link=once(database, base, name)))
    else:
        print(words.text("terminal.first_password", link=f"{base}/signin", name=name, password=password))
    return 0


def _anew(database: Database, settings: Settings, name: str) -> str:
    """Let somebody begin anew: another password to be changed, no second factor, no session."""
    now = clock.now()
    if not accounts.founded(database) and name == founding.name_of_first(database):
        return founding.first(database, now=now)[1]
    password = accounts.set_password(database, SYSTEM, name, now=now)
    with closing(KeyStore(settings.data / "keys")) as keys, suppress(NotFound):
        second_factor.reset(database, keys, SYSTEM, name, now=now)
    found = accounts.find(database, name)
    if found is not None:
        sessions.revoke_all(database, SYSTEM, found.id, now=now)
    return password


def permitted(database: Database, settings: Settings, command: str, name: str, words: Words, file: str) -> bool:
    """Say whether the command line may do something about accounts; each time, refused or not, is an entry.

    It may before a security administrator has set up an account, and with the recovery key: from a file or typed. A
    way into an account that is somebody's already always wants the key.
    """
    free = not accounts.founded(database) and not (command == "link" and founding.taken(database, name))
    right = free or recovery.fits(settings.data / "keys", _given(words, file))
    action = recovery.COMMAND if free else recovery.USED if right else recovery.REFUSED
    recovery.note(database, action, command, name, login=login(), now=clock.now())
    if not right:
        print(words.text("terminal.recovery_wanted"), file=sys.stderr)
    return right


def _given(words: Words, file: str) -> str:
    """Return the recovery key as given: never on the command line, where everybody on the machine can read it."""
    if file:
        with suppress(OSError, UnicodeDecodeError):
            return Path(file).read_bytes()[:KEY_BYTES].decode().strip()
        return ""
    return getpass.getpass(words.text("terminal.recovery_prompt")) if sys.stdin.isatty() else ""


def login() -> str:
    """Return the name of whoever runs the command, as the machine knows them."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
