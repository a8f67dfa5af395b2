"""When each source was last heard, as the log wrote it down beside what it sent."""

from typing import Any

import redis

from streams.engine import translated
from streams.log import HEARD, REPORTERS, WARNERS


def last(client: redis.Redis) -> dict[str, int]:
    """{source: UTC microseconds of its last request, a repetition too}; raises EngineAway."""
    with translated():
        found: Any = client.hgetall(HEARD)
    return {name.decode(): int(at) for name, at in found.items()}


def only_warning(client: redis.Redis) -> set[str]:
    """Return the sources that have sent warnings and never a report; raises EngineAway."""
    with translated():
        found: Any = client.sdiff([WARNERS, REPORTERS])
    return {name.decode() for name in found}
