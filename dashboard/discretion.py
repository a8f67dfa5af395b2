"""Discretion 大屏隐去: a wall is read by everybody in the room, so by rule it leaves out what is sensitive.

The rule is part of the scope a wall's channel is drawn for: what is hidden is neither listed nor counted anywhere on
the page, and the words of what is dimmed are in no frame.
"""

from collections.abc import Callable

from msgspec import structs

from config.settings import Settings
from operations.scope import Scope

WALL = "wall"
"""The page that hangs on walls; the rule holds for whoever opens it."""


def shown(settings: Settings) -> Callable[[str, Scope], Scope]:
    """Return what a page shows of a scope."""
    hidden, dimmed = types(settings.wall_hidden_types), types(settings.wall_dimmed_types)

    def part(page: str, scope: Scope) -> Scope:
        return structs.replace(scope, hidden=scope.hidden + hidden, dimmed=dimmed) if page == WALL else scope

    return part


def types(setting: str) -> tuple[str, ...]:
    """Return the beginnings of type codes that a setting names."""
    return tuple(one for one in setting.split(",") if one)
