"""Every setting in force 设置一览, as it may be shown to people: its value without secrets, and where it came from."""

from dataclasses import dataclass

from config.settings import ADDRESSES, COMMAND_LINE, DEFAULT, RULES, Settings, SettingsError, load

HIDDEN = "…"


@dataclass(frozen=True)
class Entry:
    """One setting; `waiting`: what it will be after a restart, when its file or environment has changed since."""

    name: str
    value: str
    origin: str
    waiting: str = ""


def entries(settings: Settings) -> list[Entry]:
    """Return all settings in the order of the rules, the data folder first."""
    return [
        Entry(name, shown(name, getattr(settings, name)), settings.origins.get(name, DEFAULT))
        for name in ("data", *RULES)
    ]


def compared(settings: Settings) -> tuple[list[Entry], str]:
    """Return all settings with those that wait for a restart, and what is wrong with the file as it is now."""
    given = {name: getattr(settings, name) for name, origin in settings.origins.items() if origin == COMMAND_LINE}
    given.pop("data", None)
    try:
        after = {one.name: one.value for one in entries(load(settings.data, **given))}
    except SettingsError as error:
        return entries(settings), str(error)
    return [Entry(one.name, one.value, one.origin, _waiting(one, after[one.name])) for one in entries(settings)], ""


def shown(name: str, value: object) -> str:
    """Return a value as text; of an address neither the password nor what its query says."""
    if isinstance(value, bool):
        return str(value).lower()
    return address(str(value)) if name in ADDRESSES else str(value)


def address(url: str) -> str:
    """Return an address without its secrets; a value in braces of its query is a place in a template, no secret."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme in ("sqlite", "unix", "file"):
        return url
    who, at, place = rest.rpartition("@")  # a password may hold whatever it likes, the last one counts
    user, colon, _ = who.partition(":")
    place, asks, asked = place.partition("?")
    said = "&".join(_masked(one) for one in asked.split("&"))
    return f"{scheme}://{user}{colon and ':' + HIDDEN}{at}{place}{asks}{said}"


def _masked(one: str) -> str:
    name, equals, value = one.partition("=")
    return one if not equals or value.startswith("{") else f"{name}={HIDDEN}"


def _waiting(one: Entry, after: str) -> str:
    return after if after != one.value else ""
