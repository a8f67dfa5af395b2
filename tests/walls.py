"""Walls for tests: a device paired as an administrator would, and a browser that is one."""

from typing import TYPE_CHECKING

from config import clock
from operations import pairings
from operations.database import Database
from operations.policy import SYSTEM
from operations.scope import WHOLE, Scope
from operations.walls import Plan

if TYPE_CHECKING:
    from playwright.sync_api import Page


def paired(database: Database, name: str = "wall", scope: Scope = WHOLE) -> str:
    """Pair a new wall and return its secret."""
    now = clock.now()
    waiting, claim = pairings.begin(database, "", now=now, agent="Chromium", address="10.0.0.9")
    pairings.confirm(database, SYSTEM, waiting.code, Plan(name, scope), now=now)
    return claim


def as_wall(page: "Page", url: str, database: Database, path: str = "/wall") -> None:
    """Make a browser a wall and open its page."""
    page.context.add_cookies(
        [
            {"name": "gridwall_wall", "value": paired(database), "url": url, "httpOnly": True, "sameSite": "Lax"},
            {"name": "gridwall_device", "value": "1", "url": url, "sameSite": "Lax"},
        ]
    )
    page.goto(url + path)
