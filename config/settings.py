"""The settings: frozen, typed, refused when wrong; the only reader of the environment.

Order of precedence: command line, environment, DATA/config.toml, config/default.toml.
Standard library only, because the set-up reads it before anything is installed.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from config.base_map import DATUMS, DEEPEST, MATRICES, BaseMap, is_template, plain

ROOT = Path(__file__).resolve().parent.parent
DEFAULTS = ROOT / "config" / "default.toml"
PREFIX = "GRIDWALL_"
PLAIN_VARIABLES = {"DATABASE_URL": "database_url", "REDIS_URL": "redis_url", "CHROMIUM": "chromium"}
OIDC_SECRET = "OIDC_SECRET"
"""Of the environment, with the prefix; a secret is no setting, so no page and no message shows it."""
SQLITE = "sqlite:///"
FILE = "config.toml"
DEFAULT, IN_FILE, COMMAND_LINE = "default", "file", "command line"
ADDRESSES = ("database_url", "redis_url", "base_map_url")
LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 108 with the closing zero

Value = str | int | float | bool


class SettingsError(Exception):
    """A setting is wrong; the message names it, where it stands and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. Build it with `load`, which checks each value."""

    data: Path
    host: str
    port: int
    tls: str
    trusted_proxies: str
    database_url: str
    own_database_copies: bool
    redis_url: str
    city_name: str
    county_code: str
    grid_code_lengths: str
    grid_prefix_check: bool
    city_time_zone: str
    demo: bool
    demo_video_port: int
    speed: float
    workers: int
    web_processes: int
    intake_bound: int
    lease_seconds: int
    escalate_seconds: int
    silent_seconds: int
    journal_months: int
    forget_days: int
    segments: str
    session_hours: int
    idle_minutes: int
    password_least: int
    password_days: int
    leaked_passwords: str
    lockout_tries: int
    lockout_seconds: int
    lockout_longest_seconds: int
    totp_roles: str
    demo_accounts: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_name: str
    oidc_role_claim: str
    oidc_scopes: str
    wall_rotation_hours: int
    minimum_population: int
    attachment_photo_mb: int
    attachment_voice_mb: int
    attachment_video_mb: int
    attachment_document_mb: int
    attachments_most: int
    attachment_place: bool
    heads_copy: str
    heads_syslog: str
    wall_hidden_types: str
    wall_dimmed_types: str
    wall_cameras: bool
    wall_video: int
    base_map_url: str
    base_map_matrix: str
    base_map_datum: str
    base_map_attribution: str
    base_map_approval: str
    base_map_min_zoom: int
    base_map_max_zoom: int
    sip_enabled: bool
    sip_host: str
    sip_port: int
    sip_domain: str
    sip_server: str
    log_bytes: int
    log_files: int
    inbox: str
    test_data: str
    chromium: str
    embedded_valkey: bool
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where each value came from: "default", "file" (DATA/config.toml), the environment variable, "command line"."""

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.city_time_zone)

    @property
    def base_map(self) -> BaseMap | None:
        """The base map, None where only our own vectors are drawn."""
        if not self.base_map_url:
            return None
        about = self.base_map_attribution, self.base_map_approval
        zooms = self.base_map_min_zoom, self.base_map_max_zoom
        return BaseMap(plain(self.base_map_url), self.base_map_matrix, self.base_map_datum, *about, *zooms)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the pages."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def https(self) -> bool:
        """Whether the pages are served over TLS by ourselves."""
        return self.tls == "on" or (self.tls == "auto" and not self.loopback)

    @property
    def proxies(self) -> list[str]:
        """Addresses and networks whose word is taken for who asks and how; none unless a proxy was named in front."""
        return [one.strip() for one in self.trusted_proxies.split(",") if one.strip()] if self.tls == "proxy" else []

    @property
    def segment_folder(self) -> Path:
        """Where old prefixes of the journal go."""
        return Path(self.segments) if self.segments else self.data / "segments"

    @property
    def socket(self) -> Path:
        """Unix socket of the embedded Valkey."""
        return self.data / "valkey.sock"


class Rule(NamedTuple):
    """What one setting may be: its type, a test, and the test in words."""

    type: type[Value]
    allowed: str
    holds: Callable[[Any], bool]


