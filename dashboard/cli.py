"""The command line: what can be asked of `run.py`, and who answers it."""

import argparse
import sys
from collections.abc import Sequence
from typing import TypeAlias

from config import setup
from config.settings import Settings, SettingsError, load, terminal_language
from config.supervisor import SupervisorError
from config.words import Words

STOPPED = 130
WRONG_USE = 2
DAYS_MOST = 36_500
DATUMS = ("WGS84", "GCJ02", "BD09", "CGCS2000")
SETTING_OPTIONS = ("host", "port", "demo", "demo_accounts", "speed")


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code: 0 done, 1 not in order, 2 asked wrongly, 130 stopped by Ctrl-C."""
    words = Words(terminal_language())
    asked = parsed(arguments)
    if asked.command in ("test", "lint", "bench"):
        setup.enter(list(arguments), developer=True)
    overrides = {name: value for name in SETTING_OPTIONS if (value := getattr(asked, name, None)) is not None}
    try:
        settings = load(getattr(asked, "data", None), **overrides)
        return _guarded(asked, settings, words)
    except SettingsError as error:
        return _complain(words.text("terminal.wrong_setting", detail=str(error)))
    except KeyboardInterrupt:
        return STOPPED


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what was asked; `rest` is what follows `test`, for pytest. Exits with the usage when not understood."""
    whole = parser()
    asked, rest = whole.parse_known_args(list(arguments))
    if rest and asked.command != "test":
        whole.error(f"unknown arguments: {' '.join(rest)}")
    asked.rest = rest
    return asked


def _guarded(asked: argparse.Namespace, settings: Settings, words: Words) -> int:
    """Turn the errors a person can act on into one line."""
    from config.certificate import CertificateError
    from dashboard.tasks import TASKS
    from geo.errors import GeoError
    from operations.errors import OperationsError
    from streams.errors import StreamsError

    try:
        return TASKS[asked.handler](asked, settings, words)
    except (SupervisorError, CertificateError) as error:
        return _complain(str(error))
    except OperationsError as error:
        return _complain(words.text(error.code, **error.params) if error.code in words else str(error))
    except (GeoError, StreamsError) as error:
        return _complain(str(error))


def _complain(line: str) -> int:
    print(line, file=sys.stderr)
    return WRONG_USE


def parser() -> argparse.ArgumentParser:
    """Return the whole command line. Options keep no default, so the settings' own apply."""
    shared = argparse.ArgumentParser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--data", metavar="DIR", help="the data folder (default: ./data beside run.py)")
    serving = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, parents=[shared])
    serving.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    serving.add_argument("--port", type=int, help="port to listen on (default: 8050)")
    serving.add_argument("--no-demo", dest="demo", action="store_false", help="without the demonstration city")
    serving.add_argument(
        "--demo-accounts",
        metavar="NAMES",
        help="have these accounts of the demonstration although it does not play, such as duty,admin",
    )
    serving.add_argument(
        "--speed", type=float, metavar="N", help="how many times faster than life the demonstration plays"
    )
    whole = argparse.ArgumentParser(
        prog="run.py",
        allow_abbrev=False,
        parents=[serving],
        description="Gridwall 网格指挥屏. Without a command: start everything.",
    )
    whole.set_defaults(command="", handler="start")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND")
    _add_roles(commands, serving)
    _add_administration(commands, shared)
    _add_keeping(commands, shared)
    _add_measuring(commands, shared)
    return whole


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add_roles(commands: Commands, serving: argparse.ArgumentParser) -> None:
    roles = {
        "web": "the pages and the API alone",
        "worker": "a worker alone: decides reports",
        "relay": "the relay of live pictures alone",
        "health": "the health of cameras alone: judges their pictures",
        "sources": "the sources alone: pulls, plays the demonstration, keeps house",
    }
    for name, text in roles.items():
        role = commands.add_parser(name, parents=[serving], help=text)
        role.set_defaults(handler=name)
        role.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)


