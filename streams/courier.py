"""The courier: carries reports of our own sources to the HTTP door, like any department's program would.

It obeys `Retry-After`, waits while the door is away, and repeats what was not answered; a repetition is a duplicate and
changes nothing.
"""

import http.client
import json
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from config import clock
from streams.errors import StreamsError

MOST_ITEMS = 500
"""Reports in one request."""
ANSWER_SECONDS = 30.0
LONGEST_WAIT = 10.0
"""Longest pause between two tries, in seconds."""
NO_ANSWER, TOO_FAST, SERVER_TROUBLE = 0, 429, 500
"""Tried again: nobody there, faster than the limit, and every trouble of the door's own (500 and above)."""
TAKEN = (202, 422)
"""422: nothing could be read, all of it is in quarantine."""

Trust = Callable[[], ssl.SSLContext]

log = logging.getLogger(__name__)


class Door(NamedTuple):
    """Where something is brought, and as what."""

    path: str
    media: str


REPORTS = Door("/api/v1/reports", "application/json")
WARNINGS = Door("/api/v1/warnings", "application/cap+xml")


class Delivered(NamedTuple):
    """What the door said about a delivery."""

    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def plus(self, other: "Delivered") -> "Delivered":
        """Both together."""
        return Delivered(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class CourierRefused(StreamsError):
    """The door will never take this: wrong token, wrong address, another program at the port."""


class CourierStopped(StreamsError):
    """Asked to stop before everything was delivered."""


class Courier:
    """One connection to one door. `wait(seconds)` sleeps and returns False when it is time to stop.

    `trust` says what each connection over TLS believes.
    """

    def __init__(self, host: str, port: int, wait: Callable[[float], bool], trust: Trust | None = None) -> None:
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self._port = port
        self._wait = wait
        self._trust = trust
        self._connection: http.client.HTTPConnection | None = None
        self._away_since: float | None = None

    def deliver(self, token: str, items: Sequence[dict[str, Any]]) -> Delivered:
        """Bring all items, oldest first; returns when they are durable. Raises CourierRefused, CourierStopped."""
        total = Delivered()
        for start in range(0, len(items), MOST_ITEMS):
            total = total.plus(self._one(token, items[start : start + MOST_ITEMS]))
        return total

    def warn(self, token: str, document: bytes) -> None:
        """Bring one warning as CAP; returns when it is recorded. Raises CourierRefused, CourierStopped."""
        self._taken(token, document, WARNINGS)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _one(self, token: str, items: Sequence[dict[str, Any]]) -> Delivered:
        answer = self._taken(token, json.dumps(items, ensure_ascii=False).encode(), REPORTS)
        return Delivered(
            int(answer.get("accepted", 0)), int(answer.get("duplicates", 0)), len(answer.get("quarantined", []))
        )

    def _taken(self, token: str, body: bytes, door: Door) -> dict[str, Any]:
        """The answer of a door that has taken what was brought."""
        tries = 0
        while True:
            status, pause, answer = self._post(token, body, door)
            if status in TAKEN:
                self._back()
                return answer
            if status not in (NO_ANSWER, TOO_FAST) and status < SERVER_TROUBLE:
                raise CourierRefused(f"{self._host}:{self._port}{door.path} answered {status}: {answer}")
            tries += 1
            self._away(status)
            if not self._wait(min(LONGEST_WAIT, pause or 0.2 * 2 ** min(tries, 6))):
                raise CourierStopped("stopped while the door was away")

    def _post(self, token: str, body: bytes, door: Door) -> tuple[int, float, dict[str, Any]]:
        """(status, seconds to wait, answer); NO_ANSWER when nobody answered."""
        headers = {"authorization": f"Bearer {token}", "content-type": door.media}
        reused = self._connection is not None
        if self._connection is None:
            self._connection = self._connected()
        try:
            self._connection.request("POST", door.path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, _seconds(answer.getheader("retry-after")), _object(answer.read())
        except (OSError, http.client.HTTPException) as error:
            log.debug("no answer from %s:%s: %s", self._host, self._port, error)
            self.close()
            return (
                self._post(token, body, door) if reused else (NO_ANSWER, 0.0, {})
            )  # a door hangs up on the idle, which is no trouble

    def _connected(self) -> http.client.HTTPConnection:
        if self._trust is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)
        context = self._trust()
        return http.client.HTTPSConnection(self._host, self._port, timeout=ANSWER_SECONDS, context=context)

    def _away(self, status: int) -> None:
        """Say once that the door is away or too busy."""
        if self._away_since is None:
            self._away_since = clock.monotonic()
            log.warning("%s:%s takes nothing now (%s), trying on", self._host, self._port, status or "no answer")

    def _back(self) -> None:
        if self._away_since is not None:
            seconds = clock.monotonic() - self._away_since
            log.info("%s:%s takes reports again after %.1f s", self._host, self._port, seconds)
            self._away_since = None


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