def _whole(low: int, high: int) -> Rule:
    return Rule(int, f"a whole number from {low} to {high}", lambda value: low <= value <= high)


def _text(allowed: str, pattern: str) -> Rule:
    return Rule(str, allowed, lambda value: re.fullmatch(pattern, value) is not None)


def _is_zone(value: str) -> bool:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _are_lengths(value: str) -> bool:
    """Whether each level's code is longer than the one above it; "@" gives the digits that are not the area's."""
    if re.fullmatch(r"[1-9]\d?(\+[1-9]\d?){1,8}", value):
        return True
    if not re.fullmatch(r"\d{1,2}(@\d{1,2})?(,\d{1,2}(@\d{1,2})?){0,8}", value):
        return False
    own = [int(length) - int(skip or 0) for length, _, skip in (one.partition("@") for one in value.split(","))]
    return own[0] > 0 and all(one < other for one, other in pairwise(own))


_DEMO = "duty|leader|police|transport|admin|security|audit"


def _are_networks(value: str) -> bool:
    try:
        return all(ipaddress.ip_network(one.strip()) for one in value.split(",") if value)
    except ValueError:
        return False


TYPES = 'empty, or at most 20 beginnings of type codes such as "0101,08"', r"|[0-9]{2,8}(,[0-9]{2,8}){0,19}"

RULES: Mapping[str, Rule] = {
    "host": _text("a host name or address such as 127.0.0.1", r"[\w.:-]+"),
    "port": _whole(1, 65535),
    "tls": _text('"auto", "on", "proxy" or "off"', "auto|on|proxy|off"),
    "trusted_proxies": Rule(str, "addresses or networks such as 10.1.2.3, 10.8.0.0/16, or empty", _are_networks),
    "database_url": _text(
        'empty for SQLite in the data folder, "sqlite:///FILE" or "postgresql+psycopg://USER@HOST/NAME"',
        r"|(sqlite:///|postgresql(\+psycopg)?://).+",
    ),
    "own_database_copies": Rule(bool, "true or false", lambda _value: True),
    "redis_url": _text(
        'empty for the embedded Valkey, "redis://HOST:PORT/0", "rediss://…" or "unix:///PATH"', r"|(rediss?|unix)://.+"
    ),
    "city_name": _text("a name of 1 to 40 characters", r".{1,40}"),
    "county_code": _text("the county's 6 digits", r"[0-9]{6}"),
    "grid_code_lengths": Rule(str, "rising numbers of digits such as 6,9,12,15 or 12+2 or 6,9,12,20@6", _are_lengths),
    "grid_prefix_check": Rule(bool, "true or false", lambda _value: True),
    "city_time_zone": Rule(str, "a time zone such as Asia/Shanghai", _is_zone),
    "demo": Rule(bool, "true or false", lambda _value: True),
    "demo_video_port": _whole(1, 65535),
    "speed": Rule(float, "a number above 0, at most 10000", lambda value: 0 < value <= 10_000),
    "workers": _whole(1, 16),
    "web_processes": _whole(1, 16),
    "intake_bound": _whole(1, 10_000_000),
    "lease_seconds": _whole(2, 600),
    "escalate_seconds": _whole(5, 86_400),
    "silent_seconds": _whole(5, 604_800),
    "journal_months": _whole(6, 1_200),
    "forget_days": _whole(0, 36_500),
    "segments": _text("the path of a folder, or empty", r"|/.+"),
    "session_hours": _whole(1, 720),
    "idle_minutes": _whole(0, 1_440),
    "password_least": _whole(8, 100),
    "password_days": _whole(0, 3_650),
    "leaked_passwords": _text("the path of a file, or empty", r"|/.+"),
    "lockout_tries": _whole(1, 100),
    "lockout_seconds": _whole(1, 3_600),
    "lockout_longest_seconds": _whole(1, 86_400),
    "totp_roles": _text("roles such as system_admin,liaison, or empty", r"|[a-z_]+(,[a-z_]+)*"),
    "demo_accounts": _text(f"some of {_DEMO.replace('|', ',')}, or empty", rf"|({_DEMO})(,({_DEMO}))*"),
    "oidc_issuer": _text(
        'empty, or the address of the identity provider: "https://…" (http:// only on this machine)',
        r"|https://[^\s?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s?#]*)?",
    ),
    "oidc_client_id": _text("the name the provider knows us by, at most 200 characters", r"\S{0,200}"),
    "oidc_name": _text("the provider's name for people, at most 40 characters", r".{0,40}"),
    "oidc_role_claim": _text("the name of a claim such as groups, or realm_access.roles", r"[^\s]{1,100}"),
    "oidc_scopes": _text("scopes parted by spaces, openid among them", r"(.* )?openid( .*)?"),
    "wall_rotation_hours": _whole(1, 168),
    "minimum_population": _whole(1, 10_000_000),
    "attachment_photo_mb": _whole(1, 64),
    "attachment_voice_mb": _whole(1, 64),
    "attachment_video_mb": _whole(1, 64),
    "attachment_document_mb": _whole(1, 64),
    "attachments_most": _whole(1, 1_000),
    "attachment_place": Rule(bool, "true or false", lambda _value: True),
    "heads_copy": _text("the path of a file that may only grow, or empty", r"|/.+"),
    "heads_syslog": _text(
        'empty, "udp://HOST:514", "tcp://HOST:514" or "unix:///dev/log"', r"|(udp|tcp)://[\w.\[\]:-]+|unix:///.+"
    ),
    "wall_hidden_types": _text(*TYPES),
    "wall_dimmed_types": _text(*TYPES),
    "wall_video": Rule(int, "0, 4 or 9", lambda value: value in (0, 4, 9)),
    "wall_cameras": Rule(bool, "true or false", lambda _value: True),
    "base_map_url": Rule(str, 'empty, "https://HOST/…" or "file:…" (under DATA/tiles) with {z} {x} {y}', is_template),
    "base_map_matrix": _text('"mercator" (EPSG:3857) or "degrees" (EPSG:4490, EPSG:4326)', "|".join(MATRICES)),
    "base_map_datum": _text(f"one of {', '.join(DATUMS)}", "|".join(DATUMS)),
    "base_map_attribution": _text("whose map it is, at most 80 characters", r".{0,80}"),
    "base_map_approval": _text("the map's approval number (审图号), at most 40 characters", r".{0,40}"),
    "base_map_min_zoom": _whole(0, DEEPEST),
    "base_map_max_zoom": _whole(0, DEEPEST),
    "sip_enabled": Rule(bool, "true or false", lambda _value: True),
    "sip_host": _text("an address of this machine such as 127.0.0.1 or 10.1.2.3, or 0.0.0.0", r"[\w.:-]+"),
    "sip_port": _whole(1, 65535),
    "sip_domain": _text("the 10 digits of our SIP domain", r"[0-9]{10}"),
    "sip_server": _text("our own code of 20 digits (type 200)", r"[0-9]{20}"),
    "log_bytes": _whole(10_000, 1_000_000_000),
    "log_files": _whole(1, 100),
    "inbox": _text("the path of a folder, or empty", r"|/.+"),
    "test_data": _text("a folder, or empty", r".*"),
    "chromium": _text("the path of a Chromium, or empty", r".*"),
}