def _add_administration(commands: Commands, shared: argparse.ArgumentParser) -> None:
    check = commands.add_parser("check", parents=[shared], help="check settings, engine, grids and journal")
    check.set_defaults(handler="check")
    part = check.add_subparsers(dest="what", metavar="PART")
    entries = part.add_parser("journal", parents=[shared], help="the journal alone: chain, signed heads, tables, clock")
    entries.add_argument("--json", action="store_true", help="print what was found as one JSON object")
    entries.set_defaults(handler="check_journal")
    export = part.add_parser("export", parents=[shared], help="a file exported from the journal, by its signature")
    export.add_argument("file", help="the .zip as it was downloaded")
    export.add_argument("--key", metavar="FILE", help="the public key (default: DATA/keys/head.pub)")
    export.set_defaults(handler="check_export")
    verify = commands.add_parser("verify", help="check an evidence package: its signature and every file")
    verify.add_argument("file", help="the .zip as it was handed over")
    verify.add_argument("--fingerprint", default="", metavar="HEX", help="of the issuer's public key, as they told it")
    verify.set_defaults(handler="verify")
    load_ = commands.add_parser("import", help="import grids or cameras").add_subparsers(dest="what", required=True)
    grids = load_.add_parser("grids", parents=[shared], help="import grids from files, all or nothing")
    grids.add_argument("file", nargs="+", help="GeoPackage, Shapefile (.zip or .shp), KML, KMZ or GeoJSON")
    for field in ("code", "name", "parent", "population", "level", "kind", "valid-from", "valid-to"):
        grids.add_argument(
            f"--{field}", metavar="PROPERTY", help=f"the property that holds the {field} (default: guessed)"
        )
    grids.add_argument("--crs", help="coordinate system or datum, such as EPSG:4490 or GCJ02 (default: the file's own)")
    grids.add_argument("--control", metavar="FILE", help="control points of a local system: lines of x, y, lon, lat")
    grids.add_argument("--encoding", help="of the file's text (default: as the file says, or found out)")
    grids.add_argument(
        "--layer", action="append", help="a layer of the file (default: all of polygons); may be repeated"
    )
    grids.add_argument(
        "--from",
        dest="start",
        metavar="TIME",
        help="in force from then on, such as 2027-01-01T00:00, in the city's time zone (default: at once)",
    )
    grids.add_argument("--repair", action="store_true", help="mend what is safe, and say what was done")
    grids.set_defaults(handler="import_grids")
    cameras = load_.add_parser("cameras", parents=[shared], help="import a ledger of cameras, all or nothing")
    cameras.add_argument("file", help="CSV, Excel, JSON, GeoJSON, or the address of WVP's list of channels")
    cameras.add_argument("--source", required=True, metavar="NAME", help="whose ledger it is")
    cameras.add_argument("--datum", choices=DATUMS, default="WGS84", help="of its coordinates (default: WGS84)")
    cameras.add_argument(
        "--mapping", metavar="NAME", help="of config/camera_mappings (default: the one that fits best)"
    )
    cameras.add_argument("--token-file", dest="token_file", metavar="FILE", help="holds the token for an address")
    cameras.add_argument("--complete", action="store_true", help="cameras of the source it does not name are gone")
    cameras.add_argument("--dry-run", dest="dry_run", action="store_true", help="only say what it would change")
    cameras.set_defaults(handler="import_cameras")
    link = commands.add_parser("link", parents=[shared], help="print a one-time sign-in link for this machine")
    link.add_argument("--account", default="")
    _add_recovery_key(link)
    link.set_defaults(handler="link")
    forget = commands.add_parser("forget", parents=[shared], help="destroy the keys of sealed data whose time is over")
    forget.add_argument("days", type=_days, help="of incidents closed, and quarantine decided, more than DAYS days ago")
    forget.set_defaults(handler="forget")
    restored = commands.add_parser("restored", parents=[shared], help="say that the database came from a backup")
    restored.add_argument("reason", help="for the journal: which backup, and why")
    restored.set_defaults(handler="restored")
    _add_secrets(commands, shared)


def _days(word: str) -> int:
    if not word.isascii() or not word.isdigit() or not 1 <= int(word) <= DAYS_MOST:
        raise argparse.ArgumentTypeError(f"must be 1 to {DAYS_MOST}, not {word}")
    return int(word)


def _add_secrets(commands: Commands, shared: argparse.ArgumentParser) -> None:
    """Each of these prints a secret once; only its hash is kept."""
    source = commands.add_parser("source", help="sources of reports").add_subparsers(dest="what", required=True)
    add_source = source.add_parser("add", parents=[shared], help="add a source; prints its token once")
    add_source.add_argument("id")
    add_source.add_argument("--name", required=True)
    add_source.add_argument("--datum", choices=DATUMS, default="WGS84")
    add_source.add_argument("--kind", default="http", help="http (default), websocket or redis_stream")
    add_source.add_argument("--mapping", default="", help="field mapping: a file of config/sources, without .toml")
    add_source.add_argument("--time-zone", default="", help="of times sent without one (default: the city's)")
    add_source.add_argument("--rate-limit", type=float, default=0.0, help="reports a second (default: no limit)")
    add_source.set_defaults(handler="add_source")
    _add_end(source, shared, "token", "id", "source_token", "give a source another token, once; its old ones end")
    _add_end(source, shared, "revoke", "id", "revoke_source", "end a source's tokens and switch it off")
    user = commands.add_parser("user", help="accounts").add_subparsers(dest="what", required=True)
    add_user = user.add_parser("add", parents=[shared], help="add an account; prints its password once")
    add_user.add_argument("name")
    add_user.add_argument("--role", required=True)
    _add_scope(add_user)
    _add_recovery_key(add_user)
    add_user.set_defaults(handler="add_user")
    _add_recovery_key(_add_end(user, shared, "disable", "name", "disable_user", "switch an account off for good"))
    token = commands.add_parser("token", help="tokens for programs").add_subparsers(dest="what", required=True)
    add_token = token.add_parser("add", parents=[shared], help="add a token; prints it once")
    add_token.add_argument("name")
    add_token.add_argument("--scope", choices=("read",), default="read")
    _add_scope(add_token)
    _add_terms(add_token)
    add_token.set_defaults(handler="add_token")
    rotate = token.add_parser("rotate", parents=[shared], help="give a token another secret, once")
    rotate.add_argument("name", help="its name or id")
    rotate.add_argument("--hours", type=int, default=24, help="how long the old one still holds (default: 24; 0 = not)")
    rotate.set_defaults(handler="rotate_token")
    _add_end(token, shared, "revoke", "name", "revoke_token", "end a token for good, by its name or id")


