"""The reading side of the log: what a lease holder does with its partitions. Blocking; used by workers."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import redis

from streams.engine import connect_sync, translated
from streams.errors import SealBroken
from streams.log import ACCEPTED, DECIDED
from streams.packet import PARTITIONS, Packet, opened, place_of
from streams.transit import TransitSeal

START = "0-0"
ENTRIES_AT_ONCE = 200
"""Stream entries of one partition read at a time."""

# Delete the entries that are still there and count exactly those as decided, so that doing it twice changes nothing.
# KEYS: stream, decided counts. ARGV: partition, then the stream ids.
FORGET = """
local count = 0
for i = 2, #ARGV do
  local found = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])
  if found[1] then
    for j = 1, #found[1][2], 2 do
      if found[1][2][j] == 'n' then count = count + tonumber(found[1][2][j + 1]) end
    end
    redis.call('XDEL', KEYS[1], ARGV[i])
  end
end
if count > 0 then
  redis.call('HINCRBY', KEYS[2], ARGV[1], count)
  redis.call('HINCRBY', KEYS[2], 'all', count)
end
return count
"""


class Entry(msgspec.Struct, frozen=True):
    """One stream entry: its packet, or the sealed bytes and why they do not open."""

    id: str
    packet: Packet
    sealed: bytes = b""
    fault: str = ""
    count: int = 0
    """How many reports it was accepted as."""


class Backlog:
    """Reads packets after a cursor, forgets them after the commit, and counts what is left."""

    def __init__(self, client: redis.Redis, seal: TransitSeal) -> None:
        self._client = client
        self._seal = seal
        self._forget = client.register_script(FORGET)

    def read(self, cursors: Mapping[int, str], block_ms: int) -> dict[int, list[Entry]]:
        """Entries after each partition's cursor, in order; waits up to `block_ms` for the first. Raises EngineAway."""
        streams: Any = {place_of(number): cursor for number, cursor in cursors.items()}
        with translated():
            answer: Any = self._client.xread(streams, count=ENTRIES_AT_ONCE, block=block_ms or None) if streams else []
        found = answer.items() if isinstance(answer, dict) else answer
        return {int(name[-2:]): [self._entry(int(name[-2:]), *one) for one in _flat(rows)] for name, rows in found}

    def _entry(self, partition: int, id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
        data = fields.get(b"p", b"")
        number = fields.get(b"n", b"")
        count = int(number) if number.isdigit() else 0
        try:
            return Entry(id.decode(), opened(data, partition, self._seal), count=count)
        except SealBroken as error:
            return Entry(id.decode(), Packet([], []), data, str(error), count)

    def forget(self, decided: Mapping[int, Iterable[str]]) -> int:
        """Delete entries whose outcomes are committed, {partition: ids}; returns the reports in them."""
        with translated():
            pipe = self._client.pipeline(transaction=False)  # one write, so one fsync
            for number, ids in decided.items():
                self._forget(keys=[place_of(number), DECIDED], args=[number, *ids], client=pipe)
            return sum(pipe.execute())

    def counts(self, partition: int, cursor: str) -> tuple[int, int]:
        """(accepted since the engine's data began, accepted after the cursor), read at one moment."""
        with translated():
            pipe = self._client.pipeline(transaction=True)
            pipe.hget(ACCEPTED, str(partition))
            pipe.xrange(place_of(partition), f"({cursor}", "+")
            accepted, rows = pipe.execute()
        return int(accepted or 0), sum(int(fields.get(b"n", 0)) for _, fields in rows)


def waiting(url: str, cursors: Mapping[int, str]) -> int:
    """Return how many reports are accepted and not yet decided, given how far each partition is. Raises EngineAway."""
    with translated(), connect_sync(url) as client:
        pipe = client.pipeline(transaction=True)
        for number in range(PARTITIONS):
            pipe.xrange(place_of(number), f"({cursors.get(number) or START}", "+")
        return sum(int(fields.get(b"n", 0)) for rows in pipe.execute() for _, fields in rows)


def _flat(rows: Any) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
    """RESP 3 wraps the entries of a stream in one more list."""
    return list(rows[0] if rows and isinstance(rows[0], list) else rows)