def load(data: Path | str | None = None, *, environ: Mapping[str, str] | None = None, **overrides: Value) -> Settings:
    """The settings for one data folder; `overrides` are what the command line said. Raises SettingsError."""
    environ = os.environ if environ is None else environ
    folder = Path(data or environ.get(PREFIX + "DATA") or ROOT / "data").expanduser().resolve()
    values: dict[str, Value] = {}
    origins = {"data": _origin_of_folder(folder, data, environ)}
    for place, origin, given in (
        (str(DEFAULTS), DEFAULT, _from_file(DEFAULTS)),
        (str(folder / FILE), IN_FILE, _from_file(folder / FILE)),
        ("environment", "", _from_environment(environ)),
        ("command line", COMMAND_LINE, overrides),
    ):
        values |= {name: _checked(name, value, place) for name, value in given.items()}
        origins |= {name: origin or _given_as(name, environ) for name in given}
    return _complete(folder, values, origins)


def child_environment() -> dict[str, str]:
    """The environment a process we start receives: ours, with unbuffered UTF-8 output."""
    return dict(os.environ) | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def oidc_secret(data: Path) -> str:
    """The secret by which the identity provider knows us: of the environment, else DATA/keys/oidc.secret, else ""."""
    try:
        given = os.environ.get(PREFIX + OIDC_SECRET) or (data / "keys" / "oidc.secret").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    return given.strip()


