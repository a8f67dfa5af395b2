"""Proposing an order 拟单: looked up in one read, before anybody has typed anything."""

from operations import departments
from operations.incidents import rows as incidents
from operations.orders.proposal import Proposal, gathered, minutes, proposed
from operations.orders.writing import Book
from operations.policy import Identity, reach


class Proposing(Book):
    """What orders are proposed with."""

    def propose(self, identity: Identity, incident_id: str, lang: str = "zh") -> Proposal:
        """Return who would get an order about an incident and by when; texts are in `config.order_texts`.

        Raises Forbidden, NotFound.
        """
        scope, now = reach(identity, "order.send"), self._now()
        with self._database.read() as connection:
            one = incidents.find(connection, scope, incident_id).incident
            found = gathered(connection, one, now)
            codes = departments.on(connection)
        usual = self._deadlines.recipient(one.type, one.urgency, now, one.grade)
        return Proposal(tuple(proposed(one, found, codes, lang)), minutes(usual))
