"""Tenure: the partitions one worker holds under leases, shared fairly among the workers that are alive."""

import logging

from operations import lease
from operations.database import Database
from streams.packet import PARTITIONS

RENEWALS = 3
"""Times a lease is renewed within its length."""

log = logging.getLogger(__name__)


def share(workers: int) -> int:
    """How many partitions a worker may hold among so many."""
    return -(-PARTITIONS // max(1, workers))


class Tenure:
    """The leases of one worker. `ttl` in microseconds; `owner` is different in every process and start."""

    def __init__(self, database: Database, owner: str, ttl: int) -> None:
        self._database = database
        self._owner = owner
        self._ttl = ttl
        self._tended_at = -ttl
        self.tokens: dict[int, int] = {}
        """partition → fencing token"""

    def due(self, now: int) -> bool:
        """Whether it is time to tend."""
        return not 0 <= now - self._tended_at < self._ttl // RENEWALS  # a clock that jumped back is a reason too

    def tend(self, workers: int, now: int) -> set[int]:
        """Renew, give back what is over our share, take what is free; returns the partitions newly held."""
        self._tended_at = now
        held = {lease.partition(number): token for number, token in self.tokens.items()}
        lost = lease.renew_all(self._database, held, self._ttl, now)
        for number in [number for number in self.tokens if lease.partition(number) in lost]:
            log.warning("partition %02d was taken over by another worker", number)
            self.drop(number)
        for number in sorted(self.tokens)[share(workers) :]:
            self.release(number)
        return self._take(share(workers), now)

    def _take(self, most: int, now: int) -> set[int]:
        taken: set[int] = set()
        start = hash(self._owner) % PARTITIONS  # workers that start together look in different places first
        for step in range(PARTITIONS):
            number = (start + step) % PARTITIONS
            if len(self.tokens) >= most:
                break
            if number not in self.tokens:
                token = lease.acquire(self._database, lease.partition(number), self._owner, self._ttl, now)
                if token is not None:
                    self.tokens[number] = token
                    taken.add(number)
        return taken

    def drop(self, number: int) -> None:
        """Forget a partition that somebody else holds now."""
        self.tokens.pop(number, None)

    def release(self, number: int) -> None:
        """Give a partition back, so that another worker need not wait for the lease to end."""
        token = self.tokens.pop(number, None)
        if token is not None:
            lease.release(self._database, lease.partition(number), token)