def in_ci() -> bool:
    """Whether a continuous-integration service runs us (it sets CI=true)."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def terminal_language() -> str:
    """The language of the terminal we print to: "zh" for a Chinese locale, else "en"."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def _origin_of_folder(folder: Path, data: Path | str | None, environ: Mapping[str, str]) -> str:
    """Children are always told their folder on the command line; it came from where it came from for the starter."""
    named = environ.get(PREFIX + "DATA")
    if named and Path(named).expanduser().resolve() == folder:
        return PREFIX + "DATA"
    return DEFAULT if not data or folder == (ROOT / "data").resolve() else COMMAND_LINE


def _given_as(name: str, environ: Mapping[str, str]) -> str:
    """The environment variable a setting was given by; GRIDWALL_NAME goes before the plain name."""
    own = [one for one in environ if one.startswith(PREFIX) and one.removeprefix(PREFIX).lower() == name]
    return own[-1] if own else next(variable for variable, setting in PLAIN_VARIABLES.items() if setting == name)


def _complete(folder: Path, values: dict[str, Value], origins: Mapping[str, str]) -> Settings:
    """Fill in what follows from the data folder."""
    embedded = not values["redis_url"]
    socket = folder / "valkey.sock"
    if embedded and len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
        raise SettingsError(
            f"data: {folder} is too long a path for the socket inside it; "
            f"allowed: at most {LONGEST_SOCKET_PATH} bytes with /valkey.sock"
        )
    values["redis_url"] = values["redis_url"] or f"unix://{socket}"
    values["database_url"] = _database(str(values["database_url"]), folder)
    known: dict[str, Any] = {field.name: values[field.name] for field in fields(Settings) if field.name in values}
    return Settings(data=folder, embedded_valkey=embedded, origins=origins, **known)


def _database(url: str, folder: Path) -> str:
    """`postgresql://` means our driver, psycopg 3; a file without a whole path is one of the data folder.

    Else the starter and its children, who work in other folders, would each have a database of their own.
    """
    if url.startswith(SQLITE) or not url:
        return f"{SQLITE}{folder / (url.removeprefix(SQLITE) or 'gridwall.db')}"
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    given = {name: environ[variable] for variable, name in PLAIN_VARIABLES.items() if environ.get(variable)}
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and variable not in (PREFIX + "DATA", PREFIX + OIDC_SECRET):
            given[variable.removeprefix(PREFIX).lower()] = text
    return given


def _checked(name: str, value: object, place: str) -> Value:
    """The value in its type; SettingsError if there is no such setting or the value is not allowed."""
    where = (
        _variable(name) if place == "environment" else f"in {place}" if place.endswith(".toml") else f"on the {place}"
    )
    rule = RULES.get(name)
    if rule is None:
        raise SettingsError(f"{name} ({where}) is not a setting; allowed: {', '.join(sorted(RULES))}")
    parsed = _parsed(value, rule.type, from_text=place == "environment")
    if parsed is None or not rule.holds(parsed):
        raise SettingsError(f"{name} ({where}) is {_shown(name, value)}; allowed: {rule.allowed}")
    return parsed


def _shown(name: str, value: object) -> str:
    """A value as a message may tell it: of an address only the scheme, for a password may stand in the rest."""
    if name not in ADDRESSES:
        return repr(value)
    scheme, found, _ = str(value).partition("://")
    return f"'{scheme}://…'" if found else "'…'"


def _variable(name: str) -> str:
    plain = {setting: variable for variable, setting in PLAIN_VARIABLES.items()}
    return (
        f"environment variable {plain[name]} or {PREFIX}{name.upper()}"
        if name in plain
        else f"environment variable {PREFIX}{name.upper()}"
    )


def _parsed(value: object, wanted: type[Value], *, from_text: bool) -> Value | None:
    """The value in the wanted type, or None when it is another."""
    if from_text and wanted is not str:
        return _from_text(str(value), wanted)
    if wanted is float and type(value) is int:
        return float(value)
    return value if type(value) is wanted else None


def _from_text(text: str, wanted: type[Value]) -> Value | None:
    if wanted is bool:
        return {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }.get(text.strip().lower())
    try:
        return wanted(text)
    except ValueError:
        return None
