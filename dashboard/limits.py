"""Limits of attempts 限速: what the gate asks before it serves the public, counted by `streams.attempts`."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from dashboard.asgi import address
from operations import limits
from operations.limits import Limit, neighbourhood

log = logging.getLogger(__name__)


class Attempts(Protocol):
    """Counts attempts; `streams.attempts.Attempts`."""

    async def take(self, name: str, key: str, most: int, seconds: int) -> int:
        """Count one attempt; return 0 or the seconds to wait."""


class Limits:
    """One per web process. Every answer is 0, or the seconds to wait."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def request(self, scope: Mapping[str, Any]) -> int:
        """Count a request of a public route."""
        limit = limits.limit_for(scope["method"], scope["path"])
        return 0 if limit is None else await self._take(limit, neighbourhood(address(scope)), scope)

    async def wrong_token(self, scope: Mapping[str, Any]) -> int:
        """Count a token that nobody holds."""
        return await self._take(limits.WRONG_TOKEN, neighbourhood(address(scope)), scope)

    async def name(self, name: str, scope: Mapping[str, Any]) -> int:
        """Count a try to sign in with a name, from wherever."""
        return await self._take(limits.SIGN_IN_NAME, name.casefold(), scope)

    async def searching(self, actor: str) -> int:
        """Count a search by a program, or by hand, through the API."""
        return await self._attempts.take(limits.SEARCH.name, actor, limits.SEARCH.most, limits.SEARCH.seconds)

    async def _take(self, limit: Limit, key: str, scope: Mapping[str, Any]) -> int:
        wait = await self._attempts.take(limit.name, key, limit.most, limit.seconds)
        if wait and not await self._attempts.take(f"{limit.name}.told", key, 1, limits.TOLD_SECONDS):
            log.warning("limit %s (%d in %d s) passed from %s", limit.name, limit.most, limit.seconds, address(scope))
        return wait