def _add_recovery_key(command: argparse.ArgumentParser) -> None:
    text = "a file that holds the recovery key (default: it is asked for)"
    command.add_argument("--recovery-key-file", metavar="FILE", default="", help=text)


def _add_end(
    commands: Commands, shared: argparse.ArgumentParser, name: str, of: str, handler: str, text: str
) -> argparse.ArgumentParser:
    """A command about one thing that exists."""
    command = commands.add_parser(name, parents=[shared], help=text)
    command.add_argument(of)
    command.set_defaults(handler=handler)
    return command


def _add_scope(command: argparse.ArgumentParser) -> None:
    command.add_argument("--grid", default="", help="only this grid and what is under it")
    command.add_argument("--department", default="", help="only this department")


def _add_keeping(commands: Commands, shared: argparse.ArgumentParser) -> None:
    backup = commands.add_parser("backup", parents=[shared], help="write a backup while the program runs")
    backup.add_argument("target", nargs="?", default="", metavar="DIR|FILE.tar", help="(default: DATA/backups)")
    backup.add_argument("--keys", default="", metavar="FILE", help="write the keys too, apart, into this file")
    backup.set_defaults(handler="backup")
    restore = commands.add_parser("restore", parents=[shared], help="restore a backup into an empty folder (--data)")
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--keys", default="", metavar="FILE", help="the archive of the keys that belongs to it")
    restore.set_defaults(handler="restore")
    segment = commands.add_parser("segment", help="old prefixes of the journal").add_subparsers(
        dest="what", required=True
    )
    export = segment.add_parser("export", parents=[shared], help="let entries leave that are older than journal_months")
    export.set_defaults(handler="segment_export")
    checked = segment.add_parser("check", parents=[shared], help="check segments: signature, chain, every entry")
    checked.add_argument("file", nargs="*", help="(default: all that have left, and that each follows the one before)")
    checked.set_defaults(handler="segment_check")
    tls = commands.add_parser("tls", help="the certificate of the pages").add_subparsers(dest="what", required=True)
    made = tls.add_parser("make", parents=[shared], help="make one by a private authority of this installation")
    made.add_argument("--name", action="append", metavar="HOST", help="a host name or address; may be repeated")
    made.set_defaults(handler="tls_make")
    taken = tls.add_parser("import", parents=[shared], help="take one, in PEM")
    taken.add_argument("--cert", required=True, metavar="FILE", help="the certificate, those above it after it")
    taken.add_argument("--key", required=True, metavar="FILE", help="its private key, without a password")
    taken.set_defaults(handler="tls_import")


def _add_terms(command: argparse.ArgumentParser) -> None:
    command.add_argument("--may", nargs="+", default=[], metavar="ACTION", help="only these, e.g. incident.read")
    command.add_argument("--network", nargs="+", default=[], metavar="CIDR", help="only from there, e.g. 10.1.2.0/24")
    command.add_argument("--days", type=int, default=0, metavar="N", help="ends after so many days (default: never)")


def _add_measuring(commands: Commands, shared: argparse.ArgumentParser) -> None:
    replay = commands.add_parser("replay", parents=[shared], help="play a file of real reports through the doors")
    replay.add_argument("file")
    replay.add_argument("--host", default=argparse.SUPPRESS, help="where Gridwall answers (default: 127.0.0.1)")
    replay.add_argument("--port", type=int, default=argparse.SUPPRESS, help="its port (default: 8050)")
    replay.add_argument("--speed", type=float, default=1.0, metavar="N", help="how many times faster than it happened")
    replay.set_defaults(handler="replay")
    bench = commands.add_parser("bench", parents=[shared], help="measure; prints figures with their method")
    bench.add_argument("name", nargs="*")
    bench.add_argument("--grids", type=int, default=0, metavar="N", help="bench map: this many grids only")
    bench.add_argument("--incidents", type=int, default=0, metavar="N", help="bench search: over so many incidents")
    bench.add_argument("--minutes", type=int, default=0, metavar="N", help="bench tiles and video: so long")
    bench.set_defaults(handler="bench")
    lint = commands.add_parser("lint", parents=[shared], help="ruff, mypy, import-linter")
    lint.set_defaults(handler="lint")
    test = commands.add_parser(
        "test", parents=[shared], add_help=False, allow_abbrev=False, help="run the tests; pytest arguments may follow"
    )
    test.set_defaults(handler="test")
